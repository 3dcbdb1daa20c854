//! `Trilu`, `OneHot`: elements that are told apart by where they stand.
//!
//! <https://onnx.ai/onnx/operators/onnx__Trilu.html>

use super::elementwise::{Elementwise, Expr};
use super::index::sizes_constant;
use super::slice::{self, Span};
use super::{expect_elem, sized};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Trilu", opset: 14..=LATEST, read: read_trilu },
    OpDef { name: "OneHot", opset: 9..=LATEST, read: read_one_hot },
];

/// The elements on one side of a diagonal of the last two axes, and zeros on the other.
fn read_trilu(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let upper = node.flag("upper", true)?;
    let k = node.constant_ints(1, "k")?.and_then(|k| k.first().copied()).unwrap_or(0);
    let ty = node.ty(x).clone();
    let [.., rows, columns] = ty.shape[..] else {
        return Err(Refusal::new(
            format!("the input is {ty}; expected a matrix"),
            "give `Trilu` a tensor of two dimensions at least",
        ));
    };
    let row_numbers: Vec<usize> = (0..rows).collect();
    let column_numbers: Vec<usize> = (0..columns).collect();
    let row = sizes_constant(node, &row_numbers, [rows, 1]);
    let column = sizes_constant(node, &column_numbers, [columns]);
    // Element (row, column) lies on diagonal column − row.
    let diagonal = Expr::call("sub", [Expr::Input(2), Expr::Input(1)]);
    let side = if upper { "greater_or_equal" } else { "less_or_equal" };
    let is_kept = Expr::call(side, [diagonal, Expr::Constant(Scalar::I64(k))]);
    let expr = Expr::call("select", [is_kept, Expr::Input(0), Expr::Constant(Scalar::zero(ty.elem))]);
    Ok(vec![node.push(Elementwise { expr }, &[x, row, column])?])
}

/// One of two values: the second at the place along a new axis that an index names, else the first.
///
/// An index counts from the end where it is negative, and names no place where it is out of range.
/// <https://onnx.ai/onnx/operators/onnx__OneHot.html>
fn read_one_hot(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (indices, values) = (node.input(0)?, node.input(2)?);
    node.input(1)?;
    let (found, values_ty) = (node.ty(indices).clone(), node.ty(values).clone());
    let depth = depth(node)?;
    let axis = node.axis("axis", -1, found.shape.len() + 1)?;
    let numbers: Vec<ElemType> = ElemType::all().filter(|&elem| elem != ElemType::Bool).collect();
    expect_elem("indices", &found, &numbers)?;
    if values_ty.shape[..] != [2] {
        return Err(Refusal::new(
            format!("`values` is {values_ty}; expected two elements, off and on"),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    let mut shape = found.shape.to_vec();
    shape.insert(axis, 1);
    let mut full = shape.clone();
    full[axis] = depth;
    sized(values_ty.elem, &full)?;
    let indices = node.reshape(indices, shape)?;
    let places: Vec<usize> = (0..depth).collect();
    let mut along = vec![1; found.shape.len() - axis + 1];
    along[0] = depth;
    let places = sizes_constant(node, &places, along);
    let mut inputs = vec![indices, places];
    let off_on = [0, 1].map(|start| value(node, values, start, &mut inputs));
    let [off, on] = off_on;
    let (off, on) = (off?, on?);
    let index = Expr::Input(0).cast(found.elem, ElemType::I64);
    let number = |value| Expr::Constant(Scalar::I64(value));
    let len = number(i64::try_from(depth).expect("sizes fit i64"));
    let is_negative = Expr::call("less", [index.clone(), number(0)]);
    let place = Expr::call("select", [is_negative, Expr::call("add", [index.clone(), len]), index]);
    let expr = Expr::call("select", [Expr::call("equal", [place, Expr::Input(1)]), on, off]);
    Ok(vec![node.push(Elementwise { expr }, &inputs)?])
}

/// Element `start` of `values`: a number where it is known, else one more input.
fn value(node: &mut NodeReader, values: ValueId, start: usize, inputs: &mut Vec<ValueId>) -> Result<Expr> {
    if let Some(constant) = node.value(values) {
        return Ok(Expr::Constant(Scalar::all(constant)[start]));
    }
    inputs.push(slice::push(node, values, vec![Span { start, len: 1, step: 1 }])?);
    Ok(Expr::Input(inputs.len() - 1))
}

fn depth(node: &NodeReader) -> Result<usize> {
    let constant = node.constant(1, "depth")?;
    // Exporters write a float, too.
    let number = constant.as_ref().and_then(|depth| match Scalar::all(depth)[..] {
        [depth] => Scalar::tensor(ElemType::I64, [1], &[super::elementwise::cast(depth, ElemType::I64)]).to_ints(),
        _ => None,
    });
    let found = constant.as_ref().map(Tensor::ty);
    number.and_then(|depth| usize::try_from(depth[0]).ok()).filter(|&depth| depth > 0).ok_or_else(|| {
        let found = found.map_or_else(|| "nothing".to_owned(), ToString::to_string);
        Refusal::new(
            format!("input `depth` is {found}, no number of at least 1"),
            "export the model again, or check it with `onnx.checker`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    fn matrix() -> Tensor {
        Tensor::from_vec([2, 3], &[1i64, 2, 3, 4, 5, 6])
    }

    #[test]
    fn triangles() {
        let node = || OneNode::new("Trilu", 14).constant(&matrix());
        let k = |k: i64| Tensor::from_vec([], &[k]);
        assert_eq!(node().result_ints(), [1, 2, 3, 0, 5, 6]);
        assert_eq!(node().int("upper", 0).result_ints(), [1, 0, 0, 4, 5, 0]);
        assert_eq!(node().constant(&k(1)).result_ints(), [0, 2, 3, 0, 0, 6]);
        assert_eq!(node().constant(&k(-9)).result_ints(), [1, 2, 3, 4, 5, 6]);
        OneNode::new("Trilu", 14).floats(&[3]).refused("the input is f32[3]; expected a matrix", "two dimensions");
        OneNode::new("Trilu", 14).floats(&[3, 3]).input(ElemType::I64, &[]).refused("computed at run time", "initializer");
    }

    #[test]
    fn one_of_two_values() {
        let values = Tensor::from_vec([2], &[0i32, 7]);
        let node = |indices: &[i64]| {
            OneNode::new("OneHot", 11).constant_ints(indices).constant(&Tensor::from_vec([], &[3i64])).constant(&values)
        };
        assert_eq!(node(&[0, -1]).result_ints(), [7, 0, 0, 0, 0, 7]);
        assert_eq!(node(&[0, 2]).int("axis", 0).result_ints(), [7, 0, 0, 0, 0, 7]);
        assert_eq!(node(&[3, -4]).result_ints(), [0; 6], "out of range names no place");
        let float = OneNode::new("OneHot", 11).floats(&[1]).constant(&Tensor::from_vec([1], &[3.0f32])).floats(&[2]);
        assert_eq!(float.types(), ["f32[1, 3]"]);
        let none = OneNode::new("OneHot", 11).floats(&[1]).constant_ints(&[0]).floats(&[2]);
        none.refused("input `depth` is i64[1], no number of at least 1", "onnx.checker");
        let three = OneNode::new("OneHot", 11).floats(&[1]).constant_ints(&[3]).floats(&[3]);
        three.refused("`values` is f32[3]; expected two elements", "onnx.checker");
    }
}
