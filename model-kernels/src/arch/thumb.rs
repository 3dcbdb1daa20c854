//! Quantized tiles of Armv6-M, whose sums stay in registers: two pixels and four outputs of a linear layer, and four neighbouring
//! outputs of a depthwise kernel of three by three.
//!
//! Most instructions reach eight of the sixteen registers only, so that LLVM keeps sums in memory; an addition reaches them all.

use core::arch::naked_asm;
use core::cell::Cell;

use crate::quantized::Quantized;
use crate::quantized::pack::{OUTPUTS, Quad};
use crate::{Load, Number};

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

/// Adds the products of three lines of weights, and of inputs from number `first` of each line on, to the sums of four neighbouring
/// outputs, one input apart, if there are as many of both and the inputs are aligned as a scratch's are.
#[inline(always)]
pub(crate) fn sum_three_lines(lines: [&[Cell<i16>]; 3], first: usize, weights: &[Quad], sums: &mut [i32; OUTPUTS]) -> bool {
    let there = lines.iter().all(|line| first + OUTPUTS + 2 <= line.len());
    let aligned = lines.iter().all(|line| line.as_ptr().addr().is_multiple_of(4)) && first.is_multiple_of(2);
    let fits = there && aligned && weights.len() >= 3;
    if fits {
        // SAFETY: from `first` on each line has six inputs, which begin a word; there are three quads of weights, and four sums.
        unsafe {
            let [first, second, third] = lines.map(|line| line.as_ptr().add(first).cast());
            sum_3x3(first, second, third, weights.as_ptr(), sums.as_mut_ptr());
        }
    }
    fits
}

/// Widens elements of one byte, which lie `step` apart from the first of `x` on, to `places`, if they are there.
#[inline(always)]
pub(crate) fn widen<X: Load<Value: Quantized>>(x: &[X], step: usize, places: &[Cell<i16>]) -> bool {
    let fits = size_of::<X>() == 1 && !places.is_empty() && x.len() > (places.len() - 1) * step;
    if fits {
        let widen = if X::Value::LOWEST < X::Value::ZERO { widen_i8 } else { widen_u8 };
        // SAFETY: there is a place, and for each an element of one byte. `Cell` allows the writing.
        unsafe { widen(x.as_ptr().cast(), places.as_ptr().cast_mut().cast(), step, places.len()) }
    }
    fits
}

/// `widen!(name, "ldrsb")` widens `count` > 0 bytes, which lie `step` apart, loading them by that instruction.
macro_rules! widen {
    ($name:ident, $load:literal) => {
        /// [`widen`] of pointers.
        ///
        /// # Safety
        /// As many bytes can be read, and as many halfwords written.
        #[unsafe(naked)]
        unsafe extern "C" fn $name(x: *const u8, places: *mut i16, step: usize, count: usize) {
            naked_asm!(
                "push {{r4, r5, lr}}",
                "movs r5, #0",
                "2:",
                concat!($load, " r4, [r0, r5]"),
                "strh r4, [r1]",
                "adds r0, r0, r2",
                "adds r1, r1, #2",
                "subs r3, r3, #1",
                "bne 2b",
                "pop {{r4, r5, pc}}",
            )
        }
    };
}

widen!(widen_i8, "ldrsb");
widen!(widen_u8, "ldrb");

/// The products of a line: r7 points to its weights, of which the first three are bytes 0, 2 and 1 of a word, and r0 to its inputs. The
/// sums are r8 to r11.
macro_rules! three_taps {
    () => {
        "ldm r7!, {{r6}}
         sxtb r4, r6
         lsls r5, r6, #8
         asrs r5, r5, #24
         lsls r6, r6, #16
         asrs r6, r6, #24
         ldm r0!, {{r1, r2}}
         sxth r3, r1
         muls r3, r4, r3
         add r8, r3
         asrs r1, r1, #16
         movs r3, r1
         muls r3, r5, r3
         add r8, r3
         muls r1, r4, r1
         add r9, r1
         sxth r1, r2
         movs r3, r1
         muls r3, r6, r3
         add r8, r3
         movs r3, r1
         muls r3, r5, r3
         add r9, r3
         muls r1, r4, r1
         add r10, r1
         asrs r2, r2, #16
         movs r3, r2
         muls r3, r6, r3
         add r9, r3
         movs r3, r2
         muls r3, r5, r3
         add r10, r3
         muls r2, r4, r2
         add r11, r2
         ldr r1, [r0]
         sxth r2, r1
         movs r3, r2
         muls r3, r6, r3
         add r10, r3
         muls r2, r5, r2
         add r11, r2
         asrs r1, r1, #16
         muls r1, r6, r1
         add r11, r1"
    };
}

/// [`sum_three_lines`] of pointers.
///
/// # Safety
/// Three words of each line and of weights can be read, and four sums read and written.
#[unsafe(naked)]
unsafe extern "C" fn sum_3x3(first: *const u32, second: *const u32, third: *const u32, weights: *const Quad, sums: *mut i32) {
    // The other lines wait in r12 and lr. Behind the nine registers on the stack lies the sums' place.
    naked_asm!(
        "push {{r4-r7, lr}}",
        "mov r4, r8",
        "mov r5, r9",
        "mov r6, r10",
        "mov r7, r11",
        "push {{r4-r7}}",
        "mov r12, r1",
        "mov lr, r2",
        "mov r7, r3",
        "ldr r6, [sp, #36]",
        "ldm r6!, {{r1-r4}}",
        "mov r8, r1",
        "mov r9, r2",
        "mov r10, r3",
        "mov r11, r4",
        three_taps!(),
        "mov r0, r12",
        three_taps!(),
        "mov r0, lr",
        three_taps!(),
        "ldr r6, [sp, #36]",
        "mov r1, r8",
        "mov r2, r9",
        "mov r3, r10",
        "mov r4, r11",
        "stm r6!, {{r1-r4}}",
        "pop {{r4-r7}}",
        "mov r8, r4",
        "mov r9, r5",
        "mov r10, r6",
        "mov r11, r7",
        "pop {{r4-r7, pc}}",
    )
}
