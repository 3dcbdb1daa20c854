//! `onnx::Model` → `Graph`: types every value, folds constants, and finds every reason to refuse a model.

mod borders;
mod dims;

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::Options;
use crate::diagnostic::{self, Diagnostic, Diagnostics, Refusal};
use crate::graph::{Graph, ValueId};
use crate::onnx::{Model, proto, tensor};
use crate::op::{self, OpDef};
use crate::reader::NodeReader;
use crate::ty::TensorType;

/// The most bytes that constants may take which nodes compute; far more than a microcontroller has.
const MOST_COMPUTED_BYTES: usize = 1 << 26;

/// Makes the typed graph of a model, or tells all that is wrong with it.
pub fn graph(model: &Model, options: &Options) -> Result<Graph, Diagnostics> {
    let mut import = Import::new(model, options);
    import.check_version();
    import.inputs();
    import.initializers();
    let nodes = import.needed_nodes();
    import.nodes(&nodes);
    import.outputs();
    import.borders();
    import.finish()
}

struct Import<'a> {
    model: &'a Model<'a>,
    options: &'a Options,
    graph: Graph,
    faults: Vec<Diagnostic>,
    /// What a run is given.
    inputs: Vec<&'a proto::ValueInfo>,
    /// Values by ONNX name; `None` for those that a fault left without a type.
    values: HashMap<&'a str, Option<ValueId>>,
}

impl<'a> Import<'a> {
    fn new(model: &'a Model<'a>, options: &'a Options) -> Self {
        let mut graph = Graph::default();
        graph.opset = model.opset("").unwrap_or_default();
        graph.computable_bytes = Some(MOST_COMPUTED_BYTES);
        Self { model, options, graph, faults: Vec::new(), inputs: Vec::new(), values: HashMap::new() }
    }

    fn check_version(&mut self) {
        let Some(version) = self.model.opset("") else { return };
        if !(6..=op::LATEST).contains(&version) {
            self.faults.push(Diagnostic::new(
                format!("`{}` is written for opset {version}; supported are 6 to {}", self.model.source.name, op::LATEST),
                "convert the model with `onnx.version_converter.convert_version(model, 13)`",
            ));
        }
    }

    /// What a run is given: graph inputs that have no initializer (up to IR version 3 initializers are inputs too).
    fn inputs(&mut self) {
        let initializers: HashSet<&str> = self.model.graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
        let inputs = self.model.graph.input.iter().filter(|input| !initializers.contains(input.name.as_str()));
        self.inputs = inputs.collect();
        let rules = dims::Rules::new(&self.inputs, self.options);
        let resolved = rules.resolve(&self.inputs, &self.model.source.name);
        self.faults.extend(resolved.faults);
        self.graph.notes.extend(resolved.notes);
        for (name, ty) in resolved.inputs {
            let id = ty.map(|ty| self.graph.add_input(name, ty));
            self.define(name, id);
        }
    }

    fn define(&mut self, name: &'a str, id: Option<ValueId>) {
        if self.values.insert(name, id).is_some() {
            self.refuse_second(name);
        }
    }

    fn refuse_second(&mut self, name: &str) {
        let fault = Diagnostic::new(
            format!("value `{name}` is defined twice; every name must have one origin"),
            "export the model again, or check it with `onnx.checker`",
        );
        let fault = fault.at(self.model.source.name.clone());
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    fn initializers(&mut self) {
        for stored in &self.model.graph.initializer {
            let id = match tensor::read(stored, self.model.source) {
                Ok(tensor) => Some(self.graph.add_constant(stored.name.clone(), tensor)),
                Err(refusal) => {
                    let place = format!("{}: initializer `{}`", self.model.source.name, stored.name);
                    self.faults.push(Diagnostic::new(refusal.message, refusal.help).at(place));
                    None
                }
            };
            self.define(&stored.name, id);
        }
        for sparse in &self.model.graph.sparse_initializer {
            let name = sparse.values.as_ref().map_or("", |values| values.name.as_str());
            self.faults.push(
                Diagnostic::new(
                    format!("initializer `{name}` is a sparse tensor; only dense ones are supported"),
                    "store it as a dense initializer; zeros are skipped where that pays",
                )
                .at(self.model.source.name.clone()),
            );
            self.define(name, None);
        }
    }

    /// The nodes on which an output depends, each after those that it reads.
    fn needed_nodes(&mut self) -> Vec<usize> {
        let nodes = &self.model.graph.node;
        let mut producers: HashMap<&str, usize> = HashMap::new();
        for (index, node) in nodes.iter().enumerate() {
            for name in node.output.iter().filter(|name| !name.is_empty()) {
                if producers.insert(name, index).is_some() {
                    self.refuse_second(name);
                }
            }
        }
        let mut state = vec![Visit::New; nodes.len()];
        let mut order = Vec::new();
        let mut stack: Vec<usize> = Vec::new();
        let producer_of = |name: &String| producers.get(name.as_str()).copied();
        stack.extend(self.model.graph.output.iter().rev().filter_map(|output| producer_of(&output.name)));
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
                    for producer in nodes[index].input.iter().rev().filter_map(producer_of) {
                        match state[producer] {
                            Visit::New => stack.push(producer),
                            // An open node waits for what it reads, and so for this one.
                            Visit::Open => return self.refuse_cycle(producer),
                            Visit::Done => {}
                        }
                    }
                }
            }
        }
        // The file's own order is kept where it is one of execution: it is what the reader of the model expects.
        let mut in_file_order = order.clone();
        in_file_order.sort_unstable();
        if self.is_execution_order(&in_file_order) { in_file_order } else { order }
    }

    /// Of a graph with a cycle nothing can be said but where it is.
    fn refuse_cycle(&mut self, index: usize) -> Vec<usize> {
        let fault = Diagnostic::new(
            "the node depends on its own output; a graph must be free of cycles",
            "export the model again; this file is damaged",
        );
        let place = self.place(index);
        self.faults.push(fault.at(place));
        for name in self.model.graph.node.iter().flat_map(|node| &node.output) {
            self.values.entry(name).or_insert(None);
        }
        Vec::new()
    }

    fn is_execution_order(&self, order: &[usize]) -> bool {
        let nodes = &self.model.graph.node;
        let later: HashSet<&str> = order.iter().flat_map(|&index| nodes[index].output.iter().map(String::as_str)).collect();
        let mut later: HashSet<&str> = later.into_iter().filter(|name| !name.is_empty()).collect();
        order.iter().all(|&index| {
            let ready = nodes[index].input.iter().all(|name| !later.contains(name.as_str()));
            nodes[index].output.iter().for_each(|name| {
                later.remove(name.as_str());
            });
            ready
        })
    }

    fn nodes(&mut self, order: &[usize]) {
        let mut unsupported: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for &index in order {
            let node = &self.model.graph.node[index];
            let mut results = Vec::new();
            match self.definition(node) {
                Some(definition) => match self.inputs_of(node, index) {
                    Some(inputs) => results = self.node(index, node, definition, inputs),
                    None => results.resize(node.output.len(), None),
                },
                None => {
                    unsupported.entry(full_name(node)).or_insert((0, index)).0 += 1;
                    results.resize(node.output.len(), None);
                }
            }
            for (name, id) in node.output.iter().zip(results).filter(|(name, _)| !name.is_empty()) {
                self.define(name, id);
            }
        }
        self.report_unsupported(&unsupported);
    }

    /// The definition that reads `node` in the operator set that the model asks for.
    fn definition(&self, node: &proto::Node) -> Option<&'static OpDef> {
        let name = full_name(node);
        // A function that the model defines itself takes precedence over an operator of its name.
        let is_function = |function: &proto::Function| function.name == node.op_type && function.domain == node.domain;
        if self.model.functions.iter().any(is_function) {
            return None;
        }
        let version = self.model.opset(&node.domain)?;
        op::definitions().find(|definition| definition.name == name && definition.opset.contains(&version))
    }

    /// The node's inputs; `None` when one of them has no type because of an earlier fault.
    fn inputs_of(&mut self, node: &'a proto::Node, index: usize) -> Option<Vec<Option<ValueId>>> {
        let mut inputs = Vec::new();
        let mut complete = true;
        for name in &node.input {
            match self.values.get(name.as_str()) {
                _ if name.is_empty() => inputs.push(None),
                Some(Some(id)) => inputs.push(Some(*id)),
                Some(None) => complete = false,
                None => {
                    let place = self.place(index);
                    self.faults.push(
                        Diagnostic::new(
                            format!(
                                "input `{name}` is defined nowhere: it is no graph input, no initializer and no node's output"
                            ),
                            "export the model again, or check it with `onnx.checker`",
                        )
                        .at(place),
                    );
                    self.values.insert(name, None);
                    complete = false;
                }
            }
        }
        complete.then_some(inputs)
    }

    /// Reads one node; its outputs have no id when it is refused.
    fn node(
        &mut self,
        index: usize,
        node: &'a proto::Node,
        definition: &OpDef,
        inputs: Vec<Option<ValueId>>,
    ) -> Vec<Option<ValueId>> {
        if self.graph.computable_bytes == Some(0) {
            // As was said of the node that used them up.
            return vec![None; node.output.len()];
        }
        let origin = if node.name.is_empty() { node.op_type.clone() } else { node.name.clone() };
        let opset = self.model.opset(&node.domain).unwrap_or(op::LATEST);
        let (first_node, types) = (self.graph.nodes.len(), self.types_note(node, &inputs));
        let mut reader = NodeReader::new(&mut self.graph, node, self.model.source, opset, origin, inputs);
        let result = (definition.read)(&mut reader).and_then(|outputs| {
            reader.finish()?;
            expect_outputs(node, &outputs)?;
            Ok(outputs)
        });
        match result.and_then(|outputs| expect_small_constants(&self.graph).map(|()| outputs)) {
            Ok(outputs) => {
                // What the reader pushed last for an output carries its name, unless that value was there before.
                for (&id, name) in outputs.iter().zip(&node.output) {
                    let fresh = self.graph.nodes[first_node..].iter().any(|pushed| pushed.outputs.contains(&id));
                    if !name.is_empty() && (fresh || self.graph.constant(id).is_some()) {
                        self.graph.rename(id, name);
                    }
                }
                outputs.into_iter().map(Some).collect()
            }
            Err(refusal) => {
                self.graph.nodes.truncate(first_node);
                let place = self.place(index);
                self.faults.push(fault(node, refusal, types).at(place));
                vec![None; node.output.len()]
            }
        }
    }

    /// The types of the inputs, for a diagnostic: "`x` is f32[1, 4]".
    fn types_note(&self, node: &proto::Node, inputs: &[Option<ValueId>]) -> Option<String> {
        let mut types: Vec<String> = Vec::new();
        for (name, id) in node.input.iter().zip(inputs) {
            let ty = id.map(|id| format!("`{name}` is {}", self.graph.ty(id)));
            types.extend(ty.filter(|ty| !types.contains(ty)));
        }
        (!types.is_empty()).then(|| types.join(", "))
    }

    fn place(&self, index: usize) -> String {
        let node = &self.model.graph.node[index];
        let name = if node.name.is_empty() { String::new() } else { format!(" `{}`", node.name) };
        format!("{}: node {index}{name} ({})", self.model.source.name, full_name(node))
    }

    /// One report of all operators that have no definition: each with how many nodes it has and the first of them.
    fn report_unsupported(&mut self, unsupported: &BTreeMap<String, (usize, usize)>) {
        if unsupported.is_empty() {
            return;
        }
        let nodes: usize = unsupported.values().map(|(count, _)| count).sum();
        let opset = self.graph.opset;
        let mut fault = Diagnostic::new(
            format!("{nodes} of the {} nodes have operators that are not supported (opset {opset})", self.model.graph.node.len()),
            "export the model without these operators, or cut it before them and compute the rest in Rust",
        )
        .at(self.model.source.name.clone());
        for (name, (count, first)) in unsupported {
            let nodes = if *count == 1 { "node" } else { "nodes" };
            fault = fault.note(format!("`{name}`: {count} {nodes}, the first is {}", self.place_in_file(*first)));
        }
        self.faults.push(fault);
    }

    fn place_in_file(&self, index: usize) -> String {
        match self.model.graph.node[index].name.as_str() {
            "" => format!("node {index}"),
            name => format!("node {index} `{name}`"),
        }
    }

    fn outputs(&mut self) {
        for output in &self.model.graph.output {
            match self.values.get(output.name.as_str()) {
                Some(Some(id)) => {
                    let id = self.graph.own_output(*id);
                    self.graph.rename(id, &output.name);
                    self.graph.outputs.push(id);
                }
                Some(None) => {}
                None => self.faults.push(
                    Diagnostic::new(
                        format!(
                            "output `{}` is defined nowhere: it is no graph input, no initializer and no node's output",
                            output.name
                        ),
                        "export the model again, or check it with `onnx.checker`",
                    )
                    .at(self.model.source.name.clone()),
                ),
            }
        }
        if self.model.graph.output.is_empty() {
            self.faults.push(Diagnostic::new(
                format!("`{}` has no outputs", self.model.source.name),
                "export the model with the tensors that you need as graph outputs",
            ));
        }
    }

    /// Settles what inputs and outputs are, where the graph is complete.
    fn borders(&mut self) {
        if self.faults.is_empty() {
            let faults = borders::settle(&mut self.graph, self.options.io);
            self.faults.extend(faults.into_iter().map(|fault| fault.at(self.model.source.name.clone())));
        }
    }

    fn finish(mut self) -> Result<Graph, Diagnostics> {
        if self.faults.is_empty() {
            self.graph.computable_bytes = None;
            return Ok(self.graph);
        }
        // What `io` makes of an input or output is known only when all is.
        let known = self.options.io.is_none();
        let ty = |name: &str| -> Option<TensorType> {
            let id = self.values.get(name).copied().flatten().filter(|_| known)?;
            Some(self.graph.ty(id).clone())
        };
        let rules = dims::Rules::new(&self.inputs, self.options);
        let declared = |output| rules.declared(output).filter(|_| known);
        let outputs = self.model.graph.output.iter();
        Err(Diagnostics {
            inputs: self.inputs.iter().map(|input| (input.name.clone(), ty(&input.name))).collect(),
            outputs: outputs.map(|output| (output.name.clone(), ty(&output.name).or_else(|| declared(output)))).collect(),
            faults: self.faults,
            module: None,
        })
    }
}

/// The constants that nodes compute fit into the compiler's memory.
fn expect_small_constants(graph: &Graph) -> diagnostic::Result<()> {
    match graph.computable_bytes {
        Some(0) => Err(Refusal::new(
            format!("the nodes up to this one compute {MOST_COMPUTED_BYTES} bytes of constants or more"),
            "fix the sizes in the exported model",
        )),
        _ => Ok(()),
    }
}

/// Every output that the node names is one that its operator has.
fn expect_outputs(node: &proto::Node, found: &[ValueId]) -> diagnostic::Result<()> {
    let named = node.output.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
    if named <= found.len() {
        return Ok(());
    }
    Err(Refusal::new(
        format!("the node has {named} outputs; the operator has {}", found.len()),
        "export the model without the outputs that nothing reads",
    ))
}

/// How far the depth-first search has come with a node.
#[derive(Clone, Copy, PartialEq)]
enum Visit {
    New,
    Open,
    Done,
}

/// The operator's name, with its domain where that is not ONNX's own.
fn full_name(node: &proto::Node) -> String {
    match node.domain.as_str() {
        "" | "ai.onnx" => node.op_type.clone(),
        domain => format!("{domain}::{}", node.op_type),
    }
}

fn fault(node: &proto::Node, refusal: Refusal, types: Option<String>) -> Diagnostic {
    let fault = Diagnostic::new(format!("{}: {}", node.op_type, refusal.message), refusal.help);
    match types {
        Some(types) => fault.note(types),
        None => fault,
    }
}
