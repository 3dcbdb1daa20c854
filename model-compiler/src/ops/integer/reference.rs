//! Quantized layers computed by the compiler.

use std::cell::Cell;

use super::{Integer, LayerKernel, offset, pack};
use crate::kernels::{Packing, Quad, Requantize};
use crate::ops::{cells, filled};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// The operands of a layer.
#[derive(Debug)]
pub struct Operands {
    pub(super) x: Vec<i16>,
    pub(super) packed: Vec<Quad>,
    pub(super) scratch: Vec<Cell<i16>>,
    pub(super) x_zero: i32,
}

/// Where a layer leaves its results.
#[derive(Debug)]
pub enum Results<'a> {
    /// As sums.
    Sums(&'a [Cell<i32>]),
    /// Requantized.
    Quantized(&'a [Cell<i16>], Requantize),
}

impl Integer {
    /// The output of a layer.
    pub fn evaluate(&self, kernel: &dyn LayerKernel, inputs: &[&Tensor], output: &TensorType) -> Tensor {
        let operands = Operands {
            x: read(inputs[0]),
            // All elements are read as those of 16 bits.
            packed: pack(kernel, ElemType::I16, &inputs[1..], Packing::Portable),
            scratch: cells(kernel.layer_scratch()),
            x_zero: self.x_zero,
        };
        let Some(requantize) = self.requantize else {
            return filled(output, |y| kernel.evaluate(&operands, Results::Sums(y)));
        };
        let y = cells(output.elements());
        kernel.evaluate(&operands, Results::Quantized(&y, less_offset(requantize, output.elem)));
        written(output, &y)
    }
}

/// How sums become `i16`, which holds the elements of each type less its offset.
pub fn less_offset(requantize: Requantize, elem: ElemType) -> Requantize {
    let Requantize { zero, low, high, .. } = requantize;
    let [zero, low, high] = [zero, low, high].map(|bound| bound - offset(elem));
    Requantize { zero, low, high, ..requantize }
}

/// The tensor of elements that were written less the offset of their type.
pub fn written(ty: &TensorType, y: &[Cell<i16>]) -> Tensor {
    let offset = offset(ty.elem);
    let element = |y: &Cell<i16>| Scalar::of(f64::from(i32::from(y.get()) + offset), ty.elem);
    Scalar::tensor(ty.elem, ty.shape.clone(), &y.iter().map(element).collect::<Vec<_>>())
}

/// Elements less the offset of their type.
pub fn read(tensor: &Tensor) -> Vec<i16> {
    let offset = i64::from(offset(tensor.ty().elem));
    let narrow = |element: i64| i16::try_from(element - offset).expect("elements of 8 or 16 bits");
    tensor.to_ints().expect("`x` has integers").into_iter().map(narrow).collect()
}
