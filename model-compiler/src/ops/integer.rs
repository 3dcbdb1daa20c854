//! What the layers between quantized tensors share: operands, types and the call of their kernels.

pub mod reference;

use std::fmt::{self, Debug};

use proc_macro2::TokenStream;
use quote::quote;
use reference::{Operands, Results};

use super::expect_elem;
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, Operand, literal};
use crate::kernels::{self, Layer, Overlap, Packing, Quad, Quantized, Requantize};
use crate::op::reference_only;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// The element types of quantized tensors.
pub const ELEMENTS: &[ElemType] = &[ElemType::I8, ElemType::U8, ElemType::I16, ElemType::U16];

/// The arithmetic of a layer between quantized tensors.
///
/// Its inputs are `x`, of 8 or 16 bits; weights of 8, whose zero point is zero; a bias of 32 bits for each output, in which the zero
/// point of `x` is folded; and, where sums are requantized, their multipliers: one for each output, or one for all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Integer {
    /// What stands for zero in `x`, less [`kernels::Quantized::OFFSET`].
    pub x_zero: i32,
    /// The element type of the output.
    pub output: ElemType,
    /// How a sum becomes an element of the output; `None` where the output is the sums.
    pub requantize: Option<Requantize>,
}

impl Integer {
    /// The sums of products of integers whose zero point is zero.
    pub const SUMS: Self = Self { x_zero: 0, output: ElemType::I32, requantize: None };

    /// Whether a layer of `x` and `weights` is one of integers of 8 bits.
    pub fn takes(x: &TensorType, weights: &TensorType) -> bool {
        matches!(x.elem, ElemType::I8 | ElemType::U8) && weights.elem == ElemType::I8
    }

    /// Checks the operands of a layer with so many outputs.
    pub fn expect(&self, inputs: &[&TensorType], outputs: usize) -> Result<()> {
        expect_elem("x", inputs[0], ELEMENTS)?;
        expect_elem("weights", inputs[1], &[ElemType::I8])?;
        let vector = |ty: &TensorType, lengths: &[usize]| ty.elem == ElemType::I32 && lengths.contains(&ty.elements());
        let fits = match (&inputs[2..], self.requantize) {
            ([bias], None) => vector(bias, &[outputs]),
            ([bias, multipliers], Some(_)) => vector(bias, &[outputs]) && vector(multipliers, &[1, outputs]),
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(Refusal::new("bias or multipliers do not fit the layer", "report this model")),
        }
    }
}

/// As the line that shows an operator ends: `, i8 m·2^-38 -128 in -128..=127`, or `, sums`.
impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Requantize { left, shift, zero, low, high }) = self.requantize else { return f.write_str(", sums") };
        let exponent = i64::from(left) - i64::from(shift);
        write!(f, ", {} m·2^{exponent} {zero:+} in {low}..={high}", self.output)
    }
}

/// A kernel of a layer between quantized tensors, whichever it is.
pub trait LayerKernel: Debug {
    /// The constants of a layer in the order in which the kernel reads them.
    fn pack_layer(&self, layer: Layer, packing: Packing) -> Vec<Quad>;

    /// Elements of scratch.
    fn layer_scratch(&self) -> usize;

    /// By how much an output, of elements of `y_size` bytes, may overtake `x`, of elements of `x_size` bytes.
    fn layer_overlap(&self, x_size: usize, y_size: usize) -> Overlap;

    /// Whether its calls tell it the zero point of `x`, as it pads.
    fn pads(&self) -> bool;

    /// Computes a layer.
    fn evaluate(&self, operands: &Operands, results: Results);
}

impl LayerKernel for kernels::Conv {
    fn pack_layer(&self, layer: Layer, packing: Packing) -> Vec<Quad> {
        self.pack_quantized(layer, packing).collect()
    }

    fn layer_scratch(&self) -> usize {
        self.quantized_scratch()
    }

    fn layer_overlap(&self, x_size: usize, y_size: usize) -> Overlap {
        self.quantized_overlap(x_size, y_size)
    }

    fn pads(&self) -> bool {
        true
    }

    fn evaluate(&self, operands: &Operands, results: Results) {
        reference_only!();
        let Operands { x, packed, scratch, x_zero } = operands;
        match results {
            Results::Sums(y) => self.sums(x, packed, y, scratch, *x_zero),
            Results::Quantized(y, requantize) => self.quantized(x, packed, y, scratch, *x_zero, requantize),
        }
    }
}

impl LayerKernel for kernels::Depthwise {
    fn pack_layer(&self, layer: Layer, _packing: Packing) -> Vec<Quad> {
        self.pack_quantized(layer).collect()
    }

    fn layer_scratch(&self) -> usize {
        self.quantized_scratch()
    }

    fn layer_overlap(&self, x_size: usize, y_size: usize) -> Overlap {
        self.quantized_overlap(x_size, y_size)
    }

    fn pads(&self) -> bool {
        true
    }

    fn evaluate(&self, operands: &Operands, results: Results) {
        reference_only!();
        let Operands { x, packed, scratch, x_zero } = operands;
        match results {
            Results::Sums(y) => self.sums(x, packed, y, scratch, *x_zero),
            Results::Quantized(y, requantize) => self.quantized(x, packed, y, scratch, *x_zero, requantize),
        }
    }
}

impl LayerKernel for kernels::Dense {
    fn pack_layer(&self, layer: Layer, packing: Packing) -> Vec<Quad> {
        self.pack_quantized(layer, false, packing).collect()
    }

    fn layer_scratch(&self) -> usize {
        self.quantized_scratch()
    }

    fn layer_overlap(&self, x_size: usize, y_size: usize) -> Overlap {
        self.quantized_overlap(x_size, y_size)
    }

    fn pads(&self) -> bool {
        false
    }

    fn evaluate(&self, operands: &Operands, results: Results) {
        reference_only!();
        let Operands { x, packed, scratch, .. } = operands;
        match results {
            Results::Sums(y) => self.sums(x, packed, y, scratch),
            Results::Quantized(y, requantize) => self.quantized(x, packed, y, scratch, requantize),
        }
    }
}

impl Integer {
    /// The call of a layer's kernel.
    pub fn lower(&self, cx: &Lower, kernel: &dyn LayerKernel) -> TokenStream {
        let constants: Vec<&Tensor> = (1..cx.input_count()).map(|index| cx.value(index)).collect();
        let pack = |packing| pack(kernel, cx.input_ty(0).elem, &constants, packing);
        let [dsp, portable] = [Packing::Dsp, Packing::Portable].map(pack);
        let number = |name, value: i32| {
            let literal = Scalar::I32(value).literal();
            Operand { name, value: quote!(#literal), ty: quote!(i32) }
        };
        let packed = Operand { name: "packed", value: cx.picked(1, dsp, portable), ty: quote!(&[rt::Quad]) };
        let mut operands = vec![cx.input_operand("x", 0), packed, cx.output_operand(), cx.scratch_operand()];
        operands.extend(kernel.pads().then(|| number("x_zero", self.x_zero)));
        let requantize = self.requantize.map(|requantize| literal(&requantize));
        operands.extend(requantize.map(|value| Operand { name: "requantize", value, ty: quote!(rt::Requantize) }));
        cx.call(kernel, if self.requantize.is_some() { "quantized" } else { "sums" }, operands, None)
    }
}

/// What is subtracted from every element of this type, so that it becomes an `i16`, as which kernels compute with it.
pub fn offset(elem: ElemType) -> i32 {
    if elem == ElemType::U16 { <u16 as Quantized>::OFFSET } else { 0 }
}

/// Weights, bias and multipliers of a layer in the order in which its kernel reads them.
fn pack(kernel: &dyn LayerKernel, x: ElemType, constants: &[&Tensor], packing: Packing) -> Vec<Quad> {
    let x_limit = match x {
        ElemType::I8 => 128,
        ElemType::U8 => 255,
        _ => 32768,
    };
    let multipliers: Vec<i32> = constants.get(2).map(|multipliers| multipliers.to_vec()).unwrap_or_default();
    let (weights, bias) = (constants[0].to_vec(), constants[1].to_vec());
    kernel.pack_layer(Layer { weights: &weights, bias: &bias, multipliers: &multipliers, x_limit }, packing)
}
