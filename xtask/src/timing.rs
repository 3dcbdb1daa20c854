//! `cargo xtask timing`: what `include_model!` adds to a user's build.
//!
//! A small crate is built that depends on nothing but the runtime and includes the model, in the profile users develop with, in which
//! macros are not optimized.

use crate::command::{self, cargo};
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const USAGE: &str = "[MODEL.onnx]...
      processor time of a cold build that includes the wake model, and how long it and the given models take to expand";

/// Seconds of processor time for the cold build.
const COLD_LIMIT: f64 = 20.0;
/// Seconds to expand the wake model.
const WAKE_LIMIT: f64 = 1.0;
/// Seconds to expand any other.
const MODEL_LIMIT: f64 = 5.0;

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let user = User::new()?;
    let wake = command::root().join("examples/wake/wake.onnx");
    let mut failed = Vec::new();
    let mut report = |what: String, seconds: Result<f64>, limit: f64| {
        match &seconds {
            Ok(seconds) => println!("{seconds:>7.2} s of {limit:>4.1} s   {what}"),
            Err(error) => println!("   none   {what}: {error:#}"),
        }
        if !seconds.is_ok_and(|seconds| seconds <= limit) {
            failed.push(what);
        }
    };
    report("cold build with the wake model".to_owned(), user.cold_build(&wake), COLD_LIMIT);
    report(format!("expansion of {}", wake.display()), user.expansion(&wake), WAKE_LIMIT);
    for model in arguments {
        let model = std::path::absolute(model)?;
        report(format!("expansion of {}", model.display()), user.expansion(&model), MODEL_LIMIT);
    }
    if !failed.is_empty() {
        bail!("over the limit, or not built: {}", failed.join(", "));
    }
    Ok(())
}

/// A user's crate.
struct User {
    folder: PathBuf,
}

impl User {
    fn new() -> Result<User> {
        let folder = command::root().join("target/timing");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(folder.join("src"))?;
        let runtime = command::root().join("model-runtime");
        let manifest = format!(
            "[package]\nname = \"user\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nmodel-runtime.path = {runtime:?}\n"
        );
        fs::write(folder.join("Cargo.toml"), manifest)?;
        fs::copy(command::root().join("Cargo.lock"), folder.join("Cargo.lock"))?;
        Ok(User { folder })
    }

    fn include(&self, model: &Path) -> Result<()> {
        let text = format!("//! A user's crate.\nmodel_runtime::include_model!({model:?}, name = model);\n");
        Ok(fs::write(self.folder.join("src/lib.rs"), text)?)
    }

    /// Seconds of processor time that the compiler and all it starts need for the crate and all it depends on.
    fn cold_build(&self, model: &Path) -> Result<f64> {
        self.include(model)?;
        // Downloads are not part of it.
        command::run(cargo().args(["fetch", "--quiet"]).current_dir(&self.folder))?;
        let before = children_time()?;
        command::run(cargo().args(["build", "--quiet", "--target-dir", "cold"]).current_dir(&self.folder))?;
        Ok(children_time()? - before)
    }

    /// Seconds that the compiler spends on expanding the crate's macros, of which there is one.
    fn expansion(&self, model: &Path) -> Result<f64> {
        self.include(model)?;
        let mut rustc = cargo();
        rustc.args(["rustc", "--quiet", "--target-dir", "expansion", "--", "-Ztime-passes"]).current_dir(&self.folder);
        // The compiler tells its times only to those who say that they do not rely on it.
        let output = rustc.env("RUSTC_BOOTSTRAP", "1").output()?;
        let passes = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{} does not build:\n{passes}", model.display());
        let line = passes.lines().find(|line| line.ends_with("macro_expand_crate"));
        let seconds = line.and_then(|line| line.strip_prefix("time:")?.split(';').next()?.trim().parse().ok());
        seconds.with_context(|| format!("the compiler did not say how long expansion took:\n{passes}"))
    }
}

/// Processor time of all programs this one has started and seen end, in seconds.
#[cfg(unix)]
fn children_time() -> Result<f64> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(microseconds as f64 / 1e6)
}

#[cfg(not(unix))]
fn children_time() -> Result<f64> {
    bail!("processor time is known on Unix only")
}
