//! `Resize` along one axis: <https://onnx.ai/onnx/operators/onnx__Resize.html>

use core::cell::Cell;

use crate::float::Float;
use crate::load::Load;
use crate::number::Number;
use crate::overlap::{Overlap, Step};

/// `y[o, j, i] = Σₜ weights[j, t] · x[o, starts[j] + t, i]`
///
/// The sum is taken in the order of the taps, for `f16` and `bf16` in `f32`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interpolate {
    /// The product of the dimensions before the axis.
    pub outer: usize,
    /// The size of the axis in the input.
    pub len: usize,
    /// The product of the dimensions behind the axis.
    pub inner: usize,
    /// How many elements of the input make one of the output.
    pub taps: usize,
}

impl Interpolate {
    /// Resizes `x` to `y`.
    #[inline(always)]
    pub fn run<X, S, W, T>(self, x: &[X], starts: &[S], weights: &[W], y: &[Cell<T>])
    where
        X: Load<Value = T>,
        S: Load<Value: Into<i64>>,
        W: Load<Value = T::Sum>,
        T: Float<Sum: Float>,
    {
        let mut y = y.iter();
        for outer in 0..self.outer {
            for (j, start) in starts.iter().enumerate() {
                let start = (outer * self.len).wrapping_add(start.load().into() as usize).wrapping_mul(self.inner);
                let weights = weights.get(j * self.taps..).unwrap_or(&[]);
                for i in 0..self.inner {
                    let x = x.get(start.wrapping_add(i)..).unwrap_or(&[]).iter().step_by(self.inner.max(1));
                    let products = x.zip(weights).take(self.taps).map(|(x, weight)| x.load().widen() * weight.load());
                    let sum = products.fold(T::Sum::ZERO, |sum, product| sum + product);
                    let Some(y) = y.next() else { return };
                    y.set(T::narrow(sum));
                }
            }
        }
    }

    /// How far the output may overtake the input, given the bytes of an element.
    pub fn overlap(self, starts: &[i32], element_size: usize) -> Overlap {
        let row = |first: usize, count: usize| first * self.inner..(first + count) * self.inner;
        // Within a row the elements are read and written one by one, but each but the first tap lies further on.
        let steps = (0..self.outer).flat_map(|outer| {
            starts.iter().enumerate().map(move |(j, &start)| Step {
                read: row(outer * self.len + start as usize, self.taps),
                write: row(outer * starts.len() + j, 1),
            })
        });
        let overlap = Overlap::of_steps(steps, element_size);
        // A row's own writes must not reach the rest of its reads.
        let own = |forward: isize| if self.inner > 1 { forward + ((self.inner - 1) * element_size) as isize } else { forward };
        Overlap { forward: overlap.forward.map(own), ..Overlap::NONE }
    }

    /// Multiply-accumulates for `outputs` elements along the axis.
    pub fn macs(self, outputs: usize) -> u64 {
        (self.outer * outputs * self.inner * self.taps) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::testing::numbers;

    #[test]
    fn weighted_sums_along_the_axis() {
        let (x, weights) = (numbers(24, 1), numbers(6, 2));
        for (outer, len, inner) in [(4, 6, 1), (2, 3, 4), (1, 4, 6)] {
            let starts = [0i32, 1, 1];
            let kernel = Interpolate { outer, len, inner, taps: 2 };
            let y: Vec<Cell<f32>> = (0..outer * 3 * inner).map(|_| Cell::new(9.0)).collect();
            kernel.run(&x, &starts, &weights, &y);
            for o in 0..outer {
                for j in 0..3 {
                    for i in 0..inner {
                        let at = |t: usize| x[(o * len + starts[j] as usize + t) * inner + i] * weights[j * 2 + t];
                        assert_eq!(y[(o * 3 + j) * inner + i].get(), at(0) + at(1), "{kernel:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_lies_outside_is_left_alone() {
        let y = [7.0f32; 2].map(Cell::new);
        Interpolate { outer: 1, len: 2, inner: 1, taps: 2 }.run(&[1.0f32, 2.0], &[-5i32, 1], &[1.0f32; 4], &y);
        assert_eq!(y.map(Cell::into_inner), [0.0, 2.0]);
    }

    #[test]
    fn overlaps_are_safe() {
        for (outer, len, inner) in [(4, 6, 1), (2, 3, 4), (1, 4, 6)] {
            let kernel = Interpolate { outer, len, inner, taps: 2 };
            let (x, weights, starts) = (numbers(24, 1), numbers(6, 2), [0i32, 1, 1]);
            let expected: Vec<Cell<f32>> = (0..outer * 3 * inner).map(|_| Cell::new(0.0)).collect();
            kernel.run(&x, &starts, &weights, &expected);
            let forward = kernel.overlap(&starts, 1).forward.unwrap();
            for distance in -(expected.len() as isize)..=-forward {
                let (x_start, y_start) = ((-distance).max(0) as usize, distance.max(0) as usize);
                let arena: Vec<Cell<f32>> = (0..80).map(|_| Cell::new(0.0)).collect();
                arena[x_start..].iter().zip(&x).for_each(|(cell, x)| cell.set(*x));
                kernel.run(&arena[x_start..][..24], &starts, &weights, &arena[y_start..][..expected.len()]);
                assert_eq!(arena[y_start..][..expected.len()], expected, "{kernel:?} at {distance}");
            }
        }
    }
}
