//! Floats, and the functions of one float that `libm` computes: the same bits on every target.

use core::ops::{Add, Div, Mul, Neg, Sub};

use half::{bf16, f16};

use crate::number::{CastTo, Number};

/// A float: `f32`, `f64`, `f16` or `bf16`, with the operators of Rust.
///
/// `f16` and `bf16` compute every operation in `f32` and round its result.
pub trait Float:
    Number
    + Functions
    + CastTo<i32>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The number nearest to a constant of a formula.
    fn of(constant: f64) -> Self;
}

/// `floats! { f32 }` makes `f32` a float.
macro_rules! floats {
    ($($ty:ty)*) => { $(
        impl Float for $ty {
            #[inline(always)]
            fn of(constant: f64) -> Self {
                constant.cast()
            }
        }
    )* };
}

floats! { f32 f64 f16 bf16 }

/// The functions of `libm`, one of them mended.
mod math {
    pub(super) use libm::*;

    /// `libm`'s gives numbers for many x below 1.
    #[inline(always)]
    pub(super) fn acoshf(x: f32) -> f32 {
        if x < 1.0 { f32::NAN } else { libm::acoshf(x) }
    }

    /// As [`acoshf`].
    #[inline(always)]
    pub(super) fn acosh(x: f64) -> f64 {
        if x < 1.0 { f64::NAN } else { libm::acosh(x) }
    }
}

/// `functions! { exp: expf exp, "…"; }` writes the method `Functions::exp` and the function `exp`, by `libm`'s for f32 and f64.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident: $single:ident $double:ident;)*) => {
        /// The functions of this file as methods.
        pub trait Functions { $( $(#[$doc])* fn $name(self) -> Self; )* }

        impl Functions for f32 { $( #[inline(always)] fn $name(self) -> Self { math::$single(self) } )* }
        impl Functions for f64 { $( #[inline(always)] fn $name(self) -> Self { math::$double(self) } )* }
        impl Functions for f16 {
            $( #[inline(always)] fn $name(self) -> Self { Self::from_f32(math::$single(self.to_f32())) } )*
        }
        impl Functions for bf16 {
            $( #[inline(always)] fn $name(self) -> Self { Self::from_f32(math::$single(self.to_f32())) } )*
        }

        $( $(#[$doc])* #[inline(always)] pub fn $name<T: Float>(x: T) -> T { x.$name() } )*
    };
}

functions! {
    /// `Ceil`: the nearest integer that is not below, exact.
    ceil: ceilf ceil;
    /// `Floor`: the nearest integer that is not above, exact.
    floor: floorf floor;
    /// `Round`: the nearest integer, the even one of two; exact.
    round: rintf rint;
    /// `Sqrt`: correctly rounded; NaN below zero.
    sqrt: sqrtf sqrt;
    /// `Exp`: within 1 ULP.
    exp: expf exp;
    /// `Log`: the natural logarithm within 1 ULP; NaN below zero.
    log: logf log;
    /// log(1 + x) within 1 ULP; NaN below −1.
    log_1p: log1pf log1p;
    /// `Sin`: of radians, within 1 ULP.
    sin: sinf sin;
    /// `Cos`: of radians, within 1 ULP.
    cos: cosf cos;
    /// `Tan`: of radians, within 1 ULP.
    tan: tanf tan;
    /// `Asin`: from −π/2 to π/2, within 1 ULP; NaN outside of −1 to 1.
    asin: asinf asin;
    /// `Acos`: from 0 to π, within 1 ULP; NaN outside of −1 to 1.
    acos: acosf acos;
    /// `Atan`: from −π/2 to π/2, within 1 ULP.
    atan: atanf atan;
    /// `Sinh`: within 2 ULP.
    sinh: sinhf sinh;
    /// `Cosh`: within 2 ULP.
    cosh: coshf cosh;
    /// `Tanh`: within 2 ULP.
    tanh: tanhf tanh;
    /// `Asinh`: within 2 ULP.
    asinh: asinhf asinh;
    /// `Acosh`: within 2 ULP; NaN below 1.
    acosh: acoshf acosh;
    /// `Atanh`: within 2 ULP; NaN outside of −1 to 1.
    atanh: atanhf atanh;
    /// `Erf`: 2/√π · ∫ e^−t² dt from 0 to x, within 1 ULP.
    erf: erff erf;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acosh_is_no_number_below_one() {
        for x in [0.99, 0.0, -1.0, -1.5, -100.0, -1e30, f32::NEG_INFINITY] {
            assert!(acosh(x).is_nan(), "{x}");
            assert!(acosh(f64::from(x)).is_nan(), "{x}");
        }
        assert_eq!(acosh(1.0f32), 0.0);
        assert_eq!(acosh(f64::INFINITY), f64::INFINITY);
    }
}
