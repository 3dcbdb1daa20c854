//! Golden vectors that do not fit their model are refused, with what would fit.

use model_compiler::diagnostic::Subject;
use model_compiler::golden::{At, Verify};
use model_compiler::onnx::Source;
use model_compiler::{Options, compile};
use model_tests::build::{Build, tensor};
use model_tests::models::{array, npz};
use ndarray::ArrayD;

/// An array and its name.
type Named = (&'static str, ArrayD<f32>);

/// What is said of these arrays as golden vectors of `y = relu(x)`, for f32[1, 1, 2].
fn said(arrays: &[Named]) -> Option<String> {
    let model = Build::new(13).input("x", "f32[1, 1, 2]").node("Relu", &["x"], &["y"]).output("y", "f32[1, 1, 2]");
    let file = npz(arrays);
    let source = Source::new("relu.onnx", model.to_bytes()).with_side_files(move |name| match name {
        "golden.npz" => Ok(file.clone().into()),
        _ => Ok(b"no archive".to_vec().into()),
    });
    let name = if arrays.is_empty() { "text.npz" } else { "golden.npz" };
    let verify = Some(Verify { file: name.to_owned(), tolerance: None, at: At::Test });
    let faults = compile(&source, &Options { verify, ..Options::new("relu") }).err()?;
    assert!(faults.module.is_some() && faults.faults[0].subject == Subject::Verify, "the model itself is right");
    Some(faults.to_string())
}

#[test]
fn golden_vectors_fit_the_model() {
    let two = |sizes: &[usize]| array(sizes, &[1.0, -1.0, 2.0, -2.0]);
    for sizes in [&[2, 2][..], &[2, 1, 2], &[2, 1, 1, 2]] {
        assert_eq!(said(&[("x", two(sizes)), ("y", two(&[2, 2]))]), None, "{sizes:?}");
    }
    let cases: &[(&[Named], &str)] = &[
        (&[], "`text.npz` is no `.npz` file"),
        (&[("x", two(&[2, 2]))], "array `y` of `golden.npz` cannot be read as f32"),
        (&[("x", two(&[2, 2]))], "the file holds `x`"),
        (
            &[("x", two(&[4])), ("y", two(&[2, 2]))],
            "array `x` of `golden.npz` has the sizes [4]; expected samples of f32[1, 1, 2]",
        ),
        (&[("x", two(&[2, 2])), ("y", array(&[1, 2], &[0.0; 2]))], "have 1 and 2 samples"),
    ];
    for (arrays, expected) in cases {
        let said = said(arrays).expect(expected);
        assert!(said.contains(expected), "{said}\nlacks: {expected}");
    }
}

/// What is said of a model of two nodes, `h = relu(x)` and `y = h + 1`, that is held to these arrays while compiling.
fn held(tolerance: Option<f64>, arrays: &[Named]) -> Option<String> {
    held_to(tolerance, npz(arrays))
}

fn held_to(tolerance: Option<f64>, file: Vec<u8>) -> Option<String> {
    let model = Build::new(13)
        .input("x", "f32[1, 2]")
        .initializer(tensor("one", &[], &[1f32]))
        .node("Relu", &["x"], &["h"])
        .node("Add", &["h", "one"], &["y"])
        .output("y", "f32[1, 2]");
    let source = Source::new("sum.onnx", model.to_bytes()).with_side_files(move |_| Ok(file.clone().into()));
    let verify = Some(Verify { file: "golden.npz".to_owned(), tolerance, at: At::Build });
    let faults = compile(&source, &Options { verify, ..Options::new("sum") }).err()?;
    assert!(faults.module.is_some() && faults.faults[0].subject == Subject::Verify, "the model itself is right");
    Some(faults.to_string())
}

#[test]
fn a_build_holds_a_model_to_its_golden_vectors() {
    let x = || ("x", array(&[2, 2], &[1.0, -1.0, 2.0, -2.0]));
    let (h, y) = ([1.0, 0.0, 2.0, 0.0], [2.0, 1.0, 3.0, 1.0]);
    assert_eq!(held(None, &[x(), ("y", array(&[2, 2], &y))]), None);
    assert_eq!(held(None, &[x(), ("y", array(&[2, 2], &y)), ("h", array(&[2, 2], &h))]), None);
    let wrong = || ("y", array(&[2, 2], &[2.0, 1.0, 3.0, 1.5]));
    assert_eq!(held(Some(0.2), &[x(), wrong()]), None, "a fifth of 3 is more");
    let cases: &[(&[Named], &[&str])] = &[
        (
            &[x(), wrong()],
            &[
                "the model is not what `golden.npz` says: `y`: largest error 5.000e-1 of 3.000e-4 allowed, mean 1.250e-1",
                "the first wrong element is 1 of sample 1: 1, where 1.5 is expected",
                "= help: compare the model with the one",
                "store further tensors of the model in the file",
            ],
        ),
        (
            &[x(), wrong(), ("h", array(&[2, 2], &[1.0, 0.0, 2.0, 0.5]))],
            &["the first tensor within that is off is what `Relu` computes: `h`: largest error 5.000e-1"],
        ),
        (&[x(), wrong(), ("h", array(&[2, 2], &h))], &["each of the 1 tensors within that the file holds is right"]),
        (&[x(), ("y", array(&[2, 2], &y)), ("h", array(&[1, 2], &h[..2]))], &["have 2 and 1 samples"]),
    ];
    for (arrays, expected) in cases {
        let said = held(None, arrays).expect(expected[0]);
        expected.iter().for_each(|expected| assert!(said.contains(expected), "{said}\nlacks: {expected}"));
    }
}

#[test]
fn samples_of_a_model_with_state_are_one_sequence() {
    let model = Build::new(13)
        .input("x", "f32[1, 2]")
        .input("h", "f32[1, 2]")
        .node("Add", &["x", "h"], &["sum"])
        .node("Relu", &["sum"], &["y"])
        .output("sum", "f32[1, 2]")
        .output("y", "f32[1, 2]");
    let said = |y: &[f32; 4]| {
        let file = npz(&[("x", array(&[2, 2], &[1.0, -3.0, 1.0, 1.0])), ("y", array(&[2, 2], y))]);
        let source = Source::new("state.onnx", model.to_bytes()).with_side_files(move |_| Ok(file.clone().into()));
        let verify = Some(Verify { file: "golden.npz".to_owned(), tolerance: None, at: At::Build });
        let state = vec![("h".to_owned(), "sum".to_owned())];
        compile(&source, &Options { verify, state, ..Options::new("state") }).err().map(|faults| faults.to_string())
    };
    assert_eq!(said(&[1.0, 0.0, 2.0, 0.0]), None);
    let forgotten = said(&[1.0, 0.0, 1.0, 1.0]).expect("the second run finds what the first left");
    assert!(forgotten.contains("the first wrong element is 0 of sample 1: 2, where 1 is expected"), "{forgotten}");
}

#[test]
fn a_damaged_array_within_is_told() {
    let arrays = ["x", "y", "h"].map(|name| (name, array(&[1, 2], &[1.0, 1.0])));
    let mut file = npz(&arrays);
    // Where the last array begins.
    let start = file.windows(4).rposition(|bytes| bytes == b"PK\x03\x04").expect("an archive has headers");
    file[start] = b'?';
    let said = held_to(None, file).expect("an array cannot be read");
    assert!(said.contains("`golden.npz` cannot be read: ") && said.contains("= help: save the arrays with"), "{said}");
}

#[test]
fn what_cannot_be_computed_while_compiling_is_refused() {
    let model = Build::new(13).input("x", "f16[1, 2]").node("Softmax", &["x"], &["y"]).output("y", "f16[1, 2]");
    let file = npz(&[("x", array(&[1, 2], &[0.0; 2])), ("y", array(&[1, 2], &[0.5; 2]))]);
    let source = Source::new("half.onnx", model.to_bytes()).with_side_files(move |_| Ok(file.clone().into()));
    let verify = Some(Verify { file: "golden.npz".to_owned(), tolerance: None, at: At::Build });
    let faults = compile(&source, &Options { verify, ..Options::new("half") }).expect_err("no f16 while compiling").to_string();
    assert!(
        faults.contains("`Softmax`, which is Softmax { axis: 1, log: false } to f16[1, 2], cannot be computed while compiling"),
        "{faults}"
    );
    assert!(faults.contains("= help: leave out `verify_at`"), "{faults}");
}
