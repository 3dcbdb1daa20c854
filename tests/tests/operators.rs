//! `docs/operators.md`: the operators that the compiler reads, and those of ONNX that it does not, from its own tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use model_compiler::Options;
use model_compiler::import::{self, CONTROL};
use model_compiler::onnx::{self, Source};
use model_compiler::op::{LATEST, OpDef};
use model_compiler::ops::FAMILIES;
use model_compiler::ty::ElemType;
use model_tests::build::{Build, tensor};
use model_tests::snapshot;

/// The versions of all operators of ONNX, a line each.
const VERSIONS: &str = include_str!("../../model-compiler/src/ops/versions.txt");

/// A node of each operator, a line each.
const NODES: &str = include_str!("../operators.txt");

/// What is said of the types of operators without such a line: those that read no elements, or only constants, or are refused whatever they read.
const OTHER_TYPES: [(&str, &str); 21] = [
    ("Bernoulli", "refused"),
    ("BlackmanWindow", "constants"),
    ("Compress", "all, by a constant condition"),
    ("Constant", "constants"),
    ("ConstantOfShape", "constants"),
    ("HammingWindow", "constants"),
    ("HannWindow", "constants"),
    ("If", "all"),
    ("Loop", "all"),
    ("MelWeightMatrix", "constants"),
    ("Multinomial", "refused"),
    ("NonMaxSuppression", "refused"),
    ("NonZero", "constants"),
    ("RandomNormal", "refused"),
    ("RandomNormalLike", "refused"),
    ("RandomUniform", "refused"),
    ("RandomUniformLike", "refused"),
    ("Range", "numbers"),
    ("Scan", "all"),
    ("Unique", "refused"),
    ("ai.onnx.ml::TreeEnsemble", "f16, f32, f64"),
];

/// The domain of operators that name none.
const DEFAULT: &str = "ai.onnx";

/// The oldest operator set of that domain that is supported, whatever an operator's version is.
const OLDEST: i64 = 6;

const HEAD: &str = "\
# Operators

Written by `cargo xtask operators` from the compiler's own tables: what each operator is read by, in which operator sets, and which types of elements its
operands may have where the type is free. Floats are f16, bf16, f32 and f64, integers i8 to i64 and u8 to u64, numbers both, and all are these and bool. Parts of an operator may be
refused, with what was found and what to do instead; [cases.txt](../tests/conformance/cases.txt) tells of each case of the ONNX backend suite.
";

#[test]
fn the_table_is_that_of_the_compiler() {
    let mut text = HEAD.to_owned();
    let mut domains: BTreeMap<&str, BTreeMap<&str, Row>> = BTreeMap::new();
    for (family, definition) in FAMILIES.iter().flat_map(|(family, definitions)| definitions.iter().map(move |one| (family, one)))
    {
        let (domain, name) = definition.name.split_once("::").unwrap_or((DEFAULT, definition.name));
        domains
            .entry(domain)
            .or_default()
            .entry(name)
            .or_insert(Row { family, definitions: Vec::new() })
            .definitions
            .push(definition);
    }
    for (domain, rows) in &domains {
        write!(text, "\n## {domain}\n\n| operator | opsets | types | read by |\n|---|---|---|---|\n")
            .expect("a string takes all");
        let control = CONTROL.iter().filter(|_| *domain == DEFAULT).map(|name| (*name, control_line(name)));
        let lines: BTreeMap<&str, String> =
            rows.iter().map(|(name, row)| (*name, row.line(domain, name))).chain(control).collect();
        lines.values().for_each(|line| text += line);
    }
    let known: BTreeSet<&str> = domains[DEFAULT].keys().chain(CONTROL).copied().collect();
    let all = VERSIONS.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(": "));
    let missing: Vec<&str> = all.map(|(name, _)| name).filter(|name| !known.contains(name)).collect();
    write!(text, "\n## Not read\n\nOperators of ai.onnx up to opset {LATEST}: {}.\n", missing.join(", "))
        .expect("a string takes all");
    snapshot::check("../docs/operators.md", &text);
}

/// The line of an operator with graphs of its own.
fn control_line(name: &str) -> String {
    format!("| {name} | from {OLDEST} | {} | [control](../model-compiler/src/import/control.rs) |\n", types(name))
}

/// An operator's definitions, and the family that they belong to.
struct Row {
    family: &'static str,
    definitions: Vec<&'static OpDef>,
}

impl Row {
    fn line(&self, domain: &str, name: &str) -> String {
        let first = self.definitions.iter().map(|definition| *definition.opset.start()).min().unwrap_or(LATEST);
        let first = if domain == DEFAULT { first.max(OLDEST) } else { first };
        let last = self.definitions.iter().map(|definition| *definition.opset.end()).max().unwrap_or(LATEST);
        let opsets = if last == LATEST { format!("from {first}") } else { format!("{first} to {last}") };
        let (family, types) = (self.family, types(self.definitions[0].name));
        format!("| {name} | {opsets} | {types} | [{family}](../model-compiler/src/ops/{family}.rs) |\n")
    }
}

/// The types of elements that an operator takes, in words.
fn types(name: &str) -> String {
    let is_of_it = |line: &&str| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
    let nodes: Vec<&str> = NODES.lines().filter(is_of_it).collect();
    if nodes.is_empty() {
        let other = OTHER_TYPES.iter().find(|(other, _)| *other == name);
        return other.unwrap_or_else(|| panic!("operators.txt has no node of `{name}`")).1.to_owned();
    }
    let mut taken: Vec<ElemType> = ElemType::all().filter(|elem| nodes.iter().any(|node| is_taken(node, *elem))).collect();
    assert!(!taken.is_empty(), "`{name}` takes no type:\n{}", nodes.join("\n"));
    type IsIn = fn(&ElemType) -> bool;
    let groups: [(&str, IsIn); 4] = [
        ("all", |_| true),
        ("numbers", |elem| *elem != ElemType::Bool),
        ("floats", |elem| elem.is_float()),
        ("integers", |elem| !elem.is_float() && *elem != ElemType::Bool),
    ];
    let mut words = Vec::new();
    for (word, is_in) in groups {
        if ElemType::all().filter(is_in).all(|elem| taken.contains(&elem)) {
            taken.retain(|elem| !is_in(elem));
            words.push(word);
        }
    }
    words.extend(taken.iter().map(|elem| elem.name()));
    words.join(", ")
}

/// Whether the compiler takes the node of a line with elements of this type.
fn is_taken(line: &str, elem: ElemType) -> bool {
    let (head, operands) = line.split_once(": ").expect("a colon stands before the operands");
    let (inputs, attributes) = operands.split_once(" | ").unwrap_or((operands, ""));
    let [name, opset, outputs] = head.split(' ').collect::<Vec<_>>()[..] else { panic!("`{head}` has not three parts") };
    let opset = opset.parse().expect("an operator set is a number");
    let mut model = match name.split_once("::") {
        Some((domain, _)) => Build::new(LATEST).opset(domain, opset),
        None => Build::new(opset),
    };
    let mut names = Vec::new();
    for (index, input) in inputs.split(' ').enumerate() {
        let typed = input.replace('T', elem.name()).replace(',', ", ");
        names.push(if input == "-" { String::new() } else { format!("x{index}") });
        model = match typed.split_once('=') {
            _ if input == "-" => model,
            Some((ty, values)) => constant(model, &names[index], ty, values),
            None => model.input(&names[index], &typed),
        };
    }
    let outputs: Vec<String> = (0..outputs.parse().expect("a number of outputs")).map(|index| format!("y{index}")).collect();
    let [inputs, results] = [&names, &outputs].map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
    model = model.node(name, &inputs, &results);
    for attribute in attributes.split(' ').filter(|attribute| !attribute.is_empty()) {
        let (name, value) = attribute.split_once('=').expect("an attribute has a value");
        model = with_attribute(model, name, value);
    }
    model = outputs.iter().fold(model, |model, name| model.output(name, "f32[?]"));
    let source = Source::new("test.onnx", model.to_bytes());
    let parsed = onnx::parse(&source).unwrap_or_else(|faults| panic!("{faults}"));
    import::graph(&parsed, &Options::new("test")).is_ok()
}

/// An initializer of integers or floats.
fn constant(model: Build, name: &str, ty: &str, values: &str) -> Build {
    let (elem, sizes) = ty.trim_end_matches(']').split_once('[').expect("a type has sizes");
    let dims: Vec<i64> = sizes.split(", ").filter_map(|size| size.parse().ok()).collect();
    let numbers: Vec<f64> = values.split(", ").filter_map(|value| value.parse().ok()).collect();
    let ints: Vec<i64> = numbers.iter().map(|&number| number as i64).collect();
    model.initializer(match elem {
        "i64" => tensor(name, &dims, &ints),
        "i32" => tensor(name, &dims, &ints.iter().map(|&number| number as i32).collect::<Vec<_>>()),
        _ => tensor(name, &dims, &numbers.iter().map(|&number| number as f32).collect::<Vec<_>>()),
    })
}

/// An attribute of a number, of text in quotes, or of a list of either.
fn with_attribute(model: Build, name: &str, value: &str) -> Build {
    let unquoted = |text: &str| text.trim_matches('"').to_owned();
    let Some(list) = value.strip_prefix('[') else {
        return match (value.parse(), value.parse()) {
            (Ok(int), _) => model.int(name, int),
            (_, Ok(float)) => model.float(name, float),
            _ => model.string(name, &unquoted(value)),
        };
    };
    let items: Vec<&str> = list.trim_end_matches(']').split(',').filter(|item| !item.is_empty()).collect();
    let ints: Result<Vec<i64>, _> = items.iter().map(|item| item.parse()).collect();
    let floats: Result<Vec<f32>, _> = items.iter().map(|item| item.parse()).collect();
    match (ints, floats) {
        (Ok(ints), _) => model.ints(name, &ints),
        (_, Ok(floats)) => model.floats(name, &floats),
        _ => {
            let words: Vec<String> = items.into_iter().map(unquoted).collect();
            model.strings(name, &words.iter().map(String::as_str).collect::<Vec<_>>())
        }
    }
}
