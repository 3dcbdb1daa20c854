//! The firmware that measures one model: `xtask/bench`, built with the model and without it.

use crate::command;
use crate::firmware::budget;
use crate::firmware::cycles::{self, Estimate};
use crate::firmware::elf::{self, Program};
use crate::firmware::qemu::{Line, Qemu};
use crate::firmware::stack::Bound;
use crate::firmware::toolchain::Toolchain;
use crate::firmware::{Options, TARGET_FOLDER, tensor};
use anyhow::{Result, bail, ensure};

const MANIFEST: &str = "xtask/bench/Cargo.toml";

/// The function that runs the model, and that which calls it, where nothing is left of a model that computes nothing.
const RUN: [&str; 2] = ["bench::run", "bench::stack::peak"];

/// What a model costs on the chip, in instructions and bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Costs {
    /// Of one run.
    pub(crate) instructions: u64,
    /// An estimate, for a Cortex-M4.
    pub(crate) cycles: Option<u64>,
    /// Inputs, outputs, all that is between them, and state.
    pub(crate) arena: u64,
    pub(crate) stack: u64,
    pub(crate) code: u64,
    pub(crate) constants: u64,
}

impl Costs {
    pub(crate) fn ram(&self) -> u64 {
        self.arena + self.stack
    }

    pub(crate) fn flash(&self) -> u64 {
        self.code + self.constants
    }
}

/// All that is known of a model on the chip.
struct Measured {
    /// The command that built the firmware.
    build: String,
    report: Report,
    cycles: Option<Estimate>,
    /// The firmware with the model.
    model: Program,
    /// The firmware without.
    baseline: Program,
    /// The most stack that a run can take, or why that is not known.
    stack: Result<Bound, String>,
}

/// What the host reads of the firmware's report.
#[derive(Debug, Default)]
pub(crate) struct Report {
    clock: u64,
    /// Bytes of all inputs.
    inputs: u64,
    pub(crate) instructions: u64,
    arena: u64,
    weights: u64,
    macs: u64,
    stack: u64,
    /// What stack and code may take, as the macro's arguments say.
    stack_budget: u64,
    code_budget: u64,
    /// Element type and bytes of each output.
    outputs: Vec<(String, Vec<u8>)>,
}

/// Builds the firmware, runs it, prints what it costs, and fails where the figures cannot be right or the firmware could panic.
pub(crate) fn measure(options: &Options) -> Result<()> {
    let measured = run(options)?;
    print(options, &measured);
    check(&measured)?;
    measured.hold_budgets()
}

/// The same without printing.
pub(crate) fn costs(options: &Options) -> Result<Costs> {
    let measured = run(options)?;
    check(&measured)?;
    Ok(measured.costs())
}

/// Builds the firmware, and tells how many bytes its inputs have.
pub(crate) fn input_bytes(options: &Options) -> Result<u64> {
    Ok(run(options)?.report.inputs)
}

impl Measured {
    fn costs(&self) -> Costs {
        let Measured { report, model, baseline, .. } = self;
        Costs {
            instructions: report.instructions,
            cycles: self.cycles.map(|estimate| estimate.cycles),
            arena: report.arena,
            stack: report.stack,
            code: model.sizes.code.saturating_sub(baseline.sizes.code),
            constants: model.sizes.constants.saturating_sub(baseline.sizes.constants),
        }
    }

    /// Fails for the first of the budgets that only the linked firmware shows and that the model breaks.
    fn hold_budgets(&self) -> Result<()> {
        let Measured { report, model, baseline, .. } = self;
        let own = |(name, _): &&(String, u64)| !baseline.functions.iter().any(|(other, _)| other == name);
        budget::hold("code", report.code_budget, self.costs().code, model.functions.iter().filter(own))?;
        match &self.stack {
            Ok(bound) => budget::hold("stack", report.stack_budget, bound.bytes, &bound.chain),
            Err(_) if report.stack_budget == u64::MAX => Ok(()),
            Err(reason) => bail!("`stack` allows {} bytes, but {reason}", report.stack_budget),
        }
    }
}

fn run(options: &Options) -> Result<Measured> {
    let path = std::path::absolute(&options.model)?;
    ensure!(path.is_file(), "there is no model `{}`", path.display());
    let toolchain = Toolchain::find(&options.target)?;
    let qemu = Qemu::find(&options.target)?;
    let mut build = toolchain.build(MANIFEST, &["model", "baseline"], &options.opt);
    build.env("MODEL", path).env("ARGUMENTS", &options.arguments);
    command::run(&mut build)?;

    let binaries = command::root().join(TARGET_FOLDER).join(&options.target).join("release");
    let inputs: Vec<Vec<u8>> = options.inputs.iter().map(|path| tensor::read_npy(path)).collect::<Result<_>>()?;
    let inputs = inputs.concat();
    let program = binaries.join("model");
    let (lines, cycles) = match options.target.starts_with("thumbv7em") {
        true => cycles::run(qemu, &program, &inputs)?,
        false => (qemu.run(&program, &inputs)?, None),
    };
    let report = Report::read(&lines);
    let (given, taken) = (inputs.len() as u64, report.inputs);
    ensure!(given == 0 || given == taken, "the inputs given have {given} bytes; the model takes {taken}");
    let [model, baseline] = ["model", "baseline"].map(|name| elf::read(&binaries.join(name)));
    let (model, baseline) = (model?, baseline?);
    let stack = model.calls.bound(&RUN).map_err(|reason| format!("{reason:#}"));
    Ok(Measured { build: command::show(&build), report, cycles, model, baseline, stack })
}

impl Report {
    pub(crate) fn read(lines: &[Line]) -> Report {
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
                "stack_budget" => report.stack_budget = line.number(),
                "code_budget" => report.code_budget = line.number(),
                kind => report.outputs.push((kind.to_owned(), line.bytes.clone())),
            }
        }
        report
    }
}

fn print(options: &Options, measured: &Measured) {
    let Costs { instructions, cycles, arena, stack, code, constants } = measured.costs();
    let Report { macs, weights, outputs, .. } = &measured.report;
    let row = |name: &str, number: u64, note: String| println!("  {name:12} {:>12}   {note}", grouped(number));
    println!("{}", measured.build);
    println!("{} on {}, opt-level {}", options.model.display(), options.target, options.opt);
    let per_mac = instructions as f64 / *macs.max(&1) as f64;
    row("instructions", instructions, format!("{} multiply-accumulates, {per_mac:.2} each", grouped(*macs)));
    if let Some(cycles) = cycles {
        row("cycles", cycles, "an estimate for memory that answers at once".to_owned());
    }
    let [code_bytes, constant_bytes, weights] = [code, constants, *weights].map(grouped);
    row("flash", code + constants, format!("code {code_bytes} + constants {constant_bytes} (weights {weights})"));
    row("arena", arena, String::new());
    let bound = |bound: &Bound| format!("at most {} along any chain of calls", grouped(bound.bytes));
    row("stack", stack, measured.stack.as_ref().map_or_else(String::clone, bound));
    for (index, (kind, bytes)) in outputs.iter().enumerate() {
        println!("  output {index}: {}", tensor::show(kind, bytes));
    }
}

fn check(Measured { report, cycles, model, stack, .. }: &Measured) -> Result<()> {
    if let Some(Estimate { instructions, .. }) = cycles {
        let (profile, clock) = (*instructions, report.instructions);
        ensure!(profile.abs_diff(clock) <= 8, "the profiler counted {profile} instructions, the clock {clock}");
    }
    if let Ok(Bound { bytes, .. }) = stack {
        ensure!(report.stack <= *bytes, "a run took {} bytes of stack, where {bytes} are the bound", report.stack);
    }
    ensure!(report.clock == 2_000_000, "the emulator's clock is off: 2000000 instructions were counted as {}", report.clock);
    ensure!(model.sizes.data == 0, "{} bytes of initialized data, where the model should lie in .bss", model.sizes.data);
    ensure!(model.sizes.bss >= report.arena, "the arena of {} bytes does not lie in .bss", report.arena);
    ensure!(model.panics.is_empty(), "the firmware can panic, through {}", model.panics.join(", "));
    Ok(())
}

/// Digits in groups of three.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let first = digits.len() % 3;
    let (head, tail) = digits.split_at(first);
    let tail = tail.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group));
    let groups: Vec<_> = (first > 0).then(|| head.into()).into_iter().chain(tail).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::{check, grouped, run};
    use crate::command;
    use crate::firmware::{DEFAULT_TARGET, Options, TARGETS, skip, steady};
    use model_runtime::{Elem, Model};

    #[test]
    fn digits_stand_in_groups_of_three() {
        let cases = [(0, "0"), (999, "999"), (1000, "1 000"), (98_800_123, "98 800 123")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    model_runtime::include_model!("../../../tests/models/residual.onnx");
    model_runtime::include_model!("../../../tests/models/several.onnx");
    model_runtime::include_model!("../../../tests/models/elements.onnx");
    model_runtime::include_model!("../../../tests/models/image.onnx");

    /// To the bit on every kind of chip, and with the same cost each time.
    #[test]
    fn the_chips_compute_what_the_host_computes() {
        for target in TARGETS.into_iter().filter(|target| !skip(target)) {
            computes_as_the_host(target, "residual", &mut residual::Model::new());
            computes_as_the_host(target, "several", &mut several::Model::new());
            computes_as_the_host(target, "elements", &mut elements::Model::new());
            computes_as_the_host(target, "image", &mut image::Model::new());
            // The firmware of that model, which is one of integers.
            let bytes = image::SIGNATURE.inputs[0].bytes();
            println!("{}", steady::spread(target, bytes).expect("time does not depend on data"));
            if target == DEFAULT_TARGET {
                skips_zeros();
            }
        }
    }

    /// Layers three quarters of whose weights are zero take at most half the instructions that their kernel takes, with the same bits.
    fn skips_zeros() {
        let path = command::root().join("tests/models/sparse.onnx");
        let measured = ["unroll = none", ""].map(|arguments| {
            let options = Options { model: path.clone(), arguments: arguments.to_owned(), ..Options::default() };
            run(&options).expect("the firmware runs")
        });
        let [kernel, unrolled] = measured.each_ref().map(|measured| measured.costs());
        println!("{} instructions by the kernel, {} unrolled", kernel.instructions, unrolled.instructions);
        assert!(2 * unrolled.instructions <= kernel.instructions, "{unrolled:?} against {kernel:?}");
        assert!(unrolled.flash() < kernel.flash(), "{unrolled:?} against {kernel:?}");
        let [kernel, unrolled] = measured.map(|measured| measured.report.outputs);
        assert_eq!(unrolled, kernel);
    }

    fn computes_as_the_host(target: &str, name: &str, model: &mut dyn Model) {
        let path = command::root().join(format!("tests/models/{name}.onnx"));
        let words = [&path.display().to_string(), "--target", target].map(str::to_owned);
        let options = Options::parse(&words).expect("the options are right");
        let measured = run(&options).expect("the firmware runs");
        check(&measured).expect("the figures are right");
        assert!(measured.stack.is_ok(), "{name} on {target}: {:?}", measured.stack);
        let found: Vec<&[u8]> = measured.report.outputs.iter().map(|(_, bytes)| &bytes[..]).collect();
        assert_eq!(found, run_on_pattern(model), "{name} on {target}");

        let again = run(&options).expect("the firmware runs");
        assert_eq!(again.report.instructions, measured.report.instructions, "{name} on {target}");
    }

    /// The outputs for the pattern with which the firmware fills its inputs.
    fn run_on_pattern(model: &mut dyn Model) -> Vec<Vec<u8>> {
        let signature = model.signature();
        for (index, tensor) in signature.inputs.iter().enumerate() {
            let pattern = (0..tensor.elements()).flat_map(|i| element(tensor.elem, (i as i8).wrapping_mul(37).wrapping_add(11)));
            let place = model.input_bytes(index).expect("the model has the input");
            place.iter_mut().zip(pattern).for_each(|(to, from)| *to = from);
        }
        model.run_in_place();
        let bytes = |index| model.output_bytes(index).expect("the model has the output").to_vec();
        (0..signature.outputs.len()).map(bytes).collect()
    }

    /// The value as an integer, or divided by 128.
    fn element(elem: Elem, value: i8) -> Vec<u8> {
        let float = f32::from(value) / 128.0;
        match elem {
            Elem::Bool => vec![u8::from(value & 1 == 1)],
            Elem::F16 => half::f16::from_f32(float).to_le_bytes().to_vec(),
            Elem::BF16 => half::bf16::from_f32(float).to_le_bytes().to_vec(),
            Elem::F32 => float.to_le_bytes().to_vec(),
            Elem::F64 => f64::from(float).to_le_bytes().to_vec(),
            integer => i64::from(value).to_le_bytes()[..integer.size()].to_vec(),
        }
    }
}
