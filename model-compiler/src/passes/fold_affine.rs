//! Folds a scale and shift behind a layer into its weights and bias: batch normalization, biases added apart, scalar chains.

use super::affine::{self, Affine, compute};
use crate::graph::{Graph, Node, ValueId};
use crate::op::Op;
use crate::ops::reshape::Reshape;
use crate::scalar::Scalar;
use crate::ty::Shape;

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
        Op::ConvTranspose(conv) => conv.activation.is_none(),
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
    if matches!(function, "mul" | "div") {
        weights = scaled(graph, layer, function, operand);
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

/// The layer's weights, each by `function` with the factor of its output.
fn scaled(graph: &mut Graph, layer: &Node, function: &str, factors: ValueId) -> ValueId {
    let weights = layer.inputs[1];
    let name = graph.value(weights).name.clone();
    let (shape, outputs) = (graph.ty(weights).shape.clone(), graph.ty(factors).elements());
    let taps = shape[2..].iter().product();
    // The weights' axes, and those of the factors that they meet.
    let (weights_axes, factors_axes) = match &layer.op {
        Op::Conv(_) => ([outputs, shape[1], taps, 1], [outputs, 1, 1, 1]),
        Op::ConvTranspose(conv) => {
            let groups = conv.groups;
            ([groups, shape[0] / groups, outputs / groups, taps], [groups, 1, outputs / groups, 1])
        }
        _ => ([shape[0], outputs, 1, 1], [1, outputs, 1, 1]),
    };
    let mut reshaped = |id, shape: Shape| graph.insert_one(0, Reshape { shape }.into(), &[id], &[]);
    let (weights, factors) = (reshaped(weights, weights_axes.into()), reshaped(factors, factors_axes.into()));
    let scaled = compute(graph, weights, function, factors);
    let scaled = graph.insert_one(0, Reshape { shape }.into(), &[scaled], &[]);
    graph.rename(scaled, name);
    scaled
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::conv::Conv;
    use crate::ops::conv_transpose::ConvTranspose;
    use crate::ops::dense::Dense;
    use crate::ops::elementwise::{Elementwise, Expr};
    use crate::ops::window::Window;
    use crate::tensor::Tensor;
    use crate::testing;
    use crate::ty::ElemType;

    fn numbers(shape: &[usize], seed: usize) -> Tensor {
        let elements: Vec<f32> =
            (0..shape.iter().product()).map(|index: usize| ((index * 7 + seed * 5) % 11) as f32 / 4.0 - 1.0).collect();
        Tensor::from_vec(shape, &elements)
    }

    fn conv(groups: usize) -> Op {
        let window = Window { kernel: [2, 2], strides: [1, 1], dilations: [1, 2], padding: [1, 0, 0, 1] };
        Conv { window, groups, activation: None, integer: None, planar: false, backward: false }.into()
    }

    fn conv_transpose(kernel: [usize; 2], groups: usize) -> Op {
        let (padding, output) = ([0, 0], [4 + kernel[0], 10]);
        ConvTranspose { kernel, strides: [1, 2], dilations: [1, 1], padding, output, groups, activation: None }.into()
    }

    #[test]
    fn steps_behind_layers_are_folded() {
        let image = vec![2, 5, 5, 4];
        let layers = [
            (Dense::default().into(), vec![3, 4], vec![4, 6]),
            (conv(1), image.clone(), vec![6, 4, 2, 2]),
            (conv(2), image.clone(), vec![6, 2, 2, 2]),
            (conv_transpose([2, 3], 1), image.clone(), vec![4, 6, 2, 3]),
            (conv_transpose([2, 3], 2), image.clone(), vec![4, 3, 2, 3]),
            // Weights along one spatial axis.
            (conv_transpose([1, 3], 2), image, vec![4, 3, 3]),
        ];
        for (layer, shape, weights) in layers {
            for (function, flipped) in [("add", false), ("sub", false), ("sub", true), ("mul", false), ("div", false)] {
                let before = testing::graph(ElemType::F32, &shape, |graph, x| {
                    let weights = graph.add_constant("w", numbers(&weights, 1));
                    let y = graph.push(layer.clone(), &[x, weights], &["layer".to_owned()]).unwrap()[0];
                    let constant = graph.add_constant("c", Tensor::from_vec([6], &[0.5f32, 1.5, 2.5, 3.5, 4.5, 5.5]));
                    let (left, right) = if flipped { (1, 0) } else { (0, 1) };
                    let expr = Expr::call(function, [Expr::Input(left), Expr::Input(right)]);
                    graph.push(Elementwise { expr }.into(), &[y, constant], &["step".to_owned()]).unwrap()[0]
                });
                let mut after = before.clone();
                fold_affine(&mut after);
                assert_eq!(after.nodes.len(), 1, "{layer} {function}\n{after}");
                let input = numbers(&shape, 2);
                let [expected, found] = [&before, &after].map(|graph| testing::run(graph, &[&input])[0].to_vec::<f32>());
                for (expected, found) in expected.iter().zip(&found) {
                    assert!((expected - found).abs() < 1e-4, "{layer} {function}: {found} is not {expected}");
                }
            }
        }
    }
}
