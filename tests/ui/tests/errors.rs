//! What users of the macro see when something is wrong: the cases are the files in the folder above, each with the compiler's exact
//! words in its `.stderr`.
//!
//! Each case uses its module as if nothing were wrong, so that its `.stderr` also shows that the user sees no error but the first.
//! `cargo xtask bless` writes the `.stderr` files anew, on the compiler named in `RUSTC`.

use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Messages of rustc change from version to version; ours would only be compared in passing.
#[test]
fn errors() {
    let expected = include_str!("../RUSTC").trim();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().expect("rustc is there, as it compiled this test").stdout;
    let version = String::from_utf8_lossy(&version);
    if version.split(' ').nth(1) != Some(expected) {
        skipped(&format!("the messages are those of rustc {expected}; this is {}", version.trim()));
        return;
    }
    // One case names its absolute path, of which the harness knows the part that is the workspace's.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("this lies in `tests/ui`");
    if !Path::new(env!("CARGO_TARGET_TMPDIR")).starts_with(workspace) {
        skipped("the target directory lies outside of the workspace, so that paths in messages differ");
        return;
    }
    trybuild::TestCases::new().compile_fail("*.rs");
}

/// Says so past the test harness, which hides what a passing test prints.
fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}
