//! Makes a wrong case small: again and again, of all models that are a little smaller, the smallest that is wrong too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use onnx_protobuf::{GraphProto, ModelProto, NodeProto, ValueInfoProto};
use protobuf::Message;

use crate::cases::Case;
use crate::check::{self, Verdict};
use crate::draft::Drawn;
use crate::reference::References;

/// Models that are tried at once: those that make the model smallest come first.
const CANDIDATES: usize = 60;

/// A model, and the bytes of its inputs by their names.
#[derive(Clone)]
struct Small {
    model: ModelProto,
    inputs: BTreeMap<String, Vec<u8>>,
}

/// The smallest wrong case that is found, in a folder beside those of the cases, and what is wrong with it.
pub fn shrink(folder: &Path, case: &Case, reason: &str, references: &References) -> (Case, String) {
    let folder = folder.with_file_name("shrinking");
    let _ = fs::remove_dir_all(&folder);
    let (mut smallest, mut reason) = (case.clone(), reason.to_owned());
    for round in 0.. {
        let mut candidates = Small::read(&smallest).smaller(&smallest, references);
        candidates.sort_by_key(Small::size);
        candidates.truncate(CANDIDATES);
        let write =
            |(number, small): (usize, &Small)| Case::write(&folder, &format!("{}_{round}_{number}", case.name), &small.drawn());
        let cases: Vec<Case> = candidates.iter().enumerate().map(write).collect();
        let verdicts = check::all(&folder, &cases, references);
        let wrong = cases.iter().zip(verdicts).find_map(|(case, verdict)| match verdict {
            Verdict::Wrong(reason) => Some((case, reason)),
            _ => None,
        });
        match wrong {
            Some((case, found)) => (smallest, reason) = (case.clone(), found),
            None => break,
        }
    }
    (smallest, reason)
}

impl Small {
    fn read(case: &Case) -> Self {
        let drawn = case.drawn();
        let model = ModelProto::parse_from_bytes(&drawn.model).expect("it was written by this program");
        let names = model.graph.input.iter().map(|input| input.name.clone());
        let inputs = names.zip(drawn.inputs).collect();
        Self { model, inputs }
    }

    fn drawn(&self) -> Drawn {
        let inputs = self.model.graph.input.iter().map(|input| self.inputs[&input.name].clone()).collect();
        Drawn { model: self.model.write_to_bytes().expect("all fields are set"), inputs }
    }

    /// What is to become small, first things first.
    fn size(&self) -> (usize, usize, u64) {
        (self.model.graph.node.len(), self.model.graph.output.len(), self.model.compute_size())
    }

    /// All models that are smaller by one thing: other outputs, an input in the place of what computed a value, a node left out.
    fn smaller(&self, case: &Case, references: &References) -> Vec<Self> {
        let graph = &self.model.graph;
        let mut found: Vec<Self> = Vec::new();
        let outputs = graph.output.iter().chain(&graph.value_info);
        found.extend(outputs.map(|output| self.changed(|graph| graph.output = vec![output.clone()])));
        if references.write_values(case).is_ok() {
            found.extend(graph.value_info.iter().filter_map(|value| self.cut(case, value)));
        }
        found.extend(graph.node.iter().filter_map(|node| self.without(node)));
        found.retain(|small| small.size() < self.size());
        found
    }

    fn changed(&self, change: impl FnOnce(&mut GraphProto)) -> Self {
        let mut small = self.clone();
        let graph = small.model.graph.mut_or_insert_default();
        change(graph);
        prune(graph);
        small
    }

    /// The model in which `value` is an input.
    fn cut(&self, case: &Case, value: &ValueInfoProto) -> Option<Self> {
        let bytes = case.read(&format!("values/{}.bin", value.name))?;
        let mut small = self.changed(|graph| {
            graph.input.push(value.clone());
            let before = format!("{}_before", value.name);
            for name in graph.node.iter_mut().flat_map(|node| &mut node.output).filter(|name| **name == value.name) {
                name.clone_from(&before);
            }
            graph.value_info.push(ValueInfoProto { name: before, ..value.clone() });
        });
        small.inputs.insert(value.name.clone(), bytes);
        Some(small)
    }

    /// The model without a node whose output has the type of an input of it, which takes its place.
    fn without(&self, node: &NodeProto) -> Option<Self> {
        let graph = &self.model.graph;
        let [output] = &node.output[..] else { return None };
        let values = || graph.input.iter().chain(&graph.output).chain(&graph.value_info);
        let ty = |name: &String| values().find(|value| value.name == *name).map(|value| value.type_.clone());
        let is_output = graph.output.iter().any(|value| value.name == *output);
        let input = node.input.iter().find(|input| ty(input).is_some() && ty(input) == ty(output))?;
        (!is_output).then(|| {
            self.changed(|graph| {
                for name in graph.node.iter_mut().flat_map(|node| &mut node.input).filter(|name| *name == output) {
                    name.clone_from(input);
                }
            })
        })
    }
}

/// Drops what no output needs.
fn prune(graph: &mut GraphProto) {
    let mut needed: BTreeSet<String> = graph.output.iter().map(|output| output.name.clone()).collect();
    let mut kept = Vec::new();
    for node in graph.node.drain(..).rev() {
        if node.output.iter().any(|output| needed.contains(output)) {
            needed.extend(node.input.iter().cloned());
            kept.push(node);
        }
    }
    kept.reverse();
    let outputs: BTreeSet<&String> = graph.output.iter().map(|output| &output.name).collect();
    let made: BTreeSet<&String> = kept.iter().flat_map(|node| &node.output).collect();
    graph.initializer.retain(|tensor| needed.contains(&tensor.name));
    graph.input.retain(|input| needed.contains(&input.name));
    graph.value_info.retain(|value| made.contains(&value.name) && !outputs.contains(&value.name));
    graph.node = kept;
}
