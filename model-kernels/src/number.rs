//! What arithmetic asks of an element type: [`Number`] of all of them, [`Integer`] of some, and [`CastTo`]
//! from each to each.
//!
//! `f16` and `bf16` compute every operation in `f32` and round its result. Booleans are `u8`: written 0 or 1, and any non-zero
//! reads as true.

use core::ops::{BitAnd, BitOr, BitXor, Not};
use half::{bf16, f16};

mod sealed {
    pub trait Sealed {}
}

/// An element type of a tensor, with arithmetic that never panics.
///
/// Integers wrap around. Floats follow IEEE 754.
pub trait Number: Copy + PartialOrd + sealed::Sealed + 'static {
    /// What sums over many elements are kept in: `f32` for `f16` and `bf16`, else the type itself.
    type Sum: Number<Sum = Self::Sum>;
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// What is below all else: minus infinity of floats.
    const LOWEST: Self;
    /// What is above all else: infinity of floats.
    const HIGHEST: Self;

    /// self + other
    fn add(self, other: Self) -> Self;
    /// self − other
    fn sub(self, other: Self) -> Self;
    /// self · other
    fn mul(self, other: Self) -> Self;
    /// self / other; integers truncate towards zero, and give 0 where `other` is 0.
    fn div(self, other: Self) -> Self;
    /// self − truncated(self / other) · other, with the sign of `self`; integers give 0 where `other` is 0.
    fn rem(self, other: Self) -> Self;
    /// self to the power `other`.
    fn pow(self, other: Self) -> Self;
    /// −self; unsigned integers and the lowest signed one wrap around.
    fn neg(self) -> Self;
    /// |self|; the lowest signed integer stays what it is.
    fn abs(self) -> Self;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// The number nearest to a count.
    fn from_usize(count: usize) -> Self;
    /// The same value as a `Sum`.
    fn widen(self) -> Self::Sum;
    /// The nearest value to a `Sum`.
    fn narrow(sum: Self::Sum) -> Self;
}

/// An integer: `i8` to `i64` and `u8` to `u64`.
pub trait Integer:
    Number<Sum = Self> + Eq + Ord + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> + Not<Output = Self>
{
    /// self · 2^distance; 0 where the distance is negative, or no less than the width of the type.
    fn shift_left(self, distance: Self) -> Self;
    /// self / 2^distance; 0 where the distance is negative, or no less than the width of the type.
    fn shift_right(self, distance: Self) -> Self;
}

/// `integers! { i8 i16 }` makes `i8` and `i16` numbers.
macro_rules! integers {
    ($($ty:ty)*) => { $(
        impl sealed::Sealed for $ty {}

        impl Number for $ty {
            type Sum = Self;
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const LOWEST: Self = <$ty>::MIN;
            const HIGHEST: Self = <$ty>::MAX;

            #[inline(always)]
            fn add(self, other: Self) -> Self { self.wrapping_add(other) }
            #[inline(always)]
            fn sub(self, other: Self) -> Self { self.wrapping_sub(other) }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { self.wrapping_mul(other) }
            #[inline(always)]
            fn div(self, other: Self) -> Self { if other == 0 { 0 } else { self.wrapping_div(other) } }
            #[inline(always)]
            fn rem(self, other: Self) -> Self { if other == 0 { 0 } else { self.wrapping_rem(other) } }
            #[inline(always)]
            fn pow(self, other: Self) -> Self { integer_power(self, other) }
            #[inline(always)]
            fn neg(self) -> Self { self.wrapping_neg() }
            #[inline(always)]
            fn abs(self) -> Self { if self < Self::ZERO { self.wrapping_neg() } else { self } }
            #[inline(always)]
            fn is_nan(self) -> bool { false }
            #[inline(always)]
            fn from_usize(count: usize) -> Self { count as $ty }
            #[inline(always)]
            fn widen(self) -> Self { self }
            #[inline(always)]
            fn narrow(sum: Self) -> Self { sum }
        }

        impl Integer for $ty {
            #[inline(always)]
            fn shift_left(self, distance: Self) -> Self {
                u32::try_from(distance).ok().and_then(|distance| self.checked_shl(distance)).unwrap_or(0)
            }
            #[inline(always)]
            fn shift_right(self, distance: Self) -> Self {
                u32::try_from(distance).ok().and_then(|distance| self.checked_shr(distance)).unwrap_or(0)
            }
        }
    )* };
}

integers! { i8 i16 i32 i64 u8 u16 u32 u64 }

/// x to the power y, modulo the width of the type. For negative y it is the truncated reciprocal: 0 unless x is 1 or −1.
fn integer_power<T: Integer>(x: T, y: T) -> T {
    let is_unit = x == T::ONE || x == T::ONE.neg();
    let mut rest = match y < T::ZERO {
        true if !is_unit => return T::ZERO,
        true => y & T::ONE,
        false => y,
    };
    let (mut square, mut power) = (x, T::ONE);
    while rest > T::ZERO {
        if rest & T::ONE == T::ONE {
            power = power.mul(square);
        }
        square = square.mul(square);
        rest = rest.shift_right(T::ONE);
    }
    power
}

/// `floats! { f32, 0.0, 1.0, sums f32: powf; }` makes `f32` a number whose sums are `f32`, with this power function of `libm`.
macro_rules! floats {
    ($($ty:ty, $zero:expr, $one:expr, sums $sum:ty: $pow:ident;)*) => { $(
        impl sealed::Sealed for $ty {}

        impl Number for $ty {
            type Sum = $sum;
            const ZERO: Self = $zero;
            const ONE: Self = $one;
            const LOWEST: Self = <$ty>::NEG_INFINITY;
            const HIGHEST: Self = <$ty>::INFINITY;

            #[inline(always)]
            fn add(self, other: Self) -> Self { self + other }
            #[inline(always)]
            fn sub(self, other: Self) -> Self { self - other }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { self * other }
            #[inline(always)]
            fn div(self, other: Self) -> Self { self / other }
            #[inline(always)]
            fn rem(self, other: Self) -> Self { self % other }
            #[inline(always)]
            fn pow(self, other: Self) -> Self { Self::narrow(libm::$pow(self.widen(), other.widen())) }
            #[inline(always)]
            fn neg(self) -> Self { -self }
            #[inline(always)]
            fn abs(self) -> Self { self.copysign(Self::ONE) }
            #[inline(always)]
            fn is_nan(self) -> bool { <$ty>::is_nan(self) }
            #[inline(always)]
            fn from_usize(count: usize) -> Self { (count as u32).cast() }
            #[inline(always)]
            fn widen(self) -> $sum { self.cast() }
            #[inline(always)]
            fn narrow(sum: $sum) -> Self { sum.cast() }
        }
    )* };
}

floats! {
    f32, 0.0, 1.0, sums f32: powf;
    f64, 0.0, 1.0, sums f64: pow;
    f16, f16::ZERO, f16::ONE, sums f32: powf;
    bf16, bf16::ZERO, bf16::ONE, sums f32: powf;
}

/// An element type that can be made a `T`, as Rust's `as` does it.
///
/// Integers keep their low bits. Floats lose their fraction and saturate when they become integers, and NaN becomes 0; else
/// they are rounded to the nearest, the even one of two. `f16` and `bf16` are made from and become `f32`.
pub trait CastTo<T> {
    /// The same value in the other type, as near as it has it.
    fn cast(self) -> T;
}

/// `casts! { i8 to i16 f32 }` casts `i8` to `i16`, `f32` and the halves.
macro_rules! casts {
    ($($from:ty: $($to:ty)*;)*) => { $(
        $(
            impl CastTo<$to> for $from {
                #[inline(always)]
                fn cast(self) -> $to { self as $to }
            }
        )*

        impl CastTo<f16> for $from {
            #[inline(always)]
            fn cast(self) -> f16 { f16::from_f32(self as f32) }
        }

        impl CastTo<bf16> for $from {
            #[inline(always)]
            fn cast(self) -> bf16 { bf16::from_f32(self as f32) }
        }
    )* };
}

casts! {
    i8: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    i16: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    i32: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    i64: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    u8: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    u16: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    u32: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    u64: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    f32: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
    f64: i8 i16 i32 i64 u8 u16 u32 u64 f32 f64;
}

impl<T> CastTo<T> for f16
where
    f32: CastTo<T>,
{
    #[inline(always)]
    fn cast(self) -> T {
        self.to_f32().cast()
    }
}

impl<T> CastTo<T> for bf16
where
    f32: CastTo<T>,
{
    #[inline(always)]
    fn cast(self) -> T {
        self.to_f32().cast()
    }
}

#[cfg(test)]
mod tests {
    use core::fmt::Debug;

    use super::*;

    #[test]
    fn integers_never_panic() {
        for x in i8::MIN..=i8::MAX {
            for y in i8::MIN..=i8::MAX {
                let (a, b) = (i32::from(x), i32::from(y));
                assert_eq!((x.add(y), x.sub(y), x.mul(y)), ((a + b) as i8, (a - b) as i8, (a * b) as i8));
                let (quotient, rest) = if b == 0 { (0, 0) } else { ((a / b) as i8, (a % b) as i8) };
                assert_eq!((x.div(y), x.rem(y)), (quotient, rest), "{x} by {y}");
                let shifted = |shifted: i32| if (0..8).contains(&b) { shifted as i8 } else { 0 };
                assert_eq!(x.shift_left(y), shifted(a << (b & 7)), "{x} << {y}");
                assert_eq!(x.shift_right(y), shifted(a >> (b & 7)), "{x} >> {y}");
            }
            assert_eq!((Number::neg(x), Number::abs(x)), (x.wrapping_neg(), x.wrapping_abs()));
        }
        assert_eq!((Number::neg(1u8), Number::abs(200u8)), (255, 200));
    }

    #[test]
    fn integer_powers_are_repeated_products() {
        for x in i8::MIN..=i8::MAX {
            let mut product = 1i8;
            for y in 0..=i8::MAX {
                assert_eq!(Number::pow(x, y), product, "{x} to the {y}");
                product = product.wrapping_mul(x);
            }
        }
        assert_eq!([-3, -2, -1, 0, 1, 2].map(|x| Number::pow(x, -3)), [0, 0, -1, 0, 1, 0]);
        assert_eq!([-1, 1, 2, 127].map(|x: i8| Number::pow(x, i8::MIN)), [1, 1, 0, 0]);
        assert_eq!(Number::pow(3u64, 40), 12157665459056928801);
    }

    fn check<T: CastTo<U> + Copy + Debug, U: PartialEq + Debug>(cases: &[(T, U)]) {
        for (from, to) in cases {
            assert_eq!((*from).cast(), *to, "{from:?}");
        }
    }

    #[test]
    fn casts_to_integers_keep_low_bits_or_saturate() {
        check::<i32, i8>(&[(127, 127), (128, -128), (-1, -1), (0x1234_5678, 0x78)]);
        check::<i8, u64>(&[(-1, u64::MAX), (5, 5)]);
        check::<f32, i8>(&[(1.9, 1), (-1.9, -1), (300.0, 127), (-300.0, -128), (f32::NAN, 0), (f32::INFINITY, 127)]);
        check::<f64, u8>(&[(-0.5, 0), (-5.0, 0), (255.9, 255), (f64::INFINITY, 255)]);
        check::<f16, i64>(&[(f16::from_f32(-7.75), -7), (f16::INFINITY, i64::MAX)]);
        check::<bf16, u16>(&[(bf16::from_f32(7.75), 7)]);
    }

    #[test]
    fn casts_to_floats_round_to_the_nearest() {
        check::<i32, f32>(&[(16_777_217, 16_777_216.0), (-3, -3.0)]);
        check::<u64, f64>(&[(u64::MAX, 18_446_744_073_709_551_616.0)]);
        check::<f64, f32>(&[(1e300, f32::INFINITY), (0.1, 0.1)]);
        check::<f32, f64>(&[(0.1, 0.10000000149011612)]);
        check::<f32, f16>(&[(65_520.0, f16::INFINITY), (1.000_488_3, f16::ONE), (0.1, f16::from_bits(0x2e66))]);
        check::<i64, f16>(&[(2049, f16::from_f32(2048.0)), (2051, f16::from_f32(2052.0))]);
        check::<f64, bf16>(&[(3.0, bf16::from_bits(0x4040))]);
        check::<f16, bf16>(&[(f16::from_f32(0.1), bf16::from_f32(0.099_975_586))]);
    }

    #[test]
    fn sums_are_wide() {
        assert_eq!(f16::narrow(f16::from_f32(1.5).widen().add(2049.0)), f16::from_f32(2050.5));
        assert_eq!((bf16::from_usize(3), i64::from_usize(7), f64::from_usize(7)), (bf16::from_f32(3.0), 7, 7.0));
    }
}
