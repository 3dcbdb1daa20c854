//! The firmware that measures one model: `xtask/bench`, built with the model and without it.

use crate::command;
use crate::firmware::elf::{self, Program};
use crate::firmware::qemu::{Line, Qemu};
use crate::firmware::toolchain::Toolchain;
use crate::firmware::{Options, tensor};
use anyhow::{Result, ensure};
use std::path::Path;

/// What the host reads of the firmware's report.
#[derive(Debug, Default)]
struct Report {
    clock: u64,
    /// Bytes of all inputs.
    inputs: u64,
    instructions: u64,
    arena: u64,
    weights: u64,
    macs: u64,
    stack: u64,
    /// Element type and bytes of each output.
    outputs: Vec<(String, Vec<u8>)>,
}

/// Builds the firmware, runs it, prints what it costs, and fails where the figures cannot be right or the firmware could panic.
pub(crate) fn measure(options: &Options) -> Result<()> {
    let toolchain = Toolchain::find(&options.target)?;
    let qemu = Qemu::find(&options.target)?;

    let folder = command::root().join("target/firmware");
    build(options, &toolchain, &folder)?;
    let binaries = folder.join(&options.target).join("release");
    let model = elf::read(&binaries.join("model"))?;
    let baseline = elf::read(&binaries.join("baseline"))?;

    let inputs: Vec<Vec<u8>> = options.inputs.iter().map(|path| tensor::read_npy(path)).collect::<Result<_>>()?;
    let inputs = inputs.concat();
    let report = Report::read(&qemu.run(&binaries.join("model"), &inputs)?);
    let (given, taken) = (inputs.len() as u64, report.inputs);
    ensure!(given == 0 || given == taken, "the inputs given have {given} bytes; the model takes {taken}");
    print(options, &report, &model, &baseline);
    check(&report, &model)
}

/// Builds the firmware with the model and the one without.
fn build(options: &Options, toolchain: &Toolchain, folder: &Path) -> Result<()> {
    let mut command = toolchain.build();
    command.args(["--quiet", "--bins", "--manifest-path", "xtask/bench/Cargo.toml"]).current_dir(command::root());
    command.env("CARGO_TARGET_DIR", folder).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", &options.opt);
    command.env("MODEL", &options.model).env("ARGUMENTS", &options.arguments);
    println!("{}", command::show(&command));
    command::run(&mut command)
}

impl Report {
    fn read(lines: &[Line]) -> Report {
        let mut report = Report::default();
        for line in lines {
            match line.name.as_str() {
                "clock" => report.clock = line.number(),
                "inputs" => report.inputs = line.number(),
                "instructions" => report.instructions = line.number(),
                "arena" => report.arena = line.number(),
                "weights" => report.weights = line.number(),
                "macs" => report.macs = line.number(),
                "stack" => report.stack = line.number(),
                kind => report.outputs.push((kind.to_owned(), line.bytes.clone())),
            }
        }
        report
    }
}

fn print(options: &Options, report: &Report, model: &Program, baseline: &Program) {
    let code = model.sizes.code.saturating_sub(baseline.sizes.code);
    let constants = model.sizes.constants.saturating_sub(baseline.sizes.constants);
    let row = |name: &str, number: u64, note: String| println!("  {name:12} {:>12}   {note}", grouped(number));
    println!("{} on {}, opt-level {}", options.model.display(), options.target, options.opt);
    let per_mac = report.instructions as f64 / report.macs.max(1) as f64;
    row("instructions", report.instructions, format!("{} multiply-accumulates, {per_mac:.2} each", grouped(report.macs)));
    let weights = grouped(report.weights);
    row("flash", code + constants, format!("code {} + constants {} (weights {weights})", grouped(code), grouped(constants)));
    row("arena", report.arena, String::new());
    row("stack", report.stack, String::new());
    for (index, (kind, bytes)) in report.outputs.iter().enumerate() {
        println!("  output {index}: {}", tensor::show(kind, bytes));
    }
}

fn check(report: &Report, model: &Program) -> Result<()> {
    ensure!(report.clock == 2_000_000, "the emulator's clock is off: 2000000 instructions were counted as {}", report.clock);
    ensure!(model.sizes.data == 0, "{} bytes of initialized data, where the model should lie in .bss", model.sizes.data);
    ensure!(model.sizes.bss >= report.arena, "the arena of {} bytes does not lie in .bss", report.arena);
    ensure!(model.panics.is_empty(), "the firmware can panic, through {}", model.panics.join(", "));
    Ok(())
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let tail = tail.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group));
    let groups: Vec<_> = (first > 0).then(|| head.into()).into_iter().chain(tail).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_stand_in_groups_of_three() {
        let cases = [(0, "0"), (999, "999"), (1000, "1 000"), (98_800_123, "98 800 123")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }
}
