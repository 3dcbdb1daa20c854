//! Scalar expressions: what an elementwise operator computes of one element of each input.

use std::fmt;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::functions::{Binding, Function, function};
use crate::scalar::Scalar;
use crate::ty::ElemType;

/// A scalar expression over one element of each input.
#[derive(Clone, PartialEq)]
pub enum Expr {
    /// The element of this input.
    Input(usize),
    /// A number.
    Constant(Scalar),
    /// A scalar function of `model-kernels`.
    Call(&'static Function, Vec<Expr>),
    /// A conversion to this element type.
    Cast(ElemType, Box<Expr>),
}

impl Expr {
    /// The scalar function called `name` applied to `arguments`.
    pub fn call(name: &str, arguments: impl Into<Vec<Self>>) -> Self {
        Self::Call(function(name), arguments.into())
    }

    /// The expression, which is of type `from`, converted to `to`.
    pub fn cast(self, from: ElemType, to: ElemType) -> Self {
        if from == to { self } else { Self::Cast(to, Box::new(self)) }
    }

    /// A number of a type.
    pub fn number(value: f64, elem: ElemType) -> Self {
        Self::Constant(Scalar::of(value, elem))
    }

    /// Its value where the inputs' elements are `inputs`; `None` when a function does not take its arguments' types.
    pub fn eval(&self, inputs: &[Scalar]) -> Option<Scalar> {
        match self {
            Self::Input(index) => inputs.get(*index).copied(),
            Self::Constant(scalar) => Some(*scalar),
            Self::Call(function, arguments) => {
                let arguments: Option<Vec<Scalar>> = arguments.iter().map(|argument| argument.eval(inputs)).collect();
                function.eval(&arguments?)
            }
            Self::Cast(elem, argument) => Some(super::functions::cast(argument.eval(inputs)?, *elem)),
        }
    }

    /// The type of its value for inputs of these types; `None` when a function does not take its arguments' types.
    pub fn elem(&self, inputs: &[ElemType]) -> Option<ElemType> {
        let zeros: Vec<Scalar> = inputs.iter().map(|&elem| Scalar::zero(elem)).collect();
        self.eval(&zeros).map(Scalar::elem)
    }

    /// The same expression with `replace(index)` for each input.
    pub fn substitute(&self, replace: &dyn Fn(usize) -> Self) -> Self {
        match self {
            Self::Input(index) => replace(*index),
            Self::Constant(_) => self.clone(),
            Self::Call(function, arguments) => {
                Self::Call(function, arguments.iter().map(|argument| argument.substitute(replace)).collect())
            }
            Self::Cast(elem, argument) => Self::Cast(*elem, Box::new(argument.substitute(replace))),
        }
    }

    /// How often the element of input `index` is used.
    pub fn uses(&self, index: usize) -> usize {
        match self {
            Self::Input(other) => usize::from(*other == index),
            Self::Constant(_) => 0,
            Self::Call(_, arguments) => arguments.iter().map(|argument| argument.uses(index)).sum(),
            Self::Cast(_, argument) => argument.uses(index),
        }
    }

    /// A function of the inputs' elements: the plain name where that says all, else a short closure over one element, or over a
    /// tuple of several. `elems` are the inputs' types.
    pub fn closure(&self, elems: &[ElemType]) -> TokenStream {
        if let Self::Call(function, arguments) = self
            && function.operator().is_none()
            && let [Self::Input(0)] = arguments.as_slice()
        {
            let name = Ident::new(function.name(), Span::call_site());
            return quote!(rt::#name);
        }
        let writer = Writer { inputs: variables(elems.len()), elems };
        let (inputs, body) = (&writer.inputs, writer.expr(self, true));
        match inputs.as_slice() {
            [input] => quote!(|#input| #body),
            _ => quote!(|(#(#inputs),*)| #body),
        }
    }
}

impl From<f32> for Expr {
    fn from(value: f32) -> Self {
        Self::Constant(value.into())
    }
}

/// As one would write it, without types: `relu(a * 0.5 + b)`.
impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inputs = (0..super::MAX_INPUTS).filter(|&index| self.uses(index) > 0).max().map_or(0, |last| last + 1);
        f.write_str(&self.text(&variables(inputs)))
    }
}

/// As it is displayed, so that operators which hold an expression stay readable.
impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Expr {
    fn text(&self, inputs: &[Ident]) -> String {
        match self {
            Self::Input(index) => inputs[*index].to_string(),
            Self::Constant(scalar) => scalar.literal().to_string().replace(' ', ""),
            Self::Call(function, arguments) => {
                let written: Vec<String> = arguments.iter().map(|argument| argument.text(inputs)).collect();
                let binding = |argument: &Self| match argument {
                    Self::Call(function, _) => function.operator().map_or(Binding::Call, |(_, binding)| binding),
                    _ => Binding::Call,
                };
                let enclosed = |index: usize, enclose: bool| match enclose {
                    true => format!("({})", written[index]),
                    false => written[index].clone(),
                };
                match function.operator() {
                    Some((operator, own)) => {
                        let left = enclosed(0, binding(&arguments[0]) < own);
                        let right = enclosed(1, binding(&arguments[1]) <= own);
                        format!("{left} {operator} {right}")
                    }
                    None => format!("{}({})", function.name(), written.join(", ")),
                }
            }
            Self::Cast(to, argument) => format!("cast::<{to}>({})", argument.text(inputs)),
        }
    }
}

/// Writes expressions in Rust.
///
/// A number is written without its type where rustc infers that: from the place it stands in, or from another argument of the
/// same call. Elsewhere rustc would take `i32` or `f64`, so there the number carries its type.
struct Writer<'a> {
    inputs: Vec<Ident>,
    elems: &'a [ElemType],
}

impl Writer<'_> {
    /// `expected` tells that its place decides the type of `expr`.
    fn expr(&self, expr: &Expr, expected: bool) -> TokenStream {
        match expr {
            Expr::Input(index) => {
                let input = &self.inputs[*index];
                quote!(#input)
            }
            Expr::Constant(scalar) if expected => scalar.literal(),
            Expr::Constant(scalar) => scalar.typed_literal(),
            Expr::Call(function, arguments) => self.call(expr, function, arguments, expected),
            Expr::Cast(to, argument) => {
                let from = argument.elem(self.elems);
                let written = self.expr(argument, expected && from == Some(*to));
                match (from, to) {
                    (Some(from), to) if from == *to => written,
                    (_, ElemType::Bool) => quote!(rt::truth(#written)),
                    (Some(ElemType::Bool), to) if !is_zero_or_one(argument) => {
                        let to = crate::emit::elem(*to);
                        quote!(rt::cast::<_, #to>(rt::truth(#written)))
                    }
                    (_, to) => {
                        let to = crate::emit::elem(*to);
                        quote!(rt::cast::<_, #to>(#written))
                    }
                }
            }
        }
    }

    fn call(&self, call: &Expr, function: &Function, arguments: &[Expr], expected: bool) -> TokenStream {
        let elem = |argument: &Expr| argument.elem(self.elems);
        let inferred = |index: usize| {
            let alike = |other: usize| other != index && elem(&arguments[other]) == elem(&arguments[index]);
            let by_result = expected && elem(call) == elem(&arguments[index]);
            // What is written before this one says its type, as it must or need not.
            let by_other = |other: usize| alike(other) && (other < index || self.says_its_type(&arguments[other]));
            by_result || (0..arguments.len()).any(by_other)
        };
        let written = arguments.iter().enumerate().map(|(index, argument)| self.expr(argument, inferred(index)));
        let written: Vec<TokenStream> = written.collect();
        if let (Some((operator, binding)), [left, right]) = (self.operator(call), written.as_slice()) {
            let left = enclosed(left, self.binding(&arguments[0]) < binding);
            // Floats are not associative: a + (b + c) keeps its parentheses.
            let right = enclosed(right, self.binding(&arguments[1]) <= binding);
            return quote!(#left #operator #right);
        }
        let name = Ident::new(function.name(), Span::call_site());
        quote!(rt::#name(#(#written),*))
    }

    /// Whether rustc knows the type of `expr` wherever it stands.
    fn says_its_type(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Input(_) | Expr::Cast(..) => true,
            Expr::Constant(_) => false,
            Expr::Call(_, arguments) => {
                let elem = expr.elem(self.elems);
                elem == Some(ElemType::Bool)
                    || arguments.iter().any(|argument| argument.elem(self.elems) == elem && self.says_its_type(argument))
            }
        }
    }

    /// The operator by which `expr` is written, if it is one between floats.
    fn operator(&self, expr: &Expr) -> Option<(TokenStream, Binding)> {
        let Expr::Call(function, _) = expr else { return None };
        function.operator().filter(|_| expr.elem(self.elems).is_some_and(ElemType::is_float))
    }

    fn binding(&self, expr: &Expr) -> Binding {
        match expr {
            // A cast to the type that is there already is not written.
            Expr::Cast(to, argument) if argument.elem(self.elems) == Some(*to) => self.binding(argument),
            _ => self.operator(expr).map_or(Binding::Call, |(_, binding)| binding),
        }
    }
}

/// Whether a boolean was written by a function; that of an input may be any byte.
fn is_zero_or_one(expr: &Expr) -> bool {
    match expr {
        Expr::Call(function, _) => function.name() != "select",
        Expr::Cast(..) => true,
        Expr::Input(_) | Expr::Constant(_) => false,
    }
}

fn enclosed(written: &TokenStream, enclose: bool) -> TokenStream {
    if enclose { quote!((#written)) } else { written.clone() }
}

/// `x`, or `a`, `b`, `c`, … of several.
fn variables(count: usize) -> Vec<Ident> {
    if count == 1 {
        return vec![format_ident!("x")];
    }
    ('a'..='z').take(count).map(|letter| format_ident!("{letter}")).collect()
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;

    fn call(name: &str, arguments: &[Expr]) -> Expr {
        Expr::call(name, arguments)
    }

    /// Compares the closure of one or two inputs of type `elem` with `expected`, blanks apart.
    fn check(expr: Expr, elem: ElemType, expected: &str) {
        let inputs = if expr.uses(1) > 0 { 2 } else { 1 };
        let bare = |text: &str| text.split_whitespace().collect::<String>();
        let found = expr.closure(&vec![elem; inputs]).to_string();
        assert_eq!(bare(&found), bare(expected), "{expr:?} of {elem}");
    }

    #[test]
    fn operators_have_the_parentheses_they_need() {
        let (x, y) = (|| Expr::Input(0), || Expr::Input(1));
        let one = || Expr::number(1.0, ElemType::F32);
        let (sum, product) = (call("add", &[x(), y()]), call("mul", &[x(), y()]));
        check(call("mul", &[sum.clone(), one()]), ElemType::F32, "|(a, b)| (a + b) * 1.0");
        check(call("add", &[product.clone(), one()]), ElemType::F32, "|(a, b)| a * b + 1.0");
        check(call("add", &[one(), product.clone()]), ElemType::F32, "|(a, b)| 1.0 + a * b");
        check(call("sub", &[sum.clone(), one()]), ElemType::F32, "|(a, b)| a + b - 1.0");
        check(call("sub", &[one(), sum.clone()]), ElemType::F32, "|(a, b)| 1.0 - (a + b)");
        check(call("div", &[one(), product]), ElemType::F32, "|(a, b)| 1.0 / (a * b)");
        check(call("exp", std::slice::from_ref(&sum)), ElemType::F32, "|(a, b)| rt::exp(a + b)");
        check(call("exp", &[x()]), ElemType::F32, "rt::exp");
        check(sum, ElemType::I8, "|(a, b)| rt::add(a, b)");
    }

    #[test]
    fn numbers_have_a_type_where_it_does_not_follow() {
        let x = || Expr::Input(0);
        let number = |value| Expr::number(value, ElemType::F32);
        let zero = |value| Expr::number(value, ElemType::I8);
        let quantized = || call("quantize", &[x(), number(0.5), zero(-3.0)]);
        check(call("clip", &[x(), number(0.0), number(6.0)]), ElemType::F32, "|x| rt::clip(x, 0.0, 6.0)");
        check(quantized(), ElemType::F32, "|x| rt::quantize(x, 0.5, -3)");
        let dequantized = call("dequantize", &[quantized(), number(0.5), zero(-3.0)]);
        check(dequantized.clone(), ElemType::F32, "|x| rt::dequantize(rt::quantize(x, 0.5, -3 as i8), 0.5, -3)");
        let positive = call("greater", &[dequantized, number(0.0)]);
        let expected = "|x| rt::greater(rt::dequantize(rt::quantize(x, 0.5, -3 as i8), 0.5 as f32, -3), 0.0)";
        check(positive.clone(), ElemType::F32, expected);
        let flipped = call("greater", &[number(0.0), call("dequantize", &[x(), number(0.5), zero(1.0)])]);
        check(flipped, ElemType::I8, "|x| rt::greater(0.0 as f32, rt::dequantize(x, 0.5, 1))");
        let half = Expr::Constant(f16::from_f32(1.5).into());
        check(call("add", &[x(), half]), ElemType::F16, "|x| x + const { rt::half::f16::from_f32_const(1.5) }");
    }

    #[test]
    fn conversions_are_written_where_they_do_something() {
        let x = || Expr::Input(0);
        check(x().cast(ElemType::F32, ElemType::I8), ElemType::F32, "|x| rt::cast::<_, i8>(x)");
        check(x().cast(ElemType::F32, ElemType::Bool), ElemType::F32, "|x| rt::truth(x)");
        check(x().cast(ElemType::Bool, ElemType::F32), ElemType::Bool, "|x| rt::cast::<_, f32>(rt::truth(x))");
        let no = call("not", &[x()]).cast(ElemType::Bool, ElemType::F32);
        check(no, ElemType::Bool, "|x| rt::cast::<_, f32>(rt::not(x))");
        assert_eq!(x().cast(ElemType::F32, ElemType::F32), x());
    }
}
