//! Quantized depthwise layers with the DSP instructions of Armv7E-M.
//!
//! It stands in for the lines of `quantized/depthwise.rs` and gives the same bits. `dsp_depthwise/three_by_three.rs` has the kernels
//! that are most frequent, `any_taps.rs` others.

mod any_taps;
mod macros;
mod three_by_three;

use crate::quantized::Quantized;
use crate::quantized::depthwise::Image;
use crate::quantized::finish::{Finish, Fused};
use crate::quantized::lines::{Lines, OUTPUTS};
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
    /// By how much the upper word is shifted down.
    shift: u32,
    /// The least and the greatest output, each as two halfwords.
    limits: [u32; 2],
}

impl Finishing {
    fn new(requantize: Requantize, y_step: usize) -> Option<Self> {
        let Requantize { left, shift, zero, low, high } = requantize;
        // Beyond that, the zero point has no room.
        if left != 0 || !(33..=54).contains(&shift) {
            return None;
        }
        let twice = |value: i32| u32::from(value as u16) * 0x1_0001;
        let rounding = (1 << (shift - 33)) + (zero << (shift - 32));
        Some(Self { rounding, y_steps: [y_step, 3 * y_step], shift: shift - 32, limits: [twice(low), twice(high)] })
    }
}

/// Computes an image, if that can be done here: gives whether it was.
#[inline(always)]
pub(crate) fn image<X: Load<Value: Quantized>, F: Finish>(image: &Image<X, F>) -> bool {
    let Image { lines, finish, .. } = *image;
    let finishing = finish.requantize().and_then(|requantize| Finishing::new(requantize, lines.y_steps[1]));
    let Some(finishing) = finishing.filter(|_| fits(image)) else { return false };
    let signed = X::Value::LOWEST < X::Value::ZERO;
    // SAFETY: `fits` has looked at the lengths of the operands, of which elements are single bytes. `Cell` allows the writing.
    unsafe {
        if lines.kernel == [3, 3] && (lines.strides[1] == 1 || lines.strides[1] == 2) {
            let compute: three_by_three::Image = match (lines.strides[1], signed, finish.fused()) {
                (1, true, Some(Fused::I8(_))) => three_by_three::i8_to_i8,
                (1, true, Some(Fused::U8(_))) => three_by_three::i8_to_u8,
                (1, true, None) => three_by_three::i8_to_any,
                (1, false, Some(Fused::I8(_))) => three_by_three::u8_to_i8,
                (1, false, Some(Fused::U8(_))) => three_by_three::u8_to_u8,
                (1, false, None) => three_by_three::u8_to_any,
                (_, true, Some(Fused::I8(_))) => three_by_three::i8_to_i8_halved,
                (_, true, Some(Fused::U8(_))) => three_by_three::i8_to_u8_halved,
                (_, true, None) => three_by_three::i8_to_any_halved,
                (_, false, Some(Fused::I8(_))) => three_by_three::u8_to_i8_halved,
                (_, false, Some(Fused::U8(_))) => three_by_three::u8_to_u8_halved,
                (_, false, None) => three_by_three::u8_to_any_halved,
            };
            compute(&frame(image, finishing));
            return true;
        }
        if lines.strides[1] != 1 || lines.kernel[0] > any_taps::MAX_LINES {
            return false;
        }
        let line: any_taps::Line = match finish.fused() {
            Some(Fused::I8(_)) => any_taps::to_i8,
            Some(Fused::U8(_)) => any_taps::to_u8,
            None => any_taps::to_any,
        };
        let gather: any_taps::Gather = if signed { any_taps::gather_i8 } else { any_taps::gather_u8 };
        let Image { channels, x, packed, y, x_zero, .. } = *image;
        let (x, packed, y) = (x.as_ptr().cast(), packed.as_ptr(), y.as_ptr().cast_mut().cast());
        let ring = ring(image);
        any_taps::Image { lines, channels, x, packed, y, ring, x_zero, finishing, gather, line }.run();
    }
    true
}

/// Whether elements have one byte, the operands are as long as the lines say, there is something to compute, and the kernel has no holes.
#[inline(always)]
fn fits<X, F: Finish>(image: &Image<X, F>) -> bool {
    let Image { lines, channels, x, packed, y, scratch, .. } = *image;
    let elements = |[lines, elements]: [usize; 2]| lines * elements * channels;
    let filled = [lines.input, lines.output, lines.kernel, lines.strides].iter().all(|shape| elements(*shape) > 0);
    let there = x.len() >= elements(lines.input) && y.len() >= elements(lines.output);
    let packed = packed.len() >= channels * lines.quads() && scratch.len() >= lines.scratch();
    let bytes = size_of::<X>() == 1 && size_of::<F::Output>() == 1;
    bytes && filled && there && packed && lines.dilations == [1, 1] && inside(lines) > 0
}

/// How many elements of a line of the input lie under outputs.
fn inside(lines: Lines) -> usize {
    lines.input[1].min(lines.padded().saturating_sub(lines.padding[1]))
}

/// The ring of gathered lines, which begins with a word, as elements are loaded and stored in pairs. It is all padding at first.
fn ring<X, F: Finish>(image: &Image<X, F>) -> *mut i16 {
    let Image { lines, scratch, x_zero, .. } = *image;
    let start = usize::from(!scratch.as_ptr().addr().is_multiple_of(align_of::<u32>()));
    let ring = scratch.get(start..).unwrap_or_default();
    ring.iter().take(lines.kernel[0] * lines.pitch()).for_each(|element| element.set(x_zero));
    ring.as_ptr().cast_mut().cast()
}

/// The frame for an image.
#[inline(always)]
fn frame<X, F: Finish>(image: &Image<X, F>, finish: Finishing) -> Frame {
    let ring = ring(image);
    let Image { lines, channels, x, packed, y, x_zero, .. } = *image;
    let (x, y) = (x.as_ptr().cast(), y.as_ptr().cast_mut().cast());
    Frame {
        bias: 0,
        weights: [[0; 2]; 3],
        multiplier: 0,
        finish,
        slots: [0, 1, 2].map(|slot| ring.wrapping_add(slot * lines.pitch())),
        padding: lines.padding[1] * size_of::<i16>(),
        inside: inside(lines),
        x_zero: u32::from(x_zero as u16) * 0x1_0001,
        x_steps: [lines.x_steps[1], lines.x_steps[0]],
        line: 0,
        input_lines: lines.input[0],
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
    }
}
