//! Pieces of assembly that the micro-kernels share.
//!
//! Their frames begin alike: the channel's bias (at 0), its weights or where they lie (4 to 24), its multiplier (28), the rounding
//! constant (32), the bytes from one output to the next (36) and to the third next (40), and of what is requantized in general the
//! shifts (44) and the least and the greatest output, each twice in a word (48 and 52).

/// Makes the sums r4 to r7 elements, and loads the distances of outputs to r10 and r11: with a shift of 33 and clipped to the type that
/// the instruction saturates to, or in general.
macro_rules! requantize_four {
    ("any") => {
        concat!(
            raise!("r4" "r5" "r6" "r7"),
            scale!("r4" "r5" "r6" "r7"),
            "ldr r8, [sp, #44]\n",
            shift!("r4" "r5" "r6" "r7"),
            "ldrd r8, r9, [sp, #48]\n",
            clip!("r4", "r5"),
            clip!("r6", "r7"),
            "ldrd r10, r11, [sp, #36]\n",
        )
    };
    ($saturate:literal) => {
        concat!(scale!("r4" "r5" "r6" "r7"), saturate!($saturate, "r4" "r5" "r6" "r7"), "ldrd r10, r11, [sp, #36]\n")
    };
}

/// The same of r4 and r5, and the first distance only.
macro_rules! requantize_two {
    ("any") => {
        concat!(
            raise!("r4" "r5"),
            scale!("r4" "r5"),
            "ldr r8, [sp, #44]\n",
            shift!("r4" "r5"),
            "ldrd r8, r9, [sp, #48]\n",
            clip!("r4", "r5"),
            "ldr r10, [sp, #36]\n",
        )
    };
    ($saturate:literal) => {
        concat!(scale!("r4" "r5"), saturate!($saturate, "r4" "r5"), "ldr r10, [sp, #36]\n")
    };
}

/// Shifts sums up before they are multiplied.
macro_rules! raise {
    ($($sum:literal)*) => {
        concat!("ldr r8, [sp, #44]\n", "lsr r8, r8, #8\n", $("lsl ", $sum, ", ", $sum, ", r8\n",)*)
    };
}

/// Multiplies sums, rounds them, and adds the zero point.
macro_rules! scale {
    ($($sum:literal)*) => {
        concat!("ldrd r8, r9, [sp, #28]\n", $("smmla ", $sum, ", ", $sum, ", r8, r9\n",)*)
    };
}

/// Shifts by 1 and saturates to a type.
macro_rules! saturate {
    ($saturate:literal, $($sum:literal)*) => {
        concat!($($saturate, " ", $sum, ", #8, ", $sum, ", asr #1\n",)*)
    };
}

/// Shifts by r8, of which the lowest byte counts, to 16 bits.
macro_rules! shift {
    ($($sum:literal)*) => {
        concat!($("asr ", $sum, ", ", $sum, ", r8\n", "ssat ", $sum, ", #16, ", $sum, "\n",)*)
    };
}

/// Raises two to r8 and lowers them to r9, where they are not there.
macro_rules! clip {
    ($first:literal, $second:literal) => {
        concat!(
            concat!("pkhbt ", $first, ", ", $first, ", ", $second, ", lsl #16\n"),
            concat!("ssub16 r12, ", $first, ", r8\n"),
            concat!("sel ", $first, ", ", $first, ", r8\n"),
            concat!("ssub16 r12, r9, ", $first, "\n"),
            concat!("sel ", $first, ", ", $first, ", r9\n"),
            concat!("asr ", $second, ", ", $first, ", #16\n"),
        )
    };
}

/// Writes four outputs from r3 on, and moves it on. It leaves the flags.
macro_rules! store_four {
    () => {
        concat!(
            "strb r4, [r3]\n",
            "strb r5, [r3, r10]\n",
            "strb r6, [r3, r10, lsl #1]\n",
            "strb r7, [r3, r11]\n",
            "add r3, r3, r10, lsl #2\n",
        )
    };
}

/// Widens r3 (one at least) elements, which lie r1 bytes apart from r0 on, to r2 on. Uses r4 to r8.
macro_rules! gather {
    ($load:literal) => {
        concat!(
            "add r8, r1, r1, lsl #1\n",
            // Pairs are stored where words begin.
            "tst r2, #2\n",
            "beq 81f\n",
            $load,
            " r4, [r0]\n",
            "add r0, r0, r1\n",
            "strh r4, [r2], #2\n",
            "sub r3, r3, #1\n",
            "81:\n",
            "subs r3, r3, #4\n",
            "blo 83f\n",
            "82:\n",
            $load,
            " r4, [r0]\n",
            $load,
            " r5, [r0, r1]\n",
            $load,
            " r6, [r0, r1, lsl #1]\n",
            $load,
            " r7, [r0, r8]\n",
            "add r0, r0, r1, lsl #2\n",
            "pkhbt r4, r4, r5, lsl #16\n",
            "pkhbt r6, r6, r7, lsl #16\n",
            "strd r4, r6, [r2], #8\n",
            "subs r3, r3, #4\n",
            "bhs 82b\n",
            "83:\n",
            "adds r3, r3, #4\n",
            "beq 85f\n",
            "84:\n",
            $load,
            " r4, [r0]\n",
            "add r0, r0, r1\n",
            "strh r4, [r2], #2\n",
            "subs r3, r3, #1\n",
            "bne 84b\n",
            "85:\n",
        )
    };
}

/// Writes r3 (one at least) times the low half of r4, which holds it twice, to r2 on.
macro_rules! fill {
    () => {
        concat!(
            "tst r2, #2\n",
            "beq 91f\n",
            "strh r4, [r2], #2\n",
            "sub r3, r3, #1\n",
            "91:\n",
            "subs r3, r3, #4\n",
            "blo 93f\n",
            "92:\n",
            "strd r4, r4, [r2], #8\n",
            "subs r3, r3, #4\n",
            "bhs 92b\n",
            "93:\n",
            "adds r3, r3, #4\n",
            "beq 95f\n",
            "94:\n",
            "strh r4, [r2], #2\n",
            "subs r3, r3, #1\n",
            "bne 94b\n",
            "95:\n",
        )
    };
}

pub(super) use {clip, fill, gather, raise, requantize_four, requantize_two, saturate, scale, shift, store_four};
