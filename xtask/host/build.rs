//! Writes the `include_model!` of each model in the variable `MODELS`: lines of a name and a path.

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=MODELS");
    let models = env::var("MODELS").unwrap_or_default();
    let (mut includes, mut all) = (String::new(), String::new());
    for (name, path) in models.lines().filter_map(|line| line.split_once(' ')) {
        println!("cargo::rerun-if-changed={path}");
        includes += &format!("model_runtime::include_model!({path:?}, name = {name});\n");
        all += &format!("Box::new({name}::Model::new()), ");
    }
    let function = format!("fn models() -> Vec<Box<dyn model_runtime::Model>> {{\n    vec![{all}]\n}}\n");
    let folder = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    fs::write(folder.join("models.rs"), includes + &function).expect("the build directory can be written");
}
