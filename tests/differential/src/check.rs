//! What becomes of cases: the compiler as a library tells which it takes; those are compiled by the macro, run and compared.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use model_compiler::diagnostic::Diagnostics;
use model_compiler::onnx::{self, Source};
use model_compiler::{Options, compile, import};
use model_tests::programs::{self, Program};
use model_tests::threads::in_threads;

use crate::cases::Case;
use crate::compare;
use crate::reference::{MANY_VARIANTS, References};

/// How a case ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// All outputs lie within the bounds of the reference.
    Agrees,
    /// ONNX Runtime does not take the model.
    Rejected(String),
    /// The compiler says why it does not take the model.
    Refused(String),
    /// Another output than expected, or none.
    Wrong(String),
}

/// What is known before a case is run.
enum Outcome {
    Known(Verdict),
    /// The types of the outputs by the compiler, and by the reference.
    ToRun(Vec<String>, Vec<String>),
}

/// The verdict on each of the cases in `folder`.
pub fn all(folder: &Path, cases: &[Case], references: &References) -> Vec<Verdict> {
    let outcomes = in_threads(cases, |case| outcome(case, references));
    let mut waiting: Vec<usize> = (0..cases.len()).filter(|&index| matches!(outcomes[index], Outcome::ToRun(..))).collect();
    // A crate in which one model does not build has no program; its other models are built again in smaller ones.
    for size in [programs::CASES, 10, 1] {
        let list: Vec<Program> = waiting.iter().map(|&index| program(&cases[index])).collect();
        programs::run(folder, &list, size);
        waiting.retain(|&index| cases[index].read(&programs::output_file("model", 0)).is_none());
    }
    let settled = cases.iter().zip(outcomes).map(|(case, outcome)| match outcome {
        Outcome::Known(verdict) => verdict,
        Outcome::ToRun(types, expected) => settle(case, &types, &expected, references),
    });
    settled.collect()
}

fn program(case: &Case) -> Program<'_> {
    Program { case: &case.name, form: "model", inputs: case.inputs }
}

/// What the compiler and the reference say of a model.
fn outcome(case: &Case, references: &References) -> Outcome {
    let expected = match references.compute(case) {
        Ok(types) => types,
        Err(reason) => return Outcome::Known(Verdict::Rejected(reason)),
    };
    match catch_unwind(AssertUnwindSafe(|| compiled(case))) {
        Ok(Ok(types)) => Outcome::ToRun(types, expected),
        Ok(Err(faults)) => Outcome::Known(Verdict::Refused(faults.faults[0].message.clone())),
        Err(_) => Outcome::Known(Verdict::Wrong("the compiler panics".to_owned())),
    }
}

/// The types of the outputs of a model that compiles.
fn compiled(case: &Case) -> Result<Vec<String>, Diagnostics> {
    let (source, options) = (Source::new("model.onnx", case.drawn().model), Options::new("model"));
    compile(&source, &options)?;
    let graph = import::graph(&onnx::parse(&source)?, &options)?;
    Ok(graph.outputs.iter().map(|&id| graph.ty(id).to_string()).collect())
}

/// The verdict on a case that was run. What lies out of bounds is held to those of many more variants.
fn settle(case: &Case, types: &[String], expected: &[String], references: &References) -> Verdict {
    if compare::difference(case, types, expected).is_none() {
        return Verdict::Agrees;
    }
    if let Err(reason) = references.compute_with(case, MANY_VARIANTS) {
        return Verdict::Rejected(reason);
    }
    compare::difference(case, types, expected).map_or(Verdict::Agrees, Verdict::Wrong)
}
