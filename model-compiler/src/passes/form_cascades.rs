//! Chains of layers at the peak of memory → one [`Cascade`], which keeps only a few rows of what lies between them.
//!
//! ```text
//! y = f(g(h(x)))   →   rows of h, as soon as they are there rows of g, as soon as they are there rows of f
//! ```
//!
//! A cascade costs some instructions a row, so it is made only where it saves memory that counts.

use crate::graph::{Graph, ValueId};
use crate::kernels::Rows;
use crate::ops::cascade::{Cascade, Source, Stage};
use crate::plan::{self, Plan};

/// The most stages of a cascade.
const MOST_STAGES: usize = 12;

/// A cascade is made where it saves at least an eighth of the arena.
const LEAST_SAVING: usize = 8;

/// How many plans are tried for one cascade.
const TRIALS: usize = 6;

pub(super) fn form_cascades(graph: &mut Graph) {
    let mut bytes = Plan::new(graph).arena_bytes;
    while let Some((cascaded, saved)) = best(graph, bytes) {
        *graph = cascaded;
        bytes = saved;
    }
}

/// The graph with the cascade that saves most, and the size of its arena.
fn best(graph: &Graph, bytes: usize) -> Option<(Graph, usize)> {
    let lives = Lives::of(graph);
    let mut chains = chains(graph);
    chains.sort_by_cached_key(|chain| lives.estimate(graph, chain));
    chains.truncate(TRIALS);
    let trials = chains.iter().map(|chain| {
        let mut trial = graph.clone();
        join(&mut trial, chain);
        let bytes = Plan::new(&trial).arena_bytes;
        (trial, bytes)
    });
    let (graph, found) = trials.min_by_key(|(_, bytes)| *bytes)?;
    (found + bytes / LEAST_SAVING <= bytes).then_some((graph, found))
}

/// Nodes of which each is the only reader of the one before.
#[derive(Clone)]
struct Chain {
    /// By their indices.
    nodes: Vec<usize>,
    /// For each the nodes that make a row of its other operands of a value that is there anyway.
    beside: Vec<Vec<usize>>,
}

/// All chains that could run row by row.
fn chains(graph: &Graph) -> Vec<Chain> {
    let rows: Vec<Option<Rows>> = (0..graph.nodes.len()).map(|node| rows(graph, node)).collect();
    let mut chains = Vec::new();
    for first in (0..graph.nodes.len()).filter(|&node| rows[node].is_some()) {
        let mut chain = Chain { nodes: vec![first], beside: vec![Vec::new()] };
        while let Some(next) = next(graph, &rows, chain.nodes[chain.nodes.len() - 1]).filter(|_| chain.nodes.len() < MOST_STAGES)
        {
            chain.beside.push(beside(graph, &rows, &chain, next));
            chain.nodes.push(next);
            chains.push(chain.clone());
        }
    }
    chains
}

/// How a node runs row by row, if it can. An image that is constant is not cut into rows.
fn rows(graph: &Graph, node: usize) -> Option<Rows> {
    let (op, image) = (&graph.nodes[node].op, *graph.nodes[node].inputs.first()?);
    if graph.constant(image).is_some() && graph.ty(image).shape.len() == 4 {
        return None;
    }
    plan::with_types(graph, node, |types, constant| op.rules().rows(types, constant))
}

/// The node that can run row by row on the rows of `node`, which nobody else reads.
fn next(graph: &Graph, rows: &[Option<Rows>], node: usize) -> Option<usize> {
    let value = graph.nodes[node].outputs[0];
    let [reader] = graph.readers(value)[..] else { return None };
    let under = rows[reader]?;
    // Behind the first input an operator reads only the row that it makes; and a row must be one of the image's.
    let fits = graph.nodes[reader].inputs[0] == value || under.extent == 1;
    let whole_rows =
        matches!(graph.ty(value).shape[..], [_, rows, _, _] if rows == rows_made(graph, node) && rows == under.input);
    (graph.uses(value) == 1 && fits && whole_rows).then_some(reader)
}

/// The rows of what a node makes.
fn rows_made(graph: &Graph, node: usize) -> usize {
    rows(graph, node).map_or(0, |rows| rows.output)
}

/// The nodes besides `chain` of which `node` is the only reader, and which read what the chain reads.
fn beside(graph: &Graph, rows: &[Option<Rows>], chain: &Chain, node: usize) -> Vec<usize> {
    let images = |node: usize| graph.nodes[node].inputs.iter().copied().filter(|&id| graph.constant(id).is_none());
    let read: Vec<ValueId> = chain.nodes.iter().flat_map(|&node| images(node)).collect();
    let fits = |&index: &usize| {
        let value = graph.nodes[index].outputs[0];
        let row_for_row = rows[index].is_some_and(|rows| Some(&rows.output) == graph.ty(value).shape.get(1));
        row_for_row && graph.uses(value) == 1 && images(index).all(|id| read.contains(&id))
    };
    let producers = images(node).filter_map(|id| graph.producer(id));
    producers.filter(|index| !chain.nodes.contains(index)).filter(fits).collect()
}

/// From when to when values live, in the order of the nodes: the step behind the one that makes it, and the last that reads it.
struct Lives(Vec<Life>);

struct Life {
    begin: usize,
    end: usize,
    bytes: usize,
}

impl Lives {
    fn of(graph: &Graph) -> Self {
        let computed = graph.nodes.iter().flat_map(|node| node.outputs.iter().copied());
        let life = |id: ValueId| Life {
            begin: graph.producer(id).map_or(0, |index| index + 1),
            end: if graph.outputs.contains(&id) { usize::MAX } else { graph.readers(id).last().copied().unwrap_or(0) },
            bytes: graph.ty(id).bytes(),
        };
        Self(graph.inputs.iter().copied().chain(computed).map(life).collect())
    }

    /// About how many bytes the arena would have with a cascade in place of a chain: at each step what lives through it, and the
    /// larger of what it reads last and what it writes.
    fn estimate(&self, graph: &Graph, chain: &Chain) -> usize {
        let joined = |node: &usize| chain.nodes.contains(node) || chain.beside.iter().flatten().any(|beside| beside == node);
        let others = (0..graph.nodes.len()).filter(|node| !joined(node)).map(|node| self.live(node, node));
        let first = chain.beside.iter().flatten().copied().min().map_or(chain.nodes[0], |beside| beside.min(chain.nodes[0]));
        let last = chain.nodes[chain.nodes.len() - 1];
        others.max().unwrap_or(0).max(self.live(first, last) + lines(graph, chain))
    }

    /// What lives while the nodes from `first` to `last` run as one.
    fn live(&self, first: usize, last: usize) -> usize {
        let (mut through, mut read, mut written) = (0, 0, 0);
        for Life { begin, end, bytes } in &self.0 {
            match (*begin <= first, *end > last) {
                (true, true) => through += bytes,
                (true, false) if *end >= first => read += bytes,
                (false, true) if *begin <= last + 1 => written += bytes,
                _ => {}
            }
        }
        through + read.max(written)
    }
}

/// The rows that a cascade of `chain` keeps.
fn lines(graph: &Graph, chain: &Chain) -> usize {
    let kept = chain.nodes.windows(2).map(|pair| {
        let ty = graph.ty(graph.nodes[pair[0]].outputs[0]);
        let extent = rows(graph, pair[1]).map_or(1, |rows| rows.extent);
        ty.bytes() / ty.shape[1] * extent.min(ty.shape[1])
    });
    kept.sum()
}

/// Puts one cascade in the place of a chain.
fn join(graph: &mut Graph, chain: &Chain) {
    let (mut inputs, mut origin): (Vec<ValueId>, Vec<String>) = (Vec::new(), Vec::new());
    let mut stages = Vec::new();
    for (number, (&index, beside)) in chain.nodes.iter().zip(&chain.beside).enumerate() {
        let before = (number > 0).then(|| graph.nodes[chain.nodes[number - 1]].outputs[0]);
        let layers = beside.iter().map(|&index| stage(graph, index, None, &[], &mut inputs)).collect();
        let beside: Vec<ValueId> = beside.iter().map(|&index| graph.nodes[index].outputs[0]).collect();
        stages.push(Stage { beside: layers, ..stage(graph, index, before, &beside, &mut inputs) });
    }
    let nodes = chain.nodes.iter().zip(&chain.beside).flat_map(|(node, beside)| beside.iter().chain([node]));
    nodes.for_each(|&node| origin.extend(graph.nodes[node].origin.iter().cloned()));
    graph.rewrite(chain.nodes[chain.nodes.len() - 1], Cascade { stages }.into(), &inputs, &origin);
}

/// A node as a stage, that reads `before` of the stage before and `beside` of the layers beside; what else it reads joins `inputs`.
fn stage(graph: &Graph, index: usize, before: Option<ValueId>, beside: &[ValueId], inputs: &mut Vec<ValueId>) -> Stage {
    let node = &graph.nodes[index];
    let mut source = |&id: &ValueId| {
        if Some(id) == before {
            return Source::Before;
        }
        if let Some(place) = beside.iter().position(|&other| other == id) {
            return Source::Beside(place);
        }
        let place = inputs.iter().position(|&other| other == id).unwrap_or_else(|| {
            inputs.push(id);
            inputs.len() - 1
        });
        if graph.constant(id).is_some() { Source::Constant(place) } else { Source::Input(place) }
    };
    Stage {
        op: node.op.clone(),
        inputs: node.inputs.iter().map(&mut source).collect(),
        output: graph.ty(node.outputs[0]).clone(),
        rows: rows(graph, index).expect("each node of a chain runs row by row"),
        origin: node.origin.clone(),
        beside: Vec::new(),
    }
}
