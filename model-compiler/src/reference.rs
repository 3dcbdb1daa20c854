//! The reference evaluation: a graph computed while compiling, each node by the kernel that the chip would run, and what golden vectors say
//! of it.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Subject};
use crate::golden::{Golden, Samples};
use crate::graph::{Graph, Node, ValueId};
use crate::kernels;
use crate::kernels::report::Report;
use crate::op::reference_only;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};
use crate::with_elem;

/// The values of a run.
type Values = HashMap<ValueId, Tensor>;

/// The outputs of a graph for its inputs, or the first node that cannot be computed while compiling.
pub fn outputs<'a>(graph: &'a Graph, inputs: &[Tensor]) -> Result<Vec<Tensor>, &'a Node> {
    let values = values(graph, inputs)?;
    let output = |&id: &ValueId| graph.constant(id).unwrap_or_else(|| &values[&id]).clone();
    Ok(graph.outputs.iter().map(output).collect())
}

fn values<'a>(graph: &'a Graph, inputs: &[Tensor]) -> Result<Values, &'a Node> {
    let mut values: Values = graph.inputs.iter().copied().zip(inputs.iter().cloned()).collect();
    for node in &graph.nodes {
        let operands: Vec<&Tensor> = node.inputs.iter().map(|&id| graph.constant(id).unwrap_or_else(|| &values[&id])).collect();
        let types: Vec<TensorType> = node.outputs.iter().map(|&id| graph.ty(id).clone()).collect();
        let results = node.op.rules().evaluate(&operands, &types).ok_or(node)?;
        values.extend(node.outputs.iter().copied().zip(results));
    }
    Ok(values)
}

/// What golden vectors say against a model: how far the outputs of `compiled`, its graph as it becomes firmware, are off, and where
/// `imported`, the graph as the file has it, first leaves the tensors within that the file of golden vectors holds.
pub fn check(imported: &Graph, compiled: &Graph, golden: &Golden) -> Option<Diagnostic> {
    reference_only!();
    let outputs: Vec<ValueId> = compiled.yielded().map(|place| compiled.outputs[place]).collect();
    let expected: Vec<(ValueId, &Samples)> = outputs.into_iter().zip(&golden.outputs).collect();
    let reports = match run(compiled, golden, &expected) {
        Ok(reports) => reports,
        Err(node) => return Some(not_computed(compiled, node)),
    };
    let broken: Vec<&Report> = reports.iter().filter(|report| !report.holds()).collect();
    let worst = broken.first()?;
    let fault = Diagnostic::new(
        format!("the model is not what `{}` says: {worst}", golden.file),
        "compare the model with the one that the golden vectors were made with, or give the `tolerance` that is right for it",
    );
    let fault = broken[1..].iter().fold(fault, |fault, report| fault.note(report.to_string()));
    Some(first_wrong(imported, golden).into_iter().fold(fault, Diagnostic::note).about(Subject::Verify))
}

/// Which of the tensors within leaves tolerance first.
fn first_wrong(imported: &Graph, golden: &Golden) -> Option<String> {
    let within: Vec<(ValueId, &Samples)> = golden.within.iter().map(|(id, samples)| (*id, samples)).collect();
    if within.is_empty() {
        return Some(
            "store further tensors of the model in the file, by their names, to learn where they are first off".to_owned(),
        );
    }
    let reports = run(imported, golden, &within).ok()?;
    let Some(place) = reports.iter().position(|report| !report.holds()) else {
        return Some(format!("each of the {} tensors within that the file holds is right", within.len()));
    };
    let node = &imported.nodes[imported.producer(within[place].0)?];
    let origin = node.origin.last().map_or_else(|| node.op.to_string(), Clone::clone);
    Some(format!("the first tensor within that is off is what `{origin}` computes: {}", reports[place]))
}

/// Runs all samples in their order, and compares these values with what they should be.
fn run<'g, 's>(graph: &'g Graph, golden: &Golden, expected: &[(ValueId, &'s Samples)]) -> Result<Vec<Report<'s>>, &'g Node> {
    let report = |(_, samples): &(ValueId, &'s Samples)| {
        let is_float = matches!(samples.ty.elem, ElemType::F16 | ElemType::BF16 | ElemType::F32 | ElemType::F64);
        let all = (0..golden.samples).flat_map(|sample| numbers(&samples.tensor(sample)).into_iter());
        Report::new(&samples.name, is_float, golden.tolerance, all)
    };
    let mut reports: Vec<Report> = expected.iter().map(report).collect();
    let mut states: Vec<Tensor> = (graph.states.iter())
        .map(|state| state.initial.clone().unwrap_or_else(|| zeros(graph.ty(graph.inputs[state.input]))))
        .collect();
    let given: Vec<usize> = graph.given().collect();
    for sample in 0..golden.samples {
        let of_state =
            |place: usize| graph.states.iter().position(|state| state.input == place).map(|state| states[state].clone());
        let of_sample = |place| golden.inputs[given.iter().position(|&other| other == place).expect("no state")].tensor(sample);
        let inputs: Vec<Tensor> =
            (0..graph.inputs.len()).map(|place| of_state(place).unwrap_or_else(|| of_sample(place))).collect();
        let values = values(graph, &inputs)?;
        for (report, (id, samples)) in reports.iter_mut().zip(expected) {
            report.take(numbers(&samples.tensor(sample)).into_iter(), numbers(&values[id]).into_iter());
        }
        states = graph.states.iter().map(|state| values[&graph.outputs[state.output]].clone()).collect();
    }
    Ok(reports)
}

fn not_computed(graph: &Graph, node: &Node) -> Diagnostic {
    let types: Vec<String> = graph.types(&node.outputs).iter().map(ToString::to_string).collect();
    let origin = node.origin.last().map_or("", String::as_str);
    Diagnostic::new(
        format!("`{origin}`, which is {} to {}, cannot be computed while compiling", node.op, types.join(", ")),
        "leave out `verify_at`: `cargo test` runs the compiled model itself",
    )
    .about(Subject::Verify)
}

fn zeros(ty: &TensorType) -> Tensor {
    Tensor::new(ty.clone(), vec![0; ty.bytes()]).expect("as many bytes as the type has")
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    reference_only!();
    with_elem!(tensor.ty().elem, T => tensor.to_vec::<T>().into_iter().map(kernels::cast::<T, f64>).collect())
}
