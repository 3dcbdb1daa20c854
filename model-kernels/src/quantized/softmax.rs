//! The quantized arithmetic of [`Softmax`].

use core::cell::Cell;

use crate::overlap::Overlap;
use crate::quantized::Quantized;
use crate::{Load, Requantize, Softmax};

impl Softmax {
    /// `y = requantize(e(x))` with the multiplier `⌊unit / Σ e⌋`, where `e(x) = ⌊powers[d / 16] · powers[16 + d % 16] / 2^31⌋` with
    /// `d = max - x`, in each lane along the axis.
    ///
    /// Elements of `x` have 8 bits. With `s_x` the scale of `x` and `s_y` that of `y`, for `i` below 16 `powers[i]` is
    /// `2^T · exp(-16 · s_x · i)`, `powers[16 + i]` is `2^31 · exp(-s_x · i)` and `unit` is `2^shift / s_y`, all rounded, where `T` is such
    /// that no sum reaches `2^31`, and `unit` is less than `2^(31 + T)`. Then `y` is within 1 of the exact result. The logarithm is not
    /// computed.
    #[inline(always)]
    pub fn quantized<X: Quantized, Y: Quantized>(
        self,
        x: &[impl Load<Value = X>],
        y: &[Cell<Y>],
        powers: &[u32; 32],
        unit: u64,
        requantize: Requantize,
    ) {
        for outer in 0..self.outer {
            for inner in 0..self.inner {
                let start = outer * self.len * self.inner + inner;
                let max = self.elements(x, start).map(element).max().unwrap_or_default();
                let power = |x| power(powers, max.wrapping_sub(element(x)) as usize % 256);
                let sum: u32 = self.elements(x, start).map(power).fold(0, u32::wrapping_add);
                let multiplier = quotient(unit, sum);
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

/// The power of an element that lies `distance` below the greatest.
#[inline(always)]
fn power(powers: &[u32; 32], distance: usize) -> u32 {
    let [coarse, fine] = [powers[distance / 16 % 16], powers[16 + distance % 16]].map(u64::from);
    ((coarse * fine) >> 31) as u32
}

/// `⌊a / b⌋`, which is less than 2^31, with `b` at most 2^31. A division of 64 bits from a library would be larger than all else here.
fn quotient(a: u64, b: u32) -> i32 {
    let (mut rest, mut lower) = ((a >> 31) as u32, (a as u32) << 1);
    // Its highest bit arrives at the top when all of the others are there.
    let mut quotient = 1u32;
    while quotient < 1 << 31 {
        rest = (rest << 1) | (lower >> 31);
        lower <<= 1;
        let fits = rest >= b;
        rest -= if fits { b } else { 0 };
        quotient = (quotient << 1) | u32::from(fits);
    }
    (quotient & !(1 << 31)) as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, check_overlap_of, integers, values};
    use std::fmt::Debug;
    use std::vec::Vec;

    /// The powers' fixed point, for lanes of up to 12.
    const POINT: i32 = 27;

    fn powers(scale: f64) -> [u32; 32] {
        let power = |point: i32, distance: usize| ((-scale * distance as f64).exp() * 2f64.powi(point)).round() as u32;
        core::array::from_fn(|index| if index < 16 { power(POINT, 16 * index) } else { power(31, index - 16) })
    }

    /// Outputs in steps of 1/256.
    fn run<X: Quantized, Y: Quantized>(softmax: Softmax, scale: f64, x: &[Cell<X>], y: &[Cell<Y>], zero: i32) {
        let requantize = Requantize { left: 0, shift: 49, zero, low: zero, high: zero + 255 };
        softmax.quantized(x, y, &powers(scale), 1 << 57, requantize);
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
    fn quotients_are_exact() {
        let divisors = [1, 2, 3, 10, 0x1234_5678, (1 << 31) - 1, 1 << 31];
        for (b, quotient) in divisors.into_iter().flat_map(|b| [0, 1, 77, 1 << 30, (1 << 31) - 1].map(|quotient| (b, quotient))) {
            for rest in [0, b / 2, b - 1] {
                let a = u64::from(b) * quotient + u64::from(rest);
                assert_eq!(super::quotient(a, b) as u64, quotient, "{a} / {b}");
            }
        }
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
