//! `cargo xtask conformance`: the ONNX backend suite, through the macro.
//!
//! The cases are objects of the Python package `onnx`, which is installed, at the version that `tests/conformance/requirements.txt` names, into an
//! environment under `target/conformance`. All else is Rust: the crate `tests/conformance`.

use crate::command::{self, cargo};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
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
    let (python, cases) = (environment(&scripts, &folder)?, folder.join("cases"));
    let script = scripts.join("cases.py");
    if is_stale(&script, &folder.join("cases.py"))? {
        command::run(Command::new(python).arg(&script).arg(&cases))?;
        fs::copy(&script, folder.join("cases.py"))?;
    }
    Ok(cases)
}

/// The interpreter of an environment that has the package.
fn environment(scripts: &Path, folder: &Path) -> Result<PathBuf> {
    let requirements = scripts.join("requirements.txt");
    let environment = folder.join("environment");
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    if is_stale(&requirements, &folder.join("requirements.txt"))? {
        let system = command::find_program("python3").or_else(|| command::find_program("python"));
        let system = system.context("no `python3` in the search path, which has the cases of the ONNX backend suite written")?;
        command::run(Command::new(system).args(["-m", "venv", "--clear"]).arg(&environment))?;
        command::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements))?;
        // What was written by another version is not what this one writes.
        let _ = fs::remove_file(folder.join("cases.py"));
        fs::copy(&requirements, folder.join("requirements.txt"))?;
    }
    Ok(python)
}

/// Whether `file` differs from the copy that was made when all that depends on it was done.
fn is_stale(file: &Path, copy: &Path) -> Result<bool> {
    let contents = fs::read(file).with_context(|| file.display().to_string())?;
    Ok(!fs::read(copy).is_ok_and(|copied| copied == contents))
}
