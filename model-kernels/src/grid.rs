//! Walking over the elements of a tensor in row-major order.

/// The indices of a grid, from the first to the last.
#[derive(Clone, Copy)]
pub(crate) struct Indices<const R: usize> {
    shape: [usize; R],
    next: [usize; R],
    left: usize,
}

impl<const R: usize> Indices<R> {
    #[inline(always)]
    pub(crate) fn new(shape: [usize; R]) -> Self {
        Self { shape, next: [0; R], left: shape.iter().product() }
    }
}

impl<const R: usize> Iterator for Indices<R> {
    type Item = [usize; R];

    #[inline(always)]
    fn next(&mut self) -> Option<[usize; R]> {
        self.left = self.left.checked_sub(1)?;
        let index = self.next;
        for d in (0..R).rev() {
            self.next[d] += 1;
            if self.next[d] < self.shape[d] {
                break;
            }
            self.next[d] = 0;
        }
        Some(index)
    }
}

/// The index with number `n` in a grid that has as many.
pub(crate) fn index<const R: usize>(shape: [usize; R], mut n: usize) -> [usize; R] {
    let mut index = [0; R];
    for d in (0..R).rev() {
        (index[d], n) = (n % shape[d], n / shape[d]);
    }
    index
}

/// The length of a row along the last dimension, and the indices at which the rows begin. A scalar is one row of one.
#[inline(always)]
pub(crate) fn rows<const R: usize>(mut shape: [usize; R]) -> (usize, Indices<R>) {
    let len = match shape.last_mut() {
        Some(last) => core::mem::replace(last, 1),
        None => 1,
    };
    (len, Indices::new(shape))
}

/// start + Σ index · stride. A negative stride is given as it wraps around.
#[inline(always)]
pub(crate) fn position<const R: usize>(start: usize, index: [usize; R], strides: [usize; R]) -> usize {
    let mut position = start;
    for d in 0..R {
        position = position.wrapping_add(index[d].wrapping_mul(strides[d]));
    }
    position
}

/// The stride along the last dimension; 0 for a scalar.
#[inline(always)]
pub(crate) fn row_stride<const R: usize>(strides: [usize; R]) -> usize {
    strides.last().copied().unwrap_or(0)
}

/// The elements of `x` from `start` with a stride, `len` of them or what there is.
#[inline(always)]
pub(crate) fn lane<X>(x: &[X], start: usize, len: usize, stride: usize) -> impl Iterator<Item = &X> {
    x.get(start..).unwrap_or(&[]).iter().step_by(stride.max(1)).take(len)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn indices_count_the_last_dimension_first() {
        let indices: Vec<_> = Indices::new([2, 1, 3]).collect();
        assert_eq!(indices, [[0, 0, 0], [0, 0, 1], [0, 0, 2], [1, 0, 0], [1, 0, 1], [1, 0, 2]]);
        let numbered: Vec<_> = (0..6).map(|n| index([2, 1, 3], n)).collect();
        assert_eq!(indices, numbered);
    }

    #[test]
    fn a_scalar_has_one_index_and_an_empty_grid_none() {
        assert_eq!(Indices::new([]).count(), 1);
        assert_eq!(Indices::new([2, 0]).count(), 0);
    }

    #[test]
    fn rows_lie_along_the_last_dimension() {
        let (len, rows) = rows([2, 3]);
        assert_eq!((len, rows.collect::<Vec<_>>()), (3, [[0, 0], [1, 0]].into()));
        assert_eq!(super::rows([]).0, 1);
    }

    #[test]
    fn lanes_end_with_what_there_is() {
        let x = [0, 1, 2, 3, 4, 5];
        assert_eq!(lane(&x, 1, 2, 3).collect::<Vec<_>>(), [&1, &4]);
        assert_eq!(lane(&x, 1, 9, 3).collect::<Vec<_>>(), [&1, &4]);
        assert_eq!(lane(&x, 7, 9, 3).count(), 0);
    }
}
