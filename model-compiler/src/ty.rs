//! The types of values: an element type and fixed sizes, printed as `f32[1, 8, 6, 6]`.

use std::fmt;
use std::ops::Deref;

use crate::onnx::proto::DataType;

/// What a tensor's elements are.
///
/// ONNX `bool` is stored as a byte: 0 or 1 is written, any non-zero reads as true.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ElemType {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    BF16,
    F32,
    F64,
}

use ElemType::*;

/// Every element type, with the name it prints as and its size in bytes.
const ELEM_TYPES: &[(ElemType, &str, usize, DataType)] = &[
    (Bool, "bool", 1, DataType::Bool),
    (I8, "i8", 1, DataType::Int8),
    (I16, "i16", 2, DataType::Int16),
    (I32, "i32", 4, DataType::Int32),
    (I64, "i64", 8, DataType::Int64),
    (U8, "u8", 1, DataType::Uint8),
    (U16, "u16", 2, DataType::Uint16),
    (U32, "u32", 4, DataType::Uint32),
    (U64, "u64", 8, DataType::Uint64),
    (F16, "f16", 2, DataType::Float16),
    (BF16, "bf16", 2, DataType::Bfloat16),
    (F32, "f32", 4, DataType::Float),
    (F64, "f64", 8, DataType::Double),
];

impl ElemType {
    /// The element types, in declaration order.
    pub fn all() -> impl Iterator<Item = Self> {
        ELEM_TYPES.iter().map(|row| row.0)
    }

    /// The element type that ONNX calls `data_type`, if it is one of numbers.
    pub fn from_onnx(data_type: DataType) -> Option<Self> {
        ELEM_TYPES.iter().find(|row| row.3 == data_type).map(|row| row.0)
    }

    fn row(self) -> &'static (Self, &'static str, usize, DataType) {
        &ELEM_TYPES[self as usize]
    }

    /// The name: `f32`, `bool`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Bytes an element takes.
    pub fn size(self) -> usize {
        self.row().2
    }

    /// `f16`, `bf16`, `f32` or `f64`.
    pub fn is_float(self) -> bool {
        matches!(self, F16 | BF16 | F32 | F64)
    }

    /// An integer type, signed or not.
    pub fn is_int(self) -> bool {
        !self.is_float() && self != Bool
    }
}

impl fmt::Display for ElemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The sizes of a tensor, outermost first. A scalar has none.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Shape(Vec<usize>);

impl Shape {
    /// How many elements a tensor of this shape has; the greatest `usize` if they cannot be counted.
    pub fn elements(&self) -> usize {
        if self.0.contains(&0) { 0 } else { self.0.iter().fold(1, |product: usize, &size| product.saturating_mul(size)) }
    }

    /// Row-major strides in elements.
    pub fn strides(&self) -> Vec<usize> {
        let mut strides = vec![1_usize; self.len()];
        for axis in (1..self.len()).rev() {
            strides[axis - 1] = strides[axis].saturating_mul(self.0[axis]);
        }
        strides
    }

    /// The sizes without those of one.
    pub fn squeezed(&self) -> Vec<usize> {
        self.0.iter().copied().filter(|&size| size != 1).collect()
    }
}

impl Deref for Shape {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.0
    }
}

impl<S: Into<Vec<usize>>> From<S> for Shape {
    fn from(sizes: S) -> Self {
        Self(sizes.into())
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(sizes: I) -> Self {
        Self(sizes.into_iter().collect())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

/// As it is displayed, so that operators which hold a shape stay readable.
impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// An element type and a shape.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TensorType {
    /// What the elements are.
    pub elem: ElemType,
    /// How many, along each axis.
    pub shape: Shape,
}

impl TensorType {
    /// The type `elem[shape]`.
    pub fn new(elem: ElemType, shape: impl Into<Shape>) -> Self {
        Self { elem, shape: shape.into() }
    }

    /// How many elements a value of this type has.
    pub fn elements(&self) -> usize {
        self.shape.elements()
    }

    /// How many bytes a value of this type takes.
    pub fn bytes(&self) -> usize {
        self.elements().saturating_mul(self.elem.size())
    }

    /// The same elements in another shape.
    pub fn with_shape(&self, shape: impl Into<Shape>) -> Self {
        Self::new(self.elem, shape)
    }

    /// The same shape of other elements.
    pub fn with_elem(&self, elem: ElemType) -> Self {
        Self::new(elem, self.shape.clone())
    }
}

impl fmt::Display for TensorType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.elem, self.shape)
    }
}

/// The shape to which `shapes` broadcast together, by ONNX's multidirectional rule.
///
/// <https://onnx.ai/onnx/repo-docs/Broadcasting.html>
pub fn broadcast<'a>(shapes: impl IntoIterator<Item = &'a Shape>) -> Option<Shape> {
    let mut result: Vec<usize> = Vec::new();
    for shape in shapes {
        let longer = shape.len().saturating_sub(result.len());
        result.splice(0..0, std::iter::repeat_n(1, longer));
        let skipped = result.len() - shape.len();
        for (size, &other) in result[skipped..].iter_mut().zip(shape.iter()) {
            match (*size, other) {
                (a, b) if a == b || b == 1 => {}
                (1, b) => *size = b,
                _ => return None,
            }
        }
    }
    Some(result.into())
}
