//! A user's crate is built again when a model or a file beside it changes.

use model_tests::build::{Build, data_type, external_tensor, tensor};
use model_tests::user::User;

const LIB: &str = r#"//! Two models, found by both rules for paths.

nn::include_model!("beside.onnx");
nn::include_model!("models/rooted.onnx", pub(crate) name = rooted);

/// What both say to zero.
pub fn sums() -> [f32; 2] {
    [beside::Model::new().run(&[0.0])[0], rooted::Model::new().run(&[0.0])[0]]
}
"#;

const MAIN: &str = r#"//! Prints what the models say.
fn main() {
    println!("{:?}", rebuild_user::sums());
}
"#;

/// `y = x + w`
fn sum(w: f32) -> Vec<u8> {
    let model = Build::new(13).input("x", "f32[1]").initializer(tensor("w", &[1], &[w]));
    model.node("Add", &["x", "w"], &["y"]).output("y", "f32[1]").to_bytes()
}

/// `y = x + w`, where `w` lies in a file.
fn sum_with_side_file() -> Vec<u8> {
    let w = external_tensor("w", &[1], data_type("f32"), &[("location", "weights/w.bin")]);
    let model = Build::new(13).input("x", "f32[1]").initializer(w);
    model.node("Add", &["x", "w"], &["y"]).output("y", "f32[1]").to_bytes()
}

#[test]
fn changed_files_rebuild_the_crate() {
    let user = User::new(env!("CARGO_TARGET_TMPDIR"), "rebuild-user", "2024");
    user.write("src/lib.rs", LIB.as_bytes());
    user.write("src/main.rs", MAIN.as_bytes());
    user.write("src/beside.onnx", &sum(1.0));
    user.write("models/rooted.onnx", &sum_with_side_file());
    user.write("models/weights/w.bin", &10.0f32.to_le_bytes());
    assert_eq!(user.run(), "[1.0, 10.0]");
    user.write("src/beside.onnx", &sum(2.0));
    assert_eq!(user.run(), "[2.0, 10.0]", "after the model changed");
    user.write("models/weights/w.bin", &20.0f32.to_le_bytes());
    assert_eq!(user.run(), "[2.0, 20.0]", "after the side file changed");
    user.write("models/rooted.onnx", &sum(30.0));
    assert_eq!(user.run(), "[2.0, 30.0]", "after the model in the manifest directory changed");
}
