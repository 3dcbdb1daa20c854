//! The buffers of a plan before they are placed: what they hold, how long they live, which may overlap.

use std::collections::HashMap;

use super::arena::{Buffer, Margin, Touch};
use super::views::Views;
use super::{ALIGN, Over, Owner, Placed, Step, order, scratch, with_types};
use crate::graph::{Graph, ValueId};
use crate::ty::TensorType;

/// The buffers of a plan in the making.
#[derive(Clone)]
pub(super) struct Buffers {
    pub(super) sizes: Vec<Buffer>,
    owners: Vec<Owner>,
    pub(super) places: HashMap<ValueId, (usize, usize)>,
    /// For each step its places, but those without elements.
    pub(super) scratch: Vec<Vec<Option<usize>>>,
}

/// A touch with the step at which it happens.
pub(super) struct StepTouch {
    step: usize,
    pub(super) rule: Touch,
}

impl Buffers {
    /// One buffer for every value that is no part of another.
    pub(super) fn of_values(graph: &Graph, views: &Views) -> Self {
        let mut buffers = Self { sizes: Vec::new(), owners: Vec::new(), places: HashMap::new(), scratch: Vec::new() };
        let computed = graph.nodes.iter().flat_map(|node| node.outputs.iter().copied());
        let values: Vec<ValueId> = graph.inputs.iter().copied().chain(computed).collect();
        for &id in values.iter().filter(|id| !views.parts.contains_key(id)) {
            let buffer = buffers.add(Owner::Value(id), graph.ty(id).bytes());
            buffers.places.insert(id, (buffer, 0));
        }
        for &id in values.iter().filter(|id| views.parts.contains_key(id)) {
            let (root, offset) = views.root(id);
            let (buffer, base) = buffers.places[&root];
            buffers.places.insert(id, (buffer, base + offset));
        }
        buffers
    }

    /// The nodes that are steps, in the model's order, and in the one with the smallest live set where that is another.
    pub(super) fn orders(&self, graph: &Graph, views: &Views) -> Vec<Vec<usize>> {
        let nodes: Vec<usize> = (0..graph.nodes.len()).filter(|node| !views.nodes.contains(node)).collect();
        let buffers = |ids: &[ValueId]| {
            let mut buffers: Vec<usize> = ids.iter().filter_map(|id| self.places.get(id)).map(|&(buffer, _)| buffer).collect();
            buffers.sort_unstable();
            buffers.dedup();
            buffers
        };
        let step = |&node: &usize| order::Step {
            reads: buffers(&graph.nodes[node].inputs),
            writes: buffers(&graph.nodes[node].outputs),
            scratch: scratch(graph, node).iter().map(TensorType::bytes).sum(),
        };
        let flow = order::Flow {
            steps: nodes.iter().map(step).collect(),
            bytes: self.sizes.iter().map(|buffer| buffer.bytes).collect(),
            inputs: buffers(&graph.inputs),
            outputs: buffers(&graph.outputs),
        };
        let found: Vec<usize> = order::order(&flow).into_iter().map(|step| nodes[step]).collect();
        let mut orders = vec![nodes, found];
        orders.dedup();
        orders
    }

    /// A buffer for every place of every step's scratch.
    pub(super) fn add_scratch(&mut self, graph: &Graph, order: &[usize]) {
        for (step, &node) in order.iter().enumerate() {
            let mut add = |part: usize, bytes: usize| {
                let buffer = self.add(Owner::Scratch { step, part }, bytes);
                (self.sizes[buffer].first, self.sizes[buffer].last) = (step, step);
                buffer
            };
            let parts = scratch(graph, node).iter().map(TensorType::bytes).enumerate().collect::<Vec<_>>();
            let places = parts.into_iter().map(|(part, bytes)| (bytes > 0).then(|| add(part, bytes))).collect();
            self.scratch.push(places);
        }
    }

    fn add(&mut self, owner: Owner, bytes: usize) -> usize {
        // Every buffer is aligned for any element type, so that views of another type may look into it.
        self.sizes.push(Buffer { bytes, align: ALIGN, first: usize::MAX, last: 0 });
        self.owners.push(owner);
        self.sizes.len() - 1
    }

    /// From when to when each buffer is needed.
    pub(super) fn live(&mut self, graph: &Graph, order: &[usize]) {
        let mut extend = |id: &ValueId, step: usize| {
            if let Some(&(buffer, _)) = self.places.get(id) {
                let buffer = &mut self.sizes[buffer];
                (buffer.first, buffer.last) = (buffer.first.min(step), buffer.last.max(step));
            }
        };
        graph.inputs.iter().for_each(|id| extend(id, 0));
        // Past the last step, which may read an output that an earlier one wrote but must not write over it.
        graph.outputs.iter().for_each(|id| extend(id, order.len()));
        for (step, &node) in order.iter().enumerate() {
            let node = &graph.nodes[node];
            node.inputs.iter().chain(&node.outputs).for_each(|id| extend(id, step));
        }
    }

    /// Where a step's output may lie over an input that dies there.
    pub(super) fn touches(&self, graph: &Graph, order: &[usize]) -> Vec<StepTouch> {
        let mut touches = Vec::new();
        for (step, &index) in order.iter().enumerate() {
            let node = &graph.nodes[index];
            let Some((&result, others)) = node.outputs.split_first() else { continue };
            let (output, out_offset) = self.places[&result];
            // A touch is the whole rule between two buffers, so it must not speak for a second value that the step writes there, nor for an
            // input, which is there before.
            let before = graph.inputs.iter().chain(others);
            if before.into_iter().any(|other| self.places[other].0 == output) {
                continue;
            }
            for (number, id) in node.inputs.iter().enumerate() {
                let Some(&(input, in_offset)) = self.places.get(id) else { continue };
                if self.sizes[input].last != step || self.sizes[output].first != step || input == output {
                    continue;
                }
                let overlap = with_types(graph, index, |types, _| node.op.rules().overlap(types, number));
                let read = in_offset..in_offset + graph.ty(*id).bytes();
                let written = out_offset..out_offset + graph.ty(result).bytes();
                touches.push(StepTouch { step, rule: Touch { input, read, output, written, overlap } });
            }
        }
        touches
    }

    pub(super) fn placed(&self, offsets: &[usize]) -> Vec<Placed> {
        let buffers = self.sizes.iter().zip(&self.owners).zip(offsets);
        buffers
            .map(|((buffer, &owner), &offset)| {
                let &Buffer { bytes, first, last, .. } = buffer;
                Placed { owner, offset, bytes, first, last, over: Vec::new() }
            })
            .collect()
    }
}

impl StepTouch {
    /// Notes the overlap, if the two share bytes, and turns the step's kernel where it must run backward.
    pub(super) fn apply(&self, backward: bool, margin: Margin, placed: &mut [Placed], steps: &mut [Step]) {
        let (from, to) = (&placed[self.rule.input], &placed[self.rule.output]);
        let apart = from.offset + from.bytes <= to.offset || to.offset + to.bytes <= from.offset;
        if !apart {
            placed[self.rule.output].over.push(Over { input: self.rule.input, margin });
        }
        if backward {
            let turned = steps[self.step].op.rules().backward();
            steps[self.step].op = turned.expect("a kernel that may run backward says how");
        }
    }
}
