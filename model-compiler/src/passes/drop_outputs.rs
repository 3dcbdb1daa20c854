//! Drops outputs that nobody reads of nodes that have others.

use crate::graph::Graph;

/// `y, last = LSTM(x)` → `last = LSTM(x)`, where nobody reads `y`
pub(super) fn drop_outputs(graph: &mut Graph) {
    for index in 0..graph.nodes.len() {
        for output in (0..graph.nodes[index].outputs.len()).rev() {
            let unused = graph.uses(graph.nodes[index].outputs[output]) == 0;
            let without = graph.nodes[index].op.rules().without_output(output);
            if let Some(op) = without.filter(|_| unused) {
                graph.nodes[index].op = op;
                graph.nodes[index].outputs.remove(output);
            }
        }
    }
}
