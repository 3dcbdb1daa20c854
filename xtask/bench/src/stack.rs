//! Measures the stack by painting it: fills everything between the static data and the stack pointer, and looks afterwards how far the
//! paint is gone.

use crate::chip::paint;
use core::ptr::{read_volatile, with_exposed_provenance};

const PAINT: u32 = 0xa5a5_5a5a;

unsafe extern "C" {
    /// Where the static data ends: the lowest address of the stack, set by the linker script.
    static _stack_end: u32;
}

/// The bytes of stack that `work` and the call of it use.
#[inline(never)]
pub(crate) fn peak(work: impl FnOnce()) -> u32 {
    let bottom = (&raw const _stack_end).expose_provenance();
    let top = paint(bottom, PAINT);
    work();
    let mut lowest = bottom;
    // SAFETY: from the end of the static data to the stack pointer there is memory, and it is aligned to words.
    while lowest < top && unsafe { read_volatile(with_exposed_provenance::<u32>(lowest)) } == PAINT {
        lowest += 4;
    }
    (top - lowest) as u32
}
