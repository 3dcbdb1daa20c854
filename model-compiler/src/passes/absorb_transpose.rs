//! Lets a layer's weights take the order that a transpose before it would have made.

use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::reshape::Reshape;
use crate::ops::transpose::Transpose;

/// `Dense(Reshape(Transpose(x)), w)` → `Dense(Reshape(x), w')`, the rows of `w` in the order of `x`
pub(super) fn absorb_transpose(graph: &mut Graph) {
    for index in 0..graph.nodes.len() {
        if let Some((source, perm)) = flattened_transpose(graph, index) {
            absorb(graph, index, source, &perm);
        }
    }
}

/// What is transposed and then flattened to make the input of the layer at `index`, and by which permutation.
fn flattened_transpose(graph: &Graph, index: usize) -> Option<(ValueId, Vec<usize>)> {
    let node = graph.nodes.get(index)?;
    let (Op::Dense(_), Some(_)) = (&node.op, graph.constant(*node.inputs.get(1)?)) else { return None };
    let reshape = &graph.nodes[graph.producer(node.inputs[0])?];
    let Op::Reshape(_) = reshape.op else { return None };
    let transpose = &graph.nodes[graph.producer(reshape.inputs[0])?];
    let Op::Transpose(Transpose { perm }) = &transpose.op else { return None };
    Some((transpose.inputs[0], perm.clone()))
}

fn absorb(graph: &mut Graph, index: usize, source: ValueId, perm: &[usize]) {
    let node = graph.nodes[index].clone();
    let (flat, weights) = (graph.ty(node.inputs[0]).shape.clone(), graph.ty(node.inputs[1]).shape.clone());
    let shape = graph.ty(source).shape.clone();
    let transposed: Vec<usize> = perm.iter().map(|&axis| shape[axis]).collect();
    // The axes that make a row, behind those that count the rows, which must stay where they are.
    let rows: usize = flat[..flat.len() - 1].iter().product();
    let Some(split) = (0..=perm.len()).find(|&split| transposed[..split].iter().product::<usize>() == rows) else { return };
    if transposed[split..].iter().product::<usize>() != weights[0]
        || perm[..split].iter().enumerate().any(|(axis, &from)| axis != from)
    {
        return;
    }
    let within: Vec<usize> = perm[split..].iter().map(|&axis| axis - split).collect();
    let mut inverse = Transpose { perm: within }.inverse().perm;
    inverse.push(perm.len() - split);
    let mut by_axis = transposed[split..].to_vec();
    by_axis.push(weights[1]);
    let by_axis = graph.insert_one(index, Reshape { shape: by_axis.into() }.into(), &[node.inputs[1]], &node.origin);
    let reordered = graph.insert_one(index, Transpose { perm: inverse }.into(), &[by_axis], &node.origin);
    let reordered = graph.insert_one(index, Reshape { shape: weights }.into(), &[reordered], &node.origin);
    let name = graph.value(node.inputs[1]).name.clone();
    graph.rename(reordered, name);
    let flat = graph.insert_one(index, Reshape { shape: flat }.into(), &[source], &node.origin);
    let inputs: Vec<ValueId> = [flat, reordered].into_iter().chain(node.inputs[2..].iter().copied()).collect();
    graph.rewrite(index + 1, node.op, &inputs, &node.origin);
}
