//! The nodes of one graph of the file in an order in which they can run.

use std::collections::{HashMap, HashSet};

use crate::onnx::proto;

/// How far the depth-first search has come with a node.
#[derive(Clone, Copy, PartialEq)]
enum Visit {
    New,
    Open,
    Done,
}

/// The nodes on which one of `outputs` depends, each after those that it reads; or a node that depends on itself.
///
/// The file's own order is kept where it is one of execution: it is what the reader of the model expects.
pub(super) fn needed<'a>(nodes: &'a [proto::Node], outputs: &[&'a str]) -> Result<Vec<usize>, usize> {
    let reads: Vec<Vec<&str>> = nodes.iter().map(reads).collect();
    let order = search(nodes, &reads, outputs)?;
    let mut in_file_order = order.clone();
    in_file_order.sort_unstable();
    Ok(if is_execution_order(nodes, &reads, &in_file_order) { in_file_order } else { order })
}

fn search(nodes: &[proto::Node], reads: &[Vec<&str>], outputs: &[&str]) -> Result<Vec<usize>, usize> {
    let named = |(index, node)| defined(node).map(move |name| (name, index));
    let producers: HashMap<&str, usize> = nodes.iter().enumerate().flat_map(named).collect();
    let producer_of = |name: &&str| producers.get(name).copied();
    let mut state = vec![Visit::New; nodes.len()];
    let mut order = Vec::new();
    let mut stack: Vec<usize> = outputs.iter().rev().filter_map(producer_of).collect();
    while let Some(index) = stack.pop() {
        match state[index] {
            Visit::Done => {}
            Visit::Open => {
                state[index] = Visit::Done;
                order.push(index);
            }
            Visit::New => {
                state[index] = Visit::Open;
                stack.push(index);
                for producer in reads[index].iter().rev().filter_map(producer_of) {
                    match state[producer] {
                        Visit::New => stack.push(producer),
                        // An open node waits for what it reads, and so for this one.
                        Visit::Open => return Err(producer),
                        Visit::Done => {}
                    }
                }
            }
        }
    }
    Ok(order)
}

fn is_execution_order(nodes: &[proto::Node], reads: &[Vec<&str>], order: &[usize]) -> bool {
    let mut later: HashSet<&str> = order.iter().flat_map(|&index| defined(&nodes[index])).collect();
    order.iter().all(|&index| {
        let ready = reads[index].iter().all(|name| !later.contains(name));
        defined(&nodes[index]).for_each(|name| {
            later.remove(name);
        });
        ready
    })
}

/// The names that a node gives to what it computes.
pub(super) fn defined(node: &proto::Node) -> impl Iterator<Item = &str> {
    node.output.iter().map(String::as_str).filter(|name| !name.is_empty())
}

/// The names of what a node reads, and of what its subgraphs read from outside of them.
fn reads(node: &proto::Node) -> Vec<&str> {
    let captured = node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()).flat_map(captured);
    node.input.iter().map(String::as_str).filter(|name| !name.is_empty()).chain(captured).collect()
}

/// The names that a subgraph reads without defining them.
pub(super) fn captured(graph: &proto::Graph) -> Vec<&str> {
    let mut inside: HashSet<&str> = graph.node.iter().flat_map(defined).collect();
    inside.extend(graph.initializer.iter().map(|tensor| tensor.name.as_str()));
    inside.extend(graph.input.iter().map(|input| input.name.as_str()));
    let outputs = graph.output.iter().map(|output| output.name.as_str());
    let mut seen = HashSet::new();
    let used = graph.node.iter().flat_map(reads).chain(outputs);
    used.filter(|name| !inside.contains(name) && seen.insert(*name)).collect()
}
