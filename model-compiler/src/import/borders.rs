//! The borders of a quantized model: what the integers of an input or output stand for, and whether they are integers at all, as the
//! argument `io` says.
//!
//! Between a border and the node that quantizes or dequantizes there may be movements that keep every element.

use crate::Io;
use crate::diagnostic::{Diagnostic, Subject};
use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::quantization::Quantization;
use crate::ty::{ElemType, TensorType};

/// Gives every border the type that `io` asks for and notes what its integers stand for; returns a fault for each that cannot have it.
pub(super) fn settle(graph: &mut Graph, io: Option<Io>) -> Vec<Diagnostic> {
    let mut faults = Vec::new();
    let (given, yielded): (Vec<usize>, Vec<usize>) = (graph.given().collect(), graph.yielded().collect());
    for place in given {
        let quantization = settle_input(graph, place, io).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        graph.input_quantizations.push(quantization);
    }
    for place in yielded {
        let quantization = settle_output(graph, place, io).unwrap_or_else(|fault| {
            faults.push(fault);
            None
        });
        graph.output_quantizations.push(quantization);
    }
    graph.drop_unused();
    faults
}

fn settle_input(graph: &mut Graph, place: usize, io: Option<Io>) -> Result<Option<Quantization>, Diagnostic> {
    let id = graph.inputs[place];
    let refused = |graph: &Graph, expected: &str| {
        let reader = graph.readers(id).first().and_then(|&index| graph.nodes[index].origin.last());
        let note = reader.map(|name| format!("`{}` is read by node `{name}`", graph.value(id).name));
        Err(fault(graph, "input", id, expected, note))
    };
    match io {
        Some(Io::Quantized) if graph.ty(id).elem.is_float() => match quantization_of_readers(graph, id, "quantize") {
            Some(quantization) => {
                let integers = replace_input(graph, place, quantization.elem);
                read_integers(graph, id, integers);
                Ok(Some(quantization))
            }
            None => refused(graph, "`io = quantized` takes floats that are quantized with one constant scale"),
        },
        Some(Io::Float) if is_byte(graph.ty(id)) => match quantization_of_readers(graph, id, "dequantize") {
            Some(quantization) => {
                let floats = replace_input(graph, place, ElemType::F32);
                let expr = quantization.quantize(Expr::Input(0));
                let origin = [graph.value(floats).name.clone()];
                let integers = graph.insert_one(0, Elementwise { expr }.into(), &[floats], &origin);
                graph.replace(id, integers);
                Ok(None)
            }
            None => refused(graph, "`io = float` takes integers that are dequantized with one constant scale"),
        },
        _ => Ok(quantization_of_readers(graph, id, "dequantize")),
    }
}

fn settle_output(graph: &mut Graph, place: usize, io: Option<Io>) -> Result<Option<Quantization>, Diagnostic> {
    let id = graph.outputs[place];
    let refused = |graph: &Graph, expected: &str| {
        let producer = graph.producer(id).and_then(|index| graph.nodes[index].origin.last());
        let note = producer.map(|name| format!("`{}` is computed by node `{name}`", graph.value(id).name));
        Err(fault(graph, "output", id, expected, note))
    };
    match io {
        Some(Io::Quantized) if graph.ty(id).elem.is_float() => match quantization_of_producer(graph, id, "dequantize") {
            Some(quantization) => {
                let integers = integers_of(graph, id);
                replace_output(graph, place, integers);
                Ok(Some(quantization))
            }
            None => refused(graph, "`io = quantized` takes floats that were dequantized with one constant scale"),
        },
        Some(Io::Float) if is_byte(graph.ty(id)) => match quantization_of_producer(graph, id, "quantize") {
            Some(quantization) => {
                let expr = quantization.dequantize(Expr::Input(0));
                let origin = [graph.value(id).name.clone()];
                let floats = graph.insert_one(graph.nodes.len(), Elementwise { expr }.into(), &[id], &origin);
                replace_output(graph, place, floats);
                Ok(None)
            }
            None => refused(graph, "`io = float` takes integers that were quantized with one constant scale"),
        },
        _ => Ok(quantization_of_producer(graph, id, "quantize")),
    }
}

fn fault(graph: &Graph, side: &str, id: ValueId, expected: &str, note: Option<String>) -> Diagnostic {
    let message = format!("{side} `{}` is {} and not quantized; {expected}", graph.value(id).name, graph.ty(id));
    let help = "remove `io` and convert in Rust, or quantize the exported model up to its inputs and outputs";
    let fault = Diagnostic::new(message, help).about(Subject::Io);
    match note {
        Some(note) => fault.note(note),
        None => fault,
    }
}

fn is_byte(ty: &TensorType) -> bool {
    matches!(ty.elem, ElemType::I8 | ElemType::U8)
}

/// Whether every element of the result is one of the input.
fn moves(op: &Op) -> bool {
    matches!(op, Op::Reshape(_) | Op::Transpose(_) | Op::Copy(_))
}

/// The one quantization by which all that reads `id` calls `function`.
fn quantization_of_readers(graph: &Graph, id: ValueId, function: &str) -> Option<Quantization> {
    let mut found = None;
    for index in graph.readers(id) {
        let node = &graph.nodes[index];
        let quantization = match moves(&node.op) {
            true => quantization_of_readers(graph, node.outputs[0], function),
            false => Quantization::of_node(graph, node, function),
        };
        if *found.get_or_insert(quantization?) != quantization? {
            return None;
        }
    }
    found.filter(|_| !graph.outputs.contains(&id))
}

/// The quantization by which `id` is computed with `function`.
fn quantization_of_producer(graph: &Graph, id: ValueId, function: &str) -> Option<Quantization> {
    let node = &graph.nodes[graph.producer(id)?];
    match moves(&node.op) {
        true => quantization_of_producer(graph, node.inputs[0], function),
        false => Quantization::of_node(graph, node, function),
    }
}

/// Puts an input of another element type where the one at `place` is.
fn replace_input(graph: &mut Graph, place: usize, elem: ElemType) -> ValueId {
    let old = graph.inputs[place];
    let new = graph.add_value(graph.value(old).name.clone(), graph.ty(old).with_elem(elem), None);
    graph.inputs[place] = new;
    new
}

/// Lets what quantizes `floats` read `integers` instead, which are what it would compute.
fn read_integers(graph: &mut Graph, floats: ValueId, integers: ValueId) {
    let outputs: Vec<ValueId> = graph.readers(floats).iter().map(|&index| graph.nodes[index].outputs[0]).collect();
    for output in outputs {
        let index = graph.producer(output).expect("it is an output of a node");
        let node = graph.nodes[index].clone();
        if moves(&node.op) {
            let moved = graph.insert_one(index, node.op, &[integers], &node.origin);
            read_integers(graph, output, moved);
        } else {
            graph.replace(output, integers);
        }
    }
}

/// The integers that `floats` were dequantized from, moved as these were.
fn integers_of(graph: &mut Graph, floats: ValueId) -> ValueId {
    let index = graph.producer(floats).expect("it was dequantized by a node");
    let node = graph.nodes[index].clone();
    if !moves(&node.op) {
        return node.inputs[0];
    }
    let integers = integers_of(graph, node.inputs[0]);
    graph.insert_one(graph.nodes.len(), node.op, &[integers], &node.origin)
}

/// Yields `new` where the output at `place` is.
fn replace_output(graph: &mut Graph, place: usize, new: ValueId) {
    let name = graph.value(graph.outputs[place]).name.clone();
    let new = graph.own_output(new);
    graph.rename(new, name);
    graph.outputs[place] = new;
}
