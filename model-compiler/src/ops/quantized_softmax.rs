//! `Softmax` between quantized tensors, in integers: <https://onnx.ai/onnx/operators/onnx__Softmax.html>

use std::cell::Cell;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::softmax::Softmax;
use super::{cells, expect_elem, integer};
use crate::diagnostic::Result;
use crate::emit::{Lower, literal};
use crate::kernels::{self, Overlap, Requantize};
use crate::op::{Operator, Types, reference_only};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// The exponentials of each lane along an axis, requantized by the multiplier `unit / Σ`; inputs `x` and the 32 powers of `e` of which the
/// distances of its elements from the greatest of a lane are made.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedSoftmax {
    /// The axis of the lanes.
    pub axis: usize,
    /// What is divided by the sum of a lane's exponentials.
    pub unit: u64,
    /// The element type of the output.
    pub output: ElemType,
    /// How an exponential becomes an element of the output.
    pub requantize: Requantize,
}

impl QuantizedSoftmax {
    fn kernel(&self, x: &TensorType) -> kernels::Softmax {
        Softmax { axis: self.axis, log: false }.kernel(x)
    }
}

impl Operator for QuantizedSoftmax {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("input", inputs[0], &[ElemType::I8, ElemType::U8])?;
        Ok(vec![inputs[0].with_elem(self.output)])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        use integer::reference;
        let powers = inputs[1].to_vec::<u32>().try_into().ok()?;
        let y: Vec<Cell<i16>> = cells(outputs[0].elements());
        let requantize = reference::less_offset(self.requantize, self.output);
        self.kernel(inputs[0].ty()).quantized(&reference::read(inputs[0]), &y, &powers, self.unit, requantize);
        Some(vec![reference::written(&outputs[0], &y)])
    }

    fn overlap(&self, types: Types, input: usize) -> Overlap {
        let [x, y] = [types.inputs[0], types.outputs[0]].map(|ty| ty.elem.size());
        if input == 0 { self.kernel(types.inputs[0]).quantized_overlap(x, y) } else { Overlap::NONE }
    }

    fn show(&self) -> String {
        format!("QuantizedSoftmax axis {}, {}", self.axis, self.output)
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let (kernel, requantize) = (literal(&self.kernel(cx.input_ty(0))), literal(&self.requantize));
        let (x, y, powers, unit) = (cx.input(0), cx.output(0), cx.input(1), Literal::u64_unsuffixed(self.unit));
        quote! { #kernel.quantized(#x, #y, #powers, #unit, #requantize); }
    }
}
