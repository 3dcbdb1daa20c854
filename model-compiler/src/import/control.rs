//! Nodes that hold or name a graph of their own: `If`, whose branch takes its place where the condition is known, `Scan` and `Loop`, and
//! calls of functions that the model defines, which are expanded; `FlexAttention`, whose graphs are expanded too.
//!
//! <https://onnx.ai/onnx/operators/onnx__If.html>, <https://onnx.ai/onnx/repo-docs/IR.html#functions>

use super::scope::{Call, Named};
use super::{Import, Inputs, fault};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::onnx::proto;
use crate::ops::attention::Flex;
use crate::reader::NodeReader;

/// The operators with graphs of their own that are read here.
pub const CONTROL: &[&str] = &["If", "Loop", "Scan"];

/// Nodes that a file may expand to, so that functions that call functions end.
const MOST_NODES: usize = 1 << 20;

/// What a node with a graph of its own is.
pub(super) enum Control<'a> {
    If,
    Loop,
    Scan,
    FlexAttention,
    Call(&'a proto::Function),
}

impl<'a> Import<'a> {
    /// Whether a node has a graph of its own. A function that the model defines takes precedence over an operator of its name.
    pub(super) fn control(&self, node: &proto::Node) -> Option<Control<'a>> {
        let called = |function: &&proto::Function| function.name == node.op_type && function.domain == node.domain;
        let model = self.model;
        match model.functions.iter().find(called) {
            Some(function) => Some(Control::Call(function)),
            None if node.domain == "ai.onnx.preview" && node.op_type == "FlexAttention" && has_graphs(node) => {
                Some(Control::FlexAttention)
            }
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
            Control::FlexAttention => self.read_flex_attention(index, node, &inputs),
            Control::Call(function) => self.read_call(index, node, function, &inputs),
        };
        result.unwrap_or_else(|refusal| {
            let (types, place) = (self.types_note(node, &inputs), self.place(index));
            self.faults.push(fault(node, refusal, types).at(place));
            vec![Named::Unknown; node.output.len()]
        })
    }

    fn read_if(&mut self, index: usize, node: &'a proto::Node, inputs: &Inputs) -> Result<Vec<Named>> {
        let branch = match self.condition(inputs)? {
            None => return self.read_branches(index, node, inputs),
            Some(true) => "then_branch",
            Some(false) => "else_branch",
        };
        let graph = graph_attribute(node, branch).filter(|graph| graph.output.len() >= node.output.len());
        let graph = graph.ok_or_else(|| {
            Refusal::new(
                format!("`{branch}` is no graph with the node's {} outputs", node.output.len()),
                "export the model again, or check it with `onnx.checker`",
            )
        })?;
        Ok(self.expanded(index, branch, graph, &[]))
    }

    /// Reads the nodes of a graph, which an attribute of a node holds, where that node stands; gives what its outputs stand for.
    fn expanded(&mut self, index: usize, attribute: &str, graph: &'a proto::Graph, given: &[Named]) -> Vec<Named> {
        let place = format!("{}, `{attribute}`: ", self.place_in_file(index));
        self.scopes.enter(&graph.node, place, None);
        for (input, named) in graph.input.iter().zip(given) {
            self.define(&input.name, *named);
        }
        self.initializers(graph);
        let outputs: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
        let results = self.body(&outputs);
        self.scopes.leave();
        results
    }

    fn read_flex_attention(&mut self, index: usize, node: &'a proto::Node, inputs: &Inputs) -> Result<Vec<Named>> {
        let (flex, scores) = self.reading(node, inputs, |reader| {
            let read = Flex::scores(reader)?;
            reader.finish()?;
            Ok(read)
        })?;
        let Some(scores) = self.through(index, node, Flex::SCORES, scores)? else { return Ok(vec![Named::Unknown]) };
        let shares = self.reading(node, inputs, |reader| Flex::shares(reader, scores))?;
        let Some(shares) = self.through(index, node, Flex::SHARES, shares)? else { return Ok(vec![Named::Unknown]) };
        let result = self.reading(node, inputs, |reader| flex.result(reader, shares))?;
        Ok(vec![Named::Value(result)])
    }

    /// What the graph of an attribute makes of `x`, which is of the same type, or `x` itself where the node has none; nothing where a fault in
    /// the graph left that unknown.
    fn through(&mut self, index: usize, node: &'a proto::Node, attribute: &str, x: ValueId) -> Result<Option<ValueId>> {
        let Some(graph) = graph_attribute(node, attribute) else { return Ok(Some(x)) };
        if graph.input.len() != 1 || graph.output.len() != 1 {
            return Err(Refusal::new(
                format!(
                    "`{attribute}` has {} inputs and {} outputs; expected one of each",
                    graph.input.len(),
                    graph.output.len()
                ),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
        let [Named::Value(y)] = self.expanded(index, attribute, graph, &[Named::Value(x)])[..] else { return Ok(None) };
        let (from, to) = (self.graph.ty(x), self.graph.ty(y));
        if from != to {
            return Err(Refusal::new(
                format!("`{attribute}` makes {to} of {from}; expected the same type"),
                "fix the graph in the exported model, so that it changes each element only",
            ));
        }
        Ok(Some(y))
    }

    /// What `read` makes of a node as its operator's reader sees it.
    pub(super) fn reading<R>(
        &mut self,
        node: &'a proto::Node,
        inputs: &Inputs,
        read: impl FnOnce(&mut NodeReader) -> Result<R>,
    ) -> Result<R> {
        let resolved = self.scopes.resolved(node);
        let opset = self.opset(&node.domain).unwrap_or_default();
        let origin = if node.name.is_empty() { node.op_type.clone() } else { node.name.clone() };
        read(&mut NodeReader::new(&mut self.graph, &resolved, self.model.source, opset, origin, inputs.clone()))
    }

    /// The condition of an `If`, where it is known.
    fn condition(&self, inputs: &Inputs) -> Result<Option<bool>> {
        let Some(Some(id)) = inputs.first() else {
            return Err(Refusal::new("the condition is missing", "export the model again, or check it with `onnx.checker`"));
        };
        let Some(constant) = self.graph.constant(*id) else { return Ok(None) };
        match constant.to_ints().as_deref() {
            Some([condition]) => Ok(Some(*condition != 0)),
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

fn has_graphs(node: &proto::Node) -> bool {
    node.attribute.iter().any(|attribute| attribute.g.is_some())
}

/// The graph that an attribute holds.
pub(super) fn graph_attribute<'a>(node: &'a proto::Node, name: &str) -> Option<&'a proto::Graph> {
    node.attribute.iter().find(|attribute| attribute.name == name)?.g.as_ref()
}
