//! Diagnostics as compile errors that point at the arguments they are about.

use std::any::Any;

use model_compiler::diagnostic::{Diagnostic, Diagnostics, Subject};
use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;

use crate::arguments::Arguments;

/// The errors about the model, or only those about the arguments where there are some: they may be the cause of the others. Each is an
/// invocation of `compile_error!`.
pub(crate) fn tokens(arguments: &Arguments, diagnostics: &Diagnostics) -> Vec<TokenStream> {
    if !arguments.errors.is_empty() {
        return arguments.errors.iter().map(syn::Error::to_compile_error).collect();
    }
    let errors = diagnostics.faults.iter().map(|fault| {
        let (message, span) = (fault.to_string(), span(arguments, &fault.subject));
        quote_spanned! { span => ::core::compile_error! { #message } }
    });
    errors.collect()
}

fn span(arguments: &Arguments, subject: &Subject) -> Span {
    match subject {
        Subject::Model => arguments.path.span(),
        Subject::Io => arguments.io.map_or_else(|| arguments.path.span(), |(_, span)| span),
        Subject::Budget(name) => {
            let budget = arguments.budgets.iter().find(|budget| budget.name == *name);
            budget.map_or_else(|| arguments.path.span(), |budget| budget.span)
        }
        Subject::Verify => arguments.verify.as_ref().unwrap_or(&arguments.path).span(),
        Subject::Entry(entry) => arguments.key(entry.0, &entry.1).unwrap_or_else(|| arguments.path.span()),
    }
}

/// What a panic of the compiler says to the user.
pub(crate) fn internal(panic: &(dyn Any + Send)) -> Diagnostic {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let text = text.unwrap_or("a panic without a message").trim_start_matches("internal error: ");
    Diagnostic::new(
        format!("internal error: {}", text.trim_end_matches("; please report this model")),
        "please report this model",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_internal_error() {
        let said = "internal error: a pass made an impossible Conv: bad; please report this model".to_owned();
        assert_eq!(internal(&said).message, "internal error: a pass made an impossible Conv: bad");
        assert_eq!(internal(&"index out of bounds").message, "internal error: index out of bounds");
        assert_eq!(internal(&7).message, "internal error: a panic without a message");
    }
}
