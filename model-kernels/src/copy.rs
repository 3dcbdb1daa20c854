//! Data movement: one strided copy for `Transpose`, `Slice`, `Concat`, `Split`, `Expand`, `Tile`, `DepthToSpace` and the like, and what
//! writes without reading.

use core::cell::Cell;

use crate::grid::{index, position, row_stride, rows};
use crate::load::Load;
use crate::number::Number;
use crate::overlap::{Overlap, Step};

/// `y[to + Σ index · to_stride] = x[from + Σ index · from_stride]`, for each index of the shape in row-major order.
///
/// Stride 0 repeats, a negative stride reverses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Copy<const R: usize> {
    /// How many elements are copied along each dimension.
    pub shape: [usize; R],
    /// Where the first element is read.
    pub from: usize,
    /// The distance of elements in the input, along each dimension.
    pub from_strides: [isize; R],
    /// Where the first element is written.
    pub to: usize,
    /// The distance of elements in the output, along each dimension.
    pub to_strides: [isize; R],
}

impl<const R: usize> Copy<R> {
    /// Copies from `x` to `y`.
    #[inline(always)]
    pub fn run<X: Load>(self, x: &[X], y: &[Cell<X::Value>]) {
        let (len, rows) = rows(self.shape);
        let (from_strides, to_strides) = (wrapped(self.from_strides), wrapped(self.to_strides));
        let (from_stride, to_stride) = (row_stride(from_strides), row_stride(to_strides));
        for index in rows {
            let from = position(self.from, index, from_strides);
            let to = position(self.to, index, to_strides);
            if from_stride == 1 && to_stride == 1 {
                copy_run(x, from, y, to, len);
                continue;
            }
            for i in 0..len {
                let x = x.get(from.wrapping_add(i.wrapping_mul(from_stride)));
                let y = y.get(to.wrapping_add(i.wrapping_mul(to_stride)));
                if let (Some(x), Some(y)) = (x, y) {
                    y.set(x.load());
                }
            }
        }
    }

    /// The same copy from the last index to the first.
    pub fn reversed(self) -> Self {
        let last = self.shape.map(|size| size.saturating_sub(1));
        Self {
            from: position(self.from, last, wrapped(self.from_strides)),
            from_strides: self.from_strides.map(|stride| -stride),
            to: position(self.to, last, wrapped(self.to_strides)),
            to_strides: self.to_strides.map(|stride| -stride),
            ..self
        }
    }

    /// How far the output may overtake the input, given the bytes of an element. Backward means that [`Copy::reversed`] runs.
    pub fn overlap(self, element_size: usize) -> Overlap {
        let steps = (0..self.shape.iter().product()).map(|n| {
            let index = index(self.shape, n);
            let read = position(self.from, index, wrapped(self.from_strides));
            let write = position(self.to, index, wrapped(self.to_strides));
            Step { read: read..read + 1, write: write..write + 1 }
        });
        Overlap::of_steps(steps, element_size)
    }
}

/// Strides as `position` takes them.
#[inline(always)]
fn wrapped<const R: usize>(strides: [isize; R]) -> [usize; R] {
    strides.map(|stride| stride as usize)
}

/// Copies `len` elements that lie together.
#[inline(always)]
fn copy_run<X: Load>(x: &[X], from: usize, y: &[Cell<X::Value>], to: usize, len: usize) {
    let x = x.get(from..).and_then(|x| x.get(..len)).unwrap_or(&[]);
    let y = y.get(to..).and_then(|y| y.get(..len)).unwrap_or(&[]);
    for (x, y) in x.iter().zip(y) {
        y.set(x.load());
    }
}

/// `ConstantOfShape`, and the constant of `Pad`: `y[i] = value`.
#[inline(always)]
pub fn fill<T: core::marker::Copy>(y: &[Cell<T>], value: T) {
    for y in y {
        y.set(value);
    }
}

/// Whether a condition holds, which is a bool.
#[inline(always)]
pub fn holds<X: Load<Value = u8>>(condition: &[X]) -> bool {
    condition.first().is_some_and(|condition| condition.load() != 0)
}

/// `Range`: `y[i] = start + i · delta`; of `f16` and `bf16` computed in `f32`.
#[inline(always)]
pub fn range<T: Number>(y: &[Cell<T>], start: T, delta: T) {
    for (i, y) in y.iter().enumerate() {
        y.set(T::narrow(start.widen().add(T::Sum::from_usize(i).mul(delta.widen()))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::check_overlap;

    fn run<const R: usize>(copy: Copy<R>) -> [i32; 6] {
        let y = [-1; 6].map(Cell::new);
        copy.run(&[0, 1, 2, 3, 4, 5], &y);
        y.map(Cell::into_inner)
    }

    #[test]
    fn every_kind_of_movement() {
        let transpose = Copy { shape: [3, 2], from: 0, from_strides: [1, 3], to: 0, to_strides: [2, 1] };
        assert_eq!(run(transpose), [0, 3, 1, 4, 2, 5]);
        let reverse = Copy { shape: [6], from: 5, from_strides: [-1], to: 0, to_strides: [1] };
        assert_eq!(run(reverse), [5, 4, 3, 2, 1, 0]);
        let slice = Copy { shape: [2, 2], from: 1, from_strides: [3, 1], to: 0, to_strides: [2, 1] };
        assert_eq!(run(slice), [1, 2, 4, 5, -1, -1]);
        let part_of_concat = Copy { shape: [2, 1], from: 0, from_strides: [1, 1], to: 2, to_strides: [3, 1] };
        assert_eq!(run(part_of_concat), [-1, -1, 0, -1, -1, 1]);
        let expand = Copy { shape: [2, 3], from: 4, from_strides: [0, 0], to: 0, to_strides: [3, 1] };
        assert_eq!(run(expand), [4; 6]);
        let scalar = Copy { shape: [], from: 3, from_strides: [], to: 1, to_strides: [] };
        assert_eq!(run(scalar), [-1, 3, -1, -1, -1, -1]);
    }

    #[test]
    fn what_lies_outside_is_left_alone() {
        let beyond = Copy { shape: [2, 4], from: 0, from_strides: [4, 1], to: 0, to_strides: [4, 1] };
        assert_eq!(run(beyond), [0, 1, 2, 3, -1, -1]);
        let before = Copy { shape: [3], from: 1, from_strides: [-1], to: 0, to_strides: [2] };
        assert_eq!(run(before), [1, -1, 0, -1, -1, -1]);
    }

    fn check<const R: usize>(inputs: usize, copy: Copy<R>, gaps: &[usize]) {
        check_overlap([inputs, 12 + gaps.len()], copy.overlap(4), |backward, x, y| {
            if backward {
                copy.reversed().run(x, y)
            } else {
                copy.run(x, y)
            }
            // What is not written must not differ.
            gaps.iter().for_each(|&gap| y[gap].set(0.0));
        });
    }

    #[test]
    fn overlap_is_exact() {
        check(12, Copy { shape: [12], from: 0, from_strides: [1], to: 0, to_strides: [1] }, &[]);
        check(12, Copy { shape: [12], from: 11, from_strides: [-1], to: 0, to_strides: [1] }, &[]);
        check(12, Copy { shape: [3, 4], from: 0, from_strides: [1, 3], to: 0, to_strides: [4, 1] }, &[]);
        check(17, Copy { shape: [3, 4], from: 1, from_strides: [6, 1], to: 0, to_strides: [4, 1] }, &[]);
        check(12, Copy { shape: [3, 4], from: 0, from_strides: [4, 1], to: 1, to_strides: [6, 1] }, &[0, 5, 6, 11, 12]);
    }

    #[test]
    fn conditions() {
        assert!(holds(&[Cell::new(1u8)]) && holds(&[2u8]) && !holds(&[0u8]) && !holds::<u8>(&[]));
    }

    #[test]
    fn filling() {
        let y = [0.0; 4].map(Cell::new);
        fill(&y[..2], 2.5);
        range(&y[2..], 1.0, -0.5);
        assert_eq!(y.map(Cell::into_inner), [2.5, 2.5, 1.0, 0.5]);
    }
}
