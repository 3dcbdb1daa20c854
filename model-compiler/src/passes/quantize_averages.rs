//! Makes average pools between quantized tensors integer ones.

use super::quantization::{dequantized, quantized_alone};
use super::requantize::requantize;
use crate::graph::Graph;
use crate::op::Op;
use crate::ops::pool::{Method, Pool};
use crate::ops::quantized_average::QuantizedAverage;
use crate::tensor::Tensor;

/// `quantize(clamp(average(dequantize(x))))` → `average[requantize](x, m)`, a multiplier for each number of elements
pub(super) fn quantize_averages(graph: &mut Graph) {
    for index in 0..graph.nodes.len() {
        // Nodes that are no longer read vanish with those that read them.
        if index < graph.nodes.len() {
            quantize(graph, index);
        }
    }
}

/// Makes the pool at `index` an integer one, where it is one between quantized tensors.
fn quantize(graph: &mut Graph, index: usize) -> Option<()> {
    let node = graph.nodes[index].clone();
    let Op::Pool(Pool { window, ceil, method: Method::Average { include_padding }, activation: None, backward, .. }) = node.op
    else {
        return None;
    };
    let (x, from) = dequantized(graph, node.inputs[0])?;
    let (reader, clamp, to) = quantized_alone(graph, node.outputs[0])?;
    let counts = QuantizedAverage::counts(&window, ceil, include_padding, graph.ty(x));
    let factor = |&count: &usize| match u32::try_from(count) {
        // Where no element counts, the average is zero.
        Ok(0) => Some(0.0),
        Ok(count) => Some(f64::from(from.scale) / f64::from(to.scale) / f64::from(count)),
        Err(_) => None,
    };
    let factors = counts.iter().map(factor).collect::<Option<Vec<f64>>>()?;
    let widest = from.range().map(|bound| i64::from(bound - from.zero).abs()).into_iter().max()?;
    let largest = widest.checked_mul(i64::try_from(window.kernel[0] * window.kernel[1]).ok()?)?;
    let (requantize, multipliers) = requantize(&factors, largest, to, clamp).filter(|_| largest <= i32::MAX.into())?;
    let name = format!("{}_multipliers", graph.value(node.outputs[0]).name);
    let multipliers = graph.add_constant(name, Tensor::from_vec([multipliers.len()], &multipliers));
    let (x_zero, output) = (from.read_zero(), to.elem);
    let op = QuantizedAverage { window, ceil, include_padding, x_zero, output, requantize, backward, row_of: None };
    let origin = [node.origin, graph.nodes[reader].origin.clone()].concat();
    graph.rewrite(reader, op.into(), &[x, multipliers], &origin);
    Some(())
}
