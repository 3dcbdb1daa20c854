//! `cargo xtask messages`: that every message of the compiler has a case. Tests write down where the messages that they see are made; these
//! places are compared with the ones in the sources.

use crate::command::{self, cargo};
use anyhow::{Result, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const USAGE: &str = "
      runs the tests that look at messages, and names the places in the compiler that make one which none of them sees";

/// The tests of whole models that look at messages. Those of hostile files are not among them, as they do not read what is said.
const TESTS: [&str; 7] = ["arguments", "borders", "control", "encodings", "files", "golden", "import"];

/// What only a compiler without the feature `npz` says; `tests/ui/verify_without_feature.rs` shows it.
const WITHOUT_FEATURE: &str = "as this build has no reader of `.npz` files";

/// What makes a message.
const CALLS: [&str; 2] = ["Refusal::new(", "Diagnostic::new("];

pub(crate) fn run(_: &[String]) -> Result<()> {
    let file = command::root().join(format!("target/messages-{}.txt", std::process::id()));
    fs::create_dir_all(command::root().join("target"))?;
    let mut tests = cargo();
    tests.args(["test", "--quiet", "--package", "model-compiler", "--package", "model-tests", "--lib"]);
    tests.args(TESTS.iter().flat_map(|name| ["--test", name])).env("MESSAGES_SEEN", &file);
    command::run(&mut tests)?;
    let lines = fs::read_to_string(&file)?;
    fs::remove_file(&file)?;
    let seen: BTreeSet<&str> = lines.lines().collect();

    let mut places = Vec::new();
    for path in sources(&command::root().join("model-compiler/src"))? {
        let name = path.strip_prefix(command::root())?.to_string_lossy().replace('\\', "/");
        places.extend(makers(&name, &fs::read_to_string(&path)?));
    }
    let unseen: Vec<&str> = places.iter().map(String::as_str).filter(|place| !seen.contains(place)).collect();
    println!("{} places make messages, {} of them unseen", places.len(), unseen.len());
    ensure!(unseen.is_empty(), "no test sees the messages of\n{}", unseen.join("\n"));
    Ok(())
}

/// The Rust files below a folder, in order.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The places in a file that make a message, as the compiler writes places; tests stand last in a file.
fn makers(name: &str, text: &str) -> Vec<String> {
    let compiled = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let next = |number: usize| compiled.lines().nth(number + 1).unwrap_or_default();
    let in_line = |(number, line): (usize, &str)| {
        if next(number).contains(WITHOUT_FEATURE) {
            return Vec::new();
        }
        let found = CALLS.iter().flat_map(|call| line.match_indices(call));
        let place = |(at, _): (usize, &str)| format!("{name}:{}:{}", number + 1, line[..at].chars().count() + 1);
        found.map(place).collect::<Vec<_>>()
    };
    compiled.lines().enumerate().flat_map(in_line).collect()
}

#[cfg(test)]
mod tests {
    use super::makers;

    #[test]
    fn messages_are_found_where_they_are_made() {
        let text = "let x = y\n    .ok_or(Refusal::new(\"a\", \"b\"))?;\n#[cfg(test)]\nmod tests {\n    Diagnostic::new(\"c\", \"d\");\n}\n";
        assert_eq!(makers("src/x.rs", text), ["src/x.rs:2:12"]);
    }
}
