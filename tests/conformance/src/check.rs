//! What becomes of each case: the compiler as a library tells which it takes and what it folds; the rest is compiled by the macro and run.

use std::fmt;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use model_compiler::graph::{Graph, ValueId};
use model_compiler::onnx::{self, Source};
use model_compiler::op::Op;
use model_compiler::tensor::Tensor;
use model_compiler::ty::TensorType;
use model_compiler::{Options, diagnostic::Diagnostics, import};
use model_tests::programs::{self, Program};
use model_tests::threads::in_threads;

use crate::cases::Case;
use crate::compare;

/// How a case ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// All outputs are as recorded.
    Passes,
    /// The compiler says why it does not take the model.
    Refused(String),
    /// Another output than was recorded, or none.
    Wrong(String),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passes => f.write_str("passes"),
            Self::Refused(reason) => write!(f, "refused: {reason}"),
            Self::Wrong(reason) => write!(f, "WRONG: {reason}"),
        }
    }
}

/// The two forms of a case, by the name of their file.
const FORMS: [&str; 2] = ["model", "constant"];

/// What the library says of one form of a case.
enum Outcome {
    Known(Verdict),
    /// It must be run; the outputs have these types.
    ToRun(Vec<TensorType>),
}

/// The verdict on each case.
pub fn all(folder: &Path, cases: &[Case]) -> Vec<Verdict> {
    let outcomes = in_threads(cases, |case| FORMS.map(|form| outcome(folder, case, form)));
    let mut programs = Vec::new();
    for (case, outcomes) in cases.iter().zip(&outcomes) {
        let forms = FORMS.into_iter().zip(outcomes).filter(|(_, outcome)| matches!(outcome, Outcome::ToRun(_)));
        programs.extend(forms.map(|(form, _)| Program { case: &case.name, form, inputs: inputs(case, form) }));
    }
    println!("{} forms of cases to compile by the macro", programs.len());
    programs::run(folder, &programs, programs::CASES);
    let verdicts = cases.iter().zip(outcomes).map(|(case, [given, constant])| {
        let settle = |form, outcome| match outcome {
            Outcome::Known(verdict) => verdict,
            Outcome::ToRun(types) => computed(folder, case, form, &types),
        };
        joined(settle(FORMS[0], given), settle(FORMS[1], constant))
    });
    verdicts.collect()
}

/// How many inputs a run is given.
fn inputs(case: &Case, form: &str) -> usize {
    if form == "model" { case.inputs.len() } else { 0 }
}

/// A case passes where both of its forms do. What is wrong weighs more than what is refused.
fn joined(given: Verdict, constant: Verdict) -> Verdict {
    match (given, constant) {
        (Verdict::Wrong(reason), _) => Verdict::Wrong(reason),
        (_, Verdict::Wrong(reason)) => Verdict::Wrong(format!("as initializers: {reason}")),
        (Verdict::Passes, Verdict::Refused(reason)) => Verdict::Refused(format!("as initializers: {reason}")),
        (verdict, _) => verdict,
    }
}

/// What the library says of a form. That the compiler panics is as wrong as a wrong number.
fn outcome(folder: &Path, case: &Case, form: &str) -> Outcome {
    let compiled = catch_unwind(AssertUnwindSafe(|| compiled(folder, case, form)));
    compiled.unwrap_or_else(|_| Outcome::Known(Verdict::Wrong("the compiler panics".to_owned())))
}

fn compiled(folder: &Path, case: &Case, form: &str) -> Outcome {
    let path = folder.join(&case.name).join(format!("{form}.onnx"));
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (source, options) = (Source::new("model.onnx", bytes), Options::new("model"));
    let graph = onnx::parse(&source).and_then(|model| import::graph(&model, &options));
    let graph = match graph {
        Ok(graph) => graph,
        Err(faults) => return Outcome::Known(Verdict::Refused(reason(&faults))),
    };
    if !case.is_tensors() {
        return Outcome::Known(Verdict::Wrong("taken, although an input or output is no tensor of a known type".to_owned()));
    }
    let folded: Option<Vec<&Tensor>> = graph.outputs.iter().map(|&id| constant(&graph, id)).collect();
    match folded {
        Some(outputs) => {
            let mut differences = outputs
                .iter()
                .enumerate()
                .map(|(index, output)| compare::difference(case, index, output, &case.recorded(folder, index)));
            Outcome::Known(differences.find_map(|difference| difference).map_or(Verdict::Passes, Verdict::Wrong))
        }
        None => Outcome::ToRun(graph.outputs.iter().map(|&id| graph.ty(id).clone()).collect()),
    }
}

/// The elements of an output that is known, be it as the copy of a constant that an output owns.
fn constant(graph: &Graph, id: ValueId) -> Option<&Tensor> {
    let copied = || {
        let node = graph.nodes.iter().find(|node| node.outputs.contains(&id))?;
        matches!(node.op, Op::Copy(_)).then(|| graph.constant(node.inputs[0]))?
    };
    graph.constant(id).or_else(copied)
}

/// A refusal in a few words: the operators that are not known, else the first fault.
fn reason(faults: &Diagnostics) -> String {
    let fault = &faults.faults[0];
    if !fault.message.contains("operators that are not supported") {
        return fault.message.clone();
    }
    let names: Vec<&str> = fault.notes.iter().filter_map(|note| Some(note.split_once(": ")?.0)).collect();
    format!("{} is not supported", names.join(", "))
}

/// The verdict on what a program has written.
fn computed(folder: &Path, case: &Case, form: &str, types: &[TensorType]) -> Verdict {
    for (index, ty) in types.iter().enumerate() {
        let Ok(bytes) = fs::read(folder.join(&case.name).join(programs::output_file(form, index))) else {
            return Verdict::Wrong("it does not build or run, as said above".to_owned());
        };
        let Some(output) = Tensor::new(ty.clone(), bytes) else {
            return Verdict::Wrong(format!("output {index} has not the length of {ty}"));
        };
        if let Some(difference) = compare::difference(case, index, &output, &case.recorded(folder, index)) {
            return Verdict::Wrong(difference);
        }
    }
    Verdict::Passes
}
