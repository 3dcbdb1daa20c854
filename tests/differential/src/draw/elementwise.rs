//! Elementwise functions of one, two and more floats, with broadcasting.

use super::quantized;
use crate::draft::{Draft, Int, LARGEST, Value};

/// Functions that are defined everywhere, and the operator set that has them first.
const ANYWHERE: &[(i64, &str)] = &[
    (8, "Abs"),
    (8, "Neg"),
    (8, "Floor"),
    (8, "Ceil"),
    (8, "Sin"),
    (8, "Cos"),
    (8, "Atan"),
    (9, "Asinh"),
    (9, "Erf"),
    (9, "Sign"),
    (9, "Shrink"),
    (11, "Round"),
];

/// Functions of what is not negative.
const NOT_NEGATIVE: &[&str] = &["Sqrt", "Log", "Reciprocal"];

/// A function of one float.
pub fn unary(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.is("f32"))?;
    let ty = ("f32", &value.ty.shape[..]);
    match draft.random.below(6) {
        0 if value.spread < 4.0 => {
            let op = if draft.opset >= 9 { draft.random.pick(&["Exp", "Sinh", "Cosh"]) } else { "Exp" };
            draft.add(op, &[&value.name], &[], ty, value.spread.exp());
        }
        1 => {
            let positive = draft.add("Abs", &[&value.name], &[], ty, value.spread);
            let offset = draft.floats_within(&[], 0.1, 1.0);
            let moved = draft.add("Add", &[&positive.name, &offset], &[], ty, value.spread + 1.0);
            let op = draft.random.pick(NOT_NEGATIVE);
            draft.add(op, &[&moved.name], &[], ty, value.spread.max(4.0));
        }
        _ => {
            let known: Vec<&str> = ANYWHERE.iter().filter(|(first, _)| *first <= draft.opset).map(|(_, op)| *op).collect();
            let op = draft.random.pick(&known);
            draft.add(op, &[&value.name], &[], ty, value.spread.max(0.5));
        }
    }
    Some(())
}

/// The shape of what two shapes are broadcast to, if they can be.
pub fn broadcast(left: &[usize], right: &[usize]) -> Option<Vec<usize>> {
    let rank = left.len().max(right.len());
    let size = |shape: &[usize], axis: usize| (axis + shape.len()).checked_sub(rank).map_or(1, |axis| shape[axis]);
    let joined = (0..rank).map(|axis| match (size(left, axis), size(right, axis)) {
        (one, other) if one == other || other == 1 => Some(one),
        (1, other) => Some(other),
        _ => None,
    });
    joined.collect::<Option<Vec<usize>>>().filter(|shape| shape.iter().product::<usize>() <= LARGEST)
}

/// A shape that can be broadcast to `shape`: some sizes are one, and leading ones are left out.
pub fn broadcastable(draft: &mut Draft, shape: &[usize]) -> Vec<usize> {
    let random = &mut draft.random;
    match random.below(5) {
        0 => vec![],
        // One number for each channel, as a layer's bias.
        1 if shape.len() > 2 => [&shape[1..2], &vec![1; shape.len() - 2]].concat(),
        2 => shape.to_vec(),
        _ => {
            let first = random.below(shape.len() + 1);
            shape[first..].iter().map(|&size| if random.chance(35) { 1 } else { size }).collect()
        }
    }
}

/// The name, shape and spread of what stands beside `value`: another value, or a constant.
fn partner(draft: &mut Draft, value: &Value) -> (String, Vec<usize>, f32) {
    let other = draft.operand(|other| other.is(value.ty.elem) && broadcast(&value.ty.shape, &other.ty.shape).is_some());
    match other {
        Some(other) if draft.random.chance(60) => (other.name, other.ty.shape, other.spread),
        _ => {
            let shape = broadcastable(draft, &value.ty.shape);
            (draft.some("f32", &shape, 1.0), shape, 1.0)
        }
    }
}

/// A function of two floats, or of several.
pub fn binary(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.is("f32"))?;
    if draft.random.chance(12) {
        return power(draft, &value);
    }
    let (other, shape, other_spread) = partner(draft, &value);
    let shape = broadcast(&value.ty.shape, &shape)?;
    let op = draft.random.pick(&["Add", "Add", "Add", "Sub", "Sub", "Mul", "Mul", "Div", "Max", "Min", "Sum", "Mean"]);
    let spread = match op {
        "Mul" => value.spread * other_spread,
        "Div" => value.spread * 2.0,
        "Add" | "Sub" | "Sum" => value.spread + other_spread,
        _ => value.spread.max(other_spread),
    };
    if spread > 1000.0 {
        return None;
    }
    let divisor = draft.floats_within(&shape, 0.5, 2.0);
    let other = if op == "Div" { divisor } else { other };
    let third = draft.some("f32", &[], 1.0);
    let inputs: Vec<&str> = match op {
        "Max" | "Min" | "Sum" | "Mean" if draft.random.chance(30) => vec![&value.name, &other, &third],
        "Add" | "Sub" | "Mul" | "Max" | "Min" if draft.random.chance(40) => vec![&other, &value.name],
        _ => vec![&value.name, &other],
    };
    let value = draft.add(op, &inputs, &[], ("f32", &shape), spread);
    quantized::settle(draft, &value);
    Some(())
}

/// `Pow` to a constant exponent; of a root, the magnitude.
fn power(draft: &mut Draft, value: &Value) -> Option<()> {
    if value.spread > 20.0 {
        return None;
    }
    let exponent = draft.random.pick(&[2.0, 2.0, 3.0, 0.5]);
    let ty = ("f32", &value.ty.shape[..]);
    let base = if exponent == 0.5 { draft.add("Abs", &[&value.name], &[], ty, value.spread) } else { value.clone() };
    let exponent = draft.constant("f32", &[], &[exponent]);
    draft.add("Pow", &[&base.name, &exponent], &[], ty, value.spread.powi(3));
    Some(())
}

/// Comparisons, what is made of their results, and choices by them.
pub fn choice(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.is("f32"))?;
    let (other, other_shape, other_spread) = partner(draft, &value);
    let shape = broadcast(&value.ty.shape, &other_shape)?;
    let ops: &[&str] =
        if draft.opset >= 12 { &["Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Equal"] } else { &["Less", "Greater"] };
    let op = draft.random.pick(ops);
    if draft.opset < 9 {
        return None;
    }
    let mut condition = draft.add(op, &[&value.name, &other], &[], ("bool", &shape), 1.0);
    if draft.random.chance(25) {
        condition = draft.add("Not", &[&condition.name], &[], ("bool", &shape), 1.0);
    }
    let second = draft.operand(|other| other.is("bool") && broadcast(&shape, &other.ty.shape).is_some());
    if let Some(second) = second.filter(|_| draft.random.chance(25)) {
        let joined = broadcast(&shape, &second.ty.shape)?;
        let op = draft.random.pick(&["And", "Or", "Xor"]);
        draft.add(op, &[&condition.name, &second.name], &[], ("bool", &joined), 1.0);
        return Some(());
    }
    if draft.random.chance(60) {
        let inputs: [&str; 3] = [&condition.name, &value.name, &other];
        draft.add("Where", &inputs, &[], ("f32", &shape), value.spread.max(other_spread));
    } else if draft.random.chance(50) {
        draft.add("Cast", &[&condition.name], &[Int("to", 1)], ("f32", &shape), 1.0);
    }
    Some(())
}
