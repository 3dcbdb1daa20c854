//! What becomes of the sums of a quantized linear layer.

#[cfg(avx2)]
use core::arch::x86_64::__m256i;
use core::marker::PhantomData;

use crate::Requantize;
#[cfg(avx2)]
use crate::arch::avx2;
use crate::quantized::Quantized;

/// What becomes of finished sums.
pub(crate) trait Finish: Copy {
    /// The element type of `y`.
    type Output: Copy;

    /// The element for a sum.
    fn finish(self, sum: i32, multiplier: i32) -> Self::Output;

    /// The elements for eight sums.
    #[cfg(avx2)]
    fn eight(self, sums: __m256i, multipliers: __m256i) -> [Self::Output; 8];

    /// How sums are requantized, if they are.
    #[cfg(dsp)]
    fn requantize(self) -> Option<Requantize> {
        None
    }

    /// What the sums become, if it is what layers do most.
    #[cfg(dsp)]
    fn fused(self) -> Option<Fused> {
        None
    }
}

/// Sums that become elements of 8 bits by a shift of 33, clipped to their type, with this zero point.
#[cfg(dsp)]
pub(crate) enum Fused {
    I8(i32),
    U8(i32),
}

/// The sum itself.
#[derive(Clone, Copy)]
pub(crate) struct Sums;

impl Finish for Sums {
    type Output = i32;

    #[inline(always)]
    fn finish(self, sum: i32, _: i32) -> i32 {
        sum
    }

    #[cfg(avx2)]
    #[inline(always)]
    fn eight(self, sums: __m256i, _: __m256i) -> [i32; 8] {
        avx2::words(sums)
    }
}

/// The requantized sum.
#[derive(Clone, Copy)]
pub(crate) struct Requantized<Y>(pub(crate) Requantize, pub(crate) PhantomData<Y>);

impl<Y: Quantized> Finish for Requantized<Y> {
    type Output = Y;

    #[inline(always)]
    fn finish(self, sum: i32, multiplier: i32) -> Y {
        self.0.element(sum, multiplier)
    }

    #[cfg(avx2)]
    #[inline(always)]
    fn eight(self, sums: __m256i, multipliers: __m256i) -> [Y; 8] {
        avx2::saturate(avx2::requantize(self.0, sums, multipliers))
    }

    #[cfg(dsp)]
    #[inline(always)]
    fn requantize(self) -> Option<Requantize> {
        Some(self.0)
    }

    #[cfg(dsp)]
    #[inline(always)]
    fn fused(self) -> Option<Fused> {
        if size_of::<Y>() != 1 {
            return None;
        }
        match self.0 {
            Requantize { left: 0, shift: 33, zero, low: -128, high: 127 } if Y::LOWEST < Y::ZERO => Some(Fused::I8(zero)),
            Requantize { left: 0, shift: 33, zero, low: 0, high: 255 } if Y::LOWEST == Y::ZERO => Some(Fused::U8(zero)),
            _ => None,
        }
    }
}
