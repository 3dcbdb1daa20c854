//! `NegativeLogLikelihoodLoss`, `SoftmaxCrossEntropyLoss`: how far probabilities are from a class.
//!
//! <https://onnx.ai/onnx/operators/onnx__NegativeLogLikelihoodLoss.html>

use super::elementwise::{Elementwise, Expr, push};
use super::gather::Gather;
use super::gather_elements;
use super::reduce::{Method, Reduce};
use super::softmax::Softmax;
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::ty::ElemType;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "NegativeLogLikelihoodLoss", opset: 12..=LATEST, read: read_likelihood },
    OpDef { name: "SoftmaxCrossEntropyLoss", opset: 12..=LATEST, read: read_cross_entropy },
];

fn read_likelihood(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    Ok(vec![loss(node, x)?])
}

/// The loss of the logarithms of `Softmax`, which are the second output.
///
/// <https://onnx.ai/onnx/operators/onnx__SoftmaxCrossEntropyLoss.html>
fn read_cross_entropy(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let scores = node.input(0)?;
    expect_classes(node, scores)?;
    let logarithms = node.push(Softmax { axis: 1, log: true }, &[scores])?;
    let loss = loss(node, logarithms)?;
    Ok(if node.has_output(1) { vec![loss, logarithms] } else { vec![loss] })
}

fn expect_classes(node: &NodeReader, x: ValueId) -> Result<()> {
    let (found, target) = (node.ty(x), node.ty(node.input(1)?));
    let expected =
        |shape: &[usize]| found.shape.len() == shape.len() + 1 && found.shape[0] == shape[0] && found.shape[2..] == shape[1..];
    if !target.shape.is_empty() && expected(&target.shape) {
        return Ok(());
    }
    Err(Refusal::new(
        format!("`target` is {target} for the input {found}; expected its shape without axis 1, the classes"),
        "fix the shapes in the exported model, or the sizes given in `dims`",
    ))
}

/// `−weight[t] · x[n, t, …]` for each target `t`, 0 where it is `ignore_index`; of all of them the sum or the weighted mean, if asked for.
fn loss(node: &mut NodeReader, x: ValueId) -> Result<ValueId> {
    expect_classes(node, x)?;
    let (target, weight) = (node.input(1)?, node.optional_input(2));
    let reduction = node.word("reduction", &["mean", "sum", "none"])?;
    let ignored = node.optional_int("ignore_index")?;
    let elem = node.ty(x).elem;
    let shape = node.ty(target).shape.clone();
    // An ignored target may be no class; any will do in its place, as it weighs nothing.
    let is_ignored = |target_elem| {
        let index = Expr::Constant(Scalar::I64(ignored?));
        Some(Expr::call("equal", [Expr::Input(0).cast(target_elem, ElemType::I64), index]))
    };
    let target_elem = node.ty(target).elem;
    let classes = match is_ignored(target_elem) {
        Some(is) => {
            let expr = Expr::call("select", [is, Expr::Constant(Scalar::zero(target_elem)), Expr::Input(0)]);
            node.push(Elementwise { expr }, &[target])?
        }
        None => target,
    };
    let mut one_class = shape.to_vec();
    one_class.insert(1, 1);
    let indices = node.reshape(classes, one_class)?;
    let chosen = gather_elements::elements(node, x, indices, 1)?;
    let mut losses = node.reshape(chosen, shape.clone())?;
    losses = push(node, "neg", &[losses])?;
    let mut weights = match weight {
        Some(weight) => Some(node.push(Gather { axis: 0 }, &[weight, classes])?),
        None => None,
    };
    if let Some(is) = is_ignored(target_elem) {
        let counted = match weights {
            Some(_) => Expr::Input(1),
            None => Expr::number(1.0, elem),
        };
        let expr = Expr::call("select", [is, Expr::number(0.0, elem), counted]);
        let inputs: Vec<ValueId> = [target].into_iter().chain(weights).collect();
        weights = Some(node.push(Elementwise { expr }, &inputs)?);
    }
    if let Some(weights) = weights {
        losses = push(node, "mul", &[losses, weights])?;
    }
    let mut all = |method, of| {
        let sum = node.push(Reduce { method, axes: (0..shape.len()).collect() }, &[of])?;
        node.reshape(sum, [])
    };
    match (reduction, weights) {
        ("none", _) => Ok(losses),
        ("mean", None) => all(Method::Mean, losses),
        ("mean", Some(weights)) => {
            let (sum, count) = (all(Method::Sum, losses)?, all(Method::Sum, weights)?);
            push(node, "div", &[sum, count])
        }
        _ => all(Method::Sum, losses),
    }
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    fn likelihood(targets: &[i64]) -> OneNode {
        let x = Tensor::from_vec([3, 2], &[-1.0f32, -2.0, -3.0, -4.0, -5.0, -6.0]);
        OneNode::new("NegativeLogLikelihoodLoss", 13).constant(&x).constant_ints(targets)
    }

    #[test]
    fn losses_weights_and_what_is_ignored() {
        let weights = Tensor::from_vec([2], &[1.0f32, 3.0]);
        let cases = [
            (likelihood(&[0, 1, 0]).word("reduction", "none"), vec![1.0, 4.0, 5.0]),
            (likelihood(&[0, 1, 0]).word("reduction", "sum"), vec![10.0]),
            (likelihood(&[0, 1, 1]), vec![11.0 / 3.0]),
            (likelihood(&[0, 1, 0]).constant(&weights), vec![(1.0 + 12.0 + 5.0) / 5.0]),
            (likelihood(&[0, -5, 0]).int("ignore_index", -5), vec![3.0]),
            (likelihood(&[0, 1, 0]).constant(&weights).int("ignore_index", 0), vec![4.0]),
        ];
        for (node, expected) in cases {
            let found = node.results()[0].to_vec::<f32>();
            assert!(found.iter().zip(&expected).all(|(a, b): (&f32, &f32)| (a - b).abs() < 1e-6), "{node:?}: {found:?}");
            assert_eq!(found.len(), expected.len());
        }
        likelihood(&[0, 2, 0]).refused("`indices` holds 2 for an axis of 2 elements", "use indices");
        likelihood(&[0, 1]).refused("`target` is i64[2] for the input f32[3, 2]", "fix the shapes");
    }

    #[test]
    fn the_logarithms_are_a_second_output() {
        let x = Tensor::from_vec([1, 2], &[0.0f32, 0.0]);
        let node = OneNode::new("SoftmaxCrossEntropyLoss", 13).constant(&x).constant_ints(&[1]).outputs(2);
        let results = node.results();
        assert!((results[0].to_vec::<f32>()[0] - 2f32.ln()).abs() < 1e-6);
        assert_eq!((results[0].ty().to_string(), results[1].ty().to_string()), ("f32[]".to_owned(), "f32[1, 2]".to_owned()));
    }
}
