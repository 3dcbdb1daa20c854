//! Tiles of sums in registers: four outputs at two pixels or of one row.
//!
//! `smlad` adds two products of halfwords to a sum. Inputs are halfwords, of which k = 4i and 4i + 2 share a word, and 4i + 1
//! and 4i + 3 the next; words of two pixels alternate. Weights are packed as `quantized/pack.rs` tells. In the mixed form a
//! halfword holds `w[o] + 256 · w[o + 1]`: a sum of products with it is `S[o] + 256 · S[o + 1]`, and `sxtb16` leaves `w[o]`, of which
//! another sum makes `S[o]`; that costs less than widening both, and all registers hold sums and operands. Loops are
//! unrolled and entered where the rest of the depth demands.

use core::arch::naked_asm;

use crate::Quad;

/// One of the functions that [`fused!`] makes.
pub(super) type Fuse = unsafe extern "C" fn(*const u32, *const Quad, *mut u8, usize, *mut u8, usize, i32, i32);

/// Multiplies a word of each of two pixels with the mixed weights of four outputs:
/// r4, r5 and r6, r7 are the mixed sums of both pairs of outputs, r8, r9 and r10, r11 the sums of their first outputs.
macro_rules! mixed_two {
    () => {
        "ldrd r2, r3, [r1], #8
         ldrd r12, lr, [r0], #8
         smlad r4, r12, r2, r4
         smlad r5, lr, r2, r5
         smlad r6, r12, r3, r6
         smlad r7, lr, r3, r7
         sxtb16 r2, r2
         sxtb16 r3, r3
         smlad r8, r12, r2, r8
         smlad r9, lr, r2, r9
         smlad r10, r12, r3, r10
         smlad r11, lr, r3, r11"
    };
}

/// `fused!(name, "ssat")` is a function that computes elements of a layer, saturated by that instruction, at two pixels.
macro_rules! fused {
    ($name:ident, $saturate:literal) => {
        /// `y[p · stride + o]` for both pixels and the outputs up to `end`, which is four or more after `y`: `depth` > 0 counts
        /// groups of four. `rounding` is 1 + 2 · zero point, and the other 256 times that.
        ///
        /// # Safety
        /// As many inputs and packed constants can be read, and as many outputs written.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(
            x: *const u32,
            packed: *const Quad,
            y: *mut u8,
            stride: usize,
            end: *mut u8,
            depth: usize,
            rounding: i32,
            mixed_rounding: i32,
        ) {
            // On the stack: the end of x, where the loop is entered, and then the arguments and the registers to be restored.
            naked_asm!(
                "push {{r0-r11, lr}}",
                "sub sp, sp, #8",
                "ldr r2, [sp, #64]",
                "add r3, r0, r2, lsl #4",
                "str r3, [sp]",
                "subs r2, r2, #1",
                "and r2, r2, #7",
                "adr.w r3, 4f",
                "movs r4, #96",
                "mls r3, r2, r4, r3",
                "subs r3, r3, #95",
                "str r3, [sp, #4]",
                "2:",
                "ldrd r0, r1, [sp, #8]",
                "ldm r1!, {{r4, r6, r8, r10}}",
                "mov r5, r4",
                "mov r7, r6",
                "mov r9, r8",
                "mov r11, r10",
                "ldr pc, [sp, #4]",
                "3:",
                ".rept 16",
                mixed_two!(),
                ".endr",
                "4:",
                "ldr r2, [sp]",
                "cmp r0, r2",
                "bne 3b",
                "ldm r1!, {{r2, r3, r12, lr}}",
                "str r1, [sp, #12]",
                "ldrd r0, r1, [sp, #68]",
                "subs r4, r4, r8",
                "subs r5, r5, r9",
                "sub r6, r6, r10",
                "sub r7, r7, r11",
                "smmla r8, r8, r2, r0",
                "smmla r9, r9, r2, r0",
                "smmla r4, r4, r3, r1",
                "smmla r5, r5, r3, r1",
                "smmla r10, r10, r12, r0",
                "smmla r11, r11, r12, r0",
                "smmla r6, r6, lr, r1",
                "smmla r7, r7, lr, r1",
                concat!($saturate, " r8, #8, r8, asr #1"),
                concat!($saturate, " r9, #8, r9, asr #1"),
                concat!($saturate, " r4, #8, r4, asr #9"),
                concat!($saturate, " r5, #8, r5, asr #9"),
                concat!($saturate, " r10, #8, r10, asr #1"),
                concat!($saturate, " r11, #8, r11, asr #1"),
                concat!($saturate, " r6, #8, r6, asr #9"),
                concat!($saturate, " r7, #8, r7, asr #9"),
                "ldrd r0, r1, [sp, #16]",
                "bfi r8, r4, #8, #8",
                "bfi r9, r5, #8, #8",
                "bfi r8, r10, #16, #8",
                "bfi r9, r11, #16, #8",
                "bfi r8, r6, #24, #8",
                "bfi r9, r7, #24, #8",
                "str r9, [r0, r1]",
                "str r8, [r0], #4",
                "str r0, [sp, #16]",
                "ldr r2, [sp, #60]",
                "cmp r0, r2",
                "bne 2b",
                "add sp, sp, #24",
                "pop {{r4-r11, pc}}",
            )
        }
    };
}

fused!(fused_i8, "ssat");
fused!(fused_u8, "usat");

/// Multiplies a word of each of two pixels with plain weights of four outputs, rotated as `$ror` says and with `$step` before the
/// next: r4 to r7 are the sums of the first pixel, r8 to r11 of the second.
macro_rules! plain_two {
    ($ror:literal, $first:literal, $second:literal) => {
        concat!(
            "ldrd r12, lr, [r0], #8\n",
            concat!("ldrd r2, r3, ", $first, "\n"),
            concat!("sxtb16 r2, r2", $ror, "\n", "sxtb16 r3, r3", $ror, "\n"),
            "smlad r4, r12, r2, r4\n smlad r8, lr, r2, r8\n smlad r5, r12, r3, r5\n smlad r9, lr, r3, r9\n",
            concat!("ldrd r2, r3, ", $second, "\n"),
            concat!("sxtb16 r2, r2", $ror, "\n", "sxtb16 r3, r3", $ror, "\n"),
            "smlad r6, r12, r2, r6\n smlad r10, lr, r2, r10\n smlad r7, r12, r3, r7\n smlad r11, lr, r3, r11",
        )
    };
}

/// `sums!(name, shift, unrolled, bytes, start, group, end)` is a function that computes the sums of a block.
///
/// Four inputs of all pixels are 2^`shift` bytes. `start` loads the sums' registers from r1, `group` multiplies four inputs, with
/// instructions of so many `bytes`, and is `unrolled` so many times, a power of two; `end` stores the sums through r0.
macro_rules! sums {
    ($name:ident, $shift:literal, $unrolled:literal, $bytes:literal, [$($start:literal)*], [$($group:expr),*], [$($end:literal)*]) => {
        /// The sums of the four outputs of a block, at one pixel or at two: `depth` > 0 counts groups of four inputs.
        ///
        /// # Safety
        /// As many inputs and packed constants can be read.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(x: *const u32, packed: *const Quad, depth: usize, sums: *mut i32) {
            // On the stack: the end of x, and the sums' place.
            naked_asm!(
                "push {{r3-r11, lr}}",
                concat!("add r12, r0, r2, lsl #", $shift),
                "push {{r12}}",
                $($start,)*
                "subs r2, r2, #1",
                concat!("and r2, r2, #", $unrolled, " - 1"),
                "adr.w r3, 4f",
                concat!("mov r12, #", $bytes),
                "mls r3, r2, r12, r3",
                concat!("sub r3, r3, #", $bytes, " - 1"),
                "bx r3",
                "3:",
                concat!(".rept ", $unrolled),
                $($group,)*
                ".endr",
                "4:",
                "ldr r2, [sp]",
                "cmp r0, r2",
                "bne 3b",
                "pop {{r2}}",
                "ldr r0, [sp]",
                $($end,)*
                "pop {{r3-r11, pc}}",
            )
        }
    };
}

sums!(
    mixed_2,
    "4",
    1,
    96,
    ["ldm r1!, {{r4, r6, r8, r10}}" "mov r5, r4" "mov r7, r6" "mov r9, r8" "mov r11, r10"],
    [mixed_two!(), mixed_two!()],
    ["subs r4, r4, r8" "subs r5, r5, r9" "sub r6, r6, r10" "sub r7, r7, r11" "asrs r4, r4, #8" "asrs r5, r5, #8" "asrs r6, r6, #8" "asrs r7, r7, #8"
     "strd r8, r4, [r0]" "strd r10, r6, [r0, #8]" "strd r9, r5, [r0, #16]" "strd r11, r7, [r0, #24]"]
);
sums!(
    plain_2,
    "4",
    1,
    120,
    ["ldm r1!, {{r4-r7}}" "mov r8, r4" "mov r9, r5" "mov r10, r6" "mov r11, r7"],
    [plain_two!("", "[r1]", "[r1, #8]"), plain_two!(", ror #8", "[r1], #8", "[r1], #8")],
    ["stm r0, {{r4-r11}}"]
);

/// Multiplies r2 and r3, a word of even and one of odd inputs, with the mixed weights of four outputs: r4 and r5 are the mixed
/// sums of both pairs, r6 and r7 the sums of their first outputs.
macro_rules! mixed_one {
    () => {
        "ldm r1!, {{r8-r11}}
         smlad r4, r2, r8, r4
         smlad r5, r2, r9, r5
         smlad r4, r3, r10, r4
         smlad r5, r3, r11, r5
         sxtb16 r8, r8
         sxtb16 r9, r9
         sxtb16 r10, r10
         sxtb16 r11, r11
         smlad r6, r2, r8, r6
         smlad r7, r2, r9, r7
         smlad r6, r3, r10, r6
         smlad r7, r3, r11, r7"
    };
}

/// Multiplies r2 and r3, a word of even and one of odd inputs, with plain weights of four outputs, whose sums are r4 to r7.
macro_rules! plain_one {
    () => {
        "ldm r1!, {{r8-r11}}
         sxtb16 r12, r8
         sxtb16 lr, r9
         smlad r4, r2, r12, r4
         smlad r5, r2, lr, r5
         sxtb16 r12, r10
         sxtb16 lr, r11
         smlad r6, r2, r12, r6
         smlad r7, r2, lr, r7
         sxtb16 r8, r8, ror #8
         sxtb16 r9, r9, ror #8
         smlad r4, r3, r8, r4
         smlad r5, r3, r9, r5
         sxtb16 r10, r10, ror #8
         sxtb16 r11, r11, ror #8
         smlad r6, r3, r10, r6
         smlad r7, r3, r11, r7"
    };
}

/// `one_pixel!(name, name, load)` are the functions of the mixed and the plain form for one pixel whose inputs are loaded so to r2 and r3.
macro_rules! one_pixel {
    ($mixed:ident, $plain:ident, $load:literal) => {
        sums!(
            $mixed,
            "2",
            4,
            64,
            ["ldm r1!, {{r4-r7}}"],
            [$load, mixed_one!()],
            ["subs r4, r4, r6" "subs r5, r5, r7" "asrs r4, r4, #8" "asrs r5, r5, #8" "strd r6, r4, [r0]" "strd r7, r5, [r0, #8]"]
        );
        sums!($plain, "2", 4, 80, ["ldm r1!, {{r4-r7}}"], [$load, plain_one!()], ["stm r0, {{r4-r7}}"]);
    };
}

one_pixel!(mixed_i8, plain_i8, "ldr r3, [r0], #4\n sxtb16 r2, r3\n sxtb16 r3, r3, ror #8");
one_pixel!(mixed_u8, plain_u8, "ldr r3, [r0], #4\n uxtb16 r2, r3\n uxtb16 r3, r3, ror #8");

/// One of the functions that [`fused_row!`] makes.
pub(super) type FuseRow = unsafe extern "C" fn(*const u8, *const Quad, *mut u8, *mut u8, usize, i32, i32);

/// `fused_row!(name, "ssat", load)` is a function that computes elements of a layer, saturated by that instruction, for one row of
/// inputs that are loaded so to r2 and r3.
macro_rules! fused_row {
    ($name:ident, $saturate:literal, $load:literal) => {
        /// The outputs from `y` up to `end`, four or more: `depth` > 0 counts groups of four inputs. `rounding` is 1 + 2 · zero
        /// point, and the other 256 times that.
        ///
        /// # Safety
        /// As many inputs and packed constants can be read, and as many outputs written.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(
            x: *const u8,
            packed: *const Quad,
            y: *mut u8,
            end: *mut u8,
            depth: usize,
            rounding: i32,
            mixed_rounding: i32,
        ) {
            // On the stack: the arguments, of which y proceeds. r12 is the end of x, and lr where the loop is entered.
            naked_asm!(
                "push {{r0-r11, lr}}",
                "ldr r2, [sp, #52]",
                "add r12, r0, r2, lsl #2",
                "subs r2, r2, #1",
                "and r2, r2, #3",
                "adr.w lr, 4f",
                "mov r3, #64",
                "mls lr, r2, r3, lr",
                "sub lr, lr, #63",
                "2:",
                "ldr r0, [sp]",
                "ldm r1!, {{r4-r7}}",
                "bx lr",
                "3:",
                ".rept 4",
                $load,
                mixed_one!(),
                ".endr",
                "4:",
                "cmp r0, r12",
                "bne 3b",
                "ldm r1!, {{r8-r11}}",
                "ldrd r2, r3, [sp, #56]",
                "subs r4, r4, r6",
                "subs r5, r5, r7",
                "smmla r6, r6, r8, r2",
                "smmla r4, r4, r9, r3",
                "smmla r7, r7, r10, r2",
                "smmla r5, r5, r11, r3",
                concat!($saturate, " r6, #8, r6, asr #1"),
                concat!($saturate, " r4, #8, r4, asr #9"),
                concat!($saturate, " r7, #8, r7, asr #1"),
                concat!($saturate, " r5, #8, r5, asr #9"),
                "ldrd r2, r3, [sp, #8]",
                "bfi r6, r4, #8, #8",
                "bfi r6, r7, #16, #8",
                "bfi r6, r5, #24, #8",
                "str r6, [r2], #4",
                "str r2, [sp, #8]",
                "cmp r2, r3",
                "bne 2b",
                "add sp, sp, #16",
                "pop {{r4-r11, pc}}",
            )
        }
    };
}

fused_row!(fused_row_i8, "ssat", "ldr r3, [r0], #4\n sxtb16 r2, r3\n sxtb16 r3, r3, ror #8");
fused_row!(fused_row_u8, "usat", "ldr r3, [r0], #4\n uxtb16 r2, r3\n uxtb16 r3, r3, ror #8");
