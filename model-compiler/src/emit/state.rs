//! State in the module: what restores it, and what sees to it that the first run finds it.

use proc_macro2::TokenStream;
use quote::quote;

use crate::emit::{Emit, names};
use crate::graph::State;
use crate::ops::copy::Strided;
use crate::scalar::Scalar;

/// What the module has of state; nothing where the model has none.
#[derive(Default)]
pub(super) struct StateItems {
    /// The method of the model.
    pub(super) reset: TokenStream,
    /// That of the trait.
    pub(super) reset_of_trait: TokenStream,
    /// What a run does first.
    pub(super) start: TokenStream,
    /// The place of the byte that tells whether the first state is there.
    pub(super) place: TokenStream,
}

impl Emit<'_> {
    /// What the module has of state.
    pub(super) fn state(&self) -> StateItems {
        if self.graph.states.is_empty() {
            return StateItems::default();
        }
        let restored = self.graph.states.iter().map(|state| self.restored(state));
        let started = self.plan.started.map(|_| quote! { rt::fill(arena.at(memory::STARTED), 1); });
        let start = self.plan.started.map(|_| {
            quote! {
                let started: &[u8; 1] = self.arena.get(memory::STARTED);
                if *started == [0] {
                    self.reset();
                }
            }
        });
        let place = self.plan.started.map(|offset| {
            let offset = proc_macro2::Literal::usize_unsuffixed(offset);
            quote! {
                /// Whether the first state is in its place.
                pub const STARTED: rt::Place<u8, #offset, 1> = rt::Place::new();
            }
        });
        StateItems {
            reset: quote! {
                /// Restores the first state, so that the next run is as the first.
                pub fn reset(&mut self) {
                    let arena = self.arena.places();
                    #(#restored)*
                    #started
                }
            },
            reset_of_trait: quote! {
                fn reset(&mut self) {
                    Self::reset(self);
                }
            },
            start: start.unwrap_or_default(),
            place: place.unwrap_or_default(),
        }
    }

    /// The statement that puts the first state into its place.
    fn restored(&self, state: &State) -> TokenStream {
        let id = self.graph.inputs[state.input];
        let name = names::constant(self.variable(id));
        let place = quote!(arena.at(memory::#name));
        let elements = state.initial.as_ref().map_or_else(|| vec![Scalar::zero(self.graph.ty(id).elem)], Scalar::all);
        let Some(initial) = state.initial.as_ref().filter(|_| elements.iter().any(|element| *element != elements[0])) else {
            let element = elements[0].literal();
            return quote! { rt::fill(#place, #element); };
        };
        let name = self.weights.borrow_mut().add(&format!("{}_initial", self.graph.value(id).name), initial.clone());
        Strided::all(&initial.ty().shape).lower(&quote!(&weights::#name), &place)
    }
}
