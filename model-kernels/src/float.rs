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

/// `functions! { exp: expf exp, "…"; }` writes the method `Functions::exp` and the function `exp`, by `libm`'s for f32 and f64.
macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident: $single:ident $double:ident;)*) => {
        /// The functions of this file as methods.
        pub trait Functions { $( $(#[$doc])* fn $name(self) -> Self; )* }

        impl Functions for f32 { $( #[inline(always)] fn $name(self) -> Self { libm::$single(self) } )* }
        impl Functions for f64 { $( #[inline(always)] fn $name(self) -> Self { libm::$double(self) } )* }
        impl Functions for f16 {
            $( #[inline(always)] fn $name(self) -> Self { Self::from_f32(libm::$single(self.to_f32())) } )*
        }
        impl Functions for bf16 {
            $( #[inline(always)] fn $name(self) -> Self { Self::from_f32(libm::$single(self.to_f32())) } )*
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
    /// exp(x) − 1 within 1 ULP, where exp(x) is near 1 too.
    exp_m1: expm1f expm1;
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

    /// A function of f32, the same of f64 by the standard library, how many ULP it may be off, and where it is tried.
    type Case = (&'static str, fn(f32) -> f32, fn(f64) -> f64, f64, [f32; 2]);

    const CASES: &[Case] = &[
        ("ceil", ceil, f64::ceil, 0.0, [-9.0, 9.0]),
        ("floor", floor, f64::floor, 0.0, [-9.0, 9.0]),
        ("round", round, f64::round_ties_even, 0.0, [-9.0, 9.0]),
        ("sqrt", sqrt, f64::sqrt, 0.5, [0.0, 1e6]),
        ("exp", exp, f64::exp, 1.0, [-87.0, 88.0]),
        ("exp_m1", exp_m1, f64::exp_m1, 1.0, [-20.0, 88.0]),
        ("log", log, f64::ln, 1.0, [1e-6, 100.0]),
        ("log_1p", log_1p, f64::ln_1p, 1.0, [-0.999, 9.0]),
        ("sin", sin, f64::sin, 1.0, [-99.0, 99.0]),
        ("cos", cos, f64::cos, 1.0, [-99.0, 99.0]),
        ("tan", tan, f64::tan, 1.0, [-99.0, 99.0]),
        ("asin", asin, f64::asin, 1.0, [-1.0, 1.0]),
        ("acos", acos, f64::acos, 1.0, [-1.0, 1.0]),
        ("atan", atan, f64::atan, 1.0, [-99.0, 99.0]),
        ("sinh", sinh, f64::sinh, 2.0, [-88.0, 88.0]),
        ("cosh", cosh, f64::cosh, 2.0, [-88.0, 88.0]),
        ("tanh", tanh, f64::tanh, 2.0, [-9.0, 9.0]),
        ("asinh", asinh, f64::asinh, 2.0, [-99.0, 99.0]),
        ("acosh", acosh, f64::acosh, 2.0, [1.0, 99.0]),
        ("atanh", atanh, f64::atanh, 2.0, [-0.999, 0.999]),
        // The standard library has no error function.
        ("erf", erf, libm::erf, 1.0, [-5.0, 5.0]),
    ];

    /// The distance of `y` from `exact`, in units of the last place that `exact` has as an f32.
    fn ulps(y: f32, exact: f64) -> f64 {
        let nearest = (exact as f32).abs();
        let unit = f64::from(f32::from_bits(nearest.to_bits() + 1)) - f64::from(nearest);
        (f64::from(y) - exact).abs() / unit
    }

    #[test]
    fn every_function_is_as_accurate_as_it_says() {
        const STEPS: u32 = 40_000;
        for (name, function, exact, limit, [from, to]) in CASES {
            for step in 0..=STEPS {
                let x = from + (to - from) * (step as f32 / STEPS as f32);
                let y = function(x);
                let error = ulps(y, exact(f64::from(x)));
                assert!(error <= *limit, "{name}({x}) = {y} is off by {error} ULP");
            }
        }
    }

    #[test]
    fn f64_is_computed_in_f64() {
        let (x, y) = (0.7, 1.7);
        let close = |a: f64, b: f64| (a - b).abs() <= 2.0 * f64::EPSILON * b.abs();
        assert!(close(exp(x), x.exp()) && close(log(x), x.ln()) && close(sin(x), x.sin()) && close(tanh(x), x.tanh()));
        assert!(close(acosh(y), y.acosh()) && close(atan(y), y.atan()) && close(sqrt(y), y.sqrt()));
    }

    #[test]
    fn halves_round_the_result_of_f32() {
        let x = f16::from_f32(1.5);
        assert_eq!(exp(x), f16::from_f32(4.481689));
        assert_eq!(exp(bf16::from_f32(1.5)), bf16::from_f32(4.481689));
        assert_eq!(round(f16::from_f32(2.5)), f16::from_f32(2.0));
        assert_eq!(x * x + x, f16::from_f32(3.75));
    }

    #[test]
    fn what_has_no_result_is_nan() {
        let undefined = [sqrt(-1.0), log(-1.0), log_1p(-2.0), asin(1.1), acos(-1.1), acosh(0.9), atanh(1.1f32)];
        assert!(undefined.iter().all(|y| y.is_nan()), "{undefined:?}");
    }
}
