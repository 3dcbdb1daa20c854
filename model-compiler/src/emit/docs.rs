//! What the module's documentation says: a table of the model, and a line a step.

use crate::graph::{Graph, Node};
use crate::onnx::Source;
use crate::plan::{self, Plan};

/// Multiply-accumulates of a run.
pub(super) fn macs(graph: &Graph, plan: &Plan) -> u64 {
    plan.steps.iter().map(|step| node_macs(graph, step.node)).sum()
}

fn node_macs(graph: &Graph, node: usize) -> u64 {
    plan::with_types(graph, node, |types, _| graph.nodes[node].op.rules().macs(types))
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
    for (index, step) in plan.steps.iter().enumerate() {
        let node = &graph.nodes[step.node];
        let parts = plan::with_types(graph, step.node, |types, _| node.op.rules().parts(types));
        let macs = |macs: u64| if macs == 0 { String::new() } else { macs.to_string() };
        for part in &parts {
            let operator = format!("{} row by row", part.name);
            lines.push(format!(" | {index} | {} | {operator} | {} | {} |", origin(&part.origin), part.output, macs(part.macs)));
        }
        if parts.is_empty() {
            let outputs: Vec<_> = node.outputs.iter().map(|&id| graph.ty(id).to_string()).collect();
            let (name, outputs) = (node.op.name(), outputs.join(", "));
            lines.push(format!(
                " | {index} | {} | {name} | {outputs} | {} |",
                origin(&node.origin),
                macs(node_macs(graph, step.node))
            ));
        }
    }
    lines.push(String::new());
    lines.push(memory(plan));
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

fn origin(nodes: &[String]) -> String {
    nodes.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
