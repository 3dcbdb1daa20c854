//! Pieces of assembly that the micro-kernels share.
//!
//! Their frames begin alike: the channel's bias (at 0), its weights or where they lie (4 to 24), its multiplier (28), the rounding
//! constant (32), and the bytes from one output to the next (36) and to the third next (40).

/// Makes the sums r4 to r7 elements, and loads the distances of outputs to r10 and r11.
macro_rules! requantize_four {
    ($saturate:literal) => {
        concat!(
            "ldrd r8, r9, [sp, #28]\n",
            "ldrd r10, r11, [sp, #36]\n",
            "smmla r4, r4, r8, r9\n",
            "smmla r5, r5, r8, r9\n",
            "smmla r6, r6, r8, r9\n",
            "smmla r7, r7, r8, r9\n",
            $saturate,
            " r4, #8, r4, asr #1\n",
            $saturate,
            " r5, #8, r5, asr #1\n",
            $saturate,
            " r6, #8, r6, asr #1\n",
            $saturate,
            " r7, #8, r7, asr #1\n",
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

pub(super) use {fill, gather, requantize_four, store_four};
