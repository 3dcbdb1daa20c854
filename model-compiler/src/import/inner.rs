//! A graph of a node that runs on its own: it becomes a graph with inputs, of which the last are what it reads from around it.

use super::Import;
use super::order;
use super::scope::Named;
use crate::graph::{Graph, ValueId};
use crate::onnx::proto;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What an input of the graph is.
pub(super) enum Given {
    /// A value that each run is given.
    Value(TensorType),
    /// The number of the run, of as many.
    Counter(usize),
    /// A value that is known.
    Constant(Tensor),
}

/// The graph, the values around it that are its last inputs, and its results unless a fault left one without a type.
pub(super) struct Inner {
    pub(super) graph: Graph,
    pub(super) captured: Vec<ValueId>,
    pub(super) results: Option<Vec<ValueId>>,
}

impl<'a> Import<'a> {
    /// Reads the graph of an attribute of the node at `index`.
    pub(super) fn read_inner(
        &mut self,
        index: usize,
        attribute: &str,
        body: &'a proto::Graph,
        given: impl IntoIterator<Item = Given>,
    ) -> Inner {
        let around: Vec<(&str, Named)> =
            order::captured(body).into_iter().filter_map(|name| Some((name, self.scopes.find(name)?))).collect();
        let mut inner = Graph::default();
        (inner.opset, inner.computable_bytes) = (self.graph.opset, self.graph.computable_bytes);
        let outer = std::mem::replace(&mut self.graph, inner);
        self.scopes.enter_closed(&body.node, format!("{}, `{attribute}`: ", self.place_in_file(index)));
        for (input, given) in body.input.iter().zip(given) {
            let id = self.add_given(&input.name, given);
            self.define(&input.name, Named::Value(id));
        }
        let mut captured = Vec::new();
        for (name, named) in around {
            let named = match named {
                Named::Value(id) => {
                    let inside = match outer.constant(id) {
                        Some(tensor) => self.graph.add_constant(name, tensor.clone()),
                        None => {
                            captured.push(id);
                            self.graph.add_input(name, outer.ty(id).clone())
                        }
                    };
                    if let Some(integers) = &outer.value(id).integers {
                        self.graph.remember(inside, integers.clone());
                    }
                    Named::Value(inside)
                }
                other => other,
            };
            self.scopes.define(name, named);
        }
        self.initializers(body);
        let names: Vec<&str> = body.output.iter().map(|output| output.name.as_str()).collect();
        let results = self.body(&names);
        self.scopes.leave();
        let mut graph = std::mem::replace(&mut self.graph, outer);
        self.graph.computable_bytes = graph.computable_bytes.take();
        self.graph.notes.append(&mut graph.notes);
        let results = results.into_iter().map(|named| if let Named::Value(id) = named { Some(id) } else { None }).collect();
        Inner { graph, captured, results }
    }

    fn add_given(&mut self, name: &str, given: Given) -> ValueId {
        match given {
            Given::Value(ty) => self.graph.add_input(name, ty),
            Given::Counter(trips) => {
                let id = self.graph.add_input(name, TensorType::new(ElemType::I64, []));
                self.graph.counter = Some((id, trips));
                id
            }
            Given::Constant(tensor) => self.graph.add_constant(name, tensor),
        }
    }
}

/// Lets the graph yield `results` under the names that the file gives its outputs.
pub(super) fn yield_results(graph: &mut Graph, outputs: &[proto::ValueInfo], results: &[ValueId]) {
    for (output, id) in outputs.iter().zip(results) {
        let id = graph.own_output(*id);
        graph.rename(id, &output.name);
        graph.outputs.push(id);
    }
}
