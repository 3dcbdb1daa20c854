//! Bytes of an image as halfwords of a patch, and as bytes of a stage.

use core::arch::naked_asm;

/// `widen!(name, name, "sxtb16")` widens bytes for one pixel and for two, with that instruction.
macro_rules! widen {
    ($one:ident, $two:ident, $widen:literal) => {
        /// Widens `count` > 0 times four bytes of `x`, the even ones to one word and the odd ones to another, `step` bytes on.
        ///
        /// # Safety
        /// As many bytes can be read, and as many words written.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $one(x: *const u8, words: *mut u32, count: usize, step: usize) {
            naked_asm!(
                "push {{r4, r5}}",
                "2:",
                "ldr r5, [r0], #4",
                concat!($widen, " r4, r5"),
                concat!($widen, " r5, r5, ror #8"),
                "str r4, [r1]",
                "str r5, [r1, r3]",
                "add r1, r1, r3, lsl #1",
                "subs r2, r2, #1",
                "bne 2b",
                "pop {{r4, r5}}",
                "bx lr",
            )
        }

        /// The same of two pixels, whose words alternate.
        ///
        /// # Safety
        /// As many bytes of each can be read, and as many words written.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $two(x: *const u8, second: *const u8, words: *mut u32, count: usize) {
            naked_asm!(
                "push {{r4-r7}}",
                "lsls r12, r3, #31",
                "bne 3f",
                "2:",
                "ldr r6, [r0], #4",
                "ldr r7, [r1], #4",
                concat!($widen, " r4, r6"),
                concat!($widen, " r5, r7"),
                concat!($widen, " r6, r6, ror #8"),
                concat!($widen, " r7, r7, ror #8"),
                "stm r2!, {{r4-r7}}",
                "3:",
                "ldr r6, [r0], #4",
                "ldr r7, [r1], #4",
                concat!($widen, " r4, r6"),
                concat!($widen, " r5, r7"),
                concat!($widen, " r6, r6, ror #8"),
                concat!($widen, " r7, r7, ror #8"),
                "subs r3, r3, #2",
                "stm r2!, {{r4-r7}}",
                "bgt 2b",
                "pop {{r4-r7}}",
                "bx lr",
            )
        }
    };
}

widen!(one_i8, two_i8, "sxtb16");
widen!(one_u8, two_u8, "uxtb16");

/// Copies `count` > 0 bytes, four at a time.
///
/// # Safety
/// As many bytes can be read and written.
#[unsafe(naked)]
pub(super) unsafe extern "C" fn copy(x: *const u8, to: *mut u8, count: usize) {
    naked_asm!(
        "subs r2, r2, #4",
        "blo 3f",
        "2:",
        "ldr r3, [r0], #4",
        "subs r2, r2, #4",
        "str r3, [r1], #4",
        "bhs 2b",
        "3:",
        "adds r2, r2, #4",
        "beq 5f",
        "4:",
        "ldrb r3, [r0], #1",
        "subs r2, r2, #1",
        "strb r3, [r1], #1",
        "bne 4b",
        "5:",
        "bx lr",
    )
}
