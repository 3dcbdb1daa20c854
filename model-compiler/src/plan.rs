//! The plan of a run: its steps in order, and where in the arena each value lies.
//!
//! A node that is only a way to look at memory makes no step: its output is a part of its input's buffer (reshape, slice), or its
//! inputs are parts of its output's (concat). Every other node is a step. Buffers are then placed by their lifetimes, with a step's
//! output over its dying input as far as the kernel's order of reading and writing allows.

pub(crate) mod arena;
mod buffers;
pub(crate) mod order;
pub(crate) mod views;

use std::collections::HashMap;

use crate::graph::{Graph, ValueId};
use crate::op::{Op, Types};
pub use crate::plan::arena::Margin;
use crate::plan::arena::{Buffer, Placement, Touch};
use crate::plan::buffers::{Buffers, StepTouch};
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
    /// The byte that tells whether the first state, where it is not zero, was put into its place.
    pub started: Option<usize>,
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
    /// The buffers of its scratch, in the operator's order; none for a place without elements.
    pub scratch: Vec<Option<usize>>,
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
    /// Scratch of a step.
    Scratch {
        /// The step.
        step: usize,
        /// Which of its places.
        part: usize,
    },
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
    ///
    /// The order that is searched for has the smallest live set, which knows nothing of overlaps. Where the model's own order comes
    /// out as small with them, it stays.
    pub fn new(graph: &Graph) -> Self {
        let views = views::find(graph);
        let buffers = Buffers::of_values(graph, &views);
        let orders = buffers.orders(graph, &views);
        let plans = orders.iter().map(|order| Self::in_order(graph, buffers.clone(), order));
        plans.min_by_key(|plan| plan.arena_bytes).expect("there is at least the given order")
    }

    fn in_order(graph: &Graph, mut buffers: Buffers, order: &[usize]) -> Self {
        buffers.add_scratch(graph, order);
        buffers.live(graph, order);
        let touches = buffers.touches(graph, order);
        let placement = place(&buffers.sizes, &touches);
        let mut steps: Vec<Step> = (order.iter().enumerate())
            .map(|(step, &node)| Step { node, op: graph.nodes[node].op.clone(), scratch: buffers.scratch[step].clone() })
            .collect();
        let mut placed = buffers.placed(&placement.offsets);
        for (index, touch) in touches.iter().enumerate() {
            touch.apply(placement.backward[index], placement.margins[index], &mut placed, &mut steps);
        }
        let peak = placement.peak.next_multiple_of(ALIGN);
        let started = graph.states.iter().any(|state| state.initial.is_some()).then_some(peak);
        let flag = if started.is_some() { ALIGN } else { 0 };
        Self {
            steps,
            arena_bytes: peak + flag,
            lower_bound: arena::lower_bound(&buffers.sizes) + flag,
            started,
            buffers: placed,
            places: buffers.places,
        }
    }

    /// The first byte of a value in the arena; `None` for a constant, or a value that nothing computes.
    pub fn offset(&self, id: ValueId) -> Option<usize> {
        self.places.get(&id).map(|&(buffer, offset)| self.buffers[buffer].offset + offset)
    }

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

/// Places buffers. Steps run forward where that costs nothing, so that layers of one shape are one instance.
fn place(sizes: &[Buffer], touches: &[StepTouch]) -> Placement {
    let rules: Vec<Touch> = touches.iter().map(|touch| touch.rule.clone()).collect();
    let mut forward = rules.clone();
    forward.iter_mut().for_each(|touch| touch.overlap.backward = None);
    let [either, forward] = [rules, forward].map(|rules| {
        let placement = arena::place(sizes, &rules);
        #[cfg(debug_assertions)]
        if let Err(problem) = arena::check(sizes, &rules, &placement) {
            panic!("internal error: {problem}; please report this model");
        }
        placement
    });
    if forward.peak <= either.peak { forward } else { either }
}

/// The types of a node's scratch.
pub fn scratch(graph: &Graph, node: usize) -> Vec<TensorType> {
    with_types(graph, node, |types, constant| graph.nodes[node].op.rules().scratch(types, constant))
}

/// Calls `ask` with the types around a node, and which of its inputs are constant.
pub fn with_types<R>(graph: &Graph, node: usize, ask: impl FnOnce(Types, &[bool]) -> R) -> R {
    let node = &graph.nodes[node];
    let (inputs, outputs) = (graph.types(&node.inputs), graph.types(&node.outputs));
    let constant: Vec<bool> = node.inputs.iter().map(|&id| graph.constant(id).is_some()).collect();
    ask(Types { inputs: &inputs, outputs: &outputs }, &constant)
}
