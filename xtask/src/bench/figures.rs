//! `xtask/bench/figures.txt`: the figures that were committed, so that a change of one shows where the code that causes it is reviewed.

use crate::bench::list::Entry;
use crate::command;
use crate::firmware::{self, Costs};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;

/// A model that was measured.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) entry: Entry,
    pub(crate) costs: Costs,
}

impl Row {
    /// The row as a line of the file.
    fn line(&self) -> String {
        let Costs { instructions, cycles, arena, stack, code, constants } = self.costs;
        let cycles = cycles.map_or_else(|| "-".to_owned(), |cycles| cycles.to_string());
        let [instructions, arena, stack, code, constants] =
            [instructions, arena, stack, code, constants].map(|number| number.to_string());
        let numbers = [instructions, cycles, arena, stack, code, constants];
        columns(&self.entry.name, &self.entry.target, &numbers)
    }
}

/// The line above the figures.
fn head() -> String {
    columns("# model", "target", &["instructions", "cycles", "arena", "stack", "code", "constants"].map(str::to_owned))
}

fn columns(name: &str, target: &str, numbers: &[String; 6]) -> String {
    let [instructions, cycles, arena, stack, code, constants] = numbers;
    format!("{name:27} {target:28} {instructions:>12} {cycles:>10} {arena:>7} {stack:>6} {code:>7} {constants:>10}")
}

/// What the file holds.
#[derive(Debug)]
pub(crate) struct Committed {
    /// The compiler the figures were measured with; another one counts otherwise.
    pub(crate) compiler: String,
    lines: Vec<String>,
}

fn path() -> PathBuf {
    command::root().join("xtask/bench/figures.txt")
}

impl Committed {
    pub(crate) fn read() -> Result<Committed> {
        let path = path();
        let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Committed::parse(&text)
    }

    fn parse(text: &str) -> Result<Committed> {
        let mut lines = text.lines();
        let compiler = lines.next().and_then(|line| line.strip_prefix("# "));
        let compiler = compiler.context("the first line does not name the compiler")?.to_owned();
        ensure!(lines.next() == Some(&head()), "the second line is not `{}`", head());
        Ok(Committed { compiler, lines: lines.map(str::to_owned).collect() })
    }

    /// Each measured row that differs from the committed one, as lines of a difference.
    pub(crate) fn changes(&self, rows: &[Row]) -> Vec<String> {
        let mut changes = Vec::new();
        for row in rows {
            let line = row.line();
            let key = |line: &str| line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
            let committed = self.lines.iter().find(|committed| key(committed) == key(&line));
            if committed != Some(&line) {
                changes.extend(committed.map(|committed| format!("- {committed}")));
                changes.push(format!("+ {line}"));
            }
        }
        changes
    }
}

/// Replaces the file.
pub(crate) fn write(rows: &[Row]) -> Result<()> {
    let compiler = firmware::compiler(firmware::DEFAULT_TARGET)?;
    let lines: Vec<String> = rows.iter().map(Row::line).collect();
    std::fs::write(path(), format!("# {compiler}\n{}\n{}\n", head(), lines.join("\n")))?;
    println!("wrote {} figures to {}", rows.len(), path().display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Committed, Row, head};
    use crate::bench::list;
    use crate::firmware::Costs;

    #[test]
    fn what_changed_shows() {
        let costs = Costs { instructions: 100, cycles: Some(120), arena: 10, stack: 8, code: 7, constants: 5 };
        let row = Row { entry: list::read().remove(0), costs };
        let text = format!("# rustc 1\n{}\n{}\n", head(), row.line());
        let committed = Committed::parse(&text).expect("the file is right");
        assert_eq!(committed.compiler, "rustc 1");
        assert!(committed.changes(std::slice::from_ref(&row)).is_empty());

        let slower = Row { entry: row.entry.clone(), costs: Costs { instructions: 101, ..costs } };
        assert_eq!(committed.changes(&[slower]).len(), 2, "the old line and the new one");
        let other = Row { entry: list::read().remove(1), costs };
        assert_eq!(committed.changes(&[other]).len(), 1, "it was not there");
    }
}
