//! Fuses what follows a layer, element by element, into the layer.

use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr};

/// `f(layer(x))` → `layer[f](x)`, `f` elementwise, of nothing else, and of the layer's element type
pub(super) fn fuse_activation(graph: &mut Graph) {
    let mut index = 0;
    while index < graph.nodes.len() {
        if !fuse(graph, index) {
            index += 1;
        }
    }
}

/// Fuses the only reader of the layer at `index` into it; tells whether there was one.
fn fuse(graph: &mut Graph, index: usize) -> bool {
    let mut layer = graph.nodes[index].clone();
    let Some(activation) = layer.op.activation_mut() else { return false };
    let Some((reader, expr)) = elementwise_reader(graph, layer.outputs[0]) else { return false };
    *activation = Some(match activation.take() {
        Some(first) => expr.substitute(&|_| first.clone()),
        None => expr,
    });
    let mut origin = layer.origin;
    origin.extend(graph.nodes[reader].origin.iter().cloned());
    // The layer moves to where its reader stands: all that it reads is defined there too.
    graph.rewrite(reader, layer.op, &layer.inputs, &origin);
    true
}

/// The node that reads `value`, and nothing else, as the only one, with its expression.
fn elementwise_reader(graph: &Graph, value: ValueId) -> Option<(usize, Expr)> {
    let [reader] = graph.readers(value)[..] else { return None };
    let node = &graph.nodes[reader];
    let Op::Elementwise(Elementwise { expr }) = &node.op else { return None };
    let alone = node.inputs == [value] && graph.uses(value) == 1;
    let same_type = graph.ty(node.outputs[0]) == graph.ty(value);
    (alone && same_type).then(|| (reader, expr.clone()))
}
