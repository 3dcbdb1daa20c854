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
    /// self / 2^distance rounded down; 0, or −1 of what is negative, where the distance is negative, or no less than the width of
    /// the type.
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
                let all = if self < Self::ZERO { !0 } else { 0 };
                u32::try_from(distance).ok().and_then(|distance| self.checked_shr(distance)).unwrap_or(all)
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
