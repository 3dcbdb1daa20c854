//! Budgets: `ram = 12 KiB`, `macs = 3_000_000`, `unroll = 4 KiB`.

use model_compiler::Unroll;
use proc_macro2::{Ident, Span};
use syn::parse::ParseStream;
use syn::{LitInt, Result, Token};

use crate::arguments::{error, next};

/// What a model may cost at most.
pub(crate) struct Budget {
    /// The argument's name.
    pub(crate) name: String,
    /// Where it stands in the source.
    pub(crate) span: Span,
    /// The number, units multiplied in.
    pub(crate) limit: u64,
}

/// Bytes in a unit.
const UNITS: [(&str, u64); 2] = [("KiB", 1 << 10), ("MiB", 1 << 20)];

/// What stands behind the argument's name.
pub(crate) fn parse(name: &Ident, input: ParseStream) -> Result<Budget> {
    input.parse::<Token![=]>()?;
    let (expected, example) = match name == "macs" {
        true => ("a number", "3_000_000"),
        false => ("a number of bytes, `KiB` or `MiB`", "12 KiB"),
    };
    let span = input.span();
    Ok(Budget { name: name.to_string(), span, limit: number(name, input, expected, example)? })
}

/// `= all`, `= none` or `= 4 KiB` behind `unroll`, and its place.
pub(crate) fn unroll(name: &Ident, input: ParseStream) -> Result<(Unroll, Span)> {
    input.parse::<Token![=]>()?;
    let span = input.span();
    let word = input.fork().parse::<Ident>().map(|word| word.to_string());
    let unroll = match word.as_deref() {
        Ok("all") => Unroll::All,
        Ok("none") => Unroll::Nothing,
        _ => Unroll::Budget(number(name, input, "`all`, `none` or a number of bytes, `KiB` or `MiB`", "4 KiB")?),
    };
    if word.is_ok() {
        input.parse::<Ident>()?;
    }
    Ok((unroll, span))
}

/// A number with its unit multiplied in; of other things the message tells what was `expected`.
fn number(name: &Ident, input: ParseStream, expected: &str, example: &str) -> Result<u64> {
    let (span, found) = (input.span(), next(input));
    let wrong = |found: &str| {
        error(span, format!("`{name}` is {found}; expected {expected}"), &format!("write it like `{name} = {example}`"))
    };
    let number: LitInt = input.parse().map_err(|_| wrong(&found))?;
    // Without a space between them, Rust reads number and unit as one literal.
    let unit = match number.suffix() {
        "" => input.parse::<Option<Ident>>()?.map_or_else(String::new, |unit| unit.to_string()),
        suffix => suffix.to_owned(),
    };
    let scale = match unit.as_str() {
        "" => Some(1),
        _ if name == "macs" => None,
        unit => UNITS.iter().find(|(name, _)| *name == unit).map(|&(_, bytes)| bytes),
    };
    let digits = number.base10_digits();
    let limit = digits.parse::<u64>().ok().zip(scale).and_then(|(number, scale)| number.checked_mul(scale));
    limit.ok_or_else(|| wrong(&format!("`{}`", format!("{digits} {unit}").trim_end())))
}
