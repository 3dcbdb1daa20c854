//! Finds a toolchain that builds for a bare-metal target: the active one where the target is installed (rustup), else Debian's
//! packages with their standard library in source. Neither is required for the rest of the project.

use crate::command;
use crate::firmware::TARGET_FOLDER;
use anyhow::{Result, bail};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;

const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const LLD: &str = "/usr/bin/ld.lld";

/// One way to build for a target.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// The active toolchain has the target's core library.
    Installed,
    /// Debian's compiler builds the core library itself, and lld links.
    Debian,
}

/// A toolchain that builds for `target`.
pub(crate) struct Toolchain {
    target: String,
    way: Way,
}

impl Toolchain {
    /// The toolchain for `target`, or an error that says what was looked for and how to get it.
    pub(crate) fn find(target: &str) -> Result<Toolchain> {
        let found = |way| Ok(Toolchain { target: target.to_owned(), way });
        if is_installed(target) {
            return found(Way::Installed);
        }
        let missing = missing_from_debian();
        if missing.is_empty() {
            return found(Way::Debian);
        }
        bail!(
            "no toolchain for {target}\n\
             looked for the target in the active toolchain; to install it:\n    \
             rustup target add {target}\n\
             looked for {}; to install them on Debian:\n    \
             apt-get install rustc-web cargo-web rust-web-src libstd-rust-web-dev lld",
            missing.join(", ")
        )
    }

    /// The compiler's name and version.
    pub(crate) fn version(&self) -> Result<String> {
        match self.way {
            Way::Installed => version(active_rustc()),
            Way::Debian => version(DEBIAN_RUSTC),
        }
    }

    /// The command that builds `programs` of the firmware crate at `manifest`, optimized to `level`.
    pub(crate) fn build(&self, manifest: &str, programs: &[&str], level: &str) -> Command {
        let mut command = match self.way {
            Way::Installed => command::cargo(),
            Way::Debian => debian_cargo(&self.target),
        };
        command.args(["build", "--quiet", "--release", "--manifest-path", manifest, "--target", &self.target]);
        command.args(programs.iter().flat_map(|name| ["--bin", name]));
        if self.way == Way::Debian {
            command.arg("-Zbuild-std=core");
        }
        // Incremental code is other code, whatever the user's shell asks for.
        command.env("CARGO_INCREMENTAL", "0");
        command.env("CARGO_TARGET_DIR", command::root().join(TARGET_FOLDER)).env("CARGO_PROFILE_RELEASE_OPT_LEVEL", level);
        command
    }
}

/// What the compiler at `rustc` calls itself, without the date.
fn version(rustc: impl AsRef<OsStr>) -> Result<String> {
    let text = command::output(Command::new(rustc).arg("--version"))?;
    Ok(text.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
}

/// The compiler that belongs to the cargo that runs this program.
fn active_rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

/// Debian's cargo and rustc, whatever rustup put before them in the search path.
fn debian_cargo(target: &str) -> Command {
    let variable = format!("CARGO_TARGET_{}_LINKER", target.to_uppercase().replace('-', "_"));
    let mut command = Command::new("/usr/bin/cargo");
    command.current_dir(command::root());
    command.env("RUSTC", DEBIAN_RUSTC).env("RUSTC_BOOTSTRAP", "1").env(variable, LLD);
    // `cargo xtask` runs with the libraries of the toolchain that built it; those belong to another compiler.
    command.env_remove("LD_LIBRARY_PATH").env_remove("RUSTUP_TOOLCHAIN");
    command
}

fn is_installed(target: &str) -> bool {
    let libraries = command::output(Command::new(active_rustc()).args(["--print", "target-libdir", "--target", target]));
    libraries.is_ok_and(|path| Path::new(path.trim()).is_dir())
}

/// The parts of Debian's way that are not there.
fn missing_from_debian() -> Vec<&'static str> {
    let parts = ["/usr/bin/cargo", DEBIAN_RUSTC, "/usr/lib/rustlib/src/rust/library/core/Cargo.toml", LLD];
    parts.into_iter().filter(|part| !Path::new(part).exists()).collect()
}
