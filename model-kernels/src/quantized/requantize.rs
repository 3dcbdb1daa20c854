//! From a sum of 32 bits to an element, rounded once.

use crate::Quantized;

/// How the sums of a layer become elements.
///
/// `y = min(max(⌊(sum · 2^left · m + 2^(shift - 1)) / 2^shift⌋ + zero, low), high)`: the exact product, rounded half up. The
/// multiplier `m` is at least 0 and differs from output to output; `shift` is one for the whole layer, so that the product's
/// error against the real factor `m / 2^shift` is at most `|sum| · 2^-(shift + 1)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requantize {
    /// By how much sums are shifted up first, where the factor is too large for a multiplier; no sum overflows by it.
    pub left: u32,
    /// From 33 to 62.
    pub shift: u32,
    /// The zero point of the output.
    pub zero: i32,
    /// The least output: the least element of its type, or what an activation clips it to.
    pub low: i32,
    /// The greatest output.
    pub high: i32,
}

impl Requantize {
    /// The element of `Y` for `sum`.
    #[inline(always)]
    pub fn element<Y: Quantized>(self, sum: i32, multiplier: i32) -> Y {
        Y::saturate(self.apply(sum, multiplier))
    }

    /// The number for `sum`, which is that of the element where the bounds lie within its type.
    #[inline(always)]
    pub fn apply(self, sum: i32, multiplier: i32) -> i32 {
        // What the rounding adds is a multiple of 2^32, so that the lower half of the product never carries.
        let high = high_product(sum.wrapping_shl(self.left), multiplier);
        let rounding = 1i32.wrapping_shl(self.shift.wrapping_sub(33));
        let scaled = high.wrapping_add(rounding).wrapping_shr(self.shift.wrapping_sub(32));
        scaled.wrapping_add(self.zero).max(self.low).min(self.high)
    }
}

/// The upper 32 bits of a product.
#[inline(always)]
fn high_product(a: i32, b: i32) -> i32 {
    if cfg!(thumbv6m) { high_product_of_halves(a, b) } else { ((i64::from(a) * i64::from(b)) >> 32) as i32 }
}

/// [`high_product`] for processors whose multiplication yields 32 bits only: of halves of 16 bits, of which the upper ones have the
/// signs, so that no step overflows.
#[inline(always)]
fn high_product_of_halves(a: i32, b: i32) -> i32 {
    let [a_high, b_high] = [a >> 16, b >> 16];
    let [a_low, b_low] = [a & 0xffff, b & 0xffff];
    let low = (a_low as u32).wrapping_mul(b_low as u32);
    let middle = (a_high * b_low).wrapping_add((low >> 16) as i32);
    let other = (a_low * b_high).wrapping_add(middle & 0xffff);
    a_high * b_high + (middle >> 16) + (other >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HALF: Requantize = Requantize { left: 0, shift: 33, zero: 3, low: -128, high: 127 };

    #[test]
    fn rounds_half_up_once() {
        // A multiplier of 2^31 - 1 or 2^30 over 2^33: a quarter, an eighth.
        let eighth = |sum| HALF.apply(sum, 1 << 30) - HALF.zero;
        let cases = [(0, 0), (3, 0), (4, 1), (11, 1), (12, 2), (-3, 0), (-4, 0), (-5, -1), (-12, -1), (-13, -2)];
        for (sum, expected) in cases {
            assert_eq!(eighth(sum), expected, "{sum}");
        }
    }

    #[test]
    fn clips_after_the_zero_point() {
        assert_eq!(HALF.apply(i32::MAX, i32::MAX), 127);
        assert_eq!(HALF.apply(i32::MIN, i32::MAX), -128);
        assert_eq!(Requantize { low: 3, ..HALF }.apply(-1000, 1 << 30), 3);
        assert_eq!(Requantize { high: 9, ..HALF }.apply(1000, 1 << 30), 9);
    }

    #[test]
    fn equals_the_formula_in_wide_arithmetic() {
        let sums = [i32::MIN, -8_388_608, -77_777, -1, 0, 1, 12_345, 8_388_607, i32::MAX];
        for shift in [33, 34, 40, 47, 55, 62] {
            for (sum, multiplier) in sums.into_iter().flat_map(|sum| [0, 1, 77_777_777, i32::MAX].map(|m| (sum, m))) {
                let requantize = Requantize { left: 0, shift, zero: -5, low: i32::MIN, high: i32::MAX };
                let exact = i128::from(sum) * i128::from(multiplier) + (1 << (shift - 1));
                assert_eq!(
                    i128::from(requantize.apply(sum, multiplier)),
                    (exact >> shift) - 5,
                    "{sum} · {multiplier} / 2^{shift}"
                );
            }
        }
        let shifted = Requantize { left: 4, shift: 33, zero: 0, low: i32::MIN, high: i32::MAX };
        assert_eq!(shifted.apply(100, 1 << 30), 200);
    }

    #[test]
    fn halves_give_the_whole_product() {
        let numbers = [i32::MIN, i32::MIN + 1, -0x1_0000, -0xffff, -1, 0, 1, 0x7fff, 0xffff, 0x1_0000, 0x1234_5678, i32::MAX];
        for (a, b) in numbers.into_iter().flat_map(|a| numbers.map(|b| (a, b))) {
            assert_eq!(high_product_of_halves(a, b), ((i64::from(a) * i64::from(b)) >> 32) as i32, "{a} · {b}");
        }
    }
}
