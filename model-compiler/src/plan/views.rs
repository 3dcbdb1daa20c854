//! Which nodes are only ways to look at memory.

use std::collections::{HashMap, HashSet};

use crate::graph::{Graph, ValueId};
use crate::op::View;
use crate::plan::with_types;

/// Values that are parts of others, and the nodes that need no step because of it.
#[derive(Debug, Default)]
pub(crate) struct Views {
    /// The value of which each is a part, and from which byte on.
    pub(crate) parts: HashMap<ValueId, (ValueId, usize)>,
    /// The nodes that make no step.
    pub(crate) nodes: HashSet<usize>,
}

impl Views {
    /// The value that is no part of another in which `id` lies, and from which byte on.
    pub(crate) fn root(&self, mut id: ValueId) -> (ValueId, usize) {
        let mut offset = 0;
        while let Some(&(whole, start)) = self.parts.get(&id) {
            (id, offset) = (whole, offset + start);
        }
        (id, offset)
    }
}

/// Finds the views of a graph, in which a new state lies where the old one does.
pub(super) fn find(graph: &Graph) -> Views {
    let mut views = of_nodes(graph);
    views.parts.extend(graph.states.iter().map(|state| (graph.outputs[state.output], (graph.inputs[state.input], 0))));
    views
}

/// Finds the nodes that make no step.
pub(crate) fn of_nodes(graph: &Graph) -> Views {
    let mut views = Views::default();
    for (index, node) in graph.nodes.iter().enumerate() {
        match with_types(graph, index, |types, _| node.op.rules().view(types)) {
            Some(View::Part(offset)) if graph.constant(node.inputs[0]).is_none() => {
                views.parts.insert(node.outputs[0], (node.inputs[0], offset));
                views.nodes.insert(index);
            }
            Some(View::Whole(offsets)) if can_be_parts(graph, &views, index) => {
                for (&input, offset) in node.inputs.iter().zip(offsets) {
                    views.parts.insert(input, (node.outputs[0], offset));
                }
                views.nodes.insert(index);
            }
            _ => {}
        }
    }
    for index in 0..graph.nodes.len() {
        join_state(graph, &mut views, index);
    }
    views
}

/// Lets a state that is joined to something else lie in the whole from the beginning, and so inputs that are joined to it: as the whole of
/// a state lives through the run, no step may write over them.
///
/// Nothing of the whole is yielded, as the new state takes the old one's place before.
fn join_state(graph: &Graph, views: &mut Views, index: usize) {
    let node = &graph.nodes[index];
    let whole = node.outputs[0];
    let Some(View::Whole(offsets)) = with_types(graph, index, |types, _| node.op.rules().view(types)) else { return };
    let roots: Vec<ValueId> = node.inputs.iter().map(|&id| views.root(id).0).collect();
    let is_state = |id: ValueId| graph.states.iter().any(|state| graph.inputs[state.input] == id);
    let mut parts = Vec::new();
    for (place, (&input, &root)) in node.inputs.iter().zip(&roots).enumerate() {
        let given = graph.inputs.contains(&root) && graph.ty(root).bytes() == graph.ty(input).bytes();
        let computed = root == input && graph.producer(root).is_some_and(|producer| !views.nodes.contains(&producer));
        let once = !roots[..place].contains(&root) && !graph.outputs.contains(&root);
        if !once || !(given || computed) {
            return;
        }
        parts.push((root, (whole, offsets[place])));
    }
    let yielded = graph.yielded().any(|place| views.root(graph.outputs[place]).0 == whole);
    let joins = !views.nodes.contains(&index) && !views.parts.contains_key(&whole);
    if joins && !yielded && roots.into_iter().any(is_state) {
        views.parts.extend(parts);
        views.nodes.insert(index);
    }
}

/// Inputs of a concatenation can be computed right where the whole lies when each is the result of a step, is joined once, and is
/// neither a part nor a whole of something else already.
fn can_be_parts(graph: &Graph, views: &Views, index: usize) -> bool {
    let inputs = &graph.nodes[index].inputs;
    inputs.iter().enumerate().all(|(place, &input)| {
        let computed = graph.producer(input).is_some();
        let once = !inputs[..place].contains(&input);
        let alone = !views.parts.contains_key(&input) && !graph.outputs.contains(&input);
        computed && once && alone
    })
}
