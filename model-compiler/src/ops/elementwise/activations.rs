//! Readers of elementwise operators with attributes or bounds.

use super::{Elementwise, Expr, push};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::ty::broadcast;

/// A function of input 0 and of attribute `alpha`.
pub(super) fn with_alpha(node: &mut NodeReader, function: &str, default: f32) -> Result<Vec<ValueId>> {
    let alpha = Expr::Constant(node.float("alpha", default)?.into());
    node.unary(Elementwise { expr: Expr::call(function, [Expr::Input(0), alpha]) })
}

/// A function of input 0 and of two attributes, given with their defaults.
pub(super) fn with_two(node: &mut NodeReader, function: &str, attributes: [(&'static str, f32); 2]) -> Result<Vec<ValueId>> {
    let [first, second] = attributes.map(|(name, default)| node.float(name, default));
    let arguments = [Expr::Input(0), Expr::Constant(first?.into()), Expr::Constant(second?.into())];
    node.unary(Elementwise { expr: Expr::call(function, arguments) })
}

/// `SwiGLU`: `Swish` of input 0, times input 1.
pub(super) fn swiglu(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (gate, x) = (node.input(0)?, node.input(1)?);
    let alpha = Expr::Constant(node.float("alpha", 1.0)?.into());
    let expr = Expr::call("mul", [Expr::call("swish", [Expr::Input(0), alpha]), Expr::Input(1)]);
    Ok(vec![node.push(Elementwise { expr }, &[gate, x])?])
}

pub(super) fn gelu(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let function = match node.word("approximate", &["none", "tanh"])? {
        "none" => "gelu",
        _ => "gelu_tanh",
    };
    node.unary(Elementwise { expr: Expr::call(function, [Expr::Input(0)]) })
}

/// `Clip` with its bounds as attributes.
pub(super) fn clip_attributes(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let elem = node.ty(node.input(0)?).elem;
    let (min, max) = (node.float("min", f32::MIN)?, node.float("max", f32::MAX)?);
    let arguments = [Expr::Input(0), Expr::number(min.into(), elem), Expr::number(max.into(), elem)];
    node.unary(Elementwise { expr: Expr::call("clip", arguments) })
}

/// `Clip` with its bounds as inputs, each of which may be missing.
pub(super) fn clip(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let elem = node.ty(x).elem;
    let bounds = [("min", node.optional_input(1)), ("max", node.optional_input(2))];
    if bounds.iter().all(|(_, bound)| bound.is_none()) {
        return Ok(vec![x]);
    }
    let mut inputs = vec![x];
    let mut arguments = vec![Expr::Input(0)];
    for (name, bound) in bounds {
        let Some(bound) = bound else {
            arguments.push(Expr::Constant(if name == "min" { Scalar::lowest(elem) } else { Scalar::highest(elem) }));
            continue;
        };
        if node.ty(bound).elements() != 1 {
            return Err(Refusal::new(
                format!("`{name}` is {}; expected one number", node.ty(bound)),
                "use Min and Max for bounds that differ from element to element",
            ));
        }
        arguments.push(Expr::Input(inputs.len()));
        inputs.push(node.reshape(bound, [])?);
    }
    Ok(vec![node.push(Elementwise { expr: Expr::call("clip", arguments) }, &inputs)?])
}

/// `PRelu`; the slope broadcasts to the input, not the input to the slope.
pub(super) fn prelu(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, slope) = (node.input(0)?, node.input(1)?);
    sloped(node, x, slope)
}

/// Before opset 7 the slope was one number, or one for each channel.
pub(super) fn legacy_prelu(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, slope) = (node.input(0)?, node.input(1)?);
    let mut shape = vec![node.ty(slope).elements()];
    if shape[0] != 1 {
        shape.resize(node.ty(x).shape.len().saturating_sub(1).max(1), 1);
    }
    let slope = node.reshape(slope, shape)?;
    sloped(node, x, slope)
}

fn sloped(node: &mut NodeReader, x: ValueId, slope: ValueId) -> Result<Vec<ValueId>> {
    let (input, shape) = (node.ty(x), &node.ty(slope).shape);
    if broadcast([&input.shape, shape]).as_ref() != Some(&input.shape) {
        return Err(Refusal::new(
            format!("the slope {} does not broadcast to the input {input}", node.ty(slope)),
            "give the slope, counted from the last axis, sizes of one or those of the input",
        ));
    }
    Ok(vec![push(node, "prelu", &[x, slope])?])
}
