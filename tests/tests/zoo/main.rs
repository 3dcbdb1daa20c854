//! Real models of other people, compiled by the macro and run on recorded inputs. It prints what each costs and how far its outputs
//! are from the recorded ones; hence it is a program of its own, as the test harness hides what a passing test prints.

mod manifest;
mod program;
mod samples;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use model_compiler::graph::{Graph, ValueId};
use model_compiler::onnx::Source;
use model_compiler::onnx::proto::ValueInfo;
use model_compiler::plan::Plan;
use model_compiler::tensor::Tensor;
use model_compiler::ty::TensorType;
use model_compiler::{import, onnx, passes, reference};

use crate::manifest::Entry;
use crate::program::{Costs, Program};

/// The work of models that are evaluated too, which a compiler without optimization takes seconds for.
const MOST_EVALUATED_MACS: u64 = 1_000_000;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the tests lie in the workspace");
    let zoo = std::env::var_os("MODEL_ZOO").map_or_else(|| root.join("../shared/models"), PathBuf::from);
    if !zoo.is_dir() {
        println!("zoo: skipped, as {} is no folder; set MODEL_ZOO to that of the models in tests/zoo.txt", zoo.display());
        return ExitCode::SUCCESS;
    }
    let (subjects, mut faults) = subjects(&zoo);
    match Program::build(root, subjects.iter().map(|subject| (&subject.entry, subject.path()))) {
        Some(program) => faults.extend(run(&subjects, &program)),
        None => faults.push("the program of all models does not build".to_owned()),
    }
    for fault in &faults {
        println!("zoo: FAILED, {fault}");
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs all models, prints a line for each, and returns what is wrong with them.
fn run(subjects: &[Subject], program: &Program) -> Vec<String> {
    let mut faults = Vec::new();
    let costs = program.costs();
    println!("{:30} {:>16} {:>9} {:>9} {:>9} {:>9}", "model", "largest error", "RAM", "bound", "weights", "MACs");
    for subject in subjects {
        let name = &subject.entry.name;
        let costs = costs[name.as_str()];
        match subject.errors(program, costs) {
            Ok(errors) => {
                let (row, fault) = subject.row(&errors, costs);
                println!("{row}");
                faults.extend(fault);
            }
            Err(fault) => faults.push(format!("{name}: {fault}")),
        }
    }
    faults
}

/// A model of the zoo, and what the compiler as a library says of it.
struct Subject {
    entry: Entry,
    folder: PathBuf,
    /// What a run is given, with each tensor's place among those of the file.
    inputs: Vec<(usize, TensorType)>,
    outputs: Vec<(usize, TensorType)>,
    /// As it becomes firmware.
    graph: Graph,
    /// Made in a debug build, which checks it by brute force.
    plan: Plan,
    /// The first node that computes with floats.
    first_float: Option<String>,
}

/// All models that the compiler takes, and what it says of the others.
fn subjects(zoo: &Path) -> (Vec<Subject>, Vec<String>) {
    let mut faults = Vec::new();
    let mut subjects = Vec::new();
    for entry in manifest::read() {
        let name = entry.name.clone();
        match Subject::new(entry, zoo) {
            Ok(subject) => subjects.push(subject),
            Err(fault) => faults.push(format!("{name}: {fault}")),
        }
    }
    (subjects, faults)
}

impl Subject {
    fn new(entry: Entry, zoo: &Path) -> Result<Self, String> {
        let folder = zoo.join(entry.folder);
        let path = folder.join(entry.file);
        let bytes = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let source = Source::new(entry.file, bytes);
        let model = onnx::parse(&source).map_err(|faults| faults.to_string())?;
        let mut graph = import::graph(&model, &entry.options).map_err(|faults| faults.to_string())?;
        passes::run(&mut graph);
        let plan = Plan::new(&graph);
        let is_float = |id: &ValueId| graph.ty(*id).elem.is_float();
        let first_float = graph.nodes.iter().find(|node| node.inputs.iter().chain(&node.outputs).any(is_float));
        let places = |tensors: &[ValueInfo], ids: &mut dyn Iterator<Item = ValueId>| {
            let place = |name: &String| tensors.iter().position(|tensor| tensor.name == *name).expect("it is the file's name");
            ids.map(|id| (place(&graph.value(id).name), graph.ty(id).clone())).collect()
        };
        let inputs = places(&model.graph.input, &mut graph.given().map(|place| graph.inputs[place]));
        let outputs = places(&model.graph.output, &mut graph.yielded().map(|place| graph.outputs[place]));
        let first_float = first_float.map(|node| node.op.to_string());
        Ok(Self { entry, folder, inputs, outputs, plan, first_float, graph })
    }

    fn path(&self) -> PathBuf {
        self.folder.join(self.entry.file)
    }

    /// How far the only output of every run of a stream is from the recorded one, or what is wrong with them.
    fn stream_errors(&self, program: &Program) -> Result<Vec<OutputError>, String> {
        let ([(_, input)], [(_, output)]) = (&self.inputs[..], &self.outputs[..]) else {
            return Err("a stream has one input and one output".to_owned());
        };
        let (inputs, recorded) = samples::stream(&self.folder, input);
        let computed = samples::numbers(output, &program.outputs(&self.entry.name, &inputs).ok_or("the run failed")?);
        if computed.len() != recorded.len() {
            return Err(format!("{} runs yielded what {} were recorded of", computed.len(), recorded.len()));
        }
        let mut error = OutputError::default();
        error.add(&recorded, &computed);
        Ok(vec![error])
    }

    /// How far the outputs of all samples are from the recorded ones, or what is wrong with them.
    fn errors(&self, program: &Program, costs: Costs) -> Result<Vec<OutputError>, String> {
        if !self.entry.options.state.is_empty() {
            return self.stream_errors(program);
        }
        let read = |side, tensors| (0..).map_while(move |index| samples::read(&self.folder, side, index, tensors));
        let inputs: Vec<u8> = read("input", &self.inputs).flatten().flatten().collect();
        let computed = program.outputs(&self.entry.name, &inputs).ok_or("the run failed")?;
        if costs.macs <= MOST_EVALUATED_MACS {
            self.compare_reference(&inputs, &computed)?;
        }
        let mut rest = &computed[..];
        let mut errors = vec![OutputError::default(); self.outputs.len()];
        for tensors in read("output", &self.outputs) {
            for (((_, ty), recorded), error) in self.outputs.iter().zip(&tensors).zip(&mut errors) {
                let bytes = rest.split_off(..recorded.len()).ok_or("there are more recorded outputs than inputs")?;
                error.add(&samples::numbers(ty, recorded), &samples::numbers(ty, bytes));
            }
        }
        if computed.is_empty() || !rest.is_empty() {
            return Err("there are not as many recorded outputs as inputs".to_owned());
        }
        Ok(errors)
    }

    /// That the reference evaluation gives the bits of the compiled model, for the first sample.
    fn compare_reference(&self, samples: &[u8], computed: &[u8]) -> Result<(), String> {
        let mut rest = samples;
        let mut take = |(_, ty): &(usize, TensorType)| Tensor::new(ty.clone(), rest.split_off(..ty.bytes())?.to_vec());
        let inputs: Option<Vec<Tensor>> = self.inputs.iter().map(&mut take).collect();
        let outputs = reference::outputs(&self.graph, &inputs.ok_or("there is no sample")?);
        let outputs = outputs.map_err(|node| format!("{} is not evaluated", node.op))?;
        let bytes: Vec<u8> = outputs.iter().flat_map(|tensor| tensor.bytes().to_vec()).collect();
        match computed.starts_with(&bytes) {
            true => Ok(()),
            false => Err("the reference evaluation gives other bits".to_owned()),
        }
    }

    /// The line of the table, and what is wrong with it.
    fn row(&self, errors: &[OutputError], costs: Costs) -> (String, Option<String>) {
        let Costs { ram_bytes, weight_bytes, macs } = costs;
        let Entry { name, float, steps, .. } = &self.entry;
        let bound = self.plan.lower_bound;
        let (floats, integers): (Vec<_>, Vec<_>) = self.outputs.iter().zip(errors).partition(|((_, ty), _)| ty.elem.is_float());
        let float_error = floats.iter().map(|(_, error)| error.relative()).reduce(f64::max).map(|error| format!("{error:.1e}"));
        let steps_off = integers.iter().map(|(_, error)| error.largest).reduce(f64::max).map(|error| format!("{error} steps"));
        let error = float_error.into_iter().chain(steps_off).collect::<Vec<_>>().join(", ");
        let row = format!("{name:30} {error:>16} {ram_bytes:>9} {bound:>9} {weight_bytes:>9} {macs:>9}");
        let exact = floats.iter().all(|(_, error)| Some(error.relative()) <= *float)
            && integers.iter().all(|(_, error)| error.largest <= *steps);
        let float_island = self.first_float.as_deref().filter(|_| float.is_none());
        let fault = match self.plan.arena_bytes == ram_bytes {
            _ if !exact => Some(format!("{name}: the error is larger than tests/zoo.txt allows")),
            _ if float_island.is_some() => Some(format!("{name}: `{}` computes with floats", float_island.unwrap_or_default())),
            true => None,
            false => Some(format!("{name}: the macro plans {ram_bytes} bytes, the library {}", self.plan.arena_bytes)),
        };
        (row, fault)
    }
}

/// How far an output is from the recorded one in all samples.
#[derive(Clone, Copy, Debug, Default)]
struct OutputError {
    /// The largest difference.
    largest: f64,
    /// The largest magnitude that was recorded.
    magnitude: f64,
}

impl OutputError {
    /// Takes in one sample.
    fn add(&mut self, recorded: &[f64], computed: &[f64]) {
        // `f64::max` would lose what is not a number.
        let larger = |largest: f64, number: f64| match largest.is_nan() || number.abs() <= largest {
            true => largest,
            false => number.abs(),
        };
        self.magnitude = recorded.iter().copied().fold(self.magnitude, larger);
        let differences = recorded.iter().zip(computed).map(|(recorded, computed)| recorded - computed);
        self.largest = differences.fold(self.largest, larger);
    }

    /// The largest difference as a part of the largest magnitude.
    fn relative(&self) -> f64 {
        if self.largest == 0.0 { 0.0 } else { self.largest / self.magnitude }
    }
}
