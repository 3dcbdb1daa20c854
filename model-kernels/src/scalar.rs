//! The elementwise operators of ONNX as functions of single elements: <https://onnx.ai/onnx/operators/>, by the operator's name.
//!
//! Attributes are `f32`, as in the file. Functions that ask or combine booleans take and give `u8`: 0 is false, 1 is written for
//! true, and any non-zero reads as true. Accuracy is that of the formula in the element's type, with `libm`'s functions
//! (see [`float`](crate::float)). NaN gives NaN where nothing else is said.

use crate::float::{Float, exp};
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

/// `ThresholdedRelu`: x above alpha, else 0; so NaN gives 0.
#[inline(always)]
pub fn thresholded_relu<T: Float>(x: T, alpha: f32) -> T {
    if x > T::of(alpha.into()) { x } else { T::ZERO }
}

/// `Elu`: alpha · (exp(x) − 1) below zero, else x.
#[inline(always)]
pub fn elu<T: Float>(x: T, alpha: f32) -> T {
    if x < T::ZERO { T::of(alpha.into()) * (x.exp() - T::ONE) } else { x }
}

/// `Selu`: gamma · alpha · (exp(x) − 1) below zero, else gamma · x.
#[inline(always)]
pub fn selu<T: Float>(x: T, alpha: f32, gamma: f32) -> T {
    T::of(gamma.into()) * elu(x, alpha)
}

/// `Celu`: alpha · (exp(x / alpha) − 1) below zero, else x. Of `f16` and `bf16` only the result is rounded.
#[inline(always)]
pub fn celu<T: Float<Sum: Float>>(x: T, alpha: f32) -> T {
    let (wide, alpha) = (x.widen(), T::Sum::of(alpha.into()));
    if x < T::ZERO { T::narrow(alpha * (exp(wide / alpha) - T::Sum::ONE)) } else { x }
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

/// `Shrink`: x + bias below −lambd, x − bias above lambd, else 0; so NaN gives 0.
#[inline(always)]
pub fn shrink<T: Float>(x: T, lambd: f32, bias: f32) -> T {
    let (lambd, bias) = (T::of(lambd.into()), T::of(bias.into()));
    if x < -lambd {
        return x + bias;
    }
    if x > lambd { x - bias } else { T::ZERO }
}

/// `IsNaN`: whether x is not a number.
#[inline(always)]
pub fn is_nan<T: Float>(x: T) -> u8 {
    x.is_nan().into()
}

/// `IsInf`: whether x is infinity and `positive` is set, or minus infinity and `negative` is set.
#[inline(always)]
pub fn is_inf<T: Float>(x: T, negative: u8, positive: u8) -> u8 {
    (negative != 0 && x == T::LOWEST || positive != 0 && x == T::HIGHEST).into()
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

/// `Mod`: the rest of a / b rounded down, which has the sign of b, also where it is zero; integers give 0 where b is 0.
#[inline(always)]
pub fn modulo<T: Number>(a: T, b: T) -> T {
    let rest = a.rem(b);
    if rest == T::ZERO {
        return if b < T::ZERO { T::ZERO.neg() } else { T::ZERO };
    }
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

/// `BitShift` with `direction = "RIGHT"`: x / 2^distance rounded down; 0, or −1 of what is negative, where the distance is no less
/// than the width of the type.
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

/// `DequantizeLinear`: (x − zero point) · scale. Of `f16` and `bf16` only the product is rounded.
#[inline(always)]
pub fn dequantize<T: Integer + Into<i32>, F: Float>(x: T, scale: F, zero_point: T) -> F
where
    i32: CastTo<F::Sum>,
{
    let steps: F::Sum = Into::<i32>::into(x).wrapping_sub(zero_point.into()).cast();
    F::narrow(steps.mul(scale.widen()))
}

/// The value of a function of one byte; `table` has one for each, those of negative numbers last.
///
/// ```
/// # use model_kernels as rt;
/// let halves: [u8; 256] = core::array::from_fn(|byte| byte as u8 / 2);
/// assert_eq!([rt::look_up(&halves, 6u8), rt::look_up(&halves, -1i8)], [3, 127]);
/// ```
#[inline(always)]
pub fn look_up<X: CastTo<u8>, T: Copy>(table: &[T; 256], x: X) -> T {
    table[usize::from(x.cast())]
}
