//! The public face of the module: types of inputs and outputs, constants about them, and the methods that run the model.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

use crate::contract::{BUDGETS, Budgets};
use crate::emit::names::Names;
use crate::golden::{Golden, Samples};
use crate::graph::{Graph, Labels, ValueId};
use crate::quantization::Quantization;
use crate::ty::{ElemType, TensorType};

/// Inputs and outputs with the names that they have in Rust.
pub(super) struct Interface {
    pub(super) inputs: Vec<Port>,
    pub(super) outputs: Vec<Port>,
}

/// An input or output.
pub(super) struct Port {
    /// Its ONNX name.
    name: String,
    /// Its type; unknown only after an error.
    pub(super) ty: Option<TensorType>,
    /// What its integers stand for, where it is quantized.
    pub(super) quantization: Option<Quantization>,
    /// What its columns are called, where the model says it.
    labels: Option<Labels>,
    /// The alias of its Rust type: `Input`.
    pub(super) alias: Ident,
    /// Its argument, method, field and submodule: `features`.
    pub(super) variable: Ident,
}

impl Port {
    fn rust_type(&self) -> TokenStream {
        self.ty.as_ref().map_or_else(|| quote!(Unknown), nested)
    }

    /// "`features`: f32[1, 8]"
    fn doc(&self) -> String {
        match &self.ty {
            Some(ty) => format!(" `{}`: {ty}", self.name),
            None => format!(" `{}`: of unknown type", self.name),
        }
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
        let named = |id: ValueId| (graph.value(id).name.clone(), Some(graph.ty(id).clone()));
        let inputs = graph.given().map(|place| named(graph.inputs[place])).collect();
        let outputs = graph.yielded().map(|place| named(graph.outputs[place])).collect();
        let mut interface = Self::new(inputs, outputs);
        let quantizations = graph.input_quantizations.iter().chain(&graph.output_quantizations);
        let ports = interface.inputs.iter_mut().chain(&mut interface.outputs);
        ports.zip(quantizations).for_each(|(port, quantization)| port.quantization = *quantization);
        for port in &mut interface.outputs {
            let labels = graph.labels.iter().find(|(name, _)| *name == port.name);
            port.labels = labels.map(|(_, labels)| labels.clone());
        }
        interface
    }

    pub(super) fn new(inputs: Vec<(String, Option<TensorType>)>, outputs: Vec<(String, Option<TensorType>)>) -> Self {
        // What the module calls its own; `Option` it has from the prelude.
        let mut types = Names::new(&["Input", "Output", "Outputs", "Model", "Option", "Unknown"]);
        let names = ["kernels", "memory", "verify", "weights", "rt", "self", "new", "run", "run_in_place", "reset"];
        let mut variables = Names::new(&names);
        let mut ports = |side: Vec<(String, Option<TensorType>)>, only: &str| {
            let alone = side.len() == 1;
            let port = |(name, ty): (String, Option<TensorType>)| {
                let alias = if alone { Ident::new(only, Span::call_site()) } else { types.ty(&name) };
                Port { alias, variable: variables.variable(&name), name, ty, quantization: None, labels: None }
            };
            side.into_iter().map(port).collect()
        };
        Self { inputs: ports(inputs, "Input"), outputs: ports(outputs, "Output") }
    }

    pub(super) fn ports(&self) -> impl Iterator<Item = &Port> {
        self.inputs.iter().chain(&self.outputs)
    }

    /// `pub type Input = [[f32; 10]; 49];`, and the struct of several outputs.
    pub(super) fn types(&self) -> TokenStream {
        let aliases = self.ports().map(|port| {
            let (alias, ty, doc) = (&port.alias, port.rust_type(), port.doc());
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
    pub(super) fn signature(&self, module: &Ident) -> TokenStream {
        let name = module.to_string();
        let name = name.trim_start_matches("r#");
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

    /// `pub mod features { NAME, SHAPE }`, and what `quantization` adds of a quantized tensor: `SCALE`, `ZERO_POINT`, `quantize`,
    /// `dequantize`.
    pub(super) fn modules(&self, quantization: impl Fn(&Port) -> Option<TokenStream>) -> TokenStream {
        let modules = self.ports().map(|port| {
            let (variable, name, doc) = (&port.variable, &port.name, port.doc());
            let shape = port.ty.as_ref().map_or(&[][..], |ty| &ty.shape);
            let rank = Literal::usize_unsuffixed(shape.len());
            let sizes = shape.iter().map(|&size| Literal::usize_unsuffixed(size));
            let (quantization, labels) = (quantization(port), port.labels.as_ref().map(labels));
            quote! {
                #[doc = #doc]
                pub mod #variable {
                    /// The name in the model.
                    pub const NAME: &str = #name;
                    /// The sizes in the model.
                    pub const SHAPE: [usize; #rank] = [#(#sizes),*];
                    #quantization
                    #labels
                }
            }
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
        // Clippy bears seven arguments, of which one is the model.
        let many = (self.inputs.len() > 6).then(|| quote!(#[allow(clippy::too_many_arguments)]));
        quote! {
            #[doc = #doc]
            #many
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

    /// `input_mut`, or `features_mut` where there are several inputs.
    pub(super) fn method(&self, port: &Port) -> Ident {
        match self.inputs.len() {
            1 => format_ident!("input_mut"),
            _ => format_ident!("{}_mut", port.variable),
        }
    }

    /// What a run returns.
    pub(super) fn result_type(&self) -> TokenStream {
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
    pub(super) fn model_trait(&self, output_places: &[Ident], reset: &TokenStream) -> TokenStream {
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

                #reset

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

/// `pub const BUDGETS: rt::Budgets = rt::Budgets { ram: Some(12288), ..rt::Budgets::NONE };`
pub(super) fn budgets(mut budgets: Budgets) -> TokenStream {
    let limits = BUDGETS.iter().zip(budgets.limits()).filter_map(|(name, limit)| {
        let (name, limit) = (Ident::new(name, Span::call_site()), Literal::u64_unsuffixed((*limit)?));
        Some(quote!(#name: Some(#limit)))
    });
    let limits: Vec<TokenStream> = limits.collect();
    let value = match limits.len() {
        0 => quote!(rt::Budgets::NONE),
        all if all == BUDGETS.len() => quote!(rt::Budgets { #(#limits),* }),
        _ => quote!(rt::Budgets { #(#limits,)* ..rt::Budgets::NONE }),
    };
    quote! {
        /// What the model may cost, as the arguments of `include_model!` say.
        pub const BUDGETS: rt::Budgets = #value;
    }
}

/// The test that holds the model to golden vectors.
pub(super) fn golden(golden: &Golden) -> TokenStream {
    let Golden { inputs, outputs, samples, tolerance, .. } = golden;
    let samples = Literal::usize_unsuffixed(*samples);
    let bytes =
        |tensors: &[Samples]| -> Vec<Literal> { tensors.iter().map(|samples| Literal::byte_string(&samples.bytes)).collect() };
    let (inputs, outputs, count) = (bytes(inputs), bytes(outputs), Literal::usize_unsuffixed(outputs.len()));
    let tolerance = match tolerance.map(Literal::f64_unsuffixed) {
        Some(tolerance) => quote!(Some(#tolerance)),
        None => quote!(None),
    };
    quote! {
        #[cfg(test)]
        mod verify {
            extern crate std;

            use super::{Model, rt};

            /// Holds the model to its golden vectors.
            #[test]
            fn golden_vectors() {
                static MODEL: std::sync::Mutex<Model> = std::sync::Mutex::new(Model::new());
                let golden = rt::Golden::<#count> {
                    samples: #samples,
                    inputs: &[#(#inputs),*],
                    outputs: [#(#outputs),*],
                    tolerance: #tolerance,
                };
                let reports = golden.check(&mut *MODEL.lock().expect("no other test has it"));
                reports.iter().for_each(|report| std::println!("{report}"));
                assert!(reports.iter().all(rt::Report::holds), "the model is not what its golden vectors say");
            }
        }
    }
}

/// What tells, for the integers of a tensor, the numbers that they stand for.
pub(super) fn quantization(Quantization { elem, scale, zero }: Quantization) -> TokenStream {
    let ty = self::elem(elem);
    let (scale, zero) = (Literal::f32_unsuffixed(scale), Literal::i32_unsuffixed(zero));
    quote! {
        /// The distance between the numbers that neighbouring integers stand for.
        pub const SCALE: f32 = #scale;
        /// The integer that stands for 0.
        pub const ZERO_POINT: #ty = #zero;

        /// The integer that stands for the number nearest to `number`, of those that there are.
        pub fn quantize(number: f32) -> #ty {
            super::rt::quantize(number, SCALE, ZERO_POINT)
        }

        /// The number that `integer` stands for: (`integer` − [`ZERO_POINT`]) · [`SCALE`].
        pub fn dequantize(integer: #ty) -> f32 {
            super::rt::dequantize(integer, SCALE, ZERO_POINT)
        }
    }
}

/// The constant that tells what the columns of a tensor are called.
fn labels(labels: &Labels) -> TokenStream {
    let count = Literal::usize_unsuffixed(labels.count());
    let (ty, list) = match labels {
        Labels::Numbers(numbers) => {
            let numbers = numbers.iter().copied().map(Literal::i64_unsuffixed);
            (quote!(i64), quote!(#(#numbers),*))
        }
        Labels::Words(words) => (quote!(&str), quote!(#(#words),*)),
    };
    quote! {
        /// The classes whose probabilities the columns are.
        pub const LABELS: [#ty; #count] = [#list];
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_module_uses_keeps_its_name() {
        let port = |name: &str| (name.to_owned(), None);
        let Interface { inputs, outputs } = Interface::new(vec![port("Option"), port("kernels")], vec![port("y")]);
        assert_eq!(inputs[0].alias, "Option_2");
        assert_eq!(inputs[1].variable, "kernels_2");
        assert_eq!(outputs[0].alias, "Output");
    }
}
