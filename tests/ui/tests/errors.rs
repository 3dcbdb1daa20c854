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

/// Texts of the macro that no case can show: what a panic of the compiler says, which `errors.rs` tests, and files that exist but cannot be
/// read, which depends on the system.
const NOT_SHOWN: [&str; 7] = [
    "a panic without a message",
    "internal error: {}",
    "internal error: ",
    "; please report this model",
    "please report this model",
    "`{}` cannot be read: {error}",
    "check the file's permissions",
];

/// What the macro itself says of its arguments and files, message and help, stands in the `.stderr` of a case.
#[test]
fn every_message_of_the_macro_has_a_case() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = contents(folder, "stderr");
    let sources = contents(&folder.join("../../model-macro/src"), "rs");
    let texts = sources.iter().flat_map(|source| texts(source.split("#[cfg(test)]").next().unwrap_or_default()));
    let missing: Vec<String> =
        texts.filter(|text| !NOT_SHOWN.contains(&text.as_str()) && !cases.iter().any(|case| says(case, text))).collect();
    assert!(missing.is_empty(), "no case shows {missing:#?}");
}

/// The files with this extension in a folder and below.
fn contents(folder: &Path, extension: &str) -> Vec<String> {
    let entries =
        std::fs::read_dir(folder).expect("the sources are there").map(|entry| entry.expect("a folder can be read").path());
    let files = entries.flat_map(|path| match path.is_dir() {
        true => contents(&path, extension),
        false if path.extension().is_some_and(|found| found == extension) => {
            vec![std::fs::read_to_string(path).expect("it is text")]
        }
        false => Vec::new(),
    });
    files.collect()
}

/// The string literals of a source that are made of words.
fn texts(source: &str) -> Vec<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    // A quote within a literal would end it for this.
    let literals = code.flat_map(|line| {
        let line = line.replace("\\\"", "\0");
        line.split('"').skip(1).step_by(2).map(|literal| literal.replace('\0', "\"")).collect::<Vec<_>>()
    });
    literals.filter(|literal| literal.split(' ').filter(|word| !word.is_empty()).count() > 1).collect()
}

/// Whether a report holds the fixed parts of a format string, one after another.
fn says(report: &str, format: &str) -> bool {
    let mut rest = report;
    format.split('{').map(|part| part.split_once('}').map_or(part, |(_, fixed)| fixed)).all(|part| {
        let found = rest.find(part);
        rest = &rest[found.map_or(0, |at| at + part.len())..];
        found.is_some()
    })
}

/// Says so past the test harness, which hides what a passing test prints.
fn skipped(reason: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
}
