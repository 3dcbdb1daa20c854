//! Quantized models, as exporters write them: float operators between `QuantizeLinear` and `DequantizeLinear`.

use crate::build::{Build, tensor};

/// Floats that are quantized behind a reshape, a layer of integers, and floats again.
pub(super) fn between_floats() -> Build {
    let model = Build::new(13)
        .input("features", "f32[1, 2, 2]")
        .output("scores", "f32[1, 3]")
        .node("Flatten", &["features"], &["flat"])
        .node("QuantizeLinear", &["flat", "in.scale", "in.zero"], &["q"]);
    dense(model, "q", "r").node("DequantizeLinear", &["r", "out.scale", "out.zero"], &["scores"])
}

/// The same layer between integers.
pub(super) fn between_integers() -> Build {
    let model = Build::new(13).input("features", "i8[1, 2, 2]").output("scores", "u8[1, 3]");
    dense(model.node("Flatten", &["features"], &["q"]), "q", "scores")
}

/// A layer from integers to integers.
fn dense(model: Build, from: &str, to: &str) -> Build {
    model
        .initializer(tensor("in.scale", &[], &[0.0625f32]))
        .initializer(tensor("in.zero", &[], &[-3i8]))
        .initializer(tensor("weight", &[4, 3], &[-127i8, 5, 9, 31, 64, -2, 100, -7, 1, 0, 88, -50]))
        .initializer(tensor("weight.scale", &[], &[0.015625f32]))
        .initializer(tensor("weight.zero", &[], &[0i8]))
        .initializer(tensor("out.scale", &[], &[0.125f32]))
        .initializer(tensor("out.zero", &[], &[7u8]))
        .node("DequantizeLinear", &[from, "in.scale", "in.zero"], &["x"])
        .node("DequantizeLinear", &["weight", "weight.scale", "weight.zero"], &["w"])
        .node("MatMul", &["x", "w"], &["y"])
        .name("/layer/MatMul")
        .node("QuantizeLinear", &["y", "out.scale", "out.zero"], &[to])
}

/// A layer of each kind that computes with integers, in sizes that no kernel divides evenly: convolution, depthwise convolution, pointwise
/// convolution, residual sum, global average pool, dense layer and softmax.
pub(super) fn image() -> Build {
    let mut model = Build::new(13).input("image", "i8[1, 3, 9, 10]").output("scores", "i8[1, 5]");
    for (name, scale, zero) in [
        ("image", 0.0078f32, -1i8),
        ("stem", 0.0235, -128),
        ("depthwise", 0.031, -128),
        ("pointwise", 0.052, -17),
        ("sum", 0.061, -30),
        ("mean", 0.034, 5),
        ("logits", 0.17, 11),
        ("scores", 1.0 / 256.0, -128),
    ] {
        model = model.initializer(tensor(&format!("{name}.scale"), &[], &[scale]));
        model = model.initializer(tensor(&format!("{name}.zero"), &[], &[zero]));
    }
    let model = model.node("DequantizeLinear", &["image", "image.scale", "image.zero"], &["image.x"]);
    let model = layer(model, "Conv", ["image", "stem"], 0.0078, &[6, 3, 3, 3]).ints("pads", &[1; 4]).ints("strides", &[2, 2]);
    let model = requantized(activated(model, "stem"), "stem.relu", "stem");
    let model = layer(model, "Conv", ["stem", "depthwise"], 0.0235, &[6, 1, 3, 3]).ints("pads", &[1; 4]).int("group", 6);
    let model = requantized(activated(model, "depthwise"), "depthwise.relu", "depthwise");
    let model = requantized(layer(model, "Conv", ["depthwise", "pointwise"], 0.031, &[6, 6, 1, 1]), "pointwise.y", "pointwise");
    let model = requantized(model.node("Add", &["pointwise.x", "stem.x"], &["sum.y"]), "sum.y", "sum");
    let model = requantized(model.node("GlobalAveragePool", &["sum.x"], &["mean.y"]), "mean.y", "mean");
    let model = model.node("Flatten", &["mean.x"], &["flat.x"]);
    let model = requantized(layer(model, "Gemm", ["flat", "logits"], 0.034, &[5, 6]).int("transB", 1), "logits.y", "logits");
    model.node("Softmax", &["logits.x"], &["scores.y"]).node(
        "QuantizeLinear",
        &["scores.y", "scores.scale", "scores.zero"],
        &["scores"],
    )
}

/// `{to}.y` of `{from}.x`, whose scale is given, with weights that have a scale for each output, and with a bias.
fn layer(model: Build, op: &str, [from, to]: [&str; 2], scale: f32, dims: &[i64]) -> Build {
    let (outputs, elements) = (dims[0] as usize, dims.iter().product::<i64>());
    let weights: Vec<i8> = (0..elements).map(|index| ((index * 37 + 11 * dims[0]) % 255 - 127) as i8).collect();
    let scales: Vec<f32> = (0..outputs).map(|output| 0.004 + 0.0011 * output as f32).collect();
    let biases: Vec<i32> = (0..outputs as i32).map(|output| 251 * output - 600).collect();
    let bias_scales: Vec<f32> = scales.iter().map(|weights| weights * scale).collect();
    let part = |part: &str| format!("{to}.{part}");
    model
        .initializer(tensor(&part("weight"), dims, &weights))
        .initializer(tensor(&part("weight.scale"), &dims[..1], &scales))
        .initializer(tensor(&part("weight.zero"), &dims[..1], &vec![0i8; outputs]))
        .initializer(tensor(&part("bias"), &dims[..1], &biases))
        .initializer(tensor(&part("bias.scale"), &dims[..1], &bias_scales))
        .initializer(tensor(&part("bias.zero"), &dims[..1], &vec![0i32; outputs]))
        .node("DequantizeLinear", &[&part("weight"), &part("weight.scale"), &part("weight.zero")], &[&part("w")])
        .int("axis", 0)
        .node("DequantizeLinear", &[&part("bias"), &part("bias.scale"), &part("bias.zero")], &[&part("b")])
        .int("axis", 0)
        .node(op, &[&format!("{from}.x"), &part("w"), &part("b")], &[&part("y")])
        .name(&format!("/{to}/{op}"))
}

/// `{name}.relu` of `{name}.y`.
fn activated(model: Build, name: &str) -> Build {
    model.node("Relu", &[&format!("{name}.y")], &[&format!("{name}.relu")])
}

/// `{to}.x`: what `from` is when it is stored as integers.
fn requantized(model: Build, from: &str, to: &str) -> Build {
    let [scale, zero, q, x] = ["scale", "zero", "q", "x"].map(|part| format!("{to}.{part}"));
    model.node("QuantizeLinear", &[from, &scale, &zero], &[&q]).node("DequantizeLinear", &[&q, &scale, &zero], &[&x])
}
