//! `cargo xtask conformance`: the ONNX backend suite, through the macro.
//!
//! The cases are objects of the Python package `onnx`, which is installed, at the version that `tests/conformance/requirements.txt` names, into an
//! environment under `target/conformance`. All else is Rust: the crate `tests/conformance`.

use crate::command::{self, cargo};
use crate::python::{environment, is_stale};
use anyhow::Result;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub(crate) const USAGE: &str = "[--bless] [PREFIX]...
      the ONNX backend suite against tests/conformance/cases.txt, which `--bless` writes anew; with prefixes of names, how those cases end";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let cases = prepare()?;
    command::run(cargo().args(["run", "--quiet", "--package", "model-conformance", "--"]).arg(cases).args(arguments))
}

/// The folder of the cases, which are written unless they are there as `cases.py` writes them.
pub(crate) fn prepare() -> Result<PathBuf> {
    let scripts = command::root().join("tests/conformance");
    let folder = command::root().join("target/conformance");
    let (environment, cases) = (environment(&scripts, &folder)?, folder.join("cases"));
    let script = scripts.join("cases.py");
    let copy = folder.join("cases.py");
    if environment.fresh {
        // What was written by another version is not what this one writes.
        let _ = fs::remove_file(&copy);
    }
    if is_stale(&script, &copy)? {
        command::run(Command::new(environment.python).arg(&script).arg(&cases))?;
        fs::copy(&script, copy)?;
    }
    Ok(cases)
}
