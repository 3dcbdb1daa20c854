//! The program under `target/zoo` into which the macro compiles all models at once.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::manifest::Entry;

/// What the macro says that a model costs.
#[derive(Clone, Copy, Debug)]
pub struct Costs {
    pub ram_bytes: usize,
    pub weight_bytes: usize,
    pub macs: u64,
}

/// The built program.
pub struct Program(PathBuf);

impl Program {
    /// Writes the crate and builds it; `None` where it does not build, as the compiler has said.
    pub fn build<'a>(root: &Path, entries: impl Iterator<Item = (&'a Entry, PathBuf)>) -> Option<Self> {
        let folder = root.join("target/zoo");
        fs::create_dir_all(folder.join("src")).expect("target can be written to");
        fs::create_dir_all(folder.join("models")).expect("target can be written to");
        let (mut includes, mut all) = (String::new(), String::new());
        for (entry, path) in entries {
            let (name, arguments) = (&entry.name, entry.arguments());
            copy(&path, &folder.join(format!("models/{name}.onnx")));
            includes += &format!("model_runtime::include_model!(\"models/{name}.onnx\", {arguments});\n");
            all += &format!("        Box::new({name}::Model::new()),\n");
        }
        let models = format!(
            "//! The models.\n\n{includes}\n/// One of each.\npub fn all() -> Vec<Box<dyn model_runtime::Model>> {{\n    vec![\n{all}    ]\n}}\n"
        );
        write(&folder.join("src/models.rs"), &models);
        write(&folder.join("src/main.rs"), include_str!("run.rs"));
        write(&folder.join("Cargo.toml"), cargo_toml(&root.join("model-runtime")));
        copy(&root.join("Cargo.lock"), &folder.join("Cargo.lock"));
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo).args(["build", "--quiet", "--target-dir", "target"]).current_dir(&folder).status();
        let program = folder.join("target/debug").join(format!("zoo{}", std::env::consts::EXE_SUFFIX));
        status.expect("cargo starts").success().then_some(Self(program))
    }

    /// The costs of every model, by name.
    pub fn costs(&self) -> HashMap<String, Costs> {
        let listing = String::from_utf8(self.run(&[], &[]).expect("the listing needs no model")).expect("it is text");
        let costs = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            let [name, ram_bytes, weight_bytes, macs] = words[..] else { panic!("the program printed `{line}`") };
            let number = |word: &str| word.parse::<usize>().expect("a cost is a number");
            let costs = Costs { ram_bytes: number(ram_bytes), weight_bytes: number(weight_bytes), macs: number(macs) as u64 };
            (name.to_owned(), costs)
        };
        listing.lines().map(costs).collect()
    }

    /// The bytes of all outputs for those of all inputs, sample after sample; `None` when the model failed, as it has said.
    pub fn outputs(&self, name: &str, inputs: &[u8]) -> Option<Vec<u8>> {
        self.run(&[name], inputs)
    }

    fn run(&self, arguments: &[&str], input: &[u8]) -> Option<Vec<u8>> {
        let mut command = Command::new(&self.0);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
        // The program reads all of it before it writes, so that neither waits for the other; that it ends early shows below.
        let _ = child.stdin.take().expect("it is piped").write_all(input);
        let output = child.wait_with_output().expect("the program ends");
        output.status.success().then_some(output.stdout)
    }
}

/// Optimized, as the models compute for seconds otherwise, but little, as they compile for minutes otherwise.
fn cargo_toml(runtime: &Path) -> String {
    format!(
        "[package]\nname = \"zoo\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\nmodel-runtime.path = {runtime:?}\n\n\
         [profile.dev]\nopt-level = 1\ndebug = 0\nincremental = false\n"
    )
}

/// Copies a file unless it is there as it is, so that nothing is built anew without need.
fn copy(from: &Path, to: &Path) {
    let bytes = fs::read(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    write(to, &bytes);
}

fn write(path: &Path, contents: impl AsRef<[u8]>) {
    if fs::read(path).is_ok_and(|there| there == contents.as_ref()) {
        return;
    }
    fs::write(path, contents).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
