//! Quantization: what makes the layers of a model quantized ones, in the form that exporters write, `QuantizeLinear` and `DequantizeLinear` around
//! float operators.

use crate::draft::{Draft, Int, Quantization, Value};

/// Scale and zero point for values that become as large as `spread`, as two constants.
pub fn parameters(draft: &mut Draft, elem: &'static str, spread: f32) -> (String, String, Quantization) {
    let scale = spread.clamp(0.01, 1e4) * draft.random.pick(&[0.5, 0.8, 1.0, 1.3]) / 127.0;
    // Powers of two make exact halves.
    let scale = if draft.random.chance(20) { scale.log2().round().exp2() } else { scale };
    let zero_point = match (elem, draft.random.below(3)) {
        ("i8", 0) => draft.random.within(0..=60) as i64 - 30,
        ("i8", 1) => -128,
        ("i8", _) => 0,
        (_, 0) => draft.random.within(0..=255) as i64,
        (_, 1) => 0,
        _ => 128,
    };
    let name = draft.constant("f32", &[], &[f64::from(scale)]);
    let zero = draft.constant(elem, &[], &[zero_point as f64]);
    (name, zero, Quantization { scale, zero_point })
}

/// `value` as integers.
pub fn quantize(draft: &mut Draft, value: &Value) -> (Value, String, String, Quantization) {
    let elem = draft.random.pick(&["i8", "u8"]);
    let (scale, zero, quantization) = parameters(draft, elem, value.spread);
    let integers = draft.add("QuantizeLinear", &[&value.name, &scale, &zero], &[], (elem, &value.ty.shape), 128.0);
    draft.set_quantization(&integers.name, quantization);
    (integers, scale, zero, quantization)
}

/// In a quantized model, lets the result of a layer pass through integers.
pub fn settle(draft: &mut Draft, value: &Value) {
    if draft.quantized && draft.random.chance(85) {
        through(draft, value);
    }
}

fn through(draft: &mut Draft, value: &Value) -> Value {
    let (integers, scale, zero, _) = quantize(draft, value);
    draft.add("DequantizeLinear", &[&integers.name, &scale, &zero], &[], ("f32", &value.ty.shape), value.spread)
}

/// The inputs of a layer: its value, weights of this shape whose outputs lie along `axis`, and maybe a bias for each of `outputs`. In a quantized model
/// all of them are dequantized.
pub fn weights_and_bias(
    draft: &mut Draft,
    value: &Value,
    shape: &[usize],
    spread: f32,
    outputs: usize,
    axis: usize,
) -> Vec<String> {
    let with_bias = outputs > 0 && draft.random.chance(60);
    if !draft.quantized || draft.random.chance(15) {
        let weights = draft.some("f32", shape, spread);
        let bias = with_bias.then(|| draft.some("f32", &[outputs], 0.5));
        return [value.name.clone(), weights].into_iter().chain(bias).collect();
    }
    let (integers, scale, zero, quantization) = quantize(draft, value);
    let value = draft.add("DequantizeLinear", &[&integers.name, &scale, &zero], &[], ("f32", &value.ty.shape), value.spread);
    let per_axis = draft.opset >= 13 && draft.random.chance(50);
    let count = if per_axis { shape[axis] } else { 1 };
    let scales: Vec<f64> = (0..count).map(|_| f64::from(spread * (1.5 + draft.random.float()) / 127.0)).collect();
    let scale_shape: &[usize] = if per_axis { &[count] } else { &[] };
    let attributes = [Int("axis", axis as i64)];
    let attributes = if per_axis { &attributes[..] } else { &[] };
    let elem = draft.random.pick(&["i8", "i8", "u8"]);
    let zero_point = if elem == "u8" { 128.0 } else { 0.0 };
    let integers = draft.some(elem, shape, 1.0);
    let (scale, zero) =
        (draft.constant("f32", scale_shape, &scales), draft.constant(elem, scale_shape, &vec![zero_point; count]));
    let weights = draft.add("DequantizeLinear", &[&integers, &scale, &zero], attributes, ("f32", shape), spread);
    let mut inputs = vec![value.name, weights.name];
    if with_bias {
        inputs.push(bias(draft, quantization.scale, &scales, outputs));
    }
    inputs
}

/// A bias of 32-bit integers, whose scale is that of value and weights, or one of floats.
fn bias(draft: &mut Draft, value_scale: f32, weight_scales: &[f64], outputs: usize) -> String {
    if draft.random.chance(30) {
        return draft.some("f32", &[outputs], 0.5);
    }
    let integers: Vec<f64> = (0..outputs).map(|_| f64::from((draft.random.float() * 3000.0).round())).collect();
    let integers = draft.constant("i32", &[outputs], &integers);
    let scales: Vec<f64> = weight_scales.iter().map(|scale| scale * f64::from(value_scale)).collect();
    let shape: &[usize] = if scales.len() > 1 { &[outputs] } else { &[] };
    let scale = draft.constant("f32", shape, &scales);
    let attributes = [Int("axis", 0)];
    let attributes = if scales.len() > 1 { &attributes[..] } else { &[] };
    draft.add("DequantizeLinear", &[&integers, &scale], attributes, ("f32", &[outputs]), 0.5).name
}
