//! `QuantizeLinear` and `DequantizeLinear`, computed as their formulas say.
//!
//! <https://onnx.ai/onnx/operators/onnx__QuantizeLinear.html>,
//! <https://onnx.ai/onnx/operators/onnx__DequantizeLinear.html>

use super::{Elementwise, Expr};
use crate::diagnostic::{Refusal, Result};
use crate::graph::{Integers, ValueId};
use crate::ops::expand;
use crate::ops::slice::{self, Span};
use crate::reader::{self, NodeReader, unsupported_attribute};
use crate::scalar::Scalar;
use crate::ty::{ElemType, Shape};

/// `x / scale`, rounded to the nearest integer, plus the zero point, saturated. The zero point is of the type of the result.
pub(super) fn quantize(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    // Tells how to round to 8-bit floats, which no result can be.
    node.ignore("saturate");
    let requested = elem_type(node, "output_dtype")?;
    let zero_point = node.optional_input(2).map(|id| node.ty(id).elem);
    let elem = match (requested, zero_point) {
        (Some(requested), Some(found)) if requested != found => {
            return Err(Refusal::new(
                format!("attribute `output_dtype` is {requested}, but the zero point is {found}"),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
        (requested, found) => requested.or(found).unwrap_or(ElemType::U8),
    };
    let steps = steps(node)?;
    let scale = node.ty(steps.scale).elem;
    let precision = elem_type(node, "precision")?.unwrap_or(scale);
    Ok(vec![steps.quantize(node, precision, elem)?])
}

/// `(x − zero point) · scale`
pub(super) fn dequantize(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let steps = steps(node)?;
    let elem = elem_type(node, "output_dtype")?.unwrap_or(node.ty(steps.scale).elem);
    Ok(vec![steps.dequantize(node, elem)?])
}

/// `x` quantized with one scale, and one zero point of the type of the result; without one that is `u8`.
pub fn push_quantized(node: &mut NodeReader, x: ValueId, scale: ValueId, zero_point: Option<ValueId>) -> Result<ValueId> {
    let elem = zero_point.map_or(ElemType::U8, |id| node.ty(id).elem);
    let steps = Steps::new(node, [x, scale], zero_point, 0)?;
    let precision = node.ty(steps.scale).elem;
    steps.quantize(node, precision, elem)
}

/// `x` dequantized with one scale and zero point, or with one for each index of `axis`.
pub fn push_dequantized(
    node: &mut NodeReader,
    x: ValueId,
    scale: ValueId,
    zero_point: Option<ValueId>,
    axis: i64,
) -> Result<ValueId> {
    let steps = Steps::new(node, [x, scale], zero_point, axis)?;
    let elem = node.ty(steps.scale).elem;
    steps.dequantize(node, elem)
}

/// Attribute `name` as an element type; 0 says that there is none.
fn elem_type(node: &NodeReader, name: &'static str) -> Result<Option<ElemType>> {
    if node.int(name, 0)? == 0 { Ok(None) } else { node.elem_type(name) }
}

/// The inputs of both operators, scale and zero point in shapes that broadcast to `x`.
struct Steps {
    x: ValueId,
    scale: ValueId,
    zero_point: Option<ValueId>,
    /// The axis along which scale and zero point differ, if they do.
    axis: usize,
}

impl Steps {
    /// Of `x`, its scale, and its zero point if there is one.
    fn new(node: &mut NodeReader, [x, scale]: [ValueId; 2], zero_point: Option<ValueId>, axis: i64) -> Result<Self> {
        let scale = along(node, x, scale, "scale", axis)?;
        let zero_point = zero_point.map(|zero_point| along(node, x, zero_point, "zero_point", axis)).transpose()?;
        let rank = node.ty(x).shape.len();
        let axis = if node.ty(scale).elements() == 1 { 0 } else { reader::axis("axis", axis, rank)? };
        Ok(Self { x, scale, zero_point, axis })
    }

    /// Pushes the integers of type `elem`, divided in `precision`.
    fn quantize(&self, node: &mut NodeReader, precision: ElemType, elem: ElemType) -> Result<ValueId> {
        let (input, scale) = (node.ty(self.x).elem, node.ty(self.scale).elem);
        let arguments = [Expr::Input(0).cast(input, precision), Expr::Input(1).cast(scale, precision), self.zero_point(elem)];
        node.push(Elementwise { expr: Expr::call("quantize", arguments) }, &self.inputs())
    }

    /// Pushes the numbers, of type `elem`.
    fn dequantize(&self, node: &mut NodeReader, elem: ElemType) -> Result<ValueId> {
        let arguments = [Expr::Input(0), Expr::Input(1), self.zero_point(node.ty(self.x).elem)];
        let expr = Expr::call("dequantize", arguments).cast(node.ty(self.scale).elem, elem);
        let result = node.push(Elementwise { expr }, &self.inputs())?;
        if let Some(integers) = self.integers(node).filter(|_| elem == ElemType::F32) {
            node.remember(result, integers);
        }
        Ok(result)
    }

    fn inputs(&self) -> Vec<ValueId> {
        [self.x, self.scale].into_iter().chain(self.zero_point).collect()
    }

    fn zero_point(&self, elem: ElemType) -> Expr {
        self.zero_point.map_or(Expr::Constant(Scalar::zero(elem)), |_| Expr::Input(2))
    }

    /// The integers of a constant `x`.
    fn integers(&self, node: &NodeReader) -> Option<Integers> {
        let scale = node.value(self.scale).filter(|scale| scale.ty().elem == ElemType::F32)?.to_vec();
        let zero_point = match self.zero_point {
            Some(zero_point) => node.value(zero_point)?.to_ints()?,
            None => vec![0; scale.len()],
        };
        let tensor = node.value(self.x)?.clone();
        let by_axis = scale.len() == 1 || Some(&scale.len()) == tensor.ty().shape.get(self.axis);
        (by_axis && scale.len() == zero_point.len()).then_some(Integers { tensor, scale, zero_point, axis: self.axis })
    }
}

fn steps(node: &mut NodeReader) -> Result<Steps> {
    let (x, scale, zero_point) = (node.input(0)?, node.input(1)?, node.optional_input(2));
    let attribute = node.int("axis", 1)?;
    match node.int("block_size", 0)? {
        0 => Steps::new(node, [x, scale], zero_point, attribute),
        block_size => blocked(node, [x, scale], zero_point, attribute, block_size),
    }
}

/// The steps where each `block_size` elements along an axis share a scale and a zero point.
fn blocked(
    node: &mut NodeReader,
    [x, scale]: [ValueId; 2],
    zero_point: Option<ValueId>,
    axis: i64,
    block_size: i64,
) -> Result<Steps> {
    let shape = node.ty(x).shape.clone();
    let axis = reader::axis("axis", axis, shape.len())?;
    let size = usize::try_from(block_size).ok().filter(|size| (1..=shape[axis]).contains(size)).ok_or_else(|| {
        unsupported_attribute("block_size", &block_size.to_string(), &format!("0 to {}, the size of axis {axis}", shape[axis]))
    })?;
    let scale = spread(node, scale, "scale", &shape, axis, size)?;
    let zero_point = zero_point.map(|id| spread(node, id, "zero_point", &shape, axis, size)).transpose()?;
    Ok(Steps { x, scale, zero_point, axis })
}

/// A number for each element of `shape`, of which there is one for each `size` of them along `axis`.
fn spread(node: &mut NodeReader, id: ValueId, name: &str, shape: &Shape, axis: usize, size: usize) -> Result<ValueId> {
    let found = node.ty(id).clone();
    let mut blocks = shape.to_vec();
    blocks[axis] = shape[axis].div_ceil(size);
    if found.shape[..] != blocks[..] {
        return Err(Refusal::new(
            format!("`{name}` is {found}; expected {blocks:?}, a number for each {size} elements along axis {axis}"),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    let mut of_one = blocks.clone();
    of_one.insert(axis + 1, 1);
    let mut repeated = of_one.clone();
    repeated[axis + 1] = size;
    let apart = node.reshape(id, of_one)?;
    let each = expand::push(node, apart, repeated.into())?;
    blocks[axis] *= size;
    let each = node.reshape(each, blocks.clone())?;
    let mut kept: Vec<Span> = blocks.iter().copied().map(Span::all).collect();
    kept[axis] = Span::all(shape[axis]);
    slice::push(node, each, kept)
}

/// One number for all of `x`, or one for each index of `axis`, in a shape that broadcasts to `x`.
fn along(node: &mut NodeReader, x: ValueId, id: ValueId, name: &str, axis: i64) -> Result<ValueId> {
    let found = node.ty(id).clone();
    if found.elements() == 1 {
        return node.reshape(id, []);
    }
    let shape = node.ty(x).shape.clone();
    let axis = reader::axis("axis", axis, shape.len())?;
    if found.shape[..] != [shape[axis]] {
        return Err(Refusal::new(
            format!("`{name}` is {found}; expected one number, or {} for axis {axis}", shape[axis]),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    let mut along = vec![1; shape.len() - axis];
    along[0] = shape[axis];
    node.reshape(id, along)
}
