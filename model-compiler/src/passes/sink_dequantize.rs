//! Moves dequantizations from before a movement of elements to behind it, so that 8-bit integers are moved, and layers find what they
//! were dequantized from.

use super::quantization::{self, dequantized};
use crate::graph::{Graph, ValueId};
use crate::ops::elementwise::{Elementwise, Expr};

/// `move(dequantize(x))` → `dequantize(move(x))`, `move` a reshape, transpose, slice, …, or a concatenation of tensors of one
/// quantization, or a maximum
pub(super) fn sink_dequantize(graph: &mut Graph) {
    let mut index = 0;
    while index < graph.nodes.len() {
        sink(graph, index);
        index += 1;
    }
}

/// Moves the dequantizations before the node at `index` behind it.
fn sink(graph: &mut Graph, index: usize) {
    let node = graph.nodes[index].clone();
    let count = quantization::moved_inputs(&node.op, node.inputs.len()).min(node.inputs.len());
    let (data, places) = node.inputs.split_at(count);
    let sources: Option<Vec<_>> = data.iter().map(|&id| dequantized(graph, id)).collect();
    let Some(&[(_, quantization), ..]) = sources.as_deref() else { return };
    let sources = sources.unwrap_or_default();
    if sources.iter().any(|(_, other)| *other != quantization) {
        return;
    }
    let Some(op) = quantization::moved(&node.op, quantization) else { return };
    let inputs: Vec<ValueId> = sources.iter().map(|(id, _)| *id).chain(places.iter().copied()).collect();
    let moved = graph.insert_one(index, op, &inputs, &node.origin);
    let name = graph.value(node.outputs[0]).name.clone();
    graph.rename(moved, name);
    let expr = quantization.dequantize(Expr::Input(0));
    graph.rewrite(index + 1, Elementwise { expr }.into(), &[moved], &node.origin);
}
