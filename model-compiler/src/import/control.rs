//! Nodes that hold or name a graph of their own: `If`, whose branch takes its place where the condition is known, `Scan` and `Loop`, and
//! calls of functions that the model defines, which are expanded.
//!
//! <https://onnx.ai/onnx/operators/onnx__If.html>, <https://onnx.ai/onnx/repo-docs/IR.html#functions>

use super::scope::{Call, Named};
use super::{Import, Inputs, fault};
use crate::diagnostic::{Refusal, Result};
use crate::onnx::proto;

/// The operators with graphs of their own that are read here.
pub const CONTROL: &[&str] = &["If", "Loop", "Scan"];

/// Nodes that a file may expand to, so that functions that call functions end.
const MOST_NODES: usize = 1 << 20;

/// What a node with a graph of its own is.
pub(super) enum Control<'a> {
    If,
    Loop,
    Scan,
    Call(&'a proto::Function),
}

impl<'a> Import<'a> {
    /// Whether a node has a graph of its own. A function that the model defines takes precedence over an operator of its name.
    pub(super) fn control(&self, node: &proto::Node) -> Option<Control<'a>> {
        let called = |function: &&proto::Function| function.name == node.op_type && function.domain == node.domain;
        let model = self.model;
        match model.functions.iter().find(called) {
            Some(function) => Some(Control::Call(function)),
            None if !matches!(node.domain.as_str(), "" | "ai.onnx") => None,
            None => match node.op_type.as_str() {
                "If" => Some(Control::If),
                "Loop" => Some(Control::Loop),
                "Scan" => Some(Control::Scan),
                _ => None,
            },
        }
    }

    /// Reads such a node; gives what its outputs stand for.
    pub(super) fn read_control(
        &mut self,
        index: usize,
        node: &'a proto::Node,
        control: &Control<'a>,
        inputs: Inputs,
    ) -> Vec<Named> {
        let result = match control {
            Control::If => self.read_if(index, node, &inputs),
            Control::Loop => self.read_loop(index, node, &inputs),
            Control::Scan => self.read_scan(index, node, &inputs),
            Control::Call(function) => self.read_call(index, node, function, &inputs),
        };
        result.unwrap_or_else(|refusal| {
            let (types, place) = (self.types_note(node, &inputs), self.place(index));
            self.faults.push(fault(node, refusal, types).at(place));
            vec![Named::Unknown; node.output.len()]
        })
    }

    fn read_if(&mut self, index: usize, node: &'a proto::Node, inputs: &Inputs) -> Result<Vec<Named>> {
        let branch = match self.condition(node, inputs)? {
            true => "then_branch",
            false => "else_branch",
        };
        let attribute = node.attribute.iter().find(|attribute| attribute.name == branch);
        let graph = attribute.and_then(|attribute| attribute.g.as_ref()).filter(|graph| graph.output.len() >= node.output.len());
        let graph = graph.ok_or_else(|| {
            Refusal::new(
                format!("`{branch}` is no graph with the node's {} outputs", node.output.len()),
                "export the model again, or check it with `onnx.checker`",
            )
        })?;
        let place = format!("{}, `{branch}`: ", self.place_in_file(index));
        self.scopes.enter(&graph.node, place, None);
        self.initializers(graph);
        let outputs: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
        let results = self.body(&outputs);
        self.scopes.leave();
        Ok(results)
    }

    /// The condition of an `If`, which must be known.
    fn condition(&self, node: &proto::Node, inputs: &Inputs) -> Result<bool> {
        let Some(Some(id)) = inputs.first() else {
            return Err(Refusal::new("the condition is missing", "export the model again, or check it with `onnx.checker`"));
        };
        let Some(constant) = self.graph.constant(*id) else {
            return Err(Refusal::new(
                format!("the condition `{}` is computed at run time; it must be known at compile time", node.input[0]),
                "pin the input that decides it with `inputs = { … }`, or export the model with one of the branches only",
            ));
        };
        match constant.to_ints().as_deref() {
            Some([condition]) => Ok(*condition != 0),
            _ => Err(Refusal::new(
                format!("the condition is {}; expected one bool", constant.ty()),
                "export the model again, or check it with `onnx.checker`",
            )),
        }
    }

    fn read_call(
        &mut self,
        index: usize,
        node: &'a proto::Node,
        function: &'a proto::Function,
        inputs: &Inputs,
    ) -> Result<Vec<Named>> {
        self.check_call(node, function, inputs)?;
        let mut attributes = self.scopes.resolved(node).attribute.clone();
        let is_given = |name: &str| node.attribute.iter().any(|attribute| attribute.name == name);
        attributes.extend(function.attribute_proto.iter().filter(|default| !is_given(&default.name)).cloned());
        let place = format!("{}, function `{}`: ", self.place_in_file(index), function.name);
        self.scopes.enter(&function.node, place, Some(Call { function, attributes }));
        let given =
            inputs.iter().map(|input| input.map_or(Named::Omitted, Named::Value)).chain(std::iter::repeat(Named::Omitted));
        for (name, named) in function.input.iter().zip(given) {
            self.define(name, named);
        }
        let outputs: Vec<&str> = function.output.iter().map(String::as_str).collect();
        let results = self.body(&outputs);
        self.scopes.leave();
        Ok(results)
    }

    fn check_call(&self, node: &proto::Node, function: &proto::Function, inputs: &Inputs) -> Result<()> {
        if self.scopes.is_open(function) {
            return Err(Refusal::new(
                "the function calls itself; functions are expanded, so that calls must end",
                "export the model again; this file is damaged",
            ));
        }
        if self.nodes_read > MOST_NODES {
            return Err(Refusal::new(
                format!("the model's functions expand to more than {MOST_NODES} nodes"),
                "export the model again; this file is damaged",
            ));
        }
        if inputs.len() > function.input.len() || node.output.len() > function.output.len() {
            return Err(Refusal::new(
                format!(
                    "the call has {} inputs and {} outputs; the function has {} and {}",
                    inputs.len(),
                    node.output.len(),
                    function.input.len(),
                    function.output.len()
                ),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
        Ok(())
    }

    /// Reads the nodes of the innermost graph that `outputs` need; gives what these stand for.
    pub(super) fn body(&mut self, outputs: &[&'a str]) -> Vec<Named> {
        self.nodes(outputs);
        let mut results = Vec::new();
        for name in outputs {
            let named = self.scopes.find(name);
            if named.is_none() {
                self.refuse_undefined_output(name);
            }
            results.push(named.unwrap_or(Named::Unknown));
        }
        results
    }
}
