//! Normalizations that a few other operators make.

use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::distinct_axes;
use crate::ops::elementwise::{Elementwise, Expr, push};
use crate::ops::pool::{self, Pool};
use crate::ops::reduce::{Method, Reduce};
use crate::ops::window::Window;
use crate::reader::{NodeReader, unsupported_attribute};

/// `(x − mean) / (√variance + 1e−9)` over `axes`.
///
/// <https://onnx.ai/onnx/operators/onnx__MeanVarianceNormalization.html>
pub fn read_mean_variance(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let (elem, rank) = (node.ty(x).elem, node.ty(x).shape.len());
    let mut axes = distinct_axes(&node.ints("axes")?.unwrap_or_else(|| vec![0, 2, 3]), rank)?;
    axes.sort_unstable();
    let mean = node.push(Reduce { method: Method::Mean, axes: axes.clone() }, &[x])?;
    let centred = push(node, "sub", &[x, mean])?;
    let squares = push(node, "mul", &[centred, centred])?;
    let variance = node.push(Reduce { method: Method::Mean, axes }, &[squares])?;
    let deviation = Expr::call("add", [Expr::call("sqrt", [Expr::Input(1)]), Expr::number(1e-9, elem)]);
    let expr = Expr::call("div", [Expr::Input(0), deviation]);
    Ok(vec![node.push(Elementwise { expr }, &[centred, variance])?])
}

/// `x / norm` along an axis; 0 where the norm is 0.
///
/// <https://onnx.ai/onnx/operators/onnx__LpNormalization.html>
pub fn read_lp(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let (elem, rank) = (node.ty(x).elem, node.ty(x).shape.len());
    let axis = node.axis("axis", -1, rank)?;
    let method = match node.int("p", 2)? {
        1 => Method::L1,
        2 => Method::L2,
        other => return Err(unsupported_attribute("p", &other.to_string(), "1 or 2")),
    };
    let norm = node.push(Reduce { method, axes: vec![axis] }, &[x])?;
    let zero = Expr::number(0.0, elem);
    let share = Expr::call("div", [Expr::Input(0), Expr::Input(1)]);
    let expr = Expr::call("select", [Expr::call("equal", [Expr::Input(1), zero.clone()]), zero, share]);
    Ok(vec![node.push(Elementwise { expr }, &[x, norm])?])
}

/// `x / (bias + alpha / size · Σ x²)^beta`, the sum over the channels that lie around.
///
/// The mean of squares is a pool that slides along the channels. <https://onnx.ai/onnx/operators/onnx__LRN.html>
pub fn read_local_response(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let (alpha, beta, bias) = (node.float("alpha", 1e-4)?, node.float("beta", 0.75)?, node.float("bias", 1.0)?);
    let requested = node.int("size", 0)?;
    let ty = node.ty(x).clone();
    let size = usize::try_from(requested).ok().filter(|size| (1..1 << 16).contains(size));
    let size = size.ok_or_else(|| unsupported_attribute("size", &requested.to_string(), "1 and above"))?;
    let [batch, channels, rest @ ..] = &ty.shape[..] else {
        return Err(Refusal::new(
            format!("the input is {ty}; expected batch, channels and more"),
            "reshape the input to [batch, channels, …] in the exported model",
        ));
    };
    let squares = push(node, "mul", &[x, x])?;
    let lanes = node.reshape(squares, [*batch, 1, *channels, rest.iter().product()])?;
    let window = Window { kernel: [1, size], strides: [1, 1], dilations: [1, 1], padding: [0, (size - 1) / 2, 0, size / 2] };
    let method = pool::Method::Average { include_padding: true };
    let means = node.push(Pool { window, ceil: false, method, activation: None, backward: false, row_of: None }, &[lanes])?;
    let means = node.reshape(means, ty.shape.clone())?;
    let number = |value: f32| Expr::number(value.into(), ty.elem);
    let weighted = Expr::call("mul", [number(alpha), Expr::Input(1)]);
    let power = Expr::call("pow", [Expr::call("add", [number(bias), weighted]), number(beta)]);
    let expr = Expr::call("div", [Expr::Input(0), power]);
    Ok(vec![node.push(Elementwise { expr }, &[x, means])?])
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    fn check(node: &OneNode, expected: &[f32]) {
        let found = node.results()[0].to_vec::<f32>();
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-5);
        assert!(close && found.len() == expected.len(), "{node:?}: {found:?}, not {expected:?}");
    }

    #[test]
    fn means_and_variances_over_any_axes() {
        let x = Tensor::from_vec([2, 2, 1, 1], &[1.0f32, 10.0, 5.0, 16.0]);
        let node = OneNode::new("MeanVarianceNormalization", 13).constant(&x);
        check(&node, &[-1.0, -1.0, 1.0, 1.0]);
        check(&node.clone().ints("axes", &[1]), &[-1.0, 1.0, -1.0, 1.0]);
        node.ints("axes", &[4]).refused("`axes` is 4, but the input has 4 dimensions", "from -4 to 3");
    }

    #[test]
    fn shares_of_the_norm() {
        let x = Tensor::from_vec([3, 2], &[3.0f32, -4.0, 0.0, 0.0, 1.0, 0.0]);
        let node = OneNode::new("LpNormalization", 6).constant(&x);
        check(&node, &[0.6, -0.8, 0.0, 0.0, 1.0, 0.0]);
        check(&node.clone().int("p", 1), &[3.0 / 7.0, -4.0 / 7.0, 0.0, 0.0, 1.0, 0.0]);
        check(&node.clone().int("axis", 0).int("p", 1), &[0.75, -1.0, 0.0, 0.0, 0.25, 0.0]);
        node.int("p", 3).refused("`p` is 3; supported: 1 or 2", "supported value");
    }

    #[test]
    fn neighbouring_channels_damp_each_other() {
        let x = [1.0f32, 2.0, 3.0, 4.0];
        let node = OneNode::new("LRN", 13).constant(&Tensor::from_vec([1, 4, 1], &x)).float("alpha", 2.0).float("beta", 0.5);
        // Of a window of 2 the second element lies behind.
        let response = |i: usize| x[i] / (1.0 + 2.0 / 2.0 * (x[i] * x[i] + x.get(i + 1).map_or(0.0, |x| x * x))).sqrt();
        check(&node.clone().int("size", 2), &[response(0), response(1), response(2), response(3)]);
        node.int("size", 0).refused("`size` is 0; supported: 1 and above", "supported value");
    }
}
