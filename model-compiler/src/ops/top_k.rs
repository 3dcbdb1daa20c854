//! `TopK`: <https://onnx.ai/onnx/operators/onnx__TopK.html>

use proc_macro2::TokenStream;
use quote::quote;

use super::{cells, expect_elem};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, Op, OpDef, Operator, Types, reference_only};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};
use crate::with_folded;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "TopK", opset: 1..=9, read: |node| read(node, node.int("k", 0)?, true) },
    OpDef { name: "TopK", opset: 10..=10, read: |node| read(node, k(node)?, true) },
    OpDef { name: "TopK", opset: 11..=LATEST, read: read_either },
];

/// The greatest or least elements of each lane along `axis` in their order, and where they stand.
#[derive(Clone, Debug, PartialEq)]
pub struct TopK {
    /// The axis of the lanes.
    pub axis: usize,
    /// How many elements are wanted.
    pub k: usize,
    /// Whether the greatest are, else the least.
    pub largest: bool,
}

fn read_either(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    // Elements in any order may be in the right one.
    node.flag("sorted", true)?;
    let largest = node.flag("largest", true)?;
    read(node, k(node)?, largest)
}

/// Input 1 as a number.
fn k(node: &NodeReader) -> Result<i64> {
    node.input(1)?;
    match node.constant_ints(1, "K")?.as_deref() {
        Some(&[k]) => Ok(k),
        found => Err(Refusal::new(
            format!("input `K` is {:?}; expected one number", found.unwrap_or_default()),
            "export the model again, or check it with `onnx.checker`",
        )),
    }
}

fn read(node: &mut NodeReader, k: i64, largest: bool) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let shape = node.ty(x).shape.clone();
    let axis = node.axis("axis", -1, shape.len())?;
    let k = usize::try_from(k).ok().filter(|k| (1..=shape[axis]).contains(k)).ok_or_else(|| {
        Refusal::new(
            format!("`k` is {k}, but axis {axis} has {} elements", shape[axis]),
            format!("use a number from 1 to {}", shape[axis]),
        )
    })?;
    node.push_all(TopK { axis, k, largest }, &[x])
}

impl TopK {
    fn kernel(&self, input: &TensorType) -> kernels::TopK {
        let (outer, rest) = input.shape.split_at(self.axis);
        let [outer, inner] = [outer, &rest[1..]].map(|sizes| sizes.iter().product());
        kernels::TopK { outer, len: rest[0], inner, k: self.k, largest: self.largest }
    }
}

impl Operator for TopK {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let ordered: Vec<ElemType> = ElemType::all().filter(|&elem| elem != ElemType::Bool).collect();
        expect_elem("X", inputs[0], &ordered)?;
        let mut shape = inputs[0].shape.to_vec();
        shape[self.axis] = self.k;
        let values = inputs[0].with_shape(shape);
        Ok(vec![values.clone(), values.with_elem(ElemType::I64)])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let kernel = self.kernel(inputs[0].ty());
        let indices = cells::<i64>(outputs[1].elements());
        let values = with_folded!(outputs[0].elem, T => {
            super::mapped::<T>(inputs[0], &outputs[0], |x, y| kernel.run(x, y, &indices))
        })?;
        let indices: Vec<i64> = indices.iter().map(std::cell::Cell::get).collect();
        Some(vec![values, Tensor::from_vec(outputs[1].shape.clone(), &indices)])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        Some((Self { axis: perm[self.axis], ..self.clone() }.into(), perm.to_vec()))
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&self.kernel(cx.input_ty(0)));
        let (x, values, indices) = (cx.input(0), cx.output(0), cx.output(1));
        quote! { #kernel.run(#x, #values, #indices); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    fn node(opset: i64) -> OneNode {
        OneNode::new("TopK", opset).constant(&Tensor::from_vec([2, 3], &[3i32, 1, 3, -7, 5, 0])).outputs(2)
    }

    #[test]
    fn values_and_indices() {
        let cases = [
            (node(9).int("k", 2), vec![3, 3, 5, 0], vec![0, 2, 1, 2]),
            (node(10).constant_ints(&[1]), vec![3, 5], vec![0, 1]),
            (node(11).constant_ints(&[1]).int("largest", 0), vec![1, -7], vec![1, 0]),
            (node(11).constant_ints(&[1]).int("axis", 0).int("sorted", 0), vec![3, 5, 3], vec![0, 1, 0]),
        ];
        for (node, values, indices) in cases {
            let results = node.results();
            assert_eq!((results[0].to_ints(), results[1].to_ints()), (Some(values), Some(indices)), "{node:?}");
        }
    }

    #[test]
    fn refusals() {
        node(11).constant_ints(&[4]).refused("`k` is 4, but axis 1 has 3 elements", "a number from 1 to 3");
        node(11).constant_ints(&[1, 1]).refused("input `K` is [1, 1]; expected one number", "onnx.checker");
        node(11).input(ElemType::I64, &[1]).refused("input `K` is `x1`, which is computed at run time", "fixed shapes");
        let bools = OneNode::new("TopK", 11).input(ElemType::Bool, &[3]).constant_ints(&[1]).outputs(2);
        bools.refused("`X` is bool[3]", "cast");
    }

    #[test]
    fn a_transpose_moves_behind() {
        let top = TopK { axis: 1, k: 2, largest: true };
        let moved = top.transposed(Types { inputs: &[], outputs: &[] }, &[2, 0, 1]);
        assert_eq!(moved, Some((TopK { axis: 0, k: 2, largest: true }.into(), vec![2, 0, 1])));
    }
}
