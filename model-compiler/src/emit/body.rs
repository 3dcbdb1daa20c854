//! A graph inside of a step: its steps run over a place of the step's scratch, which is an arena of its own.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::emit::{Emit, names};
use crate::graph::ValueId;

/// The graph inside of a step, as the step's operator writes it.
pub struct Body<'a> {
    pub(super) emit: Emit<'a>,
    /// The step.
    pub(super) step: usize,
    /// The path of the memory around it.
    pub(super) around: &'a TokenStream,
    /// The statements of one run.
    pub statements: Vec<TokenStream>,
}

impl Body<'_> {
    /// The place of a value of the graph.
    pub fn place(&self, id: ValueId) -> TokenStream {
        let name = names::constant(self.emit.variable(id));
        quote!(arena.at(memory::#name))
    }

    /// The block in which `statements` see the graph's memory.
    pub fn block(&self, statements: &TokenStream) -> TokenStream {
        let (around, module, scratch) = (self.around, module(self.step), names::scratch(self.step, 0));
        quote! {
            {
                use #around::#module as memory;
                let arena = arena.within(#around::#scratch);
                #statements
            }
        }
    }
}

/// The module with the memory of the graph inside of a step.
pub(super) fn module(step: usize) -> Ident {
    format_ident!("body_{step}")
}

impl<'a> Emit<'a> {
    /// What writes the graph inside of a step, which reads names of what is around it.
    pub(super) fn inside(&self, step: usize) -> Option<Emit<'_>> {
        let (graph, plan) = self.plan.steps[step].op.rules().body()?;
        let around = &self.memory;
        let module = module(step);
        Some(Emit::new(graph, plan, self.weights, &self.places, quote!(#around::#module)))
    }
}
