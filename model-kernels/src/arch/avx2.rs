//! Linear layers on x86-64 with AVX2: eight sums of 32 bits are a vector. Of quantized layers `vpmaddwd` multiplies sixteen halfwords.
//!
//! All functions here may be called on any processor that the crate is built for, as this module is there only if that has AVX2.

use core::arch::x86_64::*;

use crate::Requantize;
use crate::quantized::Quantized;

pub(crate) mod depthwise;
pub(crate) mod float;
pub(crate) mod linear;

/// Adds to each sum the products of two pairs of halfwords. Where the processor has one instruction for it, LLVM takes that.
#[inline(always)]
fn add_products(sums: __m256i, a: __m256i, b: __m256i) -> __m256i {
    // SAFETY: the processor has AVX2.
    unsafe { _mm256_add_epi32(sums, _mm256_madd_epi16(a, b)) }
}

/// [`Requantize::apply`] of eight sums.
#[inline(always)]
pub(crate) fn requantize(requantize: Requantize, sums: __m256i, multipliers: __m256i) -> __m256i {
    let Requantize { left, shift, zero, low, high } = requantize;
    // SAFETY: the processor has AVX2.
    unsafe {
        let sums = _mm256_sll_epi32(sums, _mm_cvtsi32_si128(left as i32));
        // The instruction multiplies numbers at even places to products of 64 bits, of which the upper halves are taken.
        let even = _mm256_srli_epi64::<32>(_mm256_mul_epi32(sums, multipliers));
        let odd = _mm256_mul_epi32(_mm256_srli_epi64::<32>(sums), _mm256_srli_epi64::<32>(multipliers));
        let products = _mm256_blend_epi32::<0b1010_1010>(even, odd);
        let rounded = _mm256_add_epi32(products, _mm256_set1_epi32(1i32.wrapping_shl(shift.wrapping_sub(33))));
        let scaled = _mm256_sra_epi32(rounded, _mm_cvtsi32_si128(shift.wrapping_sub(32) as i32));
        let moved = _mm256_add_epi32(scaled, _mm256_set1_epi32(zero));
        _mm256_min_epi32(_mm256_max_epi32(moved, _mm256_set1_epi32(low)), _mm256_set1_epi32(high))
    }
}

/// The elements nearest to eight words.
#[inline(always)]
pub(crate) fn saturate<Y: Quantized>(words: __m256i) -> [Y; 8] {
    let signed = Y::LOWEST < Y::ZERO;
    // SAFETY: the processor has AVX2; only as many bytes are taken as a vector has, of which any are valid, as elements are plain integers.
    unsafe {
        let [low, high] = [_mm256_castsi256_si128(words), _mm256_extracti128_si256::<1>(words)];
        let halves = _mm_packs_epi32(low, high);
        match (size_of::<Y>(), signed) {
            (1, true) => core::mem::transmute_copy(&_mm_packs_epi16(halves, halves)),
            (1, false) => core::mem::transmute_copy(&_mm_packus_epi16(halves, halves)),
            (2, true) => core::mem::transmute_copy(&halves),
            (2, false) => core::mem::transmute_copy(&_mm_packus_epi32(low, high)),
            _ => self::words(words).map(Y::saturate),
        }
    }
}

/// The vector of eight words.
#[inline(always)]
fn vector(words: [i32; 8]) -> __m256i {
    // SAFETY: both are 32 bytes, of which any are valid.
    unsafe { core::mem::transmute(words) }
}

/// The eight words of a vector.
#[inline(always)]
pub(crate) fn words(vector: __m256i) -> [i32; 8] {
    // SAFETY: both are 32 bytes, of which any are valid.
    unsafe { core::mem::transmute(vector) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requantizes_and_saturates_as_one_by_one() {
        let sums = [i32::MIN, -8_388_608, -77_777, -1, 0, 1, 8_388_607, i32::MAX];
        let multipliers = [i32::MAX, 77_777_777, 1 << 30, 5, 0, 1 << 20, 1 << 30, i32::MAX];
        for (left, shift) in [(0, 33), (0, 34), (0, 47), (0, 62), (4, 33)] {
            for (low, high) in [(-90, 120), (i32::MIN, i32::MAX)] {
                let finish = Requantize { left, shift, zero: -5, low, high };
                let expected: [i32; 8] = core::array::from_fn(|i| finish.apply(sums[i], multipliers[i]));
                let vector = requantize(finish, vector(sums), vector(multipliers));
                assert_eq!(words(vector), expected, "{finish:?}");
                assert_eq!(saturate::<i8>(vector), expected.map(i8::saturate), "{finish:?}");
                assert_eq!(saturate::<u8>(vector), expected.map(u8::saturate), "{finish:?}");
                assert_eq!(saturate::<i16>(vector), expected.map(i16::saturate), "{finish:?}");
                assert_eq!(saturate::<u16>(vector), expected.map(u16::saturate), "{finish:?}");
            }
        }
    }
}
