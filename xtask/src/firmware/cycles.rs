//! An estimate of a Cortex-M4's cycles, from how often each instruction ran under QEMU, which knows of no time.
//!
//! Cycles are those of the Cortex-M4 Technical Reference Manual (Arm DDI 0439), tables 3-1 and 7-1, with memory that answers at once:
//!
//! | instruction | cycles |
//! |---|--:|
//! | load of one word or less | 2, or 1 right behind another such load or store, with which it overlaps |
//! | store of one word or less | 1 |
//! | load or store of N words (`ldm`, `push`, `ldrd`, `vldm`, …) | 1 + N |
//! | division of integers | 7; the manual says 2 to 12 |
//! | `vmla`, `vfma` and their like | 3 |
//! | `vdiv`, `vsqrt` | 14 |
//! | `vmov` of two core registers, `tbb`, `tbh` | 2 |
//! | any other | 1 |
//!
//! Two more pass wherever control jumps, by a branch or a load of the program counter, while the pipeline is filled again; the manual says 1 to
//! 3. A real chip waits for its flash besides, as far as its caches do not help.

mod profile;
mod thumb;

use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::path::Path;

use crate::firmware::elf::Code;
use crate::firmware::qemu::{Line, Qemu};
use profile::Block;
use thumb::{Cost, Transfer, cost};

/// What a jump costs beside its instruction.
const REFILL: u64 = 2;

/// The function that runs the model, and that which reads the clock behind it.
const REGION: [&str; 2] = ["bench::run", "bench::chip::cortex_m::now"];

/// What one run of the model took.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) cycles: u64,
    /// As the profile counts them: a few more or less than the clock does.
    pub(crate) instructions: u64,
}

/// Runs `program` in the emulator, and estimates what the last run of its model takes, if anything is left of the model.
pub(crate) fn run(qemu: Qemu, program: &Path, inputs: &[u8]) -> Result<(Vec<Line>, Option<Estimate>)> {
    let code = Code::read(program)?;
    let [Some(begin), Some(end)] = REGION.map(|name| code.address(name)) else {
        return Ok((qemu.run(program, inputs)?, None));
    };
    let (lines, blocks) = profile::run(qemu, program, inputs, [begin, end])?;
    Ok((lines, Some(estimate(&code, &blocks)?)))
}

/// Adds up what all instructions of the blocks cost.
fn estimate(code: &Code, blocks: &[Block]) -> Result<Estimate> {
    let mut estimate = Estimate::default();
    let mut counts: BTreeMap<u64, (Cost, u64)> = BTreeMap::new();
    for &Block { start, instructions, times, jumps } in blocks {
        let mut address = start;
        for _ in 0..instructions {
            let halfwords = code.halfwords(address).with_context(|| format!("no instruction lies at {address:#x}"))?;
            let cost = cost(halfwords);
            counts.entry(address).or_insert((cost, 0)).1 += times;
            address += cost.bytes;
        }
        estimate.instructions += times * instructions;
        estimate.cycles += jumps * REFILL;
    }
    // Behind a load or store that is no jump, control always comes to the next instruction: so often that overlaps, if it is a load.
    let mut transfers = None;
    for (&address, &(cost, times)) in &counts {
        let overlapping =
            transfers.filter(|&(end, _)| end == address && cost.transfer == Some(Transfer::Load)).map_or(0, |(_, times)| times);
        estimate.cycles += cost.cycles * times - overlapping.min(times);
        transfers = cost.transfer.map(|_| (address + cost.bytes, times));
    }
    Ok(estimate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_overlap_and_jumps_refill() {
        // ldr r0, [r1]; ldr r2, [r3]; str r0, [r3]; ldr r2, [r1]; adds r0, r0, r2; bne to the first
        let halfwords = [0x6808u16, 0x681a, 0x6018, 0x680a, 0x1880, 0xd1f9];
        let code = Code::of(0x400, halfwords.iter().flat_map(|halfword| halfword.to_le_bytes()).collect());
        let block = Block { start: 0x400, instructions: 6, times: 10, jumps: 9 };
        let expected = Estimate { cycles: 10 * (2 + 1 + 1 + 1 + 1 + 1) + 9 * 2, instructions: 60 };
        assert_eq!(estimate(&code, &[block]).unwrap(), expected);
        // Entered five times more behind the first load, the second overlaps no more often than the first ran.
        let entered = Block { start: 0x402, instructions: 5, times: 5, jumps: 0 };
        let both = estimate(&code, &[block, entered]).unwrap();
        assert_eq!(both.cycles - expected.cycles, 5 * (2 + 1 + 1 + 1 + 1));
        assert!(estimate(&code, &[Block { start: 0x500, ..block }]).is_err());
    }
}
