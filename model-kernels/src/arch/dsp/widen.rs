//! Bytes of an image as halfwords of a patch.

use core::arch::asm;
use core::cell::Cell;

use crate::quantized::Quantized;
use crate::{Load, Number};

/// `loop_of!("sxtb16")` widens four bytes a turn: the even ones to one word, and the odd ones to that behind those of all pixels.
macro_rules! loop_of {
    ($widen:literal, $x:expr, $to:expr, $count:expr, $step:expr) => {
        asm!(
            "2:",
            "ldr {word}, [{x}], #4",
            concat!($widen, " {even}, {word}"),
            concat!($widen, " {word}, {word}, ror #8"),
            "str {even}, [{to}], #{step}",
            "str {word}, [{to}], #{step}",
            "subs {count}, {count}, #1",
            "bne 2b",
            x = inout(reg) $x => _,
            to = inout(reg) $to => _,
            count = inout(reg) $count => _,
            even = out(reg) _,
            word = out(reg) _,
            step = const $step,
            options(nostack),
        )
    };
}

/// Widens elements of one byte to those of `words` that belong to pixel number `to` of `P`.
#[inline(always)]
pub(super) fn widen<X: Load<Value: Quantized>, const P: usize>(x: &[X], words: &[Cell<u32>], to: usize) {
    let count = (x.len() / 4).min(words.len() / (2 * P));
    let Some(words) = words.get(to..) else { return };
    if count == 0 || to >= P || size_of::<X>() != 1 {
        return;
    }
    let signed = X::Value::LOWEST < X::Value::ZERO;
    let (x, words) = (x.as_ptr().cast::<u32>(), words.as_ptr().cast_mut());
    // SAFETY: `count` > 0 fours of bytes are read and 2 · `count` words written, as many as there are. `Cell` allows the writing.
    unsafe {
        match (P, signed) {
            (1, true) => loop_of!("sxtb16", x, words, count, 4),
            (1, false) => loop_of!("uxtb16", x, words, count, 4),
            (_, true) => loop_of!("sxtb16", x, words, count, 8),
            (_, false) => loop_of!("uxtb16", x, words, count, 8),
        }
    }
}
