//! `Scan`, and `Loop` whose number of runs is known: their graph becomes one of its own, which runs several times.
//!
//! <https://onnx.ai/onnx/operators/onnx__Scan.html>, <https://onnx.ai/onnx/operators/onnx__Loop.html>

use super::control::graph_attribute;
use super::inner::{Given, Inner, yield_results};
use super::scope::Named;
use super::{Import, Inputs};
use crate::diagnostic::{Refusal, Result};
use crate::graph::{Graph, State, ValueId};
use crate::onnx::proto;
use crate::ops::repeat::{Feed, Repeat, Slices};
use crate::reader::{NodeReader, axis};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// The most runs that are taken for meant.
const MOST_TRIPS: i64 = 1 << 24;

/// An input of the graph, and what it is.
enum Fed {
    /// A value that each run is given.
    Given(Feed, TensorType),
    /// A value that is known.
    Constant(Tensor),
}

/// How often a graph runs and with what.
struct Repetition<'a> {
    body: &'a proto::Graph,
    trips: usize,
    /// The inputs of the graph.
    fed: Vec<Fed>,
    /// What the operator reads for them, but for what the graph reads from around it.
    inputs: Vec<ValueId>,
    /// Whether the graph's first output is the condition to go on.
    conditional: bool,
    /// The axis along which each of its last outputs is stacked, and whether from last to first.
    stacked: Vec<(i64, bool)>,
}

impl<'a> Import<'a> {
    pub(super) fn read_scan(&mut self, index: usize, node: &'a proto::Node, inputs: &Inputs) -> Result<Vec<Named>> {
        let body = body_of(node)?;
        if self.opset(&node.domain).unwrap_or_default() >= 9 {
            let repetition = self.scan(node, body, inputs, "scan_input_directions")?;
            return self.repeat(index, node, repetition);
        }
        let inputs = self.reading(node, inputs, without_batch)?;
        let repetition = self.scan(node, body, &inputs, "directions")?;
        let results = self.repeat(index, node, repetition)?;
        self.reading(node, &inputs, |reader| results.into_iter().map(|named| with_batch(reader, named)).collect())
    }

    fn scan(
        &mut self,
        node: &'a proto::Node,
        body: &'a proto::Graph,
        inputs: &Inputs,
        directions: &'static str,
    ) -> Result<Repetition<'a>> {
        let opset = self.opset(&node.domain).unwrap_or_default();
        let resolved = self.scopes.resolved(node);
        let reader = NodeReader::new(&mut self.graph, &resolved, self.model.source, opset, node.name.clone(), inputs.clone());
        reader.ignore("body");
        let ids = reader.all_inputs()?;
        let scans = usize::try_from(reader.int("num_scan_inputs", 0)?).ok().filter(|&scans| 1 <= scans && scans <= ids.len());
        let scans = scans.ok_or_else(|| {
            Refusal::new(
                format!("attribute `num_scan_inputs` is not between 1 and the {} inputs", ids.len()),
                "export the model again, or check it with `onnx.checker`",
            )
        })?;
        let states = ids.len() - scans;
        let stacks = body.output.len().saturating_sub(states);
        let [axes, directions] = ["scan_input_axes", directions].map(|name| per_tensor(&reader, name, scans));
        let [out_axes, out_directions] =
            ["scan_output_axes", "scan_output_directions"].map(|name| per_tensor(&reader, name, stacks));
        let (axes, directions, out_axes, out_directions) = (axes?, directions?, out_axes?, out_directions?);
        reader.finish()?;
        let mut fed: Vec<Fed> = ids[..states].iter().map(|&id| Fed::Given(Feed::State, self.graph.ty(id).clone())).collect();
        let mut trips = None;
        for (place, &id) in ids[states..].iter().enumerate() {
            let ty = self.graph.ty(id);
            let along = axis("scan_input_axes", axes[place], ty.shape.len())?;
            let mut sizes = ty.shape.to_vec();
            let size = sizes.remove(along);
            if *trips.get_or_insert(size) != size {
                return Err(Refusal::new(
                    format!("the scanned inputs have {} and {size} slices; all must have as many", trips.unwrap_or(size)),
                    "fix the shapes in the exported model, or the sizes given in `dims`",
                ));
            }
            let slices = Slices { axis: along, reverse: directions[place] == 1 };
            fed.push(Fed::Given(Feed::Slice(slices), ty.with_shape(sizes)));
        }
        let stacked = out_axes.iter().zip(out_directions).map(|(&axis, direction)| (axis, direction == 1)).collect();
        let trips = trips.unwrap_or(0);
        Ok(Repetition { body, trips, fed, inputs: ids, conditional: false, stacked })
    }

    pub(super) fn read_loop(&mut self, index: usize, node: &'a proto::Node, inputs: &Inputs) -> Result<Vec<Named>> {
        let body = body_of(node)?;
        let known = |id: Option<ValueId>| id.and_then(|id| self.graph.constant(id)?.to_ints()?.first().copied());
        let [trips, condition] = [0, 1].map(|place| inputs.get(place).copied().flatten());
        let trips = known(trips).ok_or_else(|| {
            Refusal::new(
                "the number of runs is not known at compile time",
                "export the model with fixed shapes, or pin the input that decides the number with `inputs = { … }`",
            )
        })?;
        let trips = trips.min(MOST_TRIPS + 1);
        let trips = match condition {
            None => trips,
            Some(_) => match known(condition) {
                Some(0) => 0,
                Some(_) => trips,
                None => return Err(computed_condition()),
            },
        };
        let trips = usize::try_from(trips).ok().filter(|&trips| trips as u64 <= MOST_TRIPS.unsigned_abs()).ok_or_else(|| {
            Refusal::new(
                format!("the node runs {trips} times; supported are 0 to {MOST_TRIPS}"),
                "export the model with fewer runs",
            )
        })?;
        let states: Option<Vec<ValueId>> = inputs.iter().skip(2).copied().collect();
        let states = states
            .ok_or_else(|| Refusal::new("a state is omitted", "export the model again, or check it with `onnx.checker`"))?;
        let scalar = |elem| TensorType::new(elem, []);
        let go_on = Tensor::new(scalar(ElemType::Bool), vec![1]).expect("one byte");
        let mut fed = vec![Fed::Given(Feed::Counter, scalar(ElemType::I64)), Fed::Constant(go_on)];
        fed.extend(states.iter().map(|&id| Fed::Given(Feed::State, self.graph.ty(id).clone())));
        let stacks = body.output.len().saturating_sub(states.len() + 1);
        let stacked = vec![(0, false); stacks];
        self.repeat(index, node, Repetition { body, trips, fed, inputs: states, conditional: true, stacked })
    }

    /// Reads the graph and pushes the operator.
    fn repeat(&mut self, index: usize, node: &'a proto::Node, repetition: Repetition<'a>) -> Result<Vec<Named>> {
        let Repetition { body, mut trips, fed, mut inputs, conditional, stacked } = repetition;
        if trips == 0 {
            return Err(Refusal::new("the graph runs no time", "export the model with at least one run, or without the node"));
        }
        if body.input.len() != fed.len() || body.output.len() < usize::from(conditional) {
            return Err(Refusal::new(
                format!(
                    "the graph has {} inputs and {} outputs; the node gives it {}",
                    body.input.len(),
                    body.output.len(),
                    fed.len()
                ),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
        let mut feeds: Vec<Feed> =
            fed.iter().filter_map(|fed| if let Fed::Given(feed, _) = fed { Some(*feed) } else { None }).collect();
        let given = fed.into_iter().map(|fed| match fed {
            Fed::Given(Feed::Counter, _) => Given::Counter(trips),
            Fed::Given(_, ty) => Given::Value(ty),
            Fed::Constant(tensor) => Given::Constant(tensor),
        });
        let Inner { mut graph, captured, results } = self.read_inner(index, "body", body, given);
        feeds.extend(captured.iter().map(|_| Feed::Whole));
        inputs.extend(captured);
        let Some(mut results) = results else { return Ok(vec![Named::Unknown; node.output.len()]) };
        if conditional {
            let condition = results.remove(0);
            trips = runs_until(&graph, condition, trips)?;
        }
        yield_results(&mut graph, &body.output[usize::from(conditional)..], &results);
        tie(&mut graph, &feeds)?;
        let slices = |((along, reverse), &id): ((i64, bool), &ValueId)| {
            let axis = axis("scan_output_axes", along, graph.ty(id).shape.len() + 1)?;
            Ok(Slices { axis, reverse })
        };
        let stacked: Vec<Slices> =
            stacked.into_iter().zip(&graph.outputs[graph.states.len()..]).map(slices).collect::<Result<_>>()?;
        let origin = [if node.name.is_empty() { node.op_type.clone() } else { node.name.clone() }];
        let ids = self.graph.push(Repeat::new(graph, trips, feeds, stacked).into(), &inputs, &origin)?;
        Ok(ids.into_iter().map(Named::Value).collect())
    }
}

/// The states and scanned inputs of a `Scan` of opset 8, in which each has a batch, here of one.
///
/// <https://onnx.ai/onnx/operators/onnx__Scan.html#scan-8>
fn without_batch(reader: &mut NodeReader) -> Result<Inputs> {
    if reader.optional_input(0).is_some() {
        return Err(Refusal::new(
            "the lengths of sequences are given; supported are sequences of one length",
            "export the model without the input `sequence_lens`",
        ));
    }
    let mut inputs = Vec::new();
    for input in 1..reader.input_count() {
        let id = reader.input(input)?;
        let ty = reader.ty(id).clone();
        let [1, ref rest @ ..] = ty.shape[..] else {
            return Err(Refusal::new(
                format!("input {input} is {ty}; before opset 9 supported is a batch of one, which is its first dimension"),
                "fix the batch to 1 by `dims`, or export the model for opset 9 or newer",
            ));
        };
        inputs.push(Some(reader.reshape(id, rest)?));
    }
    Ok(inputs)
}

/// A result with a batch of one.
fn with_batch(reader: &mut NodeReader, named: Named) -> Result<Named> {
    let Named::Value(id) = named else { return Ok(named) };
    let sizes: Vec<usize> = [1].into_iter().chain(reader.ty(id).shape.iter().copied()).collect();
    Ok(Named::Value(reader.reshape(id, sizes)?))
}

/// Ties the next states, which are the first outputs, to the states.
fn tie(graph: &mut Graph, feeds: &[Feed]) -> Result<()> {
    let states = feeds.iter().enumerate().filter(|(_, feed)| **feed == Feed::State).map(|(input, _)| input);
    for (output, input) in states.enumerate() {
        let Some(&next) = graph.outputs.get(output) else {
            return Err(Refusal::new(
                "the graph yields fewer values than it has states",
                "export the model again, or check it with `onnx.checker`",
            ));
        };
        let (old, new) = (graph.ty(graph.inputs[input]), graph.ty(next));
        if old != new {
            return Err(Refusal::new(
                format!("a state is {old} before a run and {new} behind it; both must have one type"),
                "export the model with states of fixed shape, such as a buffer of the final size",
            ));
        }
        graph.states.push(State { input, output, initial: None });
    }
    Ok(())
}

/// How many of at most `trips` runs there are until `condition`, which each run computes, no longer holds.
fn runs_until(graph: &Graph, condition: ValueId, trips: usize) -> Result<usize> {
    let ends = |tensor: &Tensor| tensor.to_ints().is_none_or(|condition| condition.first() == Some(&0));
    if let Some(known) = graph.constant(condition) {
        return Ok(if ends(known) { 1 } else { trips });
    }
    let conditions = graph.in_each_run(condition).ok_or_else(computed_condition)?;
    Ok(conditions.iter().position(ends).map_or(trips, |last| last + 1))
}

fn computed_condition() -> Refusal {
    Refusal::new(
        "the condition to go on is computed at run time; supported is a known number of runs",
        "export the model with a loop of a fixed number of runs, or cut it before the loop and write that in Rust",
    )
}

fn body_of(node: &proto::Node) -> Result<&proto::Graph> {
    graph_attribute(node, "body")
        .ok_or_else(|| Refusal::new("attribute `body` is no graph", "export the model again, or check it with `onnx.checker`"))
}

/// An attribute that has a number for each of `count` tensors, 0 without it.
fn per_tensor(reader: &NodeReader, name: &'static str, count: usize) -> Result<Vec<i64>> {
    let numbers = reader.ints(name)?.unwrap_or_else(|| vec![0; count]);
    if numbers.len() != count {
        return Err(Refusal::new(
            format!("attribute `{name}` has {} elements; expected one for each of the {count} tensors", numbers.len()),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    Ok(numbers)
}
