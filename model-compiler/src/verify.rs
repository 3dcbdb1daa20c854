//! What holds of every graph, after import and after each pass.

use std::collections::HashSet;

use crate::graph::Graph;
use crate::ty::TensorType;

/// Checks that every input of a node is defined before its use and every value once, that types are what the operators infer, and
/// that outputs are values that a node computes or a run is given.
///
/// # Panics
/// When one of these does not hold: the last pass is wrong.
pub fn verify(graph: &Graph, after: &str) {
    let mut defined: HashSet<_> = graph.inputs.iter().copied().collect();
    for node in &graph.nodes {
        let name = node.op.name();
        for &input in &node.inputs {
            let known = graph.constant(input).is_some() || defined.contains(&input);
            assert!(known, "after {after}: {name} reads `{}` before it is defined\n{graph}", graph.value(input).name);
        }
        let types = graph.types(&node.inputs);
        let inferred = node.op.rules().infer(&types);
        let found: Vec<TensorType> = node.outputs.iter().map(|&id| graph.ty(id).clone()).collect();
        assert!(inferred.as_ref().ok() == Some(&found), "after {after}: {name} yields {inferred:?}, not {found:?}\n{graph}");
        for &output in &node.outputs {
            assert!(defined.insert(output), "after {after}: `{}` is computed twice\n{graph}", graph.value(output).name);
        }
    }
    for &output in &graph.outputs {
        assert!(defined.contains(&output), "after {after}: output `{}` is not computed\n{graph}", graph.value(output).name);
    }
}
