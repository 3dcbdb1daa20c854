//! Operators of quantized tensors, each read as the operator of floats between dequantizations and a quantization, in which form the
//! passes know it.
//!
//! <https://onnx.ai/onnx/operators/onnx__QLinearConv.html>, <https://onnx.ai/onnx/operators/onnx__QLinearMatMul.html>,
//! <https://onnx.ai/onnx/operators/onnx__ConvInteger.html>, <https://onnx.ai/onnx/operators/onnx__MatMulInteger.html>,
//! <https://onnx.ai/onnx/operators/onnx__DynamicQuantizeLinear.html>,
//! and those of ONNX Runtime: <https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md>

use super::elementwise::{self, Elementwise, Expr, push_dequantized, push_quantized};
use super::pool::{self, Method};
use super::reduce::{self, Reduce};
use super::{concat, conv, dense, matmul, softmax};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// What ONNX and ONNX Runtime call this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "ConvInteger", opset: 10..=LATEST, read: conv_integer },
    OpDef { name: "DynamicQuantizeLinear", opset: 11..=LATEST, read: dynamic_quantize },
    OpDef { name: "MatMulInteger", opset: 10..=LATEST, read: mat_mul_integer },
    OpDef { name: "QLinearConv", opset: 10..=LATEST, read: conv },
    OpDef { name: "QLinearMatMul", opset: 10..=LATEST, read: mat_mul },
    OpDef { name: "com.microsoft::DynamicQuantizeMatMul", opset: 1..=1, read: dynamic_quantize_mat_mul },
    OpDef { name: "com.microsoft::MatMulIntegerToFloat", opset: 1..=1, read: mat_mul_integer_to_float },
    OpDef { name: "com.microsoft::QGemm", opset: 1..=1, read: gemm },
    OpDef { name: "com.microsoft::QLinearAdd", opset: 1..=1, read: |node| binary(node, "add") },
    OpDef { name: "com.microsoft::QLinearAveragePool", opset: 1..=1, read: |node| pool(node, pool::read_average) },
    OpDef { name: "com.microsoft::QLinearConcat", opset: 1..=1, read: concat },
    OpDef { name: "com.microsoft::QLinearGlobalAveragePool", opset: 1..=1, read: |node| pool(node, global_average) },
    OpDef { name: "com.microsoft::QLinearLeakyRelu", opset: 1..=1, read: leaky_relu },
    OpDef { name: "com.microsoft::QLinearMul", opset: 1..=1, read: |node| binary(node, "mul") },
    OpDef { name: "com.microsoft::QLinearSigmoid", opset: 1..=1, read: sigmoid },
    OpDef { name: "com.microsoft::QLinearSoftmax", opset: 1..=1, read: softmax },
];

/// The numbers that the three inputs from `first` on stand for: integers, their scale, and their zero point if it is given. They may
/// differ along `axis`.
fn operand(node: &mut NodeReader, first: usize, axis: i64) -> Result<ValueId> {
    let (x, scale, zero_point) = (node.input(first)?, node.input(first + 1)?, node.optional_input(first + 2));
    push_dequantized(node, x, scale, zero_point, axis)
}

/// The scale and zero point of a result.
type Output = (ValueId, Option<ValueId>);

/// The two inputs from `first` on.
fn output(node: &NodeReader, first: usize) -> Result<Output> {
    Ok((node.input(first)?, node.optional_input(first + 1)))
}

/// What `read` makes of `inputs`, quantized.
fn quantized(
    node: &mut NodeReader,
    inputs: Vec<Option<ValueId>>,
    (scale, zero_point): Output,
    read: impl FnOnce(&mut NodeReader) -> Result<Vec<ValueId>>,
) -> Result<Vec<ValueId>> {
    node.set_inputs(inputs);
    let y = read(node)?[0];
    Ok(vec![push_quantized(node, y, scale, zero_point)?])
}

/// A bias of integers in steps of the product of two scales, the second of which may have one for each element.
fn bias(node: &mut NodeReader, bias: Option<ValueId>, scales: [ValueId; 2]) -> Result<Option<ValueId>> {
    let Some(bias) = bias else { return Ok(None) };
    let elements = node.ty(scales[1]).elements();
    let first = node.reshape(scales[0], [])?;
    let second = node.reshape(scales[1], if elements == 1 { vec![] } else { vec![elements] })?;
    let scale = elementwise::push(node, "mul", &[first, second])?;
    push_dequantized(node, bias, scale, None, 0).map(Some)
}

fn conv(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, w, y) = (operand(node, 0, 1)?, operand(node, 3, 0)?, output(node, 6)?);
    let (b, scales) = (node.optional_input(8), [node.input(1)?, node.input(4)?]);
    let b = bias(node, b, scales)?;
    let inputs = [Some(x), Some(w)].into_iter().chain(b.map(Some)).collect();
    quantized(node, inputs, y, conv::read)
}

fn mat_mul(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (a, b, y) = (operand(node, 0, -2)?, operand(node, 3, -1)?, output(node, 6)?);
    quantized(node, vec![Some(a), Some(b)], y, matmul::read)
}

/// `alpha` scales the bias too, whose steps are those of the product.
fn gemm(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let axis = if node.flag("transB", false)? { 0 } else { 1 };
    let (a, b, c) = (operand(node, 0, 0)?, operand(node, 3, axis)?, node.optional_input(6));
    let alpha = node.float("alpha", 1.0)?;
    if alpha != 1.0 {
        return Err(unsupported_attribute("alpha", &alpha.to_string(), "1"));
    }
    let scales = [node.input(1)?, node.input(4)?];
    let c = bias(node, c, scales)?;
    let y = node.optional_input(7).map(|scale| (scale, node.optional_input(8)));
    let inputs = [Some(a), Some(b)].into_iter().chain(c.map(Some)).collect();
    match y {
        Some(y) => quantized(node, inputs, y, dense::read_gemm),
        None => {
            node.set_inputs(inputs);
            dense::read_gemm(node)
        }
    }
}

fn binary(node: &mut NodeReader, function: &str) -> Result<Vec<ValueId>> {
    let (a, b, y) = (operand(node, 0, 0)?, operand(node, 3, 0)?, output(node, 6)?);
    quantized(node, Vec::new(), y, |node| Ok(vec![elementwise::push(node, function, &[a, b])?]))
}

/// Scale and zero point of the output come first, then the three inputs of each operand.
fn concat(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let y = output(node, 0)?;
    let operands = (2..node.input_count()).step_by(3).map(|first| operand(node, first, 0).map(Some));
    let operands = operands.collect::<Result<Vec<_>>>()?;
    quantized(node, operands, y, concat::read)
}

fn pool(node: &mut NodeReader, read: fn(&mut NodeReader) -> Result<Vec<ValueId>>) -> Result<Vec<ValueId>> {
    if node.flag("channels_last", false)? {
        return Err(unsupported_attribute("channels_last", "1", "0"));
    }
    unary(node, read)
}

fn global_average(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    pool::read_global(node, Method::Average { include_padding: false })
}

fn leaky_relu(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let alpha = Expr::from(node.float("alpha", 0.01)?);
    unary(node, |node| node.unary(Elementwise { expr: Expr::call("leaky_relu", [Expr::Input(0), alpha]) }))
}

fn sigmoid(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    unary(node, |node| node.unary(Elementwise { expr: Expr::call("sigmoid", [Expr::Input(0)]) }))
}

/// Attribute `opset` says by which version of `Softmax` the axis is meant.
fn softmax(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let flat = node.int("opset", 13)? < 13;
    unary(node, |node| if flat { softmax::read_flat(node, false) } else { softmax::read(node, false) })
}

/// An operator of one quantized tensor.
fn unary(node: &mut NodeReader, read: impl FnOnce(&mut NodeReader) -> Result<Vec<ValueId>>) -> Result<Vec<ValueId>> {
    let (x, y) = (operand(node, 0, 0)?, output(node, 3)?);
    quantized(node, vec![Some(x)], y, read)
}

/// The product of integers less their zero points, in 32 bits.
fn mat_mul_integer(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (operands, zeros) = ([node.input(0)?, node.input(1)?], [node.optional_input(2), node.optional_input(3)]);
    Ok(vec![integer_product(node, operands, zeros)?])
}

/// The product of `a` and `b`, each less its zero point, in 32 bits.
fn integer_product(node: &mut NodeReader, [a, b]: [ValueId; 2], [a_zero, b_zero]: [Option<ValueId>; 2]) -> Result<ValueId> {
    let weights = centred(node, b, b_zero)?;
    match narrowed(node, weights) {
        Some(narrow) => {
            let columns = |node: &mut NodeReader| column_sums(node, a, weights);
            sums(node, [a, narrow], a_zero, matmul::read, columns)
        }
        None => {
            let a_zero = a_zero.map(|zero| one_number(node, zero)).transpose()?;
            let a = centred(node, a, a_zero)?;
            node.set_inputs(vec![Some(a), Some(weights)]);
            Ok(matmul::read(node)?[0])
        }
    }
}

/// The convolution of integers less their zero points, in 32 bits.
fn conv_integer(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, w, x_zero, w_zero) = (node.input(0)?, node.input(1)?, node.optional_input(2), node.optional_input(3));
    let rank = node.ty(w).shape.len();
    let by_output = |node: &mut NodeReader, zero: ValueId| {
        let mut shape = vec![1; rank];
        shape[0] = node.ty(zero).elements();
        node.reshape(zero, shape)
    };
    let w_zero = w_zero.map(|zero| by_output(node, zero)).transpose()?;
    let weights = centred(node, w, w_zero)?;
    let mut image = node.ty(x).shape.to_vec();
    image[0] = 1;
    if let Some(weights) = narrowed(node, weights).filter(|_| rank < 5) {
        let of_ones = |node: &mut NodeReader| {
            let ones = node.add_constant(Tensor::from_vec(image.clone(), &vec![1u8; image.iter().product()]));
            node.set_inputs(vec![Some(ones), Some(weights)]);
            let of_ones = conv::read(node)?[0];
            Ok(same_everywhere(node, of_ones).unwrap_or(of_ones))
        };
        return Ok(vec![sums(node, [x, weights], x_zero, conv::read, of_ones)?]);
    }
    // Floats that hold every sum give it exactly.
    let depth: usize = node.ty(w).shape[1..].iter().product();
    let exact = if depth <= (1 << 24) / (255 * 255) { ElemType::F32 } else { ElemType::F64 };
    let x_zero = x_zero.map(|zero| one_number(node, zero)).transpose()?;
    let x = centred(node, x, x_zero)?;
    let operands = [x, weights].map(|operand| elementwise::converted(node, operand, exact).map(Some));
    let operands = operands.into_iter().collect::<Result<_>>()?;
    node.set_inputs(operands);
    let y = conv::read(node)?[0];
    Ok(vec![elementwise::converted(node, y, ElemType::I32)?])
}

/// What the layer that `read` makes says of `x` less its zero point and of `weights` of 8 bits, whose zero point is zero.
///
/// It is what the layer says of `x`, less the zero point times what it says of an input of ones, for which `of_ones` stands. That is known while
/// compiling where it can be computed then, so the zero point need not be.
fn sums(
    node: &mut NodeReader,
    [x, weights]: [ValueId; 2],
    zero: Option<ValueId>,
    read: fn(&mut NodeReader) -> Result<Vec<ValueId>>,
    of_ones: impl FnOnce(&mut NodeReader) -> Result<ValueId>,
) -> Result<ValueId> {
    node.set_inputs(vec![Some(x), Some(weights)]);
    let sums = read(node)?[0];
    let Some(zero) = zero else { return Ok(sums) };
    let zero = one_number(node, zero)?;
    let zero = elementwise::converted(node, zero, ElemType::I32)?;
    let of_ones = of_ones(node)?;
    let share = elementwise::push(node, "mul", &[of_ones, zero])?;
    elementwise::push(node, "sub", &[sums, share])
}

/// The product of ones and matrices of 32-bit integers, in a shape that is broadcast to that of the product of `a` and them.
fn column_sums(node: &mut NodeReader, a: ValueId, weights: ValueId) -> Result<ValueId> {
    let axis = node.ty(weights).shape.len().saturating_sub(2);
    let sums = node.push(Reduce { method: reduce::Method::Sum, axes: vec![axis] }, &[weights])?;
    let mut shape = node.ty(sums).shape.to_vec();
    if node.ty(a).shape.len() == 1 {
        // The product of a vector has no axis of rows.
        shape.remove(axis);
    }
    node.reshape(sums, shape)
}

/// One pixel of a constant image whose pixels are all the same, as they are without padding.
fn same_everywhere(node: &mut NodeReader, image: ValueId) -> Option<ValueId> {
    let image = node.value(image)?;
    let [1, channels, pixels @ ..] = &image.ty().shape[..] else { return None };
    let (channels, pixels, rank) = (*channels, pixels.iter().product(), image.ty().shape.len());
    let elements = image.to_vec::<i32>();
    let alike = rank > 2 && elements.chunks(pixels).all(|channel| channel.iter().all(|element| *element == channel[0]));
    let mut shape = vec![1; rank];
    shape[1] = channels;
    let pixel: Vec<i32> = elements.into_iter().step_by(pixels).collect();
    alike.then(|| node.add_constant(Tensor::from_vec(shape, &pixel)))
}

/// The zero point of the activations, which must be one number for all of them.
fn one_number(node: &mut NodeReader, zero: ValueId) -> Result<ValueId> {
    if node.ty(zero).elements() != 1 {
        return Err(Refusal::new(
            format!("the zero point of the activations is {}; expected one number", node.ty(zero)),
            "quantize the activations with one zero point",
        ));
    }
    node.reshape(zero, [])
}

/// Integers less their zero point, in 32 bits.
fn centred(node: &mut NodeReader, x: ValueId, zero_point: Option<ValueId>) -> Result<ValueId> {
    let wide = elementwise::converted(node, x, ElemType::I32)?;
    let Some(zero_point) = zero_point else { return Ok(wide) };
    let zero_point = elementwise::converted(node, zero_point, ElemType::I32)?;
    elementwise::push(node, "sub", &[wide, zero_point])
}

/// Constant integers of 32 bits as such of 8, where all fit.
fn narrowed(node: &mut NodeReader, wide: ValueId) -> Option<ValueId> {
    let tensor = node.value(wide)?;
    let narrow: Option<Vec<i8>> = tensor.to_vec::<i32>().into_iter().map(|element| element.try_into().ok()).collect();
    let narrow = Tensor::from_vec(tensor.ty().shape.clone(), &narrow?);
    Some(node.add_constant(narrow))
}

/// `MatMulInteger` times both scales, plus a bias.
fn mat_mul_integer_to_float(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let operands = [node.input(0)?, node.input(1)?];
    let (scales, zeros) = ([node.input(2)?, node.input(3)?], [node.optional_input(4), node.optional_input(5)]);
    let bias = node.optional_input(6);
    Ok(vec![scaled_product(node, operands, scales, zeros, bias)?])
}

/// The same of floats that are quantized when they are known.
fn dynamic_quantize_mat_mul(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, b, b_scale, b_zero, bias) =
        (node.input(0)?, node.input(1)?, node.input(2)?, node.optional_input(3), node.optional_input(4));
    let [x, scale, zero] = push_dynamically_quantized(node, x)?;
    Ok(vec![scaled_product(node, [x, b], [scale, b_scale], [Some(zero), b_zero], bias)?])
}

/// The product of integers less their zero points, times both scales, plus the bias.
fn scaled_product(
    node: &mut NodeReader,
    operands: [ValueId; 2],
    scales: [ValueId; 2],
    zeros: [Option<ValueId>; 2],
    bias: Option<ValueId>,
) -> Result<ValueId> {
    let product = integer_product(node, operands, zeros)?;
    let product = elementwise::converted(node, product, ElemType::F32)?;
    let scale = elementwise::push(node, "mul", &scales)?;
    let product = elementwise::push(node, "mul", &[product, scale])?;
    bias.map_or(Ok(product), |bias| elementwise::push(node, "add", &[product, bias]))
}

/// `u8` with a scale and a zero point by which the least and the greatest element, and zero, are among what it stands for.
fn dynamic_quantize(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    Ok(push_dynamically_quantized(node, x)?.to_vec())
}

/// Quantized elements, scale and zero point.
fn push_dynamically_quantized(node: &mut NodeReader, x: ValueId) -> Result<[ValueId; 3]> {
    let axes: Vec<usize> = (0..node.ty(x).shape.len()).collect();
    let zero = || Expr::from(0.0);
    let mut bound = |method: reduce::Method, function: &str| {
        let extreme = node.push(Reduce { method, axes: axes.clone() }, &[x])?;
        let extreme = node.reshape(extreme, [])?;
        node.push(Elementwise { expr: Expr::call(function, [Expr::Input(0), zero()]) }, &[extreme])
    };
    let (greatest, least) = (bound(reduce::Method::Max, "max")?, bound(reduce::Method::Min, "min")?);
    let width = Expr::call("sub", [Expr::Input(0), Expr::Input(1)]);
    let scale = node.push(Elementwise { expr: Expr::call("div", [width, Expr::from(255.0)]) }, &[greatest, least])?;
    let negated = node.push(Elementwise { expr: Expr::call("neg", [Expr::Input(0)]) }, &[least])?;
    let nothing = node.add_constant(Tensor::from_vec([], &[0u8]));
    let zero_point = push_quantized(node, negated, scale, Some(nothing))?;
    let y = push_quantized(node, x, scale, Some(zero_point))?;
    Ok([y, scale, zero_point])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Element;
    use crate::testing::OneNode;

    fn bytes(shape: &[usize], elements: &[u8]) -> Tensor {
        Tensor::from_vec(shape, elements)
    }

    /// One more operand: integers, their scale, and their zero point.
    fn operand(node: OneNode, tensor: &Tensor, scale: f32, zero: u8) -> OneNode {
        output(node.constant(tensor), scale, zero)
    }

    fn output(node: OneNode, scale: f32, zero: u8) -> OneNode {
        node.constant(&Tensor::from_vec([], &[scale])).constant(&bytes(&[], &[zero]))
    }

    fn check<T: Element + PartialEq + std::fmt::Debug>(node: &OneNode, expected: &[T]) {
        assert_eq!(node.results()[0].to_vec::<T>(), expected, "{node:?}");
    }

    #[test]
    fn examples_of_the_specification() {
        let a = bytes(&[2, 4], &[208, 236, 0, 238, 3, 214, 255, 29]);
        let b = bytes(&[4, 3], &[152, 51, 244, 60, 26, 255, 0, 127, 246, 127, 254, 247]);
        let product = operand(operand(OneNode::new("QLinearMatMul", 10), &a, 0.0066, 113), &b, 0.00705, 114);
        check(&output(product, 0.0107, 118), &[168u8, 115, 255, 1, 66, 151]);
        let x = Tensor::from_vec([6], &[0.0f32, 2.0, -3.0, -2.5, 1.34, 0.5]);
        let dynamic = OneNode::new("DynamicQuantizeLinear", 11).constant(&x).outputs(3);
        check(&dynamic, &[153u8, 255, 0, 26, 221, 179]);
        assert_eq!(dynamic.results()[1].to_vec::<f32>(), [5.0 / 255.0]);
        assert_eq!(dynamic.results()[2].to_vec::<u8>(), [153]);
    }

    #[test]
    fn convolutions_and_layers_have_biases_of_32_bits() {
        let (x, w) = (bytes(&[1, 1, 3], &[10, 12, 9]), bytes(&[2, 1, 2], &[3, 4, 0, 2]));
        let bias = Tensor::from_vec([2], &[9i32, -8]);
        let conv = output(operand(operand(OneNode::new("QLinearConv", 10), &x, 0.5, 8), &w, 0.25, 2), 0.5, 100);
        // (2, 4, 1) by (1, 2) and (-2, 0), plus 9 and -8, in eighths.
        check(&conv.constant(&bias), &[105u8, 104, 97, 96]);
        let (a, b) = (bytes(&[1, 2], &[10, 12]), bytes(&[2, 2], &[3, 4, 0, 2]));
        let gemm = operand(operand(OneNode::new("com.microsoft::QGemm", 1), &a, 0.5, 8), &b, 0.25, 2).constant(&bias);
        // (2, 4) by rows (1, 2) and (-2, 0).
        check(&gemm.clone().int("transB", 1), &[19.0f32 / 8.0, -12.0 / 8.0]);
        check(&output(gemm, 0.5, 100), &[101u8, 99]);
    }

    #[test]
    fn elementwise_operators_and_pools() {
        let (a, b) = (bytes(&[1, 1, 2], &[10, 4]), bytes(&[1, 1, 2], &[3, 6]));
        let two = |name| output(operand(operand(OneNode::new(name, 1), &a, 0.5, 8), &b, 1.0, 2), 0.5, 20);
        check(&two("com.microsoft::QLinearAdd"), &[24u8, 24]);
        check(&two("com.microsoft::QLinearMul"), &[22u8, 4]);
        let joined = operand(operand(output(OneNode::new("com.microsoft::QLinearConcat", 1), 0.5, 20), &a, 0.5, 8), &b, 1.0, 2);
        check(&joined.int("axis", 2), &[22u8, 16, 22, 28]);
        let one = |name: &str| output(operand(OneNode::new(&format!("com.microsoft::{name}"), 1), &a, 0.5, 8), 0.25, 20);
        check(&one("QLinearGlobalAveragePool"), &[18u8]);
        check(&one("QLinearAveragePool").ints("kernel_shape", &[2]), &[18u8]);
        check(&one("QLinearLeakyRelu").float("alpha", 0.25), &[24u8, 18]);
        check(&one("QLinearSigmoid"), &[23u8, 20]);
        check(&one("QLinearSoftmax").int("opset", 13), &[24u8, 20]);
    }

    #[test]
    fn products_of_integers_have_32_bits() {
        let weights = bytes(&[3, 2], &[1, 4, 2, 5, 3, 6]);
        let product = OneNode::new("MatMulInteger", 10).input(ElemType::U8, &[4, 3]).constant(&weights);
        let text = product.constant(&bytes(&[1], &[12])).constant(&bytes(&[1], &[0])).text();
        assert!(text.contains("i32[4, 2] = Dense, sums (%0, const i8[3, 2], const i32[2])"), "{text}");
        assert_eq!(text.matches("Dense").count(), 1, "the share of the zero point is known\n{text}");
        let vector = OneNode::new("MatMulInteger", 10).constant(&bytes(&[3], &[12, 13, 0])).constant(&weights);
        // (2, 3, -10) by columns (1, 2, 3) and (4, 5, 6).
        check(&vector.constant(&bytes(&[1], &[10])), &[-22i32, -37]);
        let product = OneNode::new("MatMulInteger", 10).constant(&bytes(&[1, 3], &[12, 13, 0])).constant(&weights);
        let product = product.constant(&bytes(&[1], &[12])).constant(&bytes(&[1], &[2]));
        // (0, 1, -12) by columns (-1, 0, 1) and (2, 3, 4).
        check(&product, &[-12i32, -45]);
        let wide = OneNode::new("MatMulInteger", 10).input(ElemType::U8, &[1, 2]).constant(&bytes(&[2, 1], &[255, 130])).text();
        assert!(wide.contains("i32[1, 1] = Dense (%1, const i32[2, 1])"), "{wide}");
    }

    #[test]
    fn convolutions_of_integers_have_32_bits() {
        let x = bytes(&[1, 1, 3], &[10, 12, 9]);
        let conv = |weights: &[u8]| OneNode::new("ConvInteger", 10).constant(&x).constant(&bytes(&[2, 1, 2], weights));
        let zeros = |node: OneNode| node.constant(&bytes(&[], &[8])).constant(&bytes(&[2], &[2, 1]));
        // (2, 4, 1) by (1, 2) and (-1, 1), within and with zeros beside it.
        let narrow = zeros(conv(&[3, 4, 0, 2]));
        check(&narrow, &[10i32, 6, 2, -3]);
        check(&narrow.clone().ints("pads", &[1, 1]), &[4i32, 10, 6, 1, 2, 2, -3, -1]);
        // (2, 4, 1) by (253, 2) and (-1, 1).
        let wide = zeros(conv(&[255, 4, 0, 2]));
        check(&wide.ints("pads", &[1, 0]), &[4i32, 514, 1014, 2, 2, -3]);
        conv(&[0; 4]).constant(&bytes(&[], &[8])).constant(&bytes(&[3], &[2, 1, 0])).refused("i32[2, 1, 2]", "");
    }

    #[test]
    fn products_become_floats() {
        let (a, b) = (bytes(&[1, 2], &[10, 12]), bytes(&[2, 2], &[3, 4, 0, 2]));
        let [half, quarters] = [&[0.5f32][..], &[0.25, 1.0]].map(|scale| Tensor::from_vec([scale.len()], scale));
        let product = OneNode::new("com.microsoft::MatMulIntegerToFloat", 1).constant(&a).constant(&b);
        let product = product.constant(&half).constant(&quarters).constant(&bytes(&[], &[8])).constant(&bytes(&[], &[2]));
        let product = product.constant(&Tensor::from_vec([2], &[1.0f32, -1.0]));
        // (2, 4) by columns (1, -2) and (2, 0), by 1/8 and 1/2, plus 1 and -1.
        check(&product, &[0.25f32, 1.0]);
        let x = Tensor::from_vec([1, 2], &[51.0f32, 204.0]);
        let product = OneNode::new("com.microsoft::DynamicQuantizeMatMul", 1).constant(&x).constant(&b).constant(&half);
        // (64, 255) in steps of 204 / 255, by columns (3, 0) and (4, 2), by 0.4.
        check(&product, &[76.8f32, 306.4]);
    }

    #[test]
    fn refusals() {
        let a = bytes(&[2, 3], &[0; 6]);
        let zeros =
            OneNode::new("MatMulInteger", 10).constant(&a).constant(&bytes(&[3, 1], &[0; 3])).constant(&bytes(&[2], &[0; 2]));
        zeros.refused("the zero point of the activations is u8[2]; expected one number", "one zero point");
        let pool = OneNode::new("com.microsoft::QLinearGlobalAveragePool", 1);
        let pool = output(operand(pool, &bytes(&[1, 1, 2], &[1, 2]), 1.0, 0), 1.0, 0).int("channels_last", 1);
        pool.refused("attribute `channels_last` is 1; supported: 0", "supported value");
    }
}
