//! `cargo xtask bench --host`: the time of a run on this computer, one thread, beside ONNX Runtime's.
//!
//! Both programs wait for the name of a model, and are asked in turn, so that what else the computer does meets both alike. First, the
//! outputs must be the bits that a build for any processor gives.

use crate::bench::list;
use crate::command::{self, cargo};
use anyhow::{Context, Result, bail};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The release that is compared with, as its package index calls it.
const ONNX_RUNTIME: &str = "onnxruntime==1.32.0";

/// The crate of the program with our models, a workspace of its own.
pub(crate) const MANIFEST: &str = "xtask/host/Cargo.toml";

/// The flags with which times are measured: everything that this processor has.
const NATIVE: &str = "-C target-cpu=native";

const ROUNDS: usize = 9;
/// How long a model runs in one round.
const MILLISECONDS: usize = 50;

/// Measures all models that are there and prints a table.
pub(crate) fn run(folder: &Path) -> Result<()> {
    let mut models: Vec<(String, PathBuf)> = Vec::new();
    for entry in list::read() {
        let path = entry.model(folder);
        match path.is_file() {
            true if models.iter().any(|(name, _)| *name == entry.name) => {}
            true => models.push((entry.name, path)),
            false => println!("{} is left out, as there is no {}", entry.name, path.display()),
        }
    }
    let mut programs = [ours(&models, NATIVE)?, onnx_runtime(&models)?];
    let mut portable = ours(&models, "")?;
    for (name, _) in &models {
        let question = format!("{name} outputs");
        if programs[0].answer(&question)? != portable.answer(&question)? {
            bail!("with `{NATIVE}` the outputs of {name} have other bits than without");
        }
    }
    println!("outputs have the same bits with `{NATIVE}` and without");
    println!("times of a run in microseconds: median of {ROUNDS} rounds, and least; {ONNX_RUNTIME}");
    println!("| {:26} | {:>9} | {:>9} | {:>12} | {:>9} | {:>5} |", "model", "median", "least", "ONNX Runtime", "least", "ratio");
    println!("|---|--:|--:|--:|--:|--:|");
    for (name, _) in &models {
        let mut times = [Times::default(), Times::default()];
        for _ in 0..ROUNDS {
            for (program, times) in programs.iter_mut().zip(&mut times) {
                times.add(program.ask(name)?);
            }
        }
        let [(median, least), (other, other_least)] = times.map(|times| times.summary());
        let ratio = median / other;
        println!("| {name:26} | {median:>9.2} | {least:>9.2} | {other:>12.2} | {other_least:>9.2} | {ratio:>5.2} |");
    }
    Ok(())
}

/// The rounds of one model in one program, in microseconds.
#[derive(Debug, Default)]
struct Times {
    medians: Vec<f64>,
    least: Vec<f64>,
}

impl Times {
    fn add(&mut self, (median, least): (f64, f64)) {
        self.medians.push(median);
        self.least.push(least);
    }

    /// The median of the medians, and the least of all.
    fn summary(mut self) -> (f64, f64) {
        self.medians.sort_by(f64::total_cmp);
        (self.medians[self.medians.len() / 2], self.least.into_iter().fold(f64::INFINITY, f64::min))
    }
}

/// A program that answers with times.
struct Program {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Program {
    fn start(command: &mut Command) -> Result<Program> {
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("cannot start `{}`", command::show(command)))?;
        let questions = child.stdin.take().context("the program has no input")?;
        let answers = BufReader::new(child.stdout.take().context("the program has no output")?);
        Ok(Program { child, questions, answers })
    }

    fn answer(&mut self, question: &str) -> Result<String> {
        let mut line = String::new();
        // Where it cannot be written to, the program has ended, as an empty answer says.
        let _ = writeln!(self.questions, "{question}");
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            bail!("asked for `{question}`, a program ended");
        }
        Ok(line)
    }

    /// The median and the least time in microseconds of one round.
    fn ask(&mut self, name: &str) -> Result<(f64, f64)> {
        let line = self.answer(&format!("{name} {MILLISECONDS}"))?;
        let numbers: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [median, least] = numbers[..] else {
            bail!("asked for the time of {name}, a program answered `{}`", line.trim());
        };
        Ok((median / 1e3, least / 1e3))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program with our models, built with `flags` of rustc.
fn ours(models: &[(String, PathBuf)], flags: &str) -> Result<Program> {
    let lines: Vec<String> = models.iter().map(|(name, path)| format!("{name} {}", path.display())).collect();
    let folder = command::root().join(if flags.is_empty() { "target/host-portable" } else { "target/host" });
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--manifest-path", MANIFEST, "--target-dir"]).arg(&folder);
    build.env("MODELS", lines.join("\n")).env("RUSTFLAGS", flags);
    command::run(&mut build)?;
    Program::start(&mut Command::new(folder.join("release").join(format!("host{}", std::env::consts::EXE_SUFFIX))))
}

/// The program with ONNX Runtime, which is installed into a virtual environment if it is not there yet.
fn onnx_runtime(models: &[(String, PathBuf)]) -> Result<Program> {
    let environment = command::root().join("target").join(ONNX_RUNTIME.replace("==", "-"));
    let python = match cfg!(windows) {
        true => environment.join("Scripts/python.exe"),
        false => environment.join("bin/python"),
    };
    if !python.is_file() {
        let system = if cfg!(windows) { "python" } else { "python3" };
        command::run(Command::new(system).args(["-m", "venv"]).arg(&environment))?;
    }
    command::run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ONNX_RUNTIME]))?;
    let mut program = Command::new(python);
    program.arg(command::root().join("xtask/host/onnxruntime_times.py"));
    Program::start(program.args(models.iter().flat_map(|(name, path)| [name.into(), path.clone().into_os_string()])))
}
