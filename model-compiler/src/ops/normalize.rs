//! `LayerNormalization`, `RMSNormalization`, `InstanceNormalization`, `GroupNormalization`, `MeanVarianceNormalization`,
//! `LpNormalization`, `LRN`.
//!
//! <https://onnx.ai/onnx/operators/onnx__LayerNormalization.html>

mod others;

use proc_macro2::TokenStream;
use quote::quote;

use super::elementwise::{Elementwise, Expr, push};
use super::reduce::{Method, Reduce};
use super::{FLOATS, expect_elem, mapped};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels::{self, Overlap};
use crate::op::{LATEST, Op, OpDef, Operator, Types, reference_only};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType, broadcast};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "LayerNormalization", opset: 17..=LATEST, read: read_layer },
    OpDef { name: "RMSNormalization", opset: 23..=LATEST, read: read_rms },
    OpDef { name: "InstanceNormalization", opset: 6..=LATEST, read: read_instance },
    OpDef { name: "GroupNormalization", opset: 18..=20, read: |node| read_group(node, true) },
    OpDef { name: "GroupNormalization", opset: 21..=LATEST, read: |node| read_group(node, false) },
    OpDef { name: "MeanVarianceNormalization", opset: 9..=LATEST, read: others::read_mean_variance },
    OpDef { name: "LpNormalization", opset: 1..=LATEST, read: others::read_lp },
    OpDef { name: "LRN", opset: 1..=LATEST, read: others::read_local_response },
];

/// `y = (x − mean) / √(variance + epsilon)`, both taken over some axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Normalize {
    /// The first of the axes.
    pub axis: usize,
    /// How many there are.
    pub axes: usize,
    /// Whether the mean is subtracted; else the variance is the mean of the squares.
    pub centred: bool,
    /// What keeps the divisor from zero.
    pub epsilon: f32,
}

/// Sums are kept in `f32` at least, which is what a `stash_type` of 1 asks for.
fn expect_stash_type(node: &NodeReader) -> Result<()> {
    match node.int("stash_type", 1)? {
        1 => Ok(()),
        other => Err(unsupported_attribute("stash_type", &other.to_string(), "1 (f32)")),
    }
}

/// `y · scale + bias`; each broadcasts to `y`.
fn scaled(node: &mut NodeReader, y: ValueId, scale: ValueId, bias: Option<ValueId>) -> Result<ValueId> {
    for (name, id) in [("scale", Some(scale)), ("bias", bias)] {
        let Some(id) = id else { continue };
        let (found, input) = (node.ty(id), node.ty(y));
        if broadcast([&input.shape, &found.shape]).as_ref() != Some(&input.shape) {
            return Err(Refusal::new(
                format!("`{name}` is {found}, which does not broadcast to {input}"),
                "fix the shapes in the exported model, or the sizes given in `dims`",
            ));
        }
    }
    let y = push(node, "mul", &[y, scale])?;
    bias.map_or(Ok(y), |bias| push(node, "add", &[y, bias]))
}

fn read_layer(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    expect_stash_type(node)?;
    let (x, scale, bias) = (node.input(0)?, node.input(1)?, node.optional_input(2));
    let rank = node.ty(x).shape.len();
    let (axis, epsilon) = (node.axis("axis", -1, rank)?, node.float("epsilon", 1e-5)?);
    let normal = node.push(Normalize { axis, axes: rank - axis, centred: true, epsilon }, &[x])?;
    let mut outputs = vec![scaled(node, normal, scale, bias)?];
    if node.has_output(1) || node.has_output(2) {
        outputs.extend(statistics(node, x, (axis..rank).collect(), epsilon)?);
    }
    Ok(outputs)
}

/// The mean, and the factor `1 / √(variance + epsilon)`.
fn statistics(node: &mut NodeReader, x: ValueId, axes: Vec<usize>, epsilon: f32) -> Result<[ValueId; 2]> {
    let elem = node.ty(x).elem;
    let mean = node.push(Reduce { method: Method::Mean, axes: axes.clone() }, &[x])?;
    let centred = push(node, "sub", &[x, mean])?;
    let squares = push(node, "mul", &[centred, centred])?;
    let variance = node.push(Reduce { method: Method::Mean, axes }, &[squares])?;
    let shifted = Expr::call("add", [Expr::Input(0), Expr::number(epsilon.into(), elem)]);
    let expr = Expr::call("reciprocal", [Expr::call("sqrt", [shifted])]);
    Ok([mean, node.push(Elementwise { expr }, &[variance])?])
}

/// <https://onnx.ai/onnx/operators/onnx__RMSNormalization.html>
fn read_rms(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    expect_stash_type(node)?;
    let (x, scale) = (node.input(0)?, node.input(1)?);
    let rank = node.ty(x).shape.len();
    let (axis, epsilon) = (node.axis("axis", -1, rank)?, node.float("epsilon", 1e-5)?);
    let normal = node.push(Normalize { axis, axes: rank - axis, centred: false, epsilon }, &[x])?;
    Ok(vec![scaled(node, normal, scale, None)?])
}

/// Each channel of each image: <https://onnx.ai/onnx/operators/onnx__InstanceNormalization.html>
fn read_instance(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let channels = channels(node, x)?;
    let axes = node.ty(x).shape.len() - 2;
    let epsilon = node.float("epsilon", 1e-5)?;
    let normal = node.push(Normalize { axis: 2, axes, centred: true, epsilon }, &[x])?;
    let [scale, bias] = [by_channel(node, 1, "scale", channels, axes)?, by_channel(node, 2, "B", channels, axes)?];
    Ok(vec![scaled(node, normal, scale, Some(bias))?])
}

/// Groups of channels: <https://onnx.ai/onnx/operators/onnx__GroupNormalization.html>
fn read_group(node: &mut NodeReader, scale_by_group: bool) -> Result<Vec<ValueId>> {
    if !scale_by_group {
        expect_stash_type(node)?;
    }
    let x = node.input(0)?;
    let channels = channels(node, x)?;
    let shape = node.ty(x).shape.clone();
    let requested = node.int("num_groups", 0)?;
    let groups = usize::try_from(requested).ok().filter(|&groups| groups > 0 && channels.is_multiple_of(groups));
    let groups = groups.ok_or_else(|| {
        unsupported_attribute("num_groups", &requested.to_string(), &format!("what divides the {channels} channels"))
    })?;
    let epsilon = node.float("epsilon", 1e-5)?;
    let axes = shape.len() - 2;
    let grouped: Vec<usize> = [shape[0], groups, channels / groups].into_iter().chain(shape[2..].iter().copied()).collect();
    let x = node.reshape(x, grouped)?;
    let normal = node.push(Normalize { axis: 2, axes: axes + 1, centred: true, epsilon }, &[x])?;
    if scale_by_group {
        let [scale, bias] = [by_channel(node, 1, "scale", groups, axes + 1)?, by_channel(node, 2, "bias", groups, axes + 1)?];
        let y = scaled(node, normal, scale, Some(bias))?;
        return Ok(vec![node.reshape(y, shape)?]);
    }
    let normal = node.reshape(normal, shape)?;
    let [scale, bias] = [by_channel(node, 1, "scale", channels, axes)?, by_channel(node, 2, "bias", channels, axes)?];
    Ok(vec![scaled(node, normal, scale, Some(bias))?])
}

/// How many channels `x` has, whose axes are those of batch, channels and at least one more.
fn channels(node: &NodeReader, x: ValueId) -> Result<usize> {
    match &node.ty(x).shape[..] {
        [_, channels, _, ..] => Ok(*channels),
        _ => Err(Refusal::new(
            format!("the input is {}; expected 3 dimensions at least", node.ty(x)),
            "reshape the input to [batch, channels, …] in the exported model",
        )),
    }
}

/// Input `index`, one number a channel, in a shape that broadcasts to channels before `axes` axes.
fn by_channel(node: &mut NodeReader, index: usize, name: &str, channels: usize, axes: usize) -> Result<ValueId> {
    let id = node.input(index)?;
    if node.ty(id).shape[..] != [channels] {
        return Err(Refusal::new(
            format!("`{name}` is {}; expected {channels} numbers", node.ty(id)),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    let mut shape = vec![1; axes + 1];
    shape[0] = channels;
    node.reshape(id, shape)
}

impl Normalize {
    fn kernel(&self, input: &TensorType) -> kernels::Normalize {
        let (outer, rest) = input.shape.split_at(self.axis);
        let (lane, inner) = rest.split_at(self.axes);
        let Self { centred, epsilon, .. } = *self;
        let [outer, len, inner] = [outer, lane, inner].map(|sizes| sizes.iter().product());
        kernels::Normalize { outer, len, inner, centred, epsilon }
    }
}

impl Operator for Normalize {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("X", inputs[0], FLOATS)?;
        Ok(vec![inputs[0].clone()])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let kernel = self.kernel(&outputs[0]);
        (outputs[0].elem == ElemType::F32).then(|| vec![mapped::<f32>(inputs[0], &outputs[0], |x, y| kernel.run(x, y))])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        let axes = &perm[self.axis..self.axis + self.axes];
        let axis = axes.iter().copied().min()?;
        let together = axes.iter().all(|&other| other < axis + self.axes);
        together.then(|| (Self { axis, ..self.clone() }.into(), perm.to_vec()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    /// Rows of [a − d, a + d], which are −1 and 1 when they are centred and normalized.
    fn pairs(shape: &[usize]) -> Tensor {
        let value = |i: u8| f32::from(i / 2) + if i.is_multiple_of(2) { 0.0 } else { 4.0 };
        Tensor::from_vec(shape, &(0..8).map(value).collect::<Vec<f32>>())
    }

    fn check(node: &OneNode, expected: &[f32]) {
        let found = node.results()[0].to_vec::<f32>();
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-5);
        assert!(close && found.len() == expected.len(), "{node:?}: {found:?}, not {expected:?}");
    }

    fn floats(values: &[f32]) -> Tensor {
        Tensor::from_vec([values.len()], values)
    }

    #[test]
    fn rows_and_their_statistics() {
        let node =
            OneNode::new("LayerNormalization", 17).constant(&pairs(&[4, 2])).constant(&floats(&[2.0, 3.0])).float("epsilon", 0.0);
        check(&node, &[-2.0, 3.0].repeat(4));
        check(&node.clone().constant(&floats(&[0.5, 1.0])), &[-1.5, 4.0].repeat(4));
        let results = node.clone().outputs(3).results();
        assert_eq!(results[1].to_vec::<f32>(), [2.0, 3.0, 4.0, 5.0]);
        assert_eq!((results[2].to_vec::<f32>(), results[2].ty().to_string()), (vec![0.5; 4], "f32[4, 1]".to_owned()));
        node.int("stash_type", 11).refused("`stash_type` is 11; supported: 1", "supported value");
        let ill = OneNode::new("LayerNormalization", 17).floats(&[4, 2]).floats(&[4]);
        ill.refused("`scale` is f32[4], which does not broadcast to f32[4, 2]", "fix the shapes");
        let ints = OneNode::new("LayerNormalization", 17).input(ElemType::I32, &[4, 2]).floats(&[2]);
        ints.refused("`X` is i32[4, 2]; supported element types", "cast");
    }

    #[test]
    fn roots_of_mean_squares() {
        let x = Tensor::from_vec([2, 2], &[1.0f32, 7.0, 3.0, 3.0]);
        let node = OneNode::new("RMSNormalization", 23).constant(&x).constant(&floats(&[5.0, 10.0])).float("epsilon", 0.0);
        check(&node, &[1.0, 14.0, 5.0, 10.0]);
    }

    #[test]
    fn channels_and_groups_of_them() {
        let scale = floats(&[1.0, 2.0]);
        let node = |op, opset, shape: &[usize]| OneNode::new(op, opset).constant(&pairs(shape)).float("epsilon", 0.0);
        let by_channel = [-1.0, 1.0, -2.0, 2.0].repeat(2);
        check(&node("InstanceNormalization", 6, &[2, 2, 2]).constant(&scale).constant(&floats(&[0.0, 0.0])), &by_channel);
        let group = |opset, groups| node("GroupNormalization", opset, &[1, 4, 2]).int("num_groups", groups);
        let zeros = floats(&[0.0; 4]);
        let four = floats(&[1.0, 2.0, 1.0, 2.0]);
        check(&group(21, 4).constant(&four).constant(&zeros), &by_channel);
        check(&group(18, 4).constant(&four).constant(&zeros), &by_channel);
        assert_eq!(group(18, 2).constant(&scale).constant(&scale).types(), ["f32[1, 4, 2]"]);
        group(21, 2).constant(&scale).constant(&zeros).refused("`scale` is f32[2]; expected 4 numbers", "onnx.checker");
        group(21, 3).refused("`num_groups` is 3; supported: what divides the 4 channels", "supported value");
        node("InstanceNormalization", 6, &[4, 2]).refused("the input is f32[4, 2]; expected 3 dimensions", "reshape");
    }

    #[test]
    fn a_transpose_moves_behind() {
        let ty = TensorType::new(ElemType::F32, [1, 3, 4, 5]);
        let types = Types { inputs: &[&ty], outputs: &[&ty] };
        let normalize = |axis, axes| Normalize { axis, axes, centred: true, epsilon: 0.0 };
        let expected = Some((normalize(1, 2).into(), vec![0, 3, 1, 2]));
        assert_eq!(normalize(2, 2).transposed(types, &[0, 3, 1, 2]), expected);
        assert_eq!(normalize(1, 2).transposed(types, &[0, 3, 1, 2]), None);
    }
}
