//! How often each block of a firmware's instructions runs: `xtask/profiler`, a plugin of the emulator, counts.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

use crate::command::{self, cargo};
use crate::firmware::PROFILER;
use crate::firmware::qemu::{Line, Qemu};

/// Instructions that ran one after another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Block {
    /// The address of the first.
    pub(super) start: u64,
    /// How many there are.
    pub(super) instructions: u64,
    /// How often they ran.
    pub(super) times: u64,
    /// How often what ran next does not stand behind them.
    pub(super) jumps: u64,
}

impl Block {
    fn parse(line: &str) -> Option<Block> {
        let (start, numbers) = line.split_once(' ')?;
        let numbers: Vec<u64> = numbers.split(' ').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        let [instructions, times, jumps] = numbers[..] else { return None };
        Some(Block { start: u64::from_str_radix(start, 16).ok()?, instructions, times, jumps })
    }
}

/// Runs `program`, and counts what runs from the function at the first address to the one at the second, the last time that happens.
pub(super) fn run(qemu: Qemu, program: &Path, inputs: &[u8], [begin, end]: [u64; 2]) -> Result<(Vec<Line>, Vec<Block>)> {
    let to = program.with_extension("profile");
    // A comma separates the arguments of a plugin; doubled it stands for itself.
    let [plugin, file] = [&build(&qemu)?, &to].map(|path| path.display().to_string().replace(',', ",,"));
    let lines = qemu.with_plugin(format!("{plugin},begin={begin:x},end={end:x},to={file}")).run(program, inputs)?;
    let text = std::fs::read_to_string(&to).with_context(|| format!("the profiler did not write {}", to.display()))?;
    let blocks: Option<Vec<Block>> = text.lines().map(Block::parse).collect();
    let blocks = blocks.filter(|blocks| !blocks.is_empty());
    Ok((lines, blocks.with_context(|| format!("{} is not as the profiler writes it", to.display()))?))
}

/// Builds the plugin for this computer and returns its file.
fn build(qemu: &Qemu) -> Result<PathBuf> {
    let folder = command::root().join("target/profiler");
    let mut build = cargo();
    build.args(["build", "--quiet", "--release", "--manifest-path", PROFILER]).env("CARGO_TARGET_DIR", &folder);
    if qemu.release()? >= 9 {
        build.args(["--features", "qemu-9"]);
    }
    command::run(&mut build)?;
    Ok(folder.join("release").join(format!("{}profiler{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX)))
}

#[cfg(test)]
mod tests {
    use super::Block;

    #[test]
    fn a_line_is_a_block() {
        let block = Block { start: 0x4a2, instructions: 7, times: 100, jumps: 99 };
        assert_eq!(Block::parse("4a2 7 100 99"), Some(block));
        for line in ["", "4a2 7 100", "4a2 7 100 x", "4a2 7 100 99 1"] {
            assert_eq!(Block::parse(line), None, "{line}");
        }
    }
}
