//! A user's crate is built again when a model or a file beside it changes.
//!
//! The crate is also as strict as one can be, of an older edition than ours, and knows the runtime by another name.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use model_tests::build::{Build, data_type, external_tensor, tensor};

/// A crate in the target directory, which shares what is built there.
struct User {
    folder: PathBuf,
}

const LIB: &str = r#"//! Two models, found by both rules for paths.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, warnings)]

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

impl User {
    fn new() -> Self {
        let user = Self { folder: Path::new(env!("CARGO_TARGET_TMPDIR")).join("rebuild-user") };
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("`tests` lies in the workspace");
        let manifest = format!(
            "[package]\nname = \"rebuild-user\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\n[workspace]\n\n[dependencies]\n\
             nn = {{ package = \"model-runtime\", path = {:?} }}\n",
            workspace.join("model-runtime")
        );
        user.write("Cargo.toml", manifest.as_bytes());
        user.write("Cargo.lock", &fs::read(workspace.join("Cargo.lock")).expect("the workspace has one"));
        user.write("src/lib.rs", LIB.as_bytes());
        user.write("src/main.rs", MAIN.as_bytes());
        user
    }

    fn write(&self, path: &str, contents: &[u8]) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("the target directory can be written");
        fs::write(path, contents).expect("the target directory can be written");
    }

    /// Builds and runs the crate, and returns what it prints.
    fn run(&self) -> String {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--quiet", "--offline", "--target-dir"]).arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join(".."));
        let output = cargo.current_dir(&self.folder).output().expect("cargo is there, as it runs this test");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

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
    let user = User::new();
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
