//! Makes a softmax between quantized tensors an integer one.

use super::clamp::Clamp;
use super::quantization::{dequantized, quantized_alone};
use super::requantize::bounds;
use crate::graph::Graph;
use crate::kernels::Requantize;
use crate::op::Op;
use crate::ops::quantized_softmax::QuantizedSoftmax;
use crate::ops::softmax::Softmax;
use crate::quantization::Quantization;
use crate::tensor::Tensor;

/// `quantize(softmax(dequantize(x)))` → `softmax[requantize](x, powers)`, `x` of 8 bits
pub(super) fn quantize_softmax(graph: &mut Graph) {
    for index in 0..graph.nodes.len() {
        // Nodes that are no longer read vanish with those that read them.
        if index < graph.nodes.len() {
            quantize(graph, index);
        }
    }
}

/// Makes the softmax at `index` an integer one, where it is one between quantized tensors.
fn quantize(graph: &mut Graph, index: usize) -> Option<()> {
    let node = graph.nodes[index].clone();
    let Op::Softmax(Softmax { axis, log: false }) = node.op else { return None };
    let (x, from) = dequantized(graph, node.inputs[0]).filter(|(_, from)| from.elem.size() == 1)?;
    let (reader, clamp, to) = quantized_alone(graph, node.outputs[0])?;
    let point = point(graph.ty(x).shape[axis])?;
    let (unit, requantize) = scale(point, to, clamp)?;
    let name = format!("{}_powers", graph.value(node.outputs[0]).name);
    let powers = graph.add_constant(name, Tensor::from_vec([32], &powers(point, from)));
    let op = QuantizedSoftmax { axis, unit, output: to.elem, requantize };
    let origin = [node.origin, graph.nodes[reader].origin.clone()].concat();
    graph.rewrite(reader, op.into(), &[x, powers], &origin);
    Some(())
}

/// The binary places behind the point of exponentials of which so many sum up to less than 2^31.
fn point(len: usize) -> Option<i32> {
    let len = u64::try_from(len).ok()?;
    (1..=30).rev().find(|point| len.checked_shl(*point).is_some_and(|sum| sum < 1 << 31))?.try_into().ok()
}

/// The powers of [`kernels::Softmax::quantized`](crate::kernels::Softmax::quantized): `2^point · exp(-16 · scale · i)` for each `i` below 16,
/// and `2^31 · exp(-scale · i)`.
fn powers(point: i32, from: Quantization) -> Vec<u32> {
    let power = |point: i32, distance: u8| {
        let exponent = -f64::from(from.scale) * f64::from(distance);
        crate::kernels::cast((exponent.exp() * 2f64.powi(point)).round())
    };
    (0..16).map(|index| power(point, 16 * index)).chain((0..16).map(|index| power(31, index))).collect()
}

/// `2^shift / scale` of the output, with the greatest shift that keeps it below `2^(31 + point)`.
fn scale(point: i32, to: Quantization, clamp: Clamp) -> Option<(u64, Requantize)> {
    let unit = |shift: i32| (2f64.powi(shift) / f64::from(to.scale)).round();
    let shift = (33..=62).rev().find(|&shift| unit(shift) < 2f64.powi(31 + point))?;
    let [low, high] = bounds(to, clamp)?;
    let requantize = Requantize { left: 0, shift: u32::try_from(shift).ok()?, zero: to.zero, low, high };
    Some((crate::kernels::cast(unit(shift)), requantize))
}
