//! Counts instructions exactly.
//!
//! Under `-icount shift=0` an instruction takes one nanosecond of the emulated clock, and the 25 MHz timer of the mps2 boards
//! counts once in 40 of them: one reading is floor(t / 40). By Hermite's identity the sum of floor((t + k) / 40) over k = 0, …, 39
//! is t itself plus a constant, and the k may be any 40 numbers that differ modulo 40. So [`now`] adds 40 readings that stand
//! 7 instructions apart.

use core::arch::asm;

/// Timer 0 of the board.
const TIMER: usize = 0x4000_0000;

/// Starts the timer; it counts down from 2^32 - 1.
pub(crate) fn start() {
    // SAFETY: the address is that of the board's timer, which nothing else uses: VALUE, RELOAD and CTRL.
    unsafe {
        core::ptr::with_exposed_provenance_mut::<u32>(TIMER + 4).write_volatile(u32::MAX);
        core::ptr::with_exposed_provenance_mut::<u32>(TIMER + 8).write_volatile(u32::MAX);
        core::ptr::with_exposed_provenance_mut::<u32>(TIMER).write_volatile(1);
    }
}

/// The number of instructions that `work` executes, modulo 2^32.
#[inline(never)]
pub(crate) fn instructions(work: impl FnOnce()) -> u32 {
    let empty = elapsed(now(), now());
    let before = now();
    work();
    elapsed(before, now()).wrapping_sub(empty)
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

fn elapsed(before: u32, after: u32) -> u32 {
    before.wrapping_sub(after)
}

/// The time in instructions, counting down. It is never inlined, so that each call takes as long as any other.
#[inline(never)]
fn now() -> u32 {
    let mut sum = 0;
    // SAFETY: reads the board's timer and nothing else.
    unsafe {
        asm!(
            "2: ldr {value}, [{timer}, #4]",
            "adds {sum}, {sum}, {value}",
            "nop",
            "nop",
            "nop",
            "subs {turns}, {turns}, #1",
            "bne 2b",
            timer = in(reg) TIMER,
            sum = inout(reg) sum,
            turns = inout(reg) 40 => _,
            value = out(reg) _,
            options(nostack),
        );
    }
    sum
}

/// Two instructions a turn.
fn spin(turns: u32) {
    // SAFETY: counts a register down.
    unsafe {
        asm!("2: subs {turns}, {turns}, #1", "bne 2b", turns = inout(reg) turns => _, options(nomem, nostack));
    }
}
