//! Rows of bytes of an image as halfwords of a patch, or copied to a stage.

use core::arch::naked_asm;

/// `widen!(name, name, "sxtb16")` widens bytes for one pixel and for two, with that instruction.
macro_rules! widen {
    ($one:ident, $two:ident, $widen:literal) => {
        /// Widens `rows` of `count` times four bytes of `x`, both > 0: the even bytes to one word and the odd ones to another, `step`
        /// bytes on. Between rows are gaps, in bytes.
        ///
        /// # Safety
        /// As many bytes can be read, and as many words written.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $one(
            x: *const u8,
            words: *mut u32,
            count: usize,
            step: usize,
            rows: usize,
            x_gap: usize,
            gap: usize,
        ) {
            naked_asm!(
                "push {{r4-r8, lr}}",
                "ldrd r6, r7, [sp, #24]",
                "ldr r8, [sp, #32]",
                "2:",
                "mov r12, r2",
                "3:",
                "ldr r5, [r0], #4",
                concat!($widen, " r4, r5"),
                concat!($widen, " r5, r5, ror #8"),
                "str r4, [r1]",
                "str r5, [r1, r3]",
                "add r1, r1, r3, lsl #1",
                "subs r12, r12, #1",
                "bne 3b",
                "add r0, r0, r7",
                "add r1, r1, r8",
                "subs r6, r6, #1",
                "bne 2b",
                "pop {{r4-r8, pc}}",
            )
        }

        /// The same of two pixels, whose words alternate, without gaps between them.
        ///
        /// # Safety
        /// As many bytes of each can be read, and as many words written.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $two(
            x: *const u8,
            second: *const u8,
            words: *mut u32,
            count: usize,
            rows: usize,
            x_gap: usize,
        ) {
            naked_asm!(
                "push {{r4-r9}}",
                "ldrd r8, r9, [sp, #24]",
                "2:",
                "lsls r4, r3, #31",
                "mov r12, r3",
                "bne 4f",
                "3:",
                "ldr r6, [r0], #4",
                "ldr r7, [r1], #4",
                concat!($widen, " r4, r6"),
                concat!($widen, " r5, r7"),
                concat!($widen, " r6, r6, ror #8"),
                concat!($widen, " r7, r7, ror #8"),
                "stm r2!, {{r4-r7}}",
                "4:",
                "ldr r6, [r0], #4",
                "ldr r7, [r1], #4",
                concat!($widen, " r4, r6"),
                concat!($widen, " r5, r7"),
                concat!($widen, " r6, r6, ror #8"),
                concat!($widen, " r7, r7, ror #8"),
                "stm r2!, {{r4-r7}}",
                "subs r12, r12, #2",
                "bgt 3b",
                "add r0, r0, r9",
                "add r1, r1, r9",
                "subs r8, r8, #1",
                "bne 2b",
                "pop {{r4-r9}}",
                "bx lr",
            )
        }
    };
}

widen!(one_i8, two_i8, "sxtb16");
widen!(one_u8, two_u8, "uxtb16");

/// Sets `count` > 0 times two words to `value`, `step` bytes apart.
///
/// # Safety
/// As many words can be written.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn fill(value: u32, words: *mut u32, count: usize, step: usize) {
    naked_asm!("2:", "str r0, [r1]", "str r0, [r1, r3]", "add r1, r1, r3, lsl #1", "subs r2, r2, #1", "bne 2b", "bx lr",)
}

/// Copies `rows` of `count` bytes, both > 0, four at a time. Between rows are gaps.
///
/// # Safety
/// As many bytes can be read and written.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn copy(x: *const u8, to: *mut u8, count: usize, rows: usize, x_gap: usize, gap: usize) {
    naked_asm!(
        "push {{r4-r6, lr}}",
        "ldrd r4, r5, [sp, #16]",
        "2:",
        "subs r12, r2, #4",
        "blo 4f",
        "3:",
        "ldr r6, [r0], #4",
        "subs r12, r12, #4",
        "str r6, [r1], #4",
        "bhs 3b",
        "4:",
        "adds r12, r12, #4",
        "beq 6f",
        "5:",
        "ldrb r6, [r0], #1",
        "subs r12, r12, #1",
        "strb r6, [r1], #1",
        "bne 5b",
        "6:",
        "add r0, r0, r4",
        "add r1, r1, r5",
        "subs r3, r3, #1",
        "bne 2b",
        "pop {{r4-r6, pc}}",
    )
}
