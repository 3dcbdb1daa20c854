//! `cargo xtask check`: all that must hold before a change goes in, one stage after another.

use crate::command::{self, cargo};
use crate::{bench, conformance, differential, firmware, messages, miri};
use anyhow::{Result, bail};
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) const USAGE: &str = "
      formatting, lints, docs, tests, packages, conformance, random models and firmware, with the time each of them took";

/// One thing that must hold.
struct Stage {
    name: &'static str,
    run: fn() -> Result<Outcome>,
}

/// How a stage ended that did not fail.
enum Outcome {
    Passed,
    /// What the stage needs is not on this machine, and why the rest does not need it either.
    Skipped(String),
}

const STAGES: &[Stage] = &[
    Stage { name: "format", run: format },
    Stage { name: "clippy", run: clippy },
    Stage { name: "doc", run: doc },
    Stage { name: "test", run: test },
    Stage { name: "messages", run: messages },
    Stage { name: "miri", run: miri },
    Stage { name: "native", run: native },
    Stage { name: "oldest rustc", run: oldest_rustc },
    Stage { name: "package", run: package },
    Stage { name: "conformance", run: conformance },
    Stage { name: "differential", run: differential },
    Stage { name: "firmware", run: firmware },
    Stage { name: "panics", run: panics },
    Stage { name: "bench", run: bench },
    Stage { name: "steady", run: steady },
];

/// The crates that are published.
const PUBLISHED: &[&str] = &["model-kernels", "model-compiler", "model-macro", "model-runtime"];

/// Every stage runs, whatever became of the ones before, so that one run tells all that is wrong.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let mut failed = Vec::new();
    let mut table = Vec::new();
    for stage in STAGES {
        println!("== {}", stage.name);
        let start = Instant::now();
        let outcome = (stage.run)();
        table.push(row(stage.name, start.elapsed(), &outcome));
        if let Err(error) = outcome {
            eprintln!("error: {error:#}");
            failed.push(stage.name);
        }
    }
    println!("== summary\n{}", table.join("\n"));
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn row(name: &str, time: Duration, outcome: &Result<Outcome>) -> String {
    let end = match outcome {
        Ok(Outcome::Passed) => "passed".to_owned(),
        Ok(Outcome::Skipped(reason)) => format!("skipped: {reason}"),
        Err(_) => "FAILED".to_owned(),
    };
    format!("{name:14} {:>7.1} s   {end}", time.as_secs_f64())
}

fn passed(command: &mut Command) -> Result<Outcome> {
    command::run(command)?;
    Ok(Outcome::Passed)
}

fn format() -> Result<Outcome> {
    command::run(cargo().args(["fmt", "--all", "--check"]))?;
    for manifest in firmware::MANIFESTS.iter().chain([&firmware::PROFILER, &bench::HOST_MANIFEST]) {
        command::run(cargo().args(["fmt", "--check", "--manifest-path", manifest]))?;
    }
    Ok(Outcome::Passed)
}

fn clippy() -> Result<Outcome> {
    passed(cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn doc() -> Result<Outcome> {
    passed(cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings"))
}

/// The README's command, past the first crate that fails.
fn test() -> Result<Outcome> {
    passed(cargo().args(["test", "--workspace", "--no-fail-fast"]))
}

/// Every message of the compiler has a case.
fn messages() -> Result<Outcome> {
    messages::run(&[])?;
    Ok(Outcome::Passed)
}

/// The runtime's `unsafe` under Miri, where that is there.
fn miri() -> Result<Outcome> {
    if let Some(missing) = miri::missing() {
        return Ok(Outcome::Skipped(missing));
    }
    miri::run(&[])?;
    Ok(Outcome::Passed)
}

/// The kernels for what this very processor has: vectors, where there are any.
fn native() -> Result<Outcome> {
    for words in [&["clippy", "--all-targets"][..], &["test", "--lib"]] {
        let mut kernels = cargo();
        kernels.args(words).args(["--package", "model-kernels", "--target-dir", "target/native"]);
        command::run(kernels.env("RUSTFLAGS", "-C target-cpu=native -D warnings"))?;
    }
    Ok(Outcome::Passed)
}

/// The crates build with the oldest compiler they promise, where that compiler is there.
fn oldest_rustc() -> Result<Outcome> {
    let version = env!("CARGO_PKG_RUST_VERSION");
    let toolchains = command::output(Command::new("rustup").args(["toolchain", "list"])).unwrap_or_default();
    if !toolchains.lines().any(|name| name.starts_with(version)) {
        return Ok(Outcome::Skipped(format!("`rustup toolchain list` has no {version}")));
    }
    let mut check = Command::new("rustup");
    check.args(["run", version, "cargo", "check", "--target-dir", "target/oldest-rustc"]);
    passed(check.args(PUBLISHED.iter().flat_map(|name| ["--package", name])).current_dir(command::root()))
}

/// In a folder of its own: cargo keeps what it unpacked by the folder's name and the crate's version, and would check what was
/// packaged last time.
fn package() -> Result<Outcome> {
    let folder = command::root().join(format!("target/package-{}", std::process::id()));
    let packages = PUBLISHED.iter().flat_map(|name| ["--package", name]);
    let outcome = passed(cargo().args(["package", "--allow-dirty", "--target-dir"]).arg(&folder).args(packages));
    std::fs::remove_dir_all(folder)?;
    outcome
}

/// The ONNX backend suite, where its cases can be had.
fn conformance() -> Result<Outcome> {
    if let Err(missing) = conformance::prepare() {
        return Ok(Outcome::Skipped(format!("the cases of the ONNX backend suite cannot be had: {missing:#}")));
    }
    conformance::run(&[])?;
    Ok(Outcome::Passed)
}

/// Random models against ONNX Runtime, where it can be had.
fn differential() -> Result<Outcome> {
    if let Err(missing) = differential::prepare() {
        return Ok(Outcome::Skipped(format!("ONNX Runtime cannot be had: {missing:#}")));
    }
    differential::check()?;
    Ok(Outcome::Passed)
}

/// The wake example, and its model alone on each kind of chip and optimization level; each run fails where a panic is linked. Besides, the
/// micro-kernels in assembly against the portable forms. A budget for the stack holds that there is a bound.
fn firmware() -> Result<Outcome> {
    if let Err(missing) = firmware::tools(firmware::DEFAULT_TARGET) {
        return Ok(Outcome::Skipped(format!("there is {missing:#}")));
    }
    firmware::run(&["wake".to_owned()])?;
    let model = command::root().join("examples/wake/wake.onnx").display().to_string();
    let [m4, m0, riscv] = firmware::TARGETS;
    for (target, level) in [(m4, "3"), (m4, "s"), (m0, "z"), (riscv, "3")] {
        match firmware::tools(target) {
            Ok(()) => {
                let words = [model.as_str(), "--target", target, "--opt", level, "--arguments", "stack = 2 KiB"];
                firmware::run(&words.map(str::to_owned))?;
            }
            Err(missing) => println!("skipped, as there is {missing:#}"),
        }
    }
    for level in ["3", "z"] {
        firmware::run(&["layers", "--opt", level].map(str::to_owned))?;
    }
    Ok(Outcome::Passed)
}

/// No model brings along what panics, allocates or formats floats; `cargo xtask panics` tries all models everywhere.
fn panics() -> Result<Outcome> {
    if let Err(missing) = firmware::tools(firmware::DEFAULT_TARGET) {
        return Ok(Outcome::Skipped(format!("there is {missing:#}")));
    }
    firmware::panics::check()?;
    Ok(Outcome::Passed)
}

/// Figures are those that were committed.
fn bench() -> Result<Outcome> {
    if let Err(missing) = firmware::TARGETS.iter().try_for_each(|target| firmware::tools(target)) {
        return Ok(Outcome::Skipped(format!("there is {missing:#}")));
    }
    Ok(bench::check_default()?.map_or(Outcome::Passed, Outcome::Skipped))
}

/// Integer models take the same time for any input.
fn steady() -> Result<Outcome> {
    if let Err(missing) = firmware::tools(firmware::DEFAULT_TARGET) {
        return Ok(Outcome::Skipped(format!("there is {missing:#}")));
    }
    bench::steady_default()?;
    Ok(Outcome::Passed)
}
