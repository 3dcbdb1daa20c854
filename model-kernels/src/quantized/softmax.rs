//! The quantized arithmetic of [`Softmax`].

use core::cell::Cell;

use crate::overlap::Overlap;
use crate::quantized::Quantized;
use crate::{Load, Requantize, Softmax};

impl Softmax {
    /// `y = requantize(e(x))` with the multiplier `⌊unit / Σ e⌋`, where `e(x) = table[255 + x - max]`, in each lane along the axis.
    ///
    /// Elements of `x` have 8 bits. With `s_x` the scale of `x` and `s_y` that of `y`, `table[i]` is `2^T · exp(s_x · (i - 255))`
    /// and `unit` is `2^shift / s_y`, both rounded, where `T` is at most 30 and such that no sum reaches `2^32`, and `unit` is less than
    /// `2^(31 + T)`. Then `y` is within 1 of the exact result. The logarithm is not computed.
    #[inline(always)]
    pub fn quantized<X: Quantized, Y: Quantized>(
        self,
        x: &[impl Load<Value = X>],
        y: &[Cell<Y>],
        table: &[u32; 256],
        unit: u64,
        requantize: Requantize,
    ) {
        for outer in 0..self.outer {
            for inner in 0..self.inner {
                let start = outer * self.len * self.inner + inner;
                let max = self.elements(x, start).map(element).max().unwrap_or_default();
                let power = |x| table.get((element(x) + 255).wrapping_sub(max) as usize).copied().unwrap_or_default();
                let sum: u32 = self.elements(x, start).map(power).fold(0, u32::wrapping_add);
                let multiplier = unit.checked_div(u64::from(sum)).unwrap_or_default() as i32;
                for (x, y) in self.elements(x, start).zip(self.elements(y, start)) {
                    y.set(Y::saturate(requantize.apply(power(x) as i32, multiplier)));
                }
            }
        }
    }

    /// How far `y`, of elements of `y_size` bytes, may overtake `x`, of elements of `x_size` bytes.
    pub fn quantized_overlap(self, x_size: usize, y_size: usize) -> Overlap {
        if x_size == y_size { self.overlap(x_size) } else { Overlap::NONE }
    }
}

#[inline(always)]
fn element(x: &impl Load<Value: Quantized>) -> i32 {
    i32::from(x.load().to_i16())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, check_overlap_of, integers, values};
    use std::fmt::Debug;
    use std::vec::Vec;

    /// The powers' fixed point, for lanes of up to 12.
    const POINT: i32 = 28;

    fn table(scale: f64) -> [u32; 256] {
        core::array::from_fn(|index| ((scale * (index as f64 - 255.0)).exp() * f64::from(1 << POINT)).round() as u32)
    }

    /// Outputs in steps of 1/256.
    fn run<X: Quantized, Y: Quantized>(softmax: Softmax, scale: f64, x: &[Cell<X>], y: &[Cell<Y>], zero: i32) {
        let requantize = Requantize { left: 0, shift: 50, zero, low: zero, high: zero + 255 };
        softmax.quantized(x, y, &table(scale), 1 << 58, requantize);
    }

    fn check<X, Y>(range: [i64; 2], zero: i32)
    where
        X: Quantized + TryFrom<i64, Error: Debug>,
        Y: Quantized + Debug,
    {
        for (outer, len, inner) in [(1, 12, 1), (3, 4, 1), (1, 3, 4), (2, 2, 3), (12, 1, 1)] {
            for (seed, scale) in [(1, 0.01), (2, 0.1), (3, 0.0625), (4, 2.0)] {
                let softmax = Softmax { outer, len, inner, log: false };
                let x: Vec<X> = integers(12, seed, range);
                let powers: Vec<f64> = x.iter().map(|x| (scale * f64::from(x.to_i16())).exp()).collect();
                let y = cells(&[Y::ZERO; 12]);
                run(softmax, scale, &cells(&x), &y, zero);
                for (index, y) in values(&y).into_iter().enumerate() {
                    let start = index / (len * inner) * len * inner + index % inner;
                    let sum: f64 = (0..len).map(|k| powers[start + k * inner]).sum();
                    let exact = (powers[index] / sum * 256.0 + 0.5).floor().min(255.0) as i32 + zero;
                    let error = i32::from(y.to_i16()) - exact;
                    assert!(error.abs() <= 1, "{softmax:?} {scale}: {y:?}, not {exact}");
                }
            }
        }
    }

    #[test]
    fn is_within_one_of_the_formula() {
        check::<i8, i8>([-128, 127], -128);
        check::<u8, u8>([0, 255], 0);
        check::<i8, u8>([-128, 127], 0);
    }

    #[test]
    fn overlap_is_exact() {
        for (outer, len, inner) in [(3, 4, 1), (1, 3, 4), (2, 2, 3)] {
            let softmax = Softmax { outer, len, inner, log: false };
            let numbers = |len, seed| integers::<i8>(len, seed, [-128, 127]);
            check_overlap_of(numbers, [12, 12], softmax.quantized_overlap(1, 1), |_, x, y| run(softmax, 0.01, x, y, -128));
        }
    }
}
