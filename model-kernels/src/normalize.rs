//! `LayerNormalization`, `RMSNormalization`, `InstanceNormalization`, `GroupNormalization` before their scale and shift:
//! <https://onnx.ai/onnx/operators/onnx__LayerNormalization.html>

use core::cell::Cell;

use crate::float::{Float, sqrt};
use crate::grid::lane;
use crate::load::Load;
use crate::number::Number;
use crate::overlap::Overlap;

/// y = (x − mean) / √(Σ (x − mean)² / len + epsilon) in each lane; where it is not centred, mean stands for 0.
///
/// Sums are taken in order, for `f16` and `bf16` in `f32`, as is all up to the rounding of y.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Normalize {
    /// The product of the dimensions before the lanes'.
    pub outer: usize,
    /// The number of elements in a lane.
    pub len: usize,
    /// The product of the dimensions behind the lanes'.
    pub inner: usize,
    /// Whether the mean is subtracted.
    pub centred: bool,
    /// What keeps the divisor from zero.
    pub epsilon: f32,
}

impl Normalize {
    /// Normalizes `x` into `y`, which may be the same place.
    #[inline(always)]
    pub fn run<X: Load<Value = T>, T: Float<Sum: Float>>(self, x: &[X], y: &[Cell<T>]) {
        let count = T::Sum::from_usize(self.len);
        for outer in 0..self.outer {
            for inner in 0..self.inner {
                let start = outer * self.len * self.inner + inner;
                let lane_of_x = || lane(x, start, self.len, self.inner).map(|x| x.load().widen());
                let mean = match self.centred {
                    true => lane_of_x().fold(T::Sum::ZERO, |sum, x| sum + x) / count,
                    false => T::Sum::ZERO,
                };
                let squares = lane_of_x().fold(T::Sum::ZERO, |sum, x| sum + (x - mean) * (x - mean));
                let factor = T::Sum::ONE / sqrt(squares / count + T::Sum::of(self.epsilon.into()));
                for (x, y) in lane_of_x().zip(lane(y, start, self.len, self.inner)) {
                    y.set(T::narrow((x - mean) * factor));
                }
            }
        }
    }

    /// How far the output may overtake the input, given the bytes of an element.
    pub fn overlap(self, element_size: usize) -> Overlap {
        let written_ahead = if self.inner == 1 { 0 } else { self.len.saturating_sub(1) * self.inner };
        Overlap { forward: Some((written_ahead * element_size) as isize), in_place: true, ..Overlap::NONE }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use half::bf16;

    use super::*;
    use crate::testing::{check_overlap, numbers};

    /// The formula in f64.
    fn reference(kernel: Normalize, x: &[f32]) -> Vec<f64> {
        let mut y: Vec<f64> = x.iter().copied().map(f64::from).collect();
        for outer in 0..kernel.outer {
            for inner in 0..kernel.inner {
                let places = (0..kernel.len).map(|k| (outer * kernel.len + k) * kernel.inner + inner);
                let count = kernel.len as f64;
                let sum: f64 = places.clone().map(|place| y[place]).sum();
                let mean = if kernel.centred { sum / count } else { 0.0 };
                let variance = places.clone().map(|place| (y[place] - mean).powi(2)).sum::<f64>() / count;
                for place in places {
                    y[place] = (y[place] - mean) / (variance + f64::from(kernel.epsilon)).sqrt();
                }
            }
        }
        y
    }

    #[test]
    fn every_lane_is_normalized_in_place_and_apart() {
        let x = numbers(24, 3);
        for (outer, len, inner) in [(1, 24, 1), (4, 6, 1), (1, 4, 6), (2, 3, 4)] {
            for centred in [false, true] {
                let kernel = Normalize { outer, len, inner, centred, epsilon: 1e-3 };
                let y = [0.0; 24].map(Cell::new);
                kernel.run(&x, &y);
                for (y, expected) in y.iter().zip(reference(kernel, &x)) {
                    assert!((f64::from(y.get()) - expected).abs() <= 1e-5, "{kernel:?}: {y:?}, not {expected}");
                }
                let in_place: Vec<_> = x.iter().copied().map(Cell::new).collect();
                kernel.run(&in_place, &in_place);
                assert_eq!(in_place, y);
            }
        }
    }

    #[test]
    fn sums_of_bf16_do_not_stall() {
        let x: Vec<bf16> = (0..1000).map(|i| bf16::from_f32(if i % 2 == 0 { 1.0 } else { 3.0 })).collect();
        let y = [bf16::ZERO; 1000].map(Cell::new);
        Normalize { outer: 1, len: 1000, inner: 1, centred: true, epsilon: 0.0 }.run(&x, &y);
        assert_eq!([y[998].get(), y[999].get()], [bf16::NEG_ONE, bf16::ONE]);
    }

    #[test]
    fn overlap_is_exact() {
        for (outer, len, inner) in [(3, 4, 1), (1, 3, 4), (2, 2, 3)] {
            let kernel = Normalize { outer, len, inner, centred: true, epsilon: 1e-5 };
            check_overlap([12, 12], kernel.overlap(4), |_, x, y| kernel.run(x, y));
        }
    }
}
