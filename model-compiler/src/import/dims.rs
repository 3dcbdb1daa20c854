//! Fixes the dimensions of the graph's inputs: from the file, from the argument `dims`, or by the rule for a batch of one.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostic, Subject};
use crate::onnx::proto;
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
    /// What some exporters write for an unnamed one, mostly -1.
    Negative(i64),
}

impl Size<'_> {
    /// Whether it is open and no symbol stands for it.
    fn has_no_name(&self) -> bool {
        matches!(self, Self::Unnamed | Self::Negative(_))
    }
}

/// What fixes open dimensions.
pub struct Rules<'a> {
    options: &'a Options,
    /// Symbols that stand for a batch of one.
    batch: BTreeSet<&'a str>,
}

impl<'a> Rules<'a> {
    /// The rules for a graph with these inputs.
    ///
    /// A symbol stands for a batch when it is an input's first dimension, that input's only open one, and called `N`, `unk__…` or a
    /// name that contains `batch`. It is one wherever it occurs.
    pub fn new(inputs: &[&'a proto::ValueInfo], options: &'a Options) -> Self {
        let mut rules = Self { options, batch: BTreeSet::new() };
        for (_, sizes) in inputs.iter().filter_map(|input| declaration(input).ok()) {
            let [Size::Named(name), rest @ ..] = sizes.as_slice() else { continue };
            if is_batch(name) && rest.iter().all(|size| rules.given(size).is_some()) {
                rules.batch.insert(name);
            }
        }
        rules
    }

    /// Gives every input its fixed type.
    pub fn resolve(&self, inputs: &[&'a proto::ValueInfo], file: &str) -> Resolved<'a> {
        let mut resolved = Resolved { inputs: Vec::new(), faults: Vec::new(), notes: Vec::new() };
        let mut open = Vec::new();
        for input in inputs {
            let ty = match self.input_type(input, &mut resolved.notes) {
                Ok(Some(ty)) => Some(ty),
                Ok(None) => {
                    open.push(*input);
                    None
                }
                Err(fault) => {
                    resolved.faults.push(fault.at(file));
                    None
                }
            };
            resolved.inputs.push((&input.name, ty));
        }
        if !open.is_empty() {
            resolved.faults.push(self.unresolved(inputs, &open).at(file));
        }
        resolved.faults.extend(self.unused_keys(inputs));
        resolved
    }

    /// The type of an input; `None` when dimensions stay open.
    fn input_type(&self, input: &'a proto::ValueInfo, notes: &mut Vec<String>) -> Result<Option<TensorType>, Diagnostic> {
        let (elem, declared) = declaration(input)?;
        if let Some(fault) = self.disagreement(input, &declared) {
            return Err(fault);
        }
        let sizes = self.fix(&input.name, &declared);
        let Some(fixed) = all_fixed(&sizes) else { return Ok(None) };
        let defaults = declared.iter().filter(|size| self.shape(&input.name).is_none() && self.given(size).is_none());
        for size in defaults {
            let note = match size {
                Size::Named(name) => format!("dimension `{name}` is 1 (a batch of one)"),
                _ => format!("the first dimension of `{}` is 1 (a batch of one)", input.name),
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        match tensor::checked_bytes(&fixed, elem) {
            Some(_) => Ok(Some(TensorType::new(elem, fixed))),
            None => Err(Diagnostic::new(
                format!("input `{}` is {elem}{fixed:?}, which takes more bytes than there are addresses", input.name),
                "export the model again; this file is damaged",
            )),
        }
    }

    /// The type of a value as the file declares it, when the rules fix all of its sizes.
    pub fn declared(&self, value: &proto::ValueInfo) -> Option<TensorType> {
        let (elem, sizes) = declaration(value).ok()?;
        let sizes = all_fixed(&self.fix(&value.name, &sizes))?;
        tensor::checked_bytes(&sizes, elem).map(|_| TensorType::new(elem, sizes))
    }

    /// The size that the file or the argument `dims` gives a dimension.
    fn given(&self, size: &Size) -> Option<usize> {
        match size {
            Size::Fixed(size) => Some(*size),
            Size::Named(name) => self.options.dims.iter().find_map(|(key, dim)| match dim {
                Dim::Size(size) if key == name => Some(*size),
                _ => None,
            }),
            Size::Unnamed | Size::Negative(_) => None,
        }
    }

    /// The whole shape that the argument `dims` gives an input.
    fn shape(&self, input: &str) -> Option<&'a [usize]> {
        self.options.dims.iter().find_map(|(key, dim)| match dim {
            Dim::Shape(shape) if key == input => Some(shape.as_slice()),
            _ => None,
        })
    }

    /// Fixes the sizes of the value called `name`, as far as the rules go.
    fn fix<'b>(&self, name: &str, declared: &[Size<'b>]) -> Vec<Size<'b>> {
        if let Some(shape) = self.shape(name) {
            return shape.iter().map(|&size| Size::Fixed(size)).collect();
        }
        let mut sizes = declared.to_vec();
        for size in &mut sizes {
            match (self.given(size), &size) {
                (Some(given), _) => *size = Size::Fixed(given),
                (None, Size::Named(name)) if self.batch.contains(name) => *size = Size::Fixed(1),
                _ => {}
            }
        }
        if let [first, rest @ ..] = sizes.as_mut_slice()
            && (first.has_no_name() || matches!(first, Size::Named(name) if is_batch(name)))
            && rest.iter().all(|size| matches!(size, Size::Fixed(_)))
        {
            *first = Size::Fixed(1);
        }
        sizes
    }

    /// A whole shape in `dims` that the model's declaration contradicts.
    fn disagreement(&self, input: &proto::ValueInfo, declared: &[Size]) -> Option<Diagnostic> {
        let shape = self.shape(&input.name)?;
        let agrees = |(size, given): (&Size, &usize)| !matches!(size, Size::Fixed(fixed) if fixed != given);
        if shape.len() == declared.len() && declared.iter().zip(shape).all(agrees) {
            return None;
        }
        let fault = Diagnostic::new(
            format!("`dims` gives input `{}` the shape {shape:?}; the model declares {}", input.name, print(declared)),
            "give one size for each dimension, and the model's own where it is fixed",
        );
        Some(fault.about(Subject::entry("dims", &input.name)))
    }

    /// One report of all open dimensions, with the line that fixes them.
    fn unresolved(&self, inputs: &[&proto::ValueInfo], open: &[&proto::ValueInfo]) -> Diagnostic {
        let symbols = symbols(inputs);
        let used = self.options.dims.iter().filter(|(name, dim)| fixes(inputs, &symbols, name, dim));
        let mut entries: Vec<String> = used.map(|(name, dim)| format!("{}: {dim}", key(name))).collect();
        let (mut names, mut notes) = (Vec::new(), Vec::new());
        for input in open {
            let Ok((elem, declared)) = declaration(input) else { continue };
            notes.push(format!("`{}` is {elem}{}", input.name, print(&declared)));
            let sizes = self.fix(&input.name, &declared);
            if sizes.iter().any(Size::has_no_name) {
                let ones: Vec<usize> = sizes.iter().map(|size| self.given(size).unwrap_or(1)).collect();
                names.push(format!("an unnamed one of `{}`", input.name));
                entries.push(format!("{:?}: {ones:?}", input.name));
                continue;
            }
            for size in sizes {
                let Size::Named(name) = size else { continue };
                if !names.contains(&format!("`{name}`")) {
                    names.push(format!("`{name}`"));
                    entries.push(format!("{}: 1", key(name)));
                }
            }
        }
        let verb = if self.options.dims.is_empty() { "add" } else { "write" };
        let fault = Diagnostic::new(
            format!("dimensions of the inputs are open: {}; all must be known at compile time", names.join(", ")),
            format!("{verb} `dims = {{ {} }}` with the sizes that you need", entries.join(", ")),
        );
        notes.into_iter().fold(fault, Diagnostic::note)
    }

    /// Keys of `dims` that fix nothing are mistakes.
    fn unused_keys(&self, inputs: &[&proto::ValueInfo]) -> Vec<Diagnostic> {
        let symbols = symbols(inputs);
        let known: Vec<String> = symbols
            .iter()
            .map(|name| format!("`{}: 1`", key(name)))
            .chain(inputs.iter().map(|input| format!("`{:?}: […]`", input.name)))
            .collect();
        let unused = self.options.dims.iter().filter(|(name, dim)| !fixes(inputs, &symbols, name, dim));
        unused
            .map(|(name, dim)| {
                Diagnostic::new(
                    format!("`dims` has `{}: {dim}`, which fixes nothing; possible are {}", key(name), known.join(", ")),
                    "remove it, or correct its name",
                )
                .about(Subject::entry("dims", name))
            })
            .collect()
    }
}

/// The names of the inputs' dimensions, each once.
fn symbols(inputs: &[&proto::ValueInfo]) -> Vec<String> {
    let mut symbols: Vec<String> = Vec::new();
    for input in inputs {
        let sizes = declaration(input).map(|(_, sizes)| sizes).unwrap_or_default();
        let names = sizes.iter().filter_map(|size| if let Size::Named(name) = size { Some((*name).to_owned()) } else { None });
        symbols.extend(names.filter(|name| !symbols.contains(name)).collect::<Vec<_>>());
    }
    symbols
}

/// Whether an entry of `dims` says something of the model.
fn fixes(inputs: &[&proto::ValueInfo], symbols: &[String], key: &str, dim: &Dim) -> bool {
    match dim {
        Dim::Size(_) => symbols.iter().any(|symbol| symbol == key),
        Dim::Shape(_) => inputs.iter().any(|input| input.name == key),
    }
}

fn all_fixed(sizes: &[Size]) -> Option<Vec<usize>> {
    sizes.iter().map(|size| if let Size::Fixed(size) = size { Some(*size) } else { None }).collect()
}

fn declaration(input: &proto::ValueInfo) -> Result<(ElemType, Vec<Size<'_>>), Diagnostic> {
    let kind = match &input.r#type {
        Some(proto::Type { tensor: Some(tensor), .. }) => {
            let elem = tensor::elem_type(tensor.elem_type).map_err(Diagnostic::from)?;
            if let Some(shape) = &tensor.shape {
                return Ok((elem, shape.dim.iter().map(size).collect()));
            }
            "a tensor of unknown rank"
        }
        Some(proto::Type { sequence: Some(_), .. }) => "a sequence",
        Some(proto::Type { map: Some(_), .. }) => "a map",
        Some(proto::Type { optional: Some(_), .. }) => "an optional value",
        Some(proto::Type { sparse_tensor: Some(_), .. }) => "a sparse tensor",
        _ => "a value without a type",
    };
    Err(Diagnostic::new(
        format!("input `{}` is {kind}; expected a tensor with known dimensions", input.name),
        "export the model with a tensor of fixed shape as this input, or run `onnx.shape_inference` on it",
    ))
}

fn size(dim: &proto::Dimension) -> Size<'_> {
    match (dim.value, &dim.param) {
        (Some(size), _) => usize::try_from(size).map_or(Size::Negative(size), Size::Fixed),
        (None, Some(name)) if !name.is_empty() && name != "?" => Size::Named(name),
        _ => Size::Unnamed,
    }
}

fn is_batch(name: &str) -> bool {
    name == "N" || name.starts_with("unk__") || name.to_lowercase().contains("batch")
}

/// `[1, time, ?]`
fn print(sizes: &[Size]) -> String {
    let sizes = sizes.iter().map(|size| match size {
        Size::Fixed(size) => size.to_string(),
        Size::Named(name) => (*name).to_owned(),
        Size::Unnamed => "?".to_owned(),
        Size::Negative(size) => size.to_string(),
    });
    format!("[{}]", sizes.collect::<Vec<_>>().join(", "))
}

/// A symbol as a key of `dims`: an identifier as it is, anything else in quotes.
fn key(name: &str) -> String {
    let is_ident = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_ident { name.to_owned() } else { format!("{name:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An input of the dimensions that `sizes` lists as types print them: `N, 4, ?`.
    fn input(name: &str, sizes: &str) -> proto::ValueInfo {
        let dim = |size: &str| {
            let value = size.parse().ok();
            let named = value.is_none() && size != "?";
            proto::Dimension { value, param: named.then(|| size.to_owned()) }
        };
        let dim = sizes.split(", ").map(dim).collect();
        let tensor = proto::TensorType { elem_type: 1, shape: Some(proto::TensorShape { dim }) };
        proto::ValueInfo { name: name.to_owned(), r#type: Some(proto::Type { tensor: Some(tensor), ..Default::default() }) }
    }

    /// The types, notes and messages for inputs `a`, `b`, … of these dimensions.
    fn resolve(sizes: &[&str], dims: &[(&str, Dim)]) -> (Vec<String>, Vec<String>, Vec<String>) {
        let inputs: Vec<_> = sizes.iter().zip(["a", "b", "c"]).map(|(sizes, name)| input(name, sizes)).collect();
        let inputs: Vec<_> = inputs.iter().collect();
        let dims = dims.iter().map(|(name, dim)| ((*name).to_owned(), dim.clone())).collect();
        let options = Options { dims, ..Options::new("test") };
        let resolved = Rules::new(&inputs, &options).resolve(&inputs, "test.onnx");
        let types = resolved.inputs.iter().map(|(_, ty)| ty.as_ref().map_or("open".to_owned(), ToString::to_string));
        (types.collect(), resolved.notes, resolved.faults.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_first_dimension_alone_defaults_to_one() {
        for name in ["N", "unk__232", "batch", "Batch_Size", "?", "-1"] {
            let (types, notes, faults) = resolve(&[&format!("{name}, 4")], &[]);
            assert_eq!((types, notes.len(), faults), (vec!["f32[1, 4]".to_owned()], 1, vec![]), "{name}");
        }
        for sizes in ["n, 4", "time, 4", "4, N", "N, time", "N, ?", "?, ?"] {
            let (types, notes, faults) = resolve(&[sizes], &[]);
            assert_eq!((types, notes.len(), faults.len()), (vec!["open".to_owned()], 0, 1), "{sizes}");
        }
    }

    #[test]
    fn a_batch_is_one_wherever_it_occurs() {
        let (types, notes, faults) = resolve(&["N, 4", "2, N"], &[]);
        assert_eq!((types, faults), (vec!["f32[1, 4]".to_owned(), "f32[2, 1]".to_owned()], vec![]));
        assert_eq!(notes, ["dimension `N` is 1 (a batch of one)"]);
    }

    /// Dimensions of the inputs, and the argument `dims`.
    type Given<'a> = (&'a [&'a str], &'a [(&'a str, Dim)]);

    fn owned(list: &[&str]) -> Vec<String> {
        list.iter().map(|&item| item.to_owned()).collect()
    }

    #[test]
    fn dims_fix_symbols_and_shapes() {
        let size = |size| Dim::Size(size);
        let cases: &[(Given, &[&str], usize)] = &[
            ((&["N, time"], &[("time", size(49))]), &["f32[1, 49]"], 1),
            ((&["N, time"], &[("time", size(49)), ("N", size(2))]), &["f32[2, 49]"], 0),
            ((&["N, T", "T"], &[("T", size(3))]), &["f32[1, 3]", "f32[3]"], 1),
            ((&["?, ?"], &[("a", Dim::Shape(vec![1, 512]))]), &["f32[1, 512]"], 0),
            ((&["N, 4"], &[("a", Dim::Shape(vec![2, 4]))]), &["f32[2, 4]"], 0),
        ];
        for ((sizes, dims), expected, notes) in cases {
            let (types, found, faults) = resolve(sizes, dims);
            assert_eq!((&types[..], found.len(), faults.len()), (&owned(expected)[..], *notes, 0), "{sizes:?} {faults:?}");
        }
    }

    #[test]
    fn faults_say_what_was_found_and_what_to_write() {
        let size = |size| Dim::Size(size);
        let cases: &[(Given, &[&str])] = &[
            (
                (&["time, mel.bins"], &[]),
                &["`time`, `mel.bins`", "`a` is f32[time, mel.bins]", "add `dims = { time: 1, \"mel.bins\": 1 }`"],
            ),
            ((&["N, T, F"], &[("T", size(49))]), &["`N`, `F`", "write `dims = { T: 49, N: 1, F: 1 }`"]),
            ((&["4, ?"], &[]), &["an unnamed one of `a`", "add `dims = { \"a\": [4, 1] }`"]),
            ((&["4, -1"], &[]), &["an unnamed one of `a`", "`a` is f32[4, -1]", "add `dims = { \"a\": [4, 1] }`"]),
            ((&["N, 4"], &[("M", size(2))]), &["`dims` has `M: 2`, which fixes nothing; possible are `N: 1`, `\"a\": […]`"]),
            ((&["N, 4"], &[("a", size(2))]), &["`dims` has `a: 2`, which fixes nothing"]),
            ((&["N, 4"], &[("a", Dim::Shape(vec![1, 5]))]), &["the shape [1, 5]; the model declares [N, 4]"]),
            ((&["N, 4"], &[("a", Dim::Shape(vec![4]))]), &["the shape [4]; the model declares [N, 4]"]),
            ((&["9223372036854775807, 4"], &[]), &["more bytes than there are addresses"]),
        ];
        for ((sizes, dims), expected) in cases {
            let (_, _, faults) = resolve(sizes, dims);
            assert_eq!(faults.len(), 1, "{sizes:?}: {faults:?}");
            for part in *expected {
                assert!(faults[0].contains(part), "{sizes:?}: `{}` lacks `{part}`", faults[0]);
            }
        }
    }

    #[test]
    fn outputs_are_as_declared_after_the_same_rules() {
        let (a, y) = (input("a", "unk__1, 4"), input("y", "unk__2, 4"));
        let options = Options::new("test");
        let rules = Rules::new(&[&a], &options);
        assert_eq!(rules.declared(&y).map(|ty| ty.to_string()).as_deref(), Some("f32[1, 4]"));
        assert_eq!(rules.declared(&input("z", "unk__2, classes")), None);
    }
}
