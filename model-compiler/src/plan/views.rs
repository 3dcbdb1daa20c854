//! Which nodes are only ways to look at memory.

use std::collections::{HashMap, HashSet};

use crate::graph::{Graph, ValueId};
use crate::op::View;
use crate::plan::with_types;

/// Values that are parts of others, and the nodes that need no step because of it.
#[derive(Debug, Default)]
pub(super) struct Views {
    /// The value of which each is a part, and from which byte on.
    pub(super) parts: HashMap<ValueId, (ValueId, usize)>,
    /// The nodes that make no step.
    pub(super) nodes: HashSet<usize>,
}

impl Views {
    /// The value that is no part of another in which `id` lies, and from which byte on.
    pub(super) fn root(&self, mut id: ValueId) -> (ValueId, usize) {
        let mut offset = 0;
        while let Some(&(whole, start)) = self.parts.get(&id) {
            (id, offset) = (whole, offset + start);
        }
        (id, offset)
    }
}

/// Finds the views of a graph.
pub(super) fn find(graph: &Graph) -> Views {
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
    views
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
