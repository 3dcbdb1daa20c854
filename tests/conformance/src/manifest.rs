//! `cases.txt`: what becomes of each case, as committed.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cases::Case;
use crate::check::Verdict;

const HEAD: &str = "\
# What becomes of each case of the ONNX backend suite: its name, its class, and whether it passes or why it is refused.
# `cargo xtask conformance` compares, `cargo xtask conformance --bless` writes it anew.
";

fn path() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/cases.txt"))
}

/// Compares with the manifest, or writes it; a wrong answer fails in any case, and is never written down.
pub fn compare(cases: &[Case], verdicts: &[Verdict], bless: bool) -> ExitCode {
    let committed = fs::read_to_string(path()).unwrap_or_default();
    let lines: Vec<String> =
        cases.iter().zip(verdicts).map(|(case, verdict)| format!("{} ({}): {verdict}", case.name, case.class)).collect();
    let wrong: Vec<&String> =
        lines.iter().zip(verdicts).filter(|(_, verdict)| matches!(verdict, Verdict::Wrong(_))).map(|(line, _)| line).collect();
    wrong.iter().for_each(|line| println!("{line}"));
    if bless && wrong.is_empty() {
        fs::write(path(), format!("{HEAD}{}\n", lines.join("\n"))).expect("the manifest can be written");
        return ExitCode::SUCCESS;
    }
    let changed = changes(&committed, &lines);
    changed.iter().for_each(|change| println!("{change}"));
    if wrong.is_empty() && changed.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{} cases are answered wrongly, {} changed; `--bless` writes the manifest anew", wrong.len(), changed.len());
    ExitCode::FAILURE
}

/// What differs between the manifest and what was found, a line of each.
fn changes(committed: &str, found: &[String]) -> Vec<String> {
    let by_name = |line: &str| line.split_once(' ').map(|(name, rest)| (name.to_owned(), rest.to_owned()));
    let committed: BTreeMap<String, String> =
        committed.lines().filter(|line| !line.starts_with('#')).filter_map(by_name).collect();
    let found: BTreeMap<String, String> = found.iter().filter_map(|line| by_name(line)).collect();
    let mut names: Vec<&String> = committed.keys().chain(found.keys()).collect();
    names.sort();
    names.dedup();
    let none = "no case".to_owned();
    let side = |lines: &BTreeMap<String, String>, name| lines.get(name).unwrap_or(&none).clone();
    let differing = names.into_iter().filter(|&name| committed.get(name) != found.get(name));
    differing.map(|name| format!("{name}: was {}, is {}", side(&committed, name), side(&found, name))).collect()
}

#[cfg(test)]
mod tests {
    use super::changes;

    #[test]
    fn changes_name_both_sides() {
        let committed = "# comment\na (core): passes\nb (core): passes\n";
        let found = ["b (core): refused: x".to_owned(), "c (core): passes".to_owned()];
        assert_eq!(
            changes(committed, &found),
            [
                "a: was (core): passes, is no case",
                "b: was (core): passes, is (core): refused: x",
                "c: was no case, is (core): passes"
            ]
        );
        assert!(changes(committed, &["a (core): passes".to_owned(), "b (core): passes".to_owned()]).is_empty());
    }
}
