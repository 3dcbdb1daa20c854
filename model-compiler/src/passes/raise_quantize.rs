//! Moves quantizations from behind a movement of elements to before it, to the layer that computes what is quantized.

use super::clamp::Clamp;
use super::quantization::{self, Quantized, quantized};
use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::elementwise::Elementwise;

/// `quantize(clamp(move(x)))` → `move(quantize(clamp(x)))`, `move` a reshape, slice, concatenation, …, or a maximum, which nothing else
/// reads
pub(super) fn raise_quantize(graph: &mut Graph) {
    // From the last node on, as what was moved to before one movement may stand behind another.
    let mut index = graph.nodes.len();
    while index > 0 {
        index -= 1;
        if raise(graph, index) {
            // The nodes before the movement, the new ones among them, are looked at again.
            index = graph.nodes.len();
        }
    }
}

/// Moves the quantization at `index` to before the movement behind which it stands; tells whether there is one.
fn raise(graph: &mut Graph, index: usize) -> bool {
    let node = graph.nodes[index].clone();
    let Some(Quantized { value, inner, quantization }) = quantized(graph, index) else { return false };
    let Some(producer) = graph.producer(value).filter(|_| graph.uses(value) == 1) else { return false };
    let movement = graph.nodes[producer].clone();
    let (Some(clamp), Some(op)) = (Clamp::of(&inner), quantization::moved(&movement.op, quantization)) else { return false };
    // A clamp, like the quantization, keeps the order of numbers, and so the greatest of them; but what is padded is not bounded.
    if clamp != Clamp::NONE && matches!(op, Op::Pad(_)) {
        return false;
    }
    let count = quantization::moved_inputs(&op, movement.inputs.len()).min(movement.inputs.len());
    let mut inputs: Vec<ValueId> = movement.inputs.clone();
    for (place, input) in inputs[..count].iter_mut().enumerate() {
        let expr = quantization.quantize(inner.clone());
        *input = graph.insert_one(producer + place, Elementwise { expr }.into(), &[*input], &node.origin);
    }
    let index = graph.nodes.iter().position(|other| other.outputs == node.outputs).expect("it is still there");
    graph.rewrite(index, op, &inputs, &node.origin);
    true
}
