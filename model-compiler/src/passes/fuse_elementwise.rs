//! Makes one loop of a chain of elementwise nodes.

use super::quantization::{dequantized, quantized_expr};
use crate::graph::{Graph, Node, ValueId};
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr, MAX_INPUTS};

/// `g(f(x, y), z)` → `(x, y, z ↦ g(f(x, y), z))(x, y, z)`, where `f(x, y)` is read once and is not broadcast
pub(super) fn fuse_elementwise(graph: &mut Graph) {
    fuse_all(graph, |_| true);
}

/// The same where `f(x, y)` is not quantized, and with a dequantization read more than once, which costs less than its result's memory
pub(super) fn fuse_between_quantized(graph: &mut Graph) {
    fuse_all(graph, |inner| quantized_expr(inner).is_none());
}

fn fuse_all(graph: &mut Graph, may: fn(&Expr) -> bool) {
    let mut index = 0;
    while index < graph.nodes.len() {
        if !fuse(graph, index, may) {
            index += 1;
        }
    }
}

/// Fuses the node at `index` into one that reads it, if its expression `may` be; tells whether that was possible.
fn fuse(graph: &mut Graph, index: usize, may: fn(&Expr) -> bool) -> bool {
    let first = graph.nodes[index].clone();
    let Op::Elementwise(Elementwise { expr: inner }) = &first.op else { return false };
    let value = first.outputs[0];
    // What is dequantized here is dequantized again where it is used.
    let repeatable = dequantized(graph, value).is_some();
    let readers = graph.readers(value);
    if !may(inner) || (readers.len() != 1 && !repeatable) {
        return false;
    }
    readers.into_iter().any(|reader| fuse_into(graph, &first, inner, reader, repeatable))
}

/// Fuses `first`, which computes `inner`, into the node at `reader`; tells whether that was possible.
fn fuse_into(graph: &mut Graph, first: &Node, inner: &Expr, reader: usize, repeatable: bool) -> bool {
    let value = first.outputs[0];
    let second = graph.nodes[reader].clone();
    let Op::Elementwise(Elementwise { expr: outer }) = &second.op else { return false };
    let Some(place) = second.inputs.iter().position(|&id| id == value) else { return false };
    let same_shape = graph.ty(second.outputs[0]).shape == graph.ty(value).shape;
    let once = graph.uses(value) == 1 && outer.uses(place) == 1;
    if !same_shape || !(once || repeatable) {
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
    // A node may read the value at several places.
    let argument = |input: usize| if second.inputs[input] == value { inner.clone() } else { Expr::Input(outer_places[input]) };
    let expr = outer.substitute(&argument);
    let mut origin = first.origin.clone();
    origin.extend(second.origin);
    graph.rewrite(reader, Elementwise { expr }.into(), &inputs, &origin);
    true
}
