//! `Softmax`, `LogSoftmax`: <https://onnx.ai/onnx/operators/onnx__Softmax.html>

use proc_macro2::TokenStream;
use quote::quote;

use super::{FLOATS, expect_elem, mapped};
use crate::diagnostic::Result;
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels::{self, Overlap};
use crate::op::{LATEST, Op, OpDef, Operator, Types};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Softmax", opset: 1..=12, read: |node| read_flat(node, false) },
    OpDef { name: "Softmax", opset: 13..=LATEST, read: |node| read(node, false) },
    OpDef { name: "LogSoftmax", opset: 1..=12, read: |node| read_flat(node, true) },
    OpDef { name: "LogSoftmax", opset: 13..=LATEST, read: |node| read(node, true) },
];

/// Normalizes each lane along `axis` so that its exponentials sum to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Softmax {
    /// The axis of the lanes.
    pub axis: usize,
    /// Whether the logarithm is computed.
    pub log: bool,
}

/// Along one axis.
pub fn read(node: &mut NodeReader, log: bool) -> Result<Vec<ValueId>> {
    let rank = node.ty(node.input(0)?).shape.len();
    let axis = node.axis("axis", -1, rank)?;
    node.unary(Softmax { axis, log })
}

/// Before opset 13 all dimensions from `axis` on are one lane.
pub fn read_flat(node: &mut NodeReader, log: bool) -> Result<Vec<ValueId>> {
    let input = node.input(0)?;
    let shape = node.ty(input).shape.clone();
    let axis = node.axis("axis", 1, shape.len())?;
    let (outer, inner) = shape.split_at(axis);
    let flat = node.reshape(input, [outer.iter().product::<usize>(), inner.iter().product()])?;
    let normalized = node.push(Softmax { axis: 1, log }, &[flat])?;
    Ok(vec![node.reshape(normalized, shape)?])
}

impl Softmax {
    /// The kernel for an input of this type.
    pub fn kernel(&self, input: &TensorType) -> kernels::Softmax {
        let (outer, rest) = input.shape.split_at(self.axis);
        kernels::Softmax { outer: outer.iter().product(), len: rest[0], inner: rest[1..].iter().product(), log: self.log }
    }
}

impl Operator for Softmax {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("input", inputs[0], FLOATS)?;
        Ok(vec![inputs[0].clone()])
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let kernel = self.kernel(&outputs[0]);
        (outputs[0].elem == ElemType::F32).then(|| vec![mapped::<f32>(inputs[0], &outputs[0], |x, y| kernel.run(x, y))])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        Some((Self { axis: perm[self.axis], ..self.clone() }.into(), perm.to_vec()))
    }

    fn overlap(&self, types: Types, _input: usize) -> Overlap {
        self.kernel(types.inputs[0]).overlap(types.inputs[0].elem.size())
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&self.kernel(cx.input_ty(0)));
        let (x, y) = (cx.input(0), cx.output(0));
        quote! { #kernel.run(#x, #y); }
    }
}

/// The constants of the quantized arithmetic, [`kernels::Softmax::quantized`].
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// `2^T · exp(scale · (i - 255))`, rounded.
    pub table: [u32; 256],
    /// `2^shift / scale of y`, rounded.
    pub unit: u64,
    /// The shift of the [`kernels::Requantize`].
    pub shift: u32,
}

impl Shares {
    /// For lanes of `len` elements with the scales of `x` and `y`; `None` where those of `y` are finer than a share is computed.
    pub fn new(len: usize, x_scale: f64, y_scale: f64) -> Option<Self> {
        // A sum of `len` powers stays below 2^32, and a power is an i32.
        let point = u32::try_from(len).map_or(0, |len| (u32::MAX / len.max(1)).ilog2()).min(30);
        let power = |index: u8| kernels::exp(x_scale * (f64::from(index) - 255.0)) * f64::from(1 << point);
        let table = core::array::from_fn(|index| power(index as u8).round() as u32);
        let unit = |shift: u32| ((1u64 << shift) as f64 / y_scale).round();
        let shift = (33..=62).rev().find(|&shift| unit(shift) < (1u64 << (31 + point)) as f64)?;
        Some(Self { table, unit: unit(shift) as u64, shift })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::Requantize;
    use std::cell::Cell;

    #[test]
    fn quantized_shares_are_within_one_of_the_formula() {
        for (len, x_scale, y_scale) in
            [(1, 0.1, 1.0 / 256.0), (12, 0.08, 1.0 / 256.0), (1000, 0.01, 0.3 / 255.0), (10, 5.0, 1.0 / 128.0)]
        {
            let x: Vec<i8> = (0..len).map(|index| (index * 77 % 256) as i8).collect();
            let Shares { table, unit, shift } = Shares::new(len, x_scale, y_scale).unwrap();
            let y = vec![Cell::new(0i8); len];
            let requantize = Requantize { left: 0, shift, zero: -128, low: -128, high: 127 };
            let softmax = kernels::Softmax { outer: 1, len, inner: 1, log: false };
            softmax.quantized(&x.iter().map(|x| Cell::new(*x)).collect::<Vec<_>>(), &y, &table, unit, requantize);
            let powers: Vec<f64> = x.iter().map(|x| (x_scale * f64::from(*x)).exp()).collect();
            let sum: f64 = powers.iter().sum();
            for (power, y) in powers.iter().zip(&y) {
                let exact = (power / sum / y_scale).round().clamp(0.0, 255.0) - 128.0;
                assert!((f64::from(y.get()) - exact).abs() <= 1.0, "{len} {x_scale} {y_scale}: {y:?}, not {exact}");
            }
        }
    }

    #[test]
    fn quantized_sums_do_not_overflow() {
        for len in [1, 2, 3, 4, 5, 1000, 1 << 20] {
            let table = Shares::new(len, 0.1, 1.0 / 256.0).unwrap().table;
            assert!(u64::from(table[255]) * len as u64 <= u64::from(u32::MAX) && table[255] <= 1 << 30, "{len}");
        }
        assert_eq!(Shares::new(1000, 0.1, 1e-30), None);
    }
}
