//! The scalar functions: each a line that names it, its form, and the element types it takes.

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

    /// The operator by which it is written between floats.
    pub fn operator(&self) -> Option<TokenStream> {
        match self.name {
            "add" => Some(quote!(+)),
            "sub" => Some(quote!(-)),
            "mul" => Some(quote!(*)),
            "div" => Some(quote!(/)),
            _ => None,
        }
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// `function!(exp, unary, float)` is the [`Function`] `model_kernels::exp` of the form [`unary`] for each float type.
macro_rules! function {
    ($name:ident, $form:ident, float) => { function!($name, $form, [f32 f64 half::f16 half::bf16]) };
    ($name:ident, $form:ident, int) => { function!($name, $form, [i8 i16 i32 i64 u8 u16 u32 u64]) };
    ($name:ident, $form:ident, number) => {
        function!($name, $form, [f32 f64 half::f16 half::bf16 i8 i16 i32 i64 u8 u16 u32 u64])
    };
    ($name:ident, $form:ident, [$($ty:ty)*]) => {
        Function { name: stringify!($name), eval: |arguments| None$(.or_else(|| $form::<$ty>(arguments, kernels::$name)))* }
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

/// A yes or no about two elements.
fn comparison<T: Get>(arguments: &[Scalar], f: fn(T, T) -> u8) -> Option<Scalar> {
    let [x, y] = arguments else { return None };
    Some(Scalar::Bool(f(T::get(*x)?, T::get(*y)?)))
}

/// All scalar functions.
static FUNCTIONS: &[Function] = &[
    function!(add, binary, number),
    function!(div, binary, number),
    function!(equal, comparison, number),
    function!(mul, binary, number),
    function!(relu, unary, number),
    function!(sqrt, unary, float),
    function!(sub, binary, number),
];

/// The function called `name`.
///
/// # Panics
/// When there is none: the caller names one of the table.
pub fn function(name: &str) -> &'static Function {
    FUNCTIONS.iter().find(|function| function.name == name).unwrap_or_else(|| panic!("no scalar function `{name}`"))
}

/// A value converted as `Cast` does: <https://onnx.ai/onnx/operators/onnx__Cast.html>
pub fn cast(from: Scalar, to: ElemType) -> Scalar {
    let from = match from {
        Scalar::Bool(truth) => Scalar::U8(truth),
        other => other,
    };
    with_elem!(from.elem(), F => {
        let value = F::get(from).expect("the type that was asked for");
        if to == ElemType::Bool {
            return Scalar::Bool(kernels::truth(value));
        }
        with_elem!(to, T => Scalar::from(kernels::cast::<F, T>(value)))
    })
}
