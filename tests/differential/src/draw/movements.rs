//! Operators that move elements without changing them, of any element type.

use super::images::signed;
use super::quantized;
use crate::draft::{Attribute, Draft, Int, Ints, LARGEST, Value};

/// Some movement of some value.
pub fn movement(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.rank() > 0)?;
    match draft.random.below(14) {
        0 | 1 => reshape(draft, &value),
        2 | 3 => transpose(draft, &value),
        4 | 5 => concat(draft, &value),
        6 => split(draft, &value),
        7 | 8 => slice(draft, &value),
        9 => squeeze(draft, &value),
        10 => unsqueeze(draft, &value),
        11 => spread_out(draft, &value),
        12 => gather(draft, &value),
        _ => {
            draft.add("Identity", &[&value.name], &[], (value.ty.elem, &value.ty.shape), value.spread);
            Some(())
        }
    }
}

/// The axis, sometimes counted from behind.
fn axis_number(draft: &mut Draft, axis: usize, rank: usize) -> i64 {
    let from_front = axis as i64;
    if draft.opset >= 11 && draft.random.chance(40) { from_front - rank as i64 } else { from_front }
}

/// A movement, of which integers stand for what they stood for.
fn moved(draft: &mut Draft, value: &Value, op: &str, others: &[&str], attributes: &[Attribute], shape: &[usize]) -> Value {
    let inputs = [&[value.name.as_str()], others].concat();
    let made = draft.add(op, &inputs, attributes, (value.ty.elem, shape), value.spread);
    if let Some(quantization) = value.quantization {
        draft.set_quantization(&made.name, quantization);
    }
    if made.is("f32") && draft.random.chance(30) {
        quantized::settle(draft, &made);
    }
    made
}

fn reshape(draft: &mut Draft, value: &Value) -> Option<()> {
    let elements = value.ty.elements();
    if draft.random.chance(25) {
        let axis = draft.random.below(value.rank() + 1);
        let parts = [value.ty.shape[..axis].iter().product(), value.ty.shape[axis..].iter().product()];
        moved(draft, value, "Flatten", &[], &[Int("axis", axis as i64)], &parts);
        return Some(());
    }
    let mut rest = elements;
    let mut shape = Vec::new();
    for _ in 0..draft.random.below(4) {
        let divisors: Vec<usize> = (1..=rest).filter(|&divisor| rest.is_multiple_of(divisor)).collect();
        let size = draft.random.pick(&divisors);
        shape.push(size);
        rest /= size;
    }
    shape.push(rest);
    let mut wanted = signed(&shape);
    if draft.random.chance(50) {
        let inferred = draft.random.below(wanted.len());
        wanted[inferred] = -1;
    }
    if wanted[0] != -1 && shape[0] == value.ty.shape[0] && draft.random.chance(50) {
        wanted[0] = 0;
    }
    let wanted = draft.ints(&wanted);
    moved(draft, value, "Reshape", &[&wanted], &[], &shape);
    Some(())
}

fn transpose(draft: &mut Draft, value: &Value) -> Option<()> {
    let rank = value.rank();
    let mut order: Vec<usize> = (0..rank).collect();
    match draft.random.below(3) {
        // Between channels first and channels last.
        0 if rank > 2 => order = [&[0], &(2..rank).collect::<Vec<_>>()[..], &[1]].concat(),
        1 if rank > 2 => order = [&[0, rank - 1], &(1..rank - 1).collect::<Vec<_>>()[..]].concat(),
        _ => {
            for place in (1..rank).rev() {
                let other = draft.random.below(place + 1);
                order.swap(place, other);
            }
        }
    }
    let shape: Vec<usize> = order.iter().map(|&axis| value.ty.shape[axis]).collect();
    moved(draft, value, "Transpose", &[], &[Ints("perm", signed(&order))], &shape);
    Some(())
}

fn concat(draft: &mut Draft, value: &Value) -> Option<()> {
    let axis = draft.random.below(value.rank());
    let fits = |other: &Value| {
        let sizes = |value: &Value| {
            value.ty.shape.iter().enumerate().filter(|(place, _)| *place != axis).map(|(_, size)| *size).collect()
        };
        let (sizes, others): (Vec<usize>, Vec<usize>) = (sizes(value), sizes(other));
        other.ty.elem == value.ty.elem
            && other.rank() == value.rank()
            && sizes == others
            && other.quantization == value.quantization
    };
    let count = draft.random.within(1..=3);
    let others: Vec<Value> = (0..count).filter_map(|_| draft.operand(fits)).collect();
    let mut parts: Vec<(String, usize)> =
        others.iter().chain([value]).map(|part| (part.name.clone(), part.ty.shape[axis])).collect();
    if draft.random.chance(20) {
        parts.push((draft.some(value.ty.elem, &value.ty.shape, 1.0), value.ty.shape[axis]));
    }
    let mut shape = value.ty.shape.clone();
    shape[axis] = parts.iter().map(|(_, size)| size).sum();
    if shape.iter().product::<usize>() > LARGEST {
        return None;
    }
    let inputs: Vec<&str> = parts.iter().map(|(name, _)| name.as_str()).collect();
    let number = axis_number(draft, axis, value.rank());
    let made = draft.add("Concat", &inputs, &[Int("axis", number)], (value.ty.elem, &shape), value.spread);
    if let Some(quantization) = value.quantization {
        draft.set_quantization(&made.name, quantization);
    }
    Some(())
}

/// `Split` in two, whose sizes are an attribute up to operator set 12 and an input from 13 on.
fn split(draft: &mut Draft, value: &Value) -> Option<()> {
    let axis = draft.random.below(value.rank());
    let size = value.ty.shape[axis];
    if size < 2 {
        return None;
    }
    let first = draft.random.within(1..=size - 1);
    let part = |size: usize| {
        let mut shape = value.ty.shape.clone();
        shape[axis] = size;
        shape
    };
    let (left, right) = (part(first), part(size - first));
    let mut attributes = vec![Int("axis", axis_number(draft, axis, value.rank()))];
    let sizes = [first as i64, (size - first) as i64];
    let mut inputs = vec![value.name.as_str()];
    let constant;
    if draft.opset < 13 {
        attributes.push(Ints("split", sizes.to_vec()));
    } else {
        constant = draft.ints(&sizes);
        inputs.push(&constant);
    }
    let types = [(value.ty.elem, &left[..]), (value.ty.elem, &right[..])];
    draft.add_several("Split", &inputs, &attributes, types, value.spread);
    Some(())
}

/// `Slice`, whose ranges are attributes up to operator set 9 and inputs from 10 on, where steps come in too.
fn slice(draft: &mut Draft, value: &Value) -> Option<()> {
    let axis = draft.random.below(value.rank());
    let size = value.ty.shape[axis] as i64;
    let step = if draft.opset >= 10 { draft.random.pick(&[1, 1, 1, 2, 3, -1, -2]) } else { 1 };
    let (from, to) = (draft.random.below(size as usize) as i64, draft.random.within(1..=size as usize) as i64);
    let (low, high) = (from.min(to - 1), from.max(to));
    let taken = (high - low + i64::abs(step) - 1) / i64::abs(step);
    // Backwards from the last taken to before the first.
    let (start, end) = if step > 0 { (low, high) } else { (high - 1, low - 1) };
    let end = match end {
        -1 => -size - 1,
        _ if end == size && draft.random.chance(50) => i64::from(i32::MAX),
        _ => end,
    };
    let start = if draft.random.chance(30) { start - size } else { start };
    let mut shape = value.ty.shape.clone();
    shape[axis] = usize::try_from(taken).ok()?;
    if draft.opset < 10 {
        let attributes = [Ints("starts", vec![start]), Ints("ends", vec![end]), Ints("axes", vec![axis as i64])];
        moved(draft, value, "Slice", &[], &attributes, &shape);
        return Some(());
    }
    let number = axis_number(draft, axis, value.rank());
    let [start, end, axis, step] = [start, end, number, step].map(|number| draft.ints(&[number]));
    moved(draft, value, "Slice", &[&start, &end, &axis, &step], &[], &shape);
    Some(())
}

/// `op` with `axes`, which are an attribute up to operator set 12 and an input from 13 on.
fn with_axes(draft: &mut Draft, value: &Value, op: &str, axes: &[i64], shape: &[usize]) {
    if draft.opset < 13 {
        moved(draft, value, op, &[], &[Ints("axes", axes.to_vec())], shape);
    } else {
        let axes = draft.ints(axes);
        moved(draft, value, op, &[&axes], &[], shape);
    }
}

fn squeeze(draft: &mut Draft, value: &Value) -> Option<()> {
    let ones: Vec<usize> = (0..value.rank()).filter(|&axis| value.ty.shape[axis] == 1).collect();
    if ones.is_empty() {
        return None;
    }
    let axis = draft.random.pick(&ones);
    let mut shape = value.ty.shape.clone();
    shape.remove(axis);
    let number = axis_number(draft, axis, value.rank());
    with_axes(draft, value, "Squeeze", &[number], &shape);
    Some(())
}

fn unsqueeze(draft: &mut Draft, value: &Value) -> Option<()> {
    if value.rank() > 4 {
        return None;
    }
    let axis = draft.random.below(value.rank() + 1);
    let mut shape = value.ty.shape.clone();
    shape.insert(axis, 1);
    let number = axis_number(draft, axis, value.rank() + 1);
    with_axes(draft, value, "Unsqueeze", &[number], &shape);
    Some(())
}

/// `Expand` and `Tile`.
fn spread_out(draft: &mut Draft, value: &Value) -> Option<()> {
    let is_tile = draft.random.chance(50);
    let repeats: Vec<usize> =
        value.ty.shape.iter().map(|&size| if is_tile || size == 1 { draft.random.within(1..=3) } else { 1 }).collect();
    let shape: Vec<usize> = value.ty.shape.iter().zip(&repeats).map(|(size, repeat)| size * repeat).collect();
    if shape.iter().product::<usize>() > LARGEST {
        return None;
    }
    let wanted = draft.ints(&signed(if is_tile { &repeats } else { &shape }));
    moved(draft, value, if is_tile { "Tile" } else { "Expand" }, &[&wanted], &[], &shape);
    Some(())
}

/// `Gather` with constant indices, of which some count from behind.
fn gather(draft: &mut Draft, value: &Value) -> Option<()> {
    let axis = draft.random.below(value.rank());
    let size = value.ty.shape[axis];
    let count = draft.random.below(4);
    let signs = draft.opset >= 11;
    let indices: Vec<f64> = (0..count.max(1))
        .map(|_| {
            let index = draft.random.below(size) as f64;
            if signs && draft.random.chance(20) { index - size as f64 } else { index }
        })
        .collect();
    let index_shape: &[usize] = if count == 0 { &[] } else { &[count] };
    let shape = [&value.ty.shape[..axis], index_shape, &value.ty.shape[axis + 1..]].concat();
    if shape.iter().product::<usize>() > LARGEST {
        return None;
    }
    let elem = draft.random.pick(&["i64", "i32"]);
    let indices = draft.constant(elem, index_shape, &indices);
    let number = axis_number(draft, axis, value.rank());
    moved(draft, value, "Gather", &[&indices], &[Int("axis", number)], &shape);
    Some(())
}
