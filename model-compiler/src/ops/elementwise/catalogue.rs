//! What ONNX calls the elementwise operators: <https://onnx.ai/onnx/operators/>, by the operator's name.

use super::activations::{clip, clip_attributes, gelu, legacy_prelu, prelu, swiglu, with_alpha, with_two};
use super::normalization::{batch_norm, spatial_batch_norm, trained_batch_norm};
use super::quantization::{dequantize, quantize};
use super::{Elementwise, Expr, converted, push};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::{self, NodeReader};
use crate::scalar::Scalar;
use crate::ty::ElemType;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Abs", opset: 6..=LATEST, read: |node| unary(node, "abs") },
    OpDef { name: "Acos", opset: 7..=LATEST, read: |node| unary(node, "acos") },
    OpDef { name: "Acosh", opset: 9..=LATEST, read: |node| unary(node, "acosh") },
    OpDef { name: "Add", opset: 6..=6, read: |node| legacy(node, "add") },
    OpDef { name: "Add", opset: 7..=LATEST, read: |node| binary(node, "add") },
    OpDef { name: "And", opset: 6..=6, read: |node| legacy(node, "and") },
    OpDef { name: "And", opset: 7..=LATEST, read: |node| binary(node, "and") },
    OpDef { name: "Asin", opset: 7..=LATEST, read: |node| unary(node, "asin") },
    OpDef { name: "Asinh", opset: 9..=LATEST, read: |node| unary(node, "asinh") },
    OpDef { name: "Atan", opset: 7..=LATEST, read: |node| unary(node, "atan") },
    OpDef { name: "Atanh", opset: 9..=LATEST, read: |node| unary(node, "atanh") },
    OpDef { name: "BatchNormalization", opset: 6..=8, read: spatial_batch_norm },
    OpDef { name: "BatchNormalization", opset: 9..=13, read: batch_norm },
    OpDef { name: "BatchNormalization", opset: 14..=LATEST, read: trained_batch_norm },
    OpDef { name: "BitShift", opset: 11..=LATEST, read: bit_shift },
    OpDef { name: "BitwiseAnd", opset: 18..=LATEST, read: |node| binary(node, "bitwise_and") },
    OpDef { name: "BitwiseNot", opset: 18..=LATEST, read: |node| unary(node, "bitwise_not") },
    OpDef { name: "BitwiseOr", opset: 18..=LATEST, read: |node| binary(node, "bitwise_or") },
    OpDef { name: "BitwiseXor", opset: 18..=LATEST, read: |node| binary(node, "bitwise_xor") },
    OpDef { name: "Cast", opset: 6..=LATEST, read: cast },
    OpDef { name: "CastLike", opset: 15..=LATEST, read: cast_like },
    OpDef { name: "Ceil", opset: 6..=LATEST, read: |node| unary(node, "ceil") },
    OpDef { name: "Celu", opset: 12..=LATEST, read: |node| with_alpha(node, "celu", 1.0) },
    OpDef { name: "Clip", opset: 6..=10, read: clip_attributes },
    OpDef { name: "Clip", opset: 11..=LATEST, read: clip },
    OpDef { name: "Cos", opset: 7..=LATEST, read: |node| unary(node, "cos") },
    OpDef { name: "Cosh", opset: 9..=LATEST, read: |node| unary(node, "cosh") },
    OpDef { name: "DequantizeLinear", opset: 10..=LATEST, read: dequantize },
    OpDef { name: "Div", opset: 6..=6, read: |node| legacy(node, "div") },
    OpDef { name: "Div", opset: 7..=LATEST, read: |node| binary(node, "div") },
    OpDef { name: "Elu", opset: 6..=LATEST, read: |node| with_alpha(node, "elu", 1.0) },
    OpDef { name: "Equal", opset: 6..=6, read: |node| legacy_operands(node).and_then(|operands| equal(node, operands)) },
    OpDef { name: "Equal", opset: 7..=LATEST, read: |node| operands(node).and_then(|operands| equal(node, operands)) },
    OpDef { name: "Erf", opset: 9..=LATEST, read: |node| unary(node, "erf") },
    OpDef { name: "Exp", opset: 6..=LATEST, read: |node| unary(node, "exp") },
    OpDef { name: "Floor", opset: 6..=LATEST, read: |node| unary(node, "floor") },
    OpDef { name: "Gelu", opset: 20..=LATEST, read: gelu },
    OpDef { name: "Greater", opset: 6..=6, read: |node| legacy(node, "greater") },
    OpDef { name: "Greater", opset: 7..=LATEST, read: |node| binary(node, "greater") },
    OpDef { name: "GreaterOrEqual", opset: 12..=LATEST, read: |node| binary(node, "greater_or_equal") },
    OpDef {
        name: "HardSigmoid",
        opset: 6..=LATEST,
        read: |node| with_two(node, "hard_sigmoid", [("alpha", 0.2), ("beta", 0.5)]),
    },
    OpDef { name: "HardSwish", opset: 14..=LATEST, read: |node| unary(node, "hard_swish") },
    OpDef { name: "IsInf", opset: 10..=LATEST, read: is_inf },
    OpDef { name: "IsNaN", opset: 9..=LATEST, read: |node| unary(node, "is_nan") },
    OpDef { name: "LeakyRelu", opset: 6..=LATEST, read: |node| with_alpha(node, "leaky_relu", 0.01) },
    OpDef { name: "Less", opset: 6..=6, read: |node| legacy(node, "less") },
    OpDef { name: "Less", opset: 7..=LATEST, read: |node| binary(node, "less") },
    OpDef { name: "LessOrEqual", opset: 12..=LATEST, read: |node| binary(node, "less_or_equal") },
    OpDef { name: "Log", opset: 6..=LATEST, read: |node| unary(node, "log") },
    OpDef { name: "Max", opset: 6..=LATEST, read: |node| fold(node, "max") },
    OpDef { name: "Mean", opset: 6..=LATEST, read: mean },
    OpDef { name: "Min", opset: 6..=LATEST, read: |node| fold(node, "min") },
    OpDef { name: "Mish", opset: 18..=LATEST, read: |node| unary(node, "mish") },
    OpDef { name: "Mod", opset: 10..=LATEST, read: modulo },
    OpDef { name: "Mul", opset: 6..=6, read: |node| legacy(node, "mul") },
    OpDef { name: "Mul", opset: 7..=LATEST, read: |node| binary(node, "mul") },
    OpDef { name: "Neg", opset: 6..=LATEST, read: |node| unary(node, "neg") },
    OpDef { name: "Not", opset: 1..=LATEST, read: |node| unary(node, "not") },
    OpDef { name: "Or", opset: 6..=6, read: |node| legacy(node, "or") },
    OpDef { name: "Or", opset: 7..=LATEST, read: |node| binary(node, "or") },
    OpDef { name: "PRelu", opset: 6..=6, read: legacy_prelu },
    OpDef { name: "PRelu", opset: 7..=LATEST, read: prelu },
    OpDef { name: "Pow", opset: 6..=6, read: |node| legacy_operands(node).and_then(|operands| power(node, operands)) },
    OpDef { name: "Pow", opset: 7..=LATEST, read: |node| operands(node).and_then(|operands| power(node, operands)) },
    OpDef { name: "QuantizeLinear", opset: 10..=LATEST, read: quantize },
    OpDef { name: "Reciprocal", opset: 6..=LATEST, read: |node| unary(node, "reciprocal") },
    OpDef { name: "Relu", opset: 6..=LATEST, read: |node| unary(node, "relu") },
    OpDef { name: "Round", opset: 11..=LATEST, read: |node| unary(node, "round") },
    OpDef {
        name: "Selu",
        opset: 6..=LATEST,
        read: |node| with_two(node, "selu", [("alpha", SELU_ALPHA), ("gamma", SELU_GAMMA)]),
    },
    OpDef { name: "Shrink", opset: 9..=LATEST, read: |node| with_two(node, "shrink", [("lambd", 0.5), ("bias", 0.0)]) },
    OpDef { name: "Sigmoid", opset: 6..=LATEST, read: |node| unary(node, "sigmoid") },
    OpDef { name: "Sign", opset: 9..=LATEST, read: |node| unary(node, "sign") },
    OpDef { name: "Sin", opset: 7..=LATEST, read: |node| unary(node, "sin") },
    OpDef { name: "Sinh", opset: 9..=LATEST, read: |node| unary(node, "sinh") },
    OpDef { name: "Softplus", opset: 6..=LATEST, read: |node| unary(node, "softplus") },
    OpDef { name: "Softsign", opset: 6..=LATEST, read: |node| unary(node, "softsign") },
    OpDef { name: "Sqrt", opset: 6..=LATEST, read: |node| unary(node, "sqrt") },
    OpDef { name: "Sub", opset: 6..=6, read: |node| legacy(node, "sub") },
    OpDef { name: "Sub", opset: 7..=LATEST, read: |node| binary(node, "sub") },
    OpDef { name: "Sum", opset: 6..=LATEST, read: |node| fold(node, "add") },
    OpDef { name: "SwiGLU", opset: 28..=LATEST, read: swiglu },
    OpDef { name: "Swish", opset: 24..=LATEST, read: |node| with_alpha(node, "swish", 1.0) },
    OpDef { name: "Tan", opset: 7..=LATEST, read: |node| unary(node, "tan") },
    OpDef { name: "Tanh", opset: 6..=LATEST, read: |node| unary(node, "tanh") },
    OpDef { name: "ThresholdedRelu", opset: 10..=LATEST, read: |node| with_alpha(node, "thresholded_relu", 1.0) },
    OpDef { name: "Where", opset: 9..=LATEST, read: select },
    OpDef { name: "Xor", opset: 6..=6, read: |node| legacy(node, "xor") },
    OpDef { name: "Xor", opset: 7..=LATEST, read: |node| binary(node, "xor") },
];

/// The default attributes of `Selu`.
const SELU_ALPHA: f32 = 1.673_263_2;
const SELU_GAMMA: f32 = 1.050_701;

/// The function called `name`, of input 0.
fn unary(node: &mut NodeReader, name: &str) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    Ok(vec![push(node, name, &[x])?])
}

/// The function called `name`, of inputs 0 and 1.
fn binary(node: &mut NodeReader, name: &str) -> Result<Vec<ValueId>> {
    let operands = operands(node)?;
    Ok(vec![push(node, name, &operands)?])
}

/// As [`binary`], of [`legacy_operands`].
fn legacy(node: &mut NodeReader, name: &str) -> Result<Vec<ValueId>> {
    let operands = legacy_operands(node)?;
    Ok(vec![push(node, name, &operands)?])
}

fn operands(node: &mut NodeReader) -> Result<[ValueId; 2]> {
    Ok([node.input(0)?, node.input(1)?])
}

/// Before opset 7 the second input was broadcast on demand, its axes lying at `axis` of the first's.
fn legacy_operands(node: &mut NodeReader) -> Result<[ValueId; 2]> {
    let broadcast = node.flag("broadcast", false)?;
    let axis = node.optional_int("axis")?;
    let [a, mut b] = operands(node)?;
    if let (true, Some(axis)) = (broadcast, axis) {
        let rank = node.ty(a).shape.len();
        let axis = reader::axis("axis", axis, rank)?;
        let mut shape = node.ty(b).shape.to_vec();
        shape.resize((rank - axis).max(shape.len()), 1);
        b = node.reshape(b, shape)?;
    }
    Ok([a, b])
}

/// `Equal`; booleans are equal when not just one is true, whatever byte stands for it.
fn equal(node: &mut NodeReader, operands: [ValueId; 2]) -> Result<Vec<ValueId>> {
    let both = [Expr::Input(0), Expr::Input(1)];
    let expr = match operands.map(|id| node.ty(id).elem) {
        [ElemType::Bool, ElemType::Bool] => Expr::call("not", [Expr::call("xor", both)]),
        _ => Expr::call("equal", both),
    };
    Ok(vec![node.push(Elementwise { expr }, &operands)?])
}

/// `Pow`: the result is of the base's type; a float power of an integer is computed in floats.
fn power(node: &mut NodeReader, operands: [ValueId; 2]) -> Result<Vec<ValueId>> {
    let [base, exponent] = operands.map(|id| node.ty(id).elem);
    let between = if base.is_int() && exponent.is_float() { exponent } else { base };
    let arguments = [Expr::Input(0).cast(base, between), Expr::Input(1).cast(exponent, between)];
    let expr = Expr::call("pow", arguments).cast(between, base);
    Ok(vec![node.push(Elementwise { expr }, &operands)?])
}

/// `Mod`: the sign of the result is that of the divisor, or with `fmod` of the dividend.
fn modulo(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let name = if node.flag("fmod", false)? { "fmod" } else { "modulo" };
    binary(node, name)
}

fn bit_shift(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let name = match node.word("direction", &["LEFT", "RIGHT"])? {
        "LEFT" => "shift_left",
        _ => "shift_right",
    };
    binary(node, name)
}

fn is_inf(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let detect = |name| Ok(Expr::Constant(Scalar::Bool(node.flag(name, true)?.into())));
    let arguments = [Expr::Input(0), detect("detect_negative")?, detect("detect_positive")?];
    node.unary(Elementwise { expr: Expr::call("is_inf", arguments) })
}

/// `Where`
fn select(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let inputs = [node.input(0)?, node.input(1)?, node.input(2)?];
    Ok(vec![push(node, "select", &inputs)?])
}

/// All inputs, joined from the first to the last by the function called `name`.
fn joined(node: &mut NodeReader, name: &str) -> Result<ValueId> {
    let first = node.input(0)?;
    let mut rest = node.all_inputs()?.into_iter().skip(1);
    rest.try_fold(first, |joined, next| push(node, name, &[joined, next]))
}

/// `Max`, `Min` and `Sum`
fn fold(node: &mut NodeReader, name: &str) -> Result<Vec<ValueId>> {
    Ok(vec![joined(node, name)?])
}

fn mean(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let sum = joined(node, "add")?;
    let count = u32::try_from(node.input_count()).unwrap_or(u32::MAX);
    let count = Expr::number(count.into(), node.ty(sum).elem);
    let expr = Expr::call("div", [Expr::Input(0), count]);
    Ok(vec![node.push(Elementwise { expr }, &[sum])?])
}

/// `Cast`
fn cast(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let to = node
        .elem_type("to")?
        .ok_or_else(|| Refusal::new("attribute `to` is missing", "export the model again, or check it with `onnx.checker`"))?;
    cast_to(node, to)
}

/// `CastLike`: of input 1 only the type matters.
fn cast_like(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let to = node.ty(node.input(1)?).elem;
    cast_to(node, to)
}

fn cast_to(node: &mut NodeReader, to: ElemType) -> Result<Vec<ValueId>> {
    // They say how to round to 8-bit floats, which no element type is.
    node.ignore("saturate");
    node.ignore("round_mode");
    let x = node.input(0)?;
    Ok(vec![converted(node, x, to)?])
}
