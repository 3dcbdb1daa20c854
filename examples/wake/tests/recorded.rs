//! Recordings of people, which lie outside of the repository: in `../shared/audio`, or where the variable `WAKE_AUDIO` says.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

fn folder() -> PathBuf {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/audio");
    std::env::var_os("WAKE_AUDIO").map_or(beside, PathBuf::from)
}

/// What the program says of each recording.
#[test]
fn the_word_is_heard_and_others_are_not() {
    for (name, expected) in [
        ("marvin", "heard marvin once"),
        ("yes_1000ms", "heard nothing"),
        ("no_1000ms", "heard nothing"),
        ("noise_1000ms", "heard nothing"),
        ("silence_1000ms", "heard nothing"),
    ] {
        let path = folder().join(format!("{name}.wav"));
        if !path.is_file() {
            // Past the test harness, which hides what a passing test prints.
            let _ = writeln!(std::io::stderr(), "skipped: there is no {}", path.display());
            continue;
        }
        let output = Command::new(env!("CARGO_BIN_EXE_wake")).arg(&path).output().expect("the program runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.contains(expected), "{name}: {said}");
    }
}
