//! What holds of every expansion.

use model_compiler::onnx::Source;
use model_compiler::{Dim, Options, compile};
use model_tests::models;
use proc_macro2::{TokenStream, TokenTree};

/// The expansion of a stored model, with its open dimensions fixed.
fn expansion(name: &str) -> TokenStream {
    let stored = models::stored();
    let file = |name: &str| stored.iter().find(|file| file.path().ends_with(name)).expect("it is stored").bytes.clone();
    let source = Source::new(name, file(name)).with_side_files(|side| Ok(file(side).into()));
    let dims = [("time", 2), ("unk__7", 3)].map(|(name, size)| (name.to_owned(), Dim::Size(size)));
    let dims = if name == "symbols.onnx" { dims.to_vec() } else { Vec::new() };
    compile(&source, &Options { dims, ..Options::new("model") }).unwrap_or_else(|diagnostics| panic!("{name}: {diagnostics}"))
}

const MODELS: &[&str] = &[
    "softmax.onnx",
    "several.onnx",
    "elements.onnx",
    "scalar.onnx",
    "batch.onnx",
    "unnamed.onnx",
    "symbols.onnx",
    "constant.onnx",
    "External-Data.onnx",
    "residual.onnx",
    "lstm.onnx",
    "image.onnx",
    "cascade.onnx",
    "quantized.onnx",
    "integers.onnx",
];

fn words(tokens: TokenStream, found: &mut Vec<String>) {
    for token in tokens {
        match token {
            TokenTree::Group(group) => words(group.stream(), found),
            TokenTree::Ident(word) => found.push(word.to_string()),
            _ => {}
        }
    }
}

/// The user's `forbid(unsafe_code)` does not see into macros of other crates, so this looks.
#[test]
fn no_expansion_holds_unsafe() {
    for name in MODELS {
        let mut found = Vec::new();
        words(expansion(name), &mut found);
        assert!(found.iter().any(|word| word == "run_in_place"), "{name}");
        assert!(!found.iter().any(|word| word == "unsafe"), "{name}");
    }
}

/// In another thread, too, where collections with random seeds have other ones.
#[test]
fn equal_bytes_give_equal_tokens() {
    let all = || MODELS.iter().map(|name| expansion(name).to_string()).collect::<Vec<_>>();
    let here = all();
    for _ in 0..3 {
        let there = std::thread::spawn(all).join().expect("the models compile");
        for ((name, here), there) in MODELS.iter().zip(&here).zip(&there) {
            assert_eq!(here, there, "{name}");
        }
    }
}

#[test]
fn the_documentation_says_what_was_defaulted() {
    let cases = [
        ("batch.onnx", "Assumed: dimension `N` is 1 (a batch of one)."),
        ("unnamed.onnx", "Assumed: the first dimension of `x` is 1 (a batch of one)."),
        ("symbols.onnx", "Assumed: dimension `batch_size` is 1 (a batch of one)."),
    ];
    for (name, note) in cases {
        assert!(expansion(name).to_string().contains(note), "{name}");
    }
    assert!(!expansion("softmax.onnx").to_string().contains("Assumed"));
}
