//! Kernels of three by three, four outputs at once, or two where a line ends.
//!
//! All of an image is one function: registers are too few for more than what a tile needs, and between lines there is little to do.
//!
//! A word of a line of inputs is two neighbours; `x01` is those at 0 and 1, from the first that lies under the first output on. `smlad`
//! adds the products of both halves, `smlabt` that of the first operand's bottom half and the second one's top half. The weights of
//! a line are two words, `w01` and `w12`.

use core::arch::naked_asm;
use core::mem::offset_of;

use super::Finishing;
use super::macros::{clip, fill, gather, raise, requantize_four, requantize_two, saturate, scale, shift, store_four};
use crate::Quad;

/// What an image takes, and the frame of its function.
///
/// What is said to be of a channel or of a line need not be set.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Frame {
    /// Of a channel.
    pub(super) bias: i32,
    /// Of a channel, line by line.
    pub(super) weights: [[u32; 2]; 3],
    /// Of a channel.
    pub(super) multiplier: i32,
    pub(super) finish: Finishing,
    /// Where the gathered lines lie, the oldest first.
    pub(super) slots: [*mut i16; 3],
    /// How far the inputs of a line stand behind the start of a slot, in bytes, where its padding stands already.
    pub(super) padding: usize,
    /// How many inputs of a line are gathered.
    pub(super) inside: usize,
    /// The zero point of the inputs, twice.
    pub(super) x_zero: u32,
    /// From one input of a line, and from one line, to the next.
    pub(super) x_steps: [usize; 2],
    /// Of a line: its number, below zero where it is padding, and how many there are in the input.
    pub(super) line: isize,
    pub(super) input_lines: usize,
    /// Of a line: its first input, and the first output of the line of outputs.
    pub(super) x_line: *const u8,
    pub(super) y_line: *mut u8,
    /// From one line of outputs to the next.
    pub(super) y_line_step: usize,
    /// How many whole tiles a line has, and how many outputs more.
    pub(super) tiles: usize,
    pub(super) rest: usize,
    /// Of a channel: how many lines are left to compute.
    pub(super) lines_left: usize,
    pub(super) lines: usize,
    /// The number of the first line: the lines of padding, below zero.
    pub(super) first_line: isize,
    /// Lines from one output line to the next.
    pub(super) stride: usize,
    /// The first input and the first output of the channel.
    pub(super) x: *const u8,
    pub(super) y: *mut u8,
    /// The channel's constants, and how many channels are left.
    pub(super) packed: *const Quad,
    pub(super) channels: usize,
}

/// Widens the weights of a line of the kernel, a quad, to two words of the frame.
macro_rules! widen {
    ($quad:literal, $to:literal) => {
        concat!(
            "sxtb16 r6, ",
            $quad,
            "\n",
            "sxtb16 r7, ",
            $quad,
            ", ror #8\n",
            "lsr r8, r6, #16\n",
            "pkhbt r7, r8, r7, lsl #16\n",
            "strd r6, r7, [sp, #",
            $to,
            "]\n",
        )
    };
}

/// What a sum starts from: the bias in r7, or itself.
macro_rules! start {
    (bias, $sum:literal) => {
        "r7"
    };
    (sum, $sum:literal) => {
        $sum
    };
}

/// Adds a line's products, with w01 in r8 and w12 in r9, to the sums r4 to r7 of outputs one input apart. `$x` points to the inputs.
macro_rules! four_of_stride_1 {
    ($x:literal, $from:tt) => {
        concat!(
            "ldrd r10, r11, [",
            $x,
            "], #8\n",
            "ldr r12, [",
            $x,
            "]\n",
            "smlad r4, r10, r8, ",
            start!($from, "r4"),
            "\n",
            "smlatb r5, r10, r8, ",
            start!($from, "r5"),
            "\n",
            "smlad r6, r11, r8, ",
            start!($from, "r6"),
            "\n",
            "smlatb r7, r11, r8, ",
            start!($from, "r7"),
            "\n",
            "smlabt r4, r11, r9, r4\n",
            "smlad r5, r11, r9, r5\n",
            "smlabt r6, r12, r9, r6\n",
            "smlad r7, r12, r9, r7\n",
        )
    };
}

/// The same for the first two outputs.
macro_rules! two_of_stride_1 {
    ($x:literal, $from:tt) => {
        concat!(
            "ldr r10, [",
            $x,
            "], #4\n",
            "ldr r11, [",
            $x,
            "]\n",
            "smlad r4, r10, r8, ",
            start!($from, "r4"),
            "\n",
            "smlatb r5, r10, r8, ",
            start!($from, "r5"),
            "\n",
            "smlabt r4, r11, r9, r4\n",
            "smlad r5, r11, r9, r5\n",
        )
    };
}

/// The same for four outputs two inputs apart.
macro_rules! four_of_stride_2 {
    ($x:literal, $from:tt) => {
        concat!(
            "ldrd r10, r11, [",
            $x,
            "], #8\n",
            "smlad r4, r10, r8, ",
            start!($from, "r4"),
            "\n",
            "smlabt r4, r11, r9, r4\n",
            "smlad r5, r11, r8, ",
            start!($from, "r5"),
            "\n",
            "ldrd r10, r12, [",
            $x,
            "], #8\n",
            "smlabt r5, r10, r9, r5\n",
            "smlad r6, r10, r8, ",
            start!($from, "r6"),
            "\n",
            "smlabt r6, r12, r9, r6\n",
            "smlad r7, r12, r8, ",
            start!($from, "r7"),
            "\n",
            "ldr r10, [",
            $x,
            "]\n",
            "smlabt r7, r10, r9, r7\n",
        )
    };
}

/// The same for the first two outputs.
macro_rules! two_of_stride_2 {
    ($x:literal, $from:tt) => {
        concat!(
            "ldrd r10, r11, [",
            $x,
            "], #8\n",
            "ldr r12, [",
            $x,
            "]\n",
            "smlad r4, r10, r8, ",
            start!($from, "r4"),
            "\n",
            "smlad r5, r11, r8, ",
            start!($from, "r5"),
            "\n",
            "smlabt r4, r11, r9, r4\n",
            "smlabt r5, r12, r9, r5\n",
        )
    };
}

/// Reads the constants of the next channel, whose quads of weights hide the bias, and begins with its first line.
macro_rules! begin_channel {
    () => {
        concat!(
            "ldr r0, [sp, #{packed}]\n",
            "ldm r0!, {{r2-r5}}\n",
            "str r2, [sp, #28]\n",
            "str r0, [sp, #{packed}]\n",
            "lsr r0, r3, #24\n",
            "lsr r1, r4, #24\n",
            "asr r2, r5, #24\n",
            "orr r0, r0, r1, lsl #8\n",
            "orr r0, r0, r2, lsl #16\n",
            "str r0, [sp]\n",
            widen!("r3", "4"),
            widen!("r4", "12"),
            widen!("r5", "20"),
            "ldrd r0, r1, [sp, #{x}]\n",
            "strd r0, r1, [sp, #{x_line}]\n",
            "add r0, r0, #1\n",
            "add r1, r1, #1\n",
            "strd r0, r1, [sp, #{x}]\n",
            "ldrd r0, r1, [sp, #{lines}]\n",
            "str r0, [sp, #{lines_left}]\n",
            "str r1, [sp, #{line}]\n",
        )
    };
}

/// Puts the next line of the input in place of the oldest.
macro_rules! next_line {
    ($load:literal) => {
        concat!(
            "ldrd r4, r5, [sp, #{slots}]\n",
            "ldr r6, [sp, #{slots} + 8]\n",
            "strd r5, r6, [sp, #{slots}]\n",
            "str r4, [sp, #{slots} + 8]\n",
            "ldrd r2, r3, [sp, #{padding}]\n",
            "add r2, r2, r4\n",
            "ldrd r5, r6, [sp, #{line}]\n",
            "add r7, r5, #1\n",
            "str r7, [sp, #{line}]\n",
            "cmp r5, r6\n",
            "bhs 5f\n",
            "ldr r0, [sp, #{x_line}]\n",
            "ldrd r1, r4, [sp, #{x_steps}]\n",
            "add r4, r4, r0\n",
            "str r4, [sp, #{x_line}]\n",
            gather!($load),
            "b 6f\n",
            "5:\n",
            "ldr r4, [sp, #{x_zero}]\n",
            fill!(),
            "6:\n",
        )
    };
}

/// Writes two outputs from r3 on, the second one only where lr is two at least, and moves it on.
macro_rules! store_two {
    () => {
        concat!("cmp lr, #2\n", "strb r4, [r3]\n", "it hs\n", "strbhs r5, [r3, r10]\n", "add r3, r3, r10, lsl #1\n",)
    };
}

/// `images! { name: four_of_stride_1 two_of_stride_1 "ldrsb" "ssat"; }` is the function of images that are so loaded and requantized.
macro_rules! images {
    ($($(#[$doc:meta])* $name:ident: $four:ident $two:ident $load:literal $finish:tt;)*) => { $(
        $(#[$doc])*
        ///
        /// # Safety
        /// The frame tells of operands that are there, and nothing in it is zero that has to be counted down.
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(_: *const Frame) {
            naked_asm!(
                "push {{r4-r11, lr}}",
                "sub sp, sp, #{size}",
                "mov r1, sp",
                "add r2, r0, #{size}",
                "2:",
                "ldr r3, [r0], #4",
                "str r3, [r1], #4",
                "cmp r0, r2",
                "bne 2b",
                "3:",
                begin_channel!(),
                "mov lr, #3",
                "4:",
                next_line!($load),
                "subs lr, lr, #1",
                "bne 4b",
                "ldrd r0, r1, [sp, #{slots}]",
                "ldr r2, [sp, #{slots} + 8]",
                "ldrd r3, r4, [sp, #{y_line}]",
                "add r4, r4, r3",
                "str r4, [sp, #{y_line}]",
                "ldr lr, [sp, #{tiles}]",
                "cmp lr, #0",
                "beq 8f",
                "7:",
                "ldm sp, {{r7-r9}}",
                $four!("r0", bias),
                "ldrd r8, r9, [sp, #12]",
                $four!("r1", sum),
                "ldrd r8, r9, [sp, #20]",
                $four!("r2", sum),
                requantize_four!($finish),
                store_four!(),
                "subs lr, lr, #1",
                "bne 7b",
                "8:",
                "ldr lr, [sp, #{rest}]",
                "cmp lr, #0",
                "beq 20f",
                "9:",
                "ldm sp, {{r7-r9}}",
                $two!("r0", bias),
                "ldrd r8, r9, [sp, #12]",
                $two!("r1", sum),
                "ldrd r8, r9, [sp, #20]",
                $two!("r2", sum),
                requantize_two!($finish),
                store_two!(),
                "subs lr, lr, #2",
                "bhi 9b",
                "20:",
                "ldr r0, [sp, #{lines_left}]",
                "subs r0, r0, #1",
                "str r0, [sp, #{lines_left}]",
                "ldr lr, [sp, #{stride}]",
                "bne 4b",
                "ldr r0, [sp, #{channels}]",
                "subs r0, r0, #1",
                "str r0, [sp, #{channels}]",
                "bne 3b",
                "add sp, sp, #{size}",
                "pop {{r4-r11, pc}}",
                size = const size_of::<Frame>(),
                slots = const offset_of!(Frame, slots),
                padding = const offset_of!(Frame, padding),
                x_zero = const offset_of!(Frame, x_zero),
                x_steps = const offset_of!(Frame, x_steps),
                line = const offset_of!(Frame, line),
                x_line = const offset_of!(Frame, x_line),
                y_line = const offset_of!(Frame, y_line),
                tiles = const offset_of!(Frame, tiles),
                rest = const offset_of!(Frame, rest),
                lines_left = const offset_of!(Frame, lines_left),
                lines = const offset_of!(Frame, lines),
                stride = const offset_of!(Frame, stride),
                x = const offset_of!(Frame, x),
                packed = const offset_of!(Frame, packed),
                channels = const offset_of!(Frame, channels),
            )
        }
    )* };
}

images! {
    /// Stride 1, from `i8` to `i8`.
    i8_to_i8: four_of_stride_1 two_of_stride_1 "ldrsb" "ssat";
    /// Stride 1, from `i8` to `u8`.
    i8_to_u8: four_of_stride_1 two_of_stride_1 "ldrsb" "usat";
    /// Stride 1, from `i8`, requantized in general.
    i8_to_any: four_of_stride_1 two_of_stride_1 "ldrsb" "any";
    /// Stride 1, from `u8` to `i8`.
    u8_to_i8: four_of_stride_1 two_of_stride_1 "ldrb" "ssat";
    /// Stride 1, from `u8` to `u8`.
    u8_to_u8: four_of_stride_1 two_of_stride_1 "ldrb" "usat";
    /// Stride 1, from `u8`, requantized in general.
    u8_to_any: four_of_stride_1 two_of_stride_1 "ldrb" "any";
    /// Stride 2, from `i8` to `i8`.
    i8_to_i8_halved: four_of_stride_2 two_of_stride_2 "ldrsb" "ssat";
    /// Stride 2, from `i8` to `u8`.
    i8_to_u8_halved: four_of_stride_2 two_of_stride_2 "ldrsb" "usat";
    /// Stride 2, from `i8`, requantized in general.
    i8_to_any_halved: four_of_stride_2 two_of_stride_2 "ldrsb" "any";
    /// Stride 2, from `u8` to `i8`.
    u8_to_i8_halved: four_of_stride_2 two_of_stride_2 "ldrb" "ssat";
    /// Stride 2, from `u8` to `u8`.
    u8_to_u8_halved: four_of_stride_2 two_of_stride_2 "ldrb" "usat";
    /// Stride 2, from `u8`, requantized in general.
    u8_to_any_halved: four_of_stride_2 two_of_stride_2 "ldrb" "any";
}
