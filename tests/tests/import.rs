//! Graphs that are well formed are imported in an order of execution; of others every fault is told, once.

use model_compiler::Options;
use model_compiler::graph::Graph;
use model_compiler::onnx::{self, Source};
use model_compiler::verify::verify;
use model_compiler::{compile, import};
use model_tests::build::{Build, tensor};

/// The graph, or the messages of all faults.
fn graph(model: &Build) -> Result<Graph, Vec<String>> {
    let source = Source::new("test.onnx", model.to_bytes());
    let model = onnx::parse(&source).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    let graph = import::graph(&model, &Options::new("test"))
        .map_err(|diagnostics| diagnostics.faults.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    verify(&graph, "import");
    Ok(graph)
}

/// A graph from `x`, f32[4], to `y`.
fn model() -> Build {
    Build::new(13).input("x", "f32[4]").output("y", "f32[4]")
}

#[test]
fn nodes_may_stand_in_any_order() {
    let unsorted = model().node("Mul", &["a", "b"], &["y"]).node("Softmax", &["a"], &["b"]).node("Relu", &["x"], &["a"]).node(
        "Softmax",
        &["never read"],
        &["nor computed"],
    );
    let graph = graph(&unsorted).unwrap();
    let names: Vec<&str> = graph.nodes.iter().map(|node| graph.value(node.outputs[0]).name.as_str()).collect();
    assert_eq!(names, ["a", "b", "y"]);
}

#[test]
fn an_output_may_be_an_input_a_constant_or_given_twice() {
    let model = Build::new(13)
        .input("x", "f32[4]")
        .initializer(tensor("c", &[2], &[1.0f32, 2.0]))
        .node("Relu", &["x"], &["y"])
        .node("Identity", &["y"], &["same"])
        .output("x", "f32[4]")
        .output("c", "f32[2]")
        .output("y", "f32[4]")
        .output("same", "f32[4]");
    let graph = graph(&model).unwrap();
    let mut outputs = graph.outputs.clone();
    outputs.dedup();
    assert_eq!(outputs.len(), 4);
    assert!(outputs.iter().all(|&id| graph.producer(id).is_some()), "{graph}");
    let names: Vec<&str> = outputs.iter().map(|&id| graph.value(id).name.as_str()).collect();
    assert_eq!(names, ["x", "c", "y", "same"]);
    compile(&Source::new("test.onnx", model.to_bytes()), &Options::new("test")).unwrap();
}

#[test]
fn each_fault_is_told_once_with_what_to_do() {
    let defined_twice = model().node("Relu", &["x"], &["y"]).node("Softmax", &["x"], &["y"]);
    let initializer_twice = model()
        .initializer(tensor("w", &[4], &[0.0f32; 4]))
        .initializer(tensor("w", &[4], &[1.0f32; 4]))
        .node("Add", &["x", "w"], &["y"]);
    let mut untyped = model().node("Relu", &["x"], &["y"]);
    untyped.message().graph.mut_or_insert_default().input[0].type_.clear();
    let cases: Vec<(&str, Build, &[&str])> = vec![
        ("two nodes of one output", defined_twice, &["`y` is defined twice"]),
        ("two initializers of one name", initializer_twice, &["`w` is defined twice"]),
        (
            "an undefined input",
            model().node("Add", &["x", "z"], &["a"]).node("Mul", &["a", "z"], &["y"]),
            &["`z` is defined nowhere"],
        ),
        ("an undefined output", Build::new(13).input("x", "f32[4]").output("y", "f32[4]"), &["output `y` is defined nowhere"]),
        ("no output", Build::new(13).input("x", "f32[4]"), &["has no outputs"]),
        (
            "a cycle",
            model().node("Add", &["x", "b"], &["a"]).node("Relu", &["a"], &["b"]).node("Relu", &["b"], &["y"]),
            &["depends on its own output"],
        ),
        ("a node that reads itself", model().node("Add", &["x", "y"], &["y"]), &["depends on its own output"]),
        (
            "two faults and what follows from one",
            model().node("Softmax", &["x"], &["a"]).int("axis", 5).node("Nope", &["a"], &["b"]).node("Relu", &["b"], &["y"]),
            &["`axis` is 5", "`Nope`: 1 node"],
        ),
        (
            "operators of QONNX",
            model().opset("qonnx.custom_op.general", 1).node("qonnx.custom_op.general::Quant", &["x"], &["y"]),
            &["help: convert QONNX with `qonnx.transformation.qonnx_to_qcdq`"],
        ),
        ("an old opset", Build::new(0).input("x", "f32[4]").output("x", "f32[4]"), &["opset 0; supported are 1 to"]),
        ("a new opset", Build::new(29).input("x", "f32[4]").output("x", "f32[4]"), &["opset 29; supported are 1 to 28"]),
        ("an input without a type", untyped, &["`x` is a value without a type"]),
        ("an input of strings", Build::new(13).input("x", "string[1]").output("x", "string[1]"), &["string is not supported"]),
        ("one output too many", model().node("Relu", &["x"], &["y", "mask"]), &["the node has 2 outputs; the operator has 1"]),
    ];
    for (what, model, expected) in cases {
        let faults = graph(&model).expect_err(what);
        assert_eq!(faults.len(), expected.len(), "{what}: {faults:#?}");
        for (fault, part) in faults.iter().zip(expected) {
            assert!(fault.contains(part), "{what}: `{fault}` lacks `{part}`");
            assert_eq!(fault.matches("= help: ").count(), 1, "{what}: {fault}");
        }
    }
}
