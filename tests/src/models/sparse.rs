//! Layers three quarters of whose weights are zero.

use crate::build::{Build, tensor};

const INPUTS: usize = 64;
const OUTPUTS: usize = 48;

/// Whether a weight is one of the quarter that is not zero, at random.
fn is_there(index: usize) -> bool {
    (index as u32).wrapping_mul(2_654_435_761).wrapping_add(0x9e37_79b9) >> 13 & 3 == 0
}

/// A dense layer over one row, and one over each of three.
pub(super) fn floats() -> Build {
    let weight = |index: usize| if is_there(index) { (index * 37 % 1021) as f32 / 512.0 - 0.998 } else { 0.0 };
    let weights = |from: usize, len: usize| (from..from + len).map(weight).collect::<Vec<_>>();
    let bias: Vec<f32> = (0..OUTPUTS).map(|output| output as f32 / 8.0 - 2.0).collect();
    let sizes = [INPUTS as i64, OUTPUTS as i64];
    Build::new(13)
        .input("row", "f32[1, 64]")
        .input("rows", "f32[3, 64]")
        .initializer(tensor("weight", &sizes, &weights(0, INPUTS * OUTPUTS)))
        .initializer(tensor("bias", &sizes[1..], &bias))
        .initializer(tensor("other", &sizes, &weights(9999, INPUTS * OUTPUTS)))
        .node("Gemm", &["row", "weight", "bias"], &["sum"])
        .node("Relu", &["sum"], &["one"])
        .node("MatMul", &["rows", "other"], &["three"])
        .output("one", "f32[1, 48]")
        .output("three", "f32[3, 48]")
}

/// The same of integers, over one row.
pub(super) fn integers() -> Build {
    let weight = |index: usize| if is_there(index) { (index * 37 % 255) as i8 } else { 0 };
    let weights: Vec<i8> = (0..INPUTS * OUTPUTS).map(weight).collect();
    Build::new(13)
        .input("row", "i8[1, 64]")
        .output("result", "i8[1, 48]")
        .initializer(tensor("in.scale", &[], &[0.0625f32]))
        .initializer(tensor("in.zero", &[], &[-3i8]))
        .initializer(tensor("weight", &[INPUTS as i64, OUTPUTS as i64], &weights))
        .initializer(tensor("weight.scale", &[], &[0.015625f32]))
        .initializer(tensor("weight.zero", &[], &[0i8]))
        .initializer(tensor("out.scale", &[], &[0.5f32]))
        .initializer(tensor("out.zero", &[], &[7i8]))
        .node("DequantizeLinear", &["row", "in.scale", "in.zero"], &["x"])
        .node("DequantizeLinear", &["weight", "weight.scale", "weight.zero"], &["w"])
        .node("MatMul", &["x", "w"], &["y"])
        .name("/layer/MatMul")
        .node("QuantizeLinear", &["y", "out.scale", "out.zero"], &["result"])
}
