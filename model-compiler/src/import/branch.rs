//! `If` whose condition is computed at run time: each branch becomes a graph of its own, of which one runs.
//!
//! <https://onnx.ai/onnx/operators/onnx__If.html>

use super::control::graph_attribute;
use super::inner::{Inner, yield_results};
use super::scope::Named;
use super::{Import, Inputs};
use crate::diagnostic::{Refusal, Result};
use crate::graph::{Graph, ValueId};
use crate::onnx::proto;
use crate::ops::branch::{Branch, Side};

impl<'a> Import<'a> {
    /// Reads both branches and pushes the operator.
    pub(super) fn read_branches(&mut self, index: usize, node: &'a proto::Node, inputs: &Inputs) -> Result<Vec<Named>> {
        let condition = self.reading(node, inputs, |reader| reader.input(0))?;
        let sides = (self.side(index, node, "then_branch")?, self.side(index, node, "else_branch")?);
        let (Some((then, captured)), Some((other, more))) = sides else {
            return Ok(vec![Named::Unknown; node.output.len()]);
        };
        let yields = |graph: &Graph| graph.types(&graph.outputs).into_iter().cloned().collect::<Vec<_>>();
        for (place, (one, another)) in yields(&then).into_iter().zip(yields(&other)).enumerate() {
            if one != another {
                return Err(Refusal::new(
                    format!("output {place} is {one} of `then_branch` and {another} of `else_branch`; both must have one type"),
                    "pad both to one shape in the exported model, or pin the input that decides with `inputs = { … }`",
                ));
            }
        }
        let mut operands = vec![condition];
        let mut side = |graph: Graph, captured: Vec<ValueId>| {
            let mut places = Vec::new();
            for id in captured {
                let known = operands.iter().position(|&operand| operand == id);
                places.push(known.unwrap_or(operands.len()));
                operands.extend(known.is_none().then_some(id));
            }
            Side::new(graph, places)
        };
        let (then, other) = (side(then, captured), side(other, more));
        let origin = [if node.name.is_empty() { node.op_type.clone() } else { node.name.clone() }];
        let ids = self.graph.push(Branch::new(then, other).into(), &operands, &origin)?;
        Ok(ids.into_iter().map(Named::Value).collect())
    }

    /// A branch and the values around it that it reads; nothing where a fault left one of its outputs without a type.
    fn side(&mut self, index: usize, node: &'a proto::Node, attribute: &str) -> Result<Option<(Graph, Vec<ValueId>)>> {
        let body = graph_attribute(node, attribute).filter(|graph| graph.output.len() >= node.output.len()).ok_or_else(|| {
            Refusal::new(
                format!("`{attribute}` is no graph with the node's {} outputs", node.output.len()),
                "export the model again, or check it with `onnx.checker`",
            )
        })?;
        let Inner { mut graph, captured, results } = self.read_inner(index, attribute, body, []);
        let Some(mut results) = results else { return Ok(None) };
        results.truncate(node.output.len());
        yield_results(&mut graph, &body.output, &results);
        graph.drop_unused();
        // Of some values around it a graph reads the shape only.
        let read: Vec<bool> = graph.inputs.iter().map(|&id| graph.uses(id) > 0).collect();
        let mut kept = read.iter();
        graph.inputs.retain(|_| *kept.next().expect("one flag an input"));
        let captured = captured.into_iter().zip(read).filter(|(_, read)| *read).map(|(id, _)| id).collect();
        Ok(Some((graph, captured)))
    }
}
