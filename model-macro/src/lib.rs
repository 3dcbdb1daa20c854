//! The procedural macro behind `model_runtime::include_model!`: arguments, file, spans and errors; the rest is `model-compiler`.

mod arguments;
mod budget;
mod errors;
mod files;

use std::panic::{AssertUnwindSafe, catch_unwind};

use model_compiler::diagnostic::Diagnostics;
use model_compiler::{Options, emit};
use proc_macro::TokenStream;
use quote::quote;
use syn::parse_macro_input;

use crate::arguments::Arguments;
use crate::files::ModelFile;

/// Use `model_runtime::include_model!`, which passes its own path first: `$crate; "wake.onnx", name = …`.
#[proc_macro]
pub fn include_model(input: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(input as Arguments);
    expand(&arguments).into()
}

/// The module, and compile errors where it is not what was asked for.
fn expand(arguments: &Arguments) -> proc_macro2::TokenStream {
    let options = arguments.options();
    let (compiled, tracked) = match ModelFile::find(&arguments.path) {
        Ok(file) => (compile(&file, &options), Some(file.tracked())),
        Err(fault) => (Err(fault.into()), None),
    };
    let diagnostics = compiled.as_ref().err().cloned().unwrap_or_default();
    let errors = errors::tokens(arguments, &diagnostics);
    match compiled {
        Ok(module) => quote! { #(#errors)* #module #tracked },
        Err(Diagnostics { module: Some(module), .. }) => quote! { #(#errors)* #module #tracked },
        Err(diagnostics) => {
            let module = emit::partial(&diagnostics, &options, &errors);
            quote! { #module #tracked }
        }
    }
}

/// Compiles the model. A panic would leave the user without the module and with an error for each use of it.
fn compile(file: &ModelFile, options: &Options) -> Result<proc_macro2::TokenStream, Diagnostics> {
    let source = file.source();
    catch_unwind(AssertUnwindSafe(|| model_compiler::compile(&source, options)))
        .unwrap_or_else(|panic| Err(errors::internal(&*panic).into()))
}
