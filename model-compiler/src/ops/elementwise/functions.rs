//! The scalar functions: each a line that names it, its form, and the element types it takes.

use half::{bf16, f16};
use proc_macro2::TokenStream;
use quote::quote;

use crate::kernels;
use crate::scalar::{Get, Scalar};
use crate::ty::ElemType;
use crate::with_elem;

/// A scalar function of `model-kernels`, which the expansion calls by name and the compiler evaluates while folding.
pub struct Function {
    name: &'static str,
    eval: fn(&[Scalar]) -> Option<Scalar>,
}

impl Function {
    /// Its name in `model-kernels`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its value; `None` when it does not take these types.
    pub fn eval(&self, arguments: &[Scalar]) -> Option<Scalar> {
        (self.eval)(arguments)
    }

    /// The operator by which it is written between floats, and how it binds.
    pub fn operator(&self) -> Option<(TokenStream, Binding)> {
        match self.name {
            "add" => Some((quote!(+), Binding::Sum)),
            "sub" => Some((quote!(-), Binding::Sum)),
            "mul" => Some((quote!(*), Binding::Product)),
            "div" => Some((quote!(/), Binding::Product)),
            _ => None,
        }
    }
}

/// How strongly an expression holds together when it is written beside an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    /// `a + b`
    Sum,
    /// `a * b`
    Product,
    /// `f(a)`
    Call,
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// Returns the value, if there is one.
macro_rules! first_of {
    ($value:expr) => {
        if let value @ Some(_) = $value {
            return value;
        }
    };
}

/// `function!(exp, unary, float)` is the [`Function`] `model_kernels::exp` of the form [`unary`] for each float type;
/// `function!(quantize, quantization, [f32 f64] of [i8 u8])` is of the form [`quantization`] for each pair of types.
macro_rules! function {
    ($name:ident, $form:ident, float) => { function!($name, $form, [f32 f64 f16 bf16]) };
    ($name:ident, $form:ident, int) => { function!($name, $form, [i8 i16 i32 i64 u8 u16 u32 u64]) };
    ($name:ident, $form:ident, signed) => { function!($name, $form, [f32 f64 f16 bf16 i8 i16 i32 i64]) };
    ($name:ident, $form:ident, number) => { function!($name, $form, [f32 f64 f16 bf16 i8 i16 i32 i64 u8 u16 u32 u64]) };
    ($name:ident, $form:ident, [$($ty:ty)*]) => {
        Function { name: stringify!($name), eval: |arguments| { $(first_of!($form::<$ty>(arguments, kernels::$name));)* None } }
    };
    ($name:ident, $form:ident, [$($ty:ty)*] of $others:tt) => {
        Function { name: stringify!($name), eval: |arguments| { $(function!(arguments, $name, $form, $ty, $others);)* None } }
    };
    ($arguments:ident, $name:ident, $form:ident, $ty:ty, [$($other:ty)*]) => {
        $(first_of!($form::<$ty, $other>($arguments, kernels::$name));)*
    };
    ($name:ident, $form:ident) => {
        Function { name: stringify!($name), eval: |arguments| $form(arguments, kernels::$name) }
    };
}

fn unary<T: Get>(arguments: &[Scalar], f: fn(T) -> T) -> Option<Scalar> {
    let [x] = arguments else { return None };
    Some(f(T::get(*x)?).into())
}

/// With an attribute.
fn unary1<T: Get>(arguments: &[Scalar], f: fn(T, f32) -> T) -> Option<Scalar> {
    let [x, Scalar::F32(a)] = arguments else { return None };
    Some(f(T::get(*x)?, *a).into())
}

/// With two attributes.
fn unary2<T: Get>(arguments: &[Scalar], f: fn(T, f32, f32) -> T) -> Option<Scalar> {
    let [x, Scalar::F32(a), Scalar::F32(b)] = arguments else { return None };
    Some(f(T::get(*x)?, *a, *b).into())
}

fn binary<T: Get>(arguments: &[Scalar], f: fn(T, T) -> T) -> Option<Scalar> {
    let [x, y] = arguments else { return None };
    Some(f(T::get(*x)?, T::get(*y)?).into())
}

fn ternary<T: Get>(arguments: &[Scalar], f: fn(T, T, T) -> T) -> Option<Scalar> {
    let [x, y, z] = arguments else { return None };
    Some(f(T::get(*x)?, T::get(*y)?, T::get(*z)?).into())
}

/// A yes or no about one element.
fn test<T: Get>(arguments: &[Scalar], f: fn(T) -> u8) -> Option<Scalar> {
    let [x] = arguments else { return None };
    Some(Scalar::Bool(f(T::get(*x)?)))
}

/// A yes or no about one element, with two flags.
fn test2<T: Get>(arguments: &[Scalar], f: fn(T, u8, u8) -> u8) -> Option<Scalar> {
    let [x, Scalar::Bool(a), Scalar::Bool(b)] = arguments else { return None };
    Some(Scalar::Bool(f(T::get(*x)?, *a, *b)))
}

/// A yes or no about two elements.
fn comparison<T: Get>(arguments: &[Scalar], f: fn(T, T) -> u8) -> Option<Scalar> {
    let [x, y] = arguments else { return None };
    Some(Scalar::Bool(f(T::get(*x)?, T::get(*y)?)))
}

/// Of one truth.
fn negation(arguments: &[Scalar], f: fn(u8) -> u8) -> Option<Scalar> {
    let [Scalar::Bool(x)] = arguments else { return None };
    Some(Scalar::Bool(f(*x)))
}

/// Of two truths.
fn connective(arguments: &[Scalar], f: fn(u8, u8) -> u8) -> Option<Scalar> {
    let [Scalar::Bool(x), Scalar::Bool(y)] = arguments else { return None };
    Some(Scalar::Bool(f(*x, *y)))
}

/// Of two elements of any type, by a truth.
fn selection(arguments: &[Scalar], f: fn(u8, Scalar, Scalar) -> Scalar) -> Option<Scalar> {
    let [Scalar::Bool(condition), x, y] = arguments else { return None };
    (x.elem() == y.elem()).then(|| f(*condition, *x, *y))
}

/// Of a number, its scale, and the integer that stands for zero.
fn quantization<F: Get, T: Get>(arguments: &[Scalar], f: fn(F, F, T) -> T) -> Option<Scalar> {
    let [x, scale, zero_point] = arguments else { return None };
    Some(f(F::get(*x)?, F::get(*scale)?, T::get(*zero_point)?).into())
}

/// Of an integer, the scale of its steps, and the integer that stands for zero.
fn dequantization<F: Get, T: Get>(arguments: &[Scalar], f: fn(T, F, T) -> F) -> Option<Scalar> {
    let [x, scale, zero_point] = arguments else { return None };
    Some(f(T::get(*x)?, F::get(*scale)?, T::get(*zero_point)?).into())
}

/// All scalar functions.
pub static FUNCTIONS: &[Function] = &[
    function!(abs, unary, number),
    function!(acos, unary, float),
    function!(acosh, unary, float),
    function!(add, binary, number),
    function!(and, connective),
    function!(asin, unary, float),
    function!(asinh, unary, float),
    function!(atan, unary, float),
    function!(atanh, unary, float),
    function!(bitwise_and, binary, int),
    function!(bitwise_not, unary, int),
    function!(bitwise_or, binary, int),
    function!(bitwise_xor, binary, int),
    function!(ceil, unary, float),
    function!(celu, unary1, float),
    function!(clip, ternary, number),
    function!(cos, unary, float),
    function!(cosh, unary, float),
    function!(dequantize, dequantization, [f32 f64 f16 bf16] of [i8 i16 i32 u8 u16]),
    function!(div, binary, number),
    function!(elu, unary1, float),
    function!(equal, comparison, number),
    function!(erf, unary, float),
    function!(exp, unary, float),
    function!(floor, unary, float),
    function!(fmod, binary, number),
    function!(gelu, unary, float),
    function!(gelu_tanh, unary, float),
    function!(greater, comparison, number),
    function!(greater_or_equal, comparison, number),
    function!(hard_sigmoid, unary2, float),
    function!(hard_swish, unary, float),
    function!(is_inf, test2, float),
    function!(is_nan, test, float),
    function!(leaky_relu, unary1, float),
    function!(less, comparison, number),
    function!(less_or_equal, comparison, number),
    function!(log, unary, float),
    function!(max, binary, number),
    function!(min, binary, number),
    function!(mish, unary, float),
    function!(modulo, binary, number),
    function!(mul, binary, number),
    function!(neg, unary, signed),
    function!(not, negation),
    function!(or, connective),
    function!(pow, binary, number),
    function!(prelu, binary, number),
    function!(quantize, quantization, [f32 f64 f16 bf16] of [i8 i16 u8 u16]),
    function!(reciprocal, unary, float),
    function!(relu, unary, signed),
    function!(round, unary, float),
    function!(select, selection),
    function!(selu, unary2, float),
    function!(shift_left, binary, int),
    function!(shift_right, binary, int),
    function!(shrink, unary2, float),
    function!(sigmoid, unary, float),
    function!(sign, unary, number),
    function!(sin, unary, float),
    function!(sinh, unary, float),
    function!(softplus, unary, float),
    function!(softsign, unary, float),
    function!(sqrt, unary, float),
    function!(sub, binary, number),
    function!(swish, unary1, float),
    function!(tan, unary, float),
    function!(tanh, unary, float),
    function!(thresholded_relu, unary1, float),
    function!(xor, connective),
];

/// The function called `name`.
///
/// # Panics
/// When there is none: the caller names one of the table.
pub fn function(name: &str) -> &'static Function {
    FUNCTIONS.iter().find(|function| function.name == name).unwrap_or_else(|| panic!("no scalar function `{name}`"))
}

/// A value converted as `Cast` does: <https://onnx.ai/onnx/operators/onnx__Cast.html>
///
/// It is widened first, which is exact, so that not every type needs a conversion to every other.
pub fn cast(from: Scalar, to: ElemType) -> Scalar {
    macro_rules! narrow {
        ($wide:expr) => {{
            let wide = $wide;
            match to {
                ElemType::Bool => Scalar::Bool(kernels::truth(wide)),
                _ => with_elem!(to, T => Scalar::from(kernels::cast::<_, T>(wide))),
            }
        }};
    }
    let signed = |value: i64| narrow!(value);
    let unsigned = |value: u64| narrow!(value);
    let float = |value: f64| narrow!(value);
    match from {
        Scalar::Bool(truth) => unsigned(kernels::truth(truth).into()),
        Scalar::U8(value) => unsigned(value.into()),
        Scalar::U16(value) => unsigned(value.into()),
        Scalar::U32(value) => unsigned(value.into()),
        Scalar::U64(value) => unsigned(value),
        Scalar::I8(value) => signed(value.into()),
        Scalar::I16(value) => signed(value.into()),
        Scalar::I32(value) => signed(value.into()),
        Scalar::I64(value) => signed(value),
        Scalar::F16(value) => float(value.into()),
        Scalar::BF16(value) => float(value.into()),
        Scalar::F32(value) => float(value.into()),
        Scalar::F64(value) => float(value),
    }
}
