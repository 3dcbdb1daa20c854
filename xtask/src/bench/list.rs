//! `xtask/bench/models.txt`: the models, and what other systems need for them.

use crate::command;
use std::path::{Path, PathBuf};

/// A line of the list.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    /// The model's folder, or a model of the example `wake`.
    pub(crate) name: String,
    pub(crate) target: String,
    /// The other system.
    pub(crate) system: String,
    /// Its instructions, bytes of RAM and bytes of flash, as far as they are known.
    pub(crate) others: [Option<u64>; 3],
    /// The cycles that the vendor's system takes on a chip.
    pub(crate) vendor: Option<u64>,
}

impl Entry {
    /// The model's file.
    pub(crate) fn model(&self, folder: &Path) -> PathBuf {
        match self.name.as_str() {
            name @ ("wake" | "wake_float") => command::root().join(format!("examples/wake/{name}.onnx")),
            name => folder.join(name).join("model.onnx"),
        }
    }

    /// What the macro is told of the model: files whose borders are floats run with the integers behind them.
    pub(crate) fn arguments(&self) -> &'static str {
        if self.name == "wake" { "io = quantized" } else { "" }
    }

    /// Whether all arithmetic of the model is that of integers.
    pub(crate) fn is_integer(&self) -> bool {
        self.name.ends_with("int8")
    }

    /// The chip's short name.
    pub(crate) fn chip(&self) -> &'static str {
        match self.target.as_str() {
            target if target.starts_with("thumbv7em") => "M4F",
            target if target.starts_with("thumbv6m") => "M0",
            _ => "RISC-V",
        }
    }
}

/// The lines of the list that are no comments.
pub(crate) fn read() -> Vec<Entry> {
    let text = include_str!("../../bench/models.txt");
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(entry).collect()
}

fn entry(line: &str) -> Entry {
    let words: Vec<&str> = line.split_whitespace().collect();
    let [name, target, system, numbers @ ..] = &words[..] else { panic!("models.txt: `{line}` is too short") };
    let number = |word: &str| (word != "-").then(|| word.parse().unwrap_or_else(|_| panic!("models.txt: `{word}` is no number")));
    let numbers = numbers.iter().map(|word| number(word)).collect::<Vec<_>>();
    let [instructions, ram, flash, vendor] = numbers[..] else { panic!("models.txt: `{line}` has not four numbers") };
    let [name, target, system] = [name, target, system].map(|word| word.to_string());
    Entry { name, target, system, others: [instructions, ram, flash], vendor }
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::firmware::TARGETS;

    #[test]
    fn the_list_can_be_read() {
        let entries = read();
        assert!(entries.iter().all(|entry| TARGETS.contains(&entry.target.as_str())));
        let keywords = entries.iter().find(|entry| entry.name == "mlperf_kws_dscnn_int8").expect("it is listed");
        assert_eq!(keywords.others, [Some(7_697_714), Some(24_240), Some(106_192)]);
        assert_eq!(keywords.vendor, Some(5_180_000));
    }
}
