//! Calls of kernels: those that have everything in common but their operands share one instance.

use std::cell::RefCell;
use std::collections::HashMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::emit::lower::Operand;
use crate::emit::names::Names;

/// The calls of a model's steps.
#[derive(Debug, Default)]
pub(super) struct Calls {
    /// Every call, in the order in which it was written.
    seen: RefCell<Vec<Call>>,
    /// The functions of those that are shared, by what tells the instance.
    functions: HashMap<String, Function>,
}

/// A function that calls share.
#[derive(Debug)]
struct Function {
    name: Ident,
    /// Of each operand, whether it is a number that all calls have in common: then the function knows it.
    known: Vec<bool>,
}

/// A call of a kernel: all that tells its instance, and what differs from call to call.
#[derive(Clone, Debug)]
pub(super) struct Call {
    /// The kernel with its shape.
    pub(super) kernel: TokenStream,
    /// The kernel's name.
    pub(super) name: String,
    /// What the kernel does.
    pub(super) method: &'static str,
    /// What is applied to each result, if anything.
    pub(super) activation: Option<TokenStream>,
    /// The operands.
    pub(super) operands: Vec<Operand>,
    /// Whether the kernel's shape depends on `band`.
    pub(super) clipped: bool,
}

impl Calls {
    /// Writes a call: of the function that it shares, or of the kernel where it stands.
    pub(super) fn add(&self, call: Call) -> TokenStream {
        let statement = match self.functions.get(&call.instance()) {
            Some(function) => call.shared(function),
            None => call.in_place(),
        };
        self.seen.borrow_mut().push(call);
        statement
    }

    /// From now on calls of one instance, of which there was more than one so far, are calls of a function; gives the module of these.
    pub(super) fn share(&mut self) -> Option<TokenStream> {
        let mut names = Names::new(&[]);
        let mut definitions = Vec::new();
        let seen = self.seen.take();
        let instances: Vec<String> = seen.iter().map(Call::instance).collect();
        for (call, instance) in seen.iter().zip(&instances) {
            let alike = || seen.iter().zip(&instances).filter(|(_, other)| *other == instance).map(|(call, _)| call);
            if alike().count() > 1 && !self.functions.contains_key(instance) {
                let known = |index: usize| call.operands[index].is_number() && alike().all(|other| other.has(call, index));
                let known = (0..call.operands.len()).map(known).collect();
                let function = Function { name: names.variable(&call.name), known };
                definitions.push(call.function(&function));
                self.functions.insert(instance.clone(), function);
            }
        }
        (!definitions.is_empty()).then(|| {
            quote! {
                /// Kernels that several steps share.
                mod kernels {
                    use super::rt;

                    #(#definitions)*
                }
            }
        })
    }
}

impl Call {
    /// The call where it stands: `rt::Dense { … }.run(x, …);`
    fn in_place(&self) -> TokenStream {
        let Self { kernel, activation, operands, .. } = self;
        let method = format_ident!("{}", self.method);
        let values = operands.iter().map(|operand| &operand.value).chain(activation);
        quote! { #kernel.#method(#(#values),*); }
    }

    /// What two calls of one instance have in common.
    fn instance(&self) -> String {
        let types: Vec<String> = self.operands.iter().map(|operand| operand.ty.to_string()).collect();
        let activation = self.activation.as_ref().map(ToString::to_string);
        format!("{} {} {types:?} {activation:?}", self.kernel, self.method)
    }

    /// Whether operand `index` is the same as that of another call.
    fn has(&self, other: &Call, index: usize) -> bool {
        self.operands[index].value.to_string() == other.operands[index].value.to_string()
    }

    /// The definition of `function`, which is the instance.
    fn function(&self, Function { name, known }: &Function) -> TokenStream {
        let Self { kernel, activation, operands, .. } = self;
        let method = format_ident!("{}", self.method);
        let parameters = operands.iter().zip(known).filter(|(_, known)| !**known).map(|(operand, _)| {
            let (name, ty) = (format_ident!("{}", operand.name), &operand.ty);
            quote!(#name: #ty)
        });
        let values = operands.iter().zip(known).map(|(operand, known)| {
            let name = format_ident!("{}", operand.name);
            if *known { operand.value.clone() } else { quote!(#name) }
        });
        let values = values.chain(activation.clone());
        let band = self.clipped.then(|| quote!(band: rt::Band,));
        quote! {
            #[inline(never)]
            pub fn #name(#band #(#parameters),*) {
                #kernel.#method(#(#values),*);
            }
        }
    }

    /// The call of that function.
    fn shared(&self, Function { name, known }: &Function) -> TokenStream {
        let values = self.operands.iter().zip(known).filter(|(_, known)| !**known).map(|(operand, _)| &operand.value);
        let band = self.clipped.then(|| quote!(band,));
        quote! { kernels::#name(#band #(#values),*); }
    }
}
