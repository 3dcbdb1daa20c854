//! `BatchNormalization` with the mean and variance that training left behind, a scale and a shift of each channel, or with those of the
//! batch.
//!
//! <https://onnx.ai/onnx/operators/onnx__BatchNormalization.html>

use super::{Elementwise, Expr, converted, push};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::reduce::{Method, Reduce};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::ty::ElemType;

/// Up to opset 8, where `spatial` chose one mean for each channel or for each element.
pub(super) fn spatial_batch_norm(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    if !node.flag("spatial", true)? {
        return Err(unsupported_attribute("spatial", "0", "1"));
    }
    // Whether the node trains is told by its outputs too.
    node.ignore("is_test");
    batch_norm(node)
}

/// From opset 14 on, where `training_mode` asks for the statistics of the batch.
pub(super) fn trained_batch_norm(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    if !node.flag("training_mode", false)? {
        return batch_norm(node);
    }
    let (x, momentum) = (node.input(0)?, f64::from(node.float("momentum", 0.9)?));
    let inputs = [node.input(1)?, node.input(2)?, node.input(3)?, node.input(4)?];
    let [mean, variance] = statistics(node, x)?;
    let running = |node: &mut NodeReader, before, now| {
        let elems = [before, now].map(|id| node.ty(id).elem);
        let share = |index: usize, share| Expr::call("mul", [Expr::Input(index), Expr::number(share, elems[index])]);
        let expr = Expr::call("add", [share(0, momentum), share(1, 1.0 - momentum).cast(elems[1], elems[0])]);
        node.push(Elementwise { expr }, &[before, now])
    };
    let (running_mean, running_variance) = (running(node, inputs[2], mean)?, running(node, inputs[3], variance)?);
    let y = normalized(node, x, [inputs[0], inputs[1], mean, variance])?;
    Ok(vec![y, running_mean, running_variance])
}

/// The mean of each channel and the mean of the squared differences from it.
fn statistics(node: &mut NodeReader, x: ValueId) -> Result<[ValueId; 2]> {
    let shape = node.ty(x).shape.clone();
    if shape.len() < 2 {
        return Err(Refusal::new(
            format!("the input {} has no axis of channels; expected at least 2 dimensions", node.ty(x)),
            "reshape the input to [batch, channels, …] in the exported model",
        ));
    }
    let axes: Vec<usize> = (0..shape.len()).filter(|&axis| axis != 1).collect();
    let mean = |node: &mut NodeReader, of| node.push(Reduce { method: Method::Mean, axes: axes.clone() }, &[of]);
    let average = mean(node, x)?;
    let square = Expr::call("mul", [Expr::Input(0), Expr::Input(0)]);
    let centred = push(node, "sub", &[x, average])?;
    let squared = node.push(Elementwise { expr: square }, &[centred])?;
    let variance = mean(node, squared)?;
    Ok([node.reshape(average, [shape[1]])?, node.reshape(variance, [shape[1]])?])
}

/// `(x − mean) / √(variance + epsilon) · scale + bias`
pub(super) fn batch_norm(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    if let Some(output) = (1..node.output_count()).find(|&output| node.has_output(output)) {
        return Err(Refusal::new(
            format!("output {output} is a result of training; only output 0 is supported"),
            "export the model in evaluation mode (`model.eval()`, `training=TrainingMode.EVAL`)",
        ));
    }
    // Says how training averages.
    node.ignore("momentum");
    let (x, parameters) = (node.input(0)?, [node.input(1)?, node.input(2)?, node.input(3)?, node.input(4)?]);
    Ok(vec![normalized(node, x, parameters)?])
}

/// `x` normalized by scale, bias, mean and variance of each channel.
fn normalized(node: &mut NodeReader, x: ValueId, parameters: [ValueId; 4]) -> Result<ValueId> {
    let epsilon = f64::from(node.float("epsilon", 1e-5)?);
    let constant = parameters.iter().all(|&id| node.value(id).is_some());
    let elem = node.ty(x).elem;
    // Computed while importing, so precisely; each constant is rounded once.
    let between = if constant { ElemType::F64 } else { elem };
    let [scale, bias, mean, variance] = by_channel(node, x, parameters, between)?;
    let shifted = Expr::call("add", [Expr::Input(0), Expr::number(epsilon, between)]);
    let deviation = node.push(Elementwise { expr: Expr::call("sqrt", [shifted]) }, &[variance])?;
    if !constant {
        let centred = push(node, "sub", &[x, mean])?;
        let normal = push(node, "div", &[centred, deviation])?;
        let scaled = push(node, "mul", &[normal, scale])?;
        return push(node, "add", &[scaled, bias]);
    }
    // x · factor + offset, which a layer before it can take into its weights.
    let factor = push(node, "div", &[scale, deviation])?;
    let moved = push(node, "mul", &[mean, factor])?;
    let offset = push(node, "sub", &[bias, moved])?;
    let factor = converted(node, factor, elem)?;
    let offset = converted(node, offset, elem)?;
    let scaled = push(node, "mul", &[x, factor])?;
    push(node, "add", &[scaled, offset])
}

/// Scale, bias, mean and variance along axis 1 of `x`, as elements of type `elem`.
fn by_channel(node: &mut NodeReader, x: ValueId, parameters: [ValueId; 4], elem: ElemType) -> Result<[ValueId; 4]> {
    let ty = node.ty(x).clone();
    let channels = ty.shape.get(1).copied().unwrap_or(1);
    let mut shape = vec![1; ty.shape.len().saturating_sub(1).max(1)];
    shape[0] = channels;
    let mut results = parameters;
    for (result, name) in results.iter_mut().zip(["scale", "B", "input_mean", "input_var"]) {
        let found = node.ty(*result);
        if found.shape[..] != [channels] || !found.elem.is_float() || !ty.elem.is_float() {
            return Err(Refusal::new(
                format!("`{name}` is {found} and the input {ty}; expected floats, one for each of {channels} channels"),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
        let cast = converted(node, *result, elem)?;
        *result = node.reshape(cast, shape.clone())?;
    }
    Ok(results)
}
