//! `SVMRegressor`: how like an input is to each support vector, and the weighted sum of that.
//!
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_SVMRegressor.html>

use super::{columns, transformed};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::dense;
use crate::ops::elementwise::{self, Elementwise, Expr};
use crate::ops::reduce::{Method, Reduce};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// `Σ coefficients[i] · kernel(x, support_vectors[i]) + rho`; without support vectors the coefficients are the one there is, of weight 1.
pub fn read_regressor(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, columns) = columns(node)?;
    let x = node.reshape(x, [node.ty(x).elements() / columns.max(1), columns])?;
    let (mut vectors, mut coefficients) =
        (node.floats("support_vectors")?.unwrap_or_default(), node.floats("coefficients")?.unwrap_or_default());
    let count = node.int("n_supports", 0)?;
    if count == 0 {
        (vectors, coefficients) = (coefficients, vec![1.0]);
    }
    let rho = node.floats("rho")?.unwrap_or_else(|| vec![0.0]);
    let supports = coefficients.len();
    let listed = count == 0 || usize::try_from(count) == Ok(supports);
    if !listed || Some(vectors.len()) != supports.checked_mul(columns) || columns == 0 || rho.len() != 1 {
        return Err(Refusal::new(
            format!(
                "{} elements of support vectors, {supports} coefficients and {} numbers `rho` do not fit {count} support vectors of {columns} elements",
                vectors.len(),
                rho.len()
            ),
            "export the model again, or fix the shape of its input to [rows, columns]",
        ));
    }
    let likeness = likeness(node, x, &Tensor::from_vec([supports, columns], &vectors))?;
    let weights = node.add_constant(Tensor::from_vec([supports, 1], &coefficients));
    let bias = node.add_constant(Tensor::from_vec([1], &rho));
    let sums = dense::push(node, likeness, weights, Some(bias))?;
    if !node.flag("one_class", false)? {
        return Ok(vec![transformed(node, sums)?]);
    }
    let number = |number| Expr::number(number, ElemType::F32);
    let is_in = Expr::call("greater", [Expr::Input(0), number(0.0)]);
    let expr = Expr::call("select", [is_in, number(1.0), number(-1.0)]);
    Ok(vec![node.push(Elementwise { expr }, &[sums])?])
}

/// `[rows, vectors]`: the kernel of each row and each vector, by `kernel_type` with γ, c and d of `kernel_params`.
///
/// `LINEAR` is `x · v`, `POLY` `(γ x · v + c)ᵈ`, `SIGMOID` `tanh(γ x · v + c)`, and `RBF` `exp(−γ Σ (x − v)²)`.
fn likeness(node: &mut NodeReader, x: ValueId, vectors: &Tensor) -> Result<ValueId> {
    let kernel = node.word("kernel_type", &["LINEAR", "POLY", "RBF", "SIGMOID"])?;
    let parameters = node.floats("kernel_params")?.unwrap_or_else(|| vec![0.0; 3]);
    let [gamma, offset, degree] = parameters[..] else {
        return Err(Refusal::new(
            format!("attribute `kernel_params` has {} numbers; expected 3", parameters.len()),
            "export the model again, or check it with `onnx.checker`",
        ));
    };
    let number = |number: f32| Expr::number(number.into(), ElemType::F32);
    let vectors = node.add_constant(vectors.clone());
    if kernel == "RBF" {
        let [rows, columns] = node.ty(x).shape[..] else { unreachable!("the reader makes rows and columns") };
        let x = node.reshape(x, [rows, 1, columns])?;
        let distances = elementwise::push(node, "sub", &[x, vectors])?;
        let sums = node.push(Reduce { method: Method::SumSquare, axes: vec![2] }, &[distances])?;
        let sums = node.reshape(sums, [rows, node.ty(vectors).shape[0]])?;
        let expr = Expr::call("exp", [Expr::call("mul", [Expr::Input(0), number(-gamma)])]);
        return node.push(Elementwise { expr }, &[sums]);
    }
    let transposed = node.transpose(vectors, vec![1, 0])?;
    let products = dense::push(node, x, transposed, None)?;
    let scaled = Expr::call("add", [Expr::call("mul", [Expr::Input(0), number(gamma)]), number(offset)]);
    let expr = match kernel {
        "LINEAR" => return Ok(products),
        "POLY" => Expr::call("pow", [scaled, number(degree)]),
        _ => Expr::call("tanh", [scaled]),
    };
    node.push(Elementwise { expr }, &[products])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    /// Two rows and the support vectors `[1, 0]` and `[2, 1]`, of weights 1 and -2; γ is 0.5, c is 1 and d is 2.
    fn node(kernel: &'static str) -> OneNode {
        let x = Tensor::from_vec([2, 2], &[1.0f32, 2.0, 0.0, -1.0]);
        let node = OneNode::new("ai.onnx.ml::SVMRegressor", 1).constant(&x).word("kernel_type", kernel).int("n_supports", 2);
        let node = node.floats_attribute("support_vectors", &[1.0, 0.0, 2.0, 1.0]).floats_attribute("rho", &[0.25]);
        node.floats_attribute("coefficients", &[1.0, -2.0]).floats_attribute("kernel_params", &[0.5, 1.0, 2.0])
    }

    #[test]
    fn each_kernel_by_its_formula() {
        type Kernel = fn(f64, f64) -> f64;
        // Of the product and the square of the distance.
        let kernels: [(&str, Kernel); 4] = [
            ("LINEAR", |product, _| product),
            ("POLY", |product, _| (0.5 * product + 1.0).powi(2)),
            ("SIGMOID", |product, _| (0.5 * product + 1.0).tanh()),
            ("RBF", |_, square| (-0.5 * square).exp()),
        ];
        for (name, kernel) in kernels {
            let expected = [kernel(1.0, 4.0) - 2.0 * kernel(4.0, 2.0), kernel(0.0, 2.0) - 2.0 * kernel(-1.0, 8.0)];
            let found = node(name).results()[0].to_vec::<f32>();
            let close = found.iter().zip(expected).all(|(found, expected)| (f64::from(*found) - expected - 0.25).abs() < 1e-5);
            assert!(close && found.len() == 2, "{name}: {found:?}, not {expected:?} and 0.25");
        }
        assert_eq!(node("LINEAR").int("one_class", 1).results()[0].to_vec::<f32>(), [-1.0, 1.0]);
    }

    #[test]
    fn without_vectors_it_is_linear() {
        let x = Tensor::from_vec([1, 2], &[1.0f32, 2.0]);
        let linear = OneNode::new("ai.onnx.ml::SVMRegressor", 1).constant(&x).floats_attribute("coefficients", &[3.0, 4.0]);
        assert_eq!(linear.results()[0].to_vec::<f32>(), [11.0]);
        let few = OneNode::new("ai.onnx.ml::SVMRegressor", 1).constant(&x).floats_attribute("coefficients", &[3.0]);
        few.refused("1 elements of support vectors, 1 coefficients and 1 numbers `rho` do not fit 0", "fix the shape");
        linear
            .word("kernel_type", "POLY")
            .floats_attribute("kernel_params", &[1.0])
            .refused("attribute `kernel_params` has 1 numbers; expected 3", "onnx.checker");
    }
}
