//! The element types of linear kernels, and how each of them sums products.

use core::cell::Cell;

use crate::{Load, tile};

/// Arithmetic of one type. Products and sums round separately.
pub trait Arithmetic: Copy + PartialOrd + sealed::Sealed {
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;

    /// self + other
    fn add(self, other: Self) -> Self;
    /// self · other
    fn mul(self, other: Self) -> Self;
    /// self / other
    fn div(self, other: Self) -> Self;
    /// |self|
    fn abs(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// self to the power `other`.
    fn pow(self, other: Self) -> Self;
    /// The number nearest to a count.
    fn from_usize(count: usize) -> Self;
}

/// A type in which products are summed.
pub trait Accumulate: Arithmetic {
    /// `y[p · stride + o] = bias[o] + Σ inputs[k][p] · weights[k][o]`, summed in the order of `k`; no bias is zero.
    ///
    /// Nothing is written if `y` is too short.
    #[inline(always)]
    fn tile<X, W, B, const P: usize, const N: usize>(
        inputs: &[[X; P]],
        weights: &[[W; N]],
        bias: Option<&[B; N]>,
        y: &[Cell<Self>],
        stride: usize,
    ) where
        X: Load<Value = Self>,
        W: Load<Value = Self>,
        B: Load<Value = Self>,
    {
        tile::tile(inputs, weights, bias, y, stride);
    }
}

mod sealed {
    pub trait Sealed {}
}

/// `floats! { f32: fabsf sqrtf powf }` implements `Arithmetic` for `f32` with those functions of `libm`.
macro_rules! floats {
    ($($ty:ty: $abs:ident $sqrt:ident $pow:ident)*) => { $(
        impl sealed::Sealed for $ty {}

        impl Arithmetic for $ty {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;

            #[inline(always)]
            fn add(self, other: Self) -> Self { self + other }
            #[inline(always)]
            fn mul(self, other: Self) -> Self { self * other }
            #[inline(always)]
            fn div(self, other: Self) -> Self { self / other }
            #[inline(always)]
            fn abs(self) -> Self { libm::$abs(self) }
            #[inline(always)]
            fn sqrt(self) -> Self { libm::$sqrt(self) }
            #[inline(always)]
            fn pow(self, other: Self) -> Self { libm::$pow(self, other) }
            #[inline(always)]
            fn from_usize(count: usize) -> Self { count as Self }
        }
    )* };
}

floats! {
    f32: fabsf sqrtf powf
    f64: fabs sqrt pow
}

impl Accumulate for f64 {}

impl Accumulate for f32 {}
