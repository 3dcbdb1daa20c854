//! Counts instructions exactly.

use crate::chip::{now, spin};

/// The number of instructions that `work` executes, modulo 2^32.
#[inline(never)]
pub(crate) fn instructions(work: impl FnOnce()) -> u32 {
    let empty = now();
    let before = now();
    work();
    let after = now();
    after.wrapping_sub(before).wrapping_sub(before.wrapping_sub(empty))
}

/// The number of instructions in a loop of a million turns less those in none: 2 000 000, or the clock is wrong.
pub(crate) fn check() -> u32 {
    loop_of(1_000_001).wrapping_sub(loop_of(1))
}

/// The instructions of a loop and of entering it. Never inlined, so that the latter are the same for any number of turns.
#[inline(never)]
fn loop_of(turns: u32) -> u32 {
    instructions(|| spin(turns))
}
