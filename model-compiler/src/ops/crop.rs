//! `CenterCropPad`: the middle of a tensor, or a tensor in the middle of zeros.
//!
//! <https://onnx.ai/onnx/operators/onnx__CenterCropPad.html>

use super::pad::{Mode, Pad};
use super::slice::{self, Span};
use super::{distinct_axes, sizes};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::NodeReader;
use crate::scalar::Scalar;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "CenterCropPad", opset: 18..=LATEST, read }];

fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let requested = sizes("shape", &node.constant_ints(1, "shape")?.unwrap_or_default())?;
    let ty = node.ty(x).clone();
    let axes = match node.ints("axes")? {
        Some(axes) => distinct_axes(&axes, ty.shape.len())?,
        None => (0..ty.shape.len()).collect(),
    };
    if requested.len() != axes.len() {
        return Err(Refusal::new(
            format!("input `shape` is {requested:?}; expected {} numbers, one for each axis", axes.len()),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    let mut spans: Vec<Span> = ty.shape.iter().copied().map(Span::all).collect();
    let (mut before, mut after) = (vec![0; ty.shape.len()], vec![0; ty.shape.len()]);
    for (&axis, &size) in axes.iter().zip(&requested) {
        let found = ty.shape[axis];
        spans[axis] = Span { start: found.saturating_sub(size) / 2, len: size.min(found), step: 1 };
        let added = size.saturating_sub(found);
        (before[axis], after[axis]) = (added / 2, added - added / 2);
    }
    let cropped = slice::push(node, x, spans)?;
    if before.iter().chain(&after).all(|&count| count == 0) {
        return Ok(vec![cropped]);
    }
    Ok(vec![node.push(Pad { before, after, mode: Mode::Constant(Scalar::zero(ty.elem)) }, &[cropped])?])
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    #[test]
    fn the_middle_stays() {
        let node = |len: i64, to: i64| {
            let x: Vec<i64> = (1..=len).collect();
            OneNode::new("CenterCropPad", 18)
                .constant(&Tensor::from_vec([1, x.len()], &x))
                .constant_ints(&[to])
                .ints("axes", &[-1])
        };
        assert_eq!(node(5, 2).result_ints(), [2, 3]);
        assert_eq!(node(2, 5).result_ints(), [0, 1, 2, 0, 0]);
        assert_eq!(node(3, 3).result_ints(), [1, 2, 3]);
        node(3, 3).constant_ints(&[1]).refused("input 2 is `x2`", "export");
        let few = OneNode::new("CenterCropPad", 18).floats(&[2, 2]).constant_ints(&[1]);
        few.refused("input `shape` is [1]; expected 2 numbers", "onnx.checker");
    }
}
