//! Arguments that are maps: `dims = { batch: 1, "input": [1, 512] }`. Keys are identifiers or strings, as ONNX names are not always
//! identifiers.

use std::fmt::Display;

use model_compiler::{Dim, Elements};
use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{LitBool, LitFloat, LitInt, LitStr, Result, Token, braced, bracketed};

use super::{error, list, next};

/// The entries of a map, each with its key's place in the source, and what is wrong between them.
pub(super) struct Map<T> {
    entries: Vec<(String, Span, T)>,
    errors: Vec<syn::Error>,
}

impl<T: Display> Map<T> {
    /// `= { key: value, … }`
    pub(super) fn parse(input: ParseStream, value: impl Fn(ParseStream) -> Result<T>) -> Result<Self> {
        input.parse::<Token![=]>()?;
        let entries;
        braced!(entries in input);
        let (entries, errors) = list(&entries, |input| {
            let (key, span) = name(input)?;
            input.parse::<Token![:]>()?;
            Ok((key, span, value(input)?))
        });
        Ok(Self { entries, errors })
    }

    /// Adds what was read of `argument` to its entries, keys and errors so far; a key that was there before is an error.
    pub(super) fn take(
        self,
        argument: &'static str,
        entries: &mut Vec<(String, T)>,
        keys: &mut Vec<(&'static str, String, Span)>,
        errors: &mut Vec<syn::Error>,
    ) {
        errors.extend(self.errors);
        for (key, span, value) in self.entries {
            if let Some((_, first)) = entries.iter().find(|(other, _)| *other == key) {
                let message = format!("`{argument}` fixes `{key}` twice: as {first} and as {value}; expected once");
                errors.push(error(span, message, "keep one of the two"));
                continue;
            }
            keys.push((argument, key.clone(), span));
            entries.push((key, value));
        }
    }
}

/// A name of the model: an identifier or a string.
pub(super) fn name(input: ParseStream) -> Result<(String, Span)> {
    if input.peek(LitStr) {
        let name: LitStr = input.parse()?;
        return Ok((name.value(), name.span()));
    }
    let name = input.call(Ident::parse_any)?;
    Ok((name.unraw().to_string(), name.span()))
}

/// `1` or `[1, 512]`
pub(super) fn dim(input: ParseStream) -> Result<Dim> {
    if !input.peek(syn::token::Bracket) {
        return Ok(Dim::Size(size(input)?));
    }
    let sizes;
    bracketed!(sizes in input);
    let sizes = sizes.parse_terminated(size, Token![,])?;
    Ok(Dim::Shape(sizes.into_iter().collect()))
}

fn size(input: ParseStream) -> Result<usize> {
    let help = "write the size that the firmware uses";
    let span = input.span();
    let Ok(literal) = input.parse::<LitInt>() else {
        return Err(error(span, format!("a size is {}; expected an integer of at least 1", next(input)), help));
    };
    match literal.base10_parse::<usize>() {
        Ok(0) | Err(_) => Err(error(span, format!("a size is `{literal}`; expected an integer of at least 1"), help)),
        Ok(size) => Ok(size),
    }
}

/// `16000`, `[1, 2]` or `[[0.5, -1.0], [true, 2]]`
pub(super) fn elements(input: ParseStream) -> Result<Elements> {
    match input.peek(syn::token::Bracket) {
        true => nested(input).map(Elements::Each),
        false => element(input).map(Elements::All),
    }
}

/// The elements of a list of lists, one behind another.
fn nested(input: ParseStream) -> Result<Vec<String>> {
    if !input.peek(syn::token::Bracket) {
        return Ok(vec![element(input)?]);
    }
    let inner;
    bracketed!(inner in input);
    let lists = inner.parse_terminated(nested, Token![,])?;
    Ok(lists.into_iter().flatten().collect())
}

fn element(input: ParseStream) -> Result<String> {
    let (span, found) = (input.span(), next(input));
    let refused =
        || error(span, format!("an element is {found}; expected a number, `true` or `false`"), "write the element's value");
    if input.peek(LitBool) {
        return Ok(u8::from(input.parse::<LitBool>()?.value).to_string());
    }
    let sign = if input.parse::<Option<Token![-]>>()?.is_some() { "-" } else { "" };
    let (digits, suffix) = if input.peek(LitInt) {
        let integer: LitInt = input.parse()?;
        (integer.base10_digits().to_owned(), integer.suffix().to_owned())
    } else if input.peek(LitFloat) {
        let float: LitFloat = input.parse()?;
        (float.base10_digits().to_owned(), float.suffix().to_owned())
    } else {
        return Err(refused());
    };
    if suffix.is_empty() { Ok(format!("{sign}{digits}")) } else { Err(refused()) }
}
