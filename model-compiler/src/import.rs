//! `onnx::Model` → `Graph`: types every value, folds constants, and finds every reason to refuse a model.

mod borders;
mod branch;
mod control;
mod dims;
mod elements;
mod inner;
mod order;
mod repeat;
mod scope;
mod state;

use std::collections::{BTreeMap, HashSet};

pub use self::control::CONTROL;
use self::scope::{Named, Scopes};
use crate::Options;
use crate::diagnostic::{self, Diagnostic, Diagnostics, Refusal, Subject};
use crate::graph::{Graph, ValueId};
use crate::onnx::{self, Model, proto, tensor};
use crate::op::{self, OpDef};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::TensorType;

/// The most bytes that constants may take which nodes compute; far more than a microcontroller has.
const MOST_COMPUTED_BYTES: usize = 1 << 26;

/// Makes the typed graph of a model, or tells all that is wrong with it.
pub fn graph(model: &Model, options: &Options) -> Result<Graph, Diagnostics> {
    let mut import = Import::new(model, options);
    import.check_version();
    import.inputs();
    import.initializers(&model.graph);
    let outputs: Vec<&str> = model.graph.output.iter().map(|output| output.name.as_str()).collect();
    import.nodes(&outputs);
    import.report_unsupported();
    import.outputs();
    import.states();
    import.borders();
    import.finish()
}

/// The inputs of a node; none for one that is omitted.
type Inputs = Vec<Option<ValueId>>;

struct Import<'a> {
    model: &'a Model<'a>,
    options: &'a Options,
    graph: Graph,
    faults: Vec<Diagnostic>,
    /// What a run is given, and inputs that are pinned.
    inputs: Vec<&'a proto::ValueInfo>,
    /// What names stand for.
    scopes: Scopes<'a>,
    /// How many nodes there are in the graphs that were entered.
    nodes_read: usize,
    /// Operators without a definition: how many nodes, and where the first of them is.
    unsupported: BTreeMap<String, (usize, String)>,
}

impl<'a> Import<'a> {
    fn new(model: &'a Model<'a>, options: &'a Options) -> Self {
        let mut graph = Graph::default();
        graph.opset = model.opset("").unwrap_or_default();
        graph.computable_bytes = Some(MOST_COMPUTED_BYTES);
        let mut scopes = Scopes::default();
        scopes.enter(&model.graph.node, String::new(), None);
        let (faults, inputs) = (Vec::new(), Vec::new());
        Self { model, options, graph, faults, inputs, scopes, nodes_read: 0, unsupported: BTreeMap::new() }
    }

    fn check_version(&mut self) {
        let Some(version) = self.model.opset("") else { return };
        if !(1..=op::LATEST).contains(&version) {
            self.faults.push(Diagnostic::new(
                format!("`{}` is written for opset {version}; supported are 1 to {}", self.model.source.name, op::LATEST),
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
            let named = ty.map_or(Named::Unknown, |ty| self.input(name, ty));
            self.define(name, named);
        }
        let known = self.inputs.iter().map(|input| input.name.as_str());
        self.faults.extend(elements::unknown_keys("inputs", &self.options.inputs, known));
        self.faults.extend(state::check_names(self.options, &self.model.graph, &self.inputs));
    }

    /// An input, or the constant that the argument `inputs` makes of it. One without elements is known already, so that what depends on
    /// it is folded.
    fn input(&mut self, name: &str, ty: TensorType) -> Named {
        let Some((_, elements)) = self.options.inputs.iter().find(|(key, _)| key == name) else {
            let input = self.graph.add_input(name, ty.clone());
            let known = ty.elements() == 0;
            return Named::Value(if known { self.graph.add_constant(name, Tensor::from_elements::<u8>(ty, &[])) } else { input });
        };
        match elements::tensor(elements, &ty) {
            Ok(tensor) => {
                self.graph.notes.push(format!("input `{name}` is {elements}"));
                Named::Value(self.graph.add_constant(name, tensor))
            }
            Err(Refusal { message, help }) => {
                let message = format!("`inputs` pins `{name}`, {message}");
                self.faults.push(Diagnostic::new(message, help).about(Subject::entry("inputs", name)));
                Named::Unknown
            }
        }
    }

    fn define(&mut self, name: &'a str, named: Named) {
        if self.scopes.define(name, named).is_some() {
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

    fn initializers(&mut self, graph: &'a proto::Graph) {
        for stored in &graph.initializer {
            let named = match tensor::read(stored, self.model.source) {
                Ok(tensor) => Named::Value(self.graph.add_constant(stored.name.clone(), tensor)),
                Err(refusal) => {
                    let place = format!("{}: {}initializer `{}`", self.model.source.name, self.scopes.inner().place, stored.name);
                    self.faults.push(Diagnostic::from(refusal).at(place));
                    Named::Unknown
                }
            };
            self.define(&stored.name, named);
        }
        for sparse in &graph.sparse_initializer {
            let name = sparse.values.as_ref().map_or("", |values| values.name.as_str());
            self.faults.push(
                Diagnostic::new(
                    format!("initializer `{name}` is a sparse tensor; only dense ones are supported"),
                    "store it as a dense initializer; zeros are skipped where that pays",
                )
                .at(self.model.source.name.clone()),
            );
            self.define(name, Named::Unknown);
        }
    }

    /// Reads the nodes of the innermost graph on which `outputs` depend.
    fn nodes(&mut self, outputs: &[&'a str]) {
        let scope = self.scopes.inner();
        let nodes = scope.nodes;
        self.nodes_read += nodes.len();
        for name in scope.defined_twice() {
            self.refuse_second(name);
        }
        match order::needed(nodes, outputs) {
            Ok(order) => order.into_iter().for_each(|index| self.node(index, &nodes[index])),
            Err(index) => self.refuse_cycle(index),
        }
    }

    /// Of a graph with a cycle nothing can be said but where it is.
    fn refuse_cycle(&mut self, index: usize) {
        let fault = Diagnostic::new(
            "the node depends on its own output; a graph must be free of cycles",
            "export the model again; this file is damaged",
        );
        let place = self.place(index);
        self.faults.push(fault.at(place));
        for name in self.scopes.inner().nodes.iter().flat_map(|node| &node.output) {
            if self.scopes.find(name).is_none() {
                self.scopes.define(name, Named::Unknown);
            }
        }
    }

    /// Reads one node, and defines its outputs.
    fn node(&mut self, index: usize, node: &'a proto::Node) {
        let first_node = self.graph.nodes.len();
        let results = match (self.control(node), self.definition(node)) {
            (None, None) => {
                let place = self.place_in_file(index);
                self.unsupported.entry(full_name(node)).or_insert((0, place)).0 += 1;
                Vec::new()
            }
            (control, definition) => match (self.inputs_of(node, index), control) {
                (None, _) => Vec::new(),
                (Some(inputs), Some(control)) => self.read_control(index, node, &control, inputs),
                (Some(inputs), None) => {
                    let results = definition.map(|definition| self.read(index, node, definition, inputs));
                    results.flatten().unwrap_or_default().into_iter().map(Named::Value).collect()
                }
            },
        };
        self.name_results(node, first_node, &results);
        let results = results.into_iter().chain(std::iter::repeat(Named::Unknown));
        for (name, named) in node.output.iter().zip(results).filter(|(name, _)| !name.is_empty()) {
            self.define(name, named);
        }
    }

    /// Gives what a node computes the names that it has in the innermost graph.
    fn name_results(&mut self, node: &proto::Node, first_node: usize, results: &[Named]) {
        for (named, name) in results.iter().zip(&node.output).filter(|(_, name)| !name.is_empty()) {
            let Named::Value(id) = *named else { continue };
            // A value that was there before keeps its name.
            let fresh = self.graph.nodes[first_node..].iter().any(|pushed| pushed.outputs.contains(&id));
            if fresh || self.graph.constant(id).is_some() {
                self.graph.rename(id, name);
            }
        }
    }

    /// The definition that reads `node` in the operator set that the model asks for.
    fn definition(&self, node: &proto::Node) -> Option<&'static OpDef> {
        let (name, version) = (full_name(node), self.opset(&node.domain)?);
        op::definitions().find(|definition| definition.name == name && definition.opset.contains(&version))
    }

    /// The version of a domain's operator set that the innermost function imports, or the model.
    fn opset(&self, domain: &str) -> Option<i64> {
        match self.scopes.call() {
            Some(call) => onnx::opset(&call.function.opset_import, domain),
            None => self.model.opset(domain),
        }
    }

    /// The node's inputs; `None` when one of them has no type because of an earlier fault.
    fn inputs_of(&mut self, node: &'a proto::Node, index: usize) -> Option<Inputs> {
        let mut inputs = Vec::new();
        let mut complete = true;
        for name in &node.input {
            match self.scopes.find(name) {
                _ if name.is_empty() => inputs.push(None),
                Some(Named::Omitted) => inputs.push(None),
                Some(Named::Value(id)) => inputs.push(Some(id)),
                Some(Named::Unknown) => complete = false,
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
                    self.scopes.define(name, Named::Unknown);
                    complete = false;
                }
            }
        }
        complete.then_some(inputs)
    }

    /// Reads a node of an operator; `None` when it is refused.
    fn read(&mut self, index: usize, node: &'a proto::Node, definition: &OpDef, inputs: Inputs) -> Option<Vec<ValueId>> {
        if self.graph.computable_bytes == Some(0) {
            // As was said of the node that used them up.
            return None;
        }
        let origin = if node.name.is_empty() { node.op_type.clone() } else { node.name.clone() };
        let opset = self.opset(&node.domain).unwrap_or(op::LATEST);
        let (first_node, types, place) = (self.graph.nodes.len(), self.types_note(node, &inputs), self.place(index));
        let resolved = self.scopes.resolved(node);
        let mut reader = NodeReader::new(&mut self.graph, &resolved, self.model.source, opset, origin, inputs);
        let result = (definition.read)(&mut reader).and_then(|outputs| {
            reader.finish()?;
            expect_outputs(node, &outputs)?;
            Ok(outputs)
        });
        match result.and_then(|outputs| expect_small_constants(&self.graph).map(|()| outputs)) {
            Ok(outputs) => Some(outputs),
            Err(refusal) => {
                self.graph.nodes.truncate(first_node);
                self.faults.push(fault(node, refusal, types).at(place));
                None
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
        format!("{}: {} ({})", self.model.source.name, self.place_in_file(index), full_name(&self.scopes.inner().nodes[index]))
    }

    fn place_in_file(&self, index: usize) -> String {
        let scope = self.scopes.inner();
        match scope.nodes[index].name.as_str() {
            "" => format!("{}node {index}", scope.place),
            name => format!("{}node {index} `{name}`", scope.place),
        }
    }

    /// One report of all operators that have no definition: each with how many nodes it has and the first of them.
    fn report_unsupported(&mut self) {
        if self.unsupported.is_empty() {
            return;
        }
        let nodes: usize = self.unsupported.values().map(|(count, _)| count).sum();
        let opset = self.graph.opset;
        let mut fault = Diagnostic::new(
            format!("{nodes} of the {} nodes have operators that are not supported (opset {opset})", self.nodes_read),
            advice(self.unsupported.keys()),
        )
        .at(self.model.source.name.clone());
        for (name, (count, first)) in &self.unsupported {
            let nodes = if *count == 1 { "node" } else { "nodes" };
            fault = fault.note(format!("`{name}`: {count} {nodes}, the first is {first}"));
        }
        self.faults.push(fault);
    }

    fn outputs(&mut self) {
        for output in &self.model.graph.output {
            match self.scopes.find(&output.name) {
                Some(Named::Value(id)) => {
                    let id = self.graph.own_output(id);
                    self.graph.rename(id, &output.name);
                    self.graph.outputs.push(id);
                }
                Some(Named::Unknown | Named::Omitted) => {}
                None => self.refuse_undefined_output(&output.name),
            }
        }
        if self.model.graph.output.is_empty() {
            self.faults.push(Diagnostic::new(
                format!("`{}` has no outputs", self.model.source.name),
                "export the model with the tensors that you need as graph outputs",
            ));
        }
    }

    fn refuse_undefined_output(&mut self, name: &str) {
        let place = match self.scopes.inner().place.trim_end_matches(": ") {
            "" => self.model.source.name.clone(),
            place => format!("{}: {place}", self.model.source.name),
        };
        self.faults.push(
            Diagnostic::new(
                format!("output `{name}` is defined nowhere: it is no graph input, no initializer and no node's output"),
                "export the model again, or check it with `onnx.checker`",
            )
            .at(place),
        );
    }

    /// Ties outputs to inputs, where the graph is complete.
    fn states(&mut self) {
        if self.faults.is_empty() {
            self.faults = state::tie(&mut self.graph, self.options);
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
            match self.scopes.find(name) {
                Some(Named::Value(id)) if known => Some(self.graph.ty(id).clone()),
                _ => None,
            }
        };
        let rules = dims::Rules::new(&self.inputs, self.options);
        let declared = |output| rules.declared(output).filter(|_| known);
        let Options { inputs: pinned, state, .. } = self.options;
        let is_given = |name: &str| pinned.iter().all(|(key, _)| key != name) && state.iter().all(|(input, _)| input != name);
        let is_yielded = |name: &str| state.iter().all(|(_, output)| output != name);
        let inputs = self.inputs.iter().filter(|input| is_given(&input.name));
        let outputs = self.model.graph.output.iter().filter(|output| is_yielded(&output.name));
        Err(Diagnostics {
            inputs: inputs.map(|input| (input.name.clone(), ty(&input.name))).collect(),
            outputs: outputs.map(|output| (output.name.clone(), ty(&output.name).or_else(|| declared(output)))).collect(),
            faults: self.faults,
            module: None,
        })
    }
}

/// What to do about operators that are not supported.
fn advice<'a>(mut names: impl Iterator<Item = &'a String>) -> &'static str {
    const QONNX: [&str; 3] = ["finn.custom_op", "qonnx.custom_op", "onnx.brevitas"];
    match names.any(|name| QONNX.iter().any(|domain| name.starts_with(domain))) {
        true => {
            "convert QONNX with `qonnx.transformation.qonnx_to_qcdq`, so that `QuantizeLinear` and `DequantizeLinear` say what is quantized"
        }
        false => "export the model without these operators, or cut it before them and compute the rest in Rust",
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
