//! Folds a scale and shift before a layer into its weights and bias: a batch normalization of the layer's input.

use super::affine::{self, Affine, compute};
use crate::graph::{Graph, Node, ValueId};
use crate::op::Op;
use crate::ops::reduce::{Method, Reduce};
use crate::ops::reshape::Reshape;
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// `(x · s)·w + b` → `x·(s·w) + b` and `(x + t)·w + b` → `x·w + (t·w + b)`, `s` and `t` constant along all axes but that of the channels;
/// likewise for division and subtraction. A shift before a convolution that pads is left, as it does not shift the zeros.
pub(super) fn fold_affine_before(graph: &mut Graph) {
    let mut index = 0;
    while index < graph.nodes.len() {
        // Where a step is gone, the layer has come to another index, and another step may stand before it.
        if fold(graph, index) { index = 0 } else { index += 1 }
    }
}

/// Folds what computes the input of the layer at `index` into the layer; tells whether there was anything to fold.
fn fold(graph: &mut Graph, index: usize) -> bool {
    let layer = graph.nodes[index].clone();
    let (axis, pads) = match &layer.op {
        Op::Conv(conv) => (if conv.planar { 1 } else { 3 }, conv.window.padding != [0; 4]),
        Op::Dense(_) => (graph.ty(layer.inputs[0]).shape.len() - 1, false),
        _ => return false,
    };
    let constant = layer.inputs[1..].iter().all(|&id| graph.constant(id).is_some());
    if !constant || graph.ty(layer.inputs[0]).elem != ElemType::F32 || graph.uses(layer.inputs[0]) != 1 {
        return false;
    }
    let Some(before) = graph.producer(layer.inputs[0]) else { return false };
    let Some(&source) = graph.nodes[before].inputs.iter().find(|&&id| graph.constant(id).is_none()) else { return false };
    let Some(affine) = affine::step(graph, before, source, axis) else { return false };
    let shifts = matches!(affine.function, "add" | "sub");
    if affine.flipped && affine.function == "sub" || shifts && pads {
        return false;
    }
    let inputs = match shifts {
        true => shifted(graph, &layer, source, &affine),
        false => scaled(graph, &layer, source, &affine),
    };
    let mut origin = graph.nodes[before].origin.clone();
    origin.extend(layer.origin.iter().cloned());
    graph.rewrite(index, layer.op, &inputs, &origin);
    true
}

/// The layer's inputs, its weights scaled by the channel that they multiply.
fn scaled(graph: &mut Graph, layer: &Node, source: ValueId, affine: &Affine) -> Vec<ValueId> {
    let factors = spread(graph, layer, affine);
    let weights = compute(graph, layer.inputs[1], affine.function, factors);
    [source, weights].into_iter().chain(layer.inputs.get(2).copied()).collect()
}

/// The layer's inputs, its bias joined by what the layer makes of the shift alone: the sums of the weights times the shift of their channel.
fn shifted(graph: &mut Graph, layer: &Node, source: ValueId, affine: &Affine) -> Vec<ValueId> {
    let weights = layer.inputs[1];
    let shifts = spread(graph, layer, affine);
    let products = compute(graph, weights, "mul", shifts);
    let shape = &graph.ty(weights).shape;
    let outputs_axis = if matches!(layer.op, Op::Conv(_)) { 0 } else { 1 };
    let (rank, outputs) = (shape.len(), shape[outputs_axis]);
    let axes = (0..rank).filter(|&axis| axis != outputs_axis).collect();
    let sums = graph.insert_one(0, Reduce { method: Method::Sum, axes }.into(), &[products], &[]);
    let sums = graph.insert_one(0, Reshape { shape: [outputs].into() }.into(), &[sums], &[]);
    let bias = match layer.inputs.get(2) {
        Some(&bias) => compute(graph, bias, affine.function, sums),
        None => {
            let zero = graph.add_constant("bias", Tensor::from_vec([outputs], &vec![0f32; outputs]));
            compute(graph, zero, affine.function, sums)
        }
    };
    vec![source, weights, bias]
}

/// The operand of each channel, in the shape in which it meets the weights that multiply the channel.
fn spread(graph: &mut Graph, layer: &Node, affine: &Affine) -> ValueId {
    let shape = graph.ty(layer.inputs[1]).shape.clone();
    let vector = graph.constant(affine.operand).expect("an operand is constant").to_vec::<f32>();
    let spread = match &layer.op {
        Op::Conv(conv) => {
            // Weights are [outputs, channels of a group, …]; an output belongs to the group of its number.
            let (outputs, of_group) = (shape[0], shape[1]);
            let group = |output: usize| output / (outputs / conv.groups);
            let channels = (0..outputs).flat_map(|output| (0..of_group).map(move |channel| (output, channel)));
            let elements: Vec<f32> = channels.map(|(output, channel)| vector[group(output) * of_group + channel]).collect();
            let mut sizes = vec![1; shape.len()];
            (sizes[0], sizes[1]) = (outputs, of_group);
            Tensor::from_vec(sizes, &elements)
        }
        _ => Tensor::from_vec([vector.len(), 1], &vector),
    };
    let name = graph.value(affine.operand).name.clone();
    graph.add_constant(name, spread)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::conv::Conv;
    use crate::ops::dense::Dense;
    use crate::ops::elementwise::{Elementwise, Expr};
    use crate::ops::window::Window;
    use crate::testing;

    fn numbers(shape: &[usize], seed: usize) -> Tensor {
        let elements: Vec<f32> =
            (0..shape.iter().product()).map(|index: usize| ((index * 7 + seed * 5) % 11) as f32 / 4.0 - 1.0).collect();
        Tensor::from_vec(shape, &elements)
    }

    fn conv(groups: usize, planar: bool, padding: usize) -> Op {
        let window = Window { kernel: [2, 2], strides: [1, 1], dilations: [1, 2], padding: [padding; 4] };
        Conv { window, groups, activation: None, integer: None, planar, backward: false }.into()
    }

    /// `layer(function(x, c), w)` before and after the pass, for a constant of one element a channel.
    fn folded(layer: Op, shape: &[usize], weights: &[usize], axis: usize, function: &str) -> (Graph, Graph) {
        let before = testing::graph(ElemType::F32, shape, |graph, x| {
            let mut spread = vec![1; shape.len()];
            spread[axis] = shape[axis];
            let elements: Vec<f32> = (0..shape[axis]).map(|channel| channel as f32 + 0.5).collect();
            let constant = graph.add_constant("c", Tensor::from_vec(spread, &elements));
            let weights = graph.add_constant("w", numbers(weights, 1));
            let expr = Expr::call(function, [Expr::Input(0), Expr::Input(1)]);
            let y = graph.push(Elementwise { expr }.into(), &[x, constant], &["step".to_owned()]).unwrap()[0];
            graph.push(layer, &[y, weights], &["layer".to_owned()]).unwrap()[0]
        });
        let mut after = before.clone();
        fold_affine_before(&mut after);
        (before, after)
    }

    #[test]
    fn steps_before_layers_are_folded() {
        let layers = [
            (Dense::default().into(), vec![3, 4], vec![4, 5], 1),
            (conv(1, false, 0), vec![1, 4, 5, 4], vec![3, 4, 2, 2], 3),
            (conv(2, false, 0), vec![1, 4, 5, 4], vec![6, 2, 2, 2], 3),
            (conv(4, false, 0), vec![2, 4, 5, 4], vec![4, 1, 2, 2], 3),
            (conv(1, true, 0), vec![1, 4, 5, 6], vec![3, 4, 2, 2], 1),
        ];
        for (layer, shape, weights, axis) in layers {
            for function in ["add", "sub", "mul", "div"] {
                let (before, after) = folded(layer.clone(), &shape, &weights, axis, function);
                assert_eq!(after.nodes.len(), 1, "{layer} {function}\n{after}");
                let input = numbers(&shape, 2);
                let [expected, found] = [&before, &after].map(|graph| testing::run(graph, &[&input])[0].to_vec::<f32>());
                for (expected, found) in expected.iter().zip(&found) {
                    assert!((expected - found).abs() < 1e-4, "{layer} {function}: {found} is not {expected}");
                }
            }
        }
    }

    #[test]
    fn a_shift_before_padding_is_left() {
        let (_, after) = folded(conv(1, false, 1), &[1, 4, 5, 4], &[3, 4, 2, 2], 3, "add");
        assert_eq!(after.nodes.len(), 2);
        let (_, after) = folded(conv(1, false, 1), &[1, 4, 5, 4], &[3, 4, 2, 2], 3, "mul");
        assert_eq!(after.nodes.len(), 1);
    }
}
