//! Modules compile wherever a user may put them: in a crate that allows itself nothing, of either edition.

use model_tests::models;
use model_tests::user::User;

/// Every way to include a model: public, for the crate, in a module, twice in one, and in a function; the runtime has another name.
const LIB: &str = r#"//! A crate that allows itself nothing.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings, unused, nonstandard_style, unreachable_pub, future_incompatible)]
#![deny(rust_2018_idioms, unused_qualifications, missing_debug_implementations)]

nn::include_model!("models/several.onnx");
nn::include_model!("models/elements.onnx");
nn::include_model!("models/residual.onnx");
nn::include_model!("models/cascade.onnx");
nn::include_model!("models/quantized.onnx");
nn::include_model!("models/quantized.onnx", name = stripped, io = quantized, ram = 1 KiB, stack = 2 KiB);
nn::include_model!("models/image.onnx");
nn::include_model!("models/lstm.onnx");
nn::include_model!("models/repeat.onnx");
nn::include_model!("models/branch.onnx");
nn::include_model!("models/constant.onnx");
nn::include_model!("models/External-Data.onnx");
nn::include_model!(
    "models/state.onnx",
    state = { sum: sum_next, window: window_next, left: left_next, "right": "right_next" },
    state_init = { left: 2 }
);

/// One model twice in one module.
pub mod twice {
    nn::include_model!("models/scalar.onnx");
    nn::include_model!("models/scalar.onnx", pub name = again);
}

mod inner {
    nn::include_model!("models/scalar.onnx", pub(crate) name = r#match);
    nn::include_model!("models/scalar.onnx", pub(super) name = detector);
}

/// What the model says of a number, wherever it stands.
pub fn relu(x: f32) -> [f32; 5] {
    nn::include_model!("models/scalar.onnx", name = local);
    let [here] = *local::Model::new().run(&[x]);
    let [in_match] = *inner::r#match::Model::new().run(&[x]);
    let [in_detector] = *inner::detector::Model::new().run(&[x]);
    let [in_scalar] = *twice::scalar::Model::new().run(&[x]);
    let [in_again] = *twice::again::Model::new().run(&[x]);
    [here, in_match, in_detector, in_scalar, in_again]
}
"#;

/// `NAME` stands for the crate's.
const MAIN: &str =
    "//! Prints what the models say.\nfn main() {\n    println!(\"{:?} {:?}\", NAME::relu(-1.0), NAME::relu(2.0));\n}\n";

#[test]
fn modules_compile_in_the_strictest_crates_of_both_editions() {
    for edition in ["2021", "2024"] {
        let user = User::new(env!("CARGO_TARGET_TMPDIR"), &format!("strict{edition}"), edition);
        for file in models::stored()
            .into_iter()
            .filter(|file| file.path().parent().is_some_and(|folder| folder.ends_with("tests/models")))
        {
            let name = file.path().file_name().expect("it is a file").to_string_lossy().into_owned();
            user.write(&format!("models/{name}"), &file.bytes);
        }
        user.write("src/lib.rs", LIB.as_bytes());
        user.write("src/main.rs", MAIN.replace("NAME", &format!("strict{edition}")).as_bytes());
        assert_eq!(user.run(), "[0.0, 0.0, 0.0, 0.0, 0.0] [2.0, 2.0, 2.0, 2.0, 2.0]", "edition {edition}");
    }
}
