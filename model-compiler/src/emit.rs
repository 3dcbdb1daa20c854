//! `Graph` and `Plan` → the module that the user reads with `cargo expand`.

mod body;
mod calls;
pub(crate) mod docs;
mod interface;
mod lower;
pub mod names;
mod partial;
mod state;
mod weights;

pub use body::Body;
pub use interface::elem;
pub use lower::{Lower, Operand, literal};
pub use partial::partial;

use std::cell::RefCell;
use std::collections::HashSet;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use crate::Options;
use crate::contract::Constant;
use crate::emit::calls::Calls;
use crate::emit::interface::Interface;
use crate::emit::names::Names;
use crate::emit::state::StateItems;
use crate::emit::weights::Weights;
use crate::golden::Golden;
use crate::graph::{Graph, ValueId};
use crate::onnx::Source;
use crate::plan::{self, Margin, Owner, Plan, Step};
use crate::ty::TensorType;

/// The module as it was written.
pub struct Module {
    /// The text.
    pub tokens: TokenStream,
    /// Its constant data, but for what takes the place of another constant on some targets.
    pub weights: Vec<Constant>,
}

/// Writes the module, with a test for the golden vectors if there are any.
pub fn rust(graph: &Graph, plan: &Plan, options: &Options, source: &Source, golden: Option<&Golden>) -> Module {
    let weights = RefCell::new(Weights::new(&common_path(graph)));
    let emit = Emit::new(graph, plan, &weights, &[], quote!(self::memory));
    let (steps, kernels) = emit.steps();
    let state = emit.state();
    let interface = Interface::of_graph(graph);
    let summary = docs::summary(graph, plan, source, emit.weights.borrow().bytes());
    let Options { name: module, visibility, runtime, .. } = options;
    let types = interface.types();
    let constants = constants(graph, plan, &emit);
    let budgets = interface::budgets(options.budgets);
    let origin = origin(source);
    let test = golden.map(interface::golden);
    let signature = interface.signature(module);
    let tensors = interface.modules(|port| port.quantization.map(interface::quantization));
    let model = model(&emit, &interface, steps, &state);
    let memory = emit.memory(&state);
    let constant_data = emit.weights.borrow().module();
    let tokens = quote! {
        #(#[doc = #summary])*
        #visibility mod #module {
            use #runtime as rt;

            #types
            #constants
            #budgets
            #origin
            #signature
            #tensors
            #model
            #kernels
            #memory
            #constant_data
            #test
        }
    };
    Module { tokens, weights: weights.into_inner().counted() }
}

/// What the parts of the module share.
struct Emit<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    weights: &'a RefCell<Weights>,
    /// The constant in `memory` and the variable in `run_in_place` of each value that has a place.
    places: Vec<Option<Ident>>,
    /// The path of the module that holds the plan.
    memory: TokenStream,
}

/// The beginning of names that says nothing.
fn common_path(graph: &Graph) -> String {
    names::common_path(graph.values().iter().map(|value| value.name.as_str()))
}

impl<'a> Emit<'a> {
    /// What writes `graph`, inside of another whose variables are `around`.
    fn new(
        graph: &'a Graph,
        plan: &'a Plan,
        weights: &'a RefCell<Weights>,
        around: &[Option<Ident>],
        memory: TokenStream,
    ) -> Self {
        let taken = ["arena", "kernels", "memory", "weights", "rt", "self", "started", "trip"];
        let mut names = Names::new(&taken).without(&common_path(graph));
        names.reserve(around.iter().flatten().map(ToString::to_string));
        let scratch = plan.steps.iter().enumerate().flat_map(|(step, of)| (0..of.scratch.len()).map(move |part| (step, part)));
        names.reserve(scratch.map(|(step, part)| names::scratch(step, part).to_string().to_lowercase()));
        let mut places = vec![None; graph.values().len()];
        let computed = plan.steps.iter().flat_map(|step| &graph.nodes[step.node].outputs);
        let viewed = graph.nodes.iter().flat_map(|node| &node.outputs);
        for &id in graph.inputs.iter().chain(computed).chain(viewed) {
            if plan.offset(id).is_none() || places[id.index()].is_some() {
                continue;
            }
            // A value that is another seen in a different shape goes by the other's name.
            let same = plan.same_place(graph, id).find_map(|other| places[other.index()].clone());
            places[id.index()] = Some(same.unwrap_or_else(|| names.variable(&graph.value(id).name)));
        }
        Self { graph, plan, weights, places, memory }
    }

    /// The variable that holds a value's place.
    fn variable(&self, id: ValueId) -> &Ident {
        self.places[id.index()].as_ref().expect("a value that is read has a place")
    }

    /// The statements of a run, one step after another, and the kernels that several of them share.
    fn steps(&self) -> (Vec<TokenStream>, Option<TokenStream>) {
        let (bodies, kernels) = self.bodies();
        (self.statements(bodies), kernels)
    }

    /// The statements of a run, given what each step does.
    fn statements(&self, bodies: Vec<TokenStream>) -> Vec<TokenStream> {
        let operands = self.plan.steps.iter().flat_map(|step| {
            let node = &self.graph.nodes[step.node];
            node.inputs.iter().chain(&node.outputs).filter_map(|id| self.places[id.index()].as_ref())
        });
        let used: HashSet<&Ident> = operands.collect();
        let inputs = self.graph.inputs.iter().filter(|&&id| used.contains(self.variable(id)));
        let mut statements: Vec<TokenStream> = inputs.clone().map(|&id| self.bind(id)).collect();
        let mut bound: Vec<Ident> = inputs.map(|&id| self.variable(id).clone()).collect();
        for (step, body) in self.plan.steps.iter().zip(bodies) {
            let node = &self.graph.nodes[step.node];
            let mut bindings = Vec::new();
            for &id in node.inputs.iter().chain(&node.outputs).filter(|id| self.places[id.index()].is_some()) {
                if !bound.contains(self.variable(id)) {
                    bindings.push(self.bind(id));
                    bound.push(self.variable(id).clone());
                }
            }
            let doc = docs::step(self.graph, node);
            // The comment stands before the first statement of the step.
            statements.push(quote! { #[doc = #doc] #(#bindings)* #body });
        }
        statements
    }

    /// What each step does, and the module of the kernels that several calls share.
    ///
    /// Steps are lowered twice: which calls have an instance in common is known only after the first time.
    fn bodies(&self) -> (Vec<TokenStream>, Option<TokenStream>) {
        let mut calls = Calls::default();
        self.lower(&calls);
        let kernels = calls.share();
        (self.lower(&calls), kernels)
    }

    fn lower(&self, calls: &Calls) -> Vec<TokenStream> {
        let lower = |(index, step): (usize, &Step)| step.op.rules().lower(&Lower::new(self, index, calls));
        self.plan.steps.iter().enumerate().map(lower).collect()
    }

    /// `let conv = arena.at(memory::CONV);`
    fn bind(&self, id: ValueId) -> TokenStream {
        let variable = self.variable(id);
        let place = names::constant(variable);
        quote! { let #variable = arena.at(memory::#place); }
    }

    /// The private module that holds the plan, and its proof.
    fn memory(&self, state: &StateItems) -> TokenStream {
        let items = self.plan_items(state);
        quote! {
            /// The memory plan: the place of every value in the arena.
            mod memory {
                use super::rt;

                #items
            }
        }
    }

    /// The places, their proof, and the same of graphs inside of steps.
    fn plan_items(&self, state: &StateItems) -> TokenStream {
        let mut named = HashSet::new();
        let values = self.graph.inputs.iter().chain(self.graph.nodes.iter().flat_map(|node| &node.outputs)).filter_map(|&id| {
            let variable = self.places[id.index()].as_ref()?;
            let name = names::constant(variable);
            named.insert(variable).then(|| place(&name, self.graph.ty(id), self.plan.offset(id).expect("it has a name")))
        });
        let scratch = self.plan.buffers.iter().filter_map(|buffer| {
            let Owner::Scratch { step, part } = buffer.owner else { return None };
            let ty = &plan::scratch(self.graph, self.plan.steps[step].node)[part];
            Some(place(&names::scratch(step, part), ty, buffer.offset))
        });
        let places: Vec<TokenStream> = values.chain(scratch).chain([state.place.clone()]).collect();
        let spans = self.plan.buffers.iter().map(|buffer| self.span(buffer));
        let inside = (0..self.plan.steps.len()).flat_map(|step| self.inside(step).into_iter().map(move |inside| (step, inside)));
        let inside = inside.map(|(step, (module, emit))| {
            let items = emit.plan_items(&StateItems::default());
            let doc = format!(" The memory of the graph inside of step {step}, which lies in the step's scratch.");
            quote! {
                #[doc = #doc]
                pub mod #module {
                    use super::rt;

                    #items
                }
            }
        });
        quote! {
            #(#places)*

            // Two values that are alive at one step share no byte, but where a kernel may write over what it has read.
            const _: () = rt::check_plan(&[#(#spans),*]);

            #(#inside)*
        }
    }

    /// `CONV.alive(1, 2).forward_over(FEATURES.alive(0, 1), 1536)`
    fn span(&self, buffer: &crate::plan::Placed) -> TokenStream {
        let alive = self.alive(buffer);
        let over = buffer.over.iter().map(|over| {
            let input = self.alive(&self.plan.buffers[over.input]);
            let (leave, distance) = match over.margin {
                Margin::Before(distance) => (quote!(forward_over), distance),
                Margin::After(distance) => (quote!(backward_over), distance),
                Margin::Exactly(distance) => (quote!(exactly_over), distance),
            };
            let sign = (distance < 0).then(|| quote!(-));
            let distance = Literal::isize_unsuffixed(distance.abs());
            quote!(.#leave(#input, #sign #distance))
        });
        quote!(#alive #(#over)*)
    }

    fn alive(&self, buffer: &crate::plan::Placed) -> TokenStream {
        let (first, last) = (Literal::usize_unsuffixed(buffer.first), Literal::usize_unsuffixed(buffer.last));
        let name = match buffer.owner {
            Owner::Value(id) => names::constant(self.variable(id)),
            Owner::Scratch { step, part } => names::scratch(step, part),
        };
        quote!(#name.alive(#first, #last))
    }
}

/// `pub const CONV: rt::Place<f32, 0, 8000> = rt::Place::new();`
fn place(name: &Ident, ty: &TensorType, offset: usize) -> TokenStream {
    let elem = interface::elem(ty.elem);
    let (offset, len) = (Literal::usize_unsuffixed(offset), Literal::usize_unsuffixed(ty.elements()));
    quote! { pub const #name: rt::Place<#elem, #offset, #len> = rt::Place::new(); }
}

fn constants(graph: &Graph, plan: &Plan, emit: &Emit) -> TokenStream {
    let ram = Literal::usize_unsuffixed(plan.arena_bytes);
    let weights = Literal::usize_unsuffixed(emit.weights.borrow().bytes());
    let macs = Literal::u64_unsuffixed(docs::macs(graph, plan));
    quote! {
        /// Bytes of working memory: the arena with inputs and outputs, and state.
        pub const RAM_BYTES: usize = #ram;
        /// Bytes of constant data, without code.
        pub const WEIGHT_BYTES: usize = #weights;
        /// Multiply-accumulates a run.
        pub const MACS: u64 = #macs;
    }
}

/// What made the module, but for the files beside the model and the arguments.
fn origin(source: &Source) -> TokenStream {
    let digest: String = hmac_sha256::Hash::hash(&source.bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let version = env!("CARGO_PKG_VERSION");
    quote! {
        /// The SHA-256 of the model's file, as `sha256sum` prints it.
        pub const MODEL_SHA256: &str = #digest;
        /// The version of the compiler that wrote this module.
        pub const COMPILER_VERSION: &str = #version;
    }
}

/// The struct with its methods, and the trait.
fn model(emit: &Emit, interface: &Interface, steps: Vec<TokenStream>, state: &StateItems) -> TokenStream {
    let place = |id: ValueId| names::constant(emit.variable(id));
    let input_places: Vec<Ident> = emit.graph.given().map(|index| place(emit.graph.inputs[index])).collect();
    let output_places: Vec<Ident> = emit.graph.yielded().map(|index| place(emit.graph.outputs[index])).collect();
    let (reset, start) = (&state.reset, &state.start);
    let run = interface.run();
    let input_mut = interface.input_mut(&input_places);
    let (result, yields) = interface.result(&output_places);
    let by_bytes = interface.model_trait(&output_places, &state.reset_of_trait);
    let arena = (!steps.is_empty()).then(|| quote!(let arena = self.arena.places();));
    quote! {
        /// The model and its working memory, all zero at first. Keep it in a `static`.
        pub struct Model {
            arena: rt::Arena<RAM_BYTES>,
        }

        impl Model {
            /// A model that has not run yet.
            #[allow(clippy::new_without_default)]
            pub const fn new() -> Self {
                Self { arena: rt::Arena::new() }
            }

            #run
            #input_mut
            #reset

            /// Runs the model on what its inputs' places hold; the run reuses them, so fill all of them before the next.
            pub fn run_in_place(&mut self) -> #result {
                #start
                #arena
                #(#steps)*
                #yields
            }
        }

        #by_bytes
    }
}
