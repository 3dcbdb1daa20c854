//! `ai.onnx.ml`: what scikit-learn's and other libraries' pipelines are exported to, before and behind the trees.
//!
//! <https://onnx.ai/onnx/operators/index.html#ai-onnx-ml>

mod linear;
mod svm;

use super::arg::{Arg, Target};
use super::concat::Concat;
use super::elementwise::{Elementwise, Expr, converted};
use super::expect_elem;
use super::gather::Gather;
use super::reduce::{Method, Reduce};
use super::softmax::Softmax;
use crate::diagnostic::{Refusal, Result};
use crate::graph::{Labels, ValueId};
use crate::op::{LATEST, OpDef};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "ai.onnx.ml::ArrayFeatureExtractor", opset: 1..=LATEST, read: read_features },
    OpDef { name: "ai.onnx.ml::Binarizer", opset: 1..=LATEST, read: read_binarizer },
    OpDef { name: "ai.onnx.ml::FeatureVectorizer", opset: 1..=LATEST, read: read_vectorizer },
    OpDef { name: "ai.onnx.ml::Imputer", opset: 1..=LATEST, read: read_imputer },
    OpDef { name: "ai.onnx.ml::LabelEncoder", opset: 2..=LATEST, read: read_label_encoder },
    OpDef { name: "ai.onnx.ml::LinearClassifier", opset: 1..=LATEST, read: linear::read_classifier },
    OpDef { name: "ai.onnx.ml::LinearRegressor", opset: 1..=LATEST, read: linear::read_regressor },
    OpDef { name: "ai.onnx.ml::Normalizer", opset: 1..=LATEST, read: read_normalizer },
    OpDef { name: "ai.onnx.ml::SVMRegressor", opset: 1..=LATEST, read: svm::read_regressor },
    OpDef { name: "ai.onnx.ml::Scaler", opset: 1..=LATEST, read: read_scaler },
    OpDef { name: "ai.onnx.ml::ZipMap", opset: 1..=LATEST, read: read_zip_map },
];

/// Columns by their constant or computed numbers: <https://onnx.ai/onnx/operators/onnx_aionnxml_ArrayFeatureExtractor.html>
fn read_features(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, indices) = (node.input(0)?, node.input(1)?);
    let shape = node.ty(x).shape.to_vec();
    let count = node.ty(indices).elements();
    let indices = node.reshape(indices, [count])?;
    let Some(last) = shape.len().checked_sub(1) else {
        return Err(Refusal::new("the input has no axis; expected at least one", "reshape it to [rows, columns]"));
    };
    let x = if last == 0 { node.reshape(x, [1, shape[0]])? } else { x };
    let axis = last.max(1);
    match node.value(indices).and_then(Tensor::to_ints) {
        Some(places) => {
            let places: Option<Vec<usize>> =
                places.iter().map(|&place| usize::try_from(place).ok().filter(|&place| place < shape[last])).collect();
            let places = places.ok_or_else(|| {
                Refusal::new(
                    format!("an index names no column of {} there are", shape[last]),
                    format!("use indices from 0 to {}", shape[last].saturating_sub(1)),
                )
            })?;
            Ok(vec![super::gather::push_constant(node, x, axis, &places)?])
        }
        None => Ok(vec![node.push(Gather { axis }, &[x, indices])?]),
    }
}

fn elementwise(node: &mut NodeReader, expr: Expr, inputs: &[ValueId]) -> Result<Vec<ValueId>> {
    Ok(vec![node.push(Elementwise { expr }, inputs)?])
}

/// 1 above `threshold`, else 0.
fn read_binarizer(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let elem = node.ty(x).elem;
    let threshold = Expr::number(node.float("threshold", 0.0)?.into(), elem);
    let is_above = Expr::call("greater", [Expr::Input(0), threshold]);
    elementwise(node, is_above.cast(ElemType::Bool, elem), &[x])
}

/// All inputs as `f32`, one behind another.
fn read_vectorizer(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    // The sizes are those of the inputs.
    node.ints("inputdimensions")?;
    let inputs = node.all_inputs()?;
    let floats: Vec<ValueId> = inputs.into_iter().map(|id| converted(node, id, ElemType::F32)).collect::<Result<_>>()?;
    match floats[..] {
        [only] => Ok(vec![only]),
        _ => Ok(vec![node.push(Concat { axis: 1 }, &floats)?]),
    }
}

/// `numbers` as a constant that broadcasts along the last axis; one number stands for all.
fn by_column(node: &mut NodeReader, name: &str, numbers: &[f32], columns: usize) -> Result<ValueId> {
    if numbers.len() != 1 && numbers.len() != columns {
        return Err(Refusal::new(
            format!("attribute `{name}` has {} numbers; expected 1 or {columns}", numbers.len()),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    Ok(node.add_constant(Tensor::from_vec([numbers.len()], numbers)))
}

/// The input as `f32`, and how many columns it has.
fn columns(node: &mut NodeReader) -> Result<(ValueId, usize)> {
    let x = node.input(0)?;
    let columns = node.ty(x).shape.last().copied();
    let columns =
        columns.ok_or_else(|| Refusal::new("the input has no axis; expected at least one", "reshape it to [rows, columns]"))?;
    Ok((converted(node, x, ElemType::F32)?, columns))
}

/// The numbers that stand for what is missing.
fn read_imputer(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let ty = node.ty(x).clone();
    expect_elem("X", &ty, &[ElemType::F32, ElemType::I64])?;
    let columns = ty.shape.last().copied().unwrap_or(1);
    let replaced = node.float("replaced_value_float", 0.0)?;
    let (floats, ints) = (node.floats("imputed_value_floats")?, node.ints("imputed_value_int64s")?);
    let replaced_int = node.int("replaced_value_int64", 0)?;
    let (is_missing, values) = match (floats, ints) {
        (Some(values), None) if ty.elem == ElemType::F32 => {
            let is = match replaced.is_nan() {
                true => Expr::call("is_nan", [Expr::Input(0)]),
                false => Expr::call("equal", [Expr::Input(0), Expr::Constant(replaced.into())]),
            };
            (is, by_column(node, "imputed_value_floats", &values, columns)?)
        }
        (None, Some(values)) if ty.elem == ElemType::I64 && [1, columns].contains(&values.len()) => {
            let is = Expr::call("equal", [Expr::Input(0), Expr::Constant(replaced_int.into())]);
            (is, node.add_constant(Tensor::from_vec([values.len()], &values)))
        }
        _ => {
            return Err(Refusal::new(
                format!(
                    "the imputed values are not of the input's type, {}, one for all or for each of {columns} columns",
                    ty.elem
                ),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
    };
    elementwise(node, Expr::call("select", [is_missing, Expr::Input(1), Expr::Input(0)]), &[x, values])
}

/// The most keys that are compared one after another.
const MOST_KEYS: usize = 64;

/// The value of each key, of numbers.
fn read_label_encoder(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let elem = node.ty(x).elem;
    let list = |tensor: Option<Tensor>, ints: Option<Vec<i64>>, floats: Option<Vec<f32>>| {
        let ints = ints.map(|ints| Tensor::from_vec([ints.len()], &ints));
        let floats = floats.map(|floats| Tensor::from_vec([floats.len()], &floats));
        tensor.or(ints).or(floats)
    };
    let unsupported = || {
        Refusal::new(
            format!("the keys or values are no numbers, or more than {MOST_KEYS}"),
            "encode strings before the model is run, and cut the model behind this node",
        )
    };
    for name in ["keys_strings", "values_strings", "default_string"] {
        node.ignore(name);
    }
    let keys =
        list(node.tensor("keys_tensor")?, node.ints("keys_int64s")?, node.floats("keys_floats")?).ok_or_else(unsupported)?;
    let values = list(node.tensor("values_tensor")?, node.ints("values_int64s")?, node.floats("values_floats")?)
        .ok_or_else(unsupported)?;
    let (float, int) = (node.float("default_float", -0.0)?, node.int("default_int64", -1)?);
    let tensor = node.tensor("default_tensor")?;
    let default = match tensor.as_ref().map(Scalar::all).as_deref() {
        Some([default, ..]) => *default,
        _ if values.ty().elem.is_float() => Scalar::of(float.into(), values.ty().elem),
        _ => Scalar::I64(int),
    };
    let (keys, values) = (Scalar::all(&keys), Scalar::all(&values));
    let alike = keys.iter().all(|key| key.elem() == elem) && values.iter().all(|value| value.elem() == default.elem());
    if !alike || keys.len() != values.len() || keys.len() > MOST_KEYS {
        return Err(unsupported());
    }
    let mut expr = Expr::Constant(default);
    for (key, value) in keys.iter().zip(&values).rev() {
        let is_nan = Scalar::all(&Scalar::tensor(elem, [1], &[*key])) != [*key];
        let is = match is_nan {
            true => Expr::call("is_nan", [Expr::Input(0)]),
            false => Expr::call("equal", [Expr::Input(0), Expr::Constant(*key)]),
        };
        expr = Expr::call("select", [is, Expr::Constant(*value), expr]);
    }
    elementwise(node, expr, &[x])
}

/// Each row divided by its greatest element, the sum of its magnitudes, or its length; a row of zeros stays.
fn read_normalizer(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, _) = columns(node)?;
    let method = match node.word("norm", &["MAX", "L1", "L2"])? {
        "MAX" => Method::Max,
        "L1" => Method::L1,
        _ => Method::L2,
    };
    let last = node.ty(x).shape.len() - 1;
    let norm = node.push(Reduce { method, axes: vec![last] }, &[x])?;
    let zero = Expr::number(0.0, ElemType::F32);
    let share = Expr::call("div", [Expr::Input(0), Expr::Input(1)]);
    elementwise(node, Expr::call("select", [Expr::call("equal", [Expr::Input(1), zero]), Expr::Input(0), share]), &[x, norm])
}

/// `(x − offset) · scale`
fn read_scaler(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, columns) = columns(node)?;
    let (offset, scale) = (node.floats("offset")?.unwrap_or(vec![0.0]), node.floats("scale")?.unwrap_or(vec![1.0]));
    let offset = by_column(node, "offset", &offset, columns)?;
    let scale = by_column(node, "scale", &scale, columns)?;
    let shifted = Expr::call("sub", [Expr::Input(0), Expr::Input(1)]);
    elementwise(node, Expr::call("mul", [shifted, Expr::Input(2)]), &[x, offset, scale])
}

/// The probabilities as they are; what the keys of the map would be is a constant of the module.
fn read_zip_map(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let probabilities = node.input(0)?;
    let labels = match (node.ints("classlabels_int64s")?, node.words("classlabels_strings")?) {
        (Some(numbers), _) => Labels::Numbers(numbers),
        (None, words) => Labels::Words(words.unwrap_or_default()),
    };
    let ty = node.ty(probabilities);
    if ty.shape.last() != Some(&labels.count()) {
        return Err(Refusal::new(
            format!("there are {} labels for the columns of {ty}; expected one for each", labels.count()),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    node.label_columns(0, labels);
    Ok(vec![probabilities])
}

/// The names of `post_transform`; `TreeEnsemble` numbers them in this order.
pub const POST_TRANSFORMS: [&str; 5] = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"];

/// What `post_transform` makes of the scores of each row.
pub fn transformed(node: &mut NodeReader, scores: ValueId) -> Result<ValueId> {
    let transform = node.word("post_transform", &POST_TRANSFORMS)?;
    transformed_by(node, scores, transform)
}

/// What the transform of this name makes of the scores of each row.
pub fn transformed_by(node: &mut NodeReader, scores: ValueId, transform: &str) -> Result<ValueId> {
    match transform {
        "NONE" => Ok(scores),
        "SOFTMAX" => node.push(Softmax { axis: 1, log: false }, &[scores]),
        "LOGISTIC" => super::elementwise::push(node, "sigmoid", &[scores]),
        other => Err(unsupported_attribute("post_transform", &format!("`{other}`"), "`NONE`, `SOFTMAX`, `LOGISTIC`")),
    }
}

/// The labels of a classifier, which must be integers.
pub fn labels(node: &NodeReader, name: &'static str) -> Result<Vec<i64>> {
    node.ignore("classlabels_strings");
    node.ints(name)?.filter(|labels| !labels.is_empty()).ok_or_else(|| {
        Refusal::new(
            "the class labels are strings; expected integers",
            "train the classifier with integer labels, or export its scores only (`options={'zipmap': False}`) and cut the labels off",
        )
    })
}

/// The label of the greatest score of each row; the scores become output 1.
pub fn label_of(node: &mut NodeReader, scores: ValueId, labels: &[i64]) -> Result<ValueId> {
    node.label_columns(1, Labels::Numbers(labels.to_vec()));
    let rows = node.ty(scores).shape[0];
    let best = node.push(Arg { axis: 1, target: Target::Greatest, last: false }, &[scores])?;
    let best = node.reshape(best, [rows])?;
    if labels.iter().copied().zip(0..).all(|(label, index)| label == index) {
        return Ok(best);
    }
    let labels = node.add_constant(Tensor::from_vec([labels.len()], labels));
    node.push(Gather { axis: 0 }, &[labels, best])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    fn node(op: &str) -> OneNode {
        OneNode::new(&format!("ai.onnx.ml::{op}"), 3).constant(&Tensor::from_vec([2, 2], &[1.0f32, 3.0, 0.0, 0.0]))
    }

    fn check(node: &OneNode, expected: &[f32]) {
        assert_eq!(node.results()[0].to_vec::<f32>(), expected, "{node:?}");
    }

    #[test]
    fn rows_are_prepared() {
        check(&node("Scaler").floats_attribute("offset", &[1.0, 2.0]).floats_attribute("scale", &[2.0]), &[0.0, 2.0, -2.0, -4.0]);
        node("Scaler")
            .floats_attribute("scale", &[2.0; 3])
            .refused("attribute `scale` has 3 numbers; expected 1 or 2", "onnx.checker");
        check(&node("Normalizer").word("norm", "L1"), &[0.25, 0.75, 0.0, 0.0]);
        check(&node("Normalizer"), &[1.0 / 3.0, 1.0, 0.0, 0.0]);
        check(&node("Binarizer").float("threshold", 1.0), &[0.0, 1.0, 0.0, 0.0]);
        check(&node("Imputer").floats_attribute("imputed_value_floats", &[5.0, 6.0]), &[1.0, 3.0, 5.0, 6.0]);
        check(&node("ArrayFeatureExtractor").constant_ints(&[1]), &[3.0, 0.0]);
        check(&node("ZipMap").ints("classlabels_int64s", &[4, 5]), &[1.0, 3.0, 0.0, 0.0]);
        node("ZipMap")
            .words("classlabels_strings", &["a"])
            .refused("there are 1 labels for the columns of f32[2, 2]", "onnx.checker");
        node("ArrayFeatureExtractor").constant_ints(&[2]).refused("an index names no column of 2 there are", "from 0 to 1");
    }

    #[test]
    fn numbers_are_encoded() {
        let node = |keys: &[i64]| {
            let node = OneNode::new("ai.onnx.ml::LabelEncoder", 2).constant_ints(&[7, 3, 1]);
            node.ints("keys_int64s", keys).ints("values_int64s", &[30, 10])
        };
        assert_eq!(node(&[3, 1]).int("default_int64", 5).result_ints(), [5, 30, 10]);
        node(&[3]).refused("the keys or values are no numbers, or more than 64", "encode strings");
    }
}
