//! Fixes the dimensions of the graph's inputs: from the file, from the argument `dims`, or by the rule for a batch of one.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Subject};
use crate::onnx::proto::{self, DimensionValue, TypeValue};
use crate::onnx::tensor;
use crate::ty::{ElemType, TensorType};
use crate::{Dim, Options};

/// The inputs with their types, and what was found out on the way.
pub struct Resolved<'a> {
    /// Each input's name, and its type where that could be fixed.
    pub inputs: Vec<(&'a str, Option<TensorType>)>,
    /// What is wrong.
    pub faults: Vec<Diagnostic>,
    /// What was assumed.
    pub notes: Vec<String>,
}

/// One declared dimension.
#[derive(Clone, PartialEq)]
enum Size<'a> {
    Fixed(usize),
    Named(&'a str),
    Unnamed,
}

/// Gives every input its fixed type.
pub fn resolve<'a>(inputs: Vec<&'a proto::ValueInfo>, options: &Options, file: &str) -> Resolved<'a> {
    let mut resolved = Resolved { inputs: Vec::new(), faults: Vec::new(), notes: Vec::new() };
    let mut used = BTreeSet::new();
    let mut open = Vec::new();
    let defaults = default_symbols(&inputs, options);
    for input in &inputs {
        let ty = match declaration(input) {
            Ok((elem, sizes)) => {
                let sizes = fix(&input.name, &sizes, options, &defaults, &mut used, &mut resolved);
                if sizes.iter().any(|size| !matches!(size, Size::Fixed(_))) {
                    open.push((input.name.as_str(), sizes.clone()));
                }
                fixed(elem, &sizes)
            }
            Err(fault) => {
                resolved.faults.push(fault.at(format!("{file}: input `{}`", input.name)));
                None
            }
        };
        if ty.as_ref().is_some_and(|ty| ty.elements() == 0) {
            resolved.faults.push(no_elements(input, file));
        }
        resolved.inputs.push((&input.name, ty));
    }
    if !open.is_empty() {
        resolved.faults.push(unresolved(&open, file));
    }
    unused_keys(&inputs, options, &used, &mut resolved.faults);
    resolved
}

/// The type that the file declares for a value, when its sizes are all fixed.
pub fn declared(value: &proto::ValueInfo) -> Option<TensorType> {
    let (elem, sizes) = declaration(value).ok()?;
    fixed(elem, &sizes)
}

fn fixed(elem: ElemType, sizes: &[Size]) -> Option<TensorType> {
    let sizes: Option<Vec<usize>> =
        sizes.iter().map(|size| if let Size::Fixed(size) = size { Some(*size) } else { None }).collect();
    let sizes = sizes.filter(|sizes| tensor::checked_bytes(sizes, elem).is_some())?;
    Some(TensorType::new(elem, sizes))
}

fn declaration(input: &proto::ValueInfo) -> Result<(ElemType, Vec<Size<'_>>), Diagnostic> {
    let kind = match input.r#type.as_ref().and_then(|ty| ty.value.as_ref()) {
        Some(TypeValue::Tensor(tensor)) => {
            let elem = tensor::elem_type(tensor.elem_type).map_err(|refusal| Diagnostic::new(refusal.message, refusal.help))?;
            if let Some(shape) = &tensor.shape {
                return Ok((elem, shape.dim.iter().map(size).collect()));
            }
            "a tensor of unknown rank"
        }
        Some(TypeValue::Sequence(_)) => "a sequence",
        Some(TypeValue::Map(_)) => "a map",
        Some(TypeValue::Optional(_)) => "an optional value",
        Some(TypeValue::SparseTensor(_)) => "a sparse tensor",
        None => "a value without a type",
    };
    Err(Diagnostic::new(
        format!("input `{}` is {kind}; expected a tensor with known dimensions", input.name),
        "export the model with a tensor of fixed shape as this input, or run `onnx.shape_inference` on it",
    ))
}

fn size(dim: &proto::Dimension) -> Size<'_> {
    match &dim.value {
        Some(DimensionValue::Value(size)) => usize::try_from(*size).map_or(Size::Unnamed, Size::Fixed),
        Some(DimensionValue::Param(name)) if !name.is_empty() && name != "?" => Size::Named(name),
        _ => Size::Unnamed,
    }
}

/// Symbols that stand for a batch: an input's first dimension when it is that input's only open one and is called `N`, `unk__…`
/// or contains `batch`. They are one wherever they occur.
fn default_symbols<'a>(inputs: &[&'a proto::ValueInfo], options: &Options) -> BTreeSet<&'a str> {
    let declared = inputs.iter().filter_map(|input| declaration(input).ok());
    declared
        .filter_map(|(_, sizes)| match sizes.as_slice() {
            [Size::Named(name), rest @ ..] if is_batch(name) && rest.iter().all(|size| is_given(size, options)) => Some(*name),
            _ => None,
        })
        .collect()
}

fn is_given(size: &Size, options: &Options) -> bool {
    match size {
        Size::Fixed(_) => true,
        Size::Named(name) => options.dims.iter().any(|(key, _)| key == name),
        Size::Unnamed => false,
    }
}

fn is_batch(name: &str) -> bool {
    name == "N" || name.starts_with("unk__") || name.to_lowercase().contains("batch")
}

fn fix<'a>(
    input: &str,
    sizes: &[Size<'a>],
    options: &Options,
    defaults: &BTreeSet<&str>,
    used: &mut BTreeSet<String>,
    resolved: &mut Resolved,
) -> Vec<Size<'a>> {
    let mut sizes = sizes.to_vec();
    if let Some((key, Dim::Shape(shape))) =
        options.dims.iter().find(|(key, value)| key == input && matches!(value, Dim::Shape(_)))
    {
        used.insert(key.clone());
        let agrees = shape.len() == sizes.len()
            && sizes.iter().zip(shape).all(|(size, given)| !matches!(size, Size::Fixed(fixed) if fixed != given));
        if !agrees {
            let found: Vec<_> = sizes.iter().map(print).collect();
            resolved.faults.push(
                Diagnostic::new(
                    format!("`dims` gives input `{input}` the shape {shape:?}, but the model declares [{}]", found.join(", ")),
                    "give one size for each declared dimension, and keep the fixed ones",
                )
                .about(Subject::Dim(key.clone())),
            );
        }
        return shape.iter().map(|&size| Size::Fixed(size)).collect();
    }
    for size in &mut sizes {
        let Size::Named(name) = size else { continue };
        if let Some((key, Dim::Size(given))) = options.dims.iter().find(|(key, _)| key == name) {
            used.insert(key.clone());
            *size = Size::Fixed(*given);
        } else if defaults.contains(name) {
            let note = format!("dimension `{name}` is 1 (a batch of one)");
            if !resolved.notes.contains(&note) {
                resolved.notes.push(note);
            }
            *size = Size::Fixed(1);
        }
    }
    if let [first @ Size::Unnamed, rest @ ..] = sizes.as_mut_slice()
        && rest.iter().all(|size| matches!(size, Size::Fixed(_)))
    {
        *first = Size::Fixed(1);
        resolved.notes.push(format!("the first dimension of `{input}` is 1 (a batch of one)"));
    }
    sizes
}

fn print(size: &Size) -> String {
    match size {
        Size::Fixed(size) => size.to_string(),
        Size::Named(name) => (*name).to_owned(),
        Size::Unnamed => "?".to_owned(),
    }
}

fn no_elements(input: &proto::ValueInfo, file: &str) -> Diagnostic {
    Diagnostic::new(
        format!("input `{}` has a dimension of size 0, so it has no elements", input.name),
        "export the model with at least one element along each dimension",
    )
    .at(format!("{file}: input `{}`", input.name))
}

/// One report of all open dimensions, with the line that fixes them.
fn unresolved(open: &[(&str, Vec<Size>)], file: &str) -> Diagnostic {
    let mut entries: BTreeMap<String, String> = BTreeMap::new();
    for (input, sizes) in open {
        if sizes.contains(&Size::Unnamed) {
            let shape: Vec<_> =
                sizes.iter().map(|size| if let Size::Fixed(size) = size { size.to_string() } else { "1".into() }).collect();
            entries.insert((*input).to_owned(), format!("\"{input}\": [{}]", shape.join(", ")));
            continue;
        }
        for size in sizes {
            if let Size::Named(name) = size {
                entries.insert((*name).to_owned(), format!("{}: 1", key(name)));
            }
        }
    }
    let entries: Vec<_> = entries.into_values().collect();
    let count: usize = open.iter().map(|(_, sizes)| sizes.iter().filter(|size| !matches!(size, Size::Fixed(_))).count()).sum();
    let mut fault = Diagnostic::new(
        format!("{count} dimensions of the model's inputs are not fixed; all must be known at compile time"),
        format!("add `dims = {{ {} }}` to the macro's arguments, with the sizes that you need", entries.join(", ")),
    )
    .at(file);
    for (input, sizes) in open {
        let sizes: Vec<_> = sizes.iter().map(print).collect();
        fault = fault.note(format!("input `{input}` has the dimensions [{}]", sizes.join(", ")));
    }
    fault
}

/// A symbol as a key of `dims`: an identifier as it is, anything else in quotes.
fn key(name: &str) -> String {
    let is_ident = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_ident { name.to_owned() } else { format!("{name:?}") }
}

/// Keys of `dims` that fixed nothing are mistakes.
fn unused_keys(inputs: &[&proto::ValueInfo], options: &Options, used: &BTreeSet<String>, faults: &mut Vec<Diagnostic>) {
    for (name, _) in options.dims.iter().filter(|(name, _)| !used.contains(name)) {
        let mut known = BTreeSet::new();
        for input in inputs {
            known.insert(format!("\"{}\"", input.name));
            let sizes = declaration(input).map(|(_, sizes)| sizes).unwrap_or_default();
            known.extend(sizes.iter().filter_map(|size| if let Size::Named(name) = size { Some(key(name)) } else { None }));
        }
        let known: Vec<_> = known.into_iter().map(|name| format!("`{name}`")).collect();
        faults.push(
            Diagnostic::new(
                format!("`dims` fixes `{name}`, which is neither an open dimension nor an input with a whole shape"),
                format!("remove it, or use one of {}", known.join(", ")),
            )
            .about(Subject::Dim(name.clone())),
        );
    }
}
