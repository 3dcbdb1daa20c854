//! Products of matrices: dense layers with constant weights, and products of two values.

use super::{activations, quantized};
use crate::draft::{Attribute, Draft, Float, Int, LARGEST, Text, Value};

/// A dense layer, often with its activation.
pub fn layer(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.is("f32") && value.rank() >= 2)?;
    let mut value = match value.rank() {
        2 if draft.random.chance(70) => gemm(draft, &value),
        3.. if draft.random.chance(40) => {
            let elements = value.ty.elements() / value.ty.shape[0];
            let flat = draft.add("Flatten", &[&value.name], &[], ("f32", &[value.ty.shape[0], elements]), value.spread);
            gemm(draft, &flat)
        }
        _ => matmul(draft, &value)?,
    };
    if draft.random.chance(40) {
        value = activations::of(draft, &value);
    }
    quantized::settle(draft, &value);
    Some(())
}

/// `Gemm` of a value and constant weights, with all its attributes.
fn gemm(draft: &mut Draft, value: &Value) -> Value {
    let transposed_value = draft.random.chance(10);
    let (rows, terms) = (value.ty.shape[usize::from(transposed_value)], value.ty.shape[usize::from(!transposed_value)]);
    let columns = draft.random.within(1..=12);
    let transposed_weights = draft.random.chance(60);
    let shape = if transposed_weights { [columns, terms] } else { [terms, columns] };
    let axis = usize::from(!transposed_weights);
    let inputs = quantized::weights_and_bias(draft, value, &shape, 1.5 / (terms as f32).sqrt(), columns, axis);
    let mut attributes: Vec<Attribute> = vec![];
    if transposed_weights {
        attributes.push(Int("transB", 1));
    }
    if transposed_value {
        attributes.push(Int("transA", 1));
    }
    let mut inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let bias_shape = draft.random.pick(&[[1, columns], [rows, columns], [rows, 1], [1, 1]]);
    let bias = draft.some("f32", &bias_shape, 0.5);
    if draft.random.chance(20) {
        inputs.truncate(2);
        inputs.push(&bias);
        attributes
            .extend([Float("alpha", draft.random.pick(&[0.5, 1.0, 2.0])), Float("beta", draft.random.pick(&[0.25, 1.0, 0.0]))]);
    }
    if draft.opset < 11 && inputs.len() < 3 {
        inputs.push(&bias);
    }
    draft.add("Gemm", &inputs, &attributes, ("f32", &[rows, columns]), value.spread * 1.2)
}

/// `MatMul` with constant weights on one side, and an `Add` behind it as exporters write a bias.
fn matmul(draft: &mut Draft, value: &Value) -> Option<Value> {
    let (rows, terms) = (value.ty.shape[value.rank() - 2], value.ty.shape[value.rank() - 1]);
    let made = draft.random.within(1..=8);
    let mut shape = value.ty.shape.clone();
    let last = value.rank() - 1;
    let product = if draft.random.chance(85) {
        shape[last] = made;
        if shape.iter().product::<usize>() > LARGEST {
            return None;
        }
        let inputs = quantized::weights_and_bias(draft, value, &[terms, made], 1.5 / (terms as f32).sqrt(), 0, 1);
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        draft.add("MatMul", &inputs, &[], ("f32", &shape), value.spread * 1.2)
    } else {
        shape[last - 1] = made;
        let weight = draft.some("f32", &[made, rows], 1.5 / (rows as f32).sqrt());
        draft.add("MatMul", &[&weight, &value.name], &[], ("f32", &shape), value.spread * 1.2)
    };
    if draft.random.chance(60) {
        let bias = draft.some("f32", &shape[last..], 0.5);
        let inputs: [&str; 2] = if draft.random.chance(50) { [&product.name, &bias] } else { [&bias, &product.name] };
        return Some(draft.add("Add", &inputs, &[], ("f32", &shape), product.spread + 0.5));
    }
    Some(product)
}

/// A product of two values: of a value with itself transposed, as in attention, or of any two that fit.
pub fn product(draft: &mut Draft) -> Option<()> {
    let left = draft.operand(|value| value.is("f32") && (2..=4).contains(&value.rank()))?;
    let rank = left.rank();
    let right = draft.operand(|value| {
        let batch = |value: &Value| value.ty.shape[..rank - 2].to_vec();
        value.is("f32")
            && value.rank() == rank
            && batch(value) == batch(&left)
            && value.ty.shape[rank - 1] == left.ty.shape[rank - 1]
    })?;
    let (rows, columns) = (left.ty.shape[rank - 2], right.ty.shape[rank - 2]);
    let shape = [&left.ty.shape[..rank - 2], &[rows, columns]].concat();
    let spread = left.spread * right.spread * (left.ty.shape[rank - 1] as f32).sqrt();
    if spread > 100.0 {
        return None;
    }
    if rank == 3 && draft.opset >= 12 && draft.random.chance(30) {
        draft.add("Einsum", &[&left.name, &right.name], &[Text("equation", "bik,bjk->bij")], ("f32", &shape), spread);
        return Some(());
    }
    let mut order: Vec<i64> = (0..rank as i64).collect();
    order.swap(rank - 1, rank - 2);
    let mut turned = right.ty.shape.clone();
    turned.swap(rank - 1, rank - 2);
    let turned = draft.add("Transpose", &[&right.name], &[Attribute::Ints("perm", order)], ("f32", &turned), right.spread);
    let product = draft.add("MatMul", &[&left.name, &turned.name], &[], ("f32", &shape), spread);
    if draft.random.chance(50) {
        draft.add("Softmax", &[&product.name], &[Int("axis", rank as i64 - 1)], ("f32", &shape), 1.0);
    }
    Some(())
}
