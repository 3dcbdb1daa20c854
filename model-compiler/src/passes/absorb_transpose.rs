//! Lets a layer read its input as it lies, where a transpose before it is left: at the borders of the model.

use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::conv::Conv;
use crate::ops::reshape::Reshape;
use crate::ops::transpose::Transpose;

/// `Dense(Reshape(Transpose(x)), w)` → `Dense(Reshape(x), w')`, the rows of `w` in the order of `x`
///
/// `Conv(Transpose(x), w)` → `Conv[planar](x, w)`, where the transpose makes channels first channels last
pub(super) fn absorb_transpose(graph: &mut Graph) {
    let mut index = 0;
    while index < graph.nodes.len() {
        if let Some((source, perm)) = flattened_transpose(graph, index) {
            absorb(graph, index, source, &perm);
        }
        // Where the transpose is gone, another node has come to this index.
        if !absorb_into_conv(graph, index) {
            index += 1;
        }
    }
}

/// Lets the convolution at `index` read channels first; tells whether there was a transpose to absorb.
fn absorb_into_conv(graph: &mut Graph, index: usize) -> bool {
    let Some(node) = graph.nodes.get(index).cloned() else { return false };
    let Op::Conv(conv) = &node.op else { return false };
    let Some(before) = graph.producer(node.inputs[0]).filter(|_| !conv.planar) else { return false };
    let (source, channels) = (graph.nodes[before].inputs[0], graph.ty(node.inputs[0]).shape[3]);
    let channels_last = Transpose { perm: vec![0, 2, 3, 1] };
    if graph.nodes[before].op != channels_last.into() || conv.is_depthwise(channels, graph.ty(node.inputs[1]).shape[0]) {
        return false;
    }
    let inputs: Vec<ValueId> = [source].into_iter().chain(node.inputs[1..].iter().copied()).collect();
    graph.rewrite(index, Conv { planar: true, ..conv.clone() }.into(), &inputs, &node.origin);
    true
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
