//! Every definition of the family as a model of one node: computed while importing, and as a graph before and after the passes.

use std::collections::{BTreeMap, BTreeSet};

use half::{bf16, f16};

use super::DEFS;
use crate::graph::{Graph, ValueId};
use crate::kernels as rt;
use crate::op::Op;
use crate::passes;
use crate::tensor::{Element, Tensor};
use crate::testing::OneNode;
use crate::ty::{ElemType, TensorType};

/// A node, what it reads, and what it must give.
struct Case {
    name: &'static str,
    opset: i64,
    attributes: fn(OneNode) -> OneNode,
    inputs: Vec<Option<Tensor>>,
    expected: Tensor,
}

impl Case {
    fn new(name: &'static str, opset: i64, inputs: &[&Tensor], expected: Tensor) -> Self {
        let inputs = inputs.iter().map(|&input| Some(input.clone())).collect();
        Self { name, opset, attributes: |node| node, inputs, expected }
    }

    fn with(self, attributes: fn(OneNode) -> OneNode) -> Self {
        Self { attributes, ..self }
    }

    fn without(mut self, input: usize) -> Self {
        self.inputs.insert(input, None);
        self
    }

    /// The node, with each of its inputs added by `add`.
    fn node(&self, add: impl Fn(OneNode, &Tensor) -> OneNode) -> OneNode {
        let node = (self.attributes)(OneNode::new(self.name, self.opset));
        self.inputs.iter().fold(node, |node, input| match input {
            Some(tensor) => add(node, tensor),
            None => node.omitted(),
        })
    }

    fn check(&self) {
        let title = format!("{} in opset {} of {:?}", self.name, self.opset, self.inputs);
        assert_eq!(self.node(OneNode::constant).results(), std::slice::from_ref(&self.expected), "{title}, folded");
        let given = self.node(|node, tensor| node.input(tensor.ty().elem, &tensor.ty().shape));
        let mut graph = given.import().unwrap_or_else(|faults| panic!("{title} is refused: {faults}"));
        let inputs: Vec<Tensor> = self.inputs.iter().flatten().cloned().collect();
        assert_eq!(evaluate(&graph, &inputs), self.expected, "{title}, imported");
        passes::run(&mut graph);
        assert_eq!(evaluate(&graph, &inputs), self.expected, "{title}, after the passes");
    }
}

/// The only output of `graph` for `inputs`.
fn evaluate(graph: &Graph, inputs: &[Tensor]) -> Tensor {
    let mut values: BTreeMap<ValueId, Tensor> = graph.inputs.iter().copied().zip(inputs.iter().cloned()).collect();
    for node in &graph.nodes {
        let operand = |id: &ValueId| graph.constant(*id).or_else(|| values.get(id)).expect("defined before its use");
        let operands: Vec<&Tensor> = node.inputs.iter().map(operand).collect();
        let types: Vec<TensorType> = node.outputs.iter().map(|&id| graph.ty(id).clone()).collect();
        let results = match &node.op {
            Op::Copy(_) => vec![operands[0].clone()],
            op => op.rules().fold(&operands, &types).unwrap_or_else(|| panic!("{op} does not fold")),
        };
        values.extend(node.outputs.iter().copied().zip(results));
    }
    let output = values.remove(&graph.outputs[0]).expect("computed");
    assert_eq!(output.ty(), graph.ty(graph.outputs[0]));
    output
}

/// A tensor of one dimension.
fn line<T: Element>(elements: &[T]) -> Tensor {
    Tensor::from_vec([elements.len()], elements)
}

/// A tensor of no dimension.
fn number<T: Element>(element: T) -> Tensor {
    Tensor::from_vec([], &[element])
}

fn bools(elements: &[u8]) -> Tensor {
    Tensor::from_elements(TensorType::new(ElemType::Bool, [elements.len()]), elements)
}

const SAMPLES: [f32; 8] = [-2.5, -1.0, -0.3, -0.0, 0.2, 0.5, 1.5, 7.0];

/// Functions of one f32 without attributes, in the first and the last opset of their definitions.
fn unary_cases() -> Vec<Case> {
    type Function = (&'static str, fn(f32) -> f32);
    let functions: &[Function] = &[
        ("Abs", rt::abs),
        ("Acos", rt::acos),
        ("Acosh", rt::acosh),
        ("Asin", rt::asin),
        ("Asinh", rt::asinh),
        ("Atan", rt::atan),
        ("Atanh", rt::atanh),
        ("Ceil", rt::ceil),
        ("Cos", rt::cos),
        ("Cosh", rt::cosh),
        ("Erf", rt::erf),
        ("Exp", rt::exp),
        ("Floor", rt::floor),
        ("HardSwish", rt::hard_swish),
        ("Log", rt::log),
        ("Mish", rt::mish),
        ("Neg", rt::neg),
        ("Reciprocal", rt::reciprocal),
        ("Relu", rt::relu),
        ("Round", rt::round),
        ("Sigmoid", rt::sigmoid),
        ("Sign", rt::sign),
        ("Sin", rt::sin),
        ("Sinh", rt::sinh),
        ("Softplus", rt::softplus),
        ("Softsign", rt::softsign),
        ("Sqrt", rt::sqrt),
        ("Tan", rt::tan),
        ("Tanh", rt::tanh),
        // With the attributes' defaults.
        ("Celu", |x| rt::celu(x, 1.0)),
        ("Elu", |x| rt::elu(x, 1.0)),
        ("Gelu", rt::gelu),
        ("HardSigmoid", |x| rt::hard_sigmoid(x, 0.2, 0.5)),
        ("LeakyRelu", |x| rt::leaky_relu(x, 0.01)),
        ("Selu", |x| rt::selu(x, 1.673_263_2, 1.050_701)),
        ("Shrink", |x| rt::shrink(x, 0.5, 0.0)),
        ("Swish", |x| rt::swish(x, 1.0)),
        ("ThresholdedRelu", |x| rt::thresholded_relu(x, 1.0)),
    ];
    let case = |&(name, f): &Function| {
        let definition = DEFS.iter().find(|definition| definition.name == name).expect("a definition");
        let case = move |opset| Case::new(name, opset, &[&line(&SAMPLES)], line(&SAMPLES.map(f)));
        [*definition.opset.start(), *definition.opset.end()].map(case)
    };
    functions.iter().flat_map(case).collect()
}

fn attribute_cases() -> Vec<Case> {
    let x = line(&SAMPLES);
    let of = |name, f: fn(f32) -> f32, attributes: fn(OneNode) -> OneNode| {
        Case::new(name, 24, &[&x], line(&SAMPLES.map(f))).with(attributes)
    };
    vec![
        of("Celu", |x| rt::celu(x, 2.0), |node| node.float("alpha", 2.0)),
        of("Elu", |x| rt::elu(x, 2.0), |node| node.float("alpha", 2.0)),
        of("Gelu", rt::gelu_tanh, |node| node.word("approximate", "tanh")),
        of("HardSigmoid", |x| rt::hard_sigmoid(x, 0.5, 0.6), |node| node.float("alpha", 0.5).float("beta", 0.6)),
        of("LeakyRelu", |x| rt::leaky_relu(x, 0.1), |node| node.float("alpha", 0.1)),
        of("Selu", |x| rt::selu(x, 2.0, 3.0), |node| node.float("alpha", 2.0).float("gamma", 3.0)),
        of("Shrink", |x| rt::shrink(x, 1.0, 0.25), |node| node.float("lambd", 1.0).float("bias", 0.25)),
        of("Swish", |x| rt::swish(x, 1.5), |node| node.float("alpha", 1.5)),
        of("ThresholdedRelu", |x| rt::thresholded_relu(x, 0.3), |node| node.float("alpha", 0.3)),
        // An attribute is f32, whatever the elements are.
        Case::new("LeakyRelu", 16, &[&line(&[-2.0f64, 1.0])], line(&[f64::from(0.01f32) * -2.0, 1.0])),
        Case::new("LeakyRelu", 16, &[&line(&[f16::from_f32(-2.0)])], line(&[f16::from_f32(-0.02)])),
        // Rounded after each step it would be -0.125.
        Case::new("Celu", 28, &[&line(&[bf16::from_f32(-0.125)])], line(&[bf16::from_f32(-0.121_094)]))
            .with(|node| node.float("alpha", 2.0)),
        // NaN is neither above nor below.
        Case::new("ThresholdedRelu", 22, &[&number(f32::NAN)], number(0.0f32)),
        Case::new("Shrink", 9, &[&number(f32::NAN)], number(0.0f32)),
    ]
}

/// Functions of two inputs, in the first and the last opset of each of their definitions.
fn binary_cases() -> Vec<Case> {
    let (a, b) = ([6.0f32, -2.0, 3.5, 0.0], [2.0f32, 4.0, 3.5, -1.0]);
    let (m, n) = ([12i32, -7, 7, i32::MAX], [10i32, 3, -3, 1]);
    let (p, q) = ([0u8, 0, 1, 2], [0u8, 3, 0, 1]);
    let floats = |f: fn(f32, f32) -> f32| line(&[0, 1, 2, 3].map(|i| f(a[i], b[i])));
    let answers = |f: fn(f32, f32) -> u8| bools(&[0, 1, 2, 3].map(|i| f(a[i], b[i])));
    let ints = |f: fn(i32, i32) -> i32| line(&[0, 1, 2, 3].map(|i| f(m[i], n[i])));
    let truths = |f: fn(u8, u8) -> u8| bools(&[0, 1, 2, 3].map(|i| f(p[i], q[i])));
    let table = [
        ("Add", floats(rt::add)),
        ("Sub", floats(rt::sub)),
        ("Mul", floats(rt::mul)),
        ("Div", floats(rt::div)),
        ("Pow", floats(rt::pow)),
        ("PRelu", floats(rt::prelu)),
        ("Max", floats(rt::max)),
        ("Min", floats(rt::min)),
        ("Sum", floats(rt::add)),
        ("Mean", floats(|a, b| (a + b) / 2.0)),
        ("Equal", answers(rt::equal)),
        ("Greater", answers(rt::greater)),
        ("GreaterOrEqual", answers(rt::greater_or_equal)),
        ("Less", answers(rt::less)),
        ("LessOrEqual", answers(rt::less_or_equal)),
        ("Add", ints(rt::add)),
        ("Div", ints(rt::div)),
        ("Mod", ints(rt::modulo)),
        ("BitwiseAnd", ints(rt::bitwise_and)),
        ("BitwiseOr", ints(rt::bitwise_or)),
        ("BitwiseXor", ints(rt::bitwise_xor)),
        ("And", truths(rt::and)),
        ("Or", truths(rt::or)),
        ("Xor", truths(rt::xor)),
        ("Equal", bools(&[1, 0, 0, 1])),
    ];
    let mut cases = Vec::new();
    for (index, (name, expected)) in table.into_iter().enumerate() {
        let inputs = match index {
            0..15 => [line(&a), line(&b)],
            15..21 => [line(&m), line(&n)],
            _ => [bools(&p), bools(&q)],
        };
        for definition in DEFS.iter().filter(|definition| definition.name == name) {
            for opset in [*definition.opset.start(), *definition.opset.end()] {
                cases.push(Case::new(name, opset, &[&inputs[0], &inputs[1]], expected.clone()));
            }
        }
    }
    cases
}

/// Both ways to broadcast.
fn broadcast_cases() -> Vec<Case> {
    let x = Tensor::from_vec([1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
    let y = line(&[10.0f32, 20.0]);
    let by_row = Tensor::from_vec([1, 2, 2], &[11.0f32, 12.0, 23.0, 24.0]);
    let by_column = Tensor::from_vec([1, 2, 2], &[11.0f32, 22.0, 13.0, 24.0]);
    let outer = Tensor::from_vec([2, 2], &[11.0f32, 21.0, 12.0, 22.0]);
    vec![
        Case::new("Add", 6, &[&x, &y], by_row.clone()).with(|node| node.int("broadcast", 1).int("axis", 1)),
        Case::new("Add", 6, &[&x, &y], by_column.clone()).with(|node| node.int("broadcast", 1)),
        Case::new("Add", 7, &[&x, &y], by_column),
        Case::new("Add", 14, &[&y, &Tensor::from_vec([2, 1], &[1.0f32, 2.0])], outer),
        Case::new("PRelu", 6, &[&negated(&x), &y], Tensor::from_vec([1, 2, 2], &[-10.0f32, -20.0, -60.0, -80.0])),
        Case::new("PRelu", 7, &[&negated(&x), &y], Tensor::from_vec([1, 2, 2], &[-10.0f32, -40.0, -30.0, -80.0])),
        Case::new("Max", 8, &[&x, &number(2.5f32), &line(&[0.0f32, 3.5])], Tensor::from_vec([1, 2, 2], &[2.5f32, 3.5, 3.0, 4.0])),
        Case::new("Mean", 13, &[&x, &number(2.0f32), &y], Tensor::from_vec([1, 2, 2], &[13.0f32 / 3.0, 8.0, 5.0, 26.0 / 3.0])),
        Case::new("Sum", 13, &[&y], y.clone()),
    ]
}

fn negated(tensor: &Tensor) -> Tensor {
    let elements: Vec<f32> = tensor.to_vec::<f32>().into_iter().map(|x| -x).collect();
    Tensor::from_elements(tensor.ty().clone(), &elements)
}

fn truth_cases() -> Vec<Case> {
    let x = line(&[f32::NEG_INFINITY, -1.0, f32::NAN, f32::INFINITY]);
    let ints = line(&[3i32, -4, 5]);
    vec![
        Case::new("Not", 1, &[&bools(&[0, 1, 2])], bools(&[1, 0, 0])),
        Case::new("BitwiseNot", 18, &[&line(&[0u8, 0x0f])], line(&[0xffu8, 0xf0])),
        Case::new("BitShift", 11, &[&line(&[1u8, 16]), &line(&[3u8, 4])], line(&[8u8, 0]))
            .with(|node| node.word("direction", "LEFT")),
        Case::new("BitShift", 11, &[&line(&[1u8, 16]), &line(&[3u8, 4])], line(&[0u8, 1]))
            .with(|node| node.word("direction", "RIGHT")),
        Case::new("BitShift", 27, &[&line(&[-9i8, -9]), &line(&[1i8, 8])], line(&[-5i8, -1]))
            .with(|node| node.word("direction", "RIGHT")),
        Case::new("IsNaN", 9, &[&x], bools(&[0, 0, 1, 0])),
        Case::new("IsInf", 10, &[&x], bools(&[1, 0, 0, 1])),
        Case::new("IsInf", 20, &[&x], bools(&[0, 0, 0, 1])).with(|node| node.int("detect_negative", 0)),
        Case::new("IsInf", 20, &[&x], bools(&[1, 0, 0, 0])).with(|node| node.int("detect_positive", 0)),
        Case::new(
            "SwiGLU",
            28,
            &[&line(&[1.0f32, -2.0]), &number(3.0f32)],
            line(&[1.0f32, -2.0].map(|x| rt::swish(x, 1.0) * 3.0)),
        ),
        Case::new("Where", 9, &[&bools(&[0, 1, 2]), &ints, &number(9i32)], line(&[9i32, -4, 5])),
        Case::new("Where", 16, &[&bools(&[0, 1, 1]), &bools(&[0, 0, 1]), &bools(&[1, 1, 0])], bools(&[1, 0, 1])),
        Case::new("Less", 9, &[&ints, &number(4i32)], bools(&[1, 1, 0])),
    ]
}

fn arithmetic_cases() -> Vec<Case> {
    let thirds = [f16::from_f32(-7.0), f16::from_f32(7.5)];
    vec![
        Case::new("Mod", 10, &[&line(&[-7i8, 7]), &line(&[3i8, -3])], line(&[2i8, -2])),
        Case::new("Mod", 27, &[&line(&[-7.5f32, 6.0]), &line(&[2.0f32, -3.0])], line(&[0.5f32, -0.0])),
        Case::new("Mod", 13, &[&line(&[-7i8, 7]), &line(&[3i8, -3])], line(&[-1i8, 1])).with(|node| node.int("fmod", 1)),
        Case::new("Mod", 13, &[&line(&thirds), &number(f16::from_f32(3.0))], line(&[f16::from_f32(-1.0), f16::from_f32(1.5)]))
            .with(|node| node.int("fmod", 1)),
        Case::new("Pow", 12, &[&line(&[2.0f32, 3.0]), &line(&[3i64, 2])], line(&[8.0f32, 9.0])),
        Case::new("Pow", 12, &[&line(&[2i32, 9]), &line(&[3.0f32, 0.5])], line(&[8i32, 3])),
        Case::new("Pow", 15, &[&line(&[bf16::from_f32(3.0)]), &number(2.0f64)], line(&[bf16::from_f32(9.0)])),
        Case::new("Relu", 14, &[&line(&[-3i8, 4])], line(&[0i8, 4])),
        Case::new("Clip", 6, &[&line(&SAMPLES)], line(&SAMPLES)),
        Case::new("Clip", 6, &[&line(&SAMPLES)], line(&SAMPLES.map(|x| x.clamp(0.0, 6.0))))
            .with(|node| node.float("min", 0.0).float("max", 6.0)),
        Case::new("Clip", 10, &[&line(&[f32::INFINITY, -4.0])], line(&[f32::MAX, -3.0])).with(|node| node.float("min", -3.0)),
        Case::new("Clip", 11, &[&line(&[1.0f32, 5.0]), &number(2.0f32), &line(&[4.0f32])], line(&[2.0f32, 4.0])),
        Case::new("Clip", 12, &[&line(&[-1i8, 5]), &number(0i8)], line(&[0i8, 5])),
        Case::new("Clip", 13, &[&line(&[1u64, u64::MAX]), &number(9u64)], line(&[1u64, 9])).without(1),
        Case::new("Clip", 13, &[&line(&[1.0f32, f32::INFINITY])], line(&[1.0f32, f32::INFINITY])),
    ]
}

fn cast_cases() -> Vec<Case> {
    let x = line(&[-1.5f32, 0.0, 300.7, f32::NAN]);
    let cast = |input: &Tensor, expected, to: fn(OneNode) -> OneNode| Case::new("Cast", 13, &[input], expected).with(to);
    vec![
        Case::new("Cast", 6, &[&x], line(&[-1i32, 0, 300, 0])).with(|node| node.int("to", 6)),
        cast(&x, line(&[-1i8, 0, 127, 0]), |node| node.int("to", 3)),
        cast(&x, bools(&[1, 0, 1, 1]), |node| node.int("to", 9)),
        cast(&x, x.clone(), |node| node.int("to", 1)),
        cast(&bools(&[0, 1, 2]), line(&[0.0f32, 1.0, 1.0]), |node| node.int("to", 1)),
        cast(&bools(&[0, 1, 2]), line(&[0u8, 1, 1]), |node| node.int("to", 2)),
        cast(&line(&[2.5f64]), line(&[f16::from_f32(2.5)]), |node| node.int("to", 10)),
        cast(&line(&[-1i64]), line(&[u32::MAX]), |node| node.int("to", 12)),
        Case::new("CastLike", 15, &[&line(&[7i8, -7]), &number(0.0f32)], line(&[7.0f32, -7.0])),
    ]
}

fn quantization_cases() -> Vec<Case> {
    let x = line(&[-1.0f32, 0.375, 0.625, 100.0]);
    let q = Tensor::from_vec([2, 2], &[10u8, 12, 10, 13]);
    let square = Tensor::from_vec([2, 2], &[0.5f32, 1.0, 2.0, 4.0]);
    let scales = [line(&[0.5f32, 2.0]), line(&[10u8, 12])];
    vec![
        Case::new("QuantizeLinear", 10, &[&x, &number(0.25f32)], line(&[0u8, 2, 2, 255])),
        Case::new("QuantizeLinear", 13, &[&x, &number(0.25f32), &number(-3i8)], line(&[-7i8, -1, -1, 127])),
        Case::new("QuantizeLinear", 21, &[&x, &number(0.25f32)], line(&[-4i16, 2, 2, 400]))
            .with(|node| node.int("output_dtype", 5)),
        Case::new("QuantizeLinear", 13, &[&square, &scales[0], &scales[1]], Tensor::from_vec([2, 2], &[11u8, 12, 14, 14])),
        Case::new("QuantizeLinear", 13, &[&square, &scales[0], &scales[1]], Tensor::from_vec([2, 2], &[11u8, 12, 13, 14]))
            .with(|node| node.int("axis", 0)),
        Case::new("QuantizeLinear", 10, &[&line(&[-30i32, 7]), &line(&[2.0f32]), &line(&[0i8])], line(&[-15i8, 4])),
        Case::new("QuantizeLinear", 24, &[&line(&[f16::from_f32(1.0)]), &number(f16::from_f32(0.25))], line(&[4u8]))
            .with(|node| node.int("precision", 1)),
        Case::new("DequantizeLinear", 10, &[&line(&[0u8, 255]), &number(0.5f32), &number(128u8)], line(&[-64.0f32, 63.5])),
        Case::new("DequantizeLinear", 13, &[&line(&[i32::MIN, 4]), &number(0.5f32)], line(&[-1073741824.0f32, 2.0])),
        Case::new("DequantizeLinear", 13, &[&q, &scales[0], &scales[1]], Tensor::from_vec([2, 2], &[0.0f32, 0.0, 0.0, 2.0])),
        Case::new("DequantizeLinear", 13, &[&q, &scales[0], &scales[1]], Tensor::from_vec([2, 2], &[0.0f32, 1.0, -4.0, 2.0]))
            .with(|node| node.int("axis", -2)),
        Case::new(
            "DequantizeLinear",
            21,
            &[&Tensor::from_vec([1, 3], &[1i8, 2, 3]), &Tensor::from_vec([1, 2], &[2.0f32, 0.5])],
            Tensor::from_vec([1, 3], &[2.0f32, 4.0, 1.5]),
        )
        .with(|node| node.int("block_size", 2)),
        // 257 is no bf16; 771 becomes the nearest.
        Case::new("DequantizeLinear", 23, &[&line(&[257i16]), &number(bf16::from_f32(3.0))], line(&[bf16::from_f32(772.0)])),
        Case::new("DequantizeLinear", 23, &[&line(&[3i16]), &number(0.5f32)], line(&[f16::from_f32(1.5)]))
            .with(|node| node.int("output_dtype", 10)),
    ]
}

fn batch_norm_cases() -> Vec<Case> {
    let x = Tensor::from_vec([1, 2, 2], &[1.0f32, 2.0, 3.0, 5.0]);
    let parameters = [[2.0f32, 1.0], [0.5, 0.0], [1.0, 4.0], [3.0, 0.0]].map(|values| line(&values));
    let [scale, bias, mean, variance] = &parameters;
    let inputs = [&x, scale, bias, mean, variance];
    let expected = Tensor::from_vec([1, 2, 2], &[0.5f32, 1.5, -1.0, 1.0]);
    // A batch of means 1.5 and 4, and of variances 0.25 and 1.
    let trained = Tensor::from_vec([1, 2, 2], &[-1.5f32, 2.5, -1.0, 1.0]);
    let trained =
        Case::new("BatchNormalization", 15, &inputs, trained).with(|node| node.float("epsilon", 0.0).int("training_mode", 1));
    let evaluated = [6, 8, 9, 13, 14, 15, 27]
        .map(|opset| Case::new("BatchNormalization", opset, &inputs, expected.clone()).with(|node| node.float("epsilon", 1.0)))
        .into_iter();
    evaluated.chain([trained]).collect()
}

fn cases() -> Vec<Case> {
    let families = [
        unary_cases(),
        attribute_cases(),
        binary_cases(),
        broadcast_cases(),
        truth_cases(),
        arithmetic_cases(),
        cast_cases(),
        quantization_cases(),
        batch_norm_cases(),
    ];
    families.into_iter().flatten().collect()
}

#[test]
fn every_definition_computes_its_formula() {
    let mut missing: BTreeSet<(&str, i64)> = DEFS.iter().map(|definition| (definition.name, *definition.opset.start())).collect();
    for case in cases() {
        case.check();
        missing.retain(|&(name, start)| {
            let definition = DEFS.iter().find(|definition| (definition.name, *definition.opset.start()) == (name, start));
            name != case.name || !definition.expect("it is one").opset.contains(&case.opset)
        });
    }
    assert!(missing.is_empty(), "no case for {missing:?}");
}

#[test]
fn what_is_not_supported_is_refused() {
    let floats = |name, opset, inputs: &[&[usize]]| {
        inputs.iter().fold(OneNode::new(name, opset), |node, shape| node.input(ElemType::F32, shape))
    };
    let cast = "cast the inputs to a supported type";
    let check = "onnx.checker";
    OneNode::new("Sqrt", 13)
        .input(ElemType::I32, &[2])
        .refused("the input is i32[2]; supported element types: f16, bf16, f32, f64", cast);
    floats("And", 7, &[&[2], &[2]])
        .refused("the inputs are f32[2], f32[2]; supported element types, the same for all: bool", cast);
    floats("Add", 7, &[&[2]]).input(ElemType::I8, &[2]).refused("input 0 is f32[2]; supported beside the other inputs: i8", cast);
    floats("Where", 9, &[&[2], &[2], &[2]]).refused("input 0 is f32[2]; supported beside the other inputs: bool", cast);
    floats("Add", 7, &[&[2, 3], &[2]]).refused("the shapes of f32[2, 3], f32[2] do not broadcast together", "equal or one");
    floats("Add", 7, &[&[2], &[2], &[2]]).refused("input 2 is `x2`, but the operator takes 2 inputs", "operator set");
    floats("Add", 6, &[&[2], &[2]]).int("broadcast", 1).int("axis", 3).refused("`axis` is 3", "use a value from -1 to 0");
    floats("Add", 7, &[&[2], &[2]]).int("axis", 0).refused("unknown attribute `axis`", "operator set");
    floats("Clip", 11, &[&[2], &[2]]).refused("`min` is f32[2]; expected one number", "use Min and Max");
    floats("PRelu", 7, &[&[2], &[3, 2]]).refused("the slope f32[3, 2] does not broadcast to the input f32[2]", "slope");
    floats("Gelu", 20, &[&[2]]).word("approximate", "fast").refused("`fast`; supported: `none`, `tanh`", "supported value");
    floats("IsInf", 10, &[&[2]])
        .int("detect_negative", 2)
        .refused("`detect_negative` is 2; supported: 0 or 1", "supported value");
    floats("Cast", 13, &[&[2]]).refused("attribute `to` is missing", check);
    floats("Cast", 13, &[&[2]]).int("to", 8).refused("element type string is not supported", "supported types");

    let per_channel: [&[usize]; 5] = [&[1, 2, 4], &[2], &[2], &[2], &[2]];
    floats("BatchNormalization", 7, &per_channel).int("spatial", 0).refused("`spatial` is 0; supported: 1", "supported value");
    floats("BatchNormalization", 9, &per_channel).outputs(3).refused("output 1 is a result of training", "evaluation mode");
    floats("BatchNormalization", 9, &[&[1, 2, 4], &[2], &[2], &[4], &[2]])
        .refused("`input_mean` is f32[4] and the input f32[1, 2, 4]; expected floats, one for each of 2 channels", check);

    let quantize = || floats("QuantizeLinear", 21, &[&[2, 3], &[2]]);
    quantize().refused("`scale` is f32[2]; expected one number, or 3 for axis 1", check);
    quantize().int("axis", 0).int("block_size", 3).refused("`block_size` is 3; supported: 0 to 2", "");
    quantize()
        .int("axis", 1)
        .int("block_size", 2)
        .refused("`scale` is f32[2]; expected [2, 2], a number for each 2 elements", check);
    quantize().int("axis", 0).input(ElemType::I32, &[2]).refused("supported beside the other inputs: i8, i16, u8, u16", cast);
    let zero_point = Tensor::from_vec([2], &[0i8, 1]);
    quantize()
        .int("axis", 0)
        .int("output_dtype", 2)
        .constant(&zero_point)
        .refused("`output_dtype` is u8, but the zero point is i8", check);
}
