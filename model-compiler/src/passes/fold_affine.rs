//! Folds a scale and shift behind a layer into its weights and bias: batch normalization, biases added apart, scalar chains.

use super::affine::{self, Affine, compute};
use crate::graph::{Graph, Node, ValueId};
use crate::op::Op;
use crate::ops::reshape::Reshape;
use crate::scalar::Scalar;

/// `(x·w + b) · s` → `x·(w·s) + b·s` and `(x·w + b) + t` → `x·w + (b + t)`, `s` and `t` constant along all but the last axis;
/// likewise for division and subtraction
pub(super) fn fold_affine(graph: &mut Graph) {
    let mut index = 0;
    while index < graph.nodes.len() {
        // Another scale or shift may follow the one that was folded, so the layer, now at this index, is looked at again.
        if !fold(graph, index) {
            index += 1;
        }
    }
}

/// Folds the only reader of the layer at `index` into it; tells whether there was one to fold.
fn fold(graph: &mut Graph, index: usize) -> bool {
    let layer = graph.nodes[index].clone();
    let plain = match &layer.op {
        Op::Conv(conv) => conv.activation.is_none(),
        Op::Dense(dense) => dense.activation.is_none(),
        _ => false,
    };
    let constant = layer.inputs[1..].iter().all(|&id| graph.constant(id).is_some());
    if !plain || !constant || graph.uses(layer.outputs[0]) != 1 {
        return false;
    }
    let [reader] = graph.readers(layer.outputs[0])[..] else { return false };
    let axis = graph.ty(layer.outputs[0]).shape.len() - 1;
    let Some(affine) = affine::step(graph, reader, layer.outputs[0], axis) else { return false };
    let inputs = folded_inputs(graph, &layer, &affine);
    let mut origin = layer.origin.clone();
    origin.extend(graph.nodes[reader].origin.iter().cloned());
    // The layer moves to where its reader stands: all that it reads is defined there too.
    graph.rewrite(reader, layer.op, &inputs, &origin);
    true
}

/// The layer's inputs with the step folded in.
fn folded_inputs(graph: &mut Graph, layer: &Node, affine: &Affine) -> Vec<ValueId> {
    let &Affine { function, operand, flipped } = affine;
    let (elem, outputs) = (graph.ty(operand).elem, graph.ty(operand).elements());
    let mut weights = layer.inputs[1];
    // The weights' axis of outputs: the first of a convolution's, the last of a dense layer's.
    let mut spread = vec![1; graph.ty(weights).shape.len()];
    let axis = if matches!(layer.op, Op::Conv(_)) { 0 } else { spread.len() - 1 };
    spread[axis] = outputs;
    if matches!(function, "mul" | "div") {
        let by_output = graph.insert_one(0, Reshape { shape: spread.into() }.into(), &[operand], &[]);
        weights = compute(graph, weights, function, by_output);
    }
    if function == "sub" && flipped {
        let minus_one = graph.add_constant("minus_one", Scalar::tensor(elem, [1], &[Scalar::of(-1.0, elem)]));
        weights = compute(graph, weights, "mul", minus_one);
    }
    let bias = match layer.inputs.get(2) {
        Some(&bias) => bias,
        None if matches!(function, "mul" | "div") => return vec![layer.inputs[0], weights],
        None => graph.add_constant("bias", Scalar::tensor(elem, [outputs], &vec![Scalar::zero(elem); outputs])),
    };
    let (left, right) = if flipped { (operand, bias) } else { (bias, operand) };
    let bias = compute(graph, left, function, right);
    let name = graph.value(layer.inputs.get(2).copied().unwrap_or(affine.operand)).name.clone();
    graph.rename(bias, name);
    vec![layer.inputs[0], weights, bias]
}
