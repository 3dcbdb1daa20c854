//! Quantized depthwise layers with the DSP instructions of Armv7E-M.
//!
//! It stands in for the lines of `quantized/depthwise.rs` and gives the same bits. `dsp_depthwise/three_by_three.rs` has the kernels
//! that are most frequent, `any_taps.rs` others.

mod any_taps;
mod macros;
mod three_by_three;

use core::cell::Cell;
use core::ptr;

use crate::quantized::Quantized;
use crate::quantized::depthwise::Image;
use crate::quantized::finish::{Finish, Fused};
use crate::quantized::lines::{Lines, OUTPUTS};
use crate::quantized::pack::Quad;
use crate::{Load, Number, Requantize};
use three_by_three::Frame;

/// What becomes of sums, as the micro-kernels' frames have it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Finishing {
    /// What is added to the upper word of the product: half of what is shifted out, and the zero point shifted likewise.
    rounding: i32,
    /// From one output of a line to the next, and three times that.
    y_steps: [usize; 2],
    /// By how much the upper word is shifted down, and, times 256, by how much sums are shifted up first.
    shifts: u32,
    /// The least and the greatest output, each as two halfwords.
    limits: [u32; 2],
}

impl Finishing {
    /// Whether sums can be so requantized: beyond a shift of 54, the zero point has no room.
    const fn holds(requantize: Requantize) -> bool {
        requantize.left < 32 && requantize.shift >= 33 && requantize.shift <= 54
    }

    fn new(requantize: Requantize, y_step: usize) -> Self {
        let Requantize { left, shift, zero, low, high } = requantize;
        let twice = |value: i32| u32::from(value as u16) * 0x1_0001;
        let rounding = (1 << (shift - 33)) + (zero << (shift - 32));
        Self { rounding, y_steps: [y_step, 3 * y_step], shifts: (shift - 32) | (left << 8), limits: [twice(low), twice(high)] }
    }
}

/// `three_by_three!(operands, i8_to_i8)` computes an image by that function. It is called by its name, not by an address, so that the
/// stack of a linked program has a bound.
macro_rules! three_by_three {
    ($operands:ident, $name:ident) => {
        // SAFETY: there is a frame only where the operands are as long as it tells.
        $operands.three_by_three(|frame| unsafe { three_by_three::$name(frame) })
    };
}

/// Computes an image, if that can be done here: gives whether it was. That depends on nothing but what is known while compiling.
#[inline(always)]
pub(crate) fn image<X: Load<Value: Quantized>, F: Finish>(image: &Image<X, F>) -> bool {
    let Image { depthwise, lines, x, packed, y, scratch, x_zero, finish } = *image;
    let Some(requantize) = finish.requantize() else { return false };
    let bytes = size_of::<X>() == 1 && size_of::<F::Output>() == 1;
    let whole = lines.dilations == [1, 1] && lines.kernel[0] > 0 && lines.kernel[1] > 0;
    if !bytes || !whole || !Finishing::holds(requantize) {
        return false;
    }
    let x = ptr::slice_from_raw_parts(x.as_ptr().cast(), x.len());
    let y = ptr::slice_from_raw_parts_mut(y.as_ptr().cast_mut().cast(), y.len());
    let channels = depthwise.input[2];
    let operands = Operands { lines, channels, x, packed, y, scratch, x_zero, requantize };
    let signed = X::Value::LOWEST < X::Value::ZERO;
    match lines.strides[1] {
        1 | 2 if lines.kernel == [3, 3] => match (lines.strides[1], signed, finish.fused()) {
            (1, true, Some(Fused::I8(_))) => three_by_three!(operands, i8_to_i8),
            (1, true, Some(Fused::U8(_))) => three_by_three!(operands, i8_to_u8),
            (1, true, None) => three_by_three!(operands, i8_to_any),
            (1, false, Some(Fused::I8(_))) => three_by_three!(operands, u8_to_i8),
            (1, false, Some(Fused::U8(_))) => three_by_three!(operands, u8_to_u8),
            (1, false, None) => three_by_three!(operands, u8_to_any),
            (_, true, Some(Fused::I8(_))) => three_by_three!(operands, i8_to_i8_halved),
            (_, true, Some(Fused::U8(_))) => three_by_three!(operands, i8_to_u8_halved),
            (_, true, None) => three_by_three!(operands, i8_to_any_halved),
            (_, false, Some(Fused::I8(_))) => three_by_three!(operands, u8_to_i8_halved),
            (_, false, Some(Fused::U8(_))) => three_by_three!(operands, u8_to_u8_halved),
            (_, false, None) => three_by_three!(operands, u8_to_any_halved),
        },
        1 if lines.kernel[0] <= any_taps::MAX_LINES => operands.any_taps(
            if signed { any_taps::gather_i8 } else { any_taps::gather_u8 },
            match finish.fused() {
                Some(Fused::I8(_)) => any_taps::to_i8,
                Some(Fused::U8(_)) => any_taps::to_u8,
                None => any_taps::to_any,
            },
        ),
        _ => return false,
    }
    true
}

/// An image of bytes and what is done with it, in a form that all layers share.
struct Operands<'a> {
    lines: Lines,
    channels: usize,
    x: *const [u8],
    packed: &'a [Quad],
    /// Cells, which may be written.
    y: *mut [u8],
    scratch: &'a [Cell<i16>],
    x_zero: i16,
    requantize: Requantize,
}

impl Operands<'_> {
    /// Computes an image with a kernel of three by three.
    #[inline(never)]
    fn three_by_three(self, compute: impl Fn(&Frame)) {
        if let Some(frame) = self.frame() {
            compute(&frame);
        }
    }

    /// Computes an image with any kernel without holes and a stride of 1.
    #[inline(never)]
    fn any_taps(self, gather: any_taps::Gather, line: any_taps::Line) {
        let lines = Lines { dilations: [1, 1], ..self.lines };
        if !self.are_there(lines) {
            return;
        }
        let (ring, finishing) = (self.ring(lines), self.finishing(lines));
        let Self { channels, x, packed, y, x_zero, .. } = self;
        let (x, packed, y) = (x.cast(), packed.as_ptr(), y.cast());
        // SAFETY: `are_there` has looked at the lengths of the operands.
        unsafe { any_taps::Image { lines, channels, x, packed, y, ring, x_zero, finishing, gather, line }.run() }
    }

    /// Whether the operands are as long as the lines say, and there is something to compute.
    #[inline(always)]
    fn are_there(&self, lines: Lines) -> bool {
        let Self { channels, x, packed, y, scratch, .. } = *self;
        let elements = |[lines, elements]: [usize; 2]| lines * elements * channels;
        let there = x.len() >= elements(lines.input) && y.len() >= elements(lines.output);
        let packed = packed.len() >= channels * lines.quads(1) && scratch.len() >= lines.scratch();
        there && packed && elements(lines.output) > 0 && lines.strides[0] > 0
    }

    fn finishing(&self, lines: Lines) -> Finishing {
        Finishing::new(self.requantize, lines.y_steps[1])
    }

    /// The ring of gathered lines, which begins with a word, as elements are loaded and stored in pairs. It is all padding at first.
    fn ring(&self, lines: Lines) -> *mut i16 {
        let Self { scratch, x_zero, .. } = *self;
        let start = usize::from(!scratch.as_ptr().addr().is_multiple_of(align_of::<u32>()));
        let ring = scratch.get(start..).unwrap_or_default();
        for element in ring.iter().take(lines.kernel[0] * lines.pitch()) {
            element.set(x_zero);
            // Keeps LLVM from unrolling the loop, which would cost more memory than it saves time.
            core::hint::black_box(());
        }
        ring.as_ptr().cast_mut().cast()
    }

    /// The frame of an image with a kernel of three by three, if the operands are there.
    #[inline(never)]
    fn frame(&self) -> Option<Frame> {
        let lines = Lines { kernel: [3, 3], dilations: [1, 1], ..self.lines };
        if !self.are_there(lines) {
            return None;
        }
        let ring = self.ring(lines);
        let Self { channels, x, packed, y, x_zero, .. } = *self;
        let (x, y) = (x.cast(), y.cast());
        // Where no element of the input lies under an output, all lines are padding, of which one element is written.
        let (input_lines, padding, inside) = match inside(lines) {
            0 => (0, 0, 1),
            inside => (lines.input[0], lines.padding[1], inside),
        };
        Some(Frame {
            bias: 0,
            weights: [[0; 2]; 3],
            multiplier: 0,
            finish: self.finishing(lines),
            slots: [0, 1, 2].map(|slot| ring.wrapping_add(slot * lines.pitch())),
            padding: padding * size_of::<i16>(),
            inside,
            x_zero: u32::from(x_zero as u16) * 0x1_0001,
            x_steps: [lines.x_steps[1], lines.x_steps[0]],
            line: 0,
            input_lines,
            x_line: x,
            y_line: y,
            y_line_step: lines.y_steps[0],
            tiles: lines.output[1] / OUTPUTS,
            rest: lines.output[1] % OUTPUTS,
            lines_left: 0,
            lines: lines.output[0],
            first_line: -(lines.padding[0] as isize),
            stride: lines.strides[0],
            x,
            y,
            packed: packed.as_ptr(),
            channels,
        })
    }
}

/// How many elements of a line of the input lie under outputs.
fn inside(lines: Lines) -> usize {
    lines.input[1].min(lines.padded().saturating_sub(lines.padding[1]))
}
