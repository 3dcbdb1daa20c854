//! Operators that compute with integers themselves: those of ONNX, and those of ONNX Runtime's own.

use super::elementwise::broadcast;
use super::quantized::{parameters, quantize};
use crate::draft::{Draft, Float, Int, Ints, Quantization, Value};

/// Integers that stand for others; made of floats where there are none.
fn integers(draft: &mut Draft, fits: impl Fn(&Value) -> bool) -> Option<(Value, String, String, Quantization)> {
    if let Some(value) = draft.operand(|value| value.quantization.is_some() && fits(value)).filter(|_| draft.random.chance(60)) {
        let quantization = value.quantization?;
        let scale = draft.constant("f32", &[], &[f64::from(quantization.scale)]);
        let zero = draft.constant(value.ty.elem, &[], &[quantization.zero_point as f64]);
        return Some((value, scale, zero, quantization));
    }
    let value = draft.operand(|value| value.is("f32") && fits(value))?;
    (draft.opset >= 10).then(|| quantize(draft, &value))
}

/// How large the numbers are that integers stand for.
fn spread(quantization: Quantization) -> f32 {
    quantization.scale * 128.0
}

/// `QLinearMatMul`, `QLinearConv`, `MatMulInteger`, `ConvInteger` and `DynamicQuantizeLinear`.
pub fn layer(draft: &mut Draft) -> Option<()> {
    match draft.random.below(7) {
        0 | 1 => convolution(draft),
        2 | 3 => product(draft),
        4 => accumulated(draft),
        5 => gemm(draft),
        _ => dynamic(draft),
    }
}

fn convolution(draft: &mut Draft) -> Option<()> {
    let (image, scale, zero, quantization) = integers(draft, |value| value.rank() == 4)?;
    let [n, c, h, w] = image.ty.shape[..] else { return None };
    let depthwise = draft.random.chance(30);
    let size = draft.random.pick(&[1, 2, 3]).min(h).min(w);
    let made = if depthwise { c } else { draft.random.within(1..=6) };
    let groups = if depthwise { c } else { 1 };
    let weights = draft.some("i8", &[made, c / groups, size, size], 1.0);
    let per_axis = draft.random.chance(50);
    let terms = (c / groups * size * size) as f32;
    let count = if per_axis { made } else { 1 };
    let scales: Vec<f64> = (0..count).map(|_| f64::from((1.5 + draft.random.float()) / terms.sqrt() / 127.0)).collect();
    let weight_shape: &[usize] = if per_axis { &[made] } else { &[] };
    let weight_scale = draft.constant("f32", weight_shape, &scales);
    let weight_zero = draft.constant("i8", weight_shape, &vec![0.0; count]);
    let (made_scale, made_zero, made_quantization) = parameters(draft, image.ty.elem, spread(quantization) * 1.5);
    let bias: Vec<f64> = (0..made).map(|_| f64::from((draft.random.float() * 3000.0).round())).collect();
    let bias = draft.constant("i32", &[made], &bias);
    let mut inputs = vec![&*image.name, &scale, &zero, &weights, &weight_scale, &weight_zero, &made_scale, &made_zero];
    if draft.random.chance(60) {
        inputs.push(&bias);
    }
    let pad = (size - 1) / 2;
    let attributes = [Int("group", groups as i64), Ints("pads", vec![pad as i64; 4])];
    let shape = [n, made, h + 2 * pad - size + 1, w + 2 * pad - size + 1];
    let value = draft.add("QLinearConv", &inputs, &attributes, (image.ty.elem, &shape), 128.0);
    draft.set_quantization(&value.name, made_quantization);
    Some(())
}

fn product(draft: &mut Draft) -> Option<()> {
    let (value, scale, zero, quantization) = integers(draft, |value| value.rank() >= 2)?;
    let terms = *value.ty.shape.last()?;
    let made = draft.random.within(1..=8);
    let elem = if draft.random.chance(70) { "i8" } else { value.ty.elem };
    let weights = draft.some(elem, &[terms, made], 1.0);
    let weight_scale = draft.floats_within(&[], 0.5 / 127.0, 2.0 / 127.0);
    let weight_zero = draft.constant(elem, &[], &[if elem == "u8" { 128.0 } else { 0.0 }]);
    let (made_scale, made_zero, made_quantization) =
        parameters(draft, value.ty.elem, spread(quantization) * (terms as f32).sqrt());
    let shape = [&value.ty.shape[..value.rank() - 1], &[made]].concat();
    let inputs = [&*value.name, &scale, &zero, &weights, &weight_scale, &weight_zero, &made_scale, &made_zero];
    let value = draft.add("QLinearMatMul", &inputs, &[], (value.ty.elem, &shape), 128.0);
    draft.set_quantization(&value.name, made_quantization);
    Some(())
}

/// `QGemm` with weights of either order, to integers or to floats.
fn gemm(draft: &mut Draft) -> Option<()> {
    let (value, scale, zero, quantization) = integers(draft, |value| value.rank() == 2)?;
    let (rows, terms, made) = (value.ty.shape[0], value.ty.shape[1], draft.random.within(1..=8));
    let transposed = draft.random.chance(60);
    let weights = draft.some("i8", &if transposed { [made, terms] } else { [terms, made] }, 1.0);
    let weight_number = (1.0 + draft.random.float().abs()) / 127.0;
    let weight_scale = draft.constant("f32", &[], &[f64::from(weight_number)]);
    let weight_zero = draft.constant("i8", &[], &[0.0]);
    let bias: Vec<f64> = (0..made).map(|_| f64::from((draft.random.float() * 3000.0).round())).collect();
    let bias = draft.constant("i32", &[made], &bias);
    let spread = spread(quantization) * (terms as f32).sqrt();
    let (made_scale, made_zero, made_quantization) = parameters(draft, value.ty.elem, spread);
    let attributes = [Int("transB", i64::from(transposed))];
    let mut inputs = vec![&*value.name, &scale, &zero, &weights, &weight_scale, &weight_zero, &bias];
    if draft.random.chance(30) {
        draft.add("com.microsoft::QGemm", &inputs, &attributes, ("f32", &[rows, made]), spread);
        return Some(());
    }
    inputs.extend([&*made_scale, &made_zero]);
    let value = draft.add("com.microsoft::QGemm", &inputs, &attributes, (value.ty.elem, &[rows, made]), 128.0);
    draft.set_quantization(&value.name, made_quantization);
    Some(())
}

/// Sums of 32 bits, which a float makes something of.
fn accumulated(draft: &mut Draft) -> Option<()> {
    let (value, _, zero, _) = integers(draft, |value| value.rank() >= 2)?;
    let terms = *value.ty.shape.last()?;
    let made = draft.random.within(1..=6);
    let weights = draft.some("i8", &[terms, made], 1.0);
    let shape = [&value.ty.shape[..value.rank() - 1], &[made]].concat();
    let sums = draft.add("MatMulInteger", &[&value.name, &weights, &zero], &[], ("i32", &shape), 1e7);
    let floats = draft.add("Cast", &[&sums.name], &[Int("to", 1)], ("f32", &shape), 1e4);
    let scale = draft.floats_within(&[], 1e-5, 1e-4);
    draft.add("Mul", &[&floats.name, &scale], &[], ("f32", &shape), 4.0);
    Some(())
}

/// A dense layer whose input is quantized while it runs.
fn dynamic(draft: &mut Draft) -> Option<()> {
    if draft.opset < 11 {
        return None;
    }
    let value = draft.operand(|value| value.is("f32") && value.rank() >= 2)?;
    let terms = *value.ty.shape.last()?;
    let made = draft.random.within(1..=6);
    let types = [("u8", &value.ty.shape[..]), ("f32", &[]), ("u8", &[])];
    let [integers, scale, zero] = draft.add_several("DynamicQuantizeLinear", &[&value.name], &[], types, value.spread);
    let weights = draft.some("i8", &[terms, made], 1.0);
    let weight_zero = draft.constant("i8", &[], &[0.0]);
    let shape = [&value.ty.shape[..value.rank() - 1], &[made]].concat();
    let inputs = [&*integers.name, &weights, &zero.name, &weight_zero];
    let sums = draft.add("MatMulInteger", &inputs, &[], ("i32", &shape), 1e7);
    let floats = draft.add("Cast", &[&sums.name], &[Int("to", 1)], ("f32", &shape), 1e4);
    let weight_scale = draft.floats_within(&[], 0.5 / 127.0, 2.0 / 127.0);
    let scales = draft.add("Mul", &[&scale.name, &weight_scale], &[], ("f32", &[]), 1e-3);
    draft.add("Mul", &[&floats.name, &scales.name], &[], ("f32", &shape), value.spread * 2.0);
    Some(())
}

/// ONNX Runtime's own operators of integers, element by element.
pub fn pointwise(draft: &mut Draft) -> Option<()> {
    let (left, left_scale, left_zero, quantization) = integers(draft, |_| true)?;
    let elem = left.ty.elem;
    let (made_scale, made_zero, made) = parameters(draft, elem, spread(quantization) * 1.2);
    let own = |op: &str| format!("com.microsoft::{op}");
    let parts = [&*left.name, &left_scale, &left_zero];
    let ty = (elem, &left.ty.shape[..]);
    let value = match draft.random.below(8) {
        0..=3 => {
            let fits = |value: &Value| {
                value.is(elem) && value.quantization.is_some() && broadcast(&left.ty.shape, &value.ty.shape).is_some()
            };
            let right = draft.operand(fits)?;
            let right_scale = draft.constant("f32", &[], &[f64::from(right.quantization?.scale)]);
            let right_zero = draft.constant(elem, &[], &[right.quantization?.zero_point as f64]);
            let shape = broadcast(&left.ty.shape, &right.ty.shape)?;
            let op = own(draft.random.pick(&["QLinearAdd", "QLinearAdd", "QLinearMul"]));
            let inputs = [&parts[..], &[&right.name, &right_scale, &right_zero, &made_scale, &made_zero]].concat();
            draft.add(&op, &inputs, &[], (elem, &shape), 128.0)
        }
        7 => {
            let inputs = [&parts[..], &[&made_scale, &made_zero]].concat();
            draft.add(&own("QLinearLeakyRelu"), &inputs, &[Float("alpha", 0.1)], ty, 128.0)
        }
        4 | 5 if left.rank() == 4 => {
            let shape = [left.ty.shape[0], left.ty.shape[1], 1, 1];
            let inputs = [&parts[..], &[&made_scale, &made_zero]].concat();
            draft.add(&own("QLinearGlobalAveragePool"), &inputs, &[Int("channels_last", 0)], (elem, &shape), 128.0)
        }
        6 if left.rank() > 0 => {
            let mut shape = left.ty.shape.clone();
            let axis = draft.random.below(left.rank());
            shape[axis] *= 2;
            let inputs = [&[&*made_scale, &made_zero], &parts[..], &parts].concat();
            draft.add(&own("QLinearConcat"), &inputs, &[Int("axis", axis as i64)], (elem, &shape), 128.0)
        }
        _ => {
            let inputs = [&parts[..], &[&made_scale, &made_zero]].concat();
            draft.add(&own("QLinearSigmoid"), &inputs, &[], ty, 128.0)
        }
    };
    draft.set_quantization(&value.name, made);
    Some(())
}
