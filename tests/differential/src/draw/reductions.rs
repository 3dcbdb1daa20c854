//! Reductions of axes, and what looks at a lane as a whole: softmax, running sums, the largest.

use super::quantized;
use crate::draft::{Attribute, Draft, Int, Ints, Value};

/// The reductions, and the first operator set that takes their axes as an input.
const REDUCTIONS: &[(&str, i64)] = &[
    ("ReduceMean", 18),
    ("ReduceMean", 18),
    ("ReduceSum", 13),
    ("ReduceSum", 13),
    ("ReduceMax", 18),
    ("ReduceMin", 18),
    ("ReduceL1", 18),
    ("ReduceL2", 18),
    ("ReduceSumSquare", 18),
    ("ReduceLogSumExp", 18),
    ("ReduceProd", 18),
];

fn vector_or_more(draft: &mut Draft) -> Option<Value> {
    draft.operand(|value| value.is("f32") && value.rank() > 0)
}

/// A reduction of some axes, or of all.
pub fn reduction(draft: &mut Draft) -> Option<()> {
    let value = vector_or_more(draft)?;
    let (op, with_input) = draft.random.pick(REDUCTIONS);
    let rank = value.rank();
    let all = draft.random.chance(20);
    let spatial = rank == 4 && draft.random.chance(50);
    let reduced: Vec<bool> = (0..rank).map(|axis| all || if spatial { axis > 1 } else { draft.random.chance(50) }).collect();
    let keep = draft.random.chance(50);
    let kept = value.ty.shape.iter().zip(&reduced).filter(|(_, reduced)| keep || !**reduced);
    let shape: Vec<usize> = kept.map(|(size, reduced)| if *reduced { 1 } else { *size }).collect();
    let from_behind = draft.opset >= 11 && draft.random.chance(40);
    let axes =
        (0..rank).filter(|&axis| reduced[axis]).map(|axis| if from_behind { axis as i64 - rank as i64 } else { axis as i64 });
    let axes: Vec<i64> = axes.collect();
    if axes.is_empty() {
        return None;
    }
    let terms = value.ty.elements() as f32;
    let spread = match op {
        "ReduceSum" | "ReduceL1" => value.spread * terms,
        "ReduceSumSquare" => value.spread * value.spread * terms,
        "ReduceProd" if terms > 12.0 => return None,
        "ReduceProd" => value.spread.powi(terms as i32),
        _ => value.spread,
    };
    if spread > 1e5 {
        return None;
    }
    let mut attributes: Vec<Attribute> = vec![Int("keepdims", i64::from(keep))];
    let mut inputs = vec![value.name.as_str()];
    let constant;
    if !all && draft.opset < with_input {
        attributes.push(Ints("axes", axes));
    } else if !all {
        constant = draft.ints(&axes);
        inputs.push(&constant);
    }
    let value = draft.add(op, &inputs, &attributes, ("f32", &shape), spread);
    quantized::settle(draft, &value);
    Some(())
}

/// What looks at the lanes along one axis.
pub fn lane(draft: &mut Draft) -> Option<()> {
    let value = vector_or_more(draft)?;
    let axis = draft.random.below(value.rank());
    let number = if draft.opset >= 11 && draft.random.chance(40) { axis as i64 - value.rank() as i64 } else { axis as i64 };
    let ty = ("f32", &value.ty.shape[..]);
    match draft.random.below(8) {
        0..=2 => {
            let op = draft.random.pick(&["Softmax", "Softmax", "LogSoftmax", "Hardmax"]);
            let value = draft.add(op, &[&value.name], &[Int("axis", number)], ty, if op == "LogSoftmax" { 8.0 } else { 1.0 });
            quantized::settle(draft, &value);
        }
        3 | 4 => {
            let keep = draft.random.chance(50);
            let mut shape = value.ty.shape.clone();
            if keep {
                shape[axis] = 1;
            } else {
                shape.remove(axis);
            }
            let mut attributes = vec![Int("axis", number), Int("keepdims", i64::from(keep))];
            if draft.opset >= 12 && draft.random.chance(30) {
                attributes.push(Int("select_last_index", 1));
            }
            let op = draft.random.pick(&["ArgMax", "ArgMin"]);
            draft.add(op, &[&value.name], &attributes, ("i64", &shape), value.ty.shape[axis] as f32);
        }
        5 if draft.opset >= 11 => {
            let mut attributes = vec![];
            if draft.random.chance(30) {
                attributes.push(Int("exclusive", 1));
            }
            if draft.random.chance(30) {
                attributes.push(Int("reverse", 1));
            }
            let axis = draft.constant("i64", &[], &[number as f64]);
            draft.add("CumSum", &[&value.name, &axis], &attributes, ty, value.spread * 4.0);
        }
        6 if draft.opset >= 10 => {
            let mut shape = value.ty.shape.clone();
            shape[axis] = draft.random.within(1..=shape[axis]);
            let mut attributes = vec![Int("axis", number)];
            if draft.opset >= 11 && draft.random.chance(40) {
                attributes.push(Int("largest", 0));
            }
            let count = draft.ints(&[shape[axis] as i64]);
            draft.add_several("TopK", &[&value.name, &count], &attributes, [("f32", &shape), ("i64", &shape)], value.spread);
        }
        _ => {
            let attributes = [Int("axis", number), Int("p", draft.random.within(1..=2) as i64)];
            draft.add("LpNormalization", &[&value.name], &attributes, ty, 1.0);
        }
    }
    Some(())
}
