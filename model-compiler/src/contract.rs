//! Budgets against what the model costs: each that is broken is a fault, with the largest contributors and what could be done.

use crate::diagnostic::{Diagnostic, Subject};
use crate::emit::docs::{self, origin};
use crate::graph::Graph;
use crate::plan::{Owner, Plan};

/// The arguments that are budgets, in the order of [`Budgets`].
pub const BUDGETS: [&str; 5] = ["ram", "weights", "macs", "stack", "code"];

/// What a model may cost at most; `None` where the user sets no limit.
///
/// Stack and code are known of the linked firmware only. The compiler passes them on as constants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// Bytes of working memory.
    pub ram: Option<u64>,
    /// Bytes of constant data.
    pub weights: Option<u64>,
    /// Multiply-accumulates a run.
    pub macs: Option<u64>,
    /// Bytes of stack that a run uses.
    pub stack: Option<u64>,
    /// Bytes of code.
    pub code: Option<u64>,
}

impl Budgets {
    /// The limits, in the order of [`BUDGETS`].
    pub fn limits(&mut self) -> [&mut Option<u64>; 5] {
        [&mut self.ram, &mut self.weights, &mut self.macs, &mut self.stack, &mut self.code]
    }
}

/// A constant of the module, as the report names it.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Its name in the module.
    pub name: String,
    /// What it holds.
    pub ty: String,
    /// Its size.
    pub bytes: usize,
}

/// What takes a part of a budget: how much, and what it is.
type Contributor = (u64, String);

/// How many contributors a report names.
const NAMED: usize = 3;

/// A fault for each budget that the model breaks; `file` is the model's name.
pub fn broken(graph: &Graph, plan: &Plan, weights: &[Constant], budgets: Budgets, file: &str) -> Vec<Diagnostic> {
    let weight_bytes = weights.iter().map(|constant| constant.bytes as u64).sum();
    let over = |limit: Option<u64>, cost: u64| limit.filter(|&limit| cost > limit);
    let ram = over(budgets.ram, plan.arena_bytes as u64).map(|limit| ram(graph, plan, limit, file));
    let weights = over(budgets.weights, weight_bytes).map(|limit| {
        let (help, constants) = ("quantize the model to 8 bits, or make the largest of these layers smaller", constants(weights));
        fault("weights", "bytes of constant data", limit, weight_bytes, constants, help).at(file)
    });
    let macs = over(budgets.macs, docs::macs(graph, plan)).map(|limit| {
        let help = "give the heaviest layers fewer channels or larger strides";
        fault("macs", "multiply-accumulates a run", limit, docs::macs(graph, plan), layers(graph, plan), help).at(file)
    });
    ram.into_iter().chain(weights).chain(macs).collect()
}

/// The report of one broken budget.
fn fault(name: &'static str, unit: &str, limit: u64, cost: u64, mut contributors: Vec<Contributor>, help: &str) -> Diagnostic {
    let message = format!("`{name}` allows {limit} {unit}; the model takes {cost}, which is {} more", cost - limit);
    let fault = Diagnostic::new(message, format!("{help}; or allow it: `{name} = {cost}`"));
    contributors.sort_by_key(|&(cost, _)| std::cmp::Reverse(cost));
    let notes = contributors.into_iter().take(NAMED).map(|(cost, what)| format!("{cost} for {what}"));
    notes.fold(fault, Diagnostic::note).about(Subject::Budget(name))
}

/// The report of working memory, which is about the step that needs the most of it.
fn ram(graph: &Graph, plan: &Plan, limit: u64, file: &str) -> Diagnostic {
    let peak = peak(plan);
    let alive = plan.buffers.iter().filter(|buffer| buffer.first <= peak && peak <= buffer.last);
    let floats = |owner: Owner| matches!(owner, Owner::Value(id) if graph.ty(id).elem.is_float());
    let help = match alive.clone().any(|buffer| floats(buffer.owner)) {
        true => "quantize the model to 8 bits, or make the tensors of that step smaller",
        false => "make the tensors of that step smaller, by a smaller input, fewer channels or an earlier stride",
    };
    let overlap = alive.clone().map(|buffer| buffer.bytes).sum::<usize>() > plan.arena_bytes;
    let contributors = alive.map(|buffer| {
        let what = match buffer.owner {
            Owner::Value(id) => format!("`{}`, {}", graph.value(id).name, graph.ty(id)),
            Owner::Scratch { step, .. } => format!("scratch of {}", origin(&graph.nodes[plan.steps[step].node].origin)),
        };
        (buffer.bytes as u64, what)
    });
    let fault = fault("ram", "bytes of working memory", limit, plan.arena_bytes as u64, contributors.collect(), help);
    let fault = if overlap { fault.note("they share bytes, as the step writes over what it has read") } else { fault };
    match plan.steps.get(peak) {
        Some(step) => fault.at(format!("{file}: step {peak}, {}", origin(&graph.nodes[step.node].origin))),
        None => fault.at(format!("{file}: the outputs")),
    }
}

/// The step at which the arena is used to its end; of several that at which most bytes are alive.
fn peak(plan: &Plan) -> usize {
    let alive = |step: usize| plan.buffers.iter().filter(move |buffer| buffer.first <= step && step <= buffer.last);
    let end = |step: usize| alive(step).map(|buffer| buffer.offset + buffer.bytes).max();
    let bytes = |step: usize| alive(step).map(|buffer| buffer.bytes).sum::<usize>();
    // An output of the model may be written by no step, and lives on past the last.
    (0..=plan.steps.len()).rev().max_by_key(|&step| (end(step), bytes(step))).unwrap_or(0)
}

fn constants(weights: &[Constant]) -> Vec<Contributor> {
    weights.iter().map(|Constant { name, ty, bytes }| (*bytes as u64, format!("`{name}`, {ty}"))).collect()
}

fn layers(graph: &Graph, plan: &Plan) -> Vec<Contributor> {
    let layers = docs::layers(graph, plan).into_iter();
    layers.map(|layer| (layer.macs, format!("{}, {} of step {}", origin(&layer.origin), layer.operator, layer.step))).collect()
}
