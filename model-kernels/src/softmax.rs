//! `Softmax`, `LogSoftmax`: <https://onnx.ai/onnx/operators/onnx__Softmax.html>

use core::cell::Cell;

use crate::float::{Float, exp, log};
use crate::grid::lane;
use crate::load::Load;
use crate::number::Number;
use crate::overlap::Overlap;

/// y = exp(x − max) / Σ exp(x − max) in each lane along the axis, or its logarithm (x − max) − log Σ exp(x − max).
///
/// The sum is taken in order, for `f16` and `bf16` in `f32`; of these, powers, sum and quotient are rounded apart. A lane with NaN or infinity, or of minus infinity alone, gives NaN.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Softmax {
    /// The product of the dimensions before the axis.
    pub outer: usize,
    /// The size of the axis.
    pub len: usize,
    /// The product of the dimensions behind the axis.
    pub inner: usize,
    /// Whether the logarithm is computed.
    pub log: bool,
}

impl Softmax {
    /// Normalizes `x` into `y`, which may be the same place.
    #[inline(always)]
    pub fn run<X: Load<Value = T>, T: Float<Sum: Float>>(self, x: &[X], y: &[Cell<T>]) {
        for outer in 0..self.outer {
            for inner in 0..self.inner {
                let start = outer * self.len * self.inner + inner;
                if self.log {
                    self.log_lane(x, y, start);
                } else {
                    self.lane(x, y, start);
                }
            }
        }
    }

    #[inline(always)]
    fn lane<X: Load<Value = T>, T: Float<Sum: Float>>(self, x: &[X], y: &[Cell<T>], start: usize) {
        let max = self.max(x, start);
        let mut sum = T::Sum::ZERO;
        for (x, y) in self.elements(x, start).zip(self.elements(y, start)) {
            let power = exp(x.load() - max);
            y.set(power);
            sum = sum + power.widen();
        }
        let sum: T::Sum = T::narrow(sum).widen();
        for y in self.elements(y, start) {
            y.set(T::narrow(y.get().widen() / sum));
        }
    }

    #[inline(always)]
    fn log_lane<X: Load<Value = T>, T: Float<Sum: Float>>(self, x: &[X], y: &[Cell<T>], start: usize) {
        let max = self.max(x, start);
        let mut sum = T::Sum::ZERO;
        for x in self.elements(x, start) {
            sum = sum + exp(x.load() - max).widen();
        }
        let log = log(sum);
        for (x, y) in self.elements(x, start).zip(self.elements(y, start)) {
            y.set(T::narrow((x.load() - max).widen() - log));
        }
    }

    /// The greatest element that is not NaN.
    #[inline(always)]
    fn max<X: Load<Value = T>, T: Number>(self, x: &[X], start: usize) -> T {
        let mut max = T::LOWEST;
        for x in self.elements(x, start) {
            let x = x.load();
            max = if x > max { x } else { max };
        }
        max
    }

    #[inline(always)]
    pub(crate) fn elements<X>(self, x: &[X], start: usize) -> impl Iterator<Item = &X> {
        lane(x, start, self.len, self.inner)
    }

    /// How far the output may overtake the input, given the bytes of an element.
    pub fn overlap(self, element_size: usize) -> Overlap {
        let written_ahead = if self.inner == 1 { 0 } else { self.len.saturating_sub(1) * self.inner };
        Overlap { forward: Some((written_ahead * element_size) as isize), ..Overlap::NONE }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use half::bf16;

    use super::*;
    use crate::testing::check_overlap;

    const X: [f32; 12] = [0.5, -1.0, 3.0, 2.5, 80.0, -90.0, 0.0, 1.0, 2.0, 88.0, 89.0, 90.0];

    /// The formula in f64, without the subtraction of the maximum.
    fn reference(softmax: Softmax) -> Vec<f64> {
        let at = |outer, k, inner| (outer * softmax.len + k) * softmax.inner + inner;
        let mut y = Vec::from(X.map(f64::from));
        for outer in 0..softmax.outer {
            for inner in 0..softmax.inner {
                let power = |k| f64::from(X[at(outer, k, inner)]).exp();
                let sum: f64 = (0..softmax.len).map(power).sum();
                for k in 0..softmax.len {
                    let share = power(k) / sum;
                    y[at(outer, k, inner)] = if softmax.log { share.ln() } else { share };
                }
            }
        }
        y
    }

    #[test]
    fn every_lane_is_normalized_in_place_and_apart() {
        for (outer, len, inner) in [(1, 12, 1), (3, 4, 1), (1, 3, 4), (2, 2, 3)] {
            for log in [false, true] {
                let softmax = Softmax { outer, len, inner, log };
                let y = [0.0; 12].map(Cell::new);
                softmax.run(&X, &y);
                for (y, expected) in y.iter().zip(reference(softmax)) {
                    let error = (f64::from(y.get()) - expected).abs();
                    assert!(error <= 1e-6 * expected.abs().max(0.01), "{softmax:?}: {y:?}, not {expected}");
                }
                let in_place = X.map(Cell::new);
                softmax.run(&in_place, &in_place);
                assert_eq!(in_place, y);
            }
        }
    }

    #[test]
    fn sums_of_bf16_do_not_stall() {
        let y = [bf16::ZERO; 1000].map(Cell::new);
        Softmax { outer: 1, len: 1000, inner: 1, log: false }.run(&[bf16::ONE; 1000], &y);
        assert_eq!(y[999].get(), bf16::from_f32(0.001));
    }

    #[test]
    fn overlap_is_exact() {
        for (outer, len, inner) in [(3, 4, 1), (1, 3, 4), (2, 2, 3)] {
            for log in [false, true] {
                let softmax = Softmax { outer, len, inner, log };
                check_overlap([12, 12], softmax.overlap(4), |_, x, y| softmax.run(x, y));
            }
        }
    }
}
