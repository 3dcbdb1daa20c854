//! `MatMul`: <https://onnx.ai/onnx/operators/onnx__MatMul.html>

use proc_macro2::TokenStream;

use super::dense;
use super::elementwise::{self, Expr};
use super::{cells, filled};
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, OpDef, Operator, Types};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{Shape, TensorType, broadcast};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "MatMul", opset: 1..=LATEST, read: read_numbers }];

/// `y[…, r, o] = activation(Σₖ a[…, r, k] · b[…, k, o])`, the dimensions `…` broadcast; both operands have two dimensions at least.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatMul {
    /// Applied to each sum.
    pub activation: Option<Expr>,
}

/// ONNX's operator takes no integers of 8 bits.
fn read_numbers(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    dense::expect_one_type(&[node.ty(node.input(0)?), node.ty(node.input(1)?)], dense::LINEAR)?;
    read(node)
}

/// The matrix product of inputs 0 and 1; in 32 bits where they are integers of 8 and the second is constant.
pub fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (mut a, mut b) = (node.input(0)?, node.input(1)?);
    let (a_shape, b_shape) = (node.ty(a).shape.clone(), node.ty(b).shape.clone());
    if a_shape.is_empty() || b_shape.is_empty() {
        return Err(mismatch(node.ty(a), node.ty(b)));
    }
    // A vector is a row on the left and a column on the right, and the axis made for it is dropped from the product.
    if a_shape.len() == 1 {
        a = node.reshape(a, [1, a_shape[0]])?;
    }
    if b_shape.len() == 1 {
        b = node.reshape(b, [b_shape[0], 1])?;
    }
    let matrix = matrix_of(&node.ty(b).shape);
    let y = match matrix {
        Some(shape) if node.value(b).is_some() => {
            let rank = node.ty(a).shape.len().max(b_shape.len());
            let b = node.reshape(b, shape)?;
            let y = dense::push(node, a, b, None)?;
            let mut shape = node.ty(y).shape.to_vec();
            shape.splice(0..0, std::iter::repeat_n(1, rank.saturating_sub(shape.len())));
            node.reshape(y, shape)?
        }
        _ => node.push(MatMul::default(), &[a, b])?,
    };
    let mut shape = node.ty(y).shape.to_vec();
    if b_shape.len() == 1 {
        shape.pop();
    }
    if a_shape.len() == 1 {
        shape.remove(shape.len() - if b_shape.len() == 1 { 1 } else { 2 });
    }
    Ok(vec![node.reshape(y, shape)?])
}

/// The two sizes of a matrix that all leading dimensions of one come before.
fn matrix_of(shape: &Shape) -> Option<Vec<usize>> {
    let (leading, matrix) = shape.split_at(shape.len() - 2);
    leading.iter().all(|&size| size == 1).then(|| matrix.to_vec())
}

/// A refusal of operands whose shapes or types do not fit.
pub fn mismatch(a: &TensorType, b: &TensorType) -> Refusal {
    Refusal::new(
        format!("{a} cannot be multiplied by {b}; the last size of the first must be the last but one of the second"),
        "fix the shapes in the exported model, or the sizes given in `dims`",
    )
}

impl MatMul {
    fn kernel(inputs: &[&TensorType], output: &Shape) -> kernels::MatMul {
        let batch_of = |shape: &Shape| shape[..shape.len() - 2].to_vec();
        let batch = batch_of(output);
        let padded = |values: &[usize], with: usize| {
            let mut result = [with; 4];
            result[4 - values.len()..].copy_from_slice(values);
            result
        };
        let strides = |shape: &Shape| {
            let own = shape.strides();
            let mut strides = vec![0; batch.len() + 2 - shape.len()];
            strides.extend((0..shape.len() - 2).map(|axis| if shape[axis] == 1 { 0 } else { own[axis] }));
            padded(&strides, 0)
        };
        let (a, b) = (&inputs[0].shape, &inputs[1].shape);
        kernels::MatMul {
            batch: padded(&batch, 1),
            a_strides: strides(a),
            b_strides: strides(b),
            rows: a[a.len() - 2],
            depth: a[a.len() - 1],
            columns: b[b.len() - 1],
        }
    }
}

impl Operator for MatMul {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        dense::expect_one_type(inputs, dense::LINEAR)?;
        let (a, b) = (inputs[0], inputs[1]);
        let split = |ty: &TensorType| {
            (Shape::from(&ty.shape[..ty.shape.len() - 2]), ty.shape[ty.shape.len() - 2], ty.shape[ty.shape.len() - 1])
        };
        let ((a_batch, rows, depth), (b_batch, b_rows, columns)) = (split(a), split(b));
        let batch = broadcast([&a_batch, &b_batch]).filter(|batch| depth == b_rows && batch.len() <= 4);
        let mut shape = batch.ok_or_else(|| mismatch(a, b))?.to_vec();
        shape.extend([rows, columns]);
        Ok(vec![a.with_shape(shape)])
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        if outputs[0].elem != dense::FOLDED {
            return None;
        }
        let kernel = Self::kernel(&[inputs[0].ty(), inputs[1].ty()], &outputs[0].shape);
        let (a, b) = (inputs[0].to_vec::<f32>(), inputs[1].to_vec::<f32>());
        let activation = &elementwise::function(self.activation.as_ref());
        let y = filled(&outputs[0], |y| kernel.run(&a, &b, y, &cells(kernel.scratch()), activation));
        Some(vec![y])
    }

    fn scratch(&self, types: Types, _constant: &[bool]) -> Vec<TensorType> {
        let elements = Self::kernel(types.inputs, &types.outputs[0].shape).scratch();
        vec![types.outputs[0].with_shape([elements])]
    }

    fn macs(&self, types: Types) -> u64 {
        Self::kernel(types.inputs, &types.outputs[0].shape).macs()
    }

    fn show(&self) -> String {
        format!("MatMul{}", elementwise::shown(self.activation.as_ref()))
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = cx.types(|types| Self::kernel(types.inputs, &types.outputs[0].shape));
        let operands = vec![cx.input_operand("a", 0), cx.input_operand("b", 1), cx.output_operand(), cx.scratch_operand()];
        cx.call(&kernel, "run", operands, Some(cx.activation(self.activation.as_ref())))
    }
}
