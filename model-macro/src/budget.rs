//! Budgets: `ram = 12 KiB`, `macs = 3_000_000`.

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
    let (span, found) = (input.span(), next(input));
    let wrong = |found: &str| {
        let (expected, example) = match name == "macs" {
            true => ("a number", "3_000_000"),
            false => ("a number of bytes, `KiB` or `MiB`", "12 KiB"),
        };
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
    let limit = limit.ok_or_else(|| wrong(&format!("`{}`", format!("{digits} {unit}").trim_end())))?;
    Ok(Budget { name: name.to_string(), span, limit })
}
