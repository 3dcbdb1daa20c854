//! Moves transposes from before a node to behind it, where they meet others and cancel.

use super::merge_movement::merge_movement;
use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::reshape::Reshape;
use crate::ops::transpose::Transpose;
use crate::plan::with_types;

/// `f(Transpose(x), Transpose(y), c)` → `Transpose(f'(x, y, c'))`, `c` constant or with no more than one dimension that is not one
pub(super) fn sink_transpose(graph: &mut Graph) {
    let mut moved = true;
    while moved {
        moved = false;
        let mut index = 0;
        while index < graph.nodes.len() {
            moved |= sink(graph, index);
            index += 1;
        }
        merge_movement(graph);
    }
}

/// Moves the transposes before the node at `index` behind it; tells whether that was possible.
fn sink(graph: &mut Graph, index: usize) -> bool {
    let node = &graph.nodes[index];
    let (origin, old) = (node.origin.clone(), node.outputs[0]);
    let laid_out = laid_out_inputs(&node.op, node.inputs.len());
    let inputs = node.inputs.clone();
    let Some(perm) = inputs[..laid_out].iter().find_map(|&id| transpose_before(graph, id)).map(|(_, perm)| perm) else {
        return false;
    };
    if node.outputs.len() != 1 || !inputs[..laid_out].iter().all(|&id| can_undo(graph, id, &perm)) {
        return false;
    }
    let Some((op, behind)) = with_types(graph, index, |types, _| node.op.rules().transposed(types, &perm)) else { return false };
    let nodes = graph.nodes.len();
    let mut sources: Vec<ValueId> = inputs[..laid_out].iter().map(|&id| undo(graph, index, id, &perm)).collect();
    sources.extend(&inputs[laid_out..]);
    // Whatever was inserted to undo the transpose stands before the node.
    let index = index + graph.nodes.len() - nodes;
    let result = graph.insert_one(index, op, &sources, &origin);
    let name = graph.value(old).name.clone();
    graph.rename(result, name);
    graph.rewrite(index + 1, Transpose { perm: behind }.into(), &[result], &origin);
    true
}

/// How many of a node's inputs are laid out like its output; a layer's weights and bias, and indices, are not.
fn laid_out_inputs(op: &Op, inputs: usize) -> usize {
    if matches!(op, Op::Dense(_) | Op::Gather(_)) { 1 } else { inputs }
}

/// What is transposed to make `id`, and by which permutation.
fn transpose_before(graph: &Graph, id: ValueId) -> Option<(ValueId, Vec<usize>)> {
    let node = &graph.nodes[graph.producer(id)?];
    match &node.op {
        Op::Transpose(transpose) => Some((node.inputs[0], transpose.perm.clone())),
        _ => None,
    }
}

/// Whether `id`, seen with as many dimensions as `perm`, can be had as it was before a transpose by `perm` at no cost.
fn can_undo(graph: &Graph, id: ValueId, perm: &[usize]) -> bool {
    let ty = graph.ty(id);
    let transposed = transpose_before(graph, id).is_some_and(|(_, other)| other == perm);
    transposed || (ty.shape.len() <= perm.len() && (graph.constant(id).is_some() || ty.shape.squeezed().len() <= 1))
}

/// `id` as it was before a transpose by `perm`.
fn undo(graph: &mut Graph, index: usize, id: ValueId, perm: &[usize]) -> ValueId {
    if let Some((source, other)) = transpose_before(graph, id)
        && other == perm
    {
        return source;
    }
    let mut shape = graph.ty(id).shape.to_vec();
    shape.splice(0..0, std::iter::repeat_n(1, perm.len() - shape.len()));
    let inverse = Transpose { perm: perm.to_vec() }.inverse();
    if graph.constant(id).is_none() {
        let shape: Vec<usize> = inverse.perm.iter().map(|&axis| shape[axis]).collect();
        return graph.insert_one(index, Reshape { shape: shape.into() }.into(), &[id], &[]);
    }
    let full = graph.insert_one(index, Reshape { shape: shape.into() }.into(), &[id], &[]);
    graph.insert_one(index, inverse.into(), &[full], &[])
}
