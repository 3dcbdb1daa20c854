//! The module as far as it is known after errors, so that code which uses it gives no errors of its own.

use proc_macro2::TokenStream;
use quote::quote;

use crate::diagnostic::Diagnostics;
use crate::emit::interface::{self, Interface, Port};
use crate::ops::integer;
use crate::ty::{ElemType, TensorType};
use crate::{Io, Options};

/// The public items of the module with the types that are known, and `errors`, each an invocation of `compile_error!`.
///
/// What is not known is `Unknown`, an alias in whose type the first of the errors stands. So rustc has no type for it, takes whatever the
/// user does with it, and tells nothing but the error.
pub fn partial(diagnostics: &Diagnostics, options: &Options, errors: &[TokenStream]) -> TokenStream {
    let known = |side: &[(String, Option<TensorType>)]| -> Vec<_> {
        // What floats become is known with the whole model only.
        let stays = |ty: &TensorType| options.io != Some(Io::Quantized) || ty.elem != ElemType::F32;
        side.iter().map(|(name, ty)| (name.clone(), ty.clone().filter(stays))).collect()
    };
    let interface = Interface::new(known(&diagnostics.inputs), known(&diagnostics.outputs));
    let nothing_known = interface.outputs.is_empty();
    let Options { name: module, visibility, runtime, .. } = options;
    let (types, modules, signature) = (interface.types(), interface.modules(quantization), interface.signature(module));
    let items = match nothing_known {
        true => quote! {
            /// Unknown.
            pub type Input = Unknown;
            /// Unknown.
            pub type Output = Unknown;
            /// Unknown.
            pub type Model = Unknown;
        },
        false => {
            let reset = (!options.state.is_empty()).then(|| {
                quote! {
                    /// Restores the first state.
                    pub fn reset(&mut self) { unimplemented!() }
                }
            });
            let model = model(&interface, reset);
            quote! { #types #modules #model }
        }
    };
    let budgets = interface::budgets(options.budgets);
    let in_place = nothing_known || interface.ports().any(|port| port.ty.is_none());
    let (first, rest) = errors.split_at(usize::from(in_place).min(errors.len()));
    let unknown = first.iter().map(|error| quote! { type Unknown = <[(); #error] as ::core::iter::IntoIterator>::Item; });
    quote! {
        /// What is known of the model in spite of its errors.
        #visibility mod #module {
            use #runtime as rt;

            #(#unknown)*
            #items
            /// Unknown.
            pub const RAM_BYTES: usize = 0;
            /// Unknown.
            pub const WEIGHT_BYTES: usize = 0;
            /// Unknown.
            pub const MACS: u64 = 0;
            #budgets
            /// Unknown.
            pub const MODEL_SHA256: &str = "";
            /// Unknown.
            pub const COMPILER_VERSION: &str = "";
            #signature
        }
        #(#rest)*
    }
}

/// The items of a tensor that may be quantized.
fn quantization(port: &Port) -> Option<TokenStream> {
    let ty = match &port.ty {
        None => quote!(super::Unknown),
        Some(ty) => integer::ELEMENTS.contains(&ty.elem).then(|| interface::elem(ty.elem))?,
    };
    Some(quote! {
        /// Unknown.
        pub const SCALE: f32 = 0.0;
        /// Unknown.
        pub const ZERO_POINT: #ty = 0;
        /// Unknown.
        pub fn quantize(_: f32) -> #ty { unimplemented!() }
        /// Unknown.
        pub fn dequantize(_: #ty) -> f32 { unimplemented!() }
    })
}

/// `Model` with the methods that it will have.
fn model(interface: &Interface, reset: Option<TokenStream>) -> TokenStream {
    let result = interface.result_type();
    let arguments = interface.inputs.iter().map(|port| {
        let (variable, alias) = (&port.variable, &port.alias);
        quote!(#variable: &#alias)
    });
    let input_mut = interface.inputs.iter().map(|port| {
        let (method, alias) = (interface.method(port), &port.alias);
        quote! {
            /// The place of an input.
            pub fn #method(&mut self) -> &mut #alias { unimplemented!() }
        }
    });
    quote! {
        /// A model that cannot run.
        pub struct Model {}

        impl Model {
            /// A model that cannot run.
            #[allow(clippy::new_without_default)]
            pub const fn new() -> Self { Self {} }
            /// Stands for a run.
            pub fn run(&mut self, #(#arguments),*) -> #result { unimplemented!() }
            #(#input_mut)*
            #reset
            /// Stands for a run.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn emitted(inputs: &[(&str, Option<TensorType>)], outputs: &[(&str, Option<TensorType>)]) -> String {
        let owned =
            |side: &[(&str, Option<TensorType>)]| side.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect();
        let diagnostics = Diagnostics { inputs: owned(inputs), outputs: owned(outputs), ..Default::default() };
        let errors = ["first", "second"].map(|message| quote!(compile_error! { #message }));
        partial(&diagnostics, &Options::new("wake"), &errors).to_string()
    }

    /// The first error in the place of a type, the second behind the module.
    const UNKNOWN: &str = "type Unknown = < [() ; compile_error ! { \"first\" }] as";

    #[test]
    fn what_is_known_is_emitted_and_the_rest_takes_anything() {
        let ty = || Some(TensorType::new(ElemType::F32, [1, 4]));
        let nothing = emitted(&[], &[]);
        assert!(nothing.contains(UNKNOWN), "{nothing}");
        assert!(nothing.contains("pub type Model = Unknown"), "{nothing}");
        assert!(nothing.ends_with("} compile_error ! { \"second\" }"), "{nothing}");

        let known = emitted(&[("x", ty())], &[("y", ty())]);
        assert!(known.contains("fn run (& mut self , x : & Input) -> & Output"), "{known}");
        assert!(known.contains("pub type Output = [f32 ; 4]"), "{known}");
        assert!(known.ends_with("} compile_error ! { \"first\" } compile_error ! { \"second\" }"), "{known}");

        let mixed = emitted(&[("a", ty()), ("b", None)], &[("y", ty()), ("z", None)]);
        assert!(mixed.contains("fn run (& mut self , a : & A , b : & B) -> Outputs < '_ >"), "{mixed}");
        assert!(mixed.contains(UNKNOWN), "{mixed}");
        assert!(mixed.contains("pub type Z = Unknown"), "{mixed}");

        let bytes = emitted(&[("x", Some(TensorType::new(ElemType::I8, [4])))], &[("y", ty())]);
        assert!(bytes.contains("pub fn quantize (_ : f32) -> i8"), "{bytes}");
        assert_eq!(bytes.matches("ZERO_POINT").count(), 1, "{bytes}");

        let without_inputs = emitted(&[], &[("y", ty())]);
        assert!(without_inputs.contains("fn run (& mut self ,) -> & Output"), "{without_inputs}");
    }
}
