//! `Transpose`: <https://onnx.ai/onnx/operators/onnx__Transpose.html>

use proc_macro2::TokenStream;

use super::copy::{Strided, signed};
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::kernels::Overlap;
use crate::op::{LATEST, OpDef, Operator, Types, View};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{Shape, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "Transpose", opset: 1..=LATEST, read }];

/// The axes in another order: output axis `k` is input axis `perm[k]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Transpose {
    /// The input axis of each output axis.
    pub perm: Vec<usize>,
}

fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let rank = node.ty(node.input(0)?).shape.len();
    let Some(perm) = node.ints("perm")? else {
        return node.unary(Transpose { perm: (0..rank).rev().collect() });
    };
    let axes: Vec<usize> = perm.iter().filter_map(|&axis| usize::try_from(axis).ok()).collect();
    let mut sorted = axes.clone();
    sorted.sort_unstable();
    if !sorted.into_iter().eq(0..rank) {
        return Err(Refusal::new(
            format!("attribute `perm` is {perm:?}; expected each of the {rank} axes once"),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    node.unary(Transpose { perm: axes })
}

impl Transpose {
    /// The transpose that undoes this one.
    pub fn inverse(&self) -> Self {
        let mut perm = vec![0; self.perm.len()];
        self.perm.iter().enumerate().for_each(|(axis, &from)| perm[from] = axis);
        Self { perm }
    }

    fn copy(&self, input: &Shape) -> Strided {
        let strides = input.strides();
        let shape: Shape = self.perm.iter().map(|&axis| input[axis]).collect();
        Strided::gather(&shape, 0, self.perm.iter().map(|&axis| signed(strides[axis])).collect())
    }
}

impl Operator for Transpose {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let shape: Shape = self.perm.iter().map(|&axis| inputs[0].shape[axis]).collect();
        Ok(vec![inputs[0].with_shape(shape)])
    }

    fn view(&self, types: Types) -> Option<View> {
        self.copy(&types.inputs[0].shape).is_contiguous().then_some(View::Part(0))
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        Some(vec![self.copy(&inputs[0].ty().shape).fold(inputs[0], &outputs[0])?])
    }

    fn overlap(&self, types: Types, _input: usize) -> Overlap {
        self.copy(&types.inputs[0].shape).overlap(types.inputs[0].elem.size())
    }

    fn show(&self) -> String {
        format!("Transpose {:?}", self.perm)
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        self.copy(&cx.input_ty(0).shape).lower(&cx.input(0), &cx.output(0))
    }
}
