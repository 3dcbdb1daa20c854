//! Folds a scale and shift behind a layer into its weights and bias: batch normalization, biases added apart, scalar chains.

use crate::graph::{Graph, Node, ValueId};
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::ops::reshape::Reshape;
use crate::scalar::Scalar;
use crate::ty::ElemType;

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

/// One arithmetic step on a layer's output.
struct Affine {
    /// `add`, `sub`, `mul` or `div`.
    function: &'static str,
    /// A constant for each output.
    operand: ValueId,
    /// Whether the layer's output is the second argument: `operand - y`.
    flipped: bool,
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
    let Some(affine) = affine(graph, reader, layer.outputs[0]) else { return false };
    let inputs = folded_inputs(graph, &layer, &affine);
    let mut origin = layer.origin.clone();
    origin.extend(graph.nodes[reader].origin.iter().cloned());
    // The layer moves to where its reader stands: all that it reads is defined there too.
    graph.rewrite(reader, layer.op, &inputs, &origin);
    true
}

/// The step that the node at `reader` does on `value`, if it is one.
fn affine(graph: &mut Graph, reader: usize, value: ValueId) -> Option<Affine> {
    let node = graph.nodes[reader].clone();
    let Op::Elementwise(Elementwise { expr: Expr::Call(function, arguments) }) = &node.op else { return None };
    let ty = graph.ty(value).clone();
    if graph.ty(node.outputs[0]) != &ty || !matches!(ty.elem, ElemType::F32 | ElemType::F64) {
        return None;
    }
    let [left, right] = arguments.as_slice() else { return None };
    let is_value = |expr: &Expr| matches!(expr, Expr::Input(place) if node.inputs[*place] == value);
    let (flipped, other) = match (is_value(left), is_value(right)) {
        (true, false) => (false, right),
        (false, true) => (true, left),
        _ => return None,
    };
    let function = match function.name() {
        "div" if flipped => return None,
        name @ ("add" | "sub" | "mul" | "div") => name,
        _ => return None,
    };
    let outputs = *ty.shape.last()?;
    // A vector for a number too, so that there is one way to fold.
    let operand = match other {
        Expr::Constant(scalar) => graph.add_constant("scale", Scalar::tensor(ty.elem, [outputs], &vec![*scalar; outputs])),
        Expr::Input(place) => {
            let constant = graph.constant(node.inputs[*place])?;
            let shape = &constant.ty().shape;
            let one_for_each = shape.last() == Some(&outputs) && shape.elements() == outputs;
            let vector = one_for_each.then(|| constant.reshaped([outputs]))?;
            let name = graph.value(node.inputs[*place]).name.clone();
            graph.add_constant(name, vector)
        }
        _ => return None,
    };
    Some(Affine { function, operand, flipped })
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

/// `function(left, right)` of constants, named after the first.
fn compute(graph: &mut Graph, left: ValueId, function: &str, right: ValueId) -> ValueId {
    let expr = Expr::call(function, [Expr::Input(0), Expr::Input(1)]);
    let name = graph.value(left).name.clone();
    let result = graph.insert_one(0, Elementwise { expr }.into(), &[left, right], &[]);
    graph.rename(result, name);
    result
}
