//! `cargo xtask zoo`: real models of other people against their recorded outputs, and what each costs on a chip.

use crate::command::{self, cargo};
use crate::firmware::{self, grouped, panics};
use anyhow::Result;
use std::collections::HashMap;
use std::path::absolute;

pub(crate) const USAGE: &str = "[FOLDER]
      compile and run the models of tests/zoo.txt, which lie in FOLDER (default: $MODEL_ZOO, or ../shared/models), and measure each on an
      emulated Cortex-M4";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let folder = arguments.first().map_or_else(|| Ok(command::zoo()), absolute)?;
    let mut test = cargo();
    test.args(["test", "--quiet", "--package", "model-tests", "--test", "zoo"]).env("MODEL_ZOO", &folder);
    let found = command::output(&mut test)?;
    print!("{found}");
    if !folder.is_dir() {
        return Ok(());
    }
    let errors: HashMap<&str, String> = found.lines().filter_map(error).collect();
    println!("\n| model | largest error | M4 instructions | cycles, estimated | RAM | flash |\n|---|--:|--:|--:|--:|--:|");
    for entry in panics::zoo(&folder)? {
        let error = errors.get(entry.name.as_str()).map_or("–", String::as_str);
        let costs = match firmware::costs(&entry.path, firmware::DEFAULT_TARGET, &entry.arguments) {
            Ok(costs) => {
                let numbers = [Some(costs.instructions), costs.cycles, Some(costs.ram()), Some(costs.flash())];
                numbers.map(|number| number.map_or_else(|| "–".to_owned(), grouped)).join(" | ")
            }
            // A model may be larger than the emulated chip's memory; its outputs are as they should be all the same.
            Err(reason) => format!("not measured: {} | | | ", format!("{reason:#}").lines().next().unwrap_or_default()),
        };
        println!("| {} | {error} | {costs} |", entry.name);
    }
    Ok(())
}

/// The model and its largest error, of a line of the test: `name, error, RAM, bound, weights, MACs`, of which only the error has spaces.
fn error(line: &str) -> Option<(&str, String)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, error @ .., ram, _, _, _] = &words[..] else { return None };
    ram.parse::<u64>().is_ok().then(|| (*name, error.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::error;

    #[test]
    fn errors_are_found_in_what_the_test_prints() {
        let line = "sww_int8   1.2e-3, 1 steps   4056   3664   58624   650000";
        assert_eq!(error(line), Some(("sww_int8", "1.2e-3, 1 steps".to_owned())));
        assert_eq!(error("model   largest error   RAM   bound   weights   MACs"), None);
    }
}
