//! The procedural macro behind `model_runtime::include_model!`: arguments, file, spans and errors; the rest is `model-compiler`.

mod arguments;
mod errors;
mod files;

use proc_macro::TokenStream;
use syn::parse_macro_input;

use crate::arguments::Arguments;
use crate::files::ModelFile;

/// Use `model_runtime::include_model!`, which passes its own path first: `$crate; "wake.onnx", name = …`.
#[proc_macro]
pub fn include_model(input: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(input as Arguments);
    expand(&arguments).into()
}

/// The module, or compile errors beside what is known of it.
fn expand(arguments: &Arguments) -> proc_macro2::TokenStream {
    let options = arguments.options();
    let file = match ModelFile::find(&arguments.path) {
        Ok(file) => file,
        Err(error) => return errors::with_partial(arguments, &options, &error.into()),
    };
    let source = file.source();
    match model_compiler::compile(&source, &options) {
        Ok(module) => {
            let tracked = file.tracked();
            quote::quote! { #module #tracked }
        }
        Err(diagnostics) => {
            let module = errors::with_partial(arguments, &options, &diagnostics);
            let tracked = file.tracked();
            quote::quote! { #module #tracked }
        }
    }
}
