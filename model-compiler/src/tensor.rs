//! Constant data: a type and its elements, row-major and little-endian.

use half::{bf16, f16};
use prost::bytes::Bytes;

use crate::ty::{ElemType, Shape, TensorType};

/// A constant value. Cloning shares the data.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    ty: TensorType,
    bytes: Bytes,
}

/// A Rust type that elements are stored as.
pub trait Element: Copy + Default {
    /// The element type whose values `from_vec` makes of a vector of these.
    const ELEM: ElemType;

    /// Reads an element from exactly its bytes.
    fn from_le(bytes: &[u8]) -> Self;

    /// Appends the element's bytes.
    fn append(self, bytes: &mut Vec<u8>);
}

/// `elements! { f32 F32 }` lets tensors hold `f32`.
macro_rules! elements {
    ($($ty:ident $elem:ident)*) => { $(
        impl Element for $ty {
            const ELEM: ElemType = ElemType::$elem;

            fn from_le(bytes: &[u8]) -> Self {
                Self::from_le_bytes(bytes.try_into().expect("chunks of the element's size"))
            }

            fn append(self, bytes: &mut Vec<u8>) {
                bytes.extend_from_slice(&self.to_le_bytes());
            }
        }
    )* };
}

elements! { i8 I8 i16 I16 i32 I32 i64 I64 u8 U8 u16 U16 u32 U32 u64 U64 f16 F16 bf16 BF16 f32 F32 f64 F64 }

/// `with_elem!(elem, T => expression)` evaluates `expression` with `T` standing for the Rust type that stores `elem`.
#[macro_export]
#[doc(hidden)]
macro_rules! with_elem {
    ($elem:expr, $ty:ident => $body:expr) => {{
        use $crate::ty::ElemType;
        match $elem {
            ElemType::Bool | ElemType::U8 => {
                type $ty = u8;
                $body
            }
            ElemType::I8 => {
                type $ty = i8;
                $body
            }
            ElemType::I16 => {
                type $ty = i16;
                $body
            }
            ElemType::I32 => {
                type $ty = i32;
                $body
            }
            ElemType::I64 => {
                type $ty = i64;
                $body
            }
            ElemType::U16 => {
                type $ty = u16;
                $body
            }
            ElemType::U32 => {
                type $ty = u32;
                $body
            }
            ElemType::U64 => {
                type $ty = u64;
                $body
            }
            ElemType::F16 => {
                type $ty = half::f16;
                $body
            }
            ElemType::BF16 => {
                type $ty = half::bf16;
                $body
            }
            ElemType::F32 => {
                type $ty = f32;
                $body
            }
            ElemType::F64 => {
                type $ty = f64;
                $body
            }
        }
    }};
}

/// `with_bits!(elem, T => expression)` is as `with_elem!` for what only moves elements: `T` is an unsigned integer of their size.
#[macro_export]
#[doc(hidden)]
macro_rules! with_bits {
    ($elem:expr, $ty:ident => $body:expr) => {{
        match $elem.size() {
            1 => {
                type $ty = u8;
                $body
            }
            2 => {
                type $ty = u16;
                $body
            }
            4 => {
                type $ty = u32;
                $body
            }
            _ => {
                type $ty = u64;
                $body
            }
        }
    }};
}

/// `with_folded!(elem, T => expression)` is as `with_elem!`, in `Some`, for the types in which models compute with constants: `f32`, and the
/// integers of shapes. What a model computes with constants of other types stays a step, since the instances of a kernel that would fold it
/// cost every user time to build.
#[macro_export]
#[doc(hidden)]
macro_rules! with_folded {
    ($elem:expr, $ty:ident => $body:expr) => {{
        use $crate::ty::ElemType;
        match $elem {
            ElemType::F32 => {
                type $ty = f32;
                Some($body)
            }
            ElemType::I32 => {
                type $ty = i32;
                Some($body)
            }
            ElemType::I64 => {
                type $ty = i64;
                Some($body)
            }
            _ => None,
        }
    }};
}

impl Tensor {
    /// A tensor of type `ty` whose elements are `bytes`; `None` when their length differs.
    pub fn new(ty: TensorType, bytes: impl Into<Bytes>) -> Option<Self> {
        let bytes = bytes.into();
        (bytes.len() == ty.bytes()).then_some(Self { ty, bytes })
    }

    /// A tensor of `elements` in `shape`, which must have as many.
    pub fn from_vec<T: Element>(shape: impl Into<Shape>, elements: &[T]) -> Self {
        Self::from_elements(TensorType::new(T::ELEM, shape), elements)
    }

    /// A tensor of type `ty`, whose elements are stored as `T`.
    pub fn from_elements<T: Element>(ty: TensorType, elements: &[T]) -> Self {
        let mut bytes = Vec::with_capacity(size_of_val(elements));
        for &element in elements {
            element.append(&mut bytes);
        }
        Self::new(ty, bytes).expect("as many elements as the shape has")
    }

    /// A one-dimensional tensor of sizes, as ONNX's `Shape` gives it.
    pub fn from_sizes(sizes: &[usize]) -> Self {
        let sizes: Vec<i64> = sizes.iter().map(|&size| i64::try_from(size).expect("sizes fit i64")).collect();
        Self::from_vec([sizes.len()], &sizes)
    }

    /// Element type and shape.
    pub fn ty(&self) -> &TensorType {
        &self.ty
    }

    /// The elements' bytes, row-major and little-endian.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The elements; `T` must be the type that stores them.
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        assert_eq!(size_of::<T>(), self.ty.elem.size(), "internal error: wrong storage type; please report this model");
        self.bytes.chunks_exact(size_of::<T>()).map(T::from_le).collect()
    }

    /// The elements of an integer or bool tensor as `i64`; `None` for other types and for a `u64` that does not fit.
    pub fn to_ints(&self) -> Option<Vec<i64>> {
        /// The elements as `T`, widened.
        fn widen<T: Element + TryInto<i64>>(tensor: &Tensor) -> Option<Vec<i64>> {
            tensor.to_vec::<T>().into_iter().map(|element| element.try_into().ok()).collect()
        }
        match self.ty.elem {
            ElemType::I8 => widen::<i8>(self),
            ElemType::I16 => widen::<i16>(self),
            ElemType::I32 => widen::<i32>(self),
            ElemType::I64 => widen::<i64>(self),
            ElemType::Bool | ElemType::U8 => widen::<u8>(self),
            ElemType::U16 => widen::<u16>(self),
            ElemType::U32 => widen::<u32>(self),
            ElemType::U64 => widen::<u64>(self),
            _ => None,
        }
    }

    /// The same elements in another shape of as many.
    pub fn reshaped(&self, shape: impl Into<Shape>) -> Self {
        Self::new(self.ty.with_shape(shape), self.bytes.clone()).expect("a reshape keeps the number of elements")
    }
}
