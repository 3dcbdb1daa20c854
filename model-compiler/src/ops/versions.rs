//! Holds the catalogue to the versions that ONNX gave its operators: the opsets of a definition reach over no version of which
//! `versions.txt` does not say what is new, and what that asks of the reader has been looked at.

use std::collections::BTreeMap;

use crate::op::{LATEST, definitions};

/// Definitions may begin here whatever the operator's version is: what changed before has not been looked at.
const OLDEST: i64 = 6;

/// The versions of each operator, and whether what is new in them is told.
fn versions() -> BTreeMap<&'static str, BTreeMap<i64, bool>> {
    let lines = include_str!("versions.txt").lines().filter(|line| !line.starts_with('#'));
    let version = |text: &str| {
        let number = text.split(' ').next().and_then(|number| number.parse().ok());
        (number.expect("an entry begins with a version"), text.ends_with(')'))
    };
    let row = |line: &'static str| {
        let (name, versions) = line.split_once(": ").expect("a name and its versions");
        (name, versions.split("; ").map(version).collect())
    };
    lines.map(row).collect()
}

#[test]
fn every_version_was_compared_with_its_reader() {
    let table = versions();
    assert!(include_str!("versions.txt").contains(&format!("up to opset {LATEST},")), "the table ends before opset {LATEST}");
    // Those of other domains count their operator sets apart.
    for definition in definitions().filter(|definition| !definition.name.contains("::")) {
        let (name, start, end) = (definition.name, *definition.opset.start(), *definition.opset.end());
        let versions = table.get(name).unwrap_or_else(|| panic!("versions.txt has no `{name}`"));
        assert!(versions.contains_key(&start) || start == OLDEST, "{name} has no version {start}");
        assert!(versions.contains_key(&(end + 1)) || end == LATEST, "{name} has no version {}", end + 1);
        for (version, told) in versions.iter().filter(|(version, _)| (start + 1..=end).contains(version)) {
            assert!(told, "the definition of {name} from opset {start} on reaches over version {version}; what is new?");
        }
    }
}
