//! The module as far as it is known after errors, so that code which uses it gives no errors of its own.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::Options;
use crate::diagnostic::Diagnostics;
use crate::emit::interface::{Interface, Port};

/// The public items of the module with the types that are known. What is not known is `rt::Unknown`, and `run` takes anything for it.
pub fn partial(diagnostics: &Diagnostics, options: &Options) -> TokenStream {
    let interface = interface(diagnostics);
    let Options { name: module, visibility, runtime, .. } = options;
    let (types, modules, signature) = (interface.types(), interface.modules(), interface.signature(module));
    let (result, run) = (interface.result_type(), run(&interface));
    let input_mut = interface.inputs.iter().map(|port| {
        let (method, alias) = (interface.method(port), &port.alias);
        quote! {
            /// The place of an input.
            pub fn #method(&mut self) -> &mut #alias { unimplemented!() }
        }
    });
    quote! {
        /// What is known of the model in spite of its errors.
        #visibility mod #module {
            use #runtime as rt;

            #types
            /// Unknown.
            pub const RAM_BYTES: usize = 0;
            /// Unknown.
            pub const WEIGHT_BYTES: usize = 0;
            /// Unknown.
            pub const MACS: u64 = 0;
            #signature
            #modules

            /// A model that cannot run.
            pub struct Model {}

            impl Model {
                /// A model that cannot run.
                #[allow(clippy::new_without_default)]
                pub const fn new() -> Self { Self {} }
                #run
                #(#input_mut)*
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
}

/// The interface as far as import came; one input and one output where it found none, as most models have.
fn interface(diagnostics: &Diagnostics) -> Interface {
    if diagnostics.outputs.is_empty() {
        return Interface::new(vec![("input".to_owned(), None)], vec![("output".to_owned(), None)]);
    }
    Interface::new(diagnostics.inputs.clone(), diagnostics.outputs.clone())
}

fn run(interface: &Interface) -> TokenStream {
    let ports = || interface.inputs.iter().enumerate();
    let parameter = |index: usize| -> Ident { format_ident!("T{index}") };
    let unknown = ports().filter(|(_, port)| port.ty.is_none()).map(|(index, _)| parameter(index));
    let arguments = ports().map(|(index, Port { ty, alias, variable, .. })| match ty {
        Some(_) => quote!(#variable: &#alias),
        None => {
            let parameter = parameter(index);
            quote!(#variable: &#parameter)
        }
    });
    let result = interface.result_type();
    quote! {
        /// Stands for a run.
        pub fn run<#(#unknown: ?Sized),*>(&mut self, #(#arguments),*) -> #result { unimplemented!() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::{ElemType, TensorType};

    fn emitted(inputs: &[(&str, Option<TensorType>)], outputs: &[(&str, Option<TensorType>)]) -> String {
        let owned =
            |side: &[(&str, Option<TensorType>)]| side.iter().map(|(name, ty)| ((*name).to_owned(), ty.clone())).collect();
        let diagnostics = Diagnostics { inputs: owned(inputs), outputs: owned(outputs), ..Default::default() };
        partial(&diagnostics, &Options::new("wake")).to_string()
    }

    #[test]
    fn what_is_known_is_emitted_and_the_rest_takes_anything() {
        let ty = || Some(TensorType::new(ElemType::F32, [1, 4]));
        let nothing = emitted(&[], &[]);
        assert!(nothing.contains("fn run < T0 : ? Sized > (& mut self , input : & T0) -> & Output"), "{nothing}");
        assert!(nothing.contains("pub type Output = rt :: Unknown"), "{nothing}");

        let known = emitted(&[("x", ty())], &[("y", ty())]);
        assert!(known.contains("fn run < > (& mut self , x : & Input) -> & Output"), "{known}");
        assert!(known.contains("pub type Output = [f32 ; 4]"), "{known}");

        let mixed = emitted(&[("a", ty()), ("b", None)], &[("y", ty()), ("z", None)]);
        assert!(mixed.contains("fn run < T1 : ? Sized > (& mut self , a : & A , b : & T1) -> Outputs < '_ >"), "{mixed}");
        assert!(mixed.contains("pub type Z = rt :: Unknown"), "{mixed}");

        let without_inputs = emitted(&[], &[("y", ty())]);
        assert!(without_inputs.contains("fn run < > (& mut self ,) -> & Output"), "{without_inputs}");
    }
}
