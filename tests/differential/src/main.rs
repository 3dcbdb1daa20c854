//! Holds compiled random models to ONNX Runtime.
//!
//! `model-differential FOLDER PYTHON [--seed S] [--from INDEX] COUNT`: `cargo xtask differential` calls it. Models are drawn by their seed and number, until as many as are
//! asked for could be compared. Each disagreement is made small, and lies in the folder `found` beside FOLDER then, with what to keep as a test.

mod cases;
mod check;
mod compare;
mod draft;
mod draw;
mod random;
mod reference;
mod shrink;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::cases::Case;
use crate::check::Verdict;
use crate::reference::References;

/// Models that are compiled before the next are drawn.
const BATCH: usize = 1000;
/// Disagreements that are made small; more are likely of the same cause.
const SHRUNK: usize = 5;

fn main() -> ExitCode {
    let Some(arguments) = Arguments::read(std::env::args().skip(1)) else {
        eprintln!("usage: model-differential FOLDER PYTHON [--seed S] [--from INDEX] COUNT");
        return ExitCode::FAILURE;
    };
    let references = References::new(arguments.python.clone());
    let mut counts = Counts::default();
    let mut wrong = Vec::new();
    let mut index = arguments.from;
    while counts.compared < arguments.count {
        let wanted = (arguments.count - counts.compared).min(BATCH);
        let _ = fs::remove_dir_all(&arguments.folder);
        let mut cases = Vec::new();
        while cases.len() < wanted {
            if let Some(drawn) = draw::draw(arguments.seed, index) {
                cases.push(Case::write(&arguments.folder, &format!("seed{}_{index}", arguments.seed), &drawn));
            }
            index += 1;
        }
        let verdicts = check::all(&arguments.folder, &cases, &references);
        for (case, verdict) in cases.iter().zip(verdicts) {
            if let Some(reason) = counts.count(verdict) {
                println!("{}: {reason}", case.name);
                let (small, reason) = match wrong.len() < SHRUNK {
                    true => shrink::shrink(&arguments.folder, case, &reason, &references),
                    false => (case.clone(), reason),
                };
                wrong.push(keep(&arguments.folder, case, &small, &reason, &references));
            }
        }
        println!("{} compared", counts.compared);
    }
    counts.print();
    if wrong.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("{} disagree, made small:\n{}", wrong.len(), wrong.join("\n"));
    println!("tests/differential/kept/README.md says how they become tests");
    ExitCode::FAILURE
}

/// What is asked for.
struct Arguments {
    folder: PathBuf,
    python: PathBuf,
    seed: u64,
    from: u64,
    count: usize,
}

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let (folder, python) = (words.next()?.into(), words.next()?.into());
        let mut arguments = Self { folder, python, seed: 1, from: 0, count: 0 };
        while let Some(word) = words.next() {
            match word.as_str() {
                "--seed" => arguments.seed = words.next()?.parse().ok()?,
                "--from" => arguments.from = words.next()?.parse().ok()?,
                count => arguments.count = count.parse().ok()?,
            }
        }
        Some(arguments)
    }
}

/// How many models ended how.
#[derive(Default)]
struct Counts {
    compared: usize,
    rejected: BTreeMap<String, usize>,
    refused: BTreeMap<String, usize>,
}

impl Counts {
    /// Counts a model, and returns what is wrong with it.
    fn count(&mut self, verdict: Verdict) -> Option<String> {
        match verdict {
            Verdict::Rejected(reason) => *self.rejected.entry(reason).or_default() += 1,
            Verdict::Refused(reason) => *self.refused.entry(reason).or_default() += 1,
            Verdict::Agrees => self.compared += 1,
            Verdict::Wrong(reason) => {
                self.compared += 1;
                return Some(reason);
            }
        }
        None
    }

    fn print(&self) {
        for (title, reasons) in [("not taken by ONNX Runtime", &self.rejected), ("refused by the compiler", &self.refused)] {
            println!("{title}: {}", reasons.values().sum::<usize>());
            let mut lines: Vec<(usize, &str)> = reasons.iter().map(|(reason, count)| (*count, reason.as_str())).collect();
            lines.sort_by(|one, other| other.cmp(one));
            lines.iter().for_each(|(count, reason)| println!("{count:>6}  {}", reason.chars().take(180).collect::<String>()));
        }
    }
}

/// Puts a case where it stays, with what a test needs, and returns a line about it.
fn keep(folder: &Path, case: &Case, small: &Case, reason: &str, references: &References) -> String {
    let found = folder.with_file_name("found");
    let kept = Case::write(&found, &case.name, &small.drawn());
    if let Err(reason) = references.store(&kept) {
        return format!("{}: {reason}", case.name);
    }
    let text = kept.read("model.txt").map(|text| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default();
    format!("{}: {reason}\n{text}", kept.folder().display())
}
