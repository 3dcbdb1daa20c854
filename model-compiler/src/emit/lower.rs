//! What an operator sees when it writes its step.

use std::cell::RefCell;
use std::fmt::Debug;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use crate::emit::names;
use crate::emit::weights::Weights;
use crate::graph::{Graph, Node};
use crate::op::Types;
use crate::ops::copy::Strided;
use crate::ops::elementwise::Expr;
use crate::plan::{self, Plan};
use crate::tensor::Tensor;
use crate::ty::TensorType;

/// The surroundings of one step.
pub struct Lower<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    step: usize,
    node: &'a Node,
    places: &'a [Option<Ident>],
    weights: RefCell<&'a mut Weights>,
}

impl<'a> Lower<'a> {
    pub(super) fn new(
        graph: &'a Graph,
        plan: &'a Plan,
        step: usize,
        places: &'a [Option<Ident>],
        weights: &'a mut Weights,
    ) -> Self {
        let node = &graph.nodes[plan.steps[step].node];
        Self { graph, plan, step, node, places, weights: RefCell::new(weights) }
    }

    /// The type of input `index`.
    pub fn input_ty(&self, index: usize) -> &TensorType {
        self.graph.ty(self.node.inputs[index])
    }

    /// The type of output `index`.
    pub fn output_ty(&self, index: usize) -> &TensorType {
        self.graph.ty(self.node.outputs[index])
    }

    /// How many inputs the node has.
    pub fn input_count(&self) -> usize {
        self.node.inputs.len()
    }

    /// Whether input `index` is constant data.
    pub fn is_constant(&self, index: usize) -> bool {
        self.graph.constant(self.node.inputs[index]).is_some()
    }

    /// Calls `ask` with the types around the node.
    pub fn types<R>(&self, ask: impl FnOnce(Types) -> R) -> R {
        plan::with_types(self.graph, self.plan.steps[self.step].node, |types, _| ask(types))
    }

    /// Input `index`: a variable, or constant data in the order in which the operator packs it.
    pub fn input(&self, index: usize) -> TokenStream {
        let id = self.node.inputs[index];
        let Some(constant) = self.graph.constant(id) else {
            let variable = self.places[id.index()].as_ref().expect("a value that is read has a place");
            return quote!(#variable);
        };
        let packed = self.types(|types| self.node.op.rules().pack(types, index, constant));
        self.constant(&self.graph.value(id).name, packed.unwrap_or_else(|| constant.clone()))
    }

    /// Constant data that the operator makes.
    pub fn constant(&self, name: &str, tensor: Tensor) -> TokenStream {
        let name = self.weights.borrow_mut().add(name, tensor);
        quote!(&weights::#name)
    }

    /// Output `index`: a variable.
    pub fn output(&self, index: usize) -> TokenStream {
        let variable = self.places[self.node.outputs[index].index()].as_ref().expect("an output has a place");
        quote!(#variable)
    }

    /// The step's scratch; an empty slice where it needs none.
    pub fn scratch(&self) -> TokenStream {
        match self.plan.steps[self.step].scratch {
            Some(_) => {
                let place = names::scratch(self.step);
                quote!(arena.at(memory::#place))
            }
            None => quote!(&[]),
        }
    }

    /// A fused activation of elements of the output's type: the function's name, or a short closure.
    pub fn activation(&self, activation: Option<&Expr>) -> TokenStream {
        activation.map_or_else(|| quote!(|x| x), |expr| expr.closure(&[self.output_ty(0).elem]))
    }

    /// Input 0 copied to output 0.
    pub fn copy(&self) -> TokenStream {
        Strided::all(&self.input_ty(0).shape).lower(&self.input(0), &self.output(0))
    }
}

/// A kernel or another value of `model-kernels` as it is written in Rust: its `Debug` form with the path `rt::` before it.
pub fn literal(kernel: &impl Debug) -> TokenStream {
    format!("rt::{kernel:?}").parse().expect("kernels print as Rust")
}
