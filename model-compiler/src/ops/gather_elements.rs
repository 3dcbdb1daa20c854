//! `GatherElements`, `GatherND`, `ReverseSequence`: elements and slices by indices that are computed for each of them.
//!
//! <https://onnx.ai/onnx/operators/onnx__GatherElements.html>, <https://onnx.ai/onnx/operators/onnx__GatherND.html>

use super::elementwise::{Elementwise, Expr};
use super::expect_elem;
use super::gather::Gather;
use super::index::{self, sizes_constant};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::{self, NodeReader};
use crate::scalar::Scalar;
use crate::ty::ElemType;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "GatherElements", opset: 11..=LATEST, read: read_elements },
    OpDef { name: "GatherND", opset: 11..=11, read: |node| read_slices(node, 0) },
    OpDef { name: "GatherND", opset: 12..=LATEST, read: |node| read_slices(node, node.int("batch_dims", 0)?) },
    OpDef { name: "ReverseSequence", opset: 10..=LATEST, read: read_reverse },
];

/// `y[i, j, …] = x[i, indices[i, j, …], …]`, the index at `axis`.
fn read_elements(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, indices) = (node.input(0)?, node.input(1)?);
    let rank = node.ty(x).shape.len();
    let axis = node.axis("axis", 0, rank)?;
    Ok(vec![elements(node, x, indices, axis)?])
}

/// Pushes what `GatherElements` means.
pub fn elements(node: &mut NodeReader, x: ValueId, indices: ValueId, axis: usize) -> Result<ValueId> {
    let shape = node.ty(x).shape.clone();
    let places = index::elements(node, &shape, indices, axis)?;
    let flat = node.reshape(x, [shape.elements()])?;
    node.push(Gather { axis: 0 }, &[flat, places])
}

/// `y[b…, i…, …] = x[b…, indices[b…, i…]…, …]`, with as many axes `b…` as `batch` says.
fn read_slices(node: &mut NodeReader, batch: i64) -> Result<Vec<ValueId>> {
    let (x, indices) = (node.input(0)?, node.input(1)?);
    let shape = node.ty(x).shape.clone();
    let batch = usize::try_from(batch).ok().filter(|&batch| batch < shape.len()).ok_or_else(|| {
        reader::unsupported_attribute("batch_dims", &batch.to_string(), &format!("0 to {}", shape.len().saturating_sub(1)))
    })?;
    let (places, axes) = index::slices(node, &shape, indices, batch)?;
    let mut slices = vec![shape[..axes].iter().product()];
    slices.extend_from_slice(&shape[axes..]);
    let slices = node.reshape(x, slices)?;
    Ok(vec![node.push(Gather { axis: 0 }, &[slices, places])?])
}

/// The first `sequence_lens[b]` elements along the axis of time in reverse order, for each batch `b`; those behind stay where they are.
///
/// <https://onnx.ai/onnx/operators/onnx__ReverseSequence.html>
fn read_reverse(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, lens) = (node.input(0)?, node.input(1)?);
    let ty = node.ty(x).clone();
    let (batch, time) = match [node.int("batch_axis", 1)?, node.int("time_axis", 0)?] {
        [0, 1] => (0, 1),
        [1, 0] => (1, 0),
        axes => {
            return Err(Refusal::new(
                format!("`batch_axis` and `time_axis` are {axes:?}; supported are 0 and 1, or 1 and 0"),
                "transpose the tensor in the exported model",
            ));
        }
    };
    expect_elem("sequence_lens", node.ty(lens), &[ElemType::I64])?;
    if ty.shape.len() < 2 || node.ty(lens).shape[..] != ty.shape[batch..=batch] {
        return Err(Refusal::new(
            format!(
                "`sequence_lens` is {} for the input {ty}; expected a length for each element of axis {batch}",
                node.ty(lens)
            ),
            "fix the shapes in the exported model, or the sizes given in `dims`",
        ));
    }
    // Beside lengths and times, the number of each batch's first slice and the distance of its slices make flat places.
    let strides = [ty.shape[1], 1];
    let along = |axis: usize| if axis == 0 { [ty.shape[0], 1] } else { [1, ty.shape[1]] };
    let steps: Vec<usize> = (0..ty.shape[time]).collect();
    let starts: Vec<usize> = (0..ty.shape[batch]).map(|index| index * strides[batch]).collect();
    let lens = node.reshape(lens, along(batch))?;
    let steps = sizes_constant(node, &steps, along(time));
    let starts = sizes_constant(node, &starts, along(batch));
    let number = |value: usize| Expr::Constant(Scalar::I64(i64::try_from(value).expect("sizes fit i64")));
    let (len, step) = (Expr::call("clip", [Expr::Input(0), number(0), number(ty.shape[time])]), Expr::Input(1));
    let mirrored = Expr::call("sub", [Expr::call("sub", [len.clone(), number(1)]), step.clone()]);
    let source = Expr::call("select", [Expr::call("less", [step.clone(), len]), mirrored, step]);
    let expr = Expr::call("add", [Expr::call("mul", [source, number(strides[time])]), Expr::Input(2)]);
    let places = node.push(Elementwise { expr }, &[lens, steps, starts])?;
    let mut slices = vec![ty.shape[0] * ty.shape[1]];
    slices.extend_from_slice(&ty.shape[2..]);
    let slices = node.reshape(x, slices)?;
    Ok(vec![node.push(Gather { axis: 0 }, &[slices, places])?])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    fn counting(shape: &[usize]) -> Tensor {
        Tensor::from_vec(shape, &(0..).take(shape.iter().product()).collect::<Vec<i64>>())
    }

    fn ints(shape: &[usize], values: &[i64]) -> Tensor {
        Tensor::from_vec(shape, values)
    }

    #[test]
    fn elements_along_an_axis() {
        let node = |axis, indices: &Tensor| {
            OneNode::new("GatherElements", 13).constant(&counting(&[3, 4])).constant(indices).int("axis", axis)
        };
        // y[i, j] = x[indices[i, j], j] and y[i, j] = x[i, indices[i, j]]
        assert_eq!(node(0, &ints(&[2, 3], &[1, 2, 0, -1, 0, 1])).result_ints(), [4, 9, 2, 8, 1, 6]);
        assert_eq!(node(1, &ints(&[3, 2], &[3, 0, -4, 1, 2, 2])).result_ints(), [3, 0, 4, 5, 10, 10]);
        node(0, &ints(&[1, 1], &[3])).refused("`indices` holds 3 for an axis of 3 elements", "from -3 to 2");
        node(0, &ints(&[4], &[0; 4])).refused("`indices` is i64[4], but the data has the shape [3, 4]", "fix the shapes");
        node(0, &ints(&[1, 5], &[0; 5])).refused("none longer but axis 0", "fix the shapes");
    }

    #[test]
    fn slices_by_rows_of_indices() {
        let node = |indices: &Tensor| OneNode::new("GatherND", 12).constant(&counting(&[2, 3, 2])).constant(indices);
        assert_eq!(node(&ints(&[2, 2], &[1, -1, 0, 1])).result_ints(), [10, 11, 2, 3]);
        assert_eq!(node(&ints(&[1, 3], &[1, 2, 0])).result_ints(), [10]);
        assert_eq!(node(&ints(&[1], &[-1])).result_ints(), [6, 7, 8, 9, 10, 11]);
        assert_eq!(node(&ints(&[2, 1], &[2, 0])).int("batch_dims", 1).result_ints(), [4, 5, 6, 7]);
        assert_eq!(node(&ints(&[2, 2, 1], &[0, 1, 2, 2])).int("batch_dims", 1).types(), ["i64[2, 2, 2]"]);
        node(&ints(&[1, 2], &[0, 3])).refused("`indices` holds 3 for an axis of 3 elements", "from -3 to 2");
        node(&ints(&[1, 4], &[0; 4])).refused("then a last one of 1 to 3", "fix the shapes");
        node(&ints(&[1], &[0])).int("batch_dims", 3).refused("`batch_dims` is 3; supported: 0 to 2", "replace the node");
    }

    #[test]
    fn sequences_are_reversed_up_to_their_length() {
        let node = |batch, time, lens: &[i64]| {
            let node = OneNode::new("ReverseSequence", 10).constant(&counting(&[3, 2, 1])).constant_ints(lens);
            node.int("batch_axis", batch).int("time_axis", time)
        };
        assert_eq!(node(1, 0, &[3, 2]).result_ints(), [4, 3, 2, 1, 0, 5]);
        assert_eq!(node(0, 1, &[2, 1, 2]).result_ints(), [1, 0, 2, 3, 5, 4]);
        node(0, 0, &[1, 1, 1]).refused("`batch_axis` and `time_axis` are [0, 0]", "transpose");
        node(1, 0, &[1, 1, 1]).refused("expected a length for each element of axis 1", "fix the shapes");
    }

    #[test]
    fn indices_at_run_time_become_places() {
        let node = OneNode::new("GatherElements", 13).floats(&[3, 4]).input(ElemType::I32, &[2, 4]).int("axis", 0);
        assert!(node.text().contains("f32[2, 4] = Gather { axis: 0 }"), "{}", node.text());
        let node = OneNode::new("GatherND", 13).floats(&[3, 4]).input(ElemType::F32, &[2, 1]);
        node.refused("`indices` is f32[2, 1]; supported element types are i32, i64", "cast the tensor");
    }
}
