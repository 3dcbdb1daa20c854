//! Programs of models that the macro compiles, many models a crate: for suites of more models than one would write tests for.
//!
//! A case is a folder with models and the bytes of their inputs, `input_K.bin`; a program writes `computed_FORM_K.bin` beside them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Cases a crate: few enough that crates are built side by side, enough that few programs are linked.
pub const CASES: usize = 100;

/// One form of a case, to be compiled and run.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The case's name.
    pub case: &'a str,
    /// Which of its files, without `.onnx`.
    pub form: &'static str,
    /// How many inputs a run is given.
    pub inputs: usize,
}

/// The file beside the model to which output `index` is written.
pub fn output_file(form: &str, index: usize) -> String {
    format!("computed_{form}_{index}.bin")
}

/// Builds and runs the programs of cases in `folder`, `size` a crate, in crates beside it; the outputs lie in files then. Of what fails,
/// that which is built and run says why.
///
/// # Panics
/// When the folder cannot be written to.
pub fn run(folder: &Path, programs: &[Program], size: usize) {
    if programs.is_empty() {
        return;
    }
    forget_outputs(folder, programs);
    let workspace = folder.with_file_name("crates");
    let chunks: Vec<&[Program]> = programs.chunks(size).collect();
    write_workspace(&workspace, chunks.len());
    for (number, chunk) in chunks.iter().enumerate() {
        write_crate(&workspace.join(format!("cases{number}")), folder, chunk);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--keep-going", "--target-dir", "target"]).env_remove("CARGO_TARGET_DIR");
    // What does not build has no outputs, and so is found below.
    build.current_dir(&workspace).status().expect("cargo starts");
    for number in 0..chunks.len() {
        let program = program(&workspace, number);
        if let Err(error) = Command::new(&program).arg(folder).status() {
            eprintln!("{}: {error}", program.display());
        }
    }
}

/// The program of a crate.
fn program(workspace: &Path, number: usize) -> PathBuf {
    workspace.join(format!("target/debug/cases{number}{}", std::env::consts::EXE_SUFFIX))
}

/// Removes what another run has written.
fn forget_outputs(folder: &Path, programs: &[Program]) {
    for Program { case, form, .. } in programs {
        let outputs = (0..).map(|index| folder.join(case).join(output_file(form, index)));
        for output in outputs.take_while(|output| output.exists()) {
            fs::remove_file(output).expect("target can be written to");
        }
    }
}

fn write_workspace(workspace: &Path, crates: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace");
    let members: Vec<String> = (0..crates).map(|number| format!("\"cases{number}\"")).collect();
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[workspace.dependencies]\nmodel-runtime.path = {:?}\n\n\
         [profile.dev]\nopt-level = 0\ndebug = 0\nincremental = false\n",
        members.join(", "),
        root.join("model-runtime"),
    );
    fs::create_dir_all(workspace).expect("target can be written to");
    write(&workspace.join("Cargo.toml"), &manifest);
    write(&workspace.join("run.rs"), include_str!("programs/run.rs"));
    // A program that is there before the crate is built has other cases.
    for number in 0.. {
        if fs::remove_file(program(workspace, number)).is_err() && number >= crates {
            break;
        }
    }
    let lock = fs::read_to_string(root.join("Cargo.lock")).expect("the workspace has a lock file");
    if !workspace.join("Cargo.lock").exists() {
        write(&workspace.join("Cargo.lock"), &lock);
    }
}

fn write_crate(folder: &Path, cases: &Path, programs: &[Program]) {
    let cases = cases.file_name().expect("the folder of the cases has a name").to_string_lossy();
    let (mut modules, mut list) = (String::new(), String::new());
    for (number, Program { case, form, inputs }) in programs.iter().enumerate() {
        let model = format!("../../../{cases}/{case}/{form}.onnx");
        modules += &format!("mod case{number} {{ model_runtime::include_model!({model:?}, name = model); }}\n");
        list += &format!(
            "    Case {{ name: {case:?}, form: {form:?}, inputs: {inputs}, model: || Box::new(case{number}::model::Model::new()) }},\n"
        );
    }
    let main = format!(
        "//! Some of the cases.\n\n#[path = \"../../run.rs\"]\nmod run;\n\nuse run::Case;\n\n{modules}\nconst CASES: &[Case] = &[\n{list}];\n\n\
         fn main() {{\n    run::all(CASES);\n}}\n"
    );
    let name = folder.file_name().expect("a crate's folder has a name").to_string_lossy();
    let manifest = format!("[package]\nname = {name:?}\nedition = \"2024\"\n\n[dependencies]\nmodel-runtime.workspace = true\n");
    fs::create_dir_all(folder.join("src")).expect("target can be written to");
    write(&folder.join("Cargo.toml"), &manifest);
    write(&folder.join("src/main.rs"), &main);
}

/// Writes a file unless it is there as it is, so that nothing is built anew without need.
fn write(path: &Path, contents: &str) {
    if fs::read_to_string(path).is_ok_and(|there| there == contents) {
        return;
    }
    fs::write(path, contents).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
