//! Activations: functions of one float that follow layers.

use super::quantized;
use crate::draft::{Attribute, Draft, Float, Text, Value};

/// Activations that need no attributes, and the operator set that has them first.
const PLAIN: &[(i64, &str)] = &[
    (8, "Relu"),
    (8, "Relu"),
    (8, "Relu"),
    (8, "Sigmoid"),
    (8, "Tanh"),
    (8, "Softplus"),
    (8, "Softsign"),
    (8, "Elu"),
    (8, "Selu"),
    (8, "LeakyRelu"),
    (8, "HardSigmoid"),
    (10, "ThresholdedRelu"),
    (12, "Celu"),
    (14, "HardSwish"),
    (18, "Mish"),
    (20, "Gelu"),
];

/// An activation of any float.
pub fn activation(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.is("f32"))?;
    let value = of(draft, &value);
    quantized::settle(draft, &value);
    Some(())
}

/// Some activation of `value`.
pub fn of(draft: &mut Draft, value: &Value) -> Value {
    match draft.random.below(8) {
        0 | 1 => clip(draft, value),
        2 if value.rank() > 1 => prelu(draft, value),
        3 => product_with(draft, value),
        _ => plain(draft, value),
    }
}

fn plain(draft: &mut Draft, value: &Value) -> Value {
    let known: Vec<&str> = PLAIN.iter().filter(|(first, _)| *first <= draft.opset).map(|(_, name)| *name).collect();
    let op = draft.random.pick(&known);
    let number = (draft.random.below(9) as f32 + 1.0) / 8.0;
    let attributes: Vec<Attribute> = match op {
        "Elu" | "LeakyRelu" | "ThresholdedRelu" | "Celu" if draft.random.chance(60) => vec![Float("alpha", number)],
        "HardSigmoid" if draft.random.chance(60) => vec![Float("alpha", number), Float("beta", 0.5)],
        "Gelu" if draft.random.chance(50) => vec![Text("approximate", "tanh")],
        _ => vec![],
    };
    let spread = if matches!(op, "Sigmoid" | "Tanh" | "Softsign" | "HardSigmoid") { 1.0 } else { value.spread };
    draft.add(op, &[&value.name], &attributes, ("f32", &value.ty.shape), spread)
}

/// `Clip`, whose bounds are attributes up to operator set 10 and inputs from 11 on.
fn clip(draft: &mut Draft, value: &Value) -> Value {
    let (low, high) = draft.random.pick(&[(0.0, 6.0), (0.0, 1.0), (-1.0, 1.0), (-0.5, 0.25), (-1e4, 0.5)]);
    let spread = value.spread.min(high);
    if draft.opset < 11 {
        return draft.add("Clip", &[&value.name], &[Float("min", low), Float("max", high)], ("f32", &value.ty.shape), spread);
    }
    let mut bound = |wanted: usize, number: f32| match draft.random.chance(wanted) {
        true => draft.constant("f32", &[], &[f64::from(number)]),
        false => String::new(),
    };
    let (low, high) = (bound(80, low), bound(80, high));
    let inputs: Vec<&str> = if high.is_empty() { vec![&value.name, &low] } else { vec![&value.name, &low, &high] };
    draft.add("Clip", &inputs, &[], ("f32", &value.ty.shape), value.spread)
}

/// `PRelu` with a slope for each channel.
fn prelu(draft: &mut Draft, value: &Value) -> Value {
    let shape: Vec<usize> = [&value.ty.shape[1..2], &vec![1; value.rank() - 2]].concat();
    let slope = draft.some("f32", &shape, 0.5);
    draft.add("PRelu", &[&value.name, &slope], &[], ("f32", &value.ty.shape), value.spread)
}

/// `x · f(x)`, as exporters write SiLU and its like.
fn product_with(draft: &mut Draft, value: &Value) -> Value {
    let op = draft.random.pick(&["Sigmoid", "HardSigmoid", "Tanh"]);
    let gate = draft.add(op, &[&value.name], &[], ("f32", &value.ty.shape), 1.0);
    draft.add("Mul", &[&value.name, &gate.name], &[], ("f32", &value.ty.shape), value.spread)
}
