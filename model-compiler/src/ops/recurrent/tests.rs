//! What the readers make of recurrent layers; what the layers compute is tested beside the kernels.

use crate::ops::concat::Concat;
use crate::passes;
use crate::plan::Plan;
use crate::tensor::Tensor;
use crate::testing::OneNode;
use crate::ty::ElemType;

/// A layer of constants with one state, whose gates look at the input only; of two sequences of three steps of one element.
fn layer(op_type: &str, gates: usize) -> OneNode {
    weights(OneNode::new(op_type, 14).constant(&Tensor::from_vec([3, 2, 1], &X)), 1, gates)
}

const X: [f32; 6] = [0.5, -1.0, 2.0, -3.0, 0.25, 4.0];

/// The constants `W` and `R`, of ones and of zeros.
fn weights(node: OneNode, directions: usize, gates: usize) -> OneNode {
    let tensor = |value: f32| Tensor::from_vec([directions, gates, 1], &vec![value; directions * gates]);
    node.constant(&tensor(1.0)).constant(&tensor(0.0))
}

fn result(node: &OneNode, output: usize) -> Vec<f32> {
    node.results()[output].to_vec::<f32>()
}

#[test]
fn the_outputs_and_their_types() {
    let cases = [
        ("RNN", 1, 2, vec!["f32[5, 2, 3, 4]", "f32[2, 3, 4]"]),
        ("GRU", 3, 2, vec!["f32[5, 2, 3, 4]", "f32[2, 3, 4]"]),
        ("LSTM", 4, 3, vec!["f32[5, 2, 3, 4]", "f32[2, 3, 4]", "f32[2, 3, 4]"]),
    ];
    for (op_type, gates, outputs, types) in cases {
        for opset in [7, 13, 14, 22] {
            let node = OneNode::new(op_type, opset).floats(&[5, 3, 6]).floats(&[2, gates * 4, 6]).floats(&[2, gates * 4, 4]);
            let node = node.word("direction", "bidirectional").int("hidden_size", 4).outputs(outputs);
            assert_eq!(node.types(), types, "{node:?}");
        }
    }
    let node = OneNode::new("LSTM", 14).floats(&[3, 5, 6]).floats(&[1, 16, 6]).floats(&[1, 16, 4]).int("layout", 1);
    assert_eq!(node.outputs(3).types(), ["f32[3, 5, 1, 4]", "f32[3, 1, 4]", "f32[3, 1, 4]"]);
}

#[test]
fn every_type_of_floats() {
    for (elem, bytes) in [(ElemType::F16, 2), (ElemType::BF16, 2), (ElemType::F32, 4), (ElemType::F64, 8)] {
        let node = OneNode::new("GRU", 22).input(elem, &[5, 3, 6]).input(elem, &[1, 12, 6]).input(elem, &[1, 12, 4]);
        let mut graph = node.import().unwrap();
        passes::run(&mut graph);
        let plan = Plan::new(&graph);
        assert!(plan.arena_bytes > 15 * 4 * bytes, "{elem}");
    }
}

#[test]
fn each_activation_by_its_name() {
    type Case<'a> = (&'a str, &'a [f32], &'a [f32], fn(f64) -> f64);
    let cases: [Case; 14] = [
        ("Relu", &[], &[], |x| x.max(0.0)),
        ("Tanh", &[], &[], f64::tanh),
        ("Sigmoid", &[], &[], |x| 1.0 / (1.0 + (-x).exp())),
        ("Affine", &[0.5], &[2.0], |x| 0.5 * x + 2.0),
        ("LeakyRelu", &[], &[], |x| if x < 0.0 { 0.01 * x } else { x }),
        ("LeakyRelu", &[0.5], &[], |x| if x < 0.0 { 0.5 * x } else { x }),
        ("ThresholdedRelu", &[], &[], |x| if x >= 1.0 { x } else { 0.0 }),
        ("ThresholdedRelu", &[2.0], &[], |x| if x >= 2.0 { x } else { 0.0 }),
        ("ScaledTanh", &[0.5], &[2.0], |x| 0.5 * (2.0 * x).tanh()),
        ("HardSigmoid", &[], &[], |x| (0.2 * x + 0.5).clamp(0.0, 1.0)),
        ("HardSigmoid", &[0.25], &[0.125], |x| (0.25 * x + 0.125).clamp(0.0, 1.0)),
        ("elu", &[2.0], &[], |x| if x < 0.0 { 2.0 * (x.exp() - 1.0) } else { x }),
        ("Softsign", &[], &[], |x| x / (1.0 + x.abs())),
        ("Softplus", &[], &[], |x| (1.0 + x.exp()).ln()),
    ];
    for (name, alpha, beta, function) in cases {
        let node = layer("RNN", 1).words("activations", &[name]);
        let node = node.float_list("activation_alpha", alpha).float_list("activation_beta", beta);
        for (x, y) in X.iter().zip(result(&node, 0)) {
            assert!((f64::from(y) - function((*x).into())).abs() < 1e-6, "{name} of {x} is {y}");
        }
    }
}

#[test]
fn functions_take_their_numbers_in_order() {
    let gru = |alpha: &[f32]| {
        let node = layer("GRU", 3).words("activations", &["Sigmoid", "LeakyRelu"]);
        node.float_list("activation_alpha", alpha)
    };
    assert_eq!(result(&gru(&[0.5]), 0), result(&gru(&[0.5, 0.5]), 0));
    assert_ne!(result(&gru(&[0.5]), 0), result(&gru(&[]), 0));
    gru(&[0.25, 0.5]).refused("`activation_alpha` is [0.25, 0.5]; supported: 1 numbers", "supported value");
    layer("RNN", 1).words("activations", &["Affine"]).refused("no number for `Affine`", "the numbers of each");
}

#[test]
fn clip_bounds_what_gates_are_given() {
    let affine = |node: OneNode| node.float_list("activation_alpha", &[1.0]).float_list("activation_beta", &[0.0]);
    let rnn = affine(layer("RNN", 1).words("activations", &["Affine"])).float("clip", 1.5);
    assert_eq!(result(&rnn, 0), [0.5, -1.0, 1.5, -1.5, 0.25, 1.5]);
    // c = i · g(x) and h = o · h(c), where x is clipped and c is not.
    let lstm = layer("LSTM", 4).words("activations", &["Relu", "Relu", "Relu"]).float("clip", 1.5).outputs(3);
    let lstm = result(&lstm, 0);
    assert_eq!(lstm[..2], [0.5 * 0.25, 0.0]);
    assert_eq!(lstm[2], 1.5 * (1.5 * 0.25 + 1.5 * 1.5));
}

#[test]
fn directions_and_their_activations() {
    let way = |direction: &'static str, activations: &[&'static str]| {
        let directions = if direction == "bidirectional" { 2 } else { 1 };
        let node = weights(OneNode::new("RNN", 14).constant(&Tensor::from_vec([3, 2, 1], &X)), directions, 1);
        node.word("direction", direction).words("activations", activations).outputs(2)
    };
    let (relu, tanh) = (way("forward", &["Relu"]), way("reverse", &["Tanh"]));
    // The default that the operator's page states names a function for a second direction.
    assert_eq!(result(&way("reverse", &["Tanh", "Tanh"]), 0), result(&tanh, 0));
    let both = way("bidirectional", &["Relu", "Tanh"]);
    let (y, h) = (result(&both, 0), result(&both, 1));
    let (relu_y, tanh_y) = (result(&relu, 0), result(&tanh, 0));
    for step in 0..3 {
        assert_eq!(y[step * 4..][..2], relu_y[step * 2..][..2]);
        assert_eq!(y[step * 4 + 2..][..2], tanh_y[step * 2..][..2]);
    }
    assert_eq!(h, [relu_y[4], relu_y[5], tanh_y[0], tanh_y[1]]);
}

#[test]
fn the_batch_may_come_first() {
    let turned = Tensor::from_vec([2, 3, 1], &[0.5, 2.0, 0.25, -1.0, -3.0, 4.0f32]);
    let state = |batch_first| Tensor::from_vec(if batch_first { [2, 1, 1] } else { [1, 2, 1] }, &[0.5f32, -0.5]);
    let node = |x: &Tensor, batch_first: bool| {
        let node = weights(OneNode::new("GRU", 14).constant(x), 1, 3).omitted().omitted().constant(&state(batch_first));
        node.int("layout", batch_first.into()).outputs(2)
    };
    let (first, last) = (node(&turned, true), node(&Tensor::from_vec([3, 2, 1], &X), false));
    let (y, turned) = (result(&last, 0), result(&first, 0));
    assert_eq!(turned, [y[0], y[2], y[4], y[1], y[3], y[5]]);
    assert_eq!(result(&last, 1), result(&first, 1));
}

#[test]
fn biases_are_added_where_that_is_the_formula() {
    let x = Tensor::from_vec([1, 1, 1], &[0.0f32]);
    let bias = Tensor::from_vec([1, 6], &[0.5, 1.0, 2.0, -0.25, 3.0, 4.0f32]);
    let gru = |linear| {
        let node = weights(OneNode::new("GRU", 14).constant(&x), 1, 3).constant(&bias).int("linear_before_reset", linear);
        result(&node.words("activations", &["Relu", "Relu"]), 0)
    };
    assert_eq!(gru(0), [(1.0 - 0.25) * 6.0]);
    assert_eq!(gru(1), [(1.0 - 0.25) * (2.0 + 4.0 * 4.0)]);
}

#[test]
fn inputs_that_change_nothing_are_left_out() {
    let node = |lengths: &Tensor, state: f32| {
        let node = OneNode::new("RNN", 14).floats(&[3, 2, 1]);
        let state = Tensor::from_vec([1, 2, 1], &[state; 2]);
        weights(node, 1, 1).omitted().constant(lengths).constant(&state).text()
    };
    let expected =
        "Rnn forward tanh(x) (%0, const f32[1, 1, 2], const f32[0], const i32[0], const f32[0], const f32[0], const f32[0])";
    assert!(node(&Tensor::from_vec([2], &[3i32, 3]), 0.0).contains(expected));
    let all = node(&Tensor::from_vec([2], &[3i32, 2]), 1.0);
    assert!(all.contains("const f32[0], const i32[2], const f32[1, 2, 1], const f32[0]"), "{all}");
}

#[test]
fn lengths_may_come_at_run_time() {
    let node = weights(OneNode::new("RNN", 14).floats(&[3, 2, 1]), 1, 1).omitted().input(ElemType::I32, &[2]);
    assert!(node.text().contains("const f32[0], %1, const f32[0]"), "{}", node.text());
}

#[test]
fn a_sequence_that_nobody_reads_is_dropped() {
    let mut graph = OneNode::new("GRU", 14).floats(&[3, 2, 1]).floats(&[1, 3, 1]).floats(&[1, 3, 1]).outputs(2).import().unwrap();
    graph.outputs.remove(0);
    passes::run(&mut graph);
    let text = graph.to_string();
    assert!(text.contains("%4 f32[1, 2, 1] = Gru { linear_before_reset: false } forward"), "{text}");
}

/// Both states are written before the input is read to its end, so neither may lie over it.
#[test]
fn states_side_by_side_do_not_lie_over_the_input() {
    let node = OneNode::new("LSTM", 14).floats(&[1, 1, 128]).constant(&Tensor::from_vec([1, 8, 128], &[0.5f32; 1024]));
    let node = node.constant(&Tensor::from_vec([1, 8, 2], &[0.5f32; 16])).outputs(3);
    let mut graph = node.import().unwrap();
    let [_, h, c] = graph.outputs[..] else { panic!("three outputs") };
    let both = graph.push(Concat { axis: 0 }.into(), &[h, c], &[]).unwrap();
    graph.outputs = both;
    passes::run(&mut graph);
    let (plan, ty) = (Plan::new(&graph), |id| graph.ty(id).bytes());
    let (x, states) = (graph.inputs[0], graph.outputs[0]);
    let (x, states) = (plan.offset(x).unwrap()..plan.offset(x).unwrap() + ty(x), plan.offset(states).unwrap());
    assert!(states >= x.end || states + 16 <= x.start, "{x:?} and {states}");
}

#[test]
fn refusals() {
    let lstm = |x: &[usize], w: &[usize], r: &[usize]| OneNode::new("LSTM", 14).floats(x).floats(w).floats(r);
    let good = || lstm(&[5, 2, 6], &[1, 16, 6], &[1, 16, 4]);
    let cases = [
        (lstm(&[5, 6], &[1, 16, 6], &[1, 16, 4]), "`X` is f32[5, 6]", "fix the shapes"),
        (lstm(&[5, 2, 6], &[1, 12, 6], &[1, 16, 4]), "`W` is f32[1, 12, 6]; expected the shape [1, 16, 6]", "fix the shapes"),
        (lstm(&[5, 2, 6], &[2, 16, 6], &[2, 16, 4]), "`W` is f32[2, 16, 6]; expected the shape [1, 16, 6]", "fix the shapes"),
        (good().floats(&[1, 16]), "`B` is f32[1, 16]; expected the shape [1, 32]", "fix the shapes"),
        (good().omitted().input(ElemType::I32, &[3]), "`sequence_lens` is i32[3]; expected the shape [2]", "fix the shapes"),
        (good().omitted().input(ElemType::I64, &[2]), "`sequence_lens` is i64[2]; supported element types are i32", "cast"),
        (
            good().omitted().omitted().floats(&[1, 1, 4]),
            "`initial_h` is f32[1, 1, 4]; expected the shape [1, 2, 4]",
            "fix the shapes",
        ),
        (good().int("hidden_size", 5), "attribute `hidden_size` is 5, but `R` is f32[1, 16, 4]", "onnx.checker"),
        (good().word("direction", "backward"), "`direction` is `backward`; supported: `forward`, `reverse`", "supported value"),
        (good().words("activations", &["Tanh"]), "`activations` is [\"Tanh\"]; supported: 3 functions", "supported value"),
        (good().words("activations", &["Tanh", "Gelu", "Tanh"]), "supported: `Relu`, `Tanh`, `Sigmoid`", "supported value"),
        (good().float("clip", -1.0), "`clip` is -1; supported: a number above 0", "supported value"),
        (good().int("linear_before_reset", 1), "unknown attribute `linear_before_reset`", "operator set"),
        (
            OneNode::new("RNN", 13).floats(&[5, 2, 6]).floats(&[1, 4, 6]).floats(&[1, 4, 4]).int("layout", 1),
            "unknown attribute `layout`",
            "operator set",
        ),
        (
            OneNode::new("RNN", 14).input(ElemType::I32, &[5, 2, 6]).floats(&[1, 4, 6]).floats(&[1, 4, 4]),
            "`X` is i32[5, 2, 6]; supported element types are f16",
            "cast",
        ),
        (
            OneNode::new("GRU", 14)
                .floats(&[5, 2, 6])
                .floats(&[1, 12, 6])
                .floats(&[1, 12, 4])
                .omitted()
                .omitted()
                .omitted()
                .floats(&[1]),
            "input 6 is",
            "operator set",
        ),
    ];
    for (node, message, help) in cases {
        node.refused(message, help);
    }
}

/// The weights 0.5, -1, 1.5 and 1 of an `LSTM`, or as integers with one scale or one for each gate; states come in by the weights 1, 0, -1 and 2.
#[test]
fn quantized_weights_are_those_they_stand_for() {
    let x = Tensor::from_vec([3, 2, 1], &X);
    let floats = OneNode::new("LSTM", 14).outputs(3).constant(&x);
    let floats = floats.constant(&Tensor::from_vec([1, 4, 1], &[0.5f32, -1.0, 1.5, 1.0]));
    let floats = floats.constant(&Tensor::from_vec([1, 4, 1], &[1.0f32, 0.0, -1.0, 2.0]));
    let node = || OneNode::new("com.microsoft::DynamicQuantizeLSTM", 1).outputs(3).constant(&x);
    let omitted = |node: OneNode| node.omitted().omitted().omitted().omitted().omitted();
    let zeros = |count: usize| Tensor::from_vec([count], &vec![0i8; count]);
    let one = node().constant(&Tensor::from_vec([1, 1, 4], &[129u8, 126, 131, 130]));
    let one = omitted(one.constant(&Tensor::from_vec([1, 1, 4], &[1i8, 0, -1, 2])));
    let one = one.constant(&Tensor::from_vec([1], &[0.5f32])).constant(&Tensor::from_vec([1], &[128u8]));
    let one = one.constant(&Tensor::from_vec([1], &[1.0f32])).constant(&zeros(1));
    let each = node().constant(&Tensor::from_vec([1, 1, 4], &[1i8, -1, 1, 4]));
    let each = omitted(each.constant(&Tensor::from_vec([1, 1, 4], &[1i8, 0, -1, 1])));
    let each = each.constant(&Tensor::from_vec([1, 4], &[0.5f32, 1.0, 1.5, 0.25])).constant(&zeros(4));
    let each = each.constant(&Tensor::from_vec([1, 4], &[1.0f32, 1.0, 1.0, 2.0])).constant(&zeros(4));
    for output in 0..3 {
        assert_eq!(result(&one, output), result(&floats, output));
        assert_eq!(result(&each, output), result(&floats, output));
    }
    let quantized = |shape: &[usize]| node().input(ElemType::I8, shape).input(ElemType::I8, &[1, 1, 4]);
    omitted(quantized(&[1, 4])).floats(&[1]).refused("the quantized weights are i8[1, 4]; expected three dimensions", "fix");
    let three = omitted(quantized(&[1, 1, 4])).floats(&[3]);
    three.refused("the scales or zero points are f32[3]; expected 1 of them, or as many for each of 4 gates", "fix");
}
