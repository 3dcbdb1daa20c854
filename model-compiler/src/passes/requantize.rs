//! The multipliers by which a layer's integer sums become the integers of its output.

use super::clamp::Clamp;
use crate::kernels::Requantize;
use crate::quantization::Quantization;
use crate::scalar::Scalar;

/// The least shift, with which a product's upper 32 bits hold what is left of it.
const LEAST_SHIFT: i32 = 33;

/// The greatest shift: zero point and rounding constant, shifted by 32 less, are far below 2^31.
const GREATEST_SHIFT: i32 = 45;

/// `sum · factor`, bounded, as integers of `output`: how all sums become integers, and the multiplier of each factor, which is
/// `factor · 2^shift` rounded, with the greatest shift that keeps all multipliers below 2^31, or with the least where that is exact
/// enough, as kernels are faster then.
///
/// `None` where factors are so large that a sum of magnitude `largest` would have to be shifted beyond 32 bits.
pub(super) fn requantize(factors: &[f64], largest: i64, output: Quantization, clamp: Clamp) -> Option<(Requantize, Vec<i32>)> {
    let greatest = factors.iter().copied().fold(0.0, f64::max);
    let multiplier = |factor: f64, shift: i32| (factor * 2f64.powi(shift)).round();
    let fits = |shift: &i32| multiplier(greatest, *shift) < f64::from(1 << 30) * 2.0;
    let greatest_shift = (0..=GREATEST_SHIFT).rev().find(fits)?;
    let shift = if is_exact(factors, largest, output) { greatest_shift.min(LEAST_SHIFT) } else { greatest_shift };
    let left = u32::try_from((LEAST_SHIFT - shift).max(0)).ok()?;
    largest.checked_shl(left).filter(|&shifted| left < 31 && shifted <= i32::MAX.into())?;
    let multipliers = factors.iter().map(|&factor| crate::kernels::cast(multiplier(factor, shift))).collect();
    let [low, high] = bounds(output, clamp)?;
    let shift = u32::try_from(shift.max(LEAST_SHIFT)).ok()?;
    Some((Requantize { left, shift, zero: output.zero, low, high }, multipliers))
}

/// Whether multipliers of the least shift give what exact factors give, but for 2^-12 of a step: they are off by 2^-34 at most, and a sum
/// by whose product no output of 8 bits is clipped is at most 256 / factor.
fn is_exact(factors: &[f64], largest: i64, output: Quantization) -> bool {
    let limit = f64::from(1 << 22);
    output.elem.size() == 1 && factors.iter().all(|factor| 256.0 <= limit * factor || largest <= 1 << 22)
}

/// The integers between which bounded numbers lie when they are quantized.
pub(super) fn bounds(output: Quantization, clamp: Clamp) -> Option<[i32; 2]> {
    let integer = |bound: f32| i32::try_from(output.nearest(Scalar::F32(bound))?.to_int()?).ok();
    Some([integer(clamp.low)?, integer(clamp.high)?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::ElemType;

    const OUTPUT: Quantization = Quantization { elem: ElemType::I8, scale: 0.5, zero: 3 };

    #[test]
    fn multipliers_are_as_fine_as_they_can_be() {
        for factors in [&[0.25][..], &[1.0, 0.001], &[0.4999], &[3.7e-4, 1.2e-5, 0.0], &[5.0, 31.0], &[1e-9]] {
            let (requantize, multipliers) = requantize(factors, 1 << 20, OUTPUT, Clamp::NONE).unwrap();
            let Requantize { left, shift, .. } = requantize;
            assert!((33..=45).contains(&shift) && (left == 0 || shift == 33), "{factors:?}: {requantize:?}");
            let unit = 2f64.powi(i32::try_from(left).unwrap() - i32::try_from(shift).unwrap());
            for (factor, &multiplier) in factors.iter().zip(&multipliers) {
                assert!((f64::from(multiplier) * unit - factor).abs() <= unit / 2.0, "{factor}: {multiplier} {requantize:?}");
            }
            assert!(shift == 33 || shift == 45 || multipliers.iter().any(|&multiplier| multiplier >= 1 << 30), "{multipliers:?}");
        }
    }

    #[test]
    fn the_least_shift_is_taken_where_it_is_exact_enough() {
        let shift = |factors: &[f64], largest, output| requantize(factors, largest, output, Clamp::NONE).unwrap().0.shift;
        let wide = Quantization { elem: ElemType::I16, ..OUTPUT };
        assert_eq!(shift(&[1e-3, 2f64.powi(-14)], 1 << 26, OUTPUT), 33);
        assert_eq!(shift(&[1e-3, 1e-5], 1 << 22, OUTPUT), 33);
        assert_eq!(shift(&[1e-3, 1e-5], 1 << 26, OUTPUT), 40);
        assert_eq!(shift(&[1e-3], 1 << 20, wide), 40);
    }

    #[test]
    fn sums_are_not_shifted_too_far() {
        assert!(requantize(&[100.0], 1 << 20, OUTPUT, Clamp::NONE).is_some());
        assert!(requantize(&[100.0], 1 << 26, OUTPUT, Clamp::NONE).is_none());
        assert!(requantize(&[1e12], 1, OUTPUT, Clamp::NONE).is_none());
    }

    #[test]
    fn bounds_are_those_of_the_type_and_of_the_clamp() {
        let clamps =
            [(Clamp::NONE, [-128, 127]), (Clamp { low: 0.0, high: 6.0 }, [3, 15]), (Clamp { low: -1e9, high: 1e9 }, [-128, 127])];
        for (clamp, expected) in clamps {
            assert_eq!(bounds(OUTPUT, clamp), Some(expected));
        }
    }
}
