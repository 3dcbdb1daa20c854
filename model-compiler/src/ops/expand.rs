//! `Expand`, `Tile`: elements repeated along some axes.
//!
//! <https://onnx.ai/onnx/operators/onnx__Expand.html>

use proc_macro2::TokenStream;

use super::copy::{Strided, signed};
use super::{sized, sizes};
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::kernels::Overlap;
use crate::op::{LATEST, Op, OpDef, Operator, Types};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{Shape, TensorType, broadcast};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] =
    &[OpDef { name: "Expand", opset: 8..=LATEST, read: read_expand }, OpDef { name: "Tile", opset: 6..=LATEST, read: read_tile }];

/// The input repeated along each axis where it has one element and `shape`, of as many axes, has more.
#[derive(Clone, Debug, PartialEq)]
pub struct Expand {
    /// The sizes of the output.
    pub shape: Shape,
}

fn read_expand(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let requested: Shape = sizes("shape", &node.constant_ints(1, "shape")?.unwrap_or_default())?.into();
    let shape = broadcast([&node.ty(x).shape, &requested]).ok_or_else(|| {
        Refusal::new(
            format!("the input {} cannot be expanded to {requested}", node.ty(x)),
            "make the sizes of each axis, counted from the last, equal or one",
        )
    })?;
    Ok(vec![push(node, x, shape)?])
}

/// Each axis of `x`, with dimensions of one before the first, repeated up to `shape`.
/// `x` repeated to `shape`, which has its sizes or those where it has one element.
pub fn push(node: &mut NodeReader, x: ValueId, shape: Shape) -> Result<ValueId> {
    let mut own = vec![1; shape.len() - node.ty(x).shape.len()];
    own.extend_from_slice(&node.ty(x).shape);
    let x = node.reshape(x, own)?;
    if shape == node.ty(x).shape {
        return Ok(x);
    }
    node.push(Expand { shape }, &[x])
}

/// The whole input repeated along each axis: every axis becomes an axis of repeats and the axis itself.
///
/// <https://onnx.ai/onnx/operators/onnx__Tile.html>
fn read_tile(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let ty = node.ty(x).clone();
    let repeats = sizes("repeats", &node.constant_ints(1, "repeats")?.unwrap_or_default())?;
    if repeats.len() != ty.shape.len() {
        return Err(Refusal::new(
            format!("input `repeats` is {repeats:?}; expected {} numbers, one for each axis", ty.shape.len()),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    let (mut split, mut repeated, mut tiled) = (Vec::new(), Vec::new(), Vec::new());
    for (&size, &repeat) in ty.shape.iter().zip(&repeats) {
        if repeat != 1 && size != 1 {
            split.push(1);
            repeated.push(repeat);
        }
        split.push(size);
        repeated.push(if size == 1 { repeat } else { size });
        tiled.push(size.saturating_mul(repeat));
    }
    sized(ty.elem, &tiled)?;
    let x = node.reshape(x, split)?;
    let x = push(node, x, repeated.into())?;
    Ok(vec![node.reshape(x, tiled)?])
}

impl Expand {
    fn copy(&self, input: &Shape) -> Strided {
        let stride = |(&size, stride): (&usize, usize)| if size == 1 { 0 } else { signed(stride) };
        Strided::gather(&self.shape, 0, input.iter().zip(input.strides()).map(stride).collect())
    }
}

impl Operator for Expand {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        Ok(vec![sized(inputs[0].elem, &self.shape)?])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        let mut shape = self.shape.to_vec();
        perm.iter().zip(self.shape.iter()).for_each(|(&axis, &size)| shape[axis] = size);
        Some((Self { shape: shape.into() }.into(), perm.to_vec()))
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        Some(vec![self.copy(&inputs[0].ty().shape).fold(inputs[0], &outputs[0])?])
    }

    fn overlap(&self, types: Types, _input: usize) -> Overlap {
        self.copy(&types.inputs[0].shape).overlap(types.inputs[0].elem.size())
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        self.copy(&cx.input_ty(0).shape).lower(&cx.input(0), &cx.output(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;
    use crate::ty::ElemType;

    #[test]
    fn expands() {
        let node = |shape: &[usize], to: &[i64]| {
            let elements: Vec<i64> = (0..).take(shape.iter().product()).collect();
            OneNode::new("Expand", 8).constant(&Tensor::from_vec(shape, &elements)).constant_ints(to)
        };
        assert_eq!(node(&[2, 1], &[2, 3]).result_ints(), [0, 0, 0, 1, 1, 1]);
        assert_eq!(node(&[2], &[2, 1]).result_ints(), [0, 1, 0, 1]);
        assert_eq!(node(&[2, 1], &[1]).result_ints(), [0, 1]);
        assert_eq!(node(&[1], &[0]).types(), ["i64[0]"]);
        node(&[2], &[3]).refused("the input i64[2] cannot be expanded to [3]", "equal or one");
        node(&[1], &[-1]).refused("input `shape` is [-1]; expected numbers of at least 0", "onnx.checker");
        node(&[1], &[i64::MAX]).refused("at most 67108864 bytes", "fix the sizes");
        let runtime = OneNode::new("Expand", 8).floats(&[1]).input(ElemType::I64, &[1]);
        runtime.refused("input `shape` is `x1`, which is computed at run time", "fixed shapes");
    }

    #[test]
    fn tiles() {
        let node = |shape: &[usize], repeats: &[i64]| {
            let elements: Vec<i64> = (0..).take(shape.iter().product()).collect();
            OneNode::new("Tile", 6).constant(&Tensor::from_vec(shape, &elements)).constant_ints(repeats)
        };
        assert_eq!(node(&[2, 2], &[2, 1]).result_ints(), [0, 1, 2, 3, 0, 1, 2, 3]);
        assert_eq!(node(&[2, 2], &[1, 2]).result_ints(), [0, 1, 0, 1, 2, 3, 2, 3]);
        assert_eq!(node(&[2, 1], &[2, 2]).result_ints(), [0, 0, 1, 1, 0, 0, 1, 1]);
        assert_eq!(node(&[2], &[1]).result_ints(), [0, 1]);
        assert_eq!(node(&[2], &[0]).types(), ["i64[0]"]);
        node(&[2, 2], &[2]).refused("input `repeats` is [2]; expected 2 numbers, one for each axis", "onnx.checker");
        node(&[2], &[i64::MAX]).refused("at most 67108864 bytes", "fix the sizes");
    }

    #[test]
    fn a_transpose_moves_behind() {
        let expand = Expand { shape: [2, 3, 4].into() };
        let (moved, behind) = expand.transposed(Types { inputs: &[], outputs: &[] }, &[2, 0, 1]).unwrap();
        assert_eq!((moved, behind), (Expand { shape: [3, 4, 2].into() }.into(), vec![2, 0, 1]));
    }
}
