//! The argument `io`: which borders of quantized models become integers or floats, and which are refused.

use model_compiler::graph::{Graph, ValueId};
use model_compiler::onnx::{self, Source};
use model_compiler::quantization::Quantization;
use model_compiler::ty::ElemType;
use model_compiler::{Io, Options, compile, import};
use model_tests::build::{Build, tensor};

/// The graph, or the messages of all faults. What is imported also compiles.
fn graph(model: &Build, io: Option<Io>) -> Result<Graph, Vec<String>> {
    let source = Source::new("test.onnx", model.to_bytes());
    let parsed = onnx::parse(&source).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let options = Options { io, ..Options::new("test") };
    let graph = import::graph(&parsed, &options)
        .map_err(|diagnostics| diagnostics.faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    compile(&source, &options).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    Ok(graph)
}

/// Constants for scales and zero points: `s` and `t`, `z` of i8 and `u` of u8, and a scale for each of four channels.
fn model() -> Build {
    Build::new(13)
        .initializer(tensor("s", &[], &[0.5f32]))
        .initializer(tensor("t", &[], &[0.25f32]))
        .initializer(tensor("z", &[], &[3i8]))
        .initializer(tensor("u", &[], &[128u8]))
        .initializer(tensor("channels", &[4], &[0.5f32, 1.0, 2.0, 4.0]))
}

/// From `x` to `y`, both floats, with integers between.
fn between_floats() -> Build {
    model()
        .input("x", "f32[2, 4]")
        .node("Transpose", &["x"], &["turned"])
        .node("QuantizeLinear", &["turned", "s", "z"], &["q"])
        .node("DequantizeLinear", &["q", "s", "z"], &["r"])
        .node("Relu", &["r"], &["a"])
        .node("QuantizeLinear", &["a", "t", "u"], &["b"])
        .node("DequantizeLinear", &["b", "t", "u"], &["c"])
        .node("Flatten", &["c"], &["y"])
        .output("y", "f32[4, 2]")
}

/// From `x` to `y`, both integers, with floats between.
fn between_integers() -> Build {
    model()
        .input("x", "i8[2, 4]")
        .node("DequantizeLinear", &["x", "s", "z"], &["r"])
        .node("Relu", &["r"], &["a"])
        .node("QuantizeLinear", &["a", "t", "u"], &["y"])
        .output("y", "u8[2, 4]")
}

const I8: Option<Quantization> = Some(Quantization { elem: ElemType::I8, scale: 0.5, zero: 3 });
const U8: Option<Quantization> = Some(Quantization { elem: ElemType::U8, scale: 0.25, zero: 128 });

#[test]
fn borders_have_the_types_that_io_asks_for() {
    let (floats, integers) = (between_floats(), between_integers());
    let cases = [
        ("floats as they are", &floats, None, ["f32[2, 4]", "f32[4, 2]"], [None, None]),
        ("floats that stay", &floats, Some(Io::Float), ["f32[2, 4]", "f32[4, 2]"], [None, None]),
        ("floats stripped", &floats, Some(Io::Quantized), ["i8[2, 4]", "u8[4, 2]"], [I8, U8]),
        ("integers as they are", &integers, None, ["i8[2, 4]", "u8[2, 4]"], [I8, U8]),
        ("integers that stay", &integers, Some(Io::Quantized), ["i8[2, 4]", "u8[2, 4]"], [I8, U8]),
        ("integers widened", &integers, Some(Io::Float), ["f32[2, 4]", "f32[2, 4]"], [None, None]),
    ];
    for (what, model, io, types, quantizations) in cases {
        let graph = graph(model, io).unwrap_or_else(|faults| panic!("{what}: {faults:#?}"));
        let shown = |id: ValueId| (graph.value(id).name.clone(), graph.ty(id).to_string());
        let [x, y] = types.map(str::to_owned);
        assert_eq!([shown(graph.inputs[0]), shown(graph.outputs[0])], [("x".to_owned(), x), ("y".to_owned(), y)], "{what}");
        assert_eq!([graph.input_quantizations[0], graph.output_quantizations[0]], quantizations, "{what}");
    }
}

#[test]
fn what_is_stripped_and_added_is_one_node_at_each_border() {
    let names = |graph: &Graph| graph.nodes.iter().map(|node| node.op.to_string()).collect::<Vec<_>>();
    let stripped = names(&graph(&between_floats(), Some(Io::Quantized)).unwrap());
    assert_eq!(stripped.len(), names(&graph(&between_floats(), None).unwrap()).len() - 2, "{stripped:#?}");
    let widened = names(&graph(&between_integers(), Some(Io::Float)).unwrap());
    assert_eq!(widened.len(), names(&graph(&between_integers(), None).unwrap()).len() + 2, "{widened:#?}");
}

#[test]
fn a_value_may_be_read_by_several_and_be_several_outputs() {
    let model = model()
        .input("x", "f32[4]")
        .node("QuantizeLinear", &["x", "s", "z"], &["q"])
        .node("QuantizeLinear", &["x", "s", "z"], &["same"])
        .node("DequantizeLinear", &["q", "s", "z"], &["a"])
        .node("DequantizeLinear", &["same", "s", "z"], &["b"])
        .output("a", "f32[4]")
        .output("b", "f32[4]")
        .output("q", "i8[4]");
    let graph = graph(&model, Some(Io::Quantized)).unwrap();
    assert_eq!(graph.output_quantizations, [I8, I8, None], "nothing computes what `q` copies from the input");
    assert!(graph.outputs.iter().all(|&id| graph.producer(id).is_some()), "{graph}");
}

#[test]
fn what_is_no_quantized_border_is_refused_by_name() {
    let input = |reader: fn(Build) -> Build| reader(model().input("x", "f32[1, 4]")).output("y", "i8[1, 4]");
    let two_scales = input(|model| {
        let model = model.node("QuantizeLinear", &["x", "s", "z"], &["q"]).node("QuantizeLinear", &["x", "t", "z"], &["r"]);
        model.node("Add", &["q", "r"], &["y"])
    });
    let cases: Vec<(&str, Build, Io, &[&str])> = vec![
        (
            "floats on both sides",
            model().input("x", "f32[1, 4]").node("Relu", &["x"], &["y"]).name("/act/Relu").output("y", "f32[1, 4]"),
            Io::Quantized,
            &[
                "input `x` is f32[1, 4] and not quantized; `io = quantized` takes floats that are quantized",
                "output `y` is f32[1, 4] and not quantized; `io = quantized` takes floats that were dequantized",
            ],
        ),
        ("two scales", two_scales, Io::Quantized, &["input `x` is f32[1, 4] and not quantized"]),
        (
            "a scale for each channel",
            input(|model| model.node("QuantizeLinear", &["x", "channels"], &["y"]).int("axis", 1)),
            Io::Quantized,
            &["input `x` is f32[1, 4] and not quantized"],
        ),
        (
            "indices",
            model().input("x", "u8[4]").node("Cast", &["x"], &["y"]).int("to", 7).output("y", "i64[4]"),
            Io::Float,
            &["input `x` is u8[4] and not quantized; `io = float` takes integers that are dequantized"],
        ),
        (
            "integers that were not quantized",
            model().input("x", "i64[4]").node("Cast", &["x"], &["y"]).int("to", 3).output("y", "i8[4]"),
            Io::Float,
            &["output `y` is i8[4] and not quantized; `io = float` takes integers that were quantized"],
        ),
    ];
    for (what, model, io, expected) in cases {
        let faults = graph(&model, Some(io)).expect_err(what);
        assert_eq!(faults.len(), expected.len(), "{what}: {faults:#?}");
        for (fault, part) in faults.iter().zip(expected) {
            assert!(fault.contains(part), "{what}: `{fault}` lacks `{part}`");
            assert_eq!(fault.matches("= help: ").count(), 1, "{what}: {fault}");
        }
    }
}
