//! `ArgMax`, `ArgMin`, `Hardmax`: <https://onnx.ai/onnx/operators/onnx__ArgMax.html>

use proc_macro2::TokenStream;
use quote::quote;

use super::{FLOATS, expect_elem, filled, mapped};
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
    OpDef { name: "ArgMax", opset: 1..=LATEST, read: |node| read(node, Target::Greatest) },
    OpDef { name: "ArgMin", opset: 1..=LATEST, read: |node| read(node, Target::Least) },
    OpDef { name: "Hardmax", opset: 1..=12, read: read_flat_hardmax },
    OpDef { name: "Hardmax", opset: 13..=LATEST, read: read_hardmax },
];

/// The index of an element in each lane along `axis`, whose size becomes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    /// The axis of the lanes.
    pub axis: usize,
    /// Which element.
    pub target: Target,
    /// Whether the last of equal elements is meant, else the first.
    pub last: bool,
}

/// Which element of a lane is looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// The greatest.
    Greatest,
    /// The least.
    Least,
}

/// One at the first of the greatest elements of each lane along `axis`, else zero.
#[derive(Clone, Debug, PartialEq)]
pub struct Hardmax {
    /// The axis of the lanes.
    pub axis: usize,
}

fn read(node: &mut NodeReader, target: Target) -> Result<Vec<ValueId>> {
    let (keep, last) = (node.flag("keepdims", true)?, node.flag("select_last_index", false)?);
    let input = node.input(0)?;
    let shape = node.ty(input).shape.clone();
    let axis = node.axis("axis", 0, shape.len())?;
    let y = node.push(Arg { axis, target, last }, &[input])?;
    let mut kept = shape.to_vec();
    kept.remove(axis);
    Ok(vec![if keep { y } else { node.reshape(y, kept)? }])
}

fn read_hardmax(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let rank = node.ty(node.input(0)?).shape.len();
    let axis = node.axis("axis", -1, rank)?;
    node.unary(Hardmax { axis })
}

/// Before opset 13 all dimensions from `axis` on are one lane.
fn read_flat_hardmax(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let input = node.input(0)?;
    let shape = node.ty(input).shape.clone();
    let axis = node.axis("axis", 1, shape.len())?;
    let (outer, inner) = shape.split_at(axis);
    let flat = node.reshape(input, [outer.iter().product::<usize>(), inner.iter().product()])?;
    let y = node.push(Hardmax { axis: 1 }, &[flat])?;
    Ok(vec![node.reshape(y, shape)?])
}

fn kernel(axis: usize, last: bool, input: &TensorType) -> kernels::Arg {
    let (outer, rest) = input.shape.split_at(axis);
    kernels::Arg { outer: outer.iter().product(), len: rest[0], inner: rest[1..].iter().product(), last }
}

impl Operator for Arg {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let ordered: Vec<ElemType> = ElemType::all().filter(|&elem| elem != ElemType::Bool).collect();
        expect_elem("data", inputs[0], &ordered)?;
        let mut shape = inputs[0].shape.to_vec();
        if shape[self.axis] == 0 {
            return Err(Refusal::new(
                format!("{} has no element along axis {} to choose", inputs[0], self.axis),
                "fix the shapes in the exported model, or the sizes given in `dims`",
            ));
        }
        shape[self.axis] = 1;
        Ok(vec![TensorType::new(ElemType::I64, shape)])
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let kernel = kernel(self.axis, self.last, inputs[0].ty());
        let indices = with_folded!(inputs[0].ty().elem, T => {
            let x = inputs[0].to_vec::<T>();
            filled::<i64>(&outputs[0], |y| match self.target {
                Target::Greatest => kernel.max(&x, y),
                Target::Least => kernel.min(&x, y),
            })
        })?;
        Some(vec![indices])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        Some((Self { axis: perm[self.axis], ..self.clone() }.into(), perm.to_vec()))
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&kernel(self.axis, self.last, cx.input_ty(0)));
        let (x, y) = (cx.input(0), cx.output(0));
        match self.target {
            Target::Greatest => quote! { #kernel.max(#x, #y); },
            Target::Least => quote! { #kernel.min(#x, #y); },
        }
    }
}

impl Operator for Hardmax {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("input", inputs[0], FLOATS)?;
        Ok(vec![inputs[0].clone()])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let kernel = kernel(self.axis, false, &outputs[0]);
        (outputs[0].elem == ElemType::F32).then(|| vec![mapped::<f32>(inputs[0], &outputs[0], |x, y| kernel.hardmax(x, y))])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        Some((Self { axis: perm[self.axis] }.into(), perm.to_vec()))
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&kernel(self.axis, false, cx.input_ty(0)));
        let (x, y) = (cx.input(0), cx.output(0));
        quote! { #kernel.hardmax(#x, #y); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    fn node(op_type: &str, opset: i64) -> OneNode {
        OneNode::new(op_type, opset).constant(&Tensor::from_vec([2, 3], &[1f32, 4.0, 4.0, -1.0, -2.0, -2.0]))
    }

    #[test]
    fn the_greatest_and_the_least() {
        let cases = [
            (node("ArgMax", 13), vec![0, 0, 0], "i64[1, 3]"),
            (node("ArgMax", 13).int("axis", -1), vec![1, 0], "i64[2, 1]"),
            (node("ArgMax", 13).int("axis", 1).int("select_last_index", 1), vec![2, 0], "i64[2, 1]"),
            (node("ArgMin", 13).int("axis", 1).int("keepdims", 0), vec![0, 1], "i64[2]"),
        ];
        for (node, expected, ty) in cases {
            assert_eq!((node.result_ints(), node.types()), (expected, vec![ty.to_owned()]), "{node:?}");
        }
    }

    #[test]
    fn hardmax_before_and_since_opset_13() {
        let cases = [
            (node("Hardmax", 13), [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]),
            (node("Hardmax", 11), [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]),
            (node("Hardmax", 13).int("axis", 0), [1.0, 1.0, 1.0, 0.0, 0.0, 0.0]),
            (node("Hardmax", 11).int("axis", 0), [0.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
        ];
        for (node, expected) in cases {
            assert_eq!(node.results()[0].to_vec::<f32>(), expected, "{node:?}");
        }
    }

    #[test]
    fn refusals() {
        let cases = [
            (OneNode::new("ArgMax", 13).floats(&[2, 3]).int("axis", 2), "`axis` is 2, but the input has 2", "from -2 to 1"),
            (
                OneNode::new("ArgMax", 13).constant(&Tensor::from_vec::<f32>([0, 3], &[])),
                "f32[0, 3] has no element along axis 0",
                "fix the shapes",
            ),
            (OneNode::new("ArgMin", 13).input(ElemType::Bool, &[2]), "`data` is bool[2]", "cast"),
            (OneNode::new("Hardmax", 13).input(ElemType::I32, &[2]), "`input` is i32[2]", "cast"),
        ];
        for (node, message, help) in cases {
            node.refused(message, help);
        }
    }
}
