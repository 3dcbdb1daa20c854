//! `Compress`, `NonZero`, `Unique`, `NonMaxSuppression`: operators whose output has a size that depends on elements. The first two are read where
//! these elements are known; the others are refused with what to do instead.
//!
//! <https://onnx.ai/onnx/operators/onnx__NonZero.html>

use super::gather;
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::{NodeReader, axis};
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Compress", opset: 9..=LATEST, read: read_compress },
    OpDef { name: "NonMaxSuppression", opset: 10..=LATEST, read: |node| refuse(node, BOXES) },
    OpDef { name: "NonZero", opset: 9..=LATEST, read: read_non_zero },
    OpDef { name: "Unique", opset: 11..=LATEST, read: |node| refuse(node, DUPLICATES) },
];

const MASK: &str =
    "multiply by the mask instead of leaving elements out, or cut the model before the node and choose them in Rust";
const BOXES: &str = "cut the model at the boxes and scores, and choose among them in Rust";
const DUPLICATES: &str = "cut the model before the node, and drop duplicates in Rust";

fn refuse(node: &mut NodeReader, help: &str) -> Result<Vec<ValueId>> {
    Err(Refusal::new(
        format!(
            "how many elements `{}` has depends on what a run is given; sizes must be known at compile time",
            node.output_name(0)
        ),
        help,
    ))
}

/// The slices along `axis` for which the condition holds, or the elements without it.
///
/// <https://onnx.ai/onnx/operators/onnx__Compress.html>
fn read_compress(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, condition) = (node.input(0)?, node.input(1)?);
    let Some(condition) = node.value(condition).and_then(Tensor::to_ints) else { return refuse(node, MASK) };
    let shape = node.ty(x).shape.clone();
    let (x, axis) = match node.optional_int("axis")? {
        Some(given) => (x, axis("axis", given, shape.len())?),
        None => (node.reshape(x, [shape.iter().product::<usize>()])?, 0),
    };
    let size = node.ty(x).shape[axis];
    let holds = condition.iter().take(size).enumerate().filter(|(_, holds)| **holds != 0);
    let places: Vec<usize> = holds.map(|(place, _)| place).collect();
    Ok(vec![gather::push_constant(node, x, axis, &places)?])
}

/// The index of each element that is not zero, one below another.
fn read_non_zero(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let Some(known) = node.value(x).cloned() else { return refuse(node, MASK) };
    let (shape, strides) = (known.ty().shape.clone(), known.ty().shape.strides());
    let zero = Scalar::zero(known.ty().elem);
    let places: Vec<usize> =
        Scalar::all(&known).iter().enumerate().filter(|(_, element)| **element != zero).map(|(place, _)| place).collect();
    let along = |axis: usize| places.iter().map(|place| place / strides[axis] % shape[axis]).collect::<Vec<_>>();
    let rank = known.ty().shape.len();
    let indices: Vec<usize> = (0..rank).flat_map(along).collect();
    let indices = node.add_constant(Tensor::from_sizes(&indices));
    Ok(vec![node.reshape(indices, [rank, places.len()])?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;
    use crate::ty::ElemType;

    #[test]
    fn known_elements_decide_the_size() {
        let x = Tensor::from_vec([2, 3], &[1i64, 0, 2, 0, 0, 3]);
        assert_eq!(OneNode::new("NonZero", 13).constant(&x).result_ints(), [0, 0, 1, 0, 2, 2]);
        let halves = Tensor::from_vec([3], &[0.5f32, -0.0, -1.0]);
        assert_eq!(OneNode::new("NonZero", 13).constant(&halves).result_ints(), [0, 2]);
        let compress = |condition: &[i64]| OneNode::new("Compress", 11).constant(&x).constant_ints(condition);
        assert_eq!(compress(&[1, 0, 1, 0, 0, 1]).result_ints(), [1, 2, 3]);
        assert_eq!(compress(&[0, 1]).int("axis", -2).result_ints(), [0, 0, 3]);
        assert_eq!(compress(&[0, 0, 1]).int("axis", 1).result_ints(), [2, 3]);
        let given = OneNode::new("Compress", 11).floats(&[2, 3]).constant_ints(&[1, 1, 0]).int("axis", 1);
        assert_eq!(given.types(), ["f32[2, 2]"]);
        compress(&[1]).int("axis", 2).refused("`axis` is 2, but the input has 2 dimensions", "from -2 to 1");
    }

    #[test]
    fn what_to_do_instead() {
        let message = "how many elements `y0` has depends on what a run is given";
        OneNode::new("NonZero", 13).floats(&[4]).refused(message, "multiply by the mask");
        OneNode::new("Compress", 11).floats(&[4]).input(ElemType::Bool, &[4]).refused(message, "multiply by the mask");
        OneNode::new("Unique", 11).floats(&[4]).refused(message, "drop duplicates in Rust");
        OneNode::new("NonMaxSuppression", 11).floats(&[1, 6, 4]).floats(&[1, 1, 6]).refused(message, "boxes and scores");
    }
}
