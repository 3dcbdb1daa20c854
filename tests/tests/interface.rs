//! What the module offers: types, methods, constants and documentation, as the macro's documentation promises them.
//!
//! This crate is as strict with itself as a user's may be.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

extern crate alloc;

use alloc::vec::Vec;

use half::{bf16, f16};
use model_runtime::{Budgets, Elem, LengthError, Model as _, Side, include_model};

include_model!("../models/softmax.onnx", unroll = none);
include_model!("models/softmax.onnx", name = from_manifest_directory);
include_model!("models/several.onnx");
include_model!("models/elements.onnx");
include_model!("models/scalar.onnx");
include_model!("models/batch.onnx");
include_model!("models/unnamed.onnx");
include_model!("models/symbols.onnx", dims = { time: 2, "unk__7": 3 });
include_model!("models/symbols.onnx", name = whole_shape, dims = { "x": [4, 1, 1] });
include_model!("models/symbols.onnx", name = r#match, dims = { batch_size: 2, time: 2, unk__7: 2, });
include_model!("models/quantized.onnx");
include_model!("models/quantized.onnx", name = stripped, io = quantized);
include_model!("models/integers.onnx");
include_model!("models/integers.onnx", name = widened, io = float);
include_model!("models/softmax.onnx", name = verified, verify = "golden.npz", verify_at = build, tolerance = 1e-6);
include_model!("models/constant.onnx");
include_model!("models/classifier.onnx");
include_model!("models/constant.onnx", name = budgeted, ram = 16, weights = 1KiB, macs = 3_000_000, stack = 2 MiB, code = 0x10 KiB);
include_model!("models/External-Data.onnx");

mod inner {
    model_runtime::include_model!("../models/scalar.onnx", pub(super) name = detector);

    /// A model that nobody else sees the name of.
    pub fn relu(x: f32) -> f32 {
        detector::Model::new().run(&[x])[0]
    }
}

/// A model in a `const fn`'s result lies in a `static` as it is.
static SOFTMAX: softmax::Model = softmax::Model::new();

#[test]
fn a_model_is_a_constant_of_zeros() {
    assert_eq!(size_of::<softmax::Model>(), softmax::RAM_BYTES.next_multiple_of(8));
    assert_eq!(SOFTMAX.signature().name, "softmax");
}

#[test]
fn paths_are_beside_the_file_or_in_the_manifest_directory() {
    let scores = *softmax::Model::new().run(&[1.0, 2.0]);
    assert_eq!(&scores, from_manifest_directory::Model::new().run(&[1.0, 2.0]));
    assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6 && scores[1] > scores[0] && scores[0] > scores[2], "{scores:?}");
}

#[test]
fn columns_have_the_names_of_their_classes() {
    const { assert!(classifier::scores::LABELS[1] == -7) };
    assert_eq!((classifier::scores::LABELS, classifier::named::LABELS), ([3, -7], ["rest", "move"]));
    let mut model = classifier::Model::new();
    let outputs = model.run(&[2.0, 1.75]);
    assert_eq!((*outputs.label, *outputs.scores, *outputs.named), ([-7], [2.0, 2.25], [2.0, 2.25]));
}

#[test]
fn inputs_can_be_filled_in_place() {
    let mut model = softmax::Model::new();
    let expected = *model.run(&[1.0, 2.0]);
    *model.input_mut() = [0.0; 2];
    model.input_mut()[0] = 1.0;
    model.input_mut()[1] = 2.0;
    let output: &softmax::Output = model.run_in_place();
    assert_eq!(output, &expected);
}

#[test]
fn several_inputs_and_outputs_have_names_of_their_own() {
    let a: several::ServingDefaultInput1_0 = [[1.0, -2.0, 3.0], [0.0; 3]];
    let b: several::ServingDefaultInput1_0_2 = [0.5, 0.5, -4.0];
    let mut model = several::Model::new();
    let outputs: several::Outputs = model.run(&a, &b);
    let sum: &several::Sum = outputs.sum;
    assert_eq!(sum, &[[1.5, -1.5, -1.0], [0.5, 0.5, -4.0]]);
    let relu: &several::ModelReluRelu = outputs.model_relu_relu;
    assert_eq!(relu, &[[1.5, 0.0, 0.0], [0.5, 0.5, 0.0]]);

    *model.serving_default_input_1_mut() = [[1.0; 3]; 2];
    *model.serving_default_input_1_2_mut() = [-1.0, 0.0, 1.0];
    assert_eq!(model.run_in_place().sum, &[[0.0, 1.0, 2.0]; 2]);

    assert_eq!(several::serving_default_input_1::NAME, "serving_default_input_1:0");
    assert_eq!(several::serving_default_input_1_2::NAME, "Serving_default_input_1:0");
    assert_eq!(several::serving_default_input_1_2::SHAPE, [1, 1, 3]);
    assert_eq!(several::model_relu_relu::NAME, "model/relu/Relu;model/add");
}

#[test]
fn every_element_type_goes_in_and_comes_out() {
    let (half, brain) = ([f16::from_f32(1.5), f16::NEG_INFINITY], [bf16::from_f32(-2.0), bf16::MAX]);
    let mut model = elements::Model::new();
    let outputs = model.run(
        &[-128i8, 127],
        &[i16::MIN, i16::MAX],
        &[i32::MIN, i32::MAX],
        &[i64::MIN, i64::MAX],
        &[0u8, 255],
        &[0u16, u16::MAX],
        &[0u32, u32::MAX],
        &[0u64, u64::MAX],
        &half,
        &brain,
        &[f32::MIN_POSITIVE, -0.0],
        &[f64::MAX, 1e-300],
        &[0u8, 1],
    );
    assert_eq!(outputs.i8_out, &[-128, 127]);
    assert_eq!(outputs.i16_out, &[i16::MIN, i16::MAX]);
    assert_eq!(outputs.i32_out, &[i32::MIN, i32::MAX]);
    assert_eq!(outputs.i64_out, &[i64::MIN, i64::MAX]);
    assert_eq!(outputs.u8_out, &[0, 255]);
    assert_eq!(outputs.u16_out, &[0, u16::MAX]);
    assert_eq!(outputs.u32_out, &[0, u32::MAX]);
    assert_eq!(outputs.u64_out, &[0, u64::MAX]);
    assert_eq!(outputs.f16_out, &half);
    assert_eq!(outputs.bf16_out, &brain);
    assert_eq!(outputs.f32_out.map(f32::to_bits), [f32::MIN_POSITIVE, -0.0].map(f32::to_bits));
    assert_eq!(outputs.f64_out, &[f64::MAX, 1e-300]);
    assert_eq!(outputs.bool_out, &[0u8, 1]);

    let elems: Vec<Elem> = model.signature().inputs.iter().map(|tensor| tensor.elem).collect();
    use Elem::{BF16, Bool, F16, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    assert_eq!(elems, [I8, I16, I32, I64, U8, U16, U32, U64, F16, BF16, F32, F64, Bool]);
}

#[test]
fn scalars_are_arrays_of_one_and_leading_ones_are_dropped() {
    let y: [f32; 1] = *scalar::Model::new().run(&[-3.0]);
    assert_eq!(y, [0.0]);
    assert_eq!(scalar::x::SHAPE, [0usize; 0]);
    assert_eq!(inner::relu(2.0), 2.0);

    let y: batch::Output = *batch::Model::new().run(&[1.0, -1.0, 2.0, -2.0]);
    assert_eq!(y, [1.0, 0.0, 2.0, 0.0]);
    assert_eq!(batch::x::SHAPE, [1, 1, 4]);
    assert_eq!(unnamed::x::SHAPE, [1, 3]);
}

#[test]
fn dims_fixes_symbols_and_whole_shapes() {
    assert_eq!(symbols::x::SHAPE, [1, 2, 3]);
    assert_eq!(whole_shape::x::SHAPE, [4, 1, 1]);
    assert_eq!(r#match::x::SHAPE, [2, 2, 2]);
    assert_eq!(r#match::SIGNATURE.name, "match");
    assert_eq!(symbols::Model::new().run(&[[-1.0, 2.0, 3.0], [1.0; 3]]), &[[0.0, 2.0, 3.0], [1.0; 3]]);
}

#[test]
fn io_says_whether_quantized_borders_are_floats() {
    let integers: [[i8; 2]; 2] = [[-128, 0], [50, 127]];
    let scores: [u8; 3] = *stripped::Model::new().run(&integers);
    assert_eq!(&scores, integers::Model::new().run(&integers));
    assert!(scores.iter().any(|&score| score > 0 && score < 255), "{scores:?} is a result");

    let floats = integers.map(|row| row.map(stripped::features::dequantize));
    assert_eq!(quantized::Model::new().run(&floats), &scores.map(stripped::scores::dequantize));
    assert_eq!(widened::Model::new().run(&floats), &scores.map(integers::scores::dequantize));
}

#[test]
fn quantized_tensors_tell_what_their_integers_stand_for() {
    use integers::{features, scores};
    assert_eq!((features::SCALE, features::ZERO_POINT), (0.0625, -3i8));
    assert_eq!((stripped::scores::SCALE, stripped::scores::ZERO_POINT), (0.125, 7u8));
    assert_eq!(features::dequantize(13), 1.0);
    let cases = [(0.0, -3), (1.0, 13), (-0.0937, -4), (-0.0938, -5), (0.03125, -3), (1e9, 127), (f32::NEG_INFINITY, -128)];
    for (number, integer) in cases {
        assert_eq!(features::quantize(number), integer, "{number}");
    }
    assert_eq!(scores::quantize(-2.0), 0);
}

#[test]
fn a_model_without_inputs_runs() {
    assert_eq!(constant::Model::new().run(), &[1.5, 0.0]);
    assert_eq!(constant::Model::new().run_in_place(), &[1.5, 0.0]);
}

#[test]
fn weights_may_lie_in_a_file_beside_the_model() {
    assert_eq!(external_data::Model::new().run(&[1.0, 1.0]), &[3.0, 4.0]);
    assert_eq!(external_data::WEIGHT_BYTES, 8);
}

#[test]
fn the_signature_tells_what_the_constants_tell() {
    let mut model = softmax::Model::new();
    let model: &mut dyn model_runtime::Model = &mut model;
    let signature = model.signature();
    assert_eq!(*signature, softmax::SIGNATURE);
    assert_eq!(
        (signature.ram_bytes, signature.weight_bytes, signature.macs),
        (softmax::RAM_BYTES, softmax::WEIGHT_BYTES, softmax::MACS)
    );
    assert_eq!((softmax::WEIGHT_BYTES, softmax::MACS), (36, 6));
    let [features] = signature.inputs else { panic!("one input") };
    assert_eq!(
        (features.name, features.elem, features.shape),
        (softmax::features::NAME, Elem::F32, &softmax::features::SHAPE[..])
    );
    assert_eq!((features.elements(), features.bytes()), (2, 8));
    let [scores] = signature.outputs else { panic!("one output") };
    assert_eq!((scores.name, scores.shape), ("scores", &[1, 3][..]));
}

#[test]
fn budgets_that_hold_are_constants() {
    const { assert!(budgeted::RAM_BYTES as u64 <= budgeted::BUDGETS.ram.unwrap()) };
    let (ram, weights, macs) = (Some(16), Some(1024), Some(3_000_000));
    assert_eq!(budgeted::BUDGETS, Budgets { ram, weights, macs, stack: Some(2 << 20), code: Some(16 << 10) });
    assert_eq!(constant::BUDGETS, Budgets::NONE);
}

/// `sha256sum` said the digest.
#[test]
fn a_module_tells_what_made_it() {
    assert_eq!(scalar::MODEL_SHA256, "464c390ae14237c093cfa04e7f5bf0c404ce810972bd8d13a74ce518b97a549d");
    assert_eq!(scalar::COMPILER_VERSION, env!("CARGO_PKG_VERSION"));
}

#[test]
fn generic_code_runs_a_model_on_bytes() {
    let expected = *softmax::Model::new().run(&[1.0, 2.0]);
    let mut model = softmax::Model::new();
    let model: &mut dyn model_runtime::Model = &mut model;
    let features: Vec<u8> = [1.0f32, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
    let mut scores = [0; 12];
    model.run_bytes(&[&features], &mut [&mut scores]).expect("the lengths fit");
    let scores: Vec<f32> = scores.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    assert_eq!(scores, expected);
}

#[test]
fn lengths_are_checked_before_anything_runs() {
    let mut model = softmax::Model::new();
    let (short, right, mut out) = ([0; 7], [0; 8], [9; 12]);
    let cases = [
        (model.run_bytes(&[], &mut [&mut out]), LengthError::Count { side: Side::Input, expected: 1, found: 0 }),
        (model.run_bytes(&[&right], &mut []), LengthError::Count { side: Side::Output, expected: 1, found: 0 }),
        (model.run_bytes(&[&short], &mut [&mut out]), LengthError::Bytes { side: Side::Input, index: 0, expected: 8, found: 7 }),
        (
            model.run_bytes(&[&right], &mut [&mut out[1..]]),
            LengthError::Bytes { side: Side::Output, index: 0, expected: 12, found: 11 },
        ),
    ];
    for (result, expected) in cases {
        assert_eq!(result, Err(expected));
    }
    assert_eq!(out, [9; 12]);
}

#[test]
fn a_module_may_stand_in_a_function() {
    include_model!("models/scalar.onnx", name = local);
    assert_eq!(local::Model::new().run(&[4.0]), &[4.0]);
}
