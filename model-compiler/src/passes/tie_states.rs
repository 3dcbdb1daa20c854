//! Leaves the new state where a run finds it: the step that computes it writes over the old state where nothing reads that any more, and
//! where something does a copy at the end of the run takes it there.

use crate::graph::{Graph, State};
use crate::op::Op;
use crate::ops::copy::Copy;
use crate::plan::views::{self, Views};
use crate::plan::with_types;

/// `h2 = f(h)`, with `h2` as `h` of the next run: `h2` is placed where `h` is, or a copy of it.
pub(super) fn tie_states(graph: &mut Graph) {
    let views = views::of_nodes(graph);
    let states = graph.states.clone();
    let copied: Vec<&State> = states.iter().filter(|state| !is_in_place(graph, &views, state)).collect();
    // What lies where another copy writes is out of the way before the first of them.
    let moved: Vec<&State> = copied.iter().copied().filter(|state| !stays_whole(graph, &views, state)).collect();
    for state in moved.into_iter().chain(copied) {
        let output = graph.outputs[state.output];
        let name = graph.value(output).name.clone();
        let copy = graph.insert_one(graph.nodes.len(), Op::Copy(Copy {}), &[output], std::slice::from_ref(&name));
        graph.rename(copy, name);
        graph.outputs[state.output] = copy;
    }
}

/// Whether the step that computes the new state may write it over the old one.
fn is_in_place(graph: &Graph, views: &Views, state: &State) -> bool {
    let (old, new) = (graph.inputs[state.input], graph.outputs[state.output]);
    let writer = graph.producer(new).filter(|writer| !views.nodes.contains(writer));
    let alone = !views.parts.contains_key(&old) && !views.parts.contains_key(&new);
    let yielded = graph.outputs.iter().any(|&id| views.root(id).0 == old);
    let Some(writer) = writer.filter(|_| alone && !yielded) else { return false };
    let mut steps = (0..graph.nodes.len()).filter(|index| !views.nodes.contains(index));
    steps.all(|index| {
        let reads = graph.nodes[index].inputs.iter().enumerate().filter(|(_, id)| views.root(**id).0 == old);
        let mut reads = reads.map(|(number, &id)| (number, views.root(id).1));
        match index.cmp(&writer) {
            std::cmp::Ordering::Less => true,
            std::cmp::Ordering::Equal => {
                reads.all(|(number, start)| graph.nodes[index].outputs[0] == new && bears(graph, index, number, start))
            }
            std::cmp::Ordering::Greater => reads.next().is_none(),
        }
    })
}

/// Whether a node that reads an input from byte `start` of a buffer on may write from its first byte on, in whichever direction it runs.
fn bears(graph: &Graph, index: usize, number: usize, start: usize) -> bool {
    let rules = graph.nodes[index].op.rules();
    let overlap = with_types(graph, index, |types, _| rules.overlap(types, number));
    let keeps = |distance: Option<isize>, start: isize| distance.is_some_and(|distance| distance <= start);
    let start = start.cast_signed();
    let forward = keeps(overlap.forward, start) || overlap.in_place && start == 0;
    forward && (rules.backward().is_none() || keeps(overlap.backward, -start))
}

/// Whether copies to the places of states leave the new state whole until it is copied itself, from first to last.
fn stays_whole(graph: &Graph, views: &Views, state: &State) -> bool {
    let (old, new) = (views.root(graph.inputs[state.input]), views.root(graph.outputs[state.output]));
    let others = graph.states.iter().filter(|other| other.input != state.input);
    let among_others = others.map(|other| views.root(graph.inputs[other.input]).0).any(|buffer| buffer == new.0);
    let bytes = graph.ty(graph.inputs[state.input]).bytes();
    let overtakes = old.0 == new.0 && new.1 < old.1 && old.1 < new.1 + bytes;
    !among_others && !overtakes
}
