//! Drops expansions whose reader would repeat the elements itself.

use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ty::broadcast;

/// `f(Expand(x), y)` → `f(x, y)`, `f` elementwise, where `x` and `y` broadcast to the same shape
pub(super) fn merge_expand(graph: &mut Graph) {
    for index in 0..graph.nodes.len() {
        for place in 0..graph.nodes[index].inputs.len() {
            merge(graph, index, place);
        }
    }
    graph.drop_unused();
}

/// Lets the node at `index` read what its input at `place` is an expansion of.
fn merge(graph: &mut Graph, index: usize, place: usize) {
    let node = &graph.nodes[index];
    let (Op::Elementwise(_), Some(source)) = (&node.op, expanded(graph, node.inputs[place])) else { return };
    let mut inputs = node.inputs.clone();
    inputs[place] = source;
    let shape = broadcast(inputs.iter().map(|&id| &graph.ty(id).shape));
    if shape.as_ref() == Some(&graph.ty(node.outputs[0]).shape) {
        graph.nodes[index].inputs = inputs;
    }
}

/// What `id` is an expansion of.
fn expanded(graph: &Graph, id: ValueId) -> Option<ValueId> {
    let node = &graph.nodes[graph.producer(id)?];
    matches!(node.op, Op::Expand(_)).then(|| node.inputs[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::elementwise::{Elementwise, Expr};
    use crate::ops::expand::Expand;
    use crate::tensor::Tensor;
    use crate::testing::{after, graph};
    use crate::ty::ElemType;

    /// The sum of an input f32[2, 1], expanded to [2, 3], and a constant.
    fn sum(constant: &[usize]) -> Graph {
        graph(ElemType::F32, &[2, 1], |graph, x| {
            let ones = vec![1.0f32; constant.iter().product()];
            let constant = graph.add_constant("c", Tensor::from_vec(constant, &ones));
            let expanded = graph.push(Expand { shape: [2, 3].into() }.into(), &[x], &[]).unwrap()[0];
            let expr = Expr::call("add", [Expr::Input(0), Expr::Input(1)]);
            graph.push(Elementwise { expr }.into(), &[expanded, constant], &[]).unwrap()[0]
        })
    }

    #[test]
    fn only_needless_expansions_are_dropped() {
        for (constant, needless) in [(&[2, 3][..], true), (&[3], true), (&[1], false), (&[2, 1], false)] {
            let text = after(merge_expand, sum(constant));
            assert_eq!(text.contains("Expand"), !needless, "{constant:?}: {text}");
            assert!(text.contains("f32[2, 3] = Elementwise"), "{text}");
        }
    }
}
