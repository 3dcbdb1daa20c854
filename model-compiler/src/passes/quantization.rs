//! What the passes for quantized models look for: values that are dequantized, and nodes that quantize.

use super::clamp::Clamp;
use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::concat::Concat;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::ops::pad::{Mode, Pad};
use crate::ops::pool::{Method, Pool};
use crate::quantization::Quantization;
use crate::scalar::Scalar;

/// What `id` is dequantized from, if it is.
pub(super) fn dequantized(graph: &Graph, id: ValueId) -> Option<(ValueId, Quantization)> {
    let node = &graph.nodes[graph.producer(id)?];
    let Op::Elementwise(Elementwise { expr }) = &node.op else { return None };
    let (Expr::Input(0), quantization) = dequantized_expr(expr)? else { return None };
    Some((node.inputs[0], quantization))
}

/// What `expr` dequantizes, if it does.
pub(super) fn dequantized_expr(expr: &Expr) -> Option<(&Expr, Quantization)> {
    call(expr, "dequantize")
}

/// A node that quantizes one value.
pub(super) struct Quantized {
    /// The value.
    pub(super) value: ValueId,
    /// What is computed of it first.
    pub(super) inner: Expr,
    /// How the result is quantized.
    pub(super) quantization: Quantization,
}

/// The node at `index` as one that quantizes one value.
pub(super) fn quantized(graph: &Graph, index: usize) -> Option<Quantized> {
    let node = &graph.nodes[index];
    let Op::Elementwise(Elementwise { expr }) = &node.op else { return None };
    let (inner, quantization) = quantized_expr(expr)?;
    let [value] = node.inputs[..] else { return None };
    Some(Quantized { value, inner: inner.clone(), quantization })
}

/// The node that bounds and quantizes `value`, which nothing else reads; with the bounds.
pub(super) fn quantized_alone(graph: &Graph, value: ValueId) -> Option<(usize, Clamp, Quantization)> {
    let [reader] = graph.readers(value)[..] else { return None };
    let Quantized { inner, quantization, .. } = quantized(graph, reader).filter(|_| graph.uses(value) == 1)?;
    Some((reader, Clamp::of(&inner)?, quantization))
}

/// What `expr` quantizes, if it does.
pub(super) fn quantized_expr(expr: &Expr) -> Option<(&Expr, Quantization)> {
    call(expr, "quantize")
}

/// The first argument of `name(x, scale, zero)`.
fn call<'a>(expr: &'a Expr, name: &str) -> Option<(&'a Expr, Quantization)> {
    let Expr::Call(function, arguments) = expr else { return None };
    let [argument, scale, zero] = arguments.as_slice() else { return None };
    let (Expr::Constant(scale), Expr::Constant(zero)) = (scale, zero) else { return None };
    let quantization = Quantization::new(*scale, *zero).filter(|_| function.name() == name)?;
    Some((argument, quantization))
}

/// The operator that moves integers as `op` moves the numbers that they stand for; `None` where `op` does more than move.
pub(super) fn moved(op: &Op, quantization: Quantization) -> Option<Op> {
    match op {
        Op::Reshape(_) | Op::Transpose(_) | Op::Slice(_) | Op::Gather(_) | Op::Expand(_) | Op::Concat(Concat { .. }) => {
            Some(op.clone())
        }
        Op::Pool(Pool { method: Method::Max, activation: None, .. }) if quantization.elem.size() == 1 => Some(op.clone()),
        Op::Pad(Pad { before, after, mode }) => {
            let mode = match mode {
                Mode::Constant(number) => Mode::Constant(exact(*number, quantization)?),
                other => *other,
            };
            Some(Pad { before: before.clone(), after: after.clone(), mode }.into())
        }
        _ => None,
    }
}

/// How many inputs of a movement are moved; the others say where to.
pub(super) fn moved_inputs(op: &Op, inputs: usize) -> usize {
    if matches!(op, Op::Concat(_)) { inputs } else { 1 }
}

/// The integer that stands for exactly this number.
fn exact(number: Scalar, quantization: Quantization) -> Option<Scalar> {
    let integer = quantization.nearest(number)?;
    let back = quantization.dequantize(Expr::Input(0)).eval(&[integer])?;
    (back == number).then_some(integer)
}
