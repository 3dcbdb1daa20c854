//! Compiles each case of the ONNX backend suite by the macro, runs it and compares with the recorded outputs.
//!
//! `model-conformance FOLDER [--bless] [PREFIX]...`: `cargo xtask conformance` calls it with the folder that `cases.py` has filled.
//! Without prefixes of names it takes all cases and holds them to `cases.txt`, which `--bless` writes anew.
//!
//! Each case is taken twice: with its inputs given at run time, and with them as initializers, so that all is folded.

mod cases;
mod check;
mod compare;
mod manifest;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::cases::Case;
use crate::check::Verdict;

fn main() -> ExitCode {
    let (options, words): (Vec<String>, Vec<String>) = std::env::args().skip(1).partition(|word| word.starts_with("--"));
    let [folder, prefixes @ ..] = &words[..] else {
        eprintln!("usage: model-conformance FOLDER [--bless] [PREFIX]...");
        return ExitCode::FAILURE;
    };
    let folder = PathBuf::from(folder);
    let mut cases = cases::read(&folder);
    if !prefixes.is_empty() {
        cases.retain(|case| prefixes.iter().any(|prefix| case.name.starts_with(prefix)));
    }
    let verdicts = check::all(&folder, &cases);
    if !prefixes.is_empty() {
        cases.iter().zip(&verdicts).for_each(|(case, verdict)| println!("{}: {verdict}", case.name));
        return ExitCode::SUCCESS;
    }
    print_counts(&cases, &verdicts);
    manifest::compare(&cases, &verdicts, options.iter().any(|option| option == "--bless"))
}

/// How many cases of each class pass, are refused, and are answered wrongly.
fn print_counts(cases: &[Case], verdicts: &[Verdict]) {
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    for (case, verdict) in cases.iter().zip(verdicts) {
        let column = match verdict {
            Verdict::Passes => 0,
            Verdict::Refused(_) => 1,
            Verdict::Wrong(_) => 2,
        };
        counts.entry(&case.class).or_default()[column] += 1;
    }
    println!("{:24} {:>6} {:>8} {:>6} {:>6}", "class", "passes", "refused", "wrong", "of");
    for (class, [passes, refused, wrong]) in counts {
        println!("{class:24} {passes:>6} {refused:>8} {wrong:>6} {:>6}", passes + refused + wrong);
    }
}
