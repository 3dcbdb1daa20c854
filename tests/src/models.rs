//! The models that tests of the macro include, as the code that writes them.
//!
//! A macro reads files, so the files are stored. `stored_models_are_what_the_code_writes` compares them with what stands here;
//! `cargo xtask bless` writes them anew.

mod quantized;
mod sparse;

use std::io::Cursor;
use std::path::{Path, PathBuf};

use ndarray::ArrayD;
use ndarray_npy::NpzWriter;

use crate::build::{Build, data_type, external_tensor, tensor};

/// A stored file: its path in the folder `tests`, and what it holds.
pub struct Stored {
    path: &'static str,
    /// The contents.
    pub bytes: Vec<u8>,
}

impl Stored {
    /// Where it lies.
    pub fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.path)
    }
}

/// All stored files.
pub fn stored() -> Vec<Stored> {
    [interface(), refused()].concat().into_iter().map(|(path, bytes)| Stored { path, bytes }).collect()
}

type Files = Vec<(&'static str, Vec<u8>)>;

/// Models that compile, for tests of what the module offers.
fn interface() -> Files {
    vec![
        ("models/softmax.onnx", softmax().to_bytes()),
        ("models/several.onnx", several().to_bytes()),
        ("models/elements.onnx", elements().to_bytes()),
        ("models/residual.onnx", residual().to_bytes()),
        ("models/cascade.onnx", cascade().to_bytes()),
        ("models/cascade_steps.onnx", cascade_steps().to_bytes()),
        ("models/scalar.onnx", unary("Relu", "f32[]", "f32[]").to_bytes()),
        ("models/batch.onnx", unary("Relu", "f32[N, 1, 4]", "f32[N, 1, 4]").to_bytes()),
        ("models/unnamed.onnx", unary("Relu", "f32[?, 3]", "f32[?, 3]").to_bytes()),
        ("models/symbols.onnx", unary("Relu", "f32[batch_size, time, unk__7]", "f32[batch_size, time, unk__7]").to_bytes()),
        ("models/quantized.onnx", quantized::between_floats().to_bytes()),
        ("models/integers.onnx", quantized::between_integers().to_bytes()),
        ("models/image.onnx", quantized::image().to_bytes()),
        ("models/sparse.onnx", sparse::floats().to_bytes()),
        ("models/sparse_integers.onnx", sparse::integers().to_bytes()),
        ("models/constant.onnx", constant().to_bytes()),
        ("models/state.onnx", state().to_bytes()),
        ("models/branch.onnx", branch().to_bytes()),
        ("models/classifier.onnx", classifier().to_bytes()),
        ("models/repeat.onnx", repeat().to_bytes()),
        ("models/External-Data.onnx", external().to_bytes()),
        ("models/lstm.onnx", lstm(&["x"]).to_bytes()),
        ("models/lstm_inputs.onnx", lstm(&["x", "w", "r", "b", "lengths", "h0", "c0", "p"]).to_bytes()),
        ("models/lstm_constant.onnx", lstm(&[]).to_bytes()),
        ("models/golden.npz", golden()),
        ("models/external.bin", [1.0f32, 2.0, 3.0].iter().flat_map(|weight| weight.to_le_bytes()).collect()),
    ]
}

/// Models that are refused, for tests of what the user is told.
fn refused() -> Files {
    let truncated = softmax().to_bytes();
    let with_side_file = |location: &str| {
        let w = external_tensor("w", &[4], data_type("f32"), &[("location", location)]);
        let model = Build::new(13).input("x", "f32[4]").initializer(w);
        model.node("Add", &["x", "w"], &["y"]).output("y", "f32[4]").to_bytes()
    };
    vec![
        ("ui/models/good.onnx", softmax().to_bytes()),
        ("ui/models/state.onnx", state().to_bytes()),
        ("ui/models/not_onnx.onnx", b"<html><body>404 Not Found</body></html>\n".to_vec()),
        ("ui/models/truncated.onnx", truncated[..truncated.len() - 20].to_vec()),
        ("ui/models/unsupported_operators.onnx", unsupported_operators().to_bytes()),
        (
            "ui/models/unsupported_value.onnx",
            unary("Softmax", "f32[1, 4]", "f32[1, 4]").name("/head/Softmax").int("axis", 7).to_bytes(),
        ),
        ("ui/models/unknown_attribute.onnx", unary("Relu", "f32[1, 4]", "f32[1, 4]").float("alpha", 0.5).to_bytes()),
        (
            "ui/models/wrong_shapes.onnx",
            Build::new(13)
                .input("x", "f32[1, 4]")
                .initializer(tensor("w", &[5, 2], &[0.5f32; 10]))
                .node("MatMul", &["x", "w"], &["y"])
                .name("/head/MatMul")
                .output("y", "f32[1, 2]")
                .to_bytes(),
        ),
        ("ui/models/open_dimensions.onnx", unary("Relu", "f32[N, time, mel.bins]", "f32[N, time, mel.bins]").to_bytes()),
        ("ui/models/missing_side_file.onnx", with_side_file("nowhere.bin")),
        ("ui/models/side_file_outside.onnx", with_side_file("../../models/external.bin")),
        ("ui/models/several_faults.onnx", several_faults().to_bytes()),
    ]
}

/// One node from `x` to `y`.
fn unary(op: &str, input: &str, output: &str) -> Build {
    Build::new(13).input("x", input).output("y", output).node(op, &["x"], &["y"])
}

/// A small classifier: an affine layer and its probabilities.
fn softmax() -> Build {
    Build::new(13)
        .input("features", "f32[1, 2]")
        .initializer(tensor("weights", &[2, 3], &[1.0f32, 0.0, -1.0, 0.0, 1.0, -1.0]))
        .initializer(tensor("bias", &[3], &[0.0f32, 0.5, 0.0]))
        .node("Gemm", &["features", "weights", "bias"], &["logits"])
        .name("/dense/Gemm")
        .node("Softmax", &["logits"], &["scores"])
        .name("/head/Softmax")
        .output("scores", "f32[1, 3]")
}

/// What that classifier should say of three samples, computed by the formula.
fn golden() -> Vec<u8> {
    let features = [[1.0f32, 2.0], [-0.5, 0.25], [0.0, 0.0]];
    let scores = features.map(|[a, b]| {
        let powers = [a, b + 0.5, -a - b].map(f32::exp);
        powers.map(|power| power / powers.iter().sum::<f32>())
    });
    npz(&[("features", array(&[3, 2], features.as_flattened())), ("scores", array(&[3, 1, 3], scores.as_flattened()))])
}

/// An array for a file of golden vectors.
pub fn array(sizes: &[usize], elements: &[f32]) -> ArrayD<f32> {
    ArrayD::from_shape_vec(sizes, elements.to_vec()).expect("as many elements as the sizes say")
}

/// A file of golden vectors.
pub fn npz(arrays: &[(&str, ArrayD<f32>)]) -> Vec<u8> {
    let mut writer = NpzWriter::new_compressed(Cursor::new(Vec::new()));
    arrays.iter().for_each(|(name, array)| writer.add_array(*name, array).expect("memory can be written"));
    writer.finish().expect("memory can be written").into_inner()
}

/// Two inputs whose names give one name in Rust, and two outputs, one of which is named after fused nodes.
fn several() -> Build {
    Build::new(13)
        .input("serving_default_input_1:0", "f32[2, 3]")
        .input("Serving_default_input_1:0", "f32[1, 1, 3]")
        .node("Add", &["serving_default_input_1:0", "Serving_default_input_1:0"], &["sum"])
        .node("Relu", &["sum"], &["model/relu/Relu;model/add"])
        .output("sum", "f32[1, 2, 3]")
        .output("model/relu/Relu;model/add", "f32[1, 2, 3]")
}

/// An input and an output of every element type.
fn elements() -> Build {
    let types = ["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "f16", "bf16", "f32", "f64", "bool"];
    types.iter().fold(Build::new(13), |model, ty| {
        let (input, output, ty) = (format!("{ty}_in"), format!("{ty}_out"), format!("{ty}[2]"));
        model.input(&input, &ty).node("Identity", &[&input], &[&output]).output(&output, &ty)
    })
}

/// Two convolutions of one shape, the sum with what went into the second, and a classifier.
fn residual() -> Build {
    Build::new(17)
        .input("signal", "f32[1, 2, 6]")
        .initializer(tensor("stem.weight", &[2, 2, 3], &pattern::<12>(1)))
        .initializer(tensor("body.weight", &[2, 2, 3], &pattern::<12>(2)))
        .initializer(tensor("head.weight", &[12, 3], &pattern::<36>(3)))
        .initializer(tensor("head.bias", &[3], &pattern::<3>(4)))
        .node("Conv", &["signal", "stem.weight"], &["stem"])
        .name("/stem/Conv")
        .ints("pads", &[1, 1])
        .node("Relu", &["stem"], &["stem_relu"])
        .name("/stem/Relu")
        .node("Conv", &["stem_relu", "body.weight"], &["body"])
        .name("/body/Conv")
        .ints("pads", &[1, 1])
        .node("Relu", &["body"], &["body_relu"])
        .name("/body/Relu")
        .node("Add", &["body_relu", "stem_relu"], &["sum"])
        .name("/Add")
        .node("Flatten", &["sum"], &["flat"])
        .name("/Flatten")
        .node("Gemm", &["flat", "head.weight", "head.bias"], &["logits"])
        .name("/head/Gemm")
        .node("Softmax", &["logits"], &["scores"])
        .name("/head/Softmax")
        .output("scores", "f32[1, 3]")
}

/// An image that grows large before it becomes small: layers that save memory when they run row by row, with a residual that has a
/// layer in its other branch, and a pool over the whole image.
fn cascade() -> Build {
    let size = |model: Build, pads: i64, stride: i64| model.ints("pads", &[pads; 4]).ints("strides", &[stride; 2]);
    let model = Build::new(17)
        .input("image", "f32[1, 1, 25, 9]")
        .initializer(tensor("stem", &[12, 1, 5, 3], &pattern::<180>(1)))
        .initializer(tensor("narrow", &[10, 12, 3, 3], &pattern::<1080>(8)))
        .initializer(tensor("down", &[16, 10, 3, 3], &pattern::<1440>(2)))
        .initializer(tensor("body", &[16, 16, 3, 3], &pattern::<2304>(3)))
        .initializer(tensor("body.bias", &[16], &pattern::<16>(4)))
        .initializer(tensor("side", &[16, 10, 1, 1], &pattern::<160>(5)))
        .initializer(tensor("depthwise", &[16, 1, 3, 3], &pattern::<144>(6)))
        .initializer(tensor("pointwise", &[24, 16, 1, 1], &pattern::<384>(7)));
    let model = size(model.node("Conv", &["image", "stem"], &["stem_conv"]), 1, 1).node("Relu", &["stem_conv"], &["stem_relu"]);
    let model = size(model.node("Conv", &["stem_relu", "narrow"], &["narrow_conv"]), 1, 1);
    let model =
        size(model.node("Conv", &["narrow_conv", "down"], &["down_conv"]), 1, 2).node("Relu", &["down_conv"], &["down_relu"]);
    let model = size(model.node("Conv", &["down_relu", "body", "body.bias"], &["body_conv"]), 1, 1);
    let model = size(model.node("Conv", &["narrow_conv", "side"], &["side_conv"]), 0, 2);
    let model = model.node("Add", &["body_conv", "side_conv"], &["sum"]).node("Relu", &["sum"], &["sum_relu"]);
    let model = size(model.node("Conv", &["sum_relu", "depthwise"], &["depthwise_conv"]).int("group", 16), 1, 1);
    let model = model.node("Conv", &["depthwise_conv", "pointwise"], &["pointwise_conv"]);
    let model = model.node("GlobalAveragePool", &["pointwise_conv"], &["pool"]).node("Flatten", &["pool"], &["means"]);
    model.output("means", "f32[1, 24]")
}

/// The same with values between as outputs, so that there are whole images of them.
fn cascade_steps() -> Build {
    let large = [("stem_relu", 12, [23, 9]), ("narrow_conv", 10, [23, 9])];
    let small = [
        ("down_relu", 16),
        ("body_conv", 16),
        ("side_conv", 16),
        ("sum_relu", 16),
        ("depthwise_conv", 16),
        ("pointwise_conv", 24),
    ];
    let steps = large.into_iter().chain(small.map(|(name, channels)| (name, channels, [12, 5])));
    steps.fold(cascade(), |model, (name, channels, [height, width])| {
        model.output(name, &format!("f32[1, {channels}, {height}, {width}]"))
    })
}

/// Weights from -1 to 1, in eighths, so that sums of a few are exact; `seed` tells them from others.
pub fn pattern<const N: usize>(seed: usize) -> [f32; N] {
    std::array::from_fn(|index| ((index * 7 + seed * 5) % 17) as f32 / 8.0 - 1.0)
}

/// What an LSTM of two directions has of 32-bit floats: name, shape, and elements; two sequences of at most four steps of three.
pub fn lstm_tensors() -> [(&'static str, [usize; 3], Vec<f32>); 7] {
    [
        ("x", [4, 2, 3], pattern::<24>(1).to_vec()),
        ("w", [2, 20, 3], pattern::<120>(2).to_vec()),
        ("r", [2, 20, 5], pattern::<200>(3).to_vec()),
        ("b", [2, 40, 1], pattern::<80>(4).to_vec()),
        ("h0", [2, 2, 5], pattern::<20>(5).to_vec()),
        ("c0", [2, 2, 5], pattern::<20>(6).to_vec()),
        ("p", [2, 15, 1], pattern::<30>(7).to_vec()),
    ]
}

/// How many steps the sequences of that LSTM have.
pub const LSTM_LENGTHS: [i32; 2] = [3, 4];

/// That LSTM with these tensors as inputs of the graph, and the others as initializers.
fn lstm(inputs: &[&str]) -> Build {
    let operands = ["x", "w", "r", "b", "lengths", "h0", "c0", "p"];
    let mut model =
        Build::new(14).node("LSTM", &operands, &["y", "h", "c"]).string("direction", "bidirectional").float("clip", 2.5);
    for name in operands {
        let floats = lstm_tensors().into_iter().find(|(other, ..)| *other == name);
        let (ty, dims) = match &floats {
            Some((_, [rows, columns, 1], _)) => ("f32", vec![*rows, *columns]),
            Some((_, shape, _)) => ("f32", shape.to_vec()),
            None => ("i32", vec![LSTM_LENGTHS.len()]),
        };
        let signed: Vec<i64> = dims.iter().map(|&size| size as i64).collect();
        model = match floats {
            _ if inputs.contains(&name) => model.input(name, &format!("{ty}{dims:?}")),
            Some((.., elements)) => model.initializer(tensor(name, &signed, &elements)),
            None => model.initializer(tensor(name, &signed, &LSTM_LENGTHS)),
        };
    }
    model.output("y", "f32[4, 2, 2, 5]").output("h", "f32[2, 2, 5]").output("c", "f32[2, 2, 5]")
}

/// A classifier of two classes, whose scores have names as well.
fn classifier() -> Build {
    Build::new(13)
        .opset("ai.onnx.ml", 3)
        .input("x", "f32[1, 2]")
        .node("ai.onnx.ml::LinearClassifier", &["x"], &["label", "scores"])
        .ints("classlabels_ints", &[3, -7])
        .floats("coefficients", &[1.0, 0.0, 0.0, 1.0])
        .floats("intercepts", &[0.0, 0.5])
        .node("ai.onnx.ml::ZipMap", &["scores"], &["named"])
        .strings("classlabels_strings", &["rest", "move"])
        .output("label", "i64[1]")
        .output("scores", "f32[1, 2]")
        .output("named", "f32[1, 2]")
}

/// An `If` whose condition is computed, with another in one of its branches; both read values around them, and one yields a constant.
fn branch() -> Build {
    let wide = |op: &str, inputs: &[&str]| Build::new(13).node(op, inputs, &["chosen"]).output("chosen", "f32[2, 3]");
    let then = Build::new(13)
        .initializer(tensor("fixed", &[3], &[1.0f32, 2.0, 3.0]))
        .node("Mul", &["x", "x"], &["square"])
        .output("square", "f32[2, 3]")
        .output("fixed", "f32[3]");
    let other = Build::new(13)
        .initializer(tensor("zero", &[], &[0.0f32]))
        .node("Less", &["sum", "zero"], &["is_negative"])
        .node("Neg", &["x"], &["turned"])
        .node("If", &["is_negative"], &["made"])
        .name("/sign")
        .graph("then_branch", wide("Add", &["turned", "limit"]))
        .graph("else_branch", wide("Abs", &["turned"]))
        .node("ReduceMax", &["made"], &["most"])
        .ints("axes", &[0])
        .int("keepdims", 0)
        .output("made", "f32[2, 3]")
        .output("most", "f32[3]");
    Build::new(13)
        .input("x", "f32[2, 3]")
        .input("limit", "f32[]")
        .node("ReduceSum", &["x"], &["sum"])
        .int("keepdims", 0)
        .node("Greater", &["sum", "limit"], &["is_great"])
        .node("If", &["is_great"], &["y", "z"])
        .name("/choose")
        .graph("then_branch", then)
        .graph("else_branch", other)
        .node("Add", &["x", "y"], &["both"])
        .output("both", "f32[2, 3]")
        .output("z", "f32[3]")
}

/// A `Scan` from the last column to the first, which reads a value around it and has names that mean something else there, and a `Loop` that
/// counts.
fn repeat() -> Build {
    let scan = Build::new(13)
        .input("sum", "f32[2]")
        .input("x", "f32[2]")
        .node("Mul", &["sum", "decay"], &["rest"])
        .node("Add", &["rest", "x"], &["y"])
        .node("Identity", &["y"], &["row"])
        .output("y", "f32[2]")
        .output("row", "f32[2]");
    let count = Build::new(13)
        .input("number", "i64[]")
        .input("go_on", "bool[]")
        .input("total", "f32[2]")
        .node("Cast", &["number"], &["float"])
        .int("to", 1)
        .node("Add", &["total", "float"], &["next"])
        .node("Identity", &["go_on"], &["still"])
        .node("Relu", &["next"], &["shown"])
        .output("still", "bool[]")
        .output("next", "f32[2]")
        .output("shown", "f32[2]");
    Build::new(13)
        .input("x", "f32[2, 3]")
        .input("k", "f32[2]")
        .input("first", "f32[2]")
        .initializer(tensor("runs", &[], &[4i64]))
        .node("Neg", &["k"], &["decay"])
        .node("Scan", &["first", "x"], &["last", "rows"])
        .name("/scan")
        .graph("body", scan)
        .int("num_scan_inputs", 1)
        .ints("scan_input_axes", &[1])
        .ints("scan_input_directions", &[1])
        .ints("scan_output_axes", &[-1])
        .node("Loop", &["runs", "", "last"], &["y", "shown"])
        .name("/count")
        .graph("body", count)
        .output("rows", "f32[2, 3]")
        .output("y", "f32[2]")
        .output("shown", "f32[4, 2]")
}

/// Four kinds of state: a sum that can be computed in place, a window that moves on by one row, and two that change places.
fn state() -> Build {
    Build::new(13)
        .input("x", "f32[1, 4]")
        .input("sum", "f32[1, 4]")
        .input("window", "f32[3, 4]")
        .input("left", "f32[1, 4]")
        .input("right", "f32[1, 4]")
        .initializer(tensor("one", &[1], &[1i64]))
        .initializer(tensor("four", &[1], &[4i64]))
        .initializer(tensor("zero", &[1], &[0i64]))
        .initializer(tensor("row", &[2], &[1i64, 4]))
        .node("Add", &["x", "sum"], &["sum_next"])
        .node("Concat", &["window", "x"], &["rows"])
        .int("axis", 0)
        .node("Slice", &["rows", "one", "four", "zero"], &["window_next"])
        .node("ReduceMax", &["rows"], &["highest"])
        .ints("axes", &[0])
        .node("Reshape", &["right", "row"], &["left_next"])
        .node("Reshape", &["left", "row"], &["right_next"])
        .node("Sub", &["left", "sum_next"], &["difference"])
        .output("highest", "f32[1, 4]")
        .output("difference", "f32[1, 4]")
        .output("sum_next", "f32[1, 4]")
        .output("window_next", "f32[3, 4]")
        .output("left_next", "f32[1, 4]")
        .output("right_next", "f32[1, 4]")
}

/// No input at all.
fn constant() -> Build {
    Build::new(13).initializer(tensor("a", &[2], &[1.5f32, -1.0])).node("Relu", &["a"], &["y"]).output("y", "f32[2]")
}

/// Weights in a file beside the model.
fn external() -> Build {
    let entries = [("location", "external.bin"), ("offset", "4"), ("length", "8")];
    Build::new(13)
        .input("x", "f32[2]")
        .initializer(external_tensor("w", &[2], data_type("f32"), &entries))
        .node("Add", &["x", "w"], &["y"])
        .output("y", "f32[2]")
}

fn unsupported_operators() -> Build {
    Build::new(13)
        .opset("com.example", 1)
        .input("x", "f32[1, 4]")
        .node("Relu", &["x"], &["a"])
        .node("com.example::Whiten", &["a"], &["b"])
        .name("/front/Whiten")
        .node("NoSuchOperator", &["b"], &["c"])
        .node("com.example::Whiten", &["c"], &["y"])
        .name("/front/Whiten_1")
        .output("y", "f32[1, 4]")
}

/// Two faults that have nothing to do with each other, and a node that only suffers from one of them.
fn several_faults() -> Build {
    Build::new(13)
        .input("x", "f32[1, 4]")
        .node("Softmax", &["x"], &["a"])
        .int("axis", 2)
        .node("Relu", &["a"], &["y"])
        .node("Concat", &["x", "x"], &["z"])
        .int("axis", -3)
        .output("y", "f32[1, 4]")
        .output("z", "f32[1, 8]")
}
