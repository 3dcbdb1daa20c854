//! `cargo xtask differential`: random models, compiled by the macro and run, against ONNX Runtime.
//!
//! ONNX Runtime is a Python package, which is installed, at the version that `tests/differential/requirements.txt` names, into an environment under
//! `target/differential`. All else is the crate `tests/differential`.

use crate::command::{self, cargo};
use crate::python;
use anyhow::Result;
use std::path::PathBuf;

pub(crate) const USAGE: &str = "[--seed S] [--from INDEX] [COUNT]
      random models (default: ten thousand) against ONNX Runtime; each disagreement is made small and lies in target/differential/found";

/// As many as are compared where nobody waits.
const COUNT: &str = "10000";
/// As many as are compared before each change.
const CHECKED: &str = "1000";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let python = prepare()?;
    let cases = command::root().join("target/differential/cases");
    let mut program = cargo();
    program.args(["run", "--quiet", "--package", "model-differential", "--"]).arg(cases).arg(python);
    let counted = arguments.len() % 2 == 1;
    command::run(program.args(arguments).args((!counted).then_some(COUNT)))
}

/// The interpreter that has ONNX Runtime.
pub(crate) fn prepare() -> Result<PathBuf> {
    let folder = command::root().join("target/differential");
    Ok(python::environment(&command::root().join("tests/differential"), &folder)?.python)
}

/// Always the same models.
pub(crate) fn check() -> Result<()> {
    run(&["--seed", "1", CHECKED].map(str::to_owned))
}
