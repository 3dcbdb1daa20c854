//! `BitCast`: the same bytes as elements of another type, at no cost: <https://onnx.ai/onnx/operators/onnx__BitCast.html>

use proc_macro2::TokenStream;

use super::elementwise::converted;
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef, Operator, Types, View};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "BitCast", opset: 26..=LATEST, read }];

/// The bytes of the input seen as elements of another type of the same size.
#[derive(Clone, Debug, PartialEq)]
pub struct BitCast {
    /// The type of the output's elements.
    pub elem: ElemType,
}

fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let input = node.input(0)?;
    let (from, to) = (node.ty(input).elem, node.elem_type("to")?.unwrap_or(node.ty(input).elem));
    if from.size() != to.size() {
        return Err(Refusal::new(
            format!("elements of {from} cannot be seen as {to}, which has {} bytes and not {}", to.size(), from.size()),
            "cast to a type of the same size in the exported model",
        ));
    }
    // Any byte but 0 reads as true; its bits are those of 1.
    let bits = if from == ElemType::Bool { converted(node, input, ElemType::U8)? } else { input };
    if node.ty(bits).elem == to {
        return Ok(vec![bits]);
    }
    Ok(vec![node.push(BitCast { elem: to }, &[bits])?])
}

impl Operator for BitCast {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        Ok(vec![inputs[0].with_elem(self.elem)])
    }

    fn view(&self, _types: Types) -> Option<View> {
        Some(View::Part(0))
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        Some(vec![Tensor::new(outputs[0].clone(), inputs[0].bytes().clone())?])
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        cx.copy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    #[test]
    fn bits_stay() {
        let node = |tensor: &Tensor, to| OneNode::new("BitCast", 26).constant(tensor).int("to", to);
        let floats = Tensor::from_vec([2], &[1.0f32, -2.5]);
        assert_eq!(node(&floats, 6).result_ints(), [0x3f80_0000, i64::from(0xc020_0000u32.cast_signed())]);
        assert_eq!(node(&Tensor::from_vec([2], &[-1i16, 3]), 4).result_ints(), [65535, 3]);
        let bools = Tensor::from_elements(TensorType::new(ElemType::Bool, [2]), &[0u8, 7]);
        assert_eq!(node(&bools, 2).result_ints(), [0, 1]);
        node(&floats, 7).refused("elements of f32 cannot be seen as i64, which has 8 bytes and not 4", "of the same size");
    }
}
