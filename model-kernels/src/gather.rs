//! `Gather`: <https://onnx.ai/onnx/operators/onnx__Gather.html>

use core::cell::Cell;

use crate::load::Load;

/// `y[o, j, i] = x[o, indices[j], i]`.
///
/// A negative index counts from the end. An index out of range takes the nearest that is in range. Output and input must be disjoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gather {
    /// The product of the dimensions before the axis.
    pub outer: usize,
    /// The size of the axis.
    pub len: usize,
    /// The product of the dimensions behind the axis.
    pub inner: usize,
}

impl Gather {
    /// Copies the elements at `indices` from `x` to `y`.
    #[inline(always)]
    pub fn run<X: Load, I: Load<Value: Into<i64>>>(self, x: &[X], indices: &[I], y: &[Cell<X::Value>]) {
        for outer in 0..self.outer {
            for (j, index) in indices.iter().enumerate() {
                let index = in_range(index.load().into(), self.len);
                let from = (outer * self.len + index) * self.inner;
                let to = (outer * indices.len() + j) * self.inner;
                let x = x.get(from..).unwrap_or(&[]);
                let y = y.get(to..).unwrap_or(&[]);
                for (x, y) in x.iter().zip(y).take(self.inner) {
                    y.set(x.load());
                }
            }
        }
    }
}

/// The index into an axis of `len` elements, counted from its beginning.
#[inline(always)]
fn in_range(index: i64, len: usize) -> usize {
    let index = if index < 0 { index.saturating_add(len as i64) } else { index };
    index.min(len as i64 - 1).max(0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_count_from_either_end_and_stay_in_range() {
        let x: [u8; 12] = core::array::from_fn(|i| i as u8);
        let y = [99; 20].map(Cell::new);
        Gather { outer: 2, len: 3, inner: 2 }.run(&x, &[2i64, 0, -1, 3, -4], &y);
        assert_eq!(y.map(Cell::into_inner), [4, 5, 0, 1, 4, 5, 4, 5, 0, 1, 10, 11, 6, 7, 10, 11, 10, 11, 6, 7]);
    }

    #[test]
    fn extreme_indices_do_not_panic() {
        let y = [0; 2].map(Cell::new);
        Gather { outer: 1, len: 3, inner: 1 }.run(&[1, 2, 3], &[i64::MIN, i64::MAX].map(Cell::new), &y);
        assert_eq!(y.each_ref().map(Cell::get), [1, 3]);
        Gather { outer: 1, len: 0, inner: 1 }.run(&[0; 0], &[0i32, 1], &y);
        assert_eq!(y.map(Cell::into_inner), [1, 3]);
    }
}
