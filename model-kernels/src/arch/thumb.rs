//! Quantized tiles of Armv6-M: two pixels and four outputs, whose sums stay in registers.
//!
//! Most instructions reach eight of the sixteen registers only, so that LLVM keeps sums in memory; an addition reaches them all.

use core::arch::naked_asm;
use core::cell::Cell;

use crate::quantized::pack::{OUTPUTS, Quad};

/// Adds the products of `inputs` and `weights` to `sums`, if the inputs are aligned as a scratch's are, and there are any.
#[inline(always)]
pub(crate) fn sum(inputs: &[[Cell<i16>; 2]], weights: &[Quad], sums: &mut [[i32; OUTPUTS]; 2]) -> bool {
    let depth = inputs.len();
    let fits = depth > 0 && weights.len() == depth && inputs.as_ptr().addr().is_multiple_of(4);
    if fits {
        // SAFETY: there are as many inputs as weights, they begin words, and the sums are those of two pixels.
        unsafe { sum_2x4(inputs.as_ptr().cast(), weights.as_ptr(), depth, sums.as_flattened_mut().as_mut_ptr()) }
    }
    fits
}

/// The products of a word of weights with a word of the inputs of both pixels: the sums of the first pixel are r8 to r11, of the
/// second r12, lr, r7 and r5.
macro_rules! products {
    () => {
        "ldr r0, [sp]
         ldr r0, [r6, r0]
         ldm r6!, {{r2}}
         sxth r1, r0
         asrs r0, r0, #16
         sxtb r3, r2
         movs r4, r3
         muls r4, r1, r4
         add r8, r4
         muls r3, r0, r3
         add r12, r3
         lsls r3, r2, #16
         asrs r3, r3, #24
         movs r4, r3
         muls r4, r1, r4
         add r9, r4
         muls r3, r0, r3
         add lr, r3
         lsls r3, r2, #8
         asrs r3, r3, #24
         movs r4, r3
         muls r4, r1, r4
         add r10, r4
         muls r3, r0, r3
         adds r7, r7, r3
         asrs r2, r2, #24
         muls r1, r2, r1
         add r11, r1
         muls r2, r0, r2
         adds r5, r5, r2"
    };
}

/// [`sum`] of pointers; `depth` > 0.
///
/// # Safety
/// As many words of inputs and of weights can be read, and eight sums read and written.
#[unsafe(naked)]
unsafe extern "C" fn sum_2x4(inputs: *const u32, weights: *const Quad, depth: usize, sums: *mut i32) {
    // On the stack: how far the inputs are from the weights, the end of the weights, and the sums' place. The loop of four times 60
    // bytes is entered where the rest of the depth demands.
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r4-r7}}",
        "movs r4, #3",
        "rsbs r5, r2, #0",
        "ands r4, r5",
        "movs r5, #60",
        "muls r4, r5, r4",
        "adr r5, 2f",
        "adds r4, r4, r5",
        "adds r4, r4, #1",
        "subs r0, r0, r1",
        "lsls r2, r2, #2",
        "adds r2, r2, r1",
        "push {{r0, r2, r3, r4}}",
        "mov r6, r1",
        "ldm r3!, {{r0, r1, r2, r4}}",
        "mov r8, r0",
        "mov r9, r1",
        "mov r10, r2",
        "mov r11, r4",
        "ldm r3!, {{r0, r1, r2, r5}}",
        "mov r12, r0",
        "mov lr, r1",
        "mov r7, r2",
        "ldr r3, [sp, #12]",
        "bx r3",
        ".p2align 2",
        "2:",
        ".rept 4",
        products!(),
        ".endr",
        "ldr r4, [sp, #4]",
        "cmp r6, r4",
        "bne 2b",
        "ldr r6, [sp, #8]",
        "mov r0, r8",
        "mov r1, r9",
        "mov r2, r10",
        "mov r3, r11",
        "stm r6!, {{r0-r3}}",
        "mov r0, r12",
        "mov r1, lr",
        "stm r6!, {{r0, r1, r7}}",
        "str r5, [r6]",
        "add sp, #16",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
