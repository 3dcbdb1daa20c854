//! Damaged and hostile files: the compiler answers each with an error or a module. It never panics, takes at most 5 s of processor time
//! for one and 1 GB of memory for all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use model_compiler::diagnostic::Diagnostics;
use model_compiler::onnx::Source;
use model_compiler::{Options, compile};
use model_tests::build::{Build, data_type, raw_tensor, tensor};
use model_tests::clock::processor_time;
use model_tests::models;

/// For one model. All of these are small, whatever they say of themselves.
const LONGEST: Duration = Duration::from_secs(5);

/// For all of them, in kibibytes.
const LARGEST: u64 = 1 << 20;

/// Whether the model compiles, or what is said of it.
fn answer(bytes: &[u8]) -> Result<(), Diagnostics> {
    compile(&Source::new("hostile.onnx", bytes.to_vec()), &Options::new("hostile")).map(|_| ())
}

/// The answer to a model that `what` describes, within the limits.
fn check(what: &str, bytes: &[u8]) -> Result<(), Diagnostics> {
    let before = processor_time();
    let answer = catch_unwind(AssertUnwindSafe(|| answer(bytes)));
    let took = processor_time() - before;
    assert!(took < LONGEST, "{what}: took {} s", took.as_secs_f64());
    answer.unwrap_or_else(|_| panic!("{what}: the compiler panicked, as it said above"))
}

/// Holds a model to an error that says `expected`.
fn refused(what: &str, model: &Build, expected: &str) {
    let said = check(what, &model.to_bytes()).expect_err(what).to_string();
    assert!(said.contains(expected), "{what}: {said}\nlacks: {expected}");
}

/// Holds the memory that this program ever had to the limit, where the system tells it.
fn check_memory() {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    assert!(kibibytes.is_none_or(|kibibytes| kibibytes < LARGEST), "{kibibytes:?} KiB of memory");
}

/// The stored models that are quick to compile, by name.
fn small() -> Vec<(String, Vec<u8>)> {
    let name = |path: &std::path::Path| path.file_name().expect("it is a file").to_string_lossy().into_owned();
    let models = models::stored().into_iter().map(|file| (name(&file.path()), file.bytes));
    models.filter(|(name, bytes)| name.ends_with(".onnx") && bytes.len() < 6000).collect()
}

#[test]
fn every_beginning_of_a_model_has_an_answer() {
    for (name, bytes) in small() {
        for length in 0..bytes.len() {
            let _ = check(&format!("the first {length} bytes of {name}"), &bytes[..length]);
        }
    }
    check_memory();
}

#[test]
fn every_flipped_bit_of_the_smallest_models_has_an_answer() {
    for (name, bytes) in small().into_iter().filter(|(_, bytes)| bytes.len() <= 160) {
        for bit in 0..bytes.len() * 8 {
            flip(&name, bytes.clone(), &[bit]);
        }
    }
    check_memory();
}

/// One to four bits each.
#[test]
fn ten_thousand_random_flips_have_an_answer() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let models = small();
    for _ in 0..10_000 {
        let (name, bytes) = &models[random.below(models.len())];
        let bits: Vec<usize> = (0..=random.below(4)).map(|_| random.below(bytes.len() * 8)).collect();
        flip(name, bytes.clone(), &bits);
    }
    check_memory();
}

fn flip(name: &str, mut bytes: Vec<u8>, bits: &[usize]) {
    for &bit in bits {
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
    let _ = check(&format!("{name} with bits {bits:?} flipped"), &bytes);
}

/// Numbers that are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as usize % limit
    }
}

/// A field of a message: its number, its length, its bytes.
fn field(number: u8, contents: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut length = contents.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    [&bytes, contents].concat()
}

/// A model message whose graph is `graph`.
fn of_graph(graph: &[u8]) -> Vec<u8> {
    [&[0x08, 8][..], &field(7, graph), &field(8, &[0x10, 13])].concat()
}

/// Field numbers: of a graph `node` 1, of a node `attribute` 5, of an attribute its graph 6, its graphs 11.
#[test]
fn deep_nesting_and_long_lengths_are_errors() {
    let nested = (0..5_000).fold(Vec::new(), |graph, _| field(1, &field(5, &field(6, &graph))));
    assert!(check("a graph in a graph, 5000 times", &of_graph(&nested)).is_err());
    let groups = [vec![0x0b; 100_000], vec![0x0c; 100_000]].concat();
    assert!(check("100000 groups in one another", &of_graph(&groups)).is_err());
    for length in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0xff; 9], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]] {
        let model = [&[0x08, 8, 7 << 3 | 2][..], length, &[0; 20]].concat();
        assert!(check("a graph longer than the file", &model).is_err());
    }
    let empty_nodes: Vec<u8> = (0..100_000).flat_map(|_| field(1, &[])).collect();
    assert!(check("100000 empty nodes", &of_graph(&empty_nodes)).is_err());
    let repeated = (0..100_000).flat_map(|_| field(7, &[])).collect::<Vec<u8>>();
    assert!(check("100000 graphs", &repeated).is_err());
    check_memory();
}

fn one_node(op: &str, input: &str, output: &str) -> Build {
    Build::new(17).input("x", input).node(op, &["x"], &["y"]).output("y", output)
}

#[test]
fn sizes_that_no_memory_holds_are_refused() {
    let huge = raw_tensor("w", &[1_000_000_000], data_type("f32"), &[0; 8]);
    let add = |w| Build::new(17).input("x", "f32[1]").initializer(w).node("Add", &["x", "w"], &["y"]).output("y", "f32[1]");
    refused("a billion elements, two stored", &add(huge), "takes 4000000000 bytes, but 8 bytes are stored");
    let overflowing = raw_tensor("w", &[i64::MAX, i64::MAX], data_type("f32"), &[]);
    refused("more bytes than addresses", &add(overflowing), "impossible shape");
    let negative = raw_tensor("w", &[-4], data_type("f32"), &[0; 16]);
    refused("a negative size", &add(negative), "impossible shape");

    for size in ["1000000000", "4611686018427387904"] {
        let ty = format!("f32[{size}, 8]");
        assert!(check("an input of that many bytes", &one_node("Relu", &ty, &ty).to_bytes()).is_err(), "{size}");
    }
    let shape = |sizes: &[i64]| tensor("shape", &[sizes.len() as i64], sizes);
    for sizes in [&[1 << 40][..], &[1 << 20, 1 << 20, 1 << 20, 1 << 20], &[-5], &[1 << 29]] {
        let model = Build::new(17).initializer(shape(sizes)).node("ConstantOfShape", &["shape"], &["y"]).output("y", "f32[1]");
        assert!(check("a constant of that shape", &model.to_bytes()).is_err(), "{sizes:?}");
        let model = Build::new(17).initializer(shape(sizes)).initializer(tensor("w", &[1], &[1.0f32]));
        let model = model.node("Expand", &["w", "shape"], &["y"]).output("y", "f32[1]");
        assert!(check("a constant expanded", &model.to_bytes()).is_err(), "{sizes:?}");
        let model = Build::new(17).input("x", "f32[1]").initializer(shape(&vec![1 << 31; sizes.len()]));
        let model = model.node("Tile", &["x", "shape"], &["y"]).output("y", "f32[1]");
        assert!(check("an input tiled", &model.to_bytes()).is_err(), "{sizes:?}");
    }
    check_memory();
}

/// Each of thirty nodes doubles what it reads.
#[test]
fn constants_that_grow_are_refused() {
    let mut model = Build::new(17).initializer(tensor("v0", &[64], &[1.0f32; 64]));
    for step in 0..30 {
        let (from, to) = (format!("v{step}"), format!("v{}", step + 1));
        model = model.node("Concat", &[&from, &from], &[&to]).int("axis", 0);
    }
    refused("a constant doubled thirty times", &model.output("v30", "f32[1]"), "more bytes than there are addresses");

    let model = Build::new(17).initializer(tensor("shape", &[1], &[1i64 << 22]));
    let model = (0..9).fold(model, |model, step| {
        let made = format!("v{step}");
        model.node("ConstantOfShape", &["shape"], &[&made]).output(&made, "f32[1]")
    });
    refused("nine constants of 16 MiB", &model, "bytes of constants");
    check_memory();
}

/// More work than a compiler should do is left to the chip.
#[test]
fn constants_that_take_long_are_not_computed() {
    let model = Build::new(17).initializer(tensor("shape", &[2], &[2000i64; 2])).node("ConstantOfShape", &["shape"], &["a"]);
    let model = model.node("MatMul", &["a", "a"], &["y"]).output("y", "f32[2000, 2000]");
    assert!(check("a product of large constants", &model.to_bytes()).is_ok());
}

#[test]
fn limits_of_attributes_have_an_answer() {
    for value in [i64::MIN, i64::MIN + 1, -1, 0, 1 << 31, 1 << 32, i64::MAX] {
        for attribute in ["pads", "strides", "dilations", "kernel_shape"] {
            let count = if attribute == "pads" { 4 } else { 2 };
            for op in ["Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool"] {
                let model = Build::new(17).input("x", "f32[1, 2, 5, 5]").initializer(tensor("w", &[2, 2, 3, 3], &[1.0f32; 36]));
                let inputs: &[&str] = if op.starts_with("Conv") { &["x", "w"] } else { &["x"] };
                let model = model.node(op, inputs, &["y"]).ints(attribute, &vec![value; count]).output("y", "f32[1]");
                let model = if attribute == "kernel_shape" { model } else { model.ints("kernel_shape", &[3, 3]) };
                let _ = check(&format!("{op} with {attribute} {value}"), &model.to_bytes());
            }
        }
        let attributes = [
            ("Softmax", "axis"),
            ("Concat", "axis"),
            ("Flatten", "axis"),
            ("Gather", "axis"),
            ("ArgMax", "axis"),
            ("Hardmax", "axis"),
            ("LRN", "size"),
            ("DepthToSpace", "blocksize"),
            ("SpaceToDepth", "blocksize"),
            ("Gemm", "transA"),
            ("Conv", "group"),
            ("ConvTranspose", "group"),
            ("GroupNormalization", "num_groups"),
            ("Shape", "start"),
            ("Split", "num_outputs"),
            ("Cast", "to"),
            ("CumSum", "reverse"),
            ("ReduceSum", "keepdims"),
            ("TopK", "largest"),
        ];
        for (op, attribute) in attributes {
            for inputs in [&["x"][..], &["x", "x"], &["x", "x", "x"]] {
                for ty in ["f32[1, 4, 2, 2]", "f32[]", "f32[0, 4]", "i64[3]"] {
                    let model =
                        Build::new(21).input("x", ty).node(op, inputs, &["y"]).int(attribute, value).output("y", "f32[1]");
                    let _ = check(&format!("{op} of {inputs:?} {ty} with {attribute} {value}"), &model.to_bytes());
                }
            }
        }
    }
    check_memory();
}

/// Operators whose sizes come from constants, with limits of what a constant can hold.
#[test]
fn limits_of_constant_operands_have_an_answer() {
    let limits = [i64::MIN, i64::MIN + 1, -1, 0, 1, 3, 1 << 31, 1 << 32, i64::MAX];
    for a in limits {
        for b in limits {
            for (op, count) in [("Slice", 4), ("Reshape", 1), ("Pad", 1), ("Tile", 1), ("Expand", 1), ("TopK", 1), ("Squeeze", 1)]
            {
                let operands = ["c0", "c1", "c2", "c3"];
                let model = Build::new(17).input("x", "f32[2, 4]");
                let values = [[a, b], [b, a], [0, 1], [b, 1]];
                let model = (operands.iter().zip(&values[..count])).fold(model, |model, (name, values)| {
                    // `Pad` takes a number for both ends.
                    let values = if op == "Pad" { values.repeat(2) } else { values.to_vec() };
                    model.initializer(tensor(name, &[values.len() as i64], &values))
                });
                let inputs = [&["x"], &operands[..count]].concat();
                let outputs: &[&str] = if op == "TopK" { &["y", "z"] } else { &["y"] };
                let model = model.node(op, &inputs, outputs).output("y", "f32[1]");
                let _ = check(&format!("{op} by {a} and {b}"), &model.to_bytes());
            }
            let model = [("start", a), ("limit", b), ("delta", 1)].into_iter();
            let model = model.fold(Build::new(17), |model, (name, value)| model.initializer(tensor(name, &[], &[value])));
            let model = model.node("Range", &["start", "limit", "delta"], &["y"]).output("y", "i64[1]");
            let _ = check(&format!("Range from {a} to {b}"), &model.to_bytes());
        }
    }
    check_memory();
}

#[test]
fn graphs_that_are_none_are_refused() {
    let cycle = Build::new(17).input("x", "f32[1]").node("Add", &["x", "b"], &["a"]).node("Relu", &["a"], &["b"]);
    refused("a cycle", &cycle.output("b", "f32[1]"), "depends on its own output");
    let own = Build::new(17).node("Relu", &["y"], &["y"]).output("y", "f32[1]");
    refused("a node that reads itself", &own, "depends on its own output");
    let twice = one_node("Relu", "f32[1]", "f32[1]").node("Abs", &["x"], &["y"]);
    refused("a name with two origins", &twice, "`y` is defined twice");
    let inputs = one_node("Relu", "f32[1]", "f32[1]").input("x", "f32[2]");
    refused("two inputs of one name", &inputs, "`x` is defined twice");
    let outputs = one_node("Relu", "f32[1]", "f32[1]").output("y", "f32[1]");
    let _ = check("two outputs of one name", &outputs.to_bytes());
    refused("nothing at all", &Build::new(17), "has no outputs");
    refused("an output from nowhere", &Build::new(17).output("y", "f32[1]"), "`y` is defined nowhere");
    let through = Build::new(17).input("x", "f32[2]").output("x", "f32[2]");
    let _ = check("an input that is an output", &through.to_bytes());
    let unnamed = Build::new(17).input("", "f32[2]").node("Relu", &[""], &[""]).output("", "f32[2]");
    let _ = check("nothing has a name", &unnamed.to_bytes());
    for op in ["Relu", "Conv", "Gemm", "Concat", "LSTM", "Resize", "QLinearConv", "TreeEnsemble", "If", "Loop", "Scan"] {
        let model = Build::new(17).node(op, &[], &["y"]).output("y", "f32[1]");
        assert!(check(&format!("{op} of nothing"), &model.to_bytes()).is_err(), "{op}");
        let _ = check(&format!("{op} without outputs"), &one_node(op, "f32[1]", "f32[1]").node(op, &["x"], &[]).to_bytes());
    }
}

#[test]
fn two_hundred_faults_are_told_once_each_in_order() {
    let model = (0..200).fold(Build::new(17).input("x", "f32[1, 4]"), |model, index| {
        let (output, name) = (format!("y{index}"), format!("/{index}"));
        model.node("Softmax", &["x"], &[&output]).name(&name).int("axis", 7).output(&output, "f32[1, 4]")
    });
    let faults = check("200 faults", &model.to_bytes()).expect_err("all axes are wrong").faults;
    let places: Vec<&str> = faults.iter().filter_map(|fault| fault.place.as_deref()).collect();
    let expected: Vec<String> = (0..200).map(|index| format!("hostile.onnx: node {index} `/{index}` (Softmax)")).collect();
    assert_eq!(places, expected);
    for fault in &faults {
        let report = fault.to_string();
        assert!(report.lines().count() <= 4 && report.lines().all(|line| line.chars().count() <= 100), "{report}");
    }
}

/// Scales that are no positive number make no quantized tensor.
#[test]
fn impossible_scales_have_an_answer() {
    for scale in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, -1.0, f32::MIN_POSITIVE / 4.0, f32::MAX] {
        for per_channel in [false, true] {
            let (dims, scales): (&[i64], _) = if per_channel { (&[3], vec![0.5, scale, 0.25]) } else { (&[], vec![scale]) };
            let model = Build::new(17)
                .input("x", "i8[2, 4]")
                .initializer(tensor("x_scale", &[], &[scale]))
                .initializer(tensor("w", &[4, 3], &[3i8; 12]))
                .initializer(tensor("w_scale", dims, &scales))
                .initializer(tensor("y_scale", &[], &[if per_channel { 0.5 } else { scale }]))
                .initializer(tensor("zero", &[], &[0i8]))
                .node("DequantizeLinear", &["x", "x_scale", "zero"], &["xf"])
                .node("DequantizeLinear", &["w", "w_scale"], &["wf"])
                .int("axis", 1)
                .node("MatMul", &["xf", "wf"], &["yf"])
                .node("QuantizeLinear", &["yf", "y_scale", "zero"], &["y"])
                .output("y", "i8[2, 3]");
            let _ = check(&format!("scale {scale}, per channel: {per_channel}"), &model.to_bytes());
        }
    }
    check_memory();
}

#[test]
fn tensors_without_elements_have_an_answer() {
    let unary =
        ["Relu", "Softmax", "Flatten", "GlobalAveragePool", "ReduceMax", "ArgMax", "Transpose", "LpNormalization", "Shape"];
    let binary = ["Add", "MatMul", "Concat", "Conv", "Gemm", "Div", "Mod", "Gather"];
    for ty in ["f32[0]", "f32[0, 3]", "f32[2, 0]", "f32[1, 0, 4, 4]", "f32[1, 4, 0, 0]", "f32[0, 0, 0, 0]"] {
        for op in unary {
            let _ = check(&format!("{op} of {ty}"), &one_node(op, ty, ty).to_bytes());
        }
        for op in binary {
            let model = Build::new(17).input("x", ty).input("z", ty).node(op, &["x", "z"], &["y"]);
            let model = if op == "Concat" { model.int("axis", 0) } else { model };
            let _ = check(&format!("{op} of {ty}"), &model.output("y", ty).to_bytes());
        }
    }
}
