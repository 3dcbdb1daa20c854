//! Golden vectors that do not fit their model are refused, with what would fit.

use model_compiler::diagnostic::Subject;
use model_compiler::golden::Verify;
use model_compiler::onnx::Source;
use model_compiler::{Options, compile};
use model_tests::build::Build;
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
    let verify = Some(Verify { file: name.to_owned(), tolerance: None });
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
