//! Moves reshapes from before an elementwise node to behind it, so that they do not stand between a layer and what it can fuse.

use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::reshape::Reshape;
use crate::ty::Shape;

/// `f(Reshape(x), Reshape(y), c)` → `Reshape(f(x, y, c'))`, `x` and `y` of one shape, `c` constant
pub(super) fn sink_reshape(graph: &mut Graph) {
    for index in 0..graph.nodes.len() {
        sink(graph, index);
    }
}

fn sink(graph: &mut Graph, index: usize) {
    let node = graph.nodes[index].clone();
    let Op::Elementwise(_) = &node.op else { return };
    let after = graph.ty(node.outputs[0]).shape.clone();
    let sources: Vec<Option<ValueId>> = node.inputs.iter().map(|&id| reshape_before(graph, id)).collect();
    let Some(before) = sources.iter().flatten().next().map(|&id| graph.ty(id).shape.clone()) else { return };
    let fits = |(&id, source): (&ValueId, &Option<ValueId>)| match source {
        Some(source) => graph.ty(id).shape == after && graph.ty(*source).shape == before,
        None => graph.constant(id).is_some() && seen_before(&graph.ty(id).shape, &after, &before).is_some(),
    };
    if !node.inputs.iter().zip(&sources).all(fits) {
        return;
    }
    let mut inputs = Vec::new();
    for (&id, source) in node.inputs.iter().zip(sources) {
        let shape = seen_before(&graph.ty(id).shape, &after, &before);
        inputs.push(match (source, shape) {
            (None, Some(shape)) => graph.insert_one(index, Reshape { shape }.into(), &[id], &[]),
            (source, _) => source.unwrap_or(id),
        });
    }
    let result = graph.insert_one(index, node.op, &inputs, &node.origin);
    let name = graph.value(node.outputs[0]).name.clone();
    graph.rename(result, name);
    graph.rewrite(index + 1, Reshape { shape: after }.into(), &[result], &node.origin);
}

fn reshape_before(graph: &Graph, id: ValueId) -> Option<ValueId> {
    let node = &graph.nodes[graph.producer(id)?];
    matches!(node.op, Op::Reshape(_)).then(|| node.inputs[0])
}

/// The shape in which a constant that broadcasts to `after` broadcasts alike to `before`, a reshape of it.
fn seen_before(constant: &Shape, after: &Shape, before: &Shape) -> Option<Shape> {
    if constant.elements() == 1 {
        return Some(Shape::default());
    }
    if constant == after {
        return Some(before.clone());
    }
    // Where only dimensions of one come or go, the others keep their order.
    let sizes: Vec<usize> = std::iter::repeat_n(1, after.len() - constant.len()).chain(constant.iter().copied()).collect();
    let mut wide = sizes.iter().zip(after.iter()).filter(|(_, size)| **size != 1).map(|(&size, _)| size);
    let shape = before.iter().map(|&size| if size == 1 { 1 } else { wide.next().unwrap_or(1) }).collect();
    (after.squeezed() == before.squeezed()).then_some(shape)
}
