//! Python environments under `target`, with the packages of a `requirements.txt`.

use crate::command;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// An interpreter with packages.
pub(crate) struct Environment {
    pub(crate) python: PathBuf,
    /// Whether it was installed just now, so that what another version has made is out of date.
    pub(crate) fresh: bool,
}

/// The environment in `folder`, which is installed unless it is there with what `scripts/requirements.txt` names.
pub(crate) fn environment(scripts: &Path, folder: &Path) -> Result<Environment> {
    let requirements = scripts.join("requirements.txt");
    let environment = folder.join("environment");
    let python = environment.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let fresh = is_stale(&requirements, &folder.join("requirements.txt"))?;
    if fresh {
        let system = command::find_program("python3").or_else(|| command::find_program("python"));
        let system = system.context("no `python3` in the search path")?;
        command::run(Command::new(system).args(["-m", "venv", "--clear"]).arg(&environment))?;
        command::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(&requirements))?;
        fs::copy(&requirements, folder.join("requirements.txt"))?;
    }
    Ok(Environment { python, fresh })
}

/// Whether `file` differs from the copy that was made when all that depends on it was done.
pub(crate) fn is_stale(file: &Path, copy: &Path) -> Result<bool> {
    let contents = fs::read(file).with_context(|| file.display().to_string())?;
    Ok(!fs::read(copy).is_ok_and(|copied| copied == contents))
}
