//! Files that are no model, or hold what cannot be had, are refused with what was found.

use model_compiler::onnx::Source;
use model_compiler::{Options, compile};
use model_tests::build::{AttributeType, Build, data_type, external_tensor, tensor};

/// What is said of a file.
fn said(bytes: &[u8]) -> String {
    let source = Source::new("test.onnx", bytes.to_vec()).with_side_files(|name| match name {
        "external.bin" => Ok(vec![0; 12].into()),
        _ => Err("there is no such file".to_owned()),
    });
    compile(&source, &Options::new("test")).expect_err("it is refused").to_string()
}

#[test]
fn what_is_no_model_is_told_by_how_it_begins() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "`test.onnx` is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "`test.onnx` is a Git LFS pointer"),
        (&[0x08, 8, 0x3a, 200], "`test.onnx` is damaged or truncated"),
        (&[0x08, 8], "the file has 2 bytes; it holds no graph"),
        (&[0x08, 8, 0x3a, 0], "it names no operator set"),
        (b"<html>", "`test.onnx` is not an ONNX model"),
    ];
    for (bytes, expected) in cases {
        let said = said(bytes);
        assert!(said.contains(expected), "{said}\nlacks: {expected}");
    }
}

#[test]
fn external_data_that_cannot_be_had_is_refused() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (&[("location", "missing.bin")], "there is no such file"),
        (&[], "names no file"),
        (&[("location", "external.bin"), ("offset", "9")], "which has 12"),
        (&[("location", "external.bin"), ("offset", "18446744073709551615")], "which has 12"),
        (&[("location", "external.bin"), ("offset", "-1")], "which is no number of bytes"),
        (&[("location", "external.bin"), ("length", "99999999999999999999")], "which is no number of bytes"),
        (&[("location", "external.bin"), ("length", "4")], "takes 8 bytes, but 4 bytes are stored"),
    ];
    for (entries, expected) in cases {
        let w = external_tensor("w", &[2], data_type("f32"), entries);
        let model = Build::new(17).input("x", "f32[2]").initializer(w).node("Add", &["x", "w"], &["y"]).output("y", "f32[2]");
        let said = said(&model.to_bytes());
        assert!(said.contains(expected), "{said}\nlacks: {expected}");
    }
}

#[test]
fn tensors_that_are_none_are_refused() {
    let mut sparse = Build::new(17).input("x", "f32[2]").node("Add", &["x", "w"], &["y"]).output("y", "f32[2]");
    let stored = &mut sparse.message().graph.mut_or_insert_default().sparse_initializer;
    stored.push(Default::default());
    stored[0].values = Some(tensor("w", &[1], &[1.0f32])).into();
    let hollow = Build::new(17).node("Constant", &[], &["y"]).attribute_of_call("value", AttributeType::TENSOR, "");
    let cases = [
        (sparse, "initializer `w` is a sparse tensor; only dense ones are supported"),
        (hollow.output("y", "f32[1]"), "attribute `value` holds no tensor"),
    ];
    for (model, expected) in cases {
        let said = said(&model.to_bytes());
        assert!(said.contains(expected), "{said}\nlacks: {expected}");
    }
}
