//! The wake example on the emulated chip: `examples/wake/firmware`.

use crate::command;
use crate::firmware::elf::{self, Program};
use crate::firmware::model::grouped;
use crate::firmware::qemu::{Line, Qemu};
use crate::firmware::toolchain::Toolchain;
use crate::firmware::{Options, TARGET_FOLDER};
use anyhow::{Result, ensure};

const MANIFEST: &str = "examples/wake/firmware/Cargo.toml";

const SAMPLE_RATE: f64 = 16_000.0;

/// The system timer of the board, of 25 MHz, ticks once in so many instructions.
const INSTRUCTIONS_PER_TICK: u64 = 40;

/// What the firmware reports.
#[derive(Debug, Default)]
struct Report {
    /// The sample at which the word was detected, and the score.
    detections: Vec<(u64, f32)>,
    samples: u64,
    instructions: u64,
    /// The most bytes of stack in use at once, from reset on.
    stack: u64,
}

/// Builds and runs the firmware; prints each detection and what listening costs.
pub(crate) fn listen(options: &Options) -> Result<()> {
    let (report, program) = run(options)?;
    for (end, score) in &report.detections {
        println!("detected at {:.2} s, score {score:.3}", *end as f64 / SAMPLE_RATE);
    }
    let seconds = report.samples as f64 / SAMPLE_RATE;
    println!("  sound        {seconds:>12.2} s");
    println!("  instructions {:>12} for each second of it", grouped((report.instructions as f64 / seconds) as u64));
    println!("  code         {:>12}", grouped(program.sizes.code));
    println!("  constants    {:>12} without the recording", grouped(program.sizes.constants.saturating_sub(report.samples * 2)));
    println!("  static RAM   {:>12}", grouped(program.sizes.bss + program.sizes.data));
    let bound = program.calls.bound(&["main"])?.bytes;
    println!("  stack        {:>12} of at most {}", grouped(report.stack), grouped(bound));
    check(&report, &program)
}

fn check(report: &Report, program: &Program) -> Result<()> {
    let bound = program.calls.bound(&["main"])?.bytes;
    ensure!((1..=bound).contains(&report.stack), "a run took {} bytes of stack, where {bound} are the bound", report.stack);
    ensure!(program.sizes.data == 0, "{} bytes of initialized data, where all should lie in .bss", program.sizes.data);
    ensure!(program.panics.is_empty(), "the firmware can panic, through {}", program.panics.join(", "));
    Ok(())
}

fn run(options: &Options) -> Result<(Report, Program)> {
    let toolchain = Toolchain::find(&options.target)?;
    let qemu = Qemu::find(&options.target)?;
    let mut build = toolchain.build(MANIFEST, &["wake-firmware"], &options.opt);
    if let [recording] = options.inputs.as_slice() {
        build.env("RECORDING", std::path::absolute(recording)?);
    }
    println!("{}", command::show(&build));
    command::run(&mut build)?;

    let path = command::root().join(TARGET_FOLDER).join(&options.target).join("release/wake-firmware");
    Ok((Report::read(&qemu.run(&path, &[])?), elf::read(&path)?))
}

impl Report {
    fn read(lines: &[Line]) -> Report {
        let mut report = Report::default();
        for line in lines {
            match line.name.as_str() {
                "detected" => report.detections.push((line.number() >> 32, f32::from_bits(line.number() as u32))),
                "samples" => report.samples = line.number(),
                "stack" => report.stack = line.number(),
                "ticks" => report.instructions = line.number() * INSTRUCTIONS_PER_TICK,
                _ => {}
            }
        }
        report
    }
}

#[cfg(test)]
mod tests {
    use super::{check, run};
    use crate::firmware::{DEFAULT_TARGET, Options, skip};
    use wake::Wake;

    /// To the bit: firmware and host do the same arithmetic.
    #[test]
    fn the_chip_detects_what_the_host_detects() {
        if skip(DEFAULT_TARGET) {
            return;
        }
        let recording = include_bytes!("../../../examples/wake/recordings/kitchen.wav");
        let mut reader = hound::WavReader::new(&recording[..]).expect("the recording is a WAV file");
        let samples: Vec<i16> = reader.samples().map(|sample| sample.expect("a sample of 16 bits")).collect();
        let mut expected = Vec::new();
        Wake::new().push(&samples, |score| {
            if score.detected {
                expected.push((score.end, score.smoothed));
            }
        });
        let options = Options::parse(&["wake".to_owned()]).expect("the options are right");
        let (report, program) = run(&options).expect("the firmware runs");
        check(&report, &program).expect("the figures are right");
        assert!(!expected.is_empty(), "the recording holds the word");
        assert_eq!(report.detections, expected);
        assert_eq!(report.samples, samples.len() as u64);
    }
}
