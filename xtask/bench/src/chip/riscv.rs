//! A RISC-V core on QEMU's board `virt`, whose counter of executed instructions `-icount` makes exact.

use core::arch::asm;
use riscv_rt::TrapFrame;
use semihosting::process::exit;

pub use riscv_rt::entry;

/// Memory of the board behind what the linker script gives to the program.
pub(crate) const HOST: usize = 0x8400_0000;

/// The counter runs from the start.
pub(crate) fn start_clock() {}

/// The time in instructions, modulo 2^32. It is never inlined, so that each call takes as long as any other.
#[inline(never)]
pub(crate) fn now() -> u32 {
    let count;
    // SAFETY: reads a counter.
    unsafe { asm!("csrr {count}, minstret", count = out(reg) count, options(nostack)) };
    count
}

/// Two instructions a turn.
pub(crate) fn spin(turns: u32) {
    // SAFETY: counts a register down.
    unsafe {
        asm!("2: addi {turns}, {turns}, -1", "bnez {turns}, 2b", turns = inout(reg) turns => _, options(nomem, nostack));
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
            "mv {top}, sp",
            "j 3f",
            "2: sw {paint}, 0({lowest})",
            "addi {lowest}, {lowest}, 4",
            "3: bltu {lowest}, {top}, 2b",
            lowest = inout(reg) bottom => _,
            paint = in(reg) paint,
            top = out(reg) top,
        );
    }
    top
}

/// Ends the program when the processor faults.
#[unsafe(export_name = "ExceptionHandler")]
extern "C" fn fault(_: &TrapFrame) -> ! {
    exit(102)
}
