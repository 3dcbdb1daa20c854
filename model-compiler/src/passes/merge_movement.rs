//! Makes one of successive transposes and of successive reshapes, and drops those that change nothing.

use crate::graph::Graph;
use crate::op::{Op, View};
use crate::ops::reshape::Reshape;
use crate::ops::transpose::Transpose;
use crate::plan::with_types;

/// `Transpose(Transpose(x))` → `Transpose(x)`, `Reshape(Reshape(x))` → `Reshape(x)`, `Transpose(x)` that moves only dimensions of
/// one → `Reshape(x)`, `Reshape(x)` to its own shape → `x`
pub(super) fn merge_movement(graph: &mut Graph) {
    let mut index = 0;
    while index < graph.nodes.len() {
        if !merge(graph, index) {
            index += 1;
        }
    }
}

/// Merges the node at `index` with what comes before it; tells whether anything changed.
fn merge(graph: &mut Graph, index: usize) -> bool {
    let node = &graph.nodes[index];
    let (Op::Transpose(_) | Op::Reshape(_)) = &node.op else { return false };
    let (input, output, origin) = (node.inputs[0], node.outputs[0], node.origin.clone());
    if let Op::Transpose(_) = &node.op
        && with_types(graph, index, |types, _| node.op.rules().view(types)) == Some(View::Part(0))
    {
        let shape = graph.ty(output).shape.clone();
        graph.rewrite(index, Reshape { shape }.into(), &[input], &origin);
        return true;
    }
    if let Op::Reshape(_) = &node.op
        && graph.ty(input) == graph.ty(output)
        && !graph.outputs.contains(&output)
    {
        graph.replace(output, input);
        graph.drop_unused();
        return true;
    }
    let Some(before) = graph.producer(input) else { return false };
    let source = graph.nodes[before].inputs[0];
    let merged: Op = match (&graph.nodes[before].op, &node.op) {
        (Op::Transpose(first), Op::Transpose(second)) => {
            Transpose { perm: second.perm.iter().map(|&axis| first.perm[axis]).collect() }.into()
        }
        (Op::Reshape(_), Op::Reshape(second)) => second.clone().into(),
        _ => return false,
    };
    graph.rewrite(index, merged, &[source], &origin);
    true
}
