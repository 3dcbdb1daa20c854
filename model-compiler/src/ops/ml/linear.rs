//! `LinearRegressor`, `LinearClassifier`: a dense layer, and the label of its greatest output.
//!
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_LinearClassifier.html>

use super::{POST_TRANSFORMS, columns, label_of, labels, transformed};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::concat::Concat;
use crate::ops::dense;
use crate::ops::elementwise::push;
use crate::reader::{NodeReader, unsupported_attribute};
use crate::tensor::Tensor;

pub fn read_regressor(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let targets = node.int("targets", 1)?;
    let count = usize::try_from(targets).ok().filter(|&targets| targets > 0);
    let count = count.ok_or_else(|| unsupported_attribute("targets", &targets.to_string(), "1 and above"))?;
    let scores = scores(node, count)?;
    Ok(vec![transformed(node, scores)?])
}

pub fn read_classifier(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    // Whether classes were told apart one by one or all at once is settled by the scores.
    node.ignore("multi_class");
    let labels = labels(node, "classlabels_ints")?;
    let (_, columns) = columns(node)?;
    let rows = match node.floats("intercepts")? {
        Some(intercepts) => intercepts.len(),
        None => node.floats("coefficients")?.unwrap_or_default().len().checked_div(columns).unwrap_or(0),
    };
    if rows == labels.len() {
        let scores = scores(node, rows)?;
        let label = label_of(node, scores, &labels)?;
        return Ok(vec![label, transformed(node, scores)?]);
    }
    // One row tells two classes apart: its score is that of the second.
    let transform = node.word("post_transform", &POST_TRANSFORMS)?;
    if (rows, labels.len(), transform) != (1, 2, "LOGISTIC") {
        return Err(Refusal::new(
            format!("{rows} rows of coefficients for {} labels and `post_transform` {transform}", labels.len()),
            "export the classifier with a row for each label; one row for two labels is supported with `LOGISTIC`",
        ));
    }
    let second = scores(node, 1)?;
    let first = push(node, "neg", &[second])?;
    let both = node.push(Concat { axis: 1 }, &[first, second])?;
    let label = label_of(node, both, &labels)?;
    Ok(vec![label, transformed(node, both)?])
}

/// `x · coefficientsᵀ + intercepts`, with a row of coefficients for each of `count` scores.
fn scores(node: &mut NodeReader, count: usize) -> Result<ValueId> {
    let (x, columns) = columns(node)?;
    let mut coefficients = node.floats("coefficients")?.unwrap_or_default();
    // Some exporters repeat the rows; the first are meant.
    if columns > 0 && coefficients.len().is_multiple_of(columns) {
        coefficients.truncate(count.saturating_mul(columns));
    }
    let intercepts = node.floats("intercepts")?.unwrap_or_else(|| vec![0.0; count]);
    if coefficients.len() != count * columns || intercepts.len() != count || node.ty(x).shape.len() > 2 {
        return Err(Refusal::new(
            format!(
                "{} coefficients and {} intercepts do not make {count} scores of the input {}",
                coefficients.len(),
                intercepts.len(),
                node.ty(x),
            ),
            "export the model again, or fix the shape of its input to [rows, columns]",
        ));
    }
    let x = node.reshape(x, [node.ty(x).elements() / columns.max(1), columns])?;
    let weights = node.add_constant(Tensor::from_vec([count, columns], &coefficients));
    let weights = node.transpose(weights, vec![1, 0])?;
    let bias = node.add_constant(Tensor::from_vec([count], &intercepts));
    dense::push(node, x, weights, Some(bias))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    fn node(op: &str) -> OneNode {
        OneNode::new(&format!("ai.onnx.ml::{op}"), 1).constant(&Tensor::from_vec([2, 2], &[1.0f32, 2.0, 3.0, -1.0]))
    }

    #[test]
    fn scores_and_labels() {
        let regressor =
            node("LinearRegressor").floats_attribute("coefficients", &[1.0, 10.0]).floats_attribute("intercepts", &[0.5]);
        assert_eq!(regressor.results()[0].to_vec::<f32>(), [21.5, -6.5]);
        let classifier = |weights: &[f32]| node("LinearClassifier").outputs(2).floats_attribute("coefficients", weights);
        let three = classifier(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]).floats_attribute("intercepts", &[0.0; 3]);
        let results = three.ints("classlabels_ints", &[7, 8, 9]).results();
        assert_eq!(results[0].to_ints(), Some(vec![8, 7]));
        assert_eq!(results[1].to_vec::<f32>(), [1.0, 2.0, 0.0, 3.0, -1.0, 0.0]);
        let two = classifier(&[0.0, 1.0]).ints("classlabels_ints", &[0, 1]);
        let results = two.clone().word("post_transform", "LOGISTIC").results();
        assert_eq!((results[0].to_ints(), results[1].ty().to_string()), (Some(vec![1, 0]), "f32[2, 2]".to_owned()));
        two.refused("1 rows of coefficients for 2 labels and `post_transform` NONE", "a row for each label");
        classifier(&[0.0, 1.0]).refused("the class labels are strings", "integer labels");
    }
}
