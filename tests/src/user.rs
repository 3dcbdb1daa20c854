//! A user's crate, written to the disk and built by cargo: what only a crate of its own can show.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A crate in the target directory, which shares what is built there. It knows the runtime as `nn`.
pub struct User {
    folder: PathBuf,
    target: PathBuf,
}

impl User {
    /// A crate of this name and edition; `temporary` is the test's `CARGO_TARGET_TMPDIR`.
    pub fn new(temporary: &str, name: &str, edition: &str) -> Self {
        let user = Self { folder: Path::new(temporary).join(name), target: Path::new(temporary).join("..") };
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("`tests` lies in the workspace");
        let manifest = format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = {edition:?}\n\n[workspace]\n\n[dependencies]\n\
             nn = {{ package = \"model-runtime\", path = {:?} }}\n",
            workspace.join("model-runtime")
        );
        user.write("Cargo.toml", manifest.as_bytes());
        user.write("Cargo.lock", &fs::read(workspace.join("Cargo.lock")).expect("the workspace has one"));
        user
    }

    /// Writes a file of the crate.
    pub fn write(&self, path: &str, contents: &[u8]) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().expect("it lies in the folder")).expect("the target directory can be written");
        fs::write(path, contents).expect("the target directory can be written");
    }

    /// Builds and runs the crate, and returns what it prints.
    pub fn run(&self) -> String {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["run", "--quiet", "--offline", "--target-dir"]).arg(&self.target);
        let output = cargo.current_dir(&self.folder).output().expect("cargo is there, as it runs this test");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}
