//! `cargo xtask bench`: what known models cost on the emulated chip, beside other systems' figures and those that were committed.

mod figures;
mod host;
mod list;

use crate::command;
use crate::firmware::{self, grouped};
use anyhow::{Result, bail};
use figures::{Committed, Row};
pub(crate) use host::MANIFEST as HOST_MANIFEST;
use std::fmt::Display;
use std::path::Path;

pub(crate) const USAGE: &str = "[FOLDER] [--check|--bless|--steady|--host]
      instructions, estimated cycles, RAM and flash of the models in xtask/bench/models.txt, which lie in FOLDER (default: $MODEL_ZOO, or
      ../shared/models), beside those of other systems; `--check` compares with xtask/bench/figures.txt, which `--bless` writes;
      `--steady` holds integer models to one time for every input, on all chips;
      `--host` measures time on this computer beside ONNX Runtime's";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut folder = None;
    let mut options = Vec::new();
    for word in arguments {
        match word.as_str() {
            "--check" | "--bless" | "--steady" | "--host" => options.push(word.as_str()),
            _ if word.starts_with('-') => bail!("unknown option `{word}`\nusage: cargo xtask bench {USAGE}"),
            _ => folder = Some(std::path::absolute(word)?),
        }
    }
    let folder = folder.unwrap_or_else(command::zoo);
    match options[..] {
        [] => show(&measure(&folder)?),
        ["--check"] => {
            if let Some(reason) = check(&folder)? {
                println!("skipped: {reason}");
            }
        }
        ["--steady"] => steady(&folder)?,
        ["--host"] => host::run(&folder)?,
        ["--bless"] => figures::write(&measure(&folder)?)?,
        _ => bail!("`{}` exclude each other\nusage: cargo xtask bench {USAGE}", options.join("` and `")),
    }
    Ok(())
}

/// Compares what can be measured here with what was committed. Returns why nothing can be, if so.
pub(crate) fn check(folder: &Path) -> Result<Option<String>> {
    let committed = Committed::read()?;
    let compiler = firmware::compiler(firmware::DEFAULT_TARGET)?;
    if compiler != committed.compiler {
        return Ok(Some(format!("the figures were measured with {}; this is {compiler}", committed.compiler)));
    }
    let changes = committed.changes(&measure(folder)?);
    if !changes.is_empty() {
        bail!("figures changed; if that is meant, `cargo xtask bench --bless` writes them anew:\n{}", changes.join("\n"));
    }
    Ok(None)
}

/// Holds each integer model of the list to one time for every input, on each chip whose tools are there, and says how far times are apart.
pub(crate) fn steady(folder: &Path) -> Result<()> {
    let mut entries = list::read();
    // Some stand there for several chips.
    entries.retain(|entry| entry.is_integer() && entry.target == firmware::DEFAULT_TARGET && entry.model(folder).is_file());
    let mut failed = Vec::new();
    for target in firmware::TARGETS.into_iter().filter(|target| firmware::tools(target).is_ok()) {
        for entry in &entries {
            match firmware::steady::hold(&entry.model(folder), target, entry.arguments()) {
                Ok(spread) => println!("{:26} {spread}", entry.name),
                Err(error) => failed.push(format!("{}: {error:#}", entry.name)),
            }
        }
    }
    match failed.is_empty() {
        true => Ok(()),
        false => bail!("time depends on data:\n{}", failed.join("\n")),
    }
}

/// [`check`] for the models where they lie without being told.
pub(crate) fn check_default() -> Result<Option<String>> {
    check(&command::zoo())
}

/// [`steady`] for the same.
pub(crate) fn steady_default() -> Result<()> {
    steady(&command::zoo())
}

/// Measures each model that is there, says which are not, and fails behind the last where one cannot be measured.
fn measure(folder: &Path) -> Result<Vec<Row>> {
    let (mut rows, mut failed) = (Vec::new(), Vec::new());
    for entry in list::read() {
        let model = entry.model(folder);
        if !model.is_file() {
            println!("{} is left out, as there is no {}", entry.name, model.display());
            continue;
        }
        match firmware::costs(&model, &entry.target, entry.arguments()) {
            Ok(costs) => rows.push(Row { entry, costs }),
            Err(error) => failed.push(format!("{} on {}: {error:#}", entry.name, entry.target)),
        }
    }
    if !failed.is_empty() {
        show(&rows);
        bail!("not measured:\n{}", failed.join("\n"));
    }
    Ok(rows)
}

/// Prints the table as Markdown. Cycles are estimates but for the vendor's.
fn show(rows: &[Row]) {
    let [instructions, cycles, ram, flash] = ["instructions", "cycles", "RAM", "flash"];
    println!(
        "{}",
        line(&["model", "chip", instructions, cycles, ram, flash, "other", instructions, ram, flash, "vendor's cycles"])
    );
    println!("{}", line(&["---", "---", "--:", "--:", "--:", "--:", "---", "--:", "--:", "--:", "--:"]));
    for Row { entry, costs } in rows {
        let known = |number: Option<u64>| number.map_or_else(|| "–".to_owned(), grouped);
        let [name, chip, system] = [&entry.name, entry.chip(), &entry.system].map(str::to_owned);
        let [instructions, ram, flash] = [costs.instructions, costs.ram(), costs.flash()].map(grouped);
        let [cycles, vendor] = [costs.cycles, entry.vendor].map(known);
        let ours = [name, chip, instructions, cycles, ram, flash, system];
        let words: Vec<String> = ours.into_iter().chain(entry.others.map(known)).chain([vendor]).collect();
        println!("{}", line(&words));
    }
}

/// A line of the table: what is text stands on the left of its column, a number on the right.
fn line(words: &[impl Display]) -> String {
    const TEXTS: [usize; 3] = [0, 1, 6];
    const WIDTHS: [usize; 11] = [26, 6, 12, 10, 7, 9, 10, 12, 7, 7, 15];
    let cells = words.iter().zip(WIDTHS).enumerate().map(|(index, (word, width))| match TEXTS.contains(&index) {
        true => format!("{word:width$}"),
        false => format!("{word:>width$}"),
    });
    format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
}
