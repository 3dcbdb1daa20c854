//! Quantized layers against their formula, computed exactly.

use super::clamp::Clamp;
use crate::graph::{Graph, Integers, ValueId};
use crate::op::Op;
use crate::ops::conv::Conv;
use crate::ops::dense::Dense;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::ops::integer::Integer;
use crate::ops::pool::{Method, Pool};
use crate::ops::softmax::Softmax;
use crate::ops::window::Window;
use crate::quantization::Quantization;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::testing::{graph, run};
use crate::ty::{ElemType, Shape};

/// Numbers that look random, from `range`.
fn numbers(count: usize, seed: u64, range: [i32; 2]) -> Vec<i64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::from(range[0]) + i64::try_from(state >> 33).unwrap() % i64::from(range[1] - range[0] + 1)
    };
    (0..count).map(|_| next()).collect()
}

fn integers(elem: ElemType, shape: &[usize], numbers: &[i64]) -> Tensor {
    let scalars: Vec<Scalar> =
        numbers.iter().map(|&number| Scalar::of(f64::from(i32::try_from(number).unwrap()), elem)).collect();
    Scalar::tensor(elem, shape, &scalars)
}

const fn quantization(elem: ElemType, scale: f32, zero: i32) -> Quantization {
    Quantization { elem, scale, zero }
}

/// A layer, its weights' shape, and the shape of what it reads.
struct Layer {
    op: Op,
    weights: Vec<usize>,
    /// The axis of outputs.
    axis: usize,
    x: Vec<usize>,
}

fn conv(kernel: [usize; 2], padding: [usize; 4], groups: usize, weights: [usize; 4], planar: bool) -> Layer {
    let window = Window { kernel, strides: [1, 1], dilations: [1, 1], padding };
    let channels = weights[1] * groups;
    let op = Conv { window, groups, activation: None, integer: None, planar, backward: false }.into();
    let x = if planar { vec![1, channels, 4, 5] } else { vec![1, 4, 5, channels] };
    Layer { op, weights: weights.to_vec(), axis: 0, x }
}

fn layers() -> Vec<Layer> {
    vec![
        conv([3, 3], [1, 1, 1, 1], 1, [5, 3, 3, 3], false),
        conv([2, 3], [0, 1, 1, 1], 2, [6, 2, 2, 3], false),
        conv([3, 3], [1, 1, 1, 1], 4, [4, 1, 3, 3], false),
        conv([3, 3], [1, 1, 1, 1], 1, [2, 3, 3, 3], true),
        Layer { op: Dense::default().into(), weights: vec![7, 5], axis: 1, x: vec![3, 7] },
        Layer { op: Dense::default().into(), weights: vec![12, 6], axis: 1, x: vec![1, 12] },
    ]
}

/// Dequantized weights.
fn weights(graph: &mut Graph, layer: &Layer, zero: i64, elem: ElemType, scale: &[f32]) -> ValueId {
    let numbers = numbers(layer.weights.iter().product(), 3, if elem == ElemType::U8 { [0, 255] } else { [-128, 127] });
    let tensor = integers(elem, &layer.weights, &numbers);
    let stride = Shape::from(layer.weights.clone()).strides()[layer.axis];
    let scale_of = |index: usize| scale[index / stride % layer.weights[layer.axis] % scale.len()];
    let floats: Vec<f32> = numbers
        .iter()
        .enumerate()
        .map(|(index, &number)| f32::from(i16::try_from(number - zero).unwrap()) * scale_of(index))
        .collect();
    let id = graph.add_constant("w", Tensor::from_vec(layer.weights.clone(), &floats));
    let zero_point = vec![zero; scale.len()];
    graph.remember(id, Integers { tensor, scale: scale.to_vec(), zero_point, axis: layer.axis });
    id
}

fn push(graph: &mut Graph, expr: Expr, input: ValueId) -> ValueId {
    graph.push(Elementwise { expr }.into(), &[input], &[]).unwrap()[0]
}

/// The layer between quantized tensors, with a bias, as a float graph.
fn quantized(layer: &Layer, from: Quantization, to: Quantization, clamp: Clamp, scale: &[f32], weight: (ElemType, i64)) -> Graph {
    // One scale for all, or one for each output.
    let count = if scale.len() == 1 { 1 } else { layer.weights[layer.axis] };
    let scale = &scale.iter().copied().cycle().take(count).collect::<Vec<_>>();
    graph(from.elem, &layer.x, |graph, x| {
        let x = push(graph, from.dequantize(Expr::Input(0)), x);
        let w = weights(graph, layer, weight.1, weight.0, scale);
        let outputs = layer.weights[layer.axis];
        let bias: Vec<f32> = (0..outputs)
            .map(|output| from.scale * scale[output % scale.len()] * f32::from(i16::try_from(output * 37 % 101).unwrap() - 50))
            .collect();
        let bias = graph.add_constant("b", Tensor::from_vec([outputs], &bias));
        let y = graph.push(layer.op.clone(), &[x, w, bias], &[]).unwrap()[0];
        let bounded = Expr::call("clip", [Expr::Input(0), clamp.low.into(), clamp.high.into()]);
        push(graph, to.quantize(bounded), y)
    })
}

/// What a float graph gives, whose numbers are all multiples of powers of two, so that no operation rounds before the last: the
/// number of steps, rounded half up.
fn exact(graph: &Graph, x: &Tensor) -> Vec<f64> {
    // The same graph without the quantization at its end.
    let mut graph = graph.clone();
    let last = graph.nodes.pop().unwrap();
    graph.outputs = last.inputs;
    run(&graph, &[x])[0].to_vec::<f32>().into_iter().map(f64::from).collect()
}

/// As a quantized number, rounded half up.
fn rounded(number: f64, to: Quantization, clamp: Clamp) -> i64 {
    let bounded = number.max(clamp.low.into()).min(clamp.high.into());
    let steps = (bounded / f64::from(to.scale) + 0.5).floor() + f64::from(to.zero);
    let [low, high] = to.range();
    crate::kernels::cast(steps.max(low.into()).min(high.into()))
}

const CLAMPS: [Clamp; 2] = [Clamp::NONE, Clamp { low: 0.0, high: 6.0 }];

#[test]
fn layers_round_the_exact_sum_half_up() {
    let inputs =
        [quantization(ElemType::I8, 0.5, 7), quantization(ElemType::U8, 0.25, 120), quantization(ElemType::I16, 0.125, 0)];
    let outputs = [
        quantization(ElemType::I8, 8.0, -5),
        quantization(ElemType::U8, 4.0, 128),
        quantization(ElemType::I16, 0.5, 3),
        quantization(ElemType::U16, 0.25, 32768),
    ];
    for (layer, from) in layers().iter().flat_map(|layer| inputs.map(|from| (layer, from))) {
        for (to, clamp) in outputs.into_iter().flat_map(|to| CLAMPS.map(|clamp| (to, clamp))) {
            for (scale, weight) in [(&[0.125f32][..], (ElemType::I8, 0)), (&[0.5, 0.0625, 0.25], (ElemType::U8, 128))] {
                // So few steps that the float sums are exact.
                let range = if from.elem == ElemType::I16 { [-1000, 1000] } else { from.range() };
                let x = integers(from.elem, &layer.x, &numbers(layer.x.iter().product(), 1, range));
                let mut graph = quantized(layer, from, to, clamp, scale, weight);
                let expected: Vec<i64> = exact(&graph, &x).into_iter().map(|number| rounded(number, to, clamp)).collect();
                super::run(&mut graph);
                let text = graph.to_string();
                assert!(!text.contains("f32"), "{text}");
                assert_eq!(run(&graph, &[&x])[0].to_ints().unwrap(), expected, "{text}");
            }
        }
    }
}

#[test]
fn layers_before_floats_give_their_sums() {
    let from = quantization(ElemType::I8, 0.5, 7);
    for (layer, scale) in layers().iter().flat_map(|layer| [(layer, &[0.125f32][..]), (layer, &[0.5, 0.0625, 0.25])]) {
        let x = integers(from.elem, &layer.x, &numbers(layer.x.iter().product(), 1, from.range()));
        let mut graph = quantized(layer, from, quantization(ElemType::I8, 1.0, 0), Clamp::NONE, scale, (ElemType::I8, 0));
        let last = graph.nodes.pop().unwrap();
        graph.outputs = last.inputs;
        let expected = run(&graph, &[&x]);
        super::run(&mut graph);
        let text = graph.to_string();
        assert!(text.contains(", sums (") && text.contains("cast::<f32>"), "{text}");
        assert_eq!(run(&graph, &[&x]), expected, "{text}");
    }
}

/// A bias of floats that is no whole number of steps of the sums is not rounded to these.
#[test]
fn layers_before_floats_keep_their_bias() {
    let from = quantization(ElemType::I8, 0.5, 7);
    for layer in layers() {
        let x = integers(from.elem, &layer.x, &numbers(layer.x.iter().product(), 1, from.range()));
        let mut graph = quantized(&layer, from, quantization(ElemType::I8, 1.0, 0), Clamp::NONE, &[0.125], (ElemType::I8, 0));
        let bias: Vec<f32> =
            numbers(layer.weights[layer.axis], 5, [-99, 99]).iter().map(|&n| f32::from(i8::try_from(n).unwrap())).collect();
        let bias: Vec<f32> = bias.iter().map(|number| number / 64.0).collect();
        let bias = graph.add_constant("b", Tensor::from_vec([bias.len()], &bias));
        let last = graph.nodes.pop().unwrap();
        graph.nodes.last_mut().unwrap().inputs[2] = bias;
        graph.outputs = last.inputs;
        let expected = run(&graph, &[&x]);
        super::run(&mut graph);
        let text = graph.to_string();
        assert!(text.contains(", sums ("), "{text}");
        assert_eq!(run(&graph, &[&x]), expected, "{text}");
    }
}

/// A value that is dequantized where it is used is so at each place where one node uses it.
#[test]
fn the_sum_of_a_value_and_itself_is_quantized() {
    let (from, to) = (quantization(ElemType::U8, 0.25, 3), quantization(ElemType::I8, 1.0, -3));
    let x = integers(from.elem, &[5], &[0, 3, 77, 78, 255]);
    let mut graph = graph(from.elem, &[5], |graph, x| {
        let x = push(graph, from.dequantize(Expr::Input(0)), x);
        let sum = Expr::call("add", [Expr::Input(0), Expr::Input(1)]);
        let sum = graph.push(Elementwise { expr: sum }.into(), &[x, x], &[]).unwrap()[0];
        push(graph, to.quantize(Expr::Input(0)), sum)
    });
    super::run(&mut graph);
    assert_eq!(run(&graph, &[&x])[0].to_ints().unwrap(), [-5, -3, 34, 35, 123], "{graph}");
}

/// What follows the sums of a layer is a step of its own, as they have no activation.
#[test]
fn sums_are_left_to_the_next_step() {
    let integer = Some(Integer { x_zero: 0, output: ElemType::I32, requantize: None });
    let x = integers(ElemType::I8, &[1, 3], &[-100, 3, 127]);
    let mut graph = graph(ElemType::I8, &[1, 3], |graph, x| {
        let w = graph.add_constant("w", Tensor::from_vec([3, 2], &[1i8, 2, -3, 4, 5, 127]));
        let bias = graph.add_constant("b", Tensor::from_vec([2], &[0i32, 0]));
        let sums = graph.push(Dense { integer, ..Dense::default() }.into(), &[x, w, bias], &[]).unwrap()[0];
        push(graph, Expr::call("neg", [Expr::Input(0)]), sums)
    });
    super::run(&mut graph);
    assert_eq!(run(&graph, &[&x])[0].to_vec::<i32>(), [-526, -15941], "{graph}");
}

#[test]
fn what_does_not_fit_stays_float() {
    let from = quantization(ElemType::I8, 0.5, 7);
    let to = quantization(ElemType::I8, 4.0, 0);
    let dense = |inputs: usize| Layer { op: Dense::default().into(), weights: vec![inputs, 1], axis: 1, x: vec![1, inputs] };
    let cases = [
        // Weights less their zero point have nine bits.
        (dense(12), (ElemType::U8, 100), to, true),
        // A sum of as many products may exceed 32 bits.
        (dense(300_000), (ElemType::I8, 0), to, true),
        (dense(100_000), (ElemType::I8, 0), to, false),
        // A step of the output is so small that sums would be shifted beyond 32 bits.
        (dense(100_000), (ElemType::I8, 0), quantization(ElemType::I8, 0.001, 0), true),
    ];
    for (layer, weight, to, float) in cases {
        let mut graph = quantized(&layer, from, to, Clamp::NONE, &[0.125], weight);
        super::run(&mut graph);
        assert_eq!(graph.to_string().contains("f32"), float, "{} inputs\n{graph}", layer.x[1]);
    }
}

#[test]
fn averages_round_the_exact_mean_half_up() {
    for (padding, include_padding) in [([0; 4], false), ([1, 1, 0, 0], false), ([1, 1, 0, 0], true)] {
        let window = Window { kernel: [2, 2], strides: [2, 2], dilations: [1, 1], padding };
        let op: Op = Pool {
            window,
            ceil: false,
            method: Method::Average { include_padding },
            activation: None,
            backward: false,
            row_of: None,
        }
        .into();
        for (from, to) in [(ElemType::I8, ElemType::I8), (ElemType::U8, ElemType::I8), (ElemType::I16, ElemType::I16)] {
            let (from, to) = (quantization(from, 0.5, 9), quantization(to, 1.0, -3));
            let x = integers(from.elem, &[1, 4, 4, 3], &numbers(48, 2, [0, 127]));
            let mut graph = graph(from.elem, &[1, 4, 4, 3], |graph, x| {
                let x = push(graph, from.dequantize(Expr::Input(0)), x);
                let y = graph.push(op.clone(), &[x], &[]).unwrap()[0];
                push(graph, to.quantize(Expr::Input(0)), y)
            });
            let expected: Vec<i64> = exact(&graph, &x).into_iter().map(|number| rounded(number, to, Clamp::NONE)).collect();
            super::run(&mut graph);
            assert!(!graph.to_string().contains("f32"), "{graph}");
            assert_eq!(run(&graph, &[&x])[0].to_ints().unwrap(), expected, "{graph}");
        }
    }
}

#[test]
fn softmax_is_within_a_step() {
    let (from, to) = (quantization(ElemType::I8, 0.1, 3), quantization(ElemType::I8, 1.0 / 256.0, -128));
    let x = integers(from.elem, &[2, 10], &numbers(20, 4, [-60, 60]));
    let mut graph = graph(from.elem, &[2, 10], |graph, x| {
        let x = push(graph, from.dequantize(Expr::Input(0)), x);
        let y = graph.push(Softmax { axis: 1, log: false }.into(), &[x], &[]).unwrap()[0];
        push(graph, to.quantize(Expr::Input(0)), y)
    });
    let expected = run(&graph, &[&x])[0].to_ints().unwrap();
    super::run(&mut graph);
    assert!(!graph.to_string().contains("f32"), "{graph}");
    let found = run(&graph, &[&x])[0].to_ints().unwrap();
    assert!(found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() <= 1), "{found:?}, not {expected:?}");
    assert!(expected.iter().max() > Some(&0), "some element stands out: {expected:?}");
}
