//! What the macro writes: `tests/expand` holds the module of small models as `cargo expand` shows it, but for the bytes of constant
//! data. The same models are compiled and run here too.

use model_compiler::onnx::Source;
use model_compiler::{Elements, Io, Options, compile};
use model_runtime::include_model;
use model_tests::models::pattern;
use model_tests::snapshot;
use proc_macro2::{Group, Literal, TokenStream, TokenTree};

include_model!("../models/residual.onnx");
include_model!("../models/cascade.onnx");
include_model!("../models/cascade_steps.onnx");

/// Compares the expansion of a model in the folder `tests` with `expand/NAME.rs`.
fn check(name: &str, model: &str, options: &Options) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(model);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let source = Source::new(format!("{name}.onnx"), bytes);
    let module = compile(&source, options).unwrap_or_else(|faults| panic!("{faults}"));
    let file = syn::parse2(elided(module)).expect("the expansion is a module");
    snapshot::check(&format!("expand/{name}.rs"), &prettyplease::unparse(&file));
}

/// The same tokens with the length of each byte string in its place.
fn elided(tokens: TokenStream) -> TokenStream {
    let token = |token: TokenTree| match token {
        TokenTree::Group(group) => Group::new(group.delimiter(), elided(group.stream())).into(),
        TokenTree::Literal(literal) => match syn::parse_str::<syn::LitByteStr>(&literal.to_string()) {
            Ok(bytes) => Literal::byte_string(format!("{} bytes", bytes.value().len()).as_bytes()).into(),
            Err(_) => literal.into(),
        },
        other => other,
    };
    tokens.into_iter().map(token).collect()
}

#[test]
fn residual_network() {
    check("residual", "models/residual.onnx", &Options::new("residual"));

    let signal = [[0.5, -1.0, 2.0, 0.0, 1.5, -0.5], [1.0, 1.0, -2.0, 0.5, 0.0, 1.0]];
    let stem = convolution(&signal, &pattern(1));
    let body = convolution(&stem, &pattern(2));
    let flat: Vec<f32> = body.as_flattened().iter().zip(stem.as_flattened()).map(|(body, stem)| body + stem).collect();
    let (weights, bias) = (pattern::<36>(3), pattern::<3>(4));
    let logit = |class: usize| flat.iter().enumerate().fold(bias[class], |sum, (row, x)| sum + x * weights[row * 3 + class]);
    let powers = [0, 1, 2].map(|class| (logit(class) - logit(0)).exp());

    let mut model = residual::Model::new();
    let scores = *model.run(&signal);
    for (score, power) in scores.iter().zip(powers) {
        let expected = power / powers.iter().sum::<f32>();
        assert!((score - expected).abs() < 1e-6, "{scores:?}, where {expected} was expected");
    }
    assert_eq!(*model.run(&signal), scores, "a run leaves nothing behind that changes the next");
}

/// `max(0, Σ x[i][t + k - 1] · w[o][i][k])` over `i` and `k`, with zeros around `x`.
fn convolution(x: &[[f32; 6]; 2], w: &[f32; 12]) -> [[f32; 6]; 2] {
    let at = |input: usize, padded: usize| padded.checked_sub(1).and_then(|time| x[input].get(time)).copied().unwrap_or(0.0);
    std::array::from_fn(|output| {
        std::array::from_fn(|time| {
            let products = (0..6).map(|index| at(index / 3, time + index % 3) * w[output * 6 + index]);
            products.sum::<f32>().max(0.0)
        })
    })
}

/// Layers that run row by row give the bits that they give one after another, in less memory.
#[test]
fn cascade_of_layers() {
    check("cascade", "models/cascade.onnx", &Options::new("cascade"));

    let image: [[f32; 9]; 25] =
        std::array::from_fn(|row| std::array::from_fn(|column| ((row * 5 + column * 3) % 11) as f32 / 4.0 - 1.0));
    let mut rows = cascade::Model::new();
    let mut steps = cascade_steps::Model::new();
    for _ in 0..2 {
        assert_eq!(rows.run(&image), steps.run(&image).means);
    }
    let largest = 23 * 9 * (12 + 10) * size_of::<f32>();
    assert!(cascade::RAM_BYTES < largest && largest < cascade_steps::RAM_BYTES, "{} bytes", cascade::RAM_BYTES);
}

/// The test `state` runs this model.
#[test]
fn state() {
    let state = ["sum", "window", "left", "right"].map(|name| (name.to_owned(), format!("{name}_next"))).to_vec();
    let state_init = vec![("left".to_owned(), Elements::All("2".to_owned()))];
    check("state", "models/state.onnx", &Options { state, state_init, ..Options::new("state") });
}

/// The test `branch` runs this model.
#[test]
fn branches() {
    check("branch", "models/branch.onnx", &Options::new("branch"));
}

/// The test `repeat` runs this model.
#[test]
fn repeated_graphs() {
    check("repeat", "models/repeat.onnx", &Options::new("repeat"));
}

/// The modules of the example, which `examples/wake` compiles and runs.
#[test]
fn wake_word() {
    check("wake", "../examples/wake/wake.onnx", &Options { io: Some(Io::Quantized), ..Options::new("wake") });
    check("wake_float", "../examples/wake/wake_float.onnx", &Options::new("wake_float"));
}
