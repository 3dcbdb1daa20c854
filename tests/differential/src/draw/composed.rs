//! What exporters write of several nodes where an operator set had no operator for it, or where a size was computed in the model.

use super::images::signed;
use super::quantized;
use crate::draft::{Attribute, Draft, Int, Ints, Value};

/// Some composition.
pub fn composition(draft: &mut Draft) -> Option<()> {
    match draft.random.below(6) {
        0 => layer_normalization(draft),
        1 => gelu(draft),
        2 => hard_swish(draft),
        3 => squeeze_and_excite(draft),
        _ => reshape_by_shape(draft),
    }
}

/// `ReduceMean` of the last axis, which is kept.
fn mean(draft: &mut Draft, value: &Value) -> Value {
    let mut shape = value.ty.shape.clone();
    let axis = shape.len() as i64 - 1;
    *shape.last_mut().expect("it has an axis") = 1;
    if draft.opset < 18 {
        return draft.add("ReduceMean", &[&value.name], &[Ints("axes", vec![axis])], ("f32", &shape), value.spread);
    }
    let axes = draft.ints(&[axis]);
    draft.add("ReduceMean", &[&value.name, &axes], &[], ("f32", &shape), value.spread)
}

/// `(x − mean) / sqrt(variance + ε) · γ + β`
fn layer_normalization(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.is("f32") && value.rank() > 1 && value.ty.shape[value.rank() - 1] > 2)?;
    let shape = value.ty.shape.clone();
    let ty = ("f32", &shape[..]);
    let average = mean(draft, &value);
    let centred = draft.add("Sub", &[&value.name, &average.name], &[], ty, value.spread);
    let two = draft.constant("f32", &[], &[2.0]);
    let squared = draft.add("Pow", &[&centred.name, &two], &[], ty, value.spread.powi(2));
    let variance = mean(draft, &squared);
    let epsilon = draft.constant("f32", &[], &[0.01]);
    let above = draft.add("Add", &[&variance.name, &epsilon], &[], ("f32", &variance.ty.shape), variance.spread);
    let deviation = draft.add("Sqrt", &[&above.name], &[], ("f32", &variance.ty.shape), value.spread);
    let normal = draft.add("Div", &[&centred.name, &deviation.name], &[], ty, 1.5);
    let last = &shape[shape.len() - 1..];
    let (gamma, beta) = (draft.floats_within(last, 0.5, 1.5), draft.some("f32", last, 0.5));
    let scaled = draft.add("Mul", &[&normal.name, &gamma], &[], ty, 2.0);
    let value = draft.add("Add", &[&scaled.name, &beta], &[], ty, 2.0);
    quantized::settle(draft, &value);
    Some(())
}

/// `x / 2 · (1 + erf(x / √2))`
fn gelu(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.is("f32"))?;
    let ty = ("f32", &value.ty.shape[..]);
    if draft.opset < 9 {
        return None;
    }
    let [root, one, half] = [std::f64::consts::SQRT_2, 1.0, 0.5].map(|number| draft.constant("f32", &[], &[number]));
    let scaled = draft.add("Div", &[&value.name, &root], &[], ty, value.spread);
    let erf = draft.add("Erf", &[&scaled.name], &[], ty, 1.0);
    let above = draft.add("Add", &[&erf.name, &one], &[], ty, 2.0);
    let product = draft.add("Mul", &[&value.name, &above.name], &[], ty, 2.0 * value.spread);
    let value = draft.add("Mul", &[&product.name, &half], &[], ty, value.spread);
    quantized::settle(draft, &value);
    Some(())
}

/// `x · clip(x + 3, 0, 6) / 6`
fn hard_swish(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.is("f32"))?;
    let ty = ("f32", &value.ty.shape[..]);
    if draft.opset < 11 {
        return None;
    }
    let [three, zero, six] = [3.0, 0.0, 6.0].map(|number| draft.constant("f32", &[], &[number]));
    let moved = draft.add("Add", &[&value.name, &three], &[], ty, value.spread + 3.0);
    let bounded = draft.add("Clip", &[&moved.name, &zero, &six], &[], ty, 6.0);
    let gate = draft.add("Div", &[&bounded.name, &six], &[], ty, 1.0);
    let value = draft.add("Mul", &[&value.name, &gate.name], &[], ty, value.spread);
    quantized::settle(draft, &value);
    Some(())
}

/// Channels scaled by what two pointwise convolutions make of their means.
fn squeeze_and_excite(draft: &mut Draft) -> Option<()> {
    let image = draft.operand(|value| value.is("f32") && value.rank() == 4)?;
    let [n, c, ..] = image.ty.shape[..] else { return None };
    let inner = draft.random.within(1..=4);
    let mean = draft.add("GlobalAveragePool", &[&image.name], &[], ("f32", &[n, c, 1, 1]), image.spread);
    let inputs = quantized::weights_and_bias(draft, &mean, &[inner, c, 1, 1], 1.0 / (c as f32).sqrt(), inner, 0);
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let squeezed = draft.add("Conv", &inputs, &[], ("f32", &[n, inner, 1, 1]), image.spread);
    let squeezed = draft.add("Relu", &[&squeezed.name], &[], ("f32", &[n, inner, 1, 1]), image.spread);
    let inputs = quantized::weights_and_bias(draft, &squeezed, &[c, inner, 1, 1], 1.0 / (inner as f32).sqrt(), c, 0);
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let excited = draft.add("Conv", &inputs, &[], ("f32", &[n, c, 1, 1]), image.spread);
    let op = draft.random.pick(&["Sigmoid", "HardSigmoid"]);
    let gate = draft.add(op, &[&excited.name], &[], ("f32", &[n, c, 1, 1]), 1.0);
    let value = draft.add("Mul", &[&image.name, &gate.name], &[], ("f32", &image.ty.shape), image.spread);
    quantized::settle(draft, &value);
    Some(())
}

/// `Reshape` to sizes that the model computes: the first is that of the value, the others are one.
fn reshape_by_shape(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.rank() > 1 && value.quantization.is_none())?;
    let first = value.ty.shape[0];
    let rest = value.ty.elements() / first;
    let shape = draft.add("Shape", &[&value.name], &[], ("i64", &[value.rank()]), 1e7);
    let zero = draft.constant("i64", &[], &[0.0]);
    let size = draft.add("Gather", &[&shape.name, &zero], &[Int("axis", 0)], ("i64", &[]), 1e7);
    let size = if draft.opset < 13 {
        draft.add("Unsqueeze", &[&size.name], &[Attribute::Ints("axes", vec![0])], ("i64", &[1]), 1e7)
    } else {
        let axes = draft.ints(&[0]);
        draft.add("Unsqueeze", &[&size.name, &axes], &[], ("i64", &[1]), 1e7)
    };
    let minus = draft.ints(&[-1]);
    let sizes = draft.add("Concat", &[&size.name, &minus], &[Int("axis", 0)], ("i64", &[2]), 1e7);
    draft.add("Reshape", &[&value.name, &sizes.name], &[], (value.ty.elem, &[first, rest]), value.spread);
    Some(())
}

/// Elements by their places: `GatherElements`, `ScatterND`, `Trilu` and their like.
pub fn places(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.rank() > 0 && value.quantization.is_none() && !value.is("bool"))?;
    let ty = (value.ty.elem, &value.ty.shape[..]);
    let size = value.ty.shape[0];
    match draft.random.below(6) {
        0 if draft.opset >= 11 => {
            let indices: Vec<f64> = (0..value.ty.elements()).map(|_| draft.random.below(size) as f64).collect();
            let indices = draft.constant("i64", &value.ty.shape, &indices);
            draft.add("GatherElements", &[&value.name, &indices], &[Int("axis", 0)], ty, value.spread);
        }
        1 if draft.opset >= 12 => {
            let count = draft.random.within(1..=3);
            let indices: Vec<f64> = (0..count).map(|_| draft.random.below(size) as f64).collect();
            let indices = draft.constant("i64", &[count, 1], &indices);
            let shape = [&[count], &value.ty.shape[1..]].concat();
            draft.add("GatherND", &[&value.name, &indices], &[], (ty.0, &shape), value.spread);
        }
        2 if draft.opset >= 11 => {
            let index = draft.random.below(size) as f64;
            let indices = draft.constant("i64", &[1, 1], &[index]);
            let updates = draft.some(ty.0, &[&[1], &value.ty.shape[1..]].concat(), 1.0);
            draft.add("ScatterND", &[&value.name, &indices, &updates], &[], ty, value.spread);
        }
        3 if draft.opset >= 11 => {
            // One index of each lane, so that none is written twice.
            let shape = [&[1], &value.ty.shape[1..]].concat();
            let indices: Vec<f64> = (0..shape.iter().product()).map(|_| draft.random.below(size) as f64).collect();
            let indices = draft.constant("i64", &shape, &indices);
            let updates = draft.some(ty.0, &shape, 1.0);
            draft.add("ScatterElements", &[&value.name, &indices, &updates], &[Int("axis", 0)], ty, value.spread);
        }
        4 if draft.opset >= 14 && value.rank() > 1 => {
            let (diagonal, upper) = (draft.random.within(0..=4) as f64 - 2.0, draft.random.below(2) as i64);
            let offset = draft.constant("i64", &[], &[diagonal]);
            let inputs: &[&str] = if draft.random.chance(50) { &[&value.name] } else { &[&value.name, &offset] };
            draft.add("Trilu", inputs, &[Int("upper", upper)], ty, value.spread);
        }
        _ => {
            let known = signed(&value.ty.shape);
            if draft.opset < 9 || value.is("u8") || value.is("i8") {
                return None;
            }
            let shape = draft.ints(&known);
            let filled = draft.add("ConstantOfShape", &[&shape], &[], ("f32", &value.ty.shape), 0.0);
            if value.is("f32") {
                draft.add("Add", &[&filled.name, &value.name], &[], ty, value.spread);
            }
        }
    }
    Some(())
}
