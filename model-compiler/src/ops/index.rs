//! Indices that name elements or slices of a tensor, made flat places: what the gather and scatter families share.
//!
//! An index counts from the end where it is negative. One that is computed at run time takes the nearest place there is where it is
//! out of range; a constant one is refused.

use super::elementwise::{Elementwise, Expr, push};
use super::expect_elem;
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::Op;
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape};

/// The place of each index along an axis of `len` elements, counted from its beginning, times `stride`.
fn places(node: &mut NodeReader, indices: ValueId, [len, stride]: [ValueId; 2]) -> Result<ValueId> {
    let elem = node.ty(indices).elem;
    let number = |value| Expr::Constant(Scalar::I64(value));
    let (index, len_of) = (Expr::Input(0).cast(elem, ElemType::I64), Expr::Input(1));
    let from_end = Expr::call("add", [index.clone(), len_of.clone()]);
    let place = Expr::call("select", [Expr::call("less", [index.clone(), number(0)]), from_end, index]);
    let last = Expr::call("sub", [len_of, number(1)]);
    let expr = Expr::call("mul", [Expr::call("clip", [place, number(0), last]), Expr::Input(2)]);
    node.push(Elementwise { expr }, &[indices, len, stride])
}

/// Refuses constant indices along axes of `lens` elements, which repeat, that are out of range.
fn expect_in_range(node: &NodeReader, indices: ValueId, lens: &[usize]) -> Result<()> {
    expect_elem("indices", node.ty(indices), &[ElemType::I32, ElemType::I64])?;
    let constant = node.value(indices).and_then(Tensor::to_ints).unwrap_or_default();
    for (index, &len) in constant.iter().zip(lens.iter().cycle()) {
        let signed = i64::try_from(len).expect("sizes fit i64");
        if !(-signed..signed).contains(index) {
            return Err(Refusal::new(
                format!("`indices` holds {index} for an axis of {len} elements"),
                format!("use indices from -{len} to {}", len.saturating_sub(1)),
            ));
        }
    }
    Ok(())
}

/// For each element of `indices` the flat place, in a tensor of `shape`, of the element at the same place but along `axis`, where it lies
/// at the index: what `GatherElements` reads and `ScatterElements` writes.
pub fn elements(node: &mut NodeReader, shape: &Shape, indices: ValueId, axis: usize) -> Result<ValueId> {
    let found = node.ty(indices).clone();
    let fits = |(other, (&index, &size)): (usize, (&usize, &usize))| other == axis || index <= size;
    if found.shape.len() != shape.len() || !found.shape.iter().zip(shape.iter()).enumerate().all(fits) {
        return Err(Refusal::new(
            format!(
                "`indices` is {found}, but the data has the shape {shape}; expected as many axes, none longer but axis {axis}"
            ),
            "fix the shapes in the exported model, or the sizes given in `dims`",
        ));
    }
    expect_in_range(node, indices, &[shape[axis]])?;
    let strides = shape.strides();
    let factors = [sizes_constant(node, &[shape[axis]], []), sizes_constant(node, &[strides[axis]], [])];
    let mut places = places(node, indices, factors)?;
    for other in (0..shape.len()).filter(|&other| other != axis && found.shape[other] > 1) {
        let offsets: Vec<usize> = (0..found.shape[other]).map(|index| index * strides[other]).collect();
        let mut broadcast = vec![1; shape.len() - other];
        broadcast[0] = found.shape[other];
        let offsets = sizes_constant(node, &offsets, broadcast);
        places = push(node, "add", &[places, offsets])?;
    }
    Ok(places)
}

/// For each row along the last axis of `indices` the number of the slice that it names in a tensor of `shape`, whose first `batch` axes
/// it has in common; and how many axes the slices are counted along.
pub fn slices(node: &mut NodeReader, shape: &Shape, indices: ValueId, batch: usize) -> Result<(ValueId, usize)> {
    let found = node.ty(indices).clone();
    let depth = found.shape.last().copied().unwrap_or(0);
    let axes = batch + depth;
    let batches_agree = found.shape.len() > batch && shape.get(..batch) == found.shape.get(..batch);
    if depth == 0 || axes > shape.len() || !batches_agree {
        return Err(Refusal::new(
            format!(
                "`indices` is {found} for data of the shape {shape}; expected {batch} equal axes and then a last one of 1 to {}",
                shape.len().saturating_sub(batch),
            ),
            "fix the shapes in the exported model, or the sizes given in `dims`",
        ));
    }
    expect_in_range(node, indices, &shape[batch..axes])?;
    let strides = Shape::from(&shape[..axes]).strides();
    let factors = [sizes_constant(node, &shape[batch..axes], [depth]), sizes_constant(node, &strides[batch..], [depth])];
    let mut places = places(node, indices, factors)?;
    let last = found.shape.len() - 1;
    if depth > 1 {
        places =
            node.push(Op::from(super::reduce::Reduce { method: super::reduce::Method::Sum, axes: vec![last] }), &[places])?;
    }
    places = node.reshape(places, &found.shape[..last])?;
    for axis in (0..batch).filter(|&axis| shape[axis] > 1) {
        let offsets: Vec<usize> = (0..shape[axis]).map(|index| index * strides[axis]).collect();
        let mut broadcast = vec![1; last - axis];
        broadcast[0] = shape[axis];
        let offsets = sizes_constant(node, &offsets, broadcast);
        places = push(node, "add", &[places, offsets])?;
    }
    Ok((places, axes))
}

/// A constant of sizes in `shape`.
pub fn sizes_constant(node: &mut NodeReader, sizes: &[usize], shape: impl Into<Shape>) -> ValueId {
    node.add_constant(Tensor::from_sizes(sizes).reshaped(shape))
}
