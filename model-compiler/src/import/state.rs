//! The argument `state`: outputs that become inputs of the next run.

use super::elements;
use crate::Options;
use crate::diagnostic::{Diagnostic, Refusal, Subject};
use crate::graph::{Graph, State};
use crate::onnx::proto;
use crate::scalar::Scalar;
use crate::tensor::Tensor;

/// Keys and values of `state` and `state_init` that name nothing that can be tied.
pub(super) fn check_names(options: &Options, graph: &proto::Graph, inputs: &[&proto::ValueInfo]) -> Vec<Diagnostic> {
    let pinned = |name: &str| options.inputs.iter().any(|(key, _)| key == name);
    let free = inputs.iter().map(|input| input.name.as_str()).filter(|name| !pinned(name));
    let mut faults = elements::unknown_keys("state", &options.state, free);
    let outputs: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    for (index, (input, output)) in options.state.iter().enumerate() {
        let subject = || Subject::entry("state", input);
        if !outputs.contains(&output.as_str()) {
            let known: Vec<String> = outputs.iter().map(|name| format!("`{name}`")).collect();
            let message =
                format!("`state` ties `{input}` to `{output}`, which is no output of the model; it has {}", known.join(", "));
            let help = "write the output that becomes this input of the next run";
            faults.push(Diagnostic::new(message, help).about(subject()));
        }
        if let Some((first, _)) = options.state[..index].iter().find(|(_, other)| other == output) {
            let message = format!("`state` ties output `{output}` to `{first}` and to `{input}`; expected one input");
            faults.push(Diagnostic::new(message, "keep one of the two").about(subject()));
        }
    }
    let tied = |name: &str| options.state.iter().any(|(key, _)| key == name);
    for (key, _) in options.state_init.iter().filter(|(key, _)| !tied(key)) {
        let message = format!("`state_init` has `{key}`, which is no key of `state`");
        let fault = Diagnostic::new(message, "add it to `state` with the output that it takes over, or correct its name");
        faults.push(fault.about(Subject::entry("state_init", key)));
    }
    faults
}

/// Ties the outputs of a complete graph to its inputs, or tells which do not fit.
pub(super) fn tie(graph: &mut Graph, options: &Options) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    for (input, output) in &options.state {
        match state(graph, options, input, output) {
            Ok(state) => graph.states.push(state),
            Err(fault) => faults.push(fault),
        }
    }
    faults
}

fn state(graph: &Graph, options: &Options, input: &str, output: &str) -> Result<State, Diagnostic> {
    let place = |ids: &[_], name: &str| ids.iter().position(|&id| graph.value(id).name == name).expect("the name was checked");
    let (from, to) = (place(&graph.outputs, output), place(&graph.inputs, input));
    let (found, expected) = (graph.ty(graph.outputs[from]), graph.ty(graph.inputs[to]));
    if found != expected {
        let message =
            format!("`state` ties `{input}`, which is {expected}, to `{output}`, which is {found}; both must have one type");
        let help = "tie an output of the input's element type and shape, or fix the input's shape with `dims`";
        return Err(Diagnostic::new(message, help).about(Subject::entry("state", input)));
    }
    let initial = options.state_init.iter().find(|(key, _)| key == input);
    let initial = initial.map(|(_, elements)| elements::tensor(elements, expected)).transpose().map_err(|refusal| {
        let Refusal { message, help } = refusal;
        Diagnostic::new(format!("`state_init` sets `{input}`, {message}"), help).about(Subject::entry("state_init", input))
    })?;
    let is_zero = |tensor: &Tensor| Scalar::all(tensor).iter().all(|&element| element == Scalar::zero(expected.elem));
    Ok(State { input: to, output: from, initial: initial.filter(|tensor| !is_zero(tensor)) })
}
