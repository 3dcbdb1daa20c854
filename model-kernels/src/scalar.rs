//! The elementwise operators of ONNX as functions of single elements: <https://onnx.ai/onnx/operators/>, by the operator's name.
//!
//! Attributes are `f32`, as in the file. Functions that ask or combine booleans take and give `u8`: 0 is false, 1 is written for
//! true, and any non-zero reads as true. Accuracy is that of the formula in the element's type, with `libm`'s functions
//! (see [`float`](crate::float)). NaN gives NaN where nothing else is said.

use crate::float::Float;
use crate::number::{CastTo, Integer, Number};

/// `Abs`: |x|; the lowest signed integer stays what it is.
#[inline(always)]
pub fn abs<T: Number>(x: T) -> T {
    x.abs()
}

/// `Neg`: −x; the lowest signed integer stays what it is.
#[inline(always)]
pub fn neg<T: Number>(x: T) -> T {
    x.neg()
}

/// `Sign`: −1, 0 or 1.
#[inline(always)]
pub fn sign<T: Number>(x: T) -> T {
    if x > T::ZERO {
        return T::ONE;
    }
    if x < T::ZERO { T::ONE.neg() } else { x }
}

/// `Reciprocal`: 1 / x.
#[inline(always)]
pub fn reciprocal<T: Float>(x: T) -> T {
    T::ONE / x
}

/// `Relu`: max(x, 0); −0 stays −0.
#[inline(always)]
pub fn relu<T: Number>(x: T) -> T {
    if x < T::ZERO { T::ZERO } else { x }
}

/// `Clip`: min(max(x, min), max).
#[inline(always)]
pub fn clip<T: Number>(x: T, min: T, max: T) -> T {
    let x = if x < min { min } else { x };
    if x > max { max } else { x }
}

/// `LeakyRelu`: alpha · x below zero, else x.
#[inline(always)]
pub fn leaky_relu<T: Float>(x: T, alpha: f32) -> T {
    if x < T::ZERO { T::of(alpha.into()) * x } else { x }
}

/// `PRelu`: slope · x below zero, else x.
#[inline(always)]
pub fn prelu<T: Number>(x: T, slope: T) -> T {
    if x < T::ZERO { slope.mul(x) } else { x }
}

/// `ThresholdedRelu`: x above alpha, else 0.
#[inline(always)]
pub fn thresholded_relu<T: Float>(x: T, alpha: f32) -> T {
    if x <= T::of(alpha.into()) { T::ZERO } else { x }
}

/// `Elu`: alpha · (exp(x) − 1) below zero, else x.
#[inline(always)]
pub fn elu<T: Float>(x: T, alpha: f32) -> T {
    if x < T::ZERO { T::of(alpha.into()) * x.exp_m1() } else { x }
}

/// `Selu`: gamma · alpha · (exp(x) − 1) below zero, else gamma · x.
#[inline(always)]
pub fn selu<T: Float>(x: T, alpha: f32, gamma: f32) -> T {
    T::of(gamma.into()) * elu(x, alpha)
}

/// `Celu`: alpha · (exp(x / alpha) − 1) below zero, else x.
#[inline(always)]
pub fn celu<T: Float>(x: T, alpha: f32) -> T {
    let alpha = T::of(alpha.into());
    if x < T::ZERO { alpha * (x / alpha).exp_m1() } else { x }
}

/// `Sigmoid`: 1 / (1 + exp(−x)).
#[inline(always)]
pub fn sigmoid<T: Float>(x: T) -> T {
    T::ONE / (T::ONE + (-x).exp())
}

/// `HardSigmoid`: alpha · x + beta, clipped to 0 and 1.
#[inline(always)]
pub fn hard_sigmoid<T: Float>(x: T, alpha: f32, beta: f32) -> T {
    clip(T::of(alpha.into()) * x + T::of(beta.into()), T::ZERO, T::ONE)
}

/// `HardSwish`: x · (x / 6 + 1/2, clipped to 0 and 1).
#[inline(always)]
pub fn hard_swish<T: Float>(x: T) -> T {
    x * clip(T::of(1.0 / 6.0) * x + T::of(0.5), T::ZERO, T::ONE)
}

/// `Softplus`: log(1 + exp(x)), computed from exp(−|x|) so that it does not overflow.
#[inline(always)]
pub fn softplus<T: Float>(x: T) -> T {
    relu(x) + (-x.abs()).exp().log_1p()
}

/// `Softsign`: x / (1 + |x|).
#[inline(always)]
pub fn softsign<T: Float>(x: T) -> T {
    x / (T::ONE + x.abs())
}

/// `Gelu`: x/2 · (1 + erf(x / √2)).
#[inline(always)]
pub fn gelu<T: Float>(x: T) -> T {
    T::of(0.5) * x * (T::ONE + (x * T::of(core::f64::consts::FRAC_1_SQRT_2)).erf())
}

/// `Gelu` with `approximate = "tanh"`: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))).
#[inline(always)]
pub fn gelu_tanh<T: Float>(x: T) -> T {
    let root = T::of(core::f64::consts::FRAC_2_SQRT_PI * core::f64::consts::FRAC_1_SQRT_2);
    T::of(0.5) * x * (T::ONE + (root * (x + T::of(0.044715) * x * x * x)).tanh())
}

/// `Mish`: x · tanh(softplus(x)).
#[inline(always)]
pub fn mish<T: Float>(x: T) -> T {
    x * softplus(x).tanh()
}

/// `Swish`: x · sigmoid(alpha · x).
#[inline(always)]
pub fn swish<T: Float>(x: T, alpha: f32) -> T {
    x * sigmoid(T::of(alpha.into()) * x)
}

/// `Shrink`: x + bias below −lambd, x − bias above lambd, else 0.
#[inline(always)]
pub fn shrink<T: Float>(x: T, lambd: f32, bias: f32) -> T {
    let (lambd, bias) = (T::of(lambd.into()), T::of(bias.into()));
    if x < -lambd {
        return x + bias;
    }
    if x <= lambd { T::ZERO } else { x - bias }
}

/// `IsNaN`: whether x is not a number.
#[inline(always)]
pub fn is_nan<T: Float>(x: T) -> u8 {
    x.is_nan().into()
}

/// `IsInf`: whether x is infinity and `positive` is set, or minus infinity and `negative` is set.
#[inline(always)]
pub fn is_inf<T: Float>(x: T, negative: bool, positive: bool) -> u8 {
    (negative && x == T::LOWEST || positive && x == T::HIGHEST).into()
}

/// `Add`: a + b.
#[inline(always)]
pub fn add<T: Number>(a: T, b: T) -> T {
    a.add(b)
}

/// `Sub`: a − b.
#[inline(always)]
pub fn sub<T: Number>(a: T, b: T) -> T {
    a.sub(b)
}

/// `Mul`: a · b.
#[inline(always)]
pub fn mul<T: Number>(a: T, b: T) -> T {
    a.mul(b)
}

/// `Div`: a / b; integers truncate towards zero, and give 0 where b is 0.
#[inline(always)]
pub fn div<T: Number>(a: T, b: T) -> T {
    a.div(b)
}

/// `Mod`: the rest of a / b rounded down, which has the sign of b; integers give 0 where b is 0.
#[inline(always)]
pub fn modulo<T: Number>(a: T, b: T) -> T {
    let rest = a.rem(b);
    let opposite = (rest < T::ZERO && b > T::ZERO) || (rest > T::ZERO && b < T::ZERO);
    if opposite { rest.add(b) } else { rest }
}

/// `Mod` with `fmod = 1`: the rest of a / b rounded towards zero, which has the sign of a; integers give 0 where b is 0.
#[inline(always)]
pub fn fmod<T: Number>(a: T, b: T) -> T {
    a.rem(b)
}

/// `Pow`: x to the power y, within 1 ULP. Squares and cubes are products.
///
/// An integer to a negative power is the truncated reciprocal. Of other types cast y, or where x is an integer and y a float,
/// cast x to the float's type and the result back.
#[inline(always)]
pub fn pow<T: Number>(x: T, y: T) -> T {
    let two = T::ONE.add(T::ONE);
    if y == two {
        return x.mul(x);
    }
    if y == two.add(T::ONE) { x.mul(x).mul(x) } else { x.pow(y) }
}

/// `Min`: the lesser of a and b; NaN if either is.
#[inline(always)]
pub fn min<T: Number>(a: T, b: T) -> T {
    if a < b || a.is_nan() { a } else { b }
}

/// `Max`: the greater of a and b; NaN if either is.
#[inline(always)]
pub fn max<T: Number>(a: T, b: T) -> T {
    if a > b || a.is_nan() { a } else { b }
}

/// `Equal`: a = b; false if either is NaN.
#[inline(always)]
pub fn equal<T: Number>(a: T, b: T) -> u8 {
    (a == b).into()
}

/// `Less`: a < b; false if either is NaN.
#[inline(always)]
pub fn less<T: Number>(a: T, b: T) -> u8 {
    (a < b).into()
}

/// `LessOrEqual`: a ≤ b; false if either is NaN.
#[inline(always)]
pub fn less_or_equal<T: Number>(a: T, b: T) -> u8 {
    (a <= b).into()
}

/// `Greater`: a > b; false if either is NaN.
#[inline(always)]
pub fn greater<T: Number>(a: T, b: T) -> u8 {
    (a > b).into()
}

/// `GreaterOrEqual`: a ≥ b; false if either is NaN.
#[inline(always)]
pub fn greater_or_equal<T: Number>(a: T, b: T) -> u8 {
    (a >= b).into()
}

/// `Not`: whether x is false.
#[inline(always)]
pub fn not(x: u8) -> u8 {
    (x == 0).into()
}

/// `And`: whether both are true.
#[inline(always)]
pub fn and(a: u8, b: u8) -> u8 {
    (a != 0 && b != 0).into()
}

/// `Or`: whether one is true.
#[inline(always)]
pub fn or(a: u8, b: u8) -> u8 {
    (a != 0 || b != 0).into()
}

/// `Xor`: whether just one is true. (`Equal` of booleans is its opposite.)
#[inline(always)]
pub fn xor(a: u8, b: u8) -> u8 {
    ((a != 0) != (b != 0)).into()
}

/// `Where`: a where the condition is true, else b.
#[inline(always)]
pub fn select<T: Copy>(condition: u8, a: T, b: T) -> T {
    if condition != 0 { a } else { b }
}

/// `BitwiseNot`: every bit inverted.
#[inline(always)]
pub fn bitwise_not<T: Integer>(x: T) -> T {
    !x
}

/// `BitwiseAnd`: the bits that both have.
#[inline(always)]
pub fn bitwise_and<T: Integer>(a: T, b: T) -> T {
    a & b
}

/// `BitwiseOr`: the bits that one has.
#[inline(always)]
pub fn bitwise_or<T: Integer>(a: T, b: T) -> T {
    a | b
}

/// `BitwiseXor`: the bits that just one has.
#[inline(always)]
pub fn bitwise_xor<T: Integer>(a: T, b: T) -> T {
    a ^ b
}

/// `BitShift` with `direction = "LEFT"`: x · 2^distance; 0 where the distance is no less than the width of the type.
#[inline(always)]
pub fn shift_left<T: Integer>(x: T, distance: T) -> T {
    x.shift_left(distance)
}

/// `BitShift` with `direction = "RIGHT"`: x / 2^distance; 0 where the distance is no less than the width of the type.
#[inline(always)]
pub fn shift_right<T: Integer>(x: T, distance: T) -> T {
    x.shift_right(distance)
}

/// `Cast` to anything but a boolean, as [`CastTo`] says. Of a boolean, cast its [`truth`].
#[inline(always)]
pub fn cast<T: CastTo<U>, U>(x: T) -> U {
    x.cast()
}

/// `Cast` to a boolean: 1 where x is not 0, and where it is NaN.
#[inline(always)]
pub fn truth<T: Number>(x: T) -> u8 {
    (x != T::ZERO).into()
}

/// `QuantizeLinear`: x / scale, rounded to the nearest integer (the even one of two), plus the zero point, saturated to the type.
///
/// NaN gives the zero point. For 4-bit types [`clip`] the result.
#[inline(always)]
pub fn quantize<F: Float, T: Integer + Into<i32>>(x: F, scale: F, zero_point: T) -> T
where
    i32: CastTo<T>,
{
    let steps: i32 = (x / scale).round().cast();
    clip(steps.saturating_add(zero_point.into()), T::LOWEST.into(), T::HIGHEST.into()).cast()
}

/// `DequantizeLinear`: (x − zero point) · scale.
#[inline(always)]
pub fn dequantize<T: Integer + Into<i32>, F: Float>(x: T, scale: F, zero_point: T) -> F
where
    i32: CastTo<F>,
{
    let steps: F = Into::<i32>::into(x).wrapping_sub(zero_point.into()).cast();
    steps * scale
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    /// A function of f32 and its formula in f64.
    type Case = (&'static str, fn(f32) -> f32, fn(f64) -> f64);

    const CASES: &[Case] = &[
        ("abs", abs, f64::abs),
        ("neg", neg, |x| -x),
        ("sign", sign, |x| if x == 0.0 { 0.0 } else { x.signum() }),
        ("reciprocal", reciprocal, |x| 1.0 / x),
        ("relu", relu, |x| x.max(0.0)),
        ("clip", |x| clip(x, -2.0, 3.0), |x| x.clamp(-2.0, 3.0)),
        ("leaky_relu", |x| leaky_relu(x, 0.25), |x| x.max(0.25 * x)),
        ("prelu", |x| prelu(x, 1.5), |x| if x < 0.0 { 1.5 * x } else { x }),
        ("thresholded_relu", |x| thresholded_relu(x, 2.0), |x| if x > 2.0 { x } else { 0.0 }),
        ("elu", |x| elu(x, 0.5), |x| if x > 0.0 { x } else { 0.5 * x.exp_m1() }),
        ("selu", |x| selu(x, 1.5, 1.25), |x| 1.25 * if x > 0.0 { x } else { 1.5 * x.exp_m1() }),
        ("celu", |x| celu(x, 2.0), |x| x.max(0.0) + (2.0 * (x / 2.0).exp_m1()).min(0.0)),
        ("sigmoid", sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
        ("hard_sigmoid", |x| hard_sigmoid(x, 0.25, 0.5), |x| (0.25 * x + 0.5).clamp(0.0, 1.0)),
        ("hard_swish", hard_swish, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0)),
        ("softplus", softplus, |x| x.exp().ln_1p()),
        ("softsign", softsign, |x| x / (1.0 + x.abs())),
        ("gelu", gelu, |x| 0.5 * x * (1.0 + libm::erf(x / 2f64.sqrt()))),
        ("gelu_tanh", gelu_tanh, |x| {
            0.5 * x * (1.0 + ((2.0 / core::f64::consts::PI).sqrt() * (x + 0.044715 * x.powi(3))).tanh())
        }),
        ("mish", mish, |x| x * x.exp().ln_1p().tanh()),
        ("swish", |x| swish(x, 1.5), |x| x / (1.0 + (-1.5 * x).exp())),
        ("shrink", |x| shrink(x, 1.5, 0.5), |x| if x.abs() > 1.5 { x - 0.5 * x.signum() } else { 0.0 }),
        ("pow 2", |x| pow(x, 2.0), |x| x.powi(2)),
        ("pow 3", |x| pow(x, 3.0), |x| x.powi(3)),
        ("pow 1.5", |x| pow(abs(x), 1.5), |x| x.abs().powf(1.5)),
    ];

    #[test]
    fn every_function_of_one_float_is_its_formula() {
        for (name, function, formula) in CASES {
            for step in -4000..=4000i16 {
                let x = f32::from(step) / 128.0;
                let (y, expected) = (f64::from(function(x)), formula(f64::from(x)));
                // Sums with 1, as in gelu, cancel to the precision of 1.
                let tolerance = 4.0 * f64::from(f32::EPSILON) * expected.abs().max(f64::from(x.abs()).min(1.0));
                assert!(y == expected || (y - expected).abs() <= tolerance, "{name}({x}) = {y}, not {expected}");
            }
        }
    }

    #[test]
    fn nan_stays_nan_and_large_numbers_do_not_overflow() {
        for (name, function, _) in CASES {
            assert!(function(f32::NAN).is_nan(), "{name}");
        }
        assert_eq!((softplus(1e30f32), softplus(-1e30f32)), (1e30, 0.0));
        assert_eq!((sigmoid(1e30f32), sigmoid(-1e30f32)), (1.0, 0.0));
        assert_eq!((elu(1e30f32, 1.0), mish(1e30f32), swish(-1e30f32, 1.0)), (1e30, 1e30, -0.0));
        assert!(max(f32::NAN, 1.0).is_nan() && max(1.0, f32::NAN).is_nan());
        assert!(min(f32::NAN, 1.0).is_nan() && min(1.0, f32::NAN).is_nan());
    }

    #[test]
    fn functions_of_integers() {
        assert_eq!([-128, -1, 0, 5i8].map(abs), [-128, 1, 0, 5]);
        assert_eq!([-128, -1, 0, 5i8].map(neg), [-128, 1, 0, -5]);
        assert_eq!([-128, -1, 0, 5i8].map(sign), [-1, -1, 0, 1]);
        assert_eq!([-128, -1, 0, 5i8].map(relu), [0, 0, 0, 5]);
        assert_eq!([-9, 1, 9].map(|x| clip(x, -2, 3)), [-2, 1, 3]);
        assert_eq!(clip(5, 9, 2), 2);
        assert_eq!([7, -7].map(|x| prelu(x, 3)), [7, -21]);
        assert_eq!([(7, 2), (-7, 2), (7, -2), (7, 0)].map(|(a, b)| div(a, b)), [3, -3, -3, 0]);
        assert_eq!([(7, 3), (-7, 3), (7, -3), (-7, -3), (6, -3), (7, 0)].map(|(a, b)| modulo(a, b)), [1, 2, -2, -1, 0, 0]);
        assert_eq!([(7, 3), (-7, 3), (7, -3), (-7, -3)].map(|(a, b)| fmod(a, b)), [1, -1, 1, -1]);
        assert_eq!([(2, 10), (-3, 3), (5, 0), (3, 2)].map(|(x, y)| pow(x, y)), [1024, -27, 1, 9]);
        assert_eq!((min(3, -4), max(3, -4), min(3u8, 200), max(3u8, 200)), (-4, 3, 3, 200));
        assert_eq!((shift_left(3u8, 7), shift_left(3u8, 8), shift_right(200u8, 3), shift_right(200u8, 9)), (128, 0, 25, 0));
        assert_eq!((bitwise_and(6, 3), bitwise_or(6, 3), bitwise_xor(6, 3), bitwise_not(6u8)), (2, 7, 5, 249));
    }

    #[test]
    fn rests_of_floats() {
        let cases = [(5.5, 2.0), (-5.5, 2.0), (5.5, -2.0), (-5.5, -2.0f32)];
        assert_eq!(cases.map(|(a, b)| fmod(a, b)), [1.5, -1.5, 1.5, -1.5]);
        assert_eq!(cases.map(|(a, b)| modulo(a, b)), [1.5, 0.5, -0.5, -1.5]);
        assert!(fmod(1.0f32, 0.0).is_nan());
    }

    #[test]
    fn comparisons_and_booleans() {
        let compare = |a: f32, b| [equal(a, b), less(a, b), less_or_equal(a, b), greater(a, b), greater_or_equal(a, b)];
        assert_eq!(compare(1.0, 2.0), [0, 1, 1, 0, 0]);
        assert_eq!(compare(2.0, 2.0), [1, 0, 1, 0, 1]);
        assert_eq!(compare(3.0, 2.0), [0, 0, 0, 1, 1]);
        assert_eq!(compare(f32::NAN, f32::NAN), [0; 5]);
        for (a, b, expected) in [(0, 0, [0, 0, 0]), (0, 2, [0, 1, 1]), (1, 0, [0, 1, 1]), (1, 2, [1, 1, 0])] {
            assert_eq!([and(a, b), or(a, b), xor(a, b)], expected, "{a} {b}");
        }
        assert_eq!([0, 1, 2].map(not), [1, 0, 0]);
        assert_eq!([0, 1, 2].map(|condition| select(condition, 'a', 'b')), ['b', 'a', 'a']);
        assert_eq!([0.0, -0.0, 0.1, f32::NAN].map(truth), [0, 0, 1, 1]);
        assert_eq!([1.0, f32::NAN].map(is_nan), [0, 1]);
        let infinities = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, 1.0];
        assert_eq!(infinities.map(|x| is_inf(x, true, true)), [1, 1, 0, 0]);
        assert_eq!(infinities.map(|x| is_inf(x, false, true)), [1, 0, 0, 0]);
        assert_eq!(infinities.map(|x| is_inf(x, true, false)), [0, 1, 0, 0]);
    }

    #[test]
    fn quantizing_rounds_half_to_even_and_saturates() {
        let quantized = [0.0, 1.0, 3.0, 5.0, 999.0, -254.0, -1000.0, f32::NAN].map(|x| quantize(x, 2.0, 128u8));
        assert_eq!(quantized, [128, 128, 130, 130, 255, 1, 0, 128]);
        assert_eq!([1e30, -1e30, 2.5, -2.6f32].map(|x| quantize(x, 1.0, -3i8)), [127, -128, -1, -6]);
        assert_eq!([1e9, -1e9, 7.0f32].map(|x| quantize(x, 0.5, 0i16)), [32767, -32768, 14]);
        assert_eq!(quantize(f16::from_f32(7.0), f16::from_f32(0.5), 1u16), 15);
    }

    #[test]
    fn dequantizing_undoes_it() {
        assert_eq!([0, 128, 255].map(|x| dequantize(x, 2.0f32, 128u8)), [-256.0, 0.0, 254.0]);
        assert_eq!(dequantize(i32::MAX, 0.5f64, 0), 1073741823.5);
        for x in i8::MIN..=i8::MAX {
            assert_eq!(quantize(dequantize(x, 0.1f32, 7), 0.1, 7), x);
        }
    }
}
