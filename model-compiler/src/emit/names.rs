//! The only place that makes Rust names of ONNX names.

use std::collections::HashSet;

use proc_macro2::{Ident, Span};

/// Names that are taken.
#[derive(Clone, Debug)]
pub struct Names {
    taken: HashSet<String>,
    /// The beginning of ONNX names that says nothing.
    path: String,
}

/// Words that cannot be names.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate", "do", "dyn", "else", "enum",
    "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut",
    "override", "priv", "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

impl Names {
    /// Names of which `taken` are no longer free.
    pub fn new(taken: &[&str]) -> Self {
        Self { taken: taken.iter().map(|&name| name.to_owned()).collect(), path: String::new() }
    }

    /// The same, made of ONNX names without `path`, such as [`common_path`] finds.
    pub fn without(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    /// Takes more names.
    pub fn reserve(&mut self, names: impl IntoIterator<Item = String>) {
        self.taken.extend(names);
    }

    /// A variable named after an ONNX value; a clash gets a number.
    pub fn variable(&mut self, onnx: &str) -> Ident {
        self.free(snake_case(onnx.strip_prefix(&self.path).unwrap_or(onnx)))
    }

    /// A type named after an ONNX value; a clash gets a number.
    pub fn ty(&mut self, onnx: &str) -> Ident {
        self.free(camel_case(onnx))
    }

    fn free(&mut self, name: String) -> Ident {
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let free = std::iter::once(name.clone()).chain(numbered).find(|name| self.taken.insert(name.clone()));
        Ident::new(&free.expect("numbers do not end"), Span::call_site())
    }
}

/// The constant that belongs to a variable: its name in capitals.
pub fn constant(variable: &Ident) -> Ident {
    Ident::new(&variable.to_string().to_uppercase(), Span::call_site())
}

/// A place of a step's scratch: `SCRATCH_3`, `SCRATCH_3_1`, …
pub fn scratch(step: usize, part: usize) -> Ident {
    let name = if part == 0 { format!("SCRATCH_{step}") } else { format!("SCRATCH_{step}_{part}") };
    Ident::new(&name, Span::call_site())
}

/// The folders, ending in `/`, that all of the names share that have any: `model/` of `model/a/Relu`, `model/b/Add`, `input`.
pub fn common_path<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let folder = |name: &'a str| name.rfind('/').map(|end| &name[..=end]);
    let folders: Vec<&str> = names.filter_map(folder).collect();
    let Some(first) = folders.first() else { return String::new() };
    let ends = first.char_indices().filter(|(_, c)| *c == '/').map(|(index, _)| index + 1);
    let shared = ends.take_while(|&end| folders.iter().all(|folder| folder.starts_with(&first[..end])));
    first[..shared.last().unwrap_or(0)].to_owned()
}

/// A module's name made of a file's stem.
pub fn module(stem: &str) -> String {
    snake_case(stem)
}

/// `model/conv2d/BiasAdd:0` → `model_conv2d_bias_add`; of names joined by `;` the first. `:0` says nothing: a node's first output.
fn snake_case(onnx: &str) -> String {
    let name =
        words(first_of_joined(onnx).trim_end_matches(":0")).iter().map(|word| word.to_lowercase()).collect::<Vec<_>>().join("_");
    match name.chars().next() {
        None => "value".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("value_{name}"),
        _ if KEYWORDS.contains(&name.as_str()) => format!("{name}_"),
        _ => name,
    }
}

/// `serving_default_input_1:0` → `ServingDefaultInput1_0`: parts of a name begin with a capital, numbers after `:` are kept apart.
fn camel_case(onnx: &str) -> String {
    let mut name = String::new();
    for (index, part) in first_of_joined(onnx).split(':').enumerate() {
        let part: String = part.split(|c: char| !c.is_ascii_alphanumeric()).map(capitalized).collect();
        let apart = index > 0 && part.starts_with(|c: char| c.is_ascii_digit());
        name += if apart { "_" } else { "" };
        name += &part;
    }
    match name.chars().next() {
        None => "Value".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("Value{name}"),
        _ if name == "Self" => "Self_".to_owned(),
        _ => name,
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
}

/// Converters join the names of fused nodes by `;`.
fn first_of_joined(onnx: &str) -> &str {
    onnx.split(';').find(|name| !name.is_empty()).unwrap_or(onnx)
}

/// The runs of letters and digits of a name, parted where a small letter meets a capital.
fn words(onnx: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = ' ';
    for c in onnx.chars() {
        let boundary = previous.is_ascii_lowercase() && c.is_ascii_uppercase();
        if !c.is_ascii_alphanumeric() || boundary {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            words.last_mut().expect("there is one").push(c);
        }
        previous = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cleaned() {
        let cases = [
            ("features", "features", "Features"),
            ("serving_default_input_1:0", "serving_default_input_1", "ServingDefaultInput1_0"),
            ("/head/Softmax_output_0", "head_softmax_output_0", "HeadSoftmaxOutput0"),
            ("model/conv2d/BiasAdd;model/conv2d/Conv2D", "model_conv2d_bias_add", "ModelConv2dBiasAdd"),
            ("1", "value_1", "Value1"),
            ("type", "type_", "Type"),
            ("…", "value", "Value"),
            ("self", "self_", "Self_"),
        ];
        for (onnx, variable, ty) in cases {
            assert_eq!(Names::new(&[]).variable(onnx), variable, "{onnx}");
            assert_eq!(Names::new(&[]).ty(onnx), ty, "{onnx}");
        }
    }

    #[test]
    fn a_common_path_is_left_out() {
        let path = common_path(["net/a/Relu", "net/a/b/Add", "input"].into_iter());
        assert_eq!(path, "net/a/");
        let mut names = Names::new(&[]).without(&path);
        assert_eq!(names.variable("net/a/b/Add"), "b_add");
        assert_eq!(names.variable("input"), "input");
        assert_eq!(common_path(["a/x", "b/x"].into_iter()), "");
    }

    #[test]
    fn clashes_get_numbers() {
        let mut names = Names::new(&["arena"]);
        assert_eq!(names.variable("x"), "x");
        assert_eq!(names.variable("X"), "x_2");
        assert_eq!(names.variable("arena"), "arena_2");
    }
}
