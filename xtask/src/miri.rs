//! `cargo xtask miri`: the tests of the runtime's `unsafe` under Miri, which sees every access that Rust does not allow.
//!
//! Micro-kernels are assembly, which Miri cannot run; `cargo xtask firmware layers` compares all memory around what they write, on the chip.

use crate::command;
use anyhow::{Result, bail};
use std::process::Command;

pub(crate) const USAGE: &str = "
      runs the tests of the runtime under Miri, of a nightly toolchain that has the components `miri` and `rust-src`";

/// Pointers are made of pointers only, and are aligned because they must be and not by chance.
const FLAGS: &str = "-Zmiri-strict-provenance -Zmiri-symbolic-alignment-check";

pub(crate) fn run(_: &[String]) -> Result<()> {
    if let Some(missing) = missing() {
        bail!("there is no Miri: {missing}");
    }
    let mut miri = Command::new("rustup");
    miri.args(["run", "nightly", "cargo", "miri", "test", "--quiet", "--package", "model-runtime", "--lib"]);
    // A folder of its own, as other flags are part of what is built.
    miri.args(["--target-dir", "target/miri"]).env_remove("CARGO").env_remove("RUSTC").env_remove("RUSTUP_TOOLCHAIN");
    command::run(miri.env("MIRIFLAGS", FLAGS).current_dir(command::root()))
}

/// What is missing for Miri on this machine.
pub(crate) fn missing() -> Option<String> {
    let listed = command::output(Command::new("rustup").args(["component", "list", "--installed", "--toolchain", "nightly"]));
    let Ok(listed) = listed else { return Some("`rustup component list --toolchain nightly` fails".to_owned()) };
    let absent = ["miri", "rust-src"].into_iter().find(|name| !listed.lines().any(|line| line.starts_with(name)));
    absent.map(|name| format!("`rustup component list --toolchain nightly` has no installed `{name}`"))
}
