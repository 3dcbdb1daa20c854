//! `Det`: <https://onnx.ai/onnx/operators/onnx__Det.html>

use proc_macro2::TokenStream;
use quote::quote;

use super::{FLOATS, cells, dense, expect_elem, mapped};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::kernels;
use crate::op::{LATEST, OpDef, Operator, Types, reference_only};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "Det", opset: 11..=LATEST, read: |node| node.unary(Determinant) }];

/// The determinants of the matrices that the last two axes are.
#[derive(Clone, Debug, PartialEq)]
pub struct Determinant;

fn kernel(input: &TensorType) -> kernels::Determinant {
    let (outer, matrix) = input.shape.split_at(input.shape.len() - 2);
    kernels::Determinant { count: outer.iter().product(), size: matrix[0] }
}

impl Operator for Determinant {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("X", inputs[0], FLOATS)?;
        match inputs[0].shape[..] {
            [ref outer @ .., rows, columns] if rows == columns => Ok(vec![inputs[0].with_shape(outer)]),
            _ => Err(Refusal::new(
                format!("the input is {}; expected square matrices along its last two axes", inputs[0]),
                "fix the shapes in the exported model, or the sizes given in `dims`",
            )),
        }
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        reference_only!();
        let kernel = kernel(inputs[0].ty());
        let run = || mapped::<f32>(inputs[0], &outputs[0], |x, y| kernel.run(x, y, &cells(kernel.scratch())));
        (outputs[0].elem == dense::FOLDED).then(|| vec![run()])
    }

    fn scratch(&self, types: Types, _constant: &[bool]) -> Vec<TensorType> {
        let elem = if types.inputs[0].elem == ElemType::F64 { ElemType::F64 } else { ElemType::F32 };
        vec![TensorType::new(elem, [kernel(types.inputs[0]).scratch()])]
    }

    fn macs(&self, types: Types) -> u64 {
        kernel(types.inputs[0]).macs()
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&kernel(cx.input_ty(0)));
        let (x, y, scratch) = (cx.input(0), cx.output(0), cx.scratch_operand().value);
        quote! { #kernel.run(#x, #y, #scratch); }
    }
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;
    use crate::ty::ElemType;

    #[test]
    fn determinants_and_refusals() {
        let x = Tensor::from_vec([2, 2, 2], &[2.0f32, 3.0, 4.0, 2.0, 0.0, 1.0, 1.0, 0.0]);
        let results = OneNode::new("Det", 11).constant(&x).results();
        assert_eq!((results[0].to_vec::<f32>(), results[0].ty().to_string()), (vec![-8.0, -1.0], "f32[2]".to_owned()));
        assert_eq!(OneNode::new("Det", 22).input(ElemType::F16, &[3, 3]).types(), ["f16[]"]);
        OneNode::new("Det", 11).floats(&[2, 3]).refused("the input is f32[2, 3]; expected square matrices", "fix the shapes");
        OneNode::new("Det", 11).floats(&[3]).refused("the input is f32[3]; expected square matrices", "fix the shapes");
        OneNode::new("Det", 11).input(ElemType::I32, &[2, 2]).refused("`X` is i32[2, 2]; supported element types", "cast");
    }
}
