//! What the passes make of small models: `tests/passes` holds the graph as it is imported, and after each pass that changes it.

use std::fmt::Write;

use model_compiler::onnx::Source;
use model_compiler::{Options, import, onnx, passes};
use model_tests::build::{Build, tensor};
use model_tests::snapshot;
use onnx_protobuf::TensorProto;

/// Compares the graphs of `model` with `passes/NAME.txt`.
fn check(name: &str, model: Build) {
    let source = Source::new(format!("{name}.onnx"), model.to_bytes());
    let model = onnx::parse(&source).unwrap_or_else(|faults| panic!("{faults}"));
    let mut graph = import::graph(&model, &Options::new(name)).unwrap_or_else(|faults| panic!("{faults}"));
    let mut before = graph.to_string();
    let mut text = format!("# import\n{before}");
    passes::run_with(&mut graph, |pass, graph| {
        let after = graph.to_string();
        if after != before {
            write!(text, "\n# {pass}\n{after}").expect("a string takes all");
            before = after;
        }
    });
    snapshot::check(&format!("passes/{name}.txt"), &text);
}

/// Weights of a shape; the passes ask only which of them are equal.
fn weights(name: &str, shape: &[i64]) -> TensorProto {
    let elements: Vec<f32> = (1..=shape.iter().product()).map(|index| index as f32 / 8.0).collect();
    tensor(name, shape, &elements)
}

/// Statistics of a batch normalization of `channels`.
fn statistics(model: Build, channels: i64) -> Build {
    ["scale", "offset", "mean", "variance"].iter().fold(model, |model, name| model.initializer(weights(name, &[channels])))
}

/// A convolution, its batch normalization and its activation are one step.
#[test]
fn conv_batch_norm_relu() {
    let model = Build::new(17)
        .input("image", "f32[1, 3, 8, 8]")
        .initializer(weights("w", &[4, 3, 3, 3]))
        .node("Conv", &["image", "w"], &["conv"])
        .ints("strides", &[2, 2])
        .ints("pads", &[0, 0, 1, 1])
        .node("BatchNormalization", &["conv", "scale", "offset", "mean", "variance"], &["norm"])
        .node("Relu", &["norm"], &["y"])
        .output("y", "f32[1, 4, 4, 4]");
    check("conv_batch_norm_relu", statistics(model, 4));
}

/// A batch normalization before a convolution that does not pad goes into its weights and bias.
#[test]
fn batch_norm_conv() {
    let model = Build::new(17)
        .input("image", "f32[1, 3, 8, 8]")
        .initializer(weights("w", &[4, 3, 3, 3]))
        .node("BatchNormalization", &["image", "scale", "offset", "mean", "variance"], &["norm"])
        .node("Conv", &["norm", "w"], &["y"])
        .output("y", "f32[1, 4, 6, 6]");
    check("batch_norm_conv", statistics(model, 3));
}

/// Between two convolutions and the sum behind them no transpose is left.
#[test]
fn residual() {
    let model = Build::new(17)
        .input("image", "f32[1, 4, 8, 8]")
        .initializer(weights("w0", &[4, 4, 3, 3]))
        .initializer(weights("w1", &[4, 4, 3, 3]))
        .node("Conv", &["image", "w0"], &["a"])
        .ints("pads", &[1, 1, 1, 1])
        .node("Relu", &["a"], &["b"])
        .node("Conv", &["b", "w1"], &["c"])
        .ints("pads", &[1, 1, 1, 1])
        .node("Add", &["c", "b"], &["d"])
        .node("Relu", &["d"], &["y"])
        .output("y", "f32[1, 4, 8, 8]");
    check("residual", model);
}

/// The transpose before a flattened dense layer moves into its weights.
#[test]
fn flatten_dense() {
    let model = Build::new(17)
        .input("image", "f32[1, 1, 6, 6]")
        .initializer(weights("w0", &[2, 1, 3, 3]))
        .initializer(weights("w1", &[3, 8]))
        .initializer(weights("b1", &[3]))
        .node("Conv", &["image", "w0"], &["a"])
        .node("MaxPool", &["a"], &["b"])
        .ints("kernel_shape", &[2, 2])
        .ints("strides", &[2, 2])
        .node("Flatten", &["b"], &["c"])
        .node("Gemm", &["c", "w1", "b1"], &["d"])
        .int("transB", 1)
        .node("Softmax", &["d"], &["y"])
        .output("y", "f32[1, 3]");
    check("flatten_dense", model);
}

/// Elementwise operators in a row are one loop, and a value that is read twice is computed once.
#[test]
fn elementwise_chain() {
    let model = Build::new(17)
        .input("x", "f32[2, 8]")
        .input("y", "f32[8]")
        .node("Add", &["x", "y"], &["sum"])
        .node("Sigmoid", &["sum"], &["gate"])
        .node("Mul", &["sum", "gate"], &["swish"])
        .node("Tanh", &["swish"], &["z"])
        .output("z", "f32[2, 8]");
    check("elementwise_chain", model);
}

/// Constants of one element stand in the expression.
#[test]
fn scalars() {
    let model = Build::new(17)
        .input("x", "f32[2, 8]")
        .initializer(tensor("half", &[], &[0.5f32]))
        .initializer(tensor("three", &[1, 1], &[3.0f32]))
        .node("Add", &["x", "three"], &["a"])
        .node("Clip", &["a", "", "six"], &["b"])
        .initializer(tensor("six", &[], &[6.0f32]))
        .node("Mul", &["b", "half"], &["y"])
        .output("y", "f32[2, 8]");
    check("scalars", model);
}

/// A gate for each channel is broadcast over the image without being spread out, and its transposes vanish.
#[test]
fn squeeze_excite() {
    let model = Build::new(17)
        .input("image", "f32[1, 4, 6, 6]")
        .initializer(weights("w0", &[4, 4, 3, 3]))
        .initializer(weights("w1", &[2, 4, 1, 1]))
        .initializer(weights("w2", &[4, 2, 1, 1]))
        .node("Conv", &["image", "w0"], &["a"])
        .node("GlobalAveragePool", &["a"], &["squeezed"])
        .node("Conv", &["squeezed", "w1"], &["b"])
        .node("Relu", &["b"], &["c"])
        .node("Conv", &["c", "w2"], &["d"])
        .node("Sigmoid", &["d"], &["gate"])
        .node("Mul", &["a", "gate"], &["y"])
        .output("y", "f32[1, 4, 4, 4]");
    check("squeeze_excite", model);
}

/// Channels last outside, as exporters of Keras write it: the transpose at the border and the one of the import cancel.
#[test]
fn channels_last() {
    let model = Build::new(17)
        .input("image", "f32[1, 8, 8, 3]")
        .initializer(weights("w0", &[3, 1, 3, 3]))
        .initializer(weights("w1", &[4, 3, 1, 1]))
        .initializer(weights("w2", &[16, 5]))
        .initializer(tensor("shape", &[2], &[-1i64, 16]))
        .node("Transpose", &["image"], &["nchw"])
        .ints("perm", &[0, 3, 1, 2])
        .node("Conv", &["nchw", "w0"], &["a"])
        .int("group", 3)
        .ints("strides", &[3, 3])
        .node("Relu", &["a"], &["b"])
        .node("Conv", &["b", "w1"], &["c"])
        .node("Relu", &["c"], &["d"])
        .node("Transpose", &["d"], &["nhwc"])
        .ints("perm", &[0, 2, 3, 1])
        .node("Reshape", &["nhwc", "shape"], &["flat"])
        .node("MatMul", &["flat", "w2"], &["y"])
        .output("y", "f32[1, 5]");
    check("channels_last", model);
}

/// Zeros put around the image by a node of their own are the convolution's padding, whatever moves between the two.
#[test]
fn pad_conv() {
    let model = Build::new(17)
        .input("image", "f32[1, 6, 6, 2]")
        .initializer(tensor("pads", &[8], &[0i64, 1, 1, 0, 0, 1, 1, 0]))
        .initializer(weights("w", &[3, 2, 3, 3]))
        .node("Pad", &["image", "pads"], &["padded"])
        .node("Transpose", &["padded"], &["nchw"])
        .ints("perm", &[0, 3, 1, 2])
        .node("Conv", &["nchw", "w"], &["y"])
        .output("y", "f32[1, 3, 6, 6]");
    check("pad_conv", model);
}

/// What repeats elements is left to the loops that read them.
#[test]
fn expand_add() {
    let model = Build::new(17)
        .input("x", "f32[2, 3]")
        .input("y", "f32[3]")
        .initializer(tensor("shape", &[2], &[2i64, 3]))
        .node("Expand", &["y", "shape"], &["spread"])
        .node("Add", &["x", "spread"], &["z"])
        .output("z", "f32[2, 3]");
    check("expand_add", model);
}

/// A value that is the same whatever the inputs are is computed now, with the kernels that a chip runs.
#[test]
fn constants() {
    let model = Build::new(17)
        .input("x", "f32[2, 4]")
        .initializer(tensor("a", &[4], &[1.0f32, 2.0, 3.0, 4.0]))
        .node("Softmax", &["a"], &["b"])
        .node("Shape", &["x"], &["shape"])
        .node("Expand", &["b", "shape"], &["c"])
        .node("Mul", &["x", "c"], &["y"])
        .output("y", "f32[2, 4]");
    check("constants", model);
}

/// One spatial axis is an image of height one.
#[test]
fn conv_1d() {
    let model = Build::new(17)
        .input("signal", "f32[1, 2, 16]")
        .initializer(weights("w0", &[4, 2, 3]))
        .initializer(weights("w1", &[3, 4, 3]))
        .node("Conv", &["signal", "w0"], &["a"])
        .ints("dilations", &[2])
        .node("Relu", &["a"], &["b"])
        .node("Conv", &["b", "w1"], &["y"])
        .ints("strides", &[2])
        .output("y", "f32[1, 3, 5]");
    check("conv_1d", model);
}

/// Quantized as exporters do it: operators of floats, with dequantizations before and quantizations behind them.
struct Quantized(Build);

impl Quantized {
    /// `DequantizeLinear` of `name`.
    fn dequantize(self, name: &str, scale: f32, zero: i8) -> Self {
        self.linear("DequantizeLinear", name, &format!("{name}_f"), scale, zero)
    }

    /// `QuantizeLinear` of what stands for `name`, as `name`, and `DequantizeLinear` of that.
    fn quantize(self, name: &str, scale: f32, zero: i8) -> Self {
        self.linear("QuantizeLinear", &format!("{name}_y"), name, scale, zero).dequantize(name, scale, zero)
    }

    fn linear(self, op: &str, from: &str, to: &str, scale: f32, zero: i8) -> Self {
        let (step, point) = (format!("{to}_{op}_scale"), format!("{to}_{op}_zero"));
        let model = self.0.initializer(tensor(&step, &[], &[scale])).initializer(tensor(&point, &[], &[zero]));
        Self(model.node(op, &[from, &step, &point], &[to]))
    }

    /// Weights `name` with a scale for each index of axis 0.
    fn weights(self, name: &str, shape: &[i64]) -> Self {
        let integers: Vec<i8> = (0..shape.iter().product()).map(|index: i64| (index * 37 % 255 - 127) as i8).collect();
        let scales: Vec<f32> = (1..=shape[0]).map(|index| index as f32 / 512.0).collect();
        let scale = format!("{name}_scale");
        let model = self.0.initializer(tensor(name, shape, &integers)).initializer(tensor(&scale, &shape[..1], &scales));
        Self(model.node("DequantizeLinear", &[name, &scale], &[&format!("{name}_f")]).int("axis", 0))
    }

    fn then(self, build: impl FnOnce(Build) -> Build) -> Self {
        Self(build(self.0))
    }
}

/// A quantized classifier has no floats left between its borders.
#[test]
fn quantized_classifier() {
    let same = |model: Build| model.ints("pads", &[1, 1, 1, 1]);
    let model = Quantized(Build::new(17).input("image", "i8[1, 3, 8, 8]"))
        .dequantize("image", 0.5, 3)
        .weights("w0", &[4, 3, 3, 3])
        .weights("w1", &[4, 1, 3, 3])
        .weights("w2", &[5, 4])
        .then(|model| same(model.node("Conv", &["image_f", "w0_f"], &["a"])).node("Relu", &["a"], &["b_y"]))
        .quantize("b", 0.25, -128)
        .then(|model| same(model.node("Conv", &["b_f", "w1_f"], &["c_y"]).int("group", 4)))
        .quantize("c", 0.125, 5)
        .then(|model| model.node("Add", &["b_f", "c_f"], &["d"]).node("Clip", &["d", "zero", "six"], &["e_y"]))
        .then(|model| model.initializer(tensor("zero", &[], &[0.0f32])).initializer(tensor("six", &[], &[6.0f32])))
        .quantize("e", 0.0625, -128)
        .then(|model| model.node("MaxPool", &["e_f"], &["f"]).ints("kernel_shape", &[2, 2]).ints("strides", &[2, 2]))
        .then(|model| model.node("GlobalAveragePool", &["f"], &["g_y"]))
        .quantize("g", 0.0625, -128)
        .then(|model| model.node("Flatten", &["g_f"], &["h"]).node("Gemm", &["h", "w2_f"], &["i_y"]).int("transB", 1))
        .quantize("i", 0.25, 7)
        .then(|model| model.node("Softmax", &["i_f"], &["scores_y"]))
        .quantize("scores", 1.0 / 256.0, -128)
        .then(|model| model.output("scores", "i8[1, 5]"));
    check("quantized_classifier", model.0);
}

/// Tensors of two quantizations become one before they are joined; what has no integer form is computed with floats, or from a table.
#[test]
fn quantized_islands() {
    let model = Quantized(Build::new(17).input("x", "i8[1, 6]").input("y", "i8[1, 2]"))
        .dequantize("x", 0.5, 3)
        .dequantize("y", 0.25, -8)
        .weights("w0", &[3, 8])
        .weights("w1", &[2, 3])
        .then(|model| model.node("Concat", &["x_f", "y_f"], &["a_y"]).int("axis", 1))
        .quantize("a", 0.5, 3)
        .then(|model| model.node("Gemm", &["a_f", "w0_f"], &["b_y"]).int("transB", 1))
        .quantize("b", 0.125, 0)
        .then(|model| model.node("Sigmoid", &["b_f"], &["gate"]).node("Mul", &["b_f", "gate"], &["c_y"]))
        .quantize("c", 0.125, 0)
        .then(|model| model.node("Gemm", &["c_f", "w1_f"], &["d"]).int("transB", 1).node("Tanh", &["d"], &["z"]))
        .then(|model| model.output("z", "f32[1, 2]"));
    check("quantized_islands", model.0);
}

/// A recurrent layer between quantized tensors is an island of floats, whose weights are dequantized while compiling.
#[test]
fn quantized_lstm() {
    let bytes = |name: &str, shape: &[i64]| {
        let elements: Vec<i8> = (0..shape.iter().product::<i64>()).map(|index| (index * 37 % 255 - 127) as i8).collect();
        tensor(name, shape, &elements)
    };
    let scales = [("x_scale", 0.05f32), ("w_scale", 0.01), ("y_scale", 0.0078125)];
    let model = scales.iter().fold(Build::new(14), |model, (name, scale)| model.initializer(tensor(name, &[], &[*scale])));
    let model = model
        .input("x", "i8[5, 1, 4]")
        .initializer(tensor("zero", &[], &[0i8]))
        .initializer(bytes("wq", &[1, 12, 4]))
        .initializer(bytes("rq", &[1, 12, 3]))
        .node("DequantizeLinear", &["x", "x_scale", "zero"], &["floats"])
        .node("DequantizeLinear", &["wq", "w_scale", "zero"], &["w"])
        .node("DequantizeLinear", &["rq", "w_scale", "zero"], &["r"])
        .node("LSTM", &["floats", "w", "r"], &["", "h"])
        .int("hidden_size", 3)
        .node("QuantizeLinear", &["h", "y_scale", "zero"], &["y"])
        .output("y", "i8[1, 1, 3]");
    check("quantized_lstm", model);
}

/// A recurrent layer that is written as a `Scan` quantizes its state in each run, and keeps weights of 8 bits.
#[test]
fn quantized_scan() {
    let weights: Vec<i8> = (0..16).map(|index| index * 7 % 23 - 11).collect();
    let body = Build::new(14)
        .input("h", "f32[1, 4]")
        .input("x", "f32[1, 4]")
        .initializer(tensor("w", &[4, 4], &weights))
        .initializer(tensor("w_scale", &[], &[0.02f32]))
        .node("DynamicQuantizeLinear", &["h"], &["hq", "h_scale", "h_zero"])
        .node("MatMulInteger", &["hq", "w", "h_zero"], &["sums"])
        .node("Cast", &["sums"], &["floats"])
        .int("to", 1)
        .node("Mul", &["h_scale", "w_scale"], &["scale"])
        .node("Mul", &["floats", "scale"], &["product"])
        .node("Add", &["product", "x"], &["sum"])
        .node("Tanh", &["sum"], &["next"])
        .output("next", "f32[1, 4]");
    let model = Build::new(14)
        .input("first", "f32[1, 4]")
        .input("x", "f32[6, 1, 4]")
        .node("Scan", &["first", "x"], &["last"])
        .graph("body", body)
        .int("num_scan_inputs", 1)
        .output("last", "f32[1, 4]");
    check("quantized_scan", model);
}
