//! A graph inside of a step: its steps run over a place of the step's scratch, which is an arena of its own.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::emit::{Emit, names};
use crate::graph::ValueId;
use crate::op::Inside;

/// The graph inside of a step, as the step's operator writes it.
pub struct Body<'a> {
    pub(super) emit: Emit<'a>,
    /// The module with its memory.
    pub(super) module: Ident,
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
        let (around, module, scratch) = (self.around, &self.module, names::scratch(self.step, 0));
        quote! {
            {
                use #around::#module as memory;
                let arena = arena.within(#around::#scratch);
                #statements
            }
        }
    }
}

impl<'a> Emit<'a> {
    /// What writes the graphs inside of a step, which read names of what is around them, and the module with the memory of each.
    pub(super) fn inside(&self, step: usize) -> Vec<(Ident, Emit<'_>)> {
        let around = &self.memory;
        let write = |Inside { name, graph, plan }: Inside<'a>| {
            let module = format_ident!("{name}_{step}");
            let memory = quote!(#around::#module);
            (module, Emit::new(graph, plan, self.weights, &self.places, memory))
        };
        self.plan.steps[step].op.rules().inside().into_iter().map(write).collect()
    }
}
