//! `AveragePool` and `GlobalAveragePool` between quantized tensors, in integers.

use std::cell::Cell;

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::cascade;
use super::integer::{self, Integer};
use super::pool;
use super::window::Window;
use super::{cells, expect_elem};
use crate::diagnostic::Result;
use crate::emit::{Lower, literal};
use crate::kernels::{Average, Overlap, Requantize, Rows};
use crate::op::{Op, Operator, Types, reference_only};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// `y[n, y, x, c]` is the sum of what lies under the window, less its zero points, requantized by the multiplier for as many elements;
/// inputs `x` and the multipliers.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedAverage {
    /// How the window slides over the image.
    pub window: Window,
    /// Whether a window may reach beyond the padding, so that the size of the output rounds up.
    pub ceil: bool,
    /// Which elements are counted.
    pub include_padding: bool,
    /// What stands for zero in `x`, less [`kernels::Quantized::OFFSET`](crate::kernels::Quantized::OFFSET).
    pub x_zero: i32,
    /// The element type of the output.
    pub output: ElemType,
    /// How a sum becomes an element of the output.
    pub requantize: Requantize,
    /// Take the pixels from last to first.
    pub backward: bool,
    /// The image is one row of as many that are all under the window; they come one after another.
    pub row_of: Option<usize>,
}

impl QuantizedAverage {
    fn average(&self) -> Average {
        Average { include_padding: self.include_padding }
    }

    /// How many elements each multiplier is for.
    pub fn counts(window: &Window, ceil: bool, include_padding: bool, x: &TensorType) -> Vec<usize> {
        pool::kernel(window, ceil, x, false).quantized_counts(Average { include_padding }).collect()
    }
}

impl Operator for QuantizedAverage {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("X", inputs[0], integer::ELEMENTS)?;
        Ok(vec![pool::output(&self.window, self.ceil, inputs[0])?.with_elem(self.output)])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        use integer::reference;
        let kernel = pool::kernel(&self.window, self.ceil, inputs[0].ty(), false);
        let x = reference::read(inputs[0]);
        let multipliers = inputs[1].to_vec::<i32>();
        let y: Vec<Cell<i16>> = cells(outputs[0].elements());
        let requantize = reference::less_offset(self.requantize, self.output);
        kernel.quantized(self.average(), &x, &y, &multipliers, self.x_zero, requantize);
        Some(vec![reference::written(&outputs[0], &y)])
    }

    fn overlap(&self, types: Types, input: usize) -> Overlap {
        let [x, y] = [types.inputs[0], types.outputs[0]].map(|ty| ty.elem.size());
        match input {
            0 => pool::kernel(&self.window, self.ceil, types.inputs[0], false).quantized_overlap(x, y),
            _ => Overlap::NONE,
        }
    }

    fn rows(&self, types: Types, _constant: &[bool]) -> Option<Rows> {
        let whole = self.window.kernel[0] == types.inputs[0].shape[1] && self.window.padding == [0; 4] && !self.ceil;
        whole.then(|| cascade::row_for_row(types.inputs[0])).flatten()
    }

    fn of_one_row(&self, whole: &TensorType) -> Option<Op> {
        let mut window = self.window.of_one_row();
        window.kernel[0] = 1;
        Some(Self { window, backward: false, row_of: Some(whole.shape[1]), ..self.clone() }.into())
    }

    fn scratch(&self, types: Types, _constant: &[bool]) -> Vec<TensorType> {
        if self.row_of.is_some() { vec![types.outputs[0].with_elem(ElemType::I32)] } else { Vec::new() }
    }

    fn backward(&self) -> Option<Op> {
        Some(Self { backward: true, ..self.clone() }.into())
    }

    fn show(&self) -> String {
        let Self { window, x_zero, output, requantize, .. } = self;
        format!("QuantizedAverage {window}{}", Integer { x_zero: *x_zero, output: *output, requantize: Some(*requantize) })
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&pool::kernel(&self.window, self.ceil, cx.input_ty(0), self.backward));
        let (average, requantize) = (literal(&self.average()), literal(&self.requantize));
        let (x, y, multipliers, x_zero) = (cx.input(0), cx.output(0), cx.input(1), Scalar::I32(self.x_zero).literal());
        if let Some(rows) = self.row_of {
            let (rows, sums) = (Literal::usize_unsuffixed(rows), cx.scratch_operand().value);
            return quote! { #kernel.fold_row_quantized(band.row, #rows, #x, #sums, #y, #multipliers, #x_zero, #requantize); };
        }
        quote! { #kernel.quantized(#average, #x, #y, #multipliers, #x_zero, #requantize); }
    }
}
