//! Makes layers between quantized tensors integer layers.

use super::quantization::{dequantized, quantized_alone};
use super::requantize::requantize;
use crate::graph::{Graph, Integers, Node, ValueId};
use crate::kernels::Requantize;
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::ops::integer::Integer;
use crate::quantization::Quantization;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// `quantize(clamp(layer(dequantize(x), dequantize(w), b)))` → `layer[requantize](x, w, b', m)`
///
/// `layer(dequantize(x), dequantize(w), b)` → `layer[sums](x, w, b') · scale`, where the file goes on with floats; a bias that is no whole number
/// of the sums' steps is added behind the scale, as floats show what it would lose
pub(super) fn quantize_layers(graph: &mut Graph) {
    let mut index = 0;
    while index < graph.nodes.len() {
        if let Some(layer) = Layer::new(graph, index, true)
            && !layer.requantized(graph)
        {
            match layer.whole {
                true => layer.summed(graph, None),
                false => {
                    if let Some(layer) = Layer::new(graph, index, false) {
                        let bias = layer.node.inputs[2];
                        layer.summed(graph, Some(bias));
                    }
                }
            }
        }
        index += 1;
    }
}

/// A layer of quantized tensors.
struct Layer {
    index: usize,
    node: Node,
    /// What its first input is dequantized from.
    x: ValueId,
    quantization: Quantization,
    /// The weights less their zero points, in the shape of the node's.
    weights: Tensor,
    /// One for each output, the zero point of `x` folded in.
    bias: Vec<i32>,
    /// Whether the bias was a whole number of steps of the sums.
    whole: bool,
    /// What an output's sums are multiplied by to give numbers: one for each, or one for all.
    scale: Vec<f64>,
    /// No sum has a greater magnitude.
    largest: i64,
}

impl Layer {
    /// The node at `index`, where it is a layer of quantized tensors whose sums fit 32 bits; with its bias, or without.
    fn new(graph: &Graph, index: usize, with_bias: bool) -> Option<Self> {
        let node = graph.nodes[index].clone();
        let axis = match &node.op {
            Op::Conv(conv) if conv.activation.is_none() && conv.integer.is_none() => 0,
            Op::Dense(dense) if dense.activation.is_none() && dense.integer.is_none() => 1,
            _ => return None,
        };
        let (x, quantization) = dequantized(graph, node.inputs[0])?;
        let integers = graph.value(node.inputs[1]).integers.as_ref()?;
        let by_output = integers.scale.len() > 1;
        if (by_output && integers.axis != axis) || graph.ty(node.outputs[0]).elem != ElemType::F32 {
            return None;
        }
        let weights = symmetric(integers, axis)?;
        let columns = columns(&weights, axis);
        let one_scale = integers.scale.len() == 1;
        let scale: Vec<f64> = integers.scale.iter().map(|&scale| f64::from(quantization.scale) * f64::from(scale)).collect();
        let (bias, whole) = match node.inputs.get(2) {
            Some(&bias) if with_bias => steps(graph, bias, &scale)?,
            _ => (vec![0; columns.len()], true),
        };
        let scale = |output: usize| if one_scale { scale[0] } else { scale[output] };
        let outputs = columns.into_iter().zip(bias).enumerate();
        let outputs: Vec<Output> = (outputs.map(|(output, (weights, bias))| Output { weights, bias, scale: scale(output) }))
            .map(|output| output.reduced(quantization))
            .collect();
        let largest = outputs.iter().map(|output| output.largest(quantization)).max()?;
        let bias = outputs.iter().map(|output| i32::try_from(output.start(quantization)).ok()).collect::<Option<Vec<i32>>>()?;
        let mut scale: Vec<f64> = outputs.iter().map(|output| output.scale).collect();
        if scale.iter().all(|other| *other == scale[0]) {
            scale.truncate(1);
        }
        let weights = joined(&outputs, weights.ty(), axis)?;
        (largest <= i32::MAX.into()).then_some(Self { index, node, x, quantization, weights, bias, whole, scale, largest })
    }

    /// Makes it one step with the quantization behind it; tells whether there is one.
    fn requantized(&self, graph: &mut Graph) -> bool {
        let Some((reader, clamp, quantization)) = quantized_alone(graph, self.node.outputs[0]) else { return false };
        let factors: Vec<f64> = self.scale.iter().map(|scale| scale / f64::from(quantization.scale)).collect();
        let Some((requantize, multipliers)) = requantize(&factors, self.largest, quantization, clamp) else { return false };
        let mut inputs = self.inputs(graph);
        let name = format!("{}_multipliers", graph.value(self.node.inputs[1]).name);
        inputs.push(graph.add_constant(name, Tensor::from_vec([multipliers.len()], &multipliers)));
        let mut origin = self.node.origin.clone();
        origin.extend(graph.nodes[reader].origin.iter().cloned());
        // The layer moves to where its reader stands: all that it reads is defined there too.
        graph.rewrite(reader, self.op(quantization.elem, Some(requantize)), &inputs, &origin);
        true
    }

    /// Makes it the sums, and a scale and maybe a bias behind it.
    fn summed(&self, graph: &mut Graph, bias: Option<ValueId>) {
        let inputs = self.inputs(graph);
        let sums = graph.insert_one(self.index, self.op(ElemType::I32, None), &inputs, &self.node.origin);
        let number = Expr::Input(0).cast(ElemType::I32, ElemType::F32);
        let scale: Vec<f32> = self.scale.iter().map(|&scale| crate::kernels::cast(scale)).collect();
        let (scale, mut inputs) = match scale.as_slice() {
            [scale] => (Expr::from(*scale), vec![sums]),
            _ => {
                let name = format!("{}_scale", graph.value(self.node.inputs[1]).name);
                (Expr::Input(1), vec![sums, graph.add_constant(name, Tensor::from_vec([scale.len()], &scale))])
            }
        };
        let mut expr = Expr::call("mul", [number, scale]);
        if let Some(bias) = bias {
            expr = Expr::call("add", [expr, Expr::Input(inputs.len())]);
            inputs.push(bias);
        }
        graph.rewrite(self.index + 1, Elementwise { expr }.into(), &inputs, &self.node.origin);
    }

    /// `x`, weights and bias as integers.
    fn inputs(&self, graph: &mut Graph) -> Vec<ValueId> {
        let name = |place: usize| self.node.inputs.get(place).map(|&id| graph.value(id).name.clone());
        let weights = name(1).expect("a layer has weights");
        let bias = name(2).unwrap_or_else(|| format!("{weights}_bias"));
        let weights = graph.add_constant(weights, self.weights.clone());
        let bias = graph.add_constant(bias, Tensor::from_vec([self.bias.len()], &self.bias));
        vec![self.x, weights, bias]
    }

    fn op(&self, output: ElemType, requantize: Option<Requantize>) -> Op {
        let integer = Some(Integer { x_zero: self.quantization.read_zero(), output, requantize });
        let mut op = self.node.op.clone();
        match &mut op {
            Op::Conv(conv) => conv.integer = integer,
            Op::Dense(dense) => dense.integer = integer,
            _ => unreachable!("a layer is one of these"),
        }
        op
    }
}

/// One output of a layer: its weights, its bias in steps of its sums, and what a step of these stands for.
struct Output {
    weights: Vec<i64>,
    bias: i64,
    scale: f64,
}

/// Sums of a greater magnitude are reduced where that costs nothing; kernels are fastest with smaller ones.
const LARGEST: i64 = 1 << 22;

impl Output {
    /// What its sums start from, as the kernel subtracts no zero point.
    fn start(&self, x: Quantization) -> i64 {
        self.bias - i64::from(x.read_zero()) * self.weights.iter().sum::<i64>()
    }

    /// No sum has a greater magnitude.
    fn largest(&self, x: Quantization) -> i64 {
        let [least, greatest] = x.read_range();
        let start = self.start(x);
        let extreme = |most: i32, least: i32| -> i64 {
            start + self.weights.iter().map(|&w| w * i64::from(if w > 0 { most } else { least })).sum::<i64>()
        };
        start.abs().max(extreme(greatest, least).abs()).max(extreme(least, greatest).abs())
    }

    /// The same with larger steps where its bias is so large that its weights hardly matter, as of a channel that training has
    /// switched off: no sum changes by more than 2^-9 of the largest.
    fn reduced(self, x: Quantization) -> Self {
        let largest = self.largest(x);
        let bits = (0..32).find(|bits| largest >> bits <= LARGEST).unwrap_or(0);
        let unit = 1i64 << bits;
        let rounded = |value: i64| (value + unit / 2).div_euclid(unit);
        let reduced = Self {
            weights: self.weights.iter().map(|&weight| rounded(weight)).collect(),
            bias: rounded(self.bias),
            scale: self.scale * crate::kernels::cast::<i64, f64>(unit),
        };
        let [least, greatest] = x.read_range();
        let change: i64 =
            self.weights.iter().zip(&reduced.weights).map(|(weight, rounded)| (weight - rounded * unit).abs()).sum();
        if change * i64::from(greatest - least) <= largest >> 9 { reduced } else { self }
    }
}

/// The weights of all outputs in one tensor.
fn joined(outputs: &[Output], ty: &TensorType, axis: usize) -> Option<Tensor> {
    let (size, stride) = (ty.shape[axis], ty.shape.strides()[axis]);
    let mut next = vec![0; size];
    let weight = |index: usize| {
        let output = index / stride % size;
        next[output] += 1;
        i8::try_from(outputs[output].weights[next[output] - 1]).ok()
    };
    let weights: Option<Vec<i8>> = (0..ty.elements()).map(weight).collect();
    Some(Tensor::from_vec(ty.shape.clone(), &weights?))
}

/// The weights of each output.
fn columns(weights: &Tensor, axis: usize) -> Vec<Vec<i64>> {
    let (size, stride) = (weights.ty().shape[axis], weights.ty().shape.strides()[axis]);
    let mut columns = vec![Vec::new(); size];
    for (index, weight) in weights.to_vec::<i8>().into_iter().enumerate() {
        columns[index / stride % size].push(weight.into());
    }
    columns
}

/// The integers less their zero points; `None` where one of these does not fit 8 bits.
fn symmetric(integers: &Integers, axis: usize) -> Option<Tensor> {
    let shape = &integers.tensor.ty().shape;
    let (size, stride) = (shape[axis], shape.strides()[axis]);
    let zero = |index: usize| match integers.zero_point.as_slice() {
        [zero] => *zero,
        zeros => zeros[index / stride % size],
    };
    let numbers = integers.tensor.to_ints()?;
    let narrow = numbers.iter().enumerate().map(|(index, number)| i8::try_from(number - zero(index)).ok());
    Some(Tensor::from_vec(shape.clone(), &narrow.collect::<Option<Vec<i8>>>()?))
}

/// How far from a whole number of steps a bias may be that was one: it was dequantized to a float, whose last places are parts of 2^-22.
const WHOLE: f64 = 1.0 / 4_194_304.0;

/// A bias in steps of the sums, whose scale is `scale`, and whether it was a whole number of them.
fn steps(graph: &Graph, bias: ValueId, scale: &[f64]) -> Option<(Vec<i64>, bool)> {
    let numbers = graph.constant(bias)?.to_vec::<f32>();
    let scale = |output: usize| if scale.len() == 1 { scale[0] } else { scale[output] };
    let steps: Vec<f64> = numbers.iter().enumerate().map(|(output, &number)| f64::from(number) / scale(output)).collect();
    let whole = steps.iter().all(|steps| (steps - steps.round()).abs() <= steps.abs() * WHOLE);
    let fitting = steps.iter().map(|steps| (steps.abs() < f64::from(i32::MAX)).then(|| crate::kernels::cast(steps.round())));
    Some((fitting.collect::<Option<_>>()?, whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: Quantization = Quantization { elem: ElemType::I8, scale: 0.5, zero: -128 };

    /// The number that the sum of an output stands for, where all elements of the input are `x`.
    fn number(output: &Output, x: i64) -> f64 {
        let sum = output.start(X) + output.weights.iter().map(|weight| weight * x).sum::<i64>();
        crate::kernels::cast::<i64, f64>(sum) * output.scale
    }

    #[test]
    fn a_large_bias_makes_steps_large() {
        let output = |bias| Output { weights: vec![100, -127, 64, 3], bias, scale: 1e-8 };
        for (bias, reduces) in [(1 << 30, true), (-99_174_816, true), (1 << 21, false), (5000, false)] {
            let (exact, reduced) = (output(bias), output(bias).reduced(X));
            assert_eq!(reduced.scale > exact.scale, reduces, "{bias}");
            assert!(!reduces || reduced.largest(X) <= LARGEST);
            for x in [-128, -1, 0, 127] {
                let (exact, reduced) = (number(&exact, x), number(&reduced, x));
                assert!((exact - reduced).abs() <= exact.abs() / 400.0, "{bias}, {x}: {exact} and {reduced}");
            }
        }
    }

    /// Large sums of many weights are no reason to round these.
    #[test]
    fn weights_that_matter_are_kept() {
        let output = Output { weights: vec![127; 4096], bias: 0, scale: 1.0 };
        assert_eq!(output.reduced(X).scale, 1.0);
    }
}
