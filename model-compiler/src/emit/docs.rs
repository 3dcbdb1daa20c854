//! What the module's documentation says: a table of the model, and a line a step. Reports of broken budgets say the same.

use crate::graph::{Graph, Node};
use crate::onnx::Source;
use crate::op::Part;
use crate::plan::{self, Plan};

/// Multiply-accumulates of a run.
pub(crate) fn macs(graph: &Graph, plan: &Plan) -> u64 {
    plan.steps.iter().map(|step| node_macs(graph, step.node)).sum()
}

fn node_macs(graph: &Graph, node: usize) -> u64 {
    plan::with_types(graph, node, |types, _| graph.nodes[node].op.rules().macs(types))
}

/// A line of the model's table: a step, or one of the layers that a step makes row by row.
pub(crate) struct Layer {
    pub(crate) step: usize,
    /// The ONNX nodes that it stands for.
    pub(crate) origin: Vec<String>,
    pub(crate) operator: String,
    /// The types of its outputs.
    output: String,
    /// Multiply-accumulates of a run.
    pub(crate) macs: u64,
}

/// The model's layers in the order of the steps.
pub(crate) fn layers(graph: &Graph, plan: &Plan) -> Vec<Layer> {
    let layers = plan.steps.iter().enumerate().flat_map(|(step, planned)| {
        let node = &graph.nodes[planned.node];
        let parts = plan::with_types(graph, planned.node, |types, _| node.op.rules().parts(types));
        if parts.is_empty() {
            let outputs: Vec<_> = node.outputs.iter().map(|&id| graph.ty(id).to_string()).collect();
            let (operator, output) = (node.op.name().to_owned(), outputs.join(", "));
            return vec![Layer { step, origin: node.origin.clone(), operator, output, macs: node_macs(graph, planned.node) }];
        }
        let by_row = |part: Part| Layer {
            step,
            origin: part.origin,
            operator: format!("{} row by row", part.name),
            output: part.output.to_string(),
            macs: part.macs,
        };
        parts.into_iter().map(by_row).collect()
    });
    layers.collect()
}

/// The lines of the module's summary.
pub(super) fn summary(graph: &Graph, plan: &Plan, source: &Source, weight_bytes: usize) -> Vec<String> {
    let steps = match plan.steps.len() {
        1 => "1 step".to_owned(),
        count => format!("{count} steps"),
    };
    let mut lines = vec![
        format!(
            " `{}` (opset {}): {steps}, {weight_bytes} bytes of constant data, {} bytes of working memory, {} multiply-accumulates a run.",
            source.name,
            graph.opset,
            plan.arena_bytes,
            macs(graph, plan)
        ),
        String::new(),
        " | step | ONNX nodes | operator | output | MACs |".to_owned(),
        " |---|---|---|---|---|".to_owned(),
    ];
    for Layer { step, origin: nodes, operator, output, macs } in layers(graph, plan) {
        let macs = if macs == 0 { String::new() } else { macs.to_string() };
        lines.push(format!(" | {step} | {} | {operator} | {output} | {macs} |", origin(&nodes)));
    }
    lines.push(String::new());
    lines.push(memory(plan));
    for state in &graph.states {
        let (input, output) = (&graph.value(graph.inputs[state.input]).name, &graph.value(graph.outputs[state.output]).name);
        let first = if state.initial.is_some() { "a constant at first" } else { "zero at first" };
        lines.push(String::new());
        lines.push(format!(" State: `{input}` is `{output}` of the run before, {first}."));
    }
    for note in &graph.notes {
        lines.push(String::new());
        lines.push(format!(" Assumed: {note}."));
    }
    lines
}

fn memory(plan: &Plan) -> String {
    let (peak, bound) = (plan.arena_bytes, plan.lower_bound);
    let (verdict, reason) = match peak.cmp(&bound) {
        std::cmp::Ordering::Less => ("fewer than", ", as steps write over what they have read"),
        std::cmp::Ordering::Equal => ("exactly", ""),
        std::cmp::Ordering::Greater => ("more than", ""),
    };
    format!(
        " The arena takes {peak} bytes: {verdict} the {bound} bytes of the largest set of values that are alive at one step{reason}."
    )
}

/// What is said of a step: "`/conv/Conv`, `/relu/Relu`: f32[1, 8] → f32[1, 12]"
pub(super) fn step(graph: &Graph, node: &Node) -> String {
    let list = |ids: &mut dyn Iterator<Item = String>| ids.collect::<Vec<_>>().join(", ");
    let inputs = list(&mut node.inputs.iter().filter(|&&id| graph.constant(id).is_none()).map(|&id| graph.ty(id).to_string()));
    let outputs = list(&mut node.outputs.iter().map(|&id| graph.ty(id).to_string()));
    let arrow = if inputs.is_empty() { "→" } else { " →" };
    format!(" {}: {inputs}{arrow} {outputs}", origin(&node.origin))
}

/// What is said of a layer of which each row is made on its own: "rows of `/conv/Conv`, `/relu/Relu`"
pub(crate) fn of_rows(nodes: &[String]) -> String {
    format!(" rows of {}", origin(nodes))
}

/// "`/conv/Conv`, `/relu/Relu`"
pub(crate) fn origin(nodes: &[String]) -> String {
    nodes.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
