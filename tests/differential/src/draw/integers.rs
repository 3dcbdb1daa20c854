//! Integers and booleans: arithmetic, and conversions from and to floats.

use super::elementwise::{broadcast, broadcastable};
use crate::draft::{Draft, Int};

/// The numbers by which ONNX knows element types, for `Cast`.
const TYPES: &[(&str, i64)] = &[("f32", 1), ("u8", 2), ("i8", 3), ("i32", 6), ("i64", 7), ("bool", 9)];

/// Arithmetic of integers, and logic of booleans.
pub fn arithmetic(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| !value.is("f32") && value.quantization.is_none())?;
    let elem = value.ty.elem;
    let ty = (elem, &value.ty.shape[..]);
    if elem == "bool" {
        draft.add("Not", &[&value.name], &[], ty, 1.0);
        return Some(());
    }
    let wide = elem.ends_with("64") || elem.ends_with("32");
    let ops: &[&str] = match draft.opset {
        ..12 => &["Add", "Sub", "Mul"],
        12..18 => &["Add", "Sub", "Mul", "Max", "Min", "Mod", "Div"],
        _ => &["Add", "Sub", "Mul", "Max", "Min", "Mod", "Div", "BitwiseAnd", "BitwiseOr", "BitwiseXor"],
    };
    let op = draft.random.pick(ops);
    if !wide && !matches!(op, "Max" | "Min" | "Mod" | "BitwiseAnd" | "BitwiseOr" | "BitwiseXor") || value.spread > 1e6 {
        return None;
    }
    let shape = broadcastable(draft, &value.ty.shape);
    let other = if matches!(op, "Mod" | "Div") {
        let elements: Vec<f64> = (0..shape.iter().product()).map(|_| draft.random.within(1..=7) as f64).collect();
        draft.constant(elem, &shape, &elements)
    } else {
        draft.some(elem, &shape, 1.0)
    };
    let shape = broadcast(&value.ty.shape, &shape)?;
    draft.add(op, &[&value.name, &other], &[], (elem, &shape), value.spread * 16.0);
    Some(())
}

/// `Cast` to another type. What would not fit is never cast, as it is not defined.
pub fn convert(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.quantization.is_none())?;
    let (to, number) = draft.random.pick(TYPES);
    let ty = (to, &value.ty.shape[..]);
    let limit = match to {
        "u8" | "i8" => 100.0,
        "i32" | "i64" => 1e6,
        _ => f32::INFINITY,
    };
    if to == value.ty.elem || value.spread > limit {
        return None;
    }
    let mut name = value.name.clone();
    if value.is("f32") && to != "bool" {
        if draft.opset < 12 {
            return None;
        }
        let (low, high) = if to == "u8" { (0.0, 100.0) } else { (-100.0, 100.0) };
        let (low, high) = (draft.constant("f32", &[], &[low]), draft.constant("f32", &[], &[high]));
        name = draft.add("Clip", &[&name, &low, &high], &[], ("f32", &value.ty.shape), value.spread).name;
    }
    draft.add("Cast", &[&name], &[Int("to", number)], ty, value.spread);
    Some(())
}
