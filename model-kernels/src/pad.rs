//! `Pad`: <https://onnx.ai/onnx/operators/onnx__Pad.html>

use core::cell::Cell;

use crate::copy::{Copy, fill};
use crate::load::Load;

/// Surrounds a tensor with more elements. The mode is the method.
///
/// Output and input must be disjoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pad<const R: usize> {
    /// The input's shape.
    pub shape: [usize; R],
    /// How many elements are put before it, along each dimension.
    pub before: [usize; R],
    /// How many elements are put behind it, along each dimension.
    pub after: [usize; R],
}

impl<const R: usize> Pad<R> {
    /// Pads with a value.
    #[inline(always)]
    pub fn constant<X: Load>(self, x: &[X], value: X::Value, y: &[Cell<X::Value>]) {
        fill(y, value);
        self.interior().run(x, y);
    }

    /// Pads by repeating the outermost elements.
    #[inline(always)]
    pub fn edge<X: Load>(self, x: &[X], y: &[Cell<X::Value>]) {
        self.surround(x, y, |_| (0, 0));
    }

    /// Pads with the mirror image, in which the outermost elements are not repeated. Each side's padding must be shorter
    /// than the input.
    #[inline(always)]
    pub fn reflect<X: Load>(self, x: &[X], y: &[Cell<X::Value>]) {
        self.surround(x, y, |_| (1, 1));
    }

    /// Pads as if the input were repeated.
    #[inline(always)]
    pub fn wrap<X: Load>(self, x: &[X], y: &[Cell<X::Value>]) {
        self.surround(x, y, |size| (size as isize - 1, -1));
    }

    /// Copies the input, then pads one dimension after the other from what is already there.
    ///
    /// `source` is told the input's size and tells which element lies at the border, counted from the outermost one, and the
    /// step to the next further out.
    #[inline(always)]
    fn surround<X: Load>(self, x: &[X], y: &[Cell<X::Value>], source: impl Fn(usize) -> (isize, isize)) {
        let interior = self.interior();
        interior.run(x, y);
        let strides = interior.to_strides;
        let (mut shape, mut start) = (self.shape, interior.to as isize);
        for d in 0..R {
            let (first, step) = source(self.shape[d]);
            let begin = start;
            let end = start + (self.shape[d] as isize - 1) * strides[d];
            let (mut from_strides, mut to_strides) = (strides, strides);
            for (count, edge, outwards) in [(self.before[d], begin, -strides[d]), (self.after[d], end, strides[d])] {
                shape[d] = count;
                from_strides[d] = -step * outwards;
                to_strides[d] = outwards;
                let from = (edge - first * outwards) as usize;
                let to = (edge + outwards) as usize;
                Copy { shape, from, from_strides, to, to_strides }.run(y, y);
            }
            start = begin - self.before[d] as isize * strides[d];
            shape[d] = self.before[d] + self.shape[d] + self.after[d];
        }
    }

    /// Copies the input to its place in the output.
    #[inline(always)]
    fn interior(self) -> Copy<R> {
        let mut shape = self.shape;
        for d in 0..R {
            shape[d] += self.before[d] + self.after[d];
        }
        let to_strides = dense(shape);
        let mut to = 0;
        for d in 0..R {
            to += self.before[d] * to_strides[d] as usize;
        }
        Copy { shape: self.shape, from: 0, from_strides: dense(self.shape), to, to_strides }
    }
}

/// The strides of a tensor that lies row by row without gaps.
#[inline(always)]
fn dense<const R: usize>(shape: [usize; R]) -> [isize; R] {
    let mut strides = [1; R];
    for d in (1..R).rev() {
        strides[d - 1] = strides[d] * shape[d] as isize;
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAD: Pad<2> = Pad { shape: [2, 3], before: [1, 2], after: [1, 1] };
    const X: [i32; 6] = [1, 2, 3, 4, 5, 6];

    fn padded(run: impl Fn(&[Cell<i32>])) -> [[i32; 6]; 4] {
        let y = [-1; 24].map(Cell::new);
        run(&y);
        let (rows, _) = y.as_chunks::<6>();
        core::array::from_fn(|row| rows[row].each_ref().map(Cell::get))
    }

    #[test]
    fn every_mode() {
        assert_eq!(
            padded(|y| PAD.constant(&X, 0, y)),
            [[0, 0, 0, 0, 0, 0], [0, 0, 1, 2, 3, 0], [0, 0, 4, 5, 6, 0], [0, 0, 0, 0, 0, 0]]
        );
        assert_eq!(padded(|y| PAD.edge(&X, y)), [[1, 1, 1, 2, 3, 3], [1, 1, 1, 2, 3, 3], [4, 4, 4, 5, 6, 6], [4, 4, 4, 5, 6, 6]]);
        assert_eq!(
            padded(|y| PAD.reflect(&X, y)),
            [[6, 5, 4, 5, 6, 5], [3, 2, 1, 2, 3, 2], [6, 5, 4, 5, 6, 5], [3, 2, 1, 2, 3, 2]]
        );
        assert_eq!(padded(|y| PAD.wrap(&X, y)), [[5, 6, 4, 5, 6, 4], [2, 3, 1, 2, 3, 1], [5, 6, 4, 5, 6, 4], [2, 3, 1, 2, 3, 1]]);
    }

    #[test]
    fn wrapping_goes_round_more_than_once() {
        let y = [0; 9].map(Cell::new);
        Pad { shape: [2], before: [3], after: [4] }.wrap(&[1, 2], &y);
        assert_eq!(y.map(Cell::into_inner), [2, 1, 2, 1, 2, 1, 2, 1, 2]);
    }
}
