//! What in a graph that a loop runs depends on the number of the run alone, and so is known while compiling.

use std::collections::{HashMap, HashSet};

use super::{Graph, Node, ValueId};
use crate::tensor::Tensor;
use crate::ty::TensorType;

/// The most nodes that are computed, those of all runs together.
const MOST_COMPUTED: usize = 1 << 16;

impl Graph {
    /// The elements of a value in each run of the loop around the graph; none where they depend on more than the number of the run, or are
    /// too many to be computed now.
    pub fn in_each_run(&self, id: ValueId) -> Option<Vec<Tensor>> {
        let (counter, trips) = self.counter?;
        let nodes = self.between(counter, id)?;
        if trips.saturating_mul(nodes.len().max(1)) > MOST_COMPUTED {
            return None;
        }
        let in_run = |trip: usize| {
            let number = Tensor::from_elements(self.ty(counter).clone(), &[i64::try_from(trip).ok()?]);
            let mut computed = HashMap::from([(counter, number)]);
            for node in &nodes {
                let known = |id: &ValueId| self.constant(*id).or_else(|| computed.get(id));
                let inputs: Vec<&Tensor> = node.inputs.iter().map(known).collect::<Option<_>>()?;
                let types: Vec<TensorType> = node.outputs.iter().map(|&id| self.ty(id).clone()).collect();
                let results = node.op.rules().fold(&inputs, &types)?;
                computed.extend(node.outputs.iter().copied().zip(results));
            }
            self.constant(id).cloned().or_else(|| computed.remove(&id))
        };
        (0..trips).map(in_run).collect()
    }

    /// The nodes that compute `id` from `counter` and constants, in order.
    fn between(&self, counter: ValueId, id: ValueId) -> Option<Vec<&Node>> {
        let is_known = |id: ValueId| id == counter || self.constant(id).is_some();
        let mut needed: HashSet<ValueId> = [id].into_iter().filter(|&id| !is_known(id)).collect();
        let mut found = Vec::new();
        for node in self.nodes.iter().rev() {
            let computes = node.outputs.iter().filter(|&id| needed.remove(id)).count();
            if computes > 0 {
                needed.extend(node.inputs.iter().copied().filter(|&id| !is_known(id)));
                found.push(node);
            }
        }
        found.reverse();
        needed.is_empty().then_some(found)
    }
}
