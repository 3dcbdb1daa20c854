//! `Concat`: <https://onnx.ai/onnx/operators/onnx__Concat.html>

use proc_macro2::TokenStream;
use quote::quote;

use super::copy::{Strided, signed};
use super::filled;
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::op::{LATEST, Op, OpDef, Operator, Types, View};
use crate::reader::{self, NodeReader};
use crate::tensor::Tensor;
use crate::ty::{Shape, TensorType};
use crate::with_bits;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "Concat", opset: 4..=LATEST, read }];

/// The inputs one behind another along `axis`.
#[derive(Clone, Debug, PartialEq)]
pub struct Concat {
    /// The axis along which they are joined.
    pub axis: usize,
}

/// All inputs, joined along attribute `axis`.
pub fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let inputs = node.all_inputs()?;
    let rank = node.ty(node.input(0)?).shape.len();
    let axis = node
        .optional_int("axis")?
        .ok_or_else(|| Refusal::new("attribute `axis` is missing", "export the model again, or check it with `onnx.checker`"))?;
    let axis = reader::axis("axis", axis, rank)?;
    if let [only] = inputs.as_slice() {
        return Ok(vec![*only]);
    }
    Ok(vec![node.push(Concat { axis }, &inputs)?])
}

impl Concat {
    /// For each input the copy that puts it in its place.
    fn copies(&self, inputs: &[&Shape], output: &Shape) -> Vec<Strided> {
        let strides = output.strides();
        let to_strides: Vec<isize> = strides.iter().map(|&stride| signed(stride)).collect();
        let mut start = 0;
        let copy = |shape: &&Shape| {
            let copy = Strided::scatter(shape, start * strides[self.axis], to_strides.clone());
            start += shape[self.axis];
            copy
        };
        inputs.iter().map(copy).collect()
    }
}

impl Operator for Concat {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let first = inputs[0];
        let fits = |ty: &TensorType| {
            let others = |shape: &Shape| {
                shape.iter().enumerate().filter(|&(axis, _)| axis != self.axis).map(|(_, &size)| size).collect::<Vec<_>>()
            };
            ty.elem == first.elem && ty.shape.len() == first.shape.len() && others(&ty.shape) == others(&first.shape)
        };
        if let Some(other) = inputs.iter().find(|ty| !fits(ty)) {
            return Err(Refusal::new(
                format!(
                    "{first} and {other} cannot be joined along axis {}; all other sizes and the element types must agree",
                    self.axis
                ),
                "fix the shapes in the exported model, or the sizes given in `dims`",
            ));
        }
        let mut shape = first.shape.to_vec();
        shape[self.axis] = inputs.iter().map(|ty| ty.shape[self.axis]).sum();
        Ok(vec![first.with_shape(shape)])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        Some((Self { axis: perm[self.axis] }.into(), perm.to_vec()))
    }

    fn view(&self, types: Types) -> Option<View> {
        let outer: usize = types.outputs[0].shape[..self.axis].iter().product();
        let mut offset = 0;
        let offsets = types.inputs.iter().map(|ty| {
            offset += ty.bytes();
            offset - ty.bytes()
        });
        let offsets = offsets.collect();
        (outer == 1).then_some(View::Whole(offsets))
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let shapes: Vec<&Shape> = inputs.iter().map(|input| &input.ty().shape).collect();
        let copies = self.copies(&shapes, &outputs[0].shape);
        let joined = with_bits!(outputs[0].elem, T => filled::<T>(&outputs[0], |y| {
            copies.iter().zip(inputs).for_each(|(copy, input)| copy.run(&input.to_vec::<T>(), y));
        }));
        Some(vec![joined])
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let shapes: Vec<&Shape> = (0..cx.input_count()).map(|index| &cx.input_ty(index).shape).collect();
        let copies = self.copies(&shapes, &cx.output_ty(0).shape);
        let calls = copies.iter().enumerate().map(|(index, copy)| copy.lower(&cx.input(index), &cx.output(0)));
        quote! { #(#calls)* }
    }
}
