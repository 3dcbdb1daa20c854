//! Any kernels with a stride of 1, four outputs of a line at once.
//!
//! A word of a line of inputs is two neighbours; `x01` is those at 0 and 1, from the first that lies under the first output on.

use core::arch::naked_asm;

use super::Finishing;
use super::macros::{clip, gather, raise, requantize_four, saturate, scale, shift, store_four};
use crate::Quad;
use crate::quantized::lines::Lines;
use crate::rounding::quotient_up;

/// The most lines a kernel may have.
pub(super) const MAX_LINES: usize = 7;

/// The channels of one image.
#[derive(Clone, Copy)]
pub(super) struct Image {
    pub(super) lines: Lines,
    pub(super) channels: usize,
    pub(super) x: *const u8,
    pub(super) packed: *const Quad,
    pub(super) y: *mut u8,
    /// Where the ring of gathered lines begins.
    pub(super) ring: *mut i16,
    pub(super) x_zero: i16,
    pub(super) finishing: Finishing,
    pub(super) gather: Gather,
    pub(super) line: Line,
}

impl Image {
    /// Computes all channels.
    ///
    /// # Safety
    /// Operands are as long as `lines` says, the ring begins with a word, and there is something to compute.
    #[inline(always)]
    pub(super) unsafe fn run(self) {
        let Lines { kernel: [lines, taps], .. } = self.lines;
        let pitch = self.lines.pitch();
        // From any slot of the ring on there stand as many as there are, in their order.
        let mut slots = [self.ring; 2 * MAX_LINES];
        for (index, slot) in slots.iter_mut().enumerate().take(2 * lines) {
            *slot = self.ring.wrapping_add(pitch * if index < lines { index } else { index - lines });
        }
        // What fours leave is filled up to a four, unless it is one.
        let one_more = usize::from(taps > 1 && taps % 4 == 1);
        let mut constants = Constants {
            bias: 0,
            quads: self.packed,
            lines: lines * size_of::<*mut i16>(),
            fours: quotient_up::<4>(taps) - one_more,
            one_more,
            unused: [0; 2],
            multiplier: 0,
            finishing: self.finishing,
        };
        let hides_bias = self.lines.hides_bias(1);
        for channel in 0..self.channels {
            // SAFETY: there are the quads of as many channels.
            unsafe {
                let next = constants.quads.add(self.lines.quads(1));
                constants.multiplier = constants.quads.read().word();
                constants.bias = match hides_bias {
                    true => next.sub(1).read().word() >> 8,
                    false => constants.quads.add(1).read().word(),
                };
                constants.quads = constants.quads.add(if hides_bias { 1 } else { 2 });
                self.plane(channel, &slots, &constants);
                constants.quads = next;
            }
        }
    }

    /// Computes a channel.
    ///
    /// # Safety
    /// That of `run`, and there is this channel.
    #[inline(always)]
    unsafe fn plane(&self, channel: usize, slots: &[*mut i16; 2 * MAX_LINES], constants: &Constants) {
        let Lines { kernel, strides, output, y_steps, .. } = self.lines;
        let slots = slots.as_ptr();
        // The slot of the oldest line, which is the first under a line of outputs, and the number of the line that takes its place.
        let (mut first, mut next) = (0, 0);
        // SAFETY: `first` is less than the number of slots, and what is computed lies behind the first output of the channel.
        unsafe {
            let (x, mut y) = (self.x.add(channel), self.y.add(channel));
            for line in 0..output[0] {
                for _ in 0..if line == 0 { kernel[0] } else { strides[0] } {
                    self.gather(x, next, slots.add(first).read());
                    next += 1;
                    first = if first + 1 == kernel[0] { 0 } else { first + 1 };
                }
                (self.line)(slots.add(first), y, output[1], constants);
                y = y.wrapping_add(y_steps[0]);
            }
        }
    }

    /// Puts line `number` of the padded input, of which `x` is the first element, to `slot`, where its padding stands already.
    ///
    /// # Safety
    /// `slot` has room for a line.
    #[inline(always)]
    unsafe fn gather(&self, x: *const u8, number: usize, slot: *mut i16) {
        let Lines { input, padding, x_steps, .. } = self.lines;
        let inside = super::inside(self.lines);
        // SAFETY: the line is one of the input, and `inside` of its elements have room behind the padding.
        unsafe {
            let place = slot.wrapping_add(padding[1]);
            match number.checked_sub(padding[0]).filter(|line| *line < input[0] && inside > 0) {
                Some(line) => (self.gather)(x.add(line * x_steps[0]), x_steps[1], place, inside),
                None => (0..inside).for_each(|element| place.add(element).write(self.x_zero)),
            }
        }
    }
}

/// The constants of a channel.
#[repr(C)]
pub(super) struct Constants {
    bias: i32,
    /// The quads of one line after another.
    quads: *const Quad,
    /// How many lines the kernel has, in bytes of pointers.
    lines: usize,
    /// How many quads of a line hold four weights.
    fours: usize,
    /// Whether one with one weight follows them.
    one_more: usize,
    unused: [usize; 2],
    multiplier: i32,
    finishing: Finishing,
}

/// What a line of outputs takes: where the lines of inputs under it begin, the place of its first output, how many outputs there are
/// (one at least), and the channel's constants.
pub(super) type Line = unsafe extern "C" fn(*const *mut i16, *mut u8, usize, *const Constants);

/// Adds the products of four weights to the sums of outputs one element apart.
///
/// r9 to r12 are x01, x23, x45 and x67, and the weights w01 and w23 lie in r8 and r3. For the odd outputs neighbours are taken from two
/// words: x21, x43 and x65, which are multiplied crosswise.
macro_rules! four_weights {
    () => {
        concat!(
            "ldrd r9, r10, [r0], #8\n",
            "ldrd r11, r12, [r0]\n",
            "ldr r8, [r1], #4\n",
            "sxtb16 r3, r8, ror #8\n",
            "sxtb16 r8, r8\n",
            "smlad r4, r9, r8, r4\n",
            "smlad r6, r10, r8, r6\n",
            "smlad r4, r10, r3, r4\n",
            "smlad r6, r11, r3, r6\n",
            "pkhbt r9, r10, r9\n",
            "pkhbt r10, r11, r10\n",
            "pkhbt r11, r12, r11\n",
            "smladx r5, r9, r8, r5\n",
            "smladx r7, r10, r8, r7\n",
            "smladx r5, r10, r3, r5\n",
            "smladx r7, r11, r3, r7",
        )
    };
}

/// Adds the products of one weight.
macro_rules! one_weight {
    () => {
        concat!(
            "ldrd r9, r10, [r0]\n",
            "ldr r8, [r1], #4\n",
            "sxtb r8, r8\n",
            "smlabb r4, r9, r8, r4\n",
            "smlatb r5, r9, r8, r5\n",
            "smlabb r6, r10, r8, r6\n",
            "smlatb r7, r10, r8, r7",
        )
    };
}

/// `any_taps! { name: "ssat" }` is a line of any kernel with a stride of 1.
///
/// Behind the constants the stack holds where the addresses of the lines of inputs begin (at 56) and end (60), how many bytes are done of
/// each of those lines (64), how many outputs are left (68), and the place of the next (72).
macro_rules! any_taps {
    ($($(#[$doc:meta])* $name:ident: $finish:tt;)*) => { $(
        $(#[$doc])*
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(_: *const *mut i16, _: *mut u8, _: usize, _: *const Constants) {
            naked_asm!(
                "push {{r4-r11, lr}}",
                "sub sp, sp, #80",
                "ldm r3!, {{r4-r11}}",
                "stm sp, {{r4-r11}}",
                "ldm r3, {{r4-r9}}",
                "str r4, [sp, #32]",
                "strd r5, r6, [sp, #36]",
                "strd r7, r8, [sp, #44]",
                "str r9, [sp, #52]",
                "ldr r3, [sp, #8]",
                "add r3, r0, r3",
                "strd r0, r3, [sp, #56]",
                "mov r3, #0",
                "strd r3, r2, [sp, #64]",
                "str r1, [sp, #72]",
                "2:",
                "ldrd r4, r1, [sp]",
                "mov r5, r4",
                "mov r6, r4",
                "mov r7, r4",
                "ldr r2, [sp, #56]",
                "3:",
                "ldr r0, [r2], #4",
                "ldr r3, [sp, #64]",
                "ldr lr, [sp, #12]",
                "add r0, r0, r3",
                "6:",
                four_weights!(),
                "subs lr, lr, #1",
                "bne 6b",
                "ldr r3, [sp, #16]",
                "cbz r3, 7f",
                one_weight!(),
                "7:",
                "ldr r3, [sp, #60]",
                "cmp r2, r3",
                "bne 3b",
                requantize_four!($finish),
                "ldrd lr, r3, [sp, #68]",
                "subs lr, lr, #4",
                "blo 4f",
                store_four!(),
                "strd lr, r3, [sp, #68]",
                "ldr r0, [sp, #64]",
                "add r0, r0, #8",
                "str r0, [sp, #64]",
                "bne 2b",
                "b 5f",
                // One to three are left.
                "4:",
                "strb r4, [r3]",
                "cmp lr, #-2",
                "it ge",
                "strbge r5, [r3, r10]",
                "cmp lr, #-1",
                "it eq",
                "strbeq r6, [r3, r10, lsl #1]",
                "5:",
                "add sp, sp, #80",
                "pop {{r4-r11, pc}}",
            )
        }
    )* };
}

any_taps! {
    /// To `i8`.
    to_i8: "ssat";
    /// To `u8`.
    to_u8: "usat";
    /// Requantized in general.
    to_any: "any";
}

/// What widens elements: the address of the first, the bytes from one to the next, the place of the first, how many there are (one at
/// least).
pub(super) type Gather = unsafe extern "C" fn(*const u8, usize, *mut i16, usize);

/// `gathers! { name: "ldrsb" }` widens elements that are loaded so.
macro_rules! gathers {
    ($($(#[$doc:meta])* $name:ident: $load:literal;)*) => { $(
        $(#[$doc])*
        #[unsafe(naked)]
        pub(super) unsafe extern "C" fn $name(_: *const u8, _: usize, _: *mut i16, _: usize) {
            naked_asm!("push {{r4-r8, lr}}", gather!($load), "pop {{r4-r8, pc}}")
        }
    )* };
}

gathers! {
    /// Elements `i8`.
    gather_i8: "ldrsb";
    /// Elements `u8`.
    gather_u8: "ldrb";
}
