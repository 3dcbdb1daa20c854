//! Operators whose results are known when the model is compiled: `Constant`, `Shape`, `Size`, `ConstantOfShape`, `Range`, `EyeLike`.
//!
//! <https://onnx.ai/onnx/operators/onnx__Constant.html>

use super::{filled, from_front, sized};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, OpDef};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::ElemType;
use crate::with_elem;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Constant", opset: 1..=11, read: |node| only(node, "`value`", [node.tensor("value")?]) },
    OpDef { name: "Constant", opset: 12..=LATEST, read: read_constant },
    OpDef { name: "Shape", opset: 1..=14, read: |node| read_shape(node, 0, None) },
    OpDef { name: "Shape", opset: 15..=LATEST, read: |node| read_shape(node, node.int("start", 0)?, node.optional_int("end")?) },
    OpDef { name: "Size", opset: 1..=LATEST, read: read_size },
    OpDef { name: "ConstantOfShape", opset: 9..=LATEST, read: read_constant_of_shape },
    OpDef { name: "Range", opset: 11..=LATEST, read: read_range },
    OpDef { name: "EyeLike", opset: 9..=LATEST, read: read_eye_like },
];

fn read_constant(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let int = node.optional_int("value_int")?.map(|value| Tensor::from_vec([], &[value]));
    let ints = node.ints("value_ints")?.map(|values| Tensor::from_vec([values.len()], &values));
    let float = node.optional_float("value_float")?.map(|value| Tensor::from_vec([], &[value]));
    let floats = node.floats("value_floats")?.map(|values| Tensor::from_vec([values.len()], &values));
    let names = "`value`, `value_int`, `value_ints`, `value_float`, `value_floats`";
    only(node, names, [node.tensor("value")?, int, ints, float, floats])
}

/// The one constant that is given. Strings and sparse tensors are never among them.
fn only<const N: usize>(node: &mut NodeReader, names: &str, values: [Option<Tensor>; N]) -> Result<Vec<ValueId>> {
    let given: Vec<Tensor> = values.into_iter().flatten().collect();
    match <[Tensor; 1]>::try_from(given) {
        Ok([tensor]) => Ok(vec![node.add_constant(tensor)]),
        Err(given) => Err(Refusal::new(
            format!("{} of the attributes {names} are given; expected one, which holds numbers or bools", given.len()),
            "store the value as a dense tensor of numbers in the attribute `value`",
        )),
    }
}

/// The sizes of the axes from `start` up to `end`; negative ones count from the last axis, and both are clamped to the axes there are.
///
/// <https://onnx.ai/onnx/operators/onnx__Shape.html>
fn read_shape(node: &mut NodeReader, start: i64, end: Option<i64>) -> Result<Vec<ValueId>> {
    let shape = node.ty(node.input(0)?).shape.clone();
    let rank = shape.len();
    let axis = |axis: i64| usize::try_from(from_front(axis, rank)).unwrap_or(0).min(rank);
    let sizes = shape.get(axis(start)..end.map_or(rank, axis)).unwrap_or_default();
    Ok(vec![node.add_constant(Tensor::from_sizes(sizes))])
}

/// <https://onnx.ai/onnx/operators/onnx__Size.html>
fn read_size(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let elements = node.ty(node.input(0)?).elements();
    Ok(vec![node.add_constant(Tensor::from_sizes(&[elements]).reshaped([]))])
}

/// <https://onnx.ai/onnx/operators/onnx__ConstantOfShape.html>
fn read_constant_of_shape(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let sizes = node.constant_ints(0, "input")?.unwrap_or_default();
    let value = node.tensor("value")?.unwrap_or_else(|| Tensor::from_vec([1], &[0.0f32]));
    if value.ty().elements() != 1 {
        return Err(Refusal::new(
            format!("attribute `value` is {}; expected one element", value.ty()),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    let ty = sized(value.ty().elem, &super::sizes("input", &sizes)?)?;
    let bytes = value.bytes().repeat(ty.elements());
    Ok(vec![node.add_constant(Tensor::new(ty, bytes).expect("as many elements as the shape has"))])
}

/// ONNX's number of the element type f32.
const FLOAT: i64 = 1;

/// `start`, `start + delta`, … before `limit`: <https://onnx.ai/onnx/operators/onnx__Range.html>
fn read_range(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (start, limit, delta) = (scalar(node, 0, "start")?, scalar(node, 1, "limit")?, scalar(node, 2, "delta")?);
    let types = [start.ty().elem, limit.ty().elem, delta.ty().elem];
    let elem = types[0];
    if types != [elem; 3] || elem == ElemType::Bool {
        let [start, limit, delta] = types;
        return Err(Refusal::new(
            format!("`start`, `limit` and `delta` are {start}, {limit} and {delta}; expected numbers of one type"),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    // Halves are computed in f32, other types in their own.
    let stash_type = node.int("stash_type", FLOAT)?;
    if matches!(elem, ElemType::F16 | ElemType::BF16) && stash_type != FLOAT {
        return Err(unsupported_attribute("stash_type", &stash_type.to_string(), "1 (float)"));
    }
    let len = range_len(&start, &limit, &delta).ok_or_else(|| {
        Refusal::new("`delta` is 0, or a bound is not finite; the range never ends", "give `Range` finite bounds and a step")
    })?;
    let ty = sized(elem, &[len])?;
    let range = with_elem!(elem, T => {
        filled::<T>(&ty, |y| kernels::range(y, start.to_vec::<T>()[0], delta.to_vec::<T>()[0]))
    });
    Ok(vec![node.add_constant(range)])
}

/// Input `index`, which must be a constant of one element.
fn scalar(node: &NodeReader, index: usize, name: &str) -> Result<Tensor> {
    node.input(index)?;
    node.constant(index, name)?.filter(|tensor| tensor.ty().elements() == 1).ok_or_else(|| {
        Refusal::new(format!("input `{name}` has not one element"), "export the model again, or check it with `onnx.checker`")
    })
}

/// max(⌈(limit − start) / delta⌉, 0); `None` when that is not a number of elements.
fn range_len(start: &Tensor, limit: &Tensor, delta: &Tensor) -> Option<usize> {
    if let (Some(start), Some(limit), Some(delta)) = (start.to_ints(), limit.to_ints(), delta.to_ints()) {
        let (distance, delta) = (i128::from(limit[0]) - i128::from(start[0]), i128::from(delta[0]));
        let whole = distance.checked_div(delta)?;
        let len = whole + i128::from(whole * delta != distance && (distance < 0) == (delta < 0));
        return usize::try_from(len.max(0)).ok();
    }
    let value = |tensor: &Tensor| with_elem!(tensor.ty().elem, T => kernels::cast::<T, f64>(tensor.to_vec::<T>()[0]));
    let len = ((value(limit) - value(start)) / value(delta)).ceil().max(0.0);
    (value(delta) != 0.0 && len.is_finite()).then(|| usize::try_from(kernels::cast::<f64, u64>(len)).ok())?
}

/// Ones on the diagonal that lies `k` above the main one: <https://onnx.ai/onnx/operators/onnx__EyeLike.html>
fn read_eye_like(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let input = node.ty(node.input(0)?).clone();
    let [rows, columns] = input.shape[..] else {
        return Err(Refusal::new(
            format!("the input is {input}; expected a matrix"),
            "give `EyeLike` a tensor of two dimensions",
        ));
    };
    let elem = node.elem_type("dtype")?.unwrap_or(input.elem);
    let k = i128::from(node.int("k", 0)?);
    let mut elements = vec![Scalar::zero(elem); sized(elem, &[rows, columns])?.elements()];
    for (row, elements) in (0..).zip(elements.chunks_exact_mut(columns.max(1))) {
        if let Some(element) = usize::try_from(row + k).ok().and_then(|column| elements.get_mut(column)) {
            *element = Scalar::of(1.0, elem);
        }
    }
    Ok(vec![node.add_constant(Scalar::tensor(elem, [rows, columns], &elements))])
}

#[cfg(test)]
mod tests {
    use half::bf16;

    use super::*;
    use crate::testing::OneNode;

    const CHECK: &str = "check it with `onnx.checker`";

    #[test]
    fn constants_of_every_attribute() {
        let tensor = Tensor::from_vec([2], &[1.5f32, -2.0]);
        let constant = |opset| OneNode::new("Constant", opset);
        assert_eq!(constant(6).tensor("value", &tensor).results(), std::slice::from_ref(&tensor));
        assert_eq!(constant(13).tensor("value", &tensor).results(), [tensor]);
        assert_eq!(constant(12).int("value_int", -3).results(), [Tensor::from_vec([], &[-3i64])]);
        assert_eq!(constant(12).ints("value_ints", &[4, 5]).results(), [Tensor::from_vec([2], &[4i64, 5])]);
        assert_eq!(constant(12).float("value_float", 0.5).results(), [Tensor::from_vec([], &[0.5f32])]);
    }

    #[test]
    fn other_constants_are_refused() {
        let constant = || OneNode::new("Constant", 13);
        constant().word("value_string", "word").refused("0 of the attributes `value`, `value_int`", "dense tensor of numbers");
        constant().int("value_int", 1).float("value_float", 1.0).refused("2 of the attributes", "dense tensor of numbers");
        OneNode::new("Constant", 11).int("value_int", 1).refused("0 of the attributes `value` are given", "attribute `value`");
    }

    #[test]
    fn shapes_and_sizes() {
        let shape = |opset| OneNode::new("Shape", opset).floats(&[2, 3, 4]);
        let cases = [
            (shape(6), vec![2, 3, 4]),
            (shape(15), vec![2, 3, 4]),
            (shape(15).int("start", 1), vec![3, 4]),
            (shape(15).int("end", -1), vec![2, 3]),
            (shape(15).int("start", -2).int("end", 2), vec![3]),
            (shape(15).int("start", -9).int("end", 9), vec![2, 3, 4]),
            (shape(15).int("start", 2).int("end", 1), vec![]),
            (OneNode::new("Size", 13).floats(&[2, 3, 4]), vec![24]),
            (OneNode::new("Size", 13).floats(&[]), vec![1]),
        ];
        for (node, expected) in cases {
            assert_eq!(node.result_ints(), expected, "{node:?}");
        }
        shape(14).int("start", 1).refused("unknown attribute `start`", "remove the attribute");
    }

    #[test]
    fn constant_of_shape() {
        let node = |sizes: &[i64]| OneNode::new("ConstantOfShape", 9).constant_ints(sizes);
        assert_eq!(node(&[1, 2]).results(), [Tensor::from_vec([1, 2], &[0.0f32; 2])]);
        assert_eq!(node(&[]).tensor("value", &Tensor::from_vec([1], &[7i8])).results(), [Tensor::from_vec([], &[7i8])]);
        assert_eq!(node(&[0, 3]).types(), ["f32[0, 3]"]);
        node(&[2, -1]).refused("input `input` is [2, -1]; expected numbers of at least 0", CHECK);
        node(&[1 << 40, 1 << 40]).refused("the output would be f32[1099511627776, 1099511627776]", "fix the sizes");
        node(&[2]).tensor("value", &Tensor::from_vec([2], &[1i8, 2])).refused("`value` is i8[2]; expected one element", CHECK);
        let runtime = OneNode::new("ConstantOfShape", 9).input(ElemType::I64, &[2]);
        runtime.refused("input `input` is `x0`, which is computed at run time", "fixed shapes");
    }

    #[test]
    fn an_identity_of_impossible_size_is_refused() {
        OneNode::new("EyeLike", 9).floats(&[1 << 15, 1 << 14]).refused("at most 67108864 bytes", "fix the sizes");
    }

    #[test]
    fn ranges() {
        let range = |bounds: [i64; 3]| {
            let scalars = bounds.map(|bound| Tensor::from_vec([], &[bound]));
            scalars.iter().fold(OneNode::new("Range", 11), OneNode::constant)
        };
        let cases: [([i64; 3], &[i64]); 6] = [
            ([0, 5, 2], &[0, 2, 4]),
            ([0, 4, 2], &[0, 2]),
            ([3, -3, -2], &[3, 1, -1]),
            ([3, 3, 1], &[]),
            ([3, 0, 1], &[]),
            ([i64::MAX - 1, i64::MAX, 1], &[i64::MAX - 1]),
        ];
        for (bounds, expected) in cases {
            assert_eq!(range(bounds).result_ints(), expected, "{bounds:?}");
        }
        let floats = [1.0f32, 2.0, 0.3].map(|bound| Tensor::from_vec([], &[bound]));
        let result = floats.iter().fold(OneNode::new("Range", 11), OneNode::constant).results();
        assert_eq!(result, [Tensor::from_vec([4], &[0.0, 1.0, 2.0, 3.0].map(|i| 1.0 + i * 0.3f32))]);
        let halves = [0.0, 774.0, 3.0].map(|bound| Tensor::from_vec([], &[bf16::from_f32(bound)]));
        let node = halves.iter().fold(OneNode::new("Range", 27), OneNode::constant);
        // 257 · 3, rounded once; 257 itself is no bf16.
        assert_eq!(node.clone().int("stash_type", 1).results()[0].to_vec::<bf16>()[257], bf16::from_f32(772.0));
        node.int("stash_type", 11).refused("attribute `stash_type` is 11; supported: 1 (float)", "supported value");
        range([0, 5, 0]).refused("`delta` is 0", "finite bounds");
        range([i64::MIN, i64::MAX, 1]).refused("at most 67108864 bytes", "fix the sizes");
        let mixed = [Tensor::from_vec([], &[0i64]), Tensor::from_vec([], &[0i64]), Tensor::from_vec([], &[1i32])];
        mixed.iter().fold(OneNode::new("Range", 11), OneNode::constant).refused("are i64, i64 and i32", CHECK);
        let runtime = OneNode::new("Range", 11).input(ElemType::I64, &[]).input(ElemType::I64, &[]).input(ElemType::I64, &[]);
        runtime.refused("input `start` is `x0`, which is computed at run time", "fixed shapes");
    }

    #[test]
    fn identity_matrices() {
        let eye = || OneNode::new("EyeLike", 9).input(ElemType::I32, &[2, 3]);
        assert_eq!(eye().result_ints(), [1, 0, 0, 0, 1, 0]);
        assert_eq!(eye().int("k", 1).result_ints(), [0, 1, 0, 0, 0, 1]);
        assert_eq!(eye().int("k", -1).result_ints(), [0, 0, 0, 1, 0, 0]);
        assert_eq!(eye().int("k", i64::MIN).int("dtype", 9).results()[0].ty().to_string(), "bool[2, 3]");
        OneNode::new("EyeLike", 9).floats(&[2]).refused("the input is f32[2]; expected a matrix", "two dimensions");
    }
}
