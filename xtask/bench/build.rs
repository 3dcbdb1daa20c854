//! Links for the emulated board, and writes the `include_model!` of the model that the variable `MODEL` names; `ARGUMENTS` holds further
//! arguments of the macro.

use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=MODEL");
    println!("cargo::rerun-if-env-changed=ARGUMENTS");
    println!("cargo::rerun-if-env-changed=MODELS");
    let board = match variable("CARGO_CFG_TARGET_ARCH").as_str() {
        _ if !variable("MODELS").is_empty() => "unlimited",
        "riscv32" => "virt",
        _ => "mps2",
    };
    println!("cargo::rerun-if-changed=boards/{board}/memory.x");
    println!("cargo::rustc-link-search={}/boards/{board}", variable("CARGO_MANIFEST_DIR"));
    println!("cargo::rustc-link-arg-bins=-Tlink.x");

    let path = variable("MODEL");
    println!("cargo::rerun-if-changed={path}");
    let arguments = variable("ARGUMENTS");
    let include = format!("model_runtime::include_model!({path:?}, name = model, {arguments});\n");
    fs::write(PathBuf::from(variable("OUT_DIR")).join("model.rs"), include).expect("the build directory can be written");
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_default()
}
