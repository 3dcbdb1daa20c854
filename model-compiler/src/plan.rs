//! The plan of a run: its steps in order, and where in the arena each value lies.
//!
//! A node that is only a way to look at memory makes no step: its output is a part of its input's buffer (reshape, slice), or its
//! inputs are parts of its output's (concat). Every other node is a step. Buffers are then placed by their lifetimes, with a step's
//! output over its dying input as far as the kernel's order of reading and writing allows.

pub(crate) mod arena;
pub(crate) mod order;
mod views;

use std::collections::HashMap;

use crate::graph::{Graph, ValueId};
use crate::op::{Op, Types};
pub use crate::plan::arena::Margin;
use crate::plan::arena::{Buffer, Touch};
use crate::ty::TensorType;

/// The arena is aligned for every element type.
const ALIGN: usize = 8;

/// Steps and places.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is computed, one step after another.
    pub steps: Vec<Step>,
    /// Bytes of the arena.
    pub arena_bytes: usize,
    /// The largest set of bytes that are alive at one step: what an arena without overlap needs at least.
    pub lower_bound: usize,
    /// What lies in the arena, and when.
    pub buffers: Vec<Placed>,
    /// Where each value lies: its buffer, and its first byte in that.
    places: HashMap<ValueId, (usize, usize)>,
}

/// One step of a run.
#[derive(Clone, Debug)]
pub struct Step {
    /// The node that it computes, in the graph's order.
    pub node: usize,
    /// The node's operator, running in the direction that the plan chose.
    pub op: Op,
    /// The buffer of its scratch.
    pub scratch: Option<usize>,
}

/// A buffer in the arena.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The value that takes all of it, or the step whose scratch it is.
    pub owner: Owner,
    /// Its first byte.
    pub offset: usize,
    /// Its size.
    pub bytes: usize,
    /// The step that writes it first; 0 for inputs of the graph, which are written before.
    pub first: usize,
    /// The step that reads it last.
    pub last: usize,
    /// The buffers that it overlaps by leave of the kernel that writes it.
    pub over: Vec<Over>,
}

/// What a buffer is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This value, and those that are parts of it.
    Value(ValueId),
    /// Scratch of this step.
    Scratch(usize),
}

/// An overlap that the plan makes use of.
#[derive(Clone, Copy, Debug)]
pub struct Over {
    /// The buffer of the input.
    pub input: usize,
    /// The distance that the buffers' first bytes keep.
    pub margin: Margin,
}

impl Plan {
    /// Plans a run of `graph`.
    pub fn new(graph: &Graph) -> Self {
        let views = views::find(graph);
        let mut buffers = Buffers::of_values(graph, &views);
        let order = buffers.execution_order(graph, &views);
        buffers.add_scratch(graph, &order);
        buffers.live(graph, &order);
        let touches = buffers.touches(graph, &order);
        let abstract_touches: Vec<Touch> = touches.iter().map(|touch| touch.rule.clone()).collect();
        let placement = arena::place(&buffers.sizes, &abstract_touches);
        #[cfg(debug_assertions)]
        if let Err(problem) = arena::check(&buffers.sizes, &abstract_touches, &placement) {
            panic!("internal error: {problem}; please report this model");
        }
        let mut steps: Vec<Step> = (order.iter().enumerate())
            .map(|(step, &node)| Step { node, op: graph.nodes[node].op.clone(), scratch: buffers.scratch.get(&step).copied() })
            .collect();
        let mut placed = buffers.placed(&placement.offsets);
        for (index, touch) in touches.iter().enumerate() {
            touch.apply(placement.backward[index], placement.margins[index], &mut placed, &mut steps);
        }
        Self {
            steps,
            arena_bytes: placement.peak.next_multiple_of(ALIGN),
            lower_bound: arena::lower_bound(&buffers.sizes),
            buffers: placed,
            places: buffers.places,
        }
    }

    /// The first byte of a value in the arena; `None` for a constant, or a value that nothing computes.
    pub fn offset(&self, id: ValueId) -> Option<usize> {
        self.places.get(&id).map(|&(buffer, offset)| self.buffers[buffer].offset + offset)
    }
}

impl Plan {
    /// The values that lie where `id` does, as many elements of the same type.
    pub fn same_place(&self, graph: &Graph, id: ValueId) -> impl Iterator<Item = ValueId> {
        let (place, ty) = (self.places.get(&id), graph.ty(id));
        let same = move |other: &ValueId| graph.ty(*other).elem == ty.elem && graph.ty(*other).elements() == ty.elements();
        let mut ids: Vec<ValueId> =
            self.places.iter().filter(|(_, other)| Some(*other) == place).map(|(&id, _)| id).filter(same).collect();
        ids.sort_unstable();
        ids.into_iter()
    }
}

/// The buffers of a plan in the making.
struct Buffers {
    sizes: Vec<Buffer>,
    owners: Vec<Owner>,
    places: HashMap<ValueId, (usize, usize)>,
    scratch: HashMap<usize, usize>,
}

/// A touch with the step at which it happens.
struct StepTouch {
    step: usize,
    rule: Touch,
}

impl Buffers {
    /// One buffer for every value that is no part of another.
    fn of_values(graph: &Graph, views: &views::Views) -> Self {
        let mut buffers = Self { sizes: Vec::new(), owners: Vec::new(), places: HashMap::new(), scratch: HashMap::new() };
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

    /// The nodes that are steps, in the order that needs the least memory.
    fn execution_order(&self, graph: &Graph, views: &views::Views) -> Vec<usize> {
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
            scratch: scratch(graph, node),
        };
        let flow = order::Flow {
            steps: nodes.iter().map(step).collect(),
            bytes: self.sizes.iter().map(|buffer| buffer.bytes).collect(),
            inputs: buffers(&graph.inputs),
            outputs: buffers(&graph.outputs),
        };
        order::order(&flow).into_iter().map(|step| nodes[step]).collect()
    }

    /// A buffer for every step's scratch.
    fn add_scratch(&mut self, graph: &Graph, order: &[usize]) {
        for (step, &node) in order.iter().enumerate() {
            let bytes = scratch(graph, node);
            if bytes > 0 {
                let buffer = self.add(Owner::Scratch(step), bytes);
                (self.sizes[buffer].first, self.sizes[buffer].last) = (step, step);
                self.scratch.insert(step, buffer);
            }
        }
    }

    fn add(&mut self, owner: Owner, bytes: usize) -> usize {
        // Every buffer is aligned for any element type, so that views of another type may look into it.
        self.sizes.push(Buffer { bytes, align: ALIGN, first: usize::MAX, last: 0 });
        self.owners.push(owner);
        self.sizes.len() - 1
    }

    /// From when to when each buffer is needed.
    fn live(&mut self, graph: &Graph, order: &[usize]) {
        let mut extend = |id: &ValueId, step: usize| {
            if let Some(&(buffer, _)) = self.places.get(id) {
                let buffer = &mut self.sizes[buffer];
                (buffer.first, buffer.last) = (buffer.first.min(step), buffer.last.max(step));
            }
        };
        let last = order.len().saturating_sub(1);
        graph.inputs.iter().for_each(|id| extend(id, 0));
        graph.outputs.iter().for_each(|id| extend(id, last));
        for (step, &node) in order.iter().enumerate() {
            let node = &graph.nodes[node];
            node.inputs.iter().chain(&node.outputs).for_each(|id| extend(id, step));
        }
    }

    /// Where a step's output may lie over an input that dies there.
    fn touches(&self, graph: &Graph, order: &[usize]) -> Vec<StepTouch> {
        let mut touches = Vec::new();
        for (step, &node) in order.iter().enumerate() {
            let (op, node) = (&graph.nodes[node].op, &graph.nodes[node]);
            let Some(&(output, out_offset)) = self.places.get(&node.outputs[0]) else { continue };
            for (index, id) in node.inputs.iter().enumerate() {
                let Some(&(input, in_offset)) = self.places.get(id) else { continue };
                let dies = self.sizes[input].last == step && self.sizes[output].first == step && input != output;
                if dies && node.outputs.len() == 1 {
                    let overlap = with_node_types(graph, node, |types, _| op.rules().overlap(types, index));
                    let read = in_offset..in_offset + graph.ty(*id).bytes();
                    let written = out_offset..out_offset + graph.ty(node.outputs[0]).bytes();
                    touches.push(StepTouch { step, rule: Touch { input, read, output, written, overlap } });
                }
            }
        }
        touches
    }

    fn placed(&self, offsets: &[usize]) -> Vec<Placed> {
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
    fn apply(&self, backward: bool, margin: Margin, placed: &mut [Placed], steps: &mut [Step]) {
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

fn scratch(graph: &Graph, node: usize) -> usize {
    with_types(graph, node, |types, constant| graph.nodes[node].op.rules().scratch(types, constant))
}

/// Calls `ask` with the types around a node, and which of its inputs are constant.
pub fn with_types<R>(graph: &Graph, node: usize, ask: impl FnOnce(Types, &[bool]) -> R) -> R {
    with_node_types(graph, &graph.nodes[node], ask)
}

fn with_node_types<R>(graph: &Graph, node: &crate::graph::Node, ask: impl FnOnce(Types, &[bool]) -> R) -> R {
    let inputs: Vec<&TensorType> = node.inputs.iter().map(|&id| graph.ty(id)).collect();
    let outputs: Vec<&TensorType> = node.outputs.iter().map(|&id| graph.ty(id)).collect();
    let constant: Vec<bool> = node.inputs.iter().map(|&id| graph.constant(id).is_some()).collect();
    ask(Types { inputs: &inputs, outputs: &outputs }, &constant)
}
