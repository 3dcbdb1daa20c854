//! `docs/operators.md`: the operators that the compiler reads, and those of ONNX that it does not, from its own tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use model_compiler::import::CONTROL;
use model_compiler::op::{LATEST, OpDef};
use model_compiler::ops::FAMILIES;
use model_tests::snapshot;

/// The versions of all operators of ONNX, a line each.
const VERSIONS: &str = include_str!("../../model-compiler/src/ops/versions.txt");

/// The domain of operators that name none.
const DEFAULT: &str = "ai.onnx";

/// The oldest operator set of that domain that is supported, whatever an operator's version is.
const OLDEST: i64 = 6;

const HEAD: &str = "\
# Operators

Written by `cargo xtask operators` from the compiler's own tables: what each operator is read by, and in which operator sets. Parts of an operator may be
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
        write!(text, "\n## {domain}\n\n| operator | opsets | read by |\n|---|---|---|\n").expect("a string takes all");
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
    format!("| {name} | from {OLDEST} | [control](../model-compiler/src/import/control.rs) |\n")
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
        let family = self.family;
        format!("| {name} | {opsets} | [{family}](../model-compiler/src/ops/{family}.rs) |\n")
    }
}
