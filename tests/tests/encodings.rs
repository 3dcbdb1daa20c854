//! Models that another implementation encoded are decoded alike, in every form that exporters write.

use half::{bf16, f16};
use model_compiler::Options;
use model_compiler::graph::Graph;
use model_compiler::import;
use model_compiler::onnx::{self, Source};
use model_tests::build::{Build, Number, data_type, external_tensor, raw_tensor, tensor};
use onnx_protobuf::TensorProto;

/// The graph of a model, beside which a file `data.bin` lies.
fn graph(model: &Build, side_file: &[u8]) -> Graph {
    let side_file = side_file.to_vec();
    let source = Source::new("test.onnx", model.to_bytes()).with_side_files(move |name| match name {
        "data.bin" => Ok(side_file.clone().into()),
        _ => Err("there is no such file".to_owned()),
    });
    let model = onnx::parse(&source).unwrap_or_else(|diagnostics| panic!("{diagnostics}"));
    import::graph(&model, &Options::new("test")).unwrap_or_else(|diagnostics| panic!("{diagnostics}"))
}

/// The bytes and the printed type of the constant `w` in a model that only has it and an input.
fn decoded(stored: TensorProto, side_file: &[u8]) -> (String, Vec<u8>) {
    let model = Build::new(13).input("x", "f32[1]").initializer(stored).node("Relu", &["x"], &["y"]).output("y", "f32[1]");
    let graph = graph(&model, side_file);
    let constant = graph.values().iter().find(|value| value.name == "w").and_then(|value| value.constant.clone());
    let constant = constant.expect("the initializer is there");
    (constant.ty().to_string(), constant.bytes().to_vec())
}

/// One tensor in every encoding: typed fields, raw bytes, and a file beside the model.
fn check<T: Number>(ty: &str, elements: &[T], little_endian: &[u8]) {
    check_stored(ty, tensor("w", &[2, 1], elements), little_endian);
}

fn check_stored(ty: &str, typed: TensorProto, little_endian: &[u8]) {
    let expected = (format!("{ty}[2, 1]"), little_endian.to_vec());
    assert_eq!(decoded(typed, &[]), expected, "typed {ty}");
    assert_eq!(decoded(raw_tensor("w", &[2, 1], data_type(ty), little_endian), &[]), expected, "raw {ty}");

    let whole = external_tensor("w", &[2, 1], data_type(ty), &[("location", "data.bin")]);
    assert_eq!(decoded(whole, little_endian), expected, "external {ty}");
    let length = little_endian.len().to_string();
    let entries = [("location", "data.bin"), ("offset", "3"), ("length", length.as_str()), ("checksum", "0")];
    let part = external_tensor("w", &[2, 1], data_type(ty), &entries);
    let file = [b"abc", little_endian, b"z"].concat();
    assert_eq!(decoded(part, &file), expected, "part of an external file, {ty}");
}

#[test]
fn every_element_type_is_read_in_every_encoding() {
    check("bool", &[true, false], &[1, 0]);
    check("i8", &[-1i8, 127], &[0xff, 0x7f]);
    check("i16", &[-2i16, 258], &[0xfe, 0xff, 2, 1]);
    check("i32", &[-1i32, 16], &[0xff, 0xff, 0xff, 0xff, 16, 0, 0, 0]);
    check("i64", &[i64::MIN, 1], &[0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0, 0, 0, 0, 0, 0]);
    check("u8", &[255u8, 1], &[0xff, 1]);
    check("u16", &[65535u16, 1], &[0xff, 0xff, 1, 0]);
    check("u32", &[u32::MAX, 1], &[0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0]);
    check("u64", &[u64::MAX, 1], &[[0xff; 8], [1, 0, 0, 0, 0, 0, 0, 0]].concat());
    check("f32", &[1.0f32, -0.0], &[0, 0, 0x80, 0x3f, 0, 0, 0, 0x80]);
    check("f64", &[1.0f64, -0.0], &[[0, 0, 0, 0, 0, 0, 0xf0, 0x3f], [0, 0, 0, 0, 0, 0, 0, 0x80]].concat());
    // Half floats travel as their bits, in the field of 32-bit integers.
    for (ty, bits) in [
        ("f16", [f16::from_f32(1.0).to_bits(), f16::NEG_INFINITY.to_bits()]),
        ("bf16", [bf16::from_f32(1.0).to_bits(), bf16::NEG_INFINITY.to_bits()]),
    ] {
        let mut typed = raw_tensor("w", &[2, 1], data_type(ty), &[]);
        typed.int32_data = bits.map(i32::from).to_vec();
        check_stored(ty, typed, &bits.map(u16::to_le_bytes).concat());
    }
}

#[test]
fn every_version_of_the_format_is_read() {
    for version in 3..=13 {
        let model = Build::new(13).ir(version).input("x", "f32[1, 4]").node("Relu", &["x"], &["y"]).output("y", "f32[1, 4]");
        assert_eq!(graph(&model, &[]).inputs.len(), 1, "IR version {version}");
    }
}

#[test]
fn initializers_repeated_as_inputs_are_not_given_at_run_time() {
    let model = Build::new(13)
        .ir(3)
        .input("x", "f32[4]")
        .input("w", "f32[4]")
        .initializer(tensor("w", &[4], &[1.0f32; 4]))
        .node("Add", &["x", "w"], &["y"])
        .output("y", "f32[4]");
    let graph = graph(&model, &[]);
    let names: Vec<&str> = graph.inputs.iter().map(|&id| graph.value(id).name.as_str()).collect();
    assert_eq!(names, ["x"]);
}

#[test]
fn constant_nodes_are_constants() {
    let model = Build::new(13)
        .input("x", "f32[2]")
        .node("Constant", &[], &["w"])
        .tensor("value", tensor("", &[2], &[1.0f32, 2.0]))
        .node("Add", &["x", "w"], &["y"])
        .output("y", "f32[2]");
    let graph = graph(&model, &[]);
    assert_eq!(graph.nodes.len(), 1, "{graph}");
    assert!(graph.to_string().contains("const f32[2]"), "{graph}");
}

#[test]
fn inputs_may_be_omitted_by_an_empty_name() {
    let clip = |inputs: &[&str]| {
        let model = Build::new(13)
            .input("x", "f32[2]")
            .initializer(tensor("high", &[], &[6.0f32]))
            .node("Clip", inputs, &["y"])
            .output("y", "f32[2]");
        graph(&model, &[]).to_string()
    };
    let omitted = clip(&["x", "", "high"]);
    assert!(omitted.contains("const f32[]") || omitted.contains('6'), "{omitted}");
    assert_ne!(omitted, clip(&["x"]));
}

#[test]
fn opsets_that_no_node_uses_are_ignored() {
    let model = Build::new(13)
        .opset("ai.onnx.ml", 3)
        .opset("com.example", 99)
        .input("x", "f32[2]")
        .node("ai.onnx::Relu", &["x"], &["y"])
        .output("y", "f32[2]");
    assert_eq!(graph(&model, &[]).nodes.len(), 1);
}

#[test]
fn names_keep_their_punctuation() {
    let (input, output) = ("serving_default/input:0", "model/relu/Relu;model/add:0");
    let model = Build::new(13).input(input, "f32[2]").node("Relu", &[input], &[output]).output(output, "f32[2]");
    let graph = graph(&model, &[]);
    assert_eq!(graph.value(graph.inputs[0]).name, input);
    assert_eq!(graph.value(graph.outputs[0]).name, output);
}
