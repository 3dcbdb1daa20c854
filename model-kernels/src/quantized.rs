//! The arithmetic of quantized tensors: 8- and 16-bit elements, sums of 32 bits, one rounding.
//!
//! An element `q` of a tensor with scale `s` and zero point `z` stands for `s · (q - z)`. A layer sums the products of elements
//! exactly, modulo 2^32, and [`Requantize`](crate::Requantize) makes an element of each sum. The zero point of what a layer reads is part of its
//! bias: `bias'[o] = bias[o] - z · Σ w[o]`. So all targets give the same bits, in whatever order they sum.
//!
//! The kernels are second methods of the structs that describe the shapes: [`Conv::quantized`](crate::Conv::quantized) and
//! others. Where targets want constant data in different orders, the compiler packs one for each
//! [`Packing`](crate::Packing), and [`pick`](crate::pick) chooses.

pub(crate) mod conv;
pub(crate) mod dense;
pub(crate) mod depthwise;
pub(crate) mod finish;
pub(crate) mod lines;
pub(crate) mod pack;
pub(crate) mod pool;
pub(crate) mod requantize;
pub(crate) mod softmax;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(not(any(avx2, dsp)))]
pub(crate) mod tile;

#[cfg(avx2)]
pub(crate) use crate::arch::avx2::linear as form;
#[cfg(dsp)]
pub(crate) use crate::arch::dsp as form;
#[cfg(not(any(avx2, dsp)))]
pub(crate) use tile as form;

use crate::Number;

/// An element of a quantized tensor: `i8`, `u8`, `i16` or `u16`.
pub trait Quantized: Number {
    /// What [`Quantized::to_i16`] subtracts: 32768 of `u16`, else 0. A zero point given to a kernel is less by as much.
    const OFFSET: i32;

    /// The element less [`Quantized::OFFSET`].
    fn to_i16(self) -> i16;

    /// The element nearest to `value`.
    fn saturate(value: i32) -> Self;
}

/// `quantized! { u16: 32768 }` makes `u16` an element whose offset is 32768.
macro_rules! quantized {
    ($($ty:ty: $offset:literal)*) => { $(
        impl Quantized for $ty {
            const OFFSET: i32 = $offset;

            #[inline(always)]
            fn to_i16(self) -> i16 {
                (self as i32 - $offset) as i16
            }

            #[inline(always)]
            fn saturate(value: i32) -> Self {
                value.clamp(<$ty>::MIN as i32, <$ty>::MAX as i32) as $ty
            }
        }
    )* };
}

quantized! { i8: 0 u8: 0 i16: 0 u16: 32768 }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_become_i16_and_saturate() {
        assert_eq!([0, 255].map(u8::to_i16), [0, 255]);
        assert_eq!([-128, 127].map(i8::to_i16), [-128, 127]);
        assert_eq!([0, 32768, 65535].map(u16::to_i16), [-32768, 0, 32767]);
        assert_eq!([-129, 5, 128].map(i8::saturate), [-128, 5, 127]);
        assert_eq!([-1, 5, 256].map(u8::saturate), [0, 5, 255]);
        assert_eq!([i32::MIN, i32::MAX].map(i16::saturate), [-32768, 32767]);
        assert_eq!([-1, 65536].map(u16::saturate), [0, 65535]);
    }
}
