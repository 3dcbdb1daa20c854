//! Scalar expressions: what an elementwise operator computes of one element of each input.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use super::functions::{Function, function};
use crate::scalar::Scalar;
use crate::ty::ElemType;

/// A scalar expression over one element of each input.
#[derive(Clone, Debug, PartialEq)]
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

    /// The expression converted to `elem`, if it is not of it.
    pub fn cast(self, elem: ElemType) -> Self {
        Self::Cast(elem, Box::new(self))
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

    /// The expression in Rust. `elems` are the inputs' types, by which conversions and float operators are written.
    fn tokens(&self, inputs: &[Ident], elems: &[ElemType]) -> TokenStream {
        match self {
            Self::Input(index) => {
                let input = &inputs[*index];
                quote!(#input)
            }
            Self::Constant(scalar) => scalar.literal(),
            Self::Call(function, arguments) => {
                let float = arguments.iter().all(|argument| matches!(argument.elem(elems), Some(ElemType::F32 | ElemType::F64)));
                let written: Vec<TokenStream> = arguments.iter().map(|argument| argument.tokens(inputs, elems)).collect();
                match (function.operator(), written.as_slice()) {
                    (Some(operator), [left, right]) if float => {
                        let (left, right) = (arguments[0].operand(left, float), arguments[1].operand(right, float));
                        quote!(#left #operator #right)
                    }
                    _ => {
                        let name = Ident::new(function.name(), Span::call_site());
                        quote!(rt::#name(#(#written),*))
                    }
                }
            }
            Self::Cast(elem, argument) => {
                let written = argument.tokens(inputs, elems);
                let from = argument.elem(elems);
                match (from, elem) {
                    (Some(from), to) if from == *to => written,
                    (_, ElemType::Bool) => quote!(rt::truth(#written)),
                    (_, to) => {
                        let to = crate::emit::elem(*to);
                        quote!(rt::cast::<_, #to>(#written))
                    }
                }
            }
        }
    }

    /// An operand of a binary operator: in parentheses where it is one itself.
    fn operand(&self, written: &TokenStream, float: bool) -> TokenStream {
        match self {
            Self::Call(function, arguments) if float && function.operator().is_some() && arguments.len() == 2 => {
                quote!((#written))
            }
            _ => quote!(#written),
        }
    }

    /// A function of the inputs' elements: the plain name where that says all, else a short closure over one element, or over a
    /// tuple of several.
    pub fn closure(&self, elems: &[ElemType]) -> TokenStream {
        if let Self::Call(function, arguments) = self
            && function.operator().is_none()
            && let [Self::Input(0)] = arguments.as_slice()
        {
            let name = Ident::new(function.name(), Span::call_site());
            return quote!(rt::#name);
        }
        let inputs = variables(elems.len());
        let body = self.tokens(&inputs, elems);
        match inputs.as_slice() {
            [input] => quote!(|#input| #body),
            _ => quote!(|(#(#inputs),*)| #body),
        }
    }
}

/// `x`, or `a`, `b`, `c`, … of several.
fn variables(count: usize) -> Vec<Ident> {
    if count == 1 {
        return vec![format_ident!("x")];
    }
    ('a'..='z').take(count).map(|letter| format_ident!("{letter}")).collect()
}
