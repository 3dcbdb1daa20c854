//! Makes one loop of a chain of elementwise nodes.

use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr, MAX_INPUTS};

/// `g(f(x, y), z)` → `(x, y, z ↦ g(f(x, y), z))(x, y, z)`, where `f(x, y)` is read once and is not broadcast
pub(super) fn fuse_elementwise(graph: &mut Graph) {
    let mut index = 0;
    while index < graph.nodes.len() {
        if !fuse(graph, index) {
            index += 1;
        }
    }
}

/// Fuses the node at `index` into the only one that reads it; tells whether that was possible.
fn fuse(graph: &mut Graph, index: usize) -> bool {
    let first = graph.nodes[index].clone();
    let Op::Elementwise(Elementwise { expr: inner }) = &first.op else { return false };
    let value = first.outputs[0];
    let [reader] = graph.readers(value)[..] else { return false };
    let second = graph.nodes[reader].clone();
    let Op::Elementwise(Elementwise { expr: outer }) = &second.op else { return false };
    let Some(place) = second.inputs.iter().position(|&id| id == value) else { return false };
    let same_shape = graph.ty(second.outputs[0]).shape == graph.ty(value).shape;
    if graph.uses(value) != 1 || outer.uses(place) != 1 || !same_shape {
        return false;
    }
    let mut inputs: Vec<ValueId> = Vec::new();
    let mut number = |id: ValueId| {
        inputs.iter().position(|&other| other == id).unwrap_or_else(|| {
            inputs.push(id);
            inputs.len() - 1
        })
    };
    let inner_places: Vec<usize> = first.inputs.iter().map(|&id| number(id)).collect();
    let outer_places: Vec<usize> = second.inputs.iter().map(|&id| if id == value { 0 } else { number(id) }).collect();
    if inputs.len() > MAX_INPUTS {
        return false;
    }
    let inner = inner.substitute(&|input| Expr::Input(inner_places[input]));
    let expr = outer.substitute(&|input| if input == place { inner.clone() } else { Expr::Input(outer_places[input]) });
    let mut origin = first.origin;
    origin.extend(second.origin);
    graph.rewrite(reader, Elementwise { expr }.into(), &inputs, &origin);
    true
}
