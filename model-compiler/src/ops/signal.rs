//! `DFT`, `STFT`, and the windows and filters that go with them.
//!
//! <https://onnx.ai/onnx/operators/onnx__DFT.html>, <https://onnx.ai/onnx/operators/onnx__STFT.html>

mod windows;

use proc_macro2::TokenStream;
use quote::quote;

use super::resize::real;
use super::{FLOATS, cells, expect_elem, filled, sized};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, OpDef, Operator, Types, reference_only};
use crate::reader::{self, NodeReader};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "DFT", opset: 17..=19, read: |node| read_dft(node, node.int("axis", 1)?) },
    OpDef { name: "DFT", opset: 20..=LATEST, read: |node| read_dft(node, number(node, 2, "axis")?.unwrap_or(-2)) },
    OpDef { name: "STFT", opset: 17..=LATEST, read: read_stft },
    OpDef { name: "HannWindow", opset: 17..=LATEST, read: |node| windows::read(node, windows::HANN) },
    OpDef { name: "HammingWindow", opset: 17..=LATEST, read: |node| windows::read(node, windows::HAMMING) },
    OpDef { name: "BlackmanWindow", opset: 17..=LATEST, read: |node| windows::read(node, windows::BLACKMAN) },
    OpDef { name: "MelWeightMatrix", opset: 17..=LATEST, read: windows::read_mel },
];

/// Fourier transforms along an axis of `[…, n, …, parts]`, the parts of a number last; input 1, if there is one, is a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Fourier {
    /// The axis.
    pub axis: usize,
    /// How many elements are transformed at once.
    pub size: usize,
    /// How many elements of the result are wanted.
    pub outputs: usize,
    /// Parts of a number in the output.
    pub parts: usize,
    /// Whether the inverse is computed.
    pub inverse: bool,
    /// Whether the input is the first half of a symmetric spectrum.
    pub mirrored: bool,
    /// How far one transform begins behind the other, where many are made: their number is an axis before `axis`.
    pub step: Option<usize>,
}

/// Input `index` as one number, which must be constant; `None` when it is omitted.
fn number(node: &NodeReader, index: usize, name: &str) -> Result<Option<i64>> {
    match node.constant_ints(index, name)?.as_deref() {
        None => Ok(None),
        Some(&[number]) => Ok(Some(number)),
        Some(found) => Err(Refusal::new(
            format!("input `{name}` is {found:?}; expected one number"),
            "export the model again, or check it with `onnx.checker`",
        )),
    }
}

/// A number that counts elements.
fn count(name: &str, number: i64) -> Result<usize> {
    usize::try_from(number).ok().filter(|count| (1..1 << 24).contains(count)).ok_or_else(|| {
        Refusal::new(
            format!("`{name}` is {number}; expected 1 to 16777215"),
            "export the model again, or check it with `onnx.checker`",
        )
    })
}

fn read_dft(node: &mut NodeReader, axis: i64) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let ty = node.ty(x).clone();
    let (inverse, half) = (node.flag("inverse", false)?, node.flag("onesided", false)?);
    let rank = ty.shape.len();
    let axis = reader::axis("axis", axis, rank)?;
    if axis + 1 == rank || !matches!(ty.shape.last(), Some(1 | 2)) {
        return Err(Refusal::new(
            format!("the input is {ty} and `axis` {axis}; expected a last axis of 1 or 2 parts that is not transformed"),
            "reshape the input to [batch, samples, 1] in the exported model",
        ));
    }
    let mirrored = inverse && half;
    let whole = if mirrored { 2 * ty.shape[axis].saturating_sub(1) } else { ty.shape[axis] };
    let size = match number(node, 1, "dft_length")? {
        Some(length) => count("dft_length", length)?,
        None => whole.max(1),
    };
    let outputs = if half && !inverse { size / 2 + 1 } else { size };
    let parts = if mirrored { 1 } else { 2 };
    node.unary(Fourier { axis, size, outputs, parts, inverse, mirrored, step: None })
}

/// <https://onnx.ai/onnx/operators/onnx__STFT.html>
fn read_stft(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let ty = node.ty(x).clone();
    let half = node.flag("onesided", true)?;
    let step = count("frame_step", number(node, 1, "frame_step")?.unwrap_or(0))?;
    let window = node.optional_input(2);
    let window_len = window.map(|window| node.ty(window).elements());
    let size = match number(node, 3, "frame_length")? {
        Some(length) => count("frame_length", length)?,
        None => window_len.unwrap_or(0),
    };
    let shape = match ty.shape[..] {
        [batch, len] => [batch, len, 1],
        [batch, len, parts @ (1 | 2)] => [batch, len, parts],
        _ => [0; 3],
    };
    if shape[1] < size || size == 0 || window_len.is_some_and(|len| len != size) {
        return Err(Refusal::new(
            format!("the signal is {ty}, a frame has {size} samples, and the window {window_len:?}"),
            "give a signal of [batch, samples, 1], and frames as long as the window",
        ));
    }
    let signal = node.reshape(x, shape)?;
    let outputs = if half { size / 2 + 1 } else { size };
    let inputs: Vec<ValueId> = [signal].into_iter().chain(window).collect();
    let fourier = Fourier { axis: 1, size, outputs, parts: 2, inverse: false, mirrored: false, step: Some(step) };
    Ok(vec![node.push(fourier, &inputs)?])
}

impl Fourier {
    fn frames(&self, len: usize) -> usize {
        self.step.map_or(1, |step| len.saturating_sub(self.size) / step + 1)
    }

    fn kernel(&self, input: &TensorType) -> kernels::Fourier {
        let (outer, rest) = input.shape.split_at(self.axis);
        let (len, parts) = (rest[0], rest[rest.len() - 1]);
        let [outer, inner] = [outer, &rest[1..rest.len() - 1]].map(|sizes| sizes.iter().product());
        kernels::Fourier {
            outer,
            len,
            inner,
            frames: self.frames(len),
            step: self.step.unwrap_or(0),
            size: self.size,
            outputs: self.outputs,
            parts: [parts, self.parts],
            inverse: self.inverse,
            mirrored: self.mirrored,
        }
    }

    /// Cosine and sine of each step around the circle.
    fn turns(&self, elem: ElemType) -> Tensor {
        let angle = |k: usize| std::f64::consts::TAU * real(k) / real(self.size);
        let turns = (0..self.size).flat_map(|k| [angle(k).cos(), angle(k).sin()]);
        let turns: Vec<Scalar> = turns.map(|turn| Scalar::of(turn, elem)).collect();
        Scalar::tensor(elem, [turns.len()], &turns)
    }
}

impl Operator for Fourier {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let signal = inputs[0];
        expect_elem("input", signal, FLOATS)?;
        if let Some(window) = inputs.get(1).filter(|window| window.elem != signal.elem) {
            return Err(Refusal::new(
                format!("the window is {window} and the signal {signal}; expected one element type"),
                "cast one of them in the exported model",
            ));
        }
        let mut shape = signal.shape.to_vec();
        shape[self.axis] = self.outputs;
        *shape.last_mut().expect("it has parts") = self.parts;
        if self.step.is_some() {
            shape.insert(self.axis, self.frames(signal.shape[self.axis]));
        }
        Ok(vec![sized(signal.elem, &shape)?])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let kernel = self.kernel(inputs[0].ty());
        let turns = self.turns(outputs[0].elem);
        (outputs[0].elem == ElemType::F32).then(|| {
            let (x, turns) = (inputs[0].to_vec::<f32>(), turns.to_vec::<f32>());
            let window = inputs.get(1).map_or(Vec::new(), |window| window.to_vec::<f32>());
            vec![filled::<f32>(&outputs[0], |y| kernel.run(&x, &window, &turns, y, &cells(kernel.scratch())))]
        })
    }

    fn scratch(&self, types: Types, _constant: &[bool]) -> Vec<TensorType> {
        vec![types.inputs[0].with_shape([self.kernel(types.inputs[0]).scratch()])]
    }

    fn macs(&self, types: Types) -> u64 {
        self.kernel(types.inputs[0]).macs()
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&self.kernel(cx.input_ty(0)));
        let turns = cx.constant("turns", self.turns(cx.input_ty(0).elem));
        let window = cx.input_operand("window", 1).value;
        let (x, y, scratch) = (cx.input(0), cx.output(0), cx.scratch_operand().value);
        quote! { #kernel.run(#x, #window, #turns, #y, #scratch); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    fn ramp(shape: &[usize]) -> Tensor {
        Tensor::from_vec(shape, &(1u8..).take(shape.iter().product()).map(f32::from).collect::<Vec<f32>>())
    }

    fn check(node: &OneNode, expected: &[f32]) {
        let found = node.results()[0].to_vec::<f32>();
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-4);
        assert!(close && found.len() == expected.len(), "{node:?}: {found:?}, not {expected:?}");
    }

    #[test]
    fn transforms_along_an_axis() {
        let node = |opset| OneNode::new("DFT", opset).constant(&ramp(&[1, 4, 1]));
        check(&node(17), &[10.0, 0.0, -2.0, 2.0, -2.0, 0.0, -2.0, -2.0]);
        check(&node(20).int("onesided", 1), &[10.0, 0.0, -2.0, 2.0, -2.0, 0.0]);
        check(&node(17).constant(&Tensor::from_vec([], &[2i64])), &[3.0, 0.0, -1.0, 0.0]);
        let half = Tensor::from_vec([1, 3, 2], &[10.0f32, 0.0, -2.0, 2.0, -2.0, 0.0]);
        let inverse = OneNode::new("DFT", 20).constant(&half).int("inverse", 1).int("onesided", 1);
        check(&inverse, &[1.0, 2.0, 3.0, 4.0]);
        node(17).int("axis", 2).refused("expected a last axis of 1 or 2 parts that is not transformed", "reshape");
    }

    #[test]
    fn transforms_of_frames() {
        let number = |number: i64| Tensor::from_vec([], &[number]);
        let node = || OneNode::new("STFT", 17).constant(&ramp(&[1, 6, 1])).constant(&number(2));
        let window = Tensor::from_vec([2], &[1.0f32, 3.0]);
        check(&node().constant(&window), &[7.0, 0.0, -5.0, 0.0, 15.0, 0.0, -9.0, 0.0, 23.0, 0.0, -13.0, 0.0]);
        assert_eq!(node().omitted().constant(&number(4)).types(), ["f32[1, 2, 3, 2]"]);
        assert_eq!(node().omitted().constant(&number(4)).int("onesided", 0).types(), ["f32[1, 2, 4, 2]"]);
        node().omitted().constant(&number(7)).refused("a frame has 7 samples", "frames as long as the window");
    }
}
