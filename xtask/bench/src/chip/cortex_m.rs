//! A Cortex-M on the mps2 boards.
//!
//! Under `-icount shift=0` an instruction takes one nanosecond of the emulated clock, and the 25 MHz timer of these boards
//! counts once in 40 of them: one reading is floor(t / 40). By Hermite's identity the sum of floor((t + k) / 40) over k = 0, …, 39
//! is t itself plus a constant, and the k may be any 40 numbers that differ modulo 40. So [`now`] adds 40 readings that stand
//! 7 instructions apart.

use core::arch::asm;
use core::ptr::with_exposed_provenance_mut;
use cortex_m_rt::{ExceptionFrame, exception};
use semihosting::process::exit;

pub use cortex_m_rt::entry;

/// The board's second memory, which the program does not use.
pub(crate) const HOST: usize = 0x2100_0000;

/// Timer 0 of the board.
const TIMER: usize = 0x4000_0000;

/// Starts the timer; it counts down from 2^32 - 1.
pub(crate) fn start_clock() {
    // SAFETY: the address is that of the board's timer, which nothing else uses: VALUE, RELOAD and CTRL.
    unsafe {
        with_exposed_provenance_mut::<u32>(TIMER + 4).write_volatile(u32::MAX);
        with_exposed_provenance_mut::<u32>(TIMER + 8).write_volatile(u32::MAX);
        with_exposed_provenance_mut::<u32>(TIMER).write_volatile(1);
    }
}

/// The time in instructions, modulo 2^32. It is never inlined, so that each call takes as long as any other.
#[inline(never)]
pub(crate) fn now() -> u32 {
    let mut sum = 0u32;
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
    sum.wrapping_neg()
}

/// Two instructions a turn.
pub(crate) fn spin(turns: u32) {
    // SAFETY: counts a register down.
    unsafe {
        asm!("2: subs {turns}, {turns}, #1", "bne 2b", turns = inout(reg) turns => _, options(nomem, nostack));
    }
}

/// Fills the memory from `bottom` to the stack pointer with `paint`, and returns the stack pointer.
#[inline(always)]
pub(crate) fn paint(bottom: usize, paint: u32) -> usize {
    let top;
    // SAFETY: below the stack pointer nothing is in use, and no interrupt is enabled. One block of assembly, so that nothing is
    // pushed while it paints.
    unsafe {
        asm!(
            "mov {top}, sp",
            "b 3f",
            "2: str {paint}, [{lowest}]",
            "adds {lowest}, {lowest}, #4",
            "3: cmp {lowest}, {top}",
            "blo 2b",
            lowest = inout(reg) bottom => _,
            paint = in(reg) paint,
            top = out(reg) top,
        );
    }
    top
}

/// Ends the program when the processor faults, as on a stack overflow.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    exit(102)
}
