//! `cargo xtask firmware`: builds a model into a firmware, runs it on an emulated chip and says what it costs there.

mod budget;
mod cycles;
mod elf;
mod layers;
mod model;
pub(crate) mod panics;
mod program;
mod qemu;
mod stack;
pub(crate) mod steady;
mod tensor;
mod toolchain;
mod wake;

use anyhow::{Context, Result, bail};
pub(crate) use model::{Costs, grouped};
use qemu::Qemu;
use std::path::{Path, PathBuf};
use toolchain::Toolchain;

pub(crate) const USAGE: &str = "MODEL.onnx|wake|layers [--opt 3|s|z] [--input FILE.npy]... [--arguments 'dims = { ... }']
      [--target thumbv7em-none-eabihf|thumbv6m-none-eabi|riscv32imac-unknown-none-elf]
      measures a model on an emulated Cortex-M4, Cortex-M0 or RISC-V; the inputs are a fixed pattern unless given in the model's order;
      `wake` runs the example's firmware, which listens to a bundled recording or to `--input FILE.wav`;
      `layers` holds kernels on the chip to those of the host
  cargo xtask firmware PROGRAM.elf [--function main] [--stack BYTES] [--code BYTES]
      reads a linked firmware, yours too: its sizes, the most stack that the function takes, and that it cannot panic";

/// The firmware crates, which are workspaces of their own.
pub(crate) const MANIFESTS: &[&str] = &["xtask/bench/Cargo.toml", "examples/wake/firmware/Cargo.toml"];

/// The emulator's plugin that counts what runs.
pub(crate) const PROFILER: &str = "xtask/profiler/Cargo.toml";

/// Where firmware is built.
const TARGET_FOLDER: &str = "target/firmware";

/// A Cortex-M4 with its floating-point unit, a Cortex-M0, and a RISC-V core without floating point.
pub(crate) const TARGETS: [&str; 3] = [DEFAULT_TARGET, "thumbv6m-none-eabi", "riscv32imac-unknown-none-elf"];

pub(crate) const DEFAULT_TARGET: &str = "thumbv7em-none-eabihf";

/// What is built, and how.
struct Options {
    /// An `.onnx` file, `wake` or `layers`.
    model: PathBuf,
    target: String,
    opt: String,
    inputs: Vec<PathBuf>,
    /// Further arguments of `include_model!`.
    arguments: String,
    /// Of a linked program: the function whose stack is asked for, and what stack and code may take.
    function: String,
    stack: u64,
    code: u64,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let options = Options::parse(arguments)?;
    match options.model.to_str() {
        Some("wake") => wake::listen(&options),
        Some("layers") => layers::compare(&options.target, &options.opt),
        _ if program::is_program(&options.model) => program::inspect(&options),
        _ => model::measure(&options),
    }
}

/// What `model`, included with `arguments`, costs on the chip of `target`, at the highest level of optimization.
pub(crate) fn costs(model: &Path, target: &str, arguments: &str) -> Result<Costs> {
    let (model, target, arguments) = (model.to_owned(), target.to_owned(), arguments.to_owned());
    model::costs(&Options { model, target, arguments, ..Options::default() })
}

/// The version of the compiler that builds for `target`.
pub(crate) fn compiler(target: &str) -> Result<String> {
    Toolchain::find(target)?.version()
}

/// That the tools for `target` are there, or what is missing.
pub(crate) fn tools(target: &str) -> Result<()> {
    Toolchain::find(target)?;
    Qemu::find(target)?;
    Ok(())
}

/// Whether the tools for `target` are missing, which is then said past the test harness, as it hides what a passing test prints.
#[cfg(test)]
fn skip(target: &str) -> bool {
    use std::io::Write;
    let missing = tools(target).err();
    if let Some(missing) = &missing {
        writeln!(std::io::stderr(), "skipped, as there is {missing:#}").expect("standard error can be written");
    }
    missing.is_some()
}

impl Default for Options {
    fn default() -> Options {
        Options {
            model: PathBuf::new(),
            target: DEFAULT_TARGET.to_owned(),
            opt: "3".to_owned(),
            inputs: Vec::new(),
            arguments: String::new(),
            function: "main".to_owned(),
            stack: u64::MAX,
            code: u64::MAX,
        }
    }
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Options> {
        let mut options = Options::default();
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().cloned().with_context(|| format!("`{word}` needs a value"));
            match word.as_str() {
                "--target" => options.target = value()?,
                "--opt" => options.opt = value()?,
                "--input" => options.inputs.push(value()?.into()),
                "--arguments" => options.arguments = value()?,
                "--function" => options.function = value()?,
                "--stack" => options.stack = value()?.parse()?,
                "--code" => options.code = value()?.parse()?,
                _ if word.starts_with('-') => bail!("unknown option `{word}`\nusage: cargo xtask firmware {USAGE}"),
                _ => options.model = word.into(),
            }
        }
        if options.model.as_os_str().is_empty() {
            bail!("no model given\nusage: cargo xtask firmware {USAGE}");
        }
        Ok(options)
    }
}
