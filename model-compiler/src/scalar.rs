//! One element of any type: what folding computes with, and what stands in the expansion as a number.

use half::{bf16, f16};
use proc_macro2::{Literal, TokenStream};
use quote::quote;

use crate::kernels::Number;
use crate::tensor::{Element, Tensor};
use crate::ty::{ElemType, Shape, TensorType};
use crate::with_elem;

/// `scalars! { F32 f32, … }` declares a variant for each element type, and the ways between it and the Rust type.
macro_rules! scalars {
    ($($variant:ident $ty:ident),* $(,)?) => {
        /// An element.
        #[derive(Clone, Copy, Debug, PartialEq)]
        #[allow(missing_docs, reason = "the names say it")]
        pub enum Scalar {
            Bool(u8),
            $($variant($ty),)*
        }

        impl Scalar {
            /// The element's type.
            pub fn elem(self) -> ElemType {
                match self {
                    Self::Bool(_) => ElemType::Bool,
                    $(Self::$variant(_) => ElemType::$variant,)*
                }
            }

            /// Zero of a type.
            pub fn zero(elem: ElemType) -> Self {
                match elem {
                    ElemType::Bool => Self::Bool(0),
                    $(ElemType::$variant => Self::$variant(<$ty>::default()),)*
                }
            }

            /// All elements of a tensor.
            pub fn all(tensor: &Tensor) -> Vec<Self> {
                match tensor.ty().elem {
                    ElemType::Bool => tensor.to_vec::<u8>().into_iter().map(Self::Bool).collect(),
                    $(ElemType::$variant => tensor.to_vec::<$ty>().into_iter().map(Self::$variant).collect(),)*
                }
            }

            fn append(self, bytes: &mut Vec<u8>) {
                match self {
                    Self::Bool(value) => value.append(bytes),
                    $(Self::$variant(value) => value.append(bytes),)*
                }
            }
        }

        $(impl From<$ty> for Scalar {
            fn from(value: $ty) -> Self {
                Self::$variant(value)
            }
        }

        impl Get for $ty {
            fn get(scalar: Scalar) -> Option<Self> {
                match scalar {
                    Scalar::$variant(value) => Some(value),
                    _ => None,
                }
            }
        })*
    };
}

/// A Rust type that is stored as one element type other than bool.
pub trait Get: Element + Into<Scalar> {
    /// The value, if it is of this type.
    fn get(scalar: Scalar) -> Option<Self>;
}

scalars! { I8 i8, I16 i16, I32 i32, I64 i64, U8 u8, U16 u16, U32 u32, U64 u64, F16 f16, BF16 bf16, F32 f32, F64 f64 }

impl Scalar {
    /// The value nearest to `value` of a type; any non-zero is true.
    pub fn of(value: f64, elem: ElemType) -> Self {
        match elem {
            ElemType::Bool => Self::Bool(u8::from(value != 0.0)),
            ElemType::F16 => Self::F16(f16::from_f64(value)),
            ElemType::BF16 => Self::BF16(bf16::from_f64(value)),
            ElemType::F32 => Self::F32(crate::kernels::cast(value)),
            ElemType::F64 => Self::F64(value),
            _ => with_elem!(elem, T => Self::from(crate::kernels::cast::<f64, T>(value))),
        }
    }

    /// An integer's value; `None` of other types, and of a `u64` that does not fit.
    pub fn to_int(self) -> Option<i64> {
        Self::tensor(self.elem(), [], &[self]).to_ints()?.pop()
    }

    /// What is below all else of a number type: minus infinity of floats.
    pub fn lowest(elem: ElemType) -> Self {
        with_elem!(elem, T => Self::from(<T as Number>::LOWEST))
    }

    /// What is above all else of a number type: infinity of floats.
    pub fn highest(elem: ElemType) -> Self {
        with_elem!(elem, T => Self::from(<T as Number>::HIGHEST))
    }

    /// A tensor of `scalars`, all of type `elem`.
    pub fn tensor(elem: ElemType, shape: impl Into<Shape>, scalars: &[Self]) -> Tensor {
        let mut bytes = Vec::new();
        scalars.iter().for_each(|scalar| scalar.append(&mut bytes));
        Tensor::new(TensorType::new(elem, shape), bytes).expect("as many scalars as the shape has")
    }

    /// The number in Rust, without a suffix: its type follows from where it stands.
    pub fn literal(self) -> TokenStream {
        match self {
            Self::Bool(value) | Self::U8(value) => plain(Literal::u8_unsuffixed(value)),
            Self::I8(value) => signed(value.into()),
            Self::I16(value) => signed(value.into()),
            Self::I32(value) => signed(value.into()),
            Self::I64(value) => signed(value),
            Self::U16(value) => plain(Literal::u16_unsuffixed(value)),
            Self::U32(value) => plain(Literal::u32_unsuffixed(value)),
            Self::U64(value) => plain(Literal::u64_unsuffixed(value)),
            Self::F16(value) => half(quote!(rt::half::f16), value.to_f32()),
            Self::BF16(value) => half(quote!(rt::half::bf16), value.to_f32()),
            Self::F32(f32::MAX) => quote!(f32::MAX),
            Self::F32(f32::MIN) => quote!(f32::MIN),
            Self::F32(value) if value.is_finite() => negated(value.is_sign_negative(), Literal::f32_unsuffixed(value.abs())),
            Self::F32(value) => special(quote!(f32), value.into()),
            Self::F64(value) if value.is_finite() => negated(value.is_sign_negative(), Literal::f64_unsuffixed(value.abs())),
            Self::F64(value) => special(quote!(f64), value),
        }
    }

    /// The number in Rust with its type, for where that does not follow from the place.
    pub fn typed_literal(self) -> TokenStream {
        let (literal, ty) = (self.literal(), crate::emit::elem(self.elem()));
        match self {
            Self::F16(_) | Self::BF16(_) => literal,
            _ => quote!(#literal as #ty),
        }
    }
}

fn plain(literal: Literal) -> TokenStream {
    quote!(#literal)
}

fn negated(negative: bool, literal: Literal) -> TokenStream {
    if negative { quote!(-#literal) } else { quote!(#literal) }
}

fn signed(value: i64) -> TokenStream {
    negated(value < 0, Literal::u64_unsuffixed(value.unsigned_abs()))
}

/// A number of one of the types that Rust has no literals for, made while compiling.
fn half(ty: TokenStream, value: f32) -> TokenStream {
    if !value.is_finite() {
        return special(ty, value.into());
    }
    let number = Scalar::F32(value).literal();
    quote!(const { #ty::from_f32_const(#number) })
}

fn special(ty: TokenStream, value: f64) -> TokenStream {
    match value {
        value if value.is_nan() => quote!(#ty::NAN),
        value if value > 0.0 => quote!(#ty::INFINITY),
        _ => quote!(#ty::NEG_INFINITY),
    }
}
