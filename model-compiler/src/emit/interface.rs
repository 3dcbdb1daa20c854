//! The public face of the module: types of inputs and outputs, constants about them, and the methods that run the model.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

use crate::Options;
use crate::diagnostic::Diagnostics;
use crate::emit::names::Names;
use crate::graph::{Graph, ValueId};
use crate::ty::{ElemType, TensorType};

/// Inputs and outputs with the names that they have in Rust.
pub(super) struct Interface {
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

/// An input or output.
struct Port {
    /// Its ONNX name.
    name: String,
    /// Its type; unknown only after an error.
    ty: Option<TensorType>,
    /// The alias of its Rust type: `Input`.
    alias: Ident,
    /// Its argument, method, field and submodule: `features`.
    variable: Ident,
}

impl Port {
    fn rust_type(&self) -> TokenStream {
        self.ty.as_ref().map_or_else(|| quote!(rt::Unknown), nested)
    }
}

/// The element type in Rust; `bool` is stored as a byte.
pub fn elem(elem: ElemType) -> TokenStream {
    match elem {
        ElemType::Bool => quote!(u8),
        ElemType::F16 => quote!(rt::half::f16),
        ElemType::BF16 => quote!(rt::half::bf16),
        other => {
            let name = Ident::new(other.name(), Span::call_site());
            quote!(#name)
        }
    }
}

/// Nested arrays in the ONNX shape, leading dimensions of one dropped down to one dimension: f32[1, 1, 49, 10] is `[[f32; 10]; 49]`.
fn nested(ty: &TensorType) -> TokenStream {
    let skipped = ty.shape.iter().take_while(|&&size| size == 1).count().min(ty.shape.len().saturating_sub(1));
    let sizes = if ty.shape.is_empty() { &[1] } else { &ty.shape[skipped..] };
    sizes.iter().rev().fold(elem(ty.elem), |inner, &size| {
        let size = Literal::usize_unsuffixed(size);
        quote!([#inner; #size])
    })
}

impl Interface {
    /// The face of a graph.
    pub(super) fn of_graph(graph: &Graph) -> Self {
        let named = |id: &ValueId| (graph.value(*id).name.clone(), Some(graph.ty(*id).clone()));
        Self::new(graph.inputs.iter().map(named).collect(), graph.outputs.iter().map(named).collect())
    }

    fn new(inputs: Vec<(String, Option<TensorType>)>, outputs: Vec<(String, Option<TensorType>)>) -> Self {
        let mut types = Names::new(&["Input", "Output", "Outputs", "Model"]);
        let mut variables = Names::new(&["memory", "weights", "rt", "self", "new", "run", "run_in_place"]);
        let mut ports = |side: Vec<(String, Option<TensorType>)>, only: &str| {
            let alone = side.len() == 1;
            let port = |(name, ty): (String, Option<TensorType>)| {
                let alias = if alone { Ident::new(only, Span::call_site()) } else { types.ty(&name) };
                Port { alias, variable: variables.variable(&name), name, ty }
            };
            side.into_iter().map(port).collect()
        };
        Self { inputs: ports(inputs, "Input"), outputs: ports(outputs, "Output") }
    }

    fn ports(&self) -> impl Iterator<Item = &Port> {
        self.inputs.iter().chain(&self.outputs)
    }

    /// `pub type Input = [[f32; 10]; 49];`, and the struct of several outputs.
    pub(super) fn types(&self) -> TokenStream {
        let aliases = self.ports().map(|port| {
            let (alias, ty) = (&port.alias, port.rust_type());
            let doc = match &port.ty {
                Some(ty) => format!(" `{}`: {ty}", port.name),
                None => format!(" `{}`: of unknown type", port.name),
            };
            quote! {
                #[doc = #doc]
                pub type #alias = #ty;
            }
        });
        let outputs = (self.outputs.len() != 1).then(|| {
            let fields = self.outputs.iter().map(|port| {
                let (variable, alias, doc) = (&port.variable, &port.alias, format!(" `{}`", port.name));
                quote! {
                    #[doc = #doc]
                    pub #variable: &'a #alias,
                }
            });
            quote! {
                /// The outputs of a run.
                #[derive(Clone, Copy)]
                pub struct Outputs<'a> { #(#fields)* }
            }
        });
        quote! { #(#aliases)* #outputs }
    }

    /// `pub const SIGNATURE`: what the trait tells.
    pub(super) fn signature(&self, name: &str) -> TokenStream {
        let tensors = |ports: &[Port]| {
            let tensors: Vec<TokenStream> = ports.iter().map(tensor).collect();
            quote!(&[#(#tensors),*])
        };
        let (inputs, outputs) = (tensors(&self.inputs), tensors(&self.outputs));
        quote! {
            /// Inputs, outputs and costs of the model.
            pub const SIGNATURE: rt::Signature = rt::Signature {
                name: #name,
                inputs: #inputs,
                outputs: #outputs,
                ram_bytes: RAM_BYTES,
                weight_bytes: WEIGHT_BYTES,
                macs: MACS,
            };
        }
    }

    /// `pub mod features { NAME, SHAPE }`
    pub(super) fn modules(&self) -> TokenStream {
        let modules = self.ports().filter_map(|port| {
            let ty = port.ty.as_ref()?;
            let (variable, name) = (&port.variable, &port.name);
            let sizes = ty.shape.iter().map(|&size| Literal::usize_unsuffixed(size));
            let rank = Literal::usize_unsuffixed(ty.shape.len());
            let doc = format!(" `{name}`: {ty}");
            Some(quote! {
                #[doc = #doc]
                pub mod #variable {
                    /// The name in the model.
                    pub const NAME: &str = #name;
                    /// The sizes in the model.
                    pub const SHAPE: [usize; #rank] = [#(#sizes),*];
                }
            })
        });
        quote! { #(#modules)* }
    }

    /// The method that takes the inputs as arguments.
    pub(super) fn run(&self) -> TokenStream {
        let arguments = self.inputs.iter().map(|port| {
            let (variable, alias) = (&port.variable, &port.alias);
            quote!(#variable: &#alias)
        });
        let copies = self.inputs.iter().map(|port| {
            let (variable, method) = (&port.variable, self.method(port));
            quote! { *self.#method() = *#variable; }
        });
        let reads = list(&self.inputs);
        let doc = format!(" Runs the model: reads {reads}, returns {}.", list(&self.outputs));
        let result = self.result_type();
        quote! {
            #[doc = #doc]
            pub fn run(&mut self, #(#arguments),*) -> #result {
                #(#copies)*
                self.run_in_place()
            }
        }
    }

    /// `input_mut`, or one method an input where there are several.
    pub(super) fn input_mut(&self, places: &[Ident]) -> TokenStream {
        let methods = self.inputs.iter().zip(places).map(|(port, place)| {
            let (method, alias) = (self.method(port), &port.alias);
            let doc = format!(" The place of `{}` in working memory, to be filled before `run_in_place`.", port.name);
            quote! {
                #[doc = #doc]
                pub fn #method(&mut self) -> &mut #alias {
                    self.arena.get_mut(memory::#place)
                }
            }
        });
        quote! { #(#methods)* }
    }

    fn method(&self, port: &Port) -> Ident {
        match self.inputs.len() {
            1 => format_ident!("input_mut"),
            _ => format_ident!("{}_mut", port.variable),
        }
    }

    fn result_type(&self) -> TokenStream {
        if self.outputs.len() == 1 { quote!(&Output) } else { quote!(Outputs<'_>) }
    }

    /// The type that a run returns, and the expression that yields it.
    pub(super) fn result(&self, places: &[Ident]) -> (TokenStream, TokenStream) {
        let yields = match places {
            [place] => quote!(self.arena.get(memory::#place)),
            _ => {
                let fields = self.outputs.iter().zip(places).map(|(port, place)| {
                    let variable = &port.variable;
                    quote!(#variable: self.arena.get(memory::#place))
                });
                quote!(Outputs { #(#fields),* })
            }
        };
        (self.result_type(), yields)
    }

    /// `impl rt::Model for Model`.
    pub(super) fn model_trait(&self, output_places: &[Ident]) -> TokenStream {
        let indices = |count: usize| (0..count).map(Literal::usize_unsuffixed);
        let (inputs, outputs) = (indices(self.inputs.len()), indices(self.outputs.len()));
        let methods = self.inputs.iter().map(|port| self.method(port));
        let aliases = self.outputs.iter().map(|port| &port.alias);
        quote! {
            impl rt::Model for Model {
                fn signature(&self) -> &'static rt::Signature {
                    &SIGNATURE
                }

                fn input_bytes(&mut self, index: usize) -> Option<&mut [u8]> {
                    match index {
                        #(#inputs => Some(rt::bytes_of_mut(self.#methods())),)*
                        _ => None,
                    }
                }

                fn run_in_place(&mut self) {
                    Self::run_in_place(self);
                }

                fn output_bytes(&self, index: usize) -> Option<&[u8]> {
                    match index {
                        #(#outputs => Some(rt::bytes_of::<#aliases>(self.arena.get(memory::#output_places))),)*
                        _ => None,
                    }
                }
            }
        }
    }
}

fn tensor(port: &Port) -> TokenStream {
    let name = &port.name;
    let Some(ty) = &port.ty else {
        return quote!(rt::Tensor { name: #name, elem: rt::Elem::F32, shape: &[] });
    };
    let elem = format_ident!("{}", format!("{:?}", ty.elem));
    let sizes = ty.shape.iter().map(|&size| Literal::usize_unsuffixed(size));
    quote!(rt::Tensor { name: #name, elem: rt::Elem::#elem, shape: &[#(#sizes),*] })
}

fn list(ports: &[Port]) -> String {
    match ports {
        [] => "nothing".to_owned(),
        _ => ports.iter().map(|port| format!("`{}`", port.name)).collect::<Vec<_>>().join(", "),
    }
}

/// The module as far as it is known after errors, so that code which uses it gives no errors of its own.
pub fn partial(diagnostics: &Diagnostics, options: &Options) -> TokenStream {
    let interface = Interface::new(diagnostics.inputs.clone(), diagnostics.outputs.clone());
    let known = !interface.inputs.is_empty() && interface.inputs.iter().all(|port| port.ty.is_some());
    let types = match interface.outputs.as_slice() {
        [] => quote! {
            #[doc = " Unknown, as the model has errors."]
            pub type Input = rt::Unknown;
            #[doc = " Unknown, as the model has errors."]
            pub type Output = rt::Unknown;
        },
        _ => interface.types(),
    };
    let result = if interface.outputs.is_empty() { quote!(&Output) } else { interface.result_type() };
    let signature = interface.signature(&options.name);
    let modules = interface.modules();
    let run = match (known, interface.inputs.len()) {
        (true, _) => {
            let arguments = interface.inputs.iter().map(|port| {
                let (variable, alias) = (&port.variable, &port.alias);
                quote!(#variable: &#alias)
            });
            quote!(pub fn run(&mut self, #(#arguments),*) -> #result)
        }
        (false, 0 | 1) => quote!(pub fn run<T: ?Sized>(&mut self, _: &T) -> #result),
        (false, count) => {
            let generics: Vec<Ident> = (0..count).map(|index| format_ident!("T{index}")).collect();
            quote!(pub fn run<#(#generics: ?Sized),*>(&mut self, #(_: &#generics),*) -> #result)
        }
    };
    let input_mut = interface.inputs.iter().map(|port| {
        let (method, alias) = (interface.method(port), &port.alias);
        quote! {
            #[doc = " The place of an input."]
            pub fn #method(&mut self) -> &mut #alias { unimplemented!() }
        }
    });
    let (visibility, runtime) = (&options.visibility, &options.runtime);
    let module = Ident::new(&options.name, Span::call_site());
    quote! {
        #[doc = " The part of the module that is known in spite of the model's errors."]
        #[allow(unused)]
        #visibility mod #module {
            use #runtime as rt;
            #types
            #[doc = " Unknown."]
            pub const RAM_BYTES: usize = 0;
            #[doc = " Unknown."]
            pub const WEIGHT_BYTES: usize = 0;
            #[doc = " Unknown."]
            pub const MACS: u64 = 0;
            #signature
            #modules
            #[doc = " The model."]
            pub struct Model {}
            impl Model {
                #[doc = " A model that cannot run."]
                pub const fn new() -> Self { Self {} }
                #[doc = " Runs the model."]
                #run { unimplemented!() }
                #(#input_mut)*
                #[doc = " Runs the model."]
                pub fn run_in_place(&mut self) -> #result { unimplemented!() }
            }
            impl rt::Model for Model {
                fn signature(&self) -> &'static rt::Signature { &SIGNATURE }
                fn input_bytes(&mut self, _: usize) -> Option<&mut [u8]> { unimplemented!() }
                fn run_in_place(&mut self) { unimplemented!() }
                fn output_bytes(&self, _: usize) -> Option<&[u8]> { unimplemented!() }
            }
        }
    }
}
