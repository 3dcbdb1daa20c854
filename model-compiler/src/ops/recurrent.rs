//! `RNN`, `GRU`, `LSTM`: layers that carry a state along a sequence.
//!
//! <https://onnx.ai/onnx/operators/onnx__LSTM.html>

mod activations;
mod read;
#[cfg(test)]
mod tests;

use std::cell::Cell;

use proc_macro2::TokenStream;
use quote::quote;

use super::copy::Strided;
use super::elementwise::Expr;
use super::{FLOATS, cells, dense, expect_elem};
use crate::diagnostic::Result;
use crate::emit::{Lower, elem, literal};
use crate::kernels::{self, Overlap, Sequence};
use crate::op::{LATEST, Op, OpDef, Operator, Types, reference_only};
use crate::scalar::{Get, Scalar};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "RNN", opset: 7..=13, read: |node| read::rnn(node, false) },
    OpDef { name: "RNN", opset: 14..=LATEST, read: |node| read::rnn(node, node.flag("layout", false)?) },
    OpDef { name: "GRU", opset: 7..=13, read: |node| read::gru(node, false) },
    OpDef { name: "GRU", opset: 14..=LATEST, read: |node| read::gru(node, node.flag("layout", false)?) },
    OpDef { name: "LSTM", opset: 7..=13, read: |node| read::lstm(node, false) },
    OpDef { name: "LSTM", opset: 14..=LATEST, read: |node| read::lstm(node, node.flag("layout", false)?) },
    OpDef { name: "com.microsoft::DynamicQuantizeLSTM", opset: 1..=1, read: read::dynamic_quantize_lstm },
];

/// A recurrent layer.
///
/// The inputs are `x`, the weights of inputs and states side by side, the bias, the lengths, the initial hidden and cell state, and the
/// peepholes; one that the model omits has no elements. The outputs are the hidden state after each step
/// `[steps, directions, batch, hidden]`, if `sequence`, the last hidden state `[directions, batch, hidden]`, and of an LSTM the last
/// cell state. The last states are outputs even if nobody reads them, as their places hold the states during the run.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurrent {
    /// What advances the state.
    pub unit: Unit,
    /// One or two ways to walk over the sequence.
    pub directions: Vec<Direction>,
    /// Whether the state after each step is an output.
    pub sequence: bool,
}

/// What advances the state by a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// One gate.
    Rnn,
    /// Three gates.
    Gru {
        /// The reset gate comes behind the product with the hidden state.
        linear_before_reset: bool,
    },
    /// Four gates and a cell state.
    Lstm {
        /// The forget gate is one less the input gate.
        input_forget: bool,
    },
}

/// A way to walk over the sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    /// From the last step to the first.
    pub reverse: bool,
    /// The functions that ONNX calls f, g and h, as many as the unit has.
    pub activations: Vec<Expr>,
}

/// The inputs of the core operator.
enum Input {
    /// `[steps, batch, inputs]`
    X,
    /// `[directions, gates · hidden, inputs + hidden]`: ONNX's `W` and `R` side by side.
    Weights,
    /// `[directions, …]`, as the kernel has it.
    Bias,
    /// `[batch]`
    Lengths,
    /// `[directions, batch, hidden]`
    InitialH,
    /// `[directions, batch, hidden]`
    InitialC,
    /// `[directions, 3 · hidden]`
    Peepholes,
}

impl Unit {
    const fn gates(self) -> usize {
        match self {
            Self::Rnn => 1,
            Self::Gru { .. } => 3,
            Self::Lstm { .. } => 4,
        }
    }

    const fn has_cell(self) -> bool {
        matches!(self, Self::Lstm { .. })
    }
}

impl Recurrent {
    /// The kernel of one direction.
    fn kernel(&self, inputs: &[&TensorType], direction: usize, packed: bool) -> kernels::Recurrent {
        let [steps, batch, inputs_len] = inputs[Input::X as usize].shape[..] else {
            unreachable!("the reader asks for three axes")
        };
        let depth = inputs[Input::Weights as usize].shape[2];
        kernels::Recurrent {
            steps,
            batch,
            inputs: inputs_len,
            hidden: depth - inputs_len,
            gates: self.unit.gates(),
            directions: self.directions.len(),
            direction,
            reverse: self.directions[direction].reverse,
            packed,
        }
    }

    /// The outputs for inputs of `f32`.
    fn evaluated(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Vec<Tensor> {
        reference_only!();
        let types: Vec<&TensorType> = inputs.iter().map(|input| input.ty()).collect();
        let elements = |input: Input| inputs[input as usize].to_vec::<f32>();
        let (x, weights, bias, peepholes) =
            (elements(Input::X), elements(Input::Weights), elements(Input::Bias), elements(Input::Peepholes));
        let lengths = inputs[Input::Lengths as usize].to_vec::<i32>();
        let places: Vec<Vec<Cell<f32>>> = outputs.iter().map(|ty| cells(ty.elements())).collect();
        let (y, states) = places.split_at(usize::from(self.sequence));
        for (state, initial) in states.iter().zip([Input::InitialH, Input::InitialC]) {
            state.iter().zip(elements(initial)).for_each(|(place, element)| place.set(element));
        }
        let (y, h, c) = (y.first().map_or(&[][..], Vec::as_slice), &states[0], states.get(1));
        for (index, direction) in self.directions.iter().enumerate() {
            let kernel = self.kernel(&types, index, false);
            let scratch = cells(kernel.scratch());
            let sequence = Sequence { x: &x, weights: &weights, bias: &bias, lengths: &lengths, y, h, scratch: &scratch };
            let function = |index: usize| {
                let expr = &direction.activations[index];
                move |x: f32| expr.eval(&[x.into()]).and_then(f32::get).expect("the reader makes it for this type")
            };
            match self.unit {
                Unit::Rnn => kernel.rnn(sequence, function(0)),
                Unit::Gru { linear_before_reset } => kernel.gru(sequence, linear_before_reset, function(0), function(1)),
                Unit::Lstm { input_forget } => {
                    let c = c.expect("an LSTM has a cell state");
                    let memory = kernels::Memory { c, peepholes: &peepholes, input_forget };
                    kernel.lstm(sequence, memory, function(0), function(1), function(2));
                }
            }
        }
        let tensor = |(ty, places): (&TensorType, &Vec<Cell<f32>>)| {
            let elements: Vec<f32> = places.iter().map(Cell::get).collect();
            Tensor::from_elements(ty.clone(), &elements)
        };
        outputs.iter().zip(&places).map(tensor).collect()
    }

    /// Puts an initial state, or zeros, where the kernel looks for the state.
    fn start(cx: &Lower, input: Input, output: usize) -> TokenStream {
        let (input, ty, place) = (input as usize, cx.output_ty(output), cx.output(output));
        if cx.input_ty(input).elements() > 0 {
            return Strided::all(&ty.shape).lower(&cx.input(input), &place);
        }
        let zero = Scalar::zero(ty.elem).literal();
        quote! { rt::fill(#place, #zero); }
    }

    /// The walk in one direction.
    fn walk(&self, cx: &Lower, index: usize) -> TokenStream {
        let operand = |input: Input| {
            let input = input as usize;
            let ty = elem(cx.input_ty(input).elem);
            if cx.input_ty(input).elements() > 0 { cx.input(input) } else { quote!(&[] as &[#ty; 0]) }
        };
        let packed = cx.is_constant(Input::Weights as usize);
        let kernel = literal(&cx.types(|types| self.kernel(types.inputs, index, packed)));
        let (x, weights, bias, lengths) =
            (operand(Input::X), operand(Input::Weights), operand(Input::Bias), operand(Input::Lengths));
        let y = if self.sequence { cx.output(0) } else { quote!(&[]) };
        let (h, scratch) = (cx.output(usize::from(self.sequence)), cx.scratch_operand().value);
        let sequence = quote! {
            rt::Sequence { x: #x, weights: #weights, bias: #bias, lengths: #lengths, y: #y, h: #h, scratch: #scratch }
        };
        let activations = self.directions[index].activations.iter().map(|expr| expr.closure(&[cx.output_ty(0).elem]));
        match self.unit {
            Unit::Rnn => quote! { #kernel.rnn(#sequence, #(#activations),*); },
            Unit::Gru { linear_before_reset } => quote! { #kernel.gru(#sequence, #linear_before_reset, #(#activations),*); },
            Unit::Lstm { input_forget } => {
                let (c, peepholes) = (cx.output(usize::from(self.sequence) + 1), operand(Input::Peepholes));
                let memory = quote! { rt::Memory { c: #c, peepholes: #peepholes, input_forget: #input_forget } };
                quote! { #kernel.lstm(#sequence, #memory, #(#activations),*); }
            }
        }
    }
}

impl Operator for Recurrent {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let x = inputs[Input::X as usize];
        expect_elem("X", x, FLOATS)?;
        let floats = [Input::X, Input::Weights, Input::Bias, Input::InitialH, Input::InitialC, Input::Peepholes];
        dense::expect_one_type(&floats.map(|input| inputs[input as usize]), FLOATS)?;
        expect_elem("sequence_lens", inputs[Input::Lengths as usize], &[ElemType::I32])?;
        let kernels::Recurrent { steps, batch, hidden, directions, .. } = self.kernel(inputs, 0, true);
        let sequence = self.sequence.then(|| x.with_shape([steps, directions, batch, hidden]));
        let state = x.with_shape([directions, batch, hidden]);
        let cell = self.unit.has_cell().then(|| state.clone());
        Ok(sequence.into_iter().chain([state]).chain(cell).collect())
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        (outputs[0].elem == ElemType::F32).then(|| self.evaluated(inputs, outputs))
    }

    fn without_output(&self, output: usize) -> Option<Op> {
        (self.sequence && output == 0).then(|| Self { sequence: false, ..self.clone() }.into())
    }

    fn overlap(&self, types: Types, input: usize) -> Overlap {
        if !self.sequence || input != Input::X as usize {
            return Overlap::NONE;
        }
        self.kernel(types.inputs, 0, true).overlap(types.inputs[input].elem.size())
    }

    /// A layer that walks from the last step to the first does so already.
    fn backward(&self) -> Option<Op> {
        Some(self.clone().into())
    }

    fn scratch(&self, types: Types, constant: &[bool]) -> Vec<TensorType> {
        let kernel = self.kernel(types.inputs, 0, constant[Input::Weights as usize]);
        vec![types.outputs[0].with_shape([kernel.scratch()])]
    }

    fn pack(&self, types: Types, input: usize, constant: &Tensor) -> Option<Tensor> {
        let kernel = self.kernel(types.inputs, 0, true);
        let of_direction = constant.ty().elements() / self.directions.len();
        let order = |direction| kernel.pack_order().map(move |index| direction * of_direction + index);
        (input == Input::Weights as usize).then(|| dense::reordered(constant, (0..self.directions.len()).flat_map(order)))
    }

    fn macs(&self, types: Types) -> u64 {
        let direction = |index| self.kernel(types.inputs, index, true).macs();
        (0..self.directions.len()).map(direction).sum()
    }

    fn show(&self) -> String {
        let direction = |Direction { reverse, activations }: &Direction| {
            let way = if *reverse { "reverse" } else { "forward" };
            let activations: Vec<String> = activations.iter().map(ToString::to_string).collect();
            format!("{way} {}", activations.join(", "))
        };
        let directions: Vec<String> = self.directions.iter().map(direction).collect();
        format!("{:?} {}", self.unit, directions.join("; "))
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let first = usize::from(self.sequence);
        let hidden = Self::start(cx, Input::InitialH, first);
        let cell = self.unit.has_cell().then(|| Self::start(cx, Input::InitialC, first + 1));
        let walks = (0..self.directions.len()).map(|index| self.walk(cx, index));
        quote! { #hidden #cell #(#walks)* }
    }
}
