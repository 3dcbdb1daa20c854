//! `Softmax`, `LogSoftmax`: <https://onnx.ai/onnx/operators/onnx__Softmax.html>

use proc_macro2::TokenStream;
use quote::quote;

use super::{FLOATS, expect_elem, mapped};
use crate::diagnostic::Result;
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels::{self, Overlap};
use crate::op::{LATEST, Op, OpDef, Operator, Types};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Softmax", opset: 1..=12, read: |node| read_flat(node, false) },
    OpDef { name: "Softmax", opset: 13..=LATEST, read: |node| read(node, false) },
    OpDef { name: "LogSoftmax", opset: 1..=12, read: |node| read_flat(node, true) },
    OpDef { name: "LogSoftmax", opset: 13..=LATEST, read: |node| read(node, true) },
];

/// Normalizes each lane along `axis` so that its exponentials sum to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Softmax {
    /// The axis of the lanes.
    pub axis: usize,
    /// Whether the logarithm is computed.
    pub log: bool,
}

/// Along one axis.
pub fn read(node: &mut NodeReader, log: bool) -> Result<Vec<ValueId>> {
    let rank = node.ty(node.input(0)?).shape.len();
    let axis = node.axis("axis", -1, rank)?;
    node.unary(Softmax { axis, log })
}

/// Before opset 13 all dimensions from `axis` on are one lane.
pub fn read_flat(node: &mut NodeReader, log: bool) -> Result<Vec<ValueId>> {
    let input = node.input(0)?;
    let shape = node.ty(input).shape.clone();
    let axis = node.axis("axis", 1, shape.len())?;
    let (outer, inner) = shape.split_at(axis);
    let flat = node.reshape(input, [outer.iter().product::<usize>(), inner.iter().product()])?;
    let normalized = node.push(Softmax { axis: 1, log }, &[flat])?;
    Ok(vec![node.reshape(normalized, shape)?])
}

impl Softmax {
    /// The kernel for an input of this type.
    pub fn kernel(&self, input: &TensorType) -> kernels::Softmax {
        let (outer, rest) = input.shape.split_at(self.axis);
        kernels::Softmax { outer: outer.iter().product(), len: rest[0], inner: rest[1..].iter().product(), log: self.log }
    }
}

impl Operator for Softmax {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("input", inputs[0], FLOATS)?;
        Ok(vec![inputs[0].clone()])
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let kernel = self.kernel(&outputs[0]);
        (outputs[0].elem == ElemType::F32).then(|| vec![mapped::<f32>(inputs[0], &outputs[0], |x, y| kernel.run(x, y))])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        Some((Self { axis: perm[self.axis], ..self.clone() }.into(), perm.to_vec()))
    }

    fn overlap(&self, types: Types, _input: usize) -> Overlap {
        self.kernel(types.inputs[0]).overlap(types.inputs[0].elem.size())
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&self.kernel(cx.input_ty(0)));
        let (x, y) = (cx.input(0), cx.output(0));
        quote! { #kernel.run(#x, #y); }
    }
}
