//! What stands between the parentheses: `"wake.onnx", pub(crate) name = detector, dims = { batch: 1, "input": [1, 512] }`.

use std::path::Path;

use model_compiler::{Dim, Options, emit::names};
use proc_macro2::{Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{LitInt, LitStr, Result, Token, braced, bracketed};

/// The macro's arguments.
pub(crate) struct Arguments {
    /// The path of `model-runtime`, which its own macro passes.
    pub(crate) runtime: TokenStream,
    /// The model's path.
    pub(crate) path: LitStr,
    /// The module's visibility; `pub` without one.
    pub(crate) visibility: TokenStream,
    /// The module's name, if it is given.
    pub(crate) name: Option<Ident>,
    /// Sizes, with the key's place in the source.
    pub(crate) dims: Vec<(String, Span, Dim)>,
}

/// The names of arguments, as the error for an unknown one lists them.
const KNOWN: &str = "`name` and `dims`";

impl Parse for Arguments {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut runtime = TokenStream::new();
        while !input.peek(Token![;]) {
            runtime.extend([input.parse::<proc_macro2::TokenTree>()?]);
        }
        input.parse::<Token![;]>()?;
        if !input.peek(LitStr) {
            return Err(input.error("expected the model's path as a string literal first: `include_model!(\"wake.onnx\")`"));
        }
        let path = input.parse()?;
        let mut arguments = Self { runtime, path, visibility: quote::quote!(pub), name: None, dims: Vec::new() };
        while !input.is_empty() {
            input.parse::<Token![,]>()?;
            if !input.is_empty() {
                arguments.argument(input)?;
            }
        }
        Ok(arguments)
    }
}

impl Arguments {
    fn argument(&mut self, input: ParseStream) -> Result<()> {
        let visibility = visibility(input)?;
        let key = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        match key.to_string().as_str() {
            "name" => {
                self.name = Some(input.parse()?);
                self.visibility = visibility.unwrap_or_else(|| quote::quote!(pub));
                Ok(())
            }
            _ if visibility.is_some() => {
                Err(syn::Error::new(key.span(), "only `name` takes a visibility: `pub(crate) name = detector`"))
            }
            "dims" => self.dims(input),
            unknown => Err(syn::Error::new(
                key.span(),
                format!("unknown argument `{unknown}`; known are {KNOWN}\n   = help: remove it, or correct its name"),
            )),
        }
    }

    fn dims(&mut self, input: ParseStream) -> Result<()> {
        let entries;
        braced!(entries in input);
        let entries = Punctuated::<Entry, Token![,]>::parse_terminated(&entries)?;
        for Entry { key, span, dim } in entries {
            if self.dims.iter().any(|(other, ..)| *other == key) {
                return Err(syn::Error::new(span, format!("`dims` fixes `{key}` twice\n   = help: keep one of the two")));
            }
            self.dims.push((key, span, dim));
        }
        Ok(())
    }

    /// The compiler's options.
    pub(crate) fn options(&self) -> Options {
        let file = self.path.value();
        let stem = Path::new(&file).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        Options {
            name: self.name.as_ref().map_or_else(|| names::module(&stem), ToString::to_string),
            visibility: self.visibility.clone(),
            runtime: self.runtime.clone(),
            dims: self.dims.iter().map(|(key, _, dim)| (key.clone(), dim.clone())).collect(),
        }
    }
}

/// `pub`, `pub(…)` or nothing. Without syn's full grammar the parentheses are taken as they are.
fn visibility(input: ParseStream) -> Result<Option<TokenStream>> {
    if !input.peek(Token![pub]) {
        return Ok(None);
    }
    let public: Token![pub] = input.parse()?;
    let mut visibility = quote::quote!(#public);
    if input.peek(syn::token::Paren) {
        visibility.extend([input.parse::<proc_macro2::TokenTree>()?]);
    }
    Ok(Some(visibility))
}

/// `batch: 1` or `"input": [1, 512]`.
struct Entry {
    key: String,
    span: Span,
    dim: Dim,
}

impl Parse for Entry {
    fn parse(input: ParseStream) -> Result<Self> {
        let (key, span) = if input.peek(LitStr) {
            let key: LitStr = input.parse()?;
            (key.value(), key.span())
        } else {
            let key = input.call(Ident::parse_any)?;
            (key.to_string(), key.span())
        };
        input.parse::<Token![:]>()?;
        let dim = if input.peek(syn::token::Bracket) {
            let sizes;
            bracketed!(sizes in input);
            let sizes = Punctuated::<LitInt, Token![,]>::parse_terminated(&sizes)?;
            Dim::Shape(sizes.iter().map(size).collect::<Result<_>>()?)
        } else {
            Dim::Size(size(&input.parse()?)?)
        };
        Ok(Self { key, span, dim })
    }
}

fn size(literal: &LitInt) -> Result<usize> {
    match literal.base10_parse::<usize>()? {
        0 => Err(syn::Error::new(
            literal.span(),
            "a size is 0; expected at least 1\n   = help: give the size that the firmware uses",
        )),
        size => Ok(size),
    }
}
