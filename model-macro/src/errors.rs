//! Diagnostics as compile errors that point at the arguments they are about.

use model_compiler::Options;
use model_compiler::diagnostic::{Diagnostics, Subject};
use model_compiler::emit;
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::arguments::Arguments;

/// The errors, and the module as far as it is known.
pub(crate) fn with_partial(arguments: &Arguments, options: &Options, diagnostics: &Diagnostics) -> TokenStream {
    let mut tokens = emit::partial(diagnostics, options);
    for fault in &diagnostics.faults {
        let message = fault.to_string();
        let span = span(arguments, &fault.subject);
        tokens.extend(quote_spanned! { span => ::core::compile_error!(#message); });
    }
    tokens
}

fn span(arguments: &Arguments, subject: &Subject) -> Span {
    let key = |name: &str| arguments.dims.iter().find(|(key, ..)| key == name).map(|(_, span, _)| *span);
    match subject {
        Subject::Model => arguments.path.span(),
        Subject::Dim(name) => key(name).unwrap_or_else(|| arguments.path.span()),
    }
}
