//! Quantized linear layers with the DSP instructions of Armv7E-M.
//!
//! It stands in for `quantized/tile.rs` and gives the same bits. `dsp/tiles.rs` has the tiles, `dsp/widen.rs` gathers their inputs.

mod tiles;
mod widen;

use core::cell::Cell;

use crate::quantized::Quantized;
use crate::quantized::finish::{Finish, Fused};
use crate::quantized::pack::{MIXED, OUTPUTS, Quad};
use crate::{Load, Number};

/// The gathered inputs of `P` pixels, for each group of channels its depth filled up to a multiple of four.
#[derive(Clone, Copy)]
pub(crate) struct Patch<'a, const P: usize> {
    /// For each four k and each of two halves: a word of each pixel.
    words: &'a [Cell<u32>],
    /// The same memory.
    halves: &'a [Cell<i16>],
    /// Groups of four k in a group of channels.
    fours: usize,
    /// How many k in a group of channels.
    depth: usize,
}

impl<'a, const P: usize> Patch<'a, P> {
    /// A patch of `groups` of `depth` products in `scratch`.
    #[inline(always)]
    pub(crate) fn new(scratch: &'a [Cell<i16>], groups: usize, depth: usize) -> Self {
        let fours = depth.div_ceil(4);
        // SAFETY: both types are plain integers in cells, of which any bits are valid.
        let (before, words, _) = unsafe { scratch.align_to::<Cell<u32>>() };
        let words = words.get(..2 * P * groups * fours).unwrap_or_default();
        let halves = scratch.get(before.len()..before.len() + 2 * words.len()).unwrap_or_default();
        Self { words, halves, fours, depth }
    }

    /// What fills in the inputs of pixel number `to`.
    #[inline(always)]
    pub(crate) fn pixel(self, to: usize) -> Pixel<'a, P> {
        Pixel { patch: self, to, k: 0 }
    }

    /// Computes `outputs` of `y` at all pixels of the tile of group number `group`.
    #[inline(always)]
    pub(crate) fn run<F: Finish>(
        self,
        group: usize,
        packed: &[Quad],
        finish: F,
        outputs: usize,
        y: &[Cell<F::Output>],
        stride: usize,
    ) {
        let words = 2 * P * self.fours;
        let x = self.words.get(group * words..(group + 1) * words).unwrap_or_default();
        let packed = Packed::group(packed, group, outputs, self.fours);
        layer::<F, P>(x, packed, finish, outputs, y, stride);
    }
}

/// The constants of a group of channels.
#[derive(Clone, Copy)]
struct Packed<'a> {
    is_mixed: bool,
    quads: &'a [Quad],
    fours: usize,
}

impl<'a> Packed<'a> {
    #[inline(always)]
    fn group(packed: &'a [Quad], group: usize, outputs: usize, fours: usize) -> Self {
        let Some((form, quads)) = packed.split_first() else { return Self { is_mixed: false, quads: &[], fours } };
        let of_group = (4 * fours + 2 * OUTPUTS) * outputs.div_ceil(OUTPUTS);
        let quads = quads.get(group * of_group..(group + 1) * of_group).unwrap_or_default();
        Self { is_mixed: form.0[0] == MIXED, quads, fours }
    }

    /// The quads of block number `block`, and its multipliers.
    #[inline(always)]
    fn block(self, block: usize) -> Option<(&'a [Quad], &'a [Quad; OUTPUTS])> {
        let quads = 4 * self.fours + 2 * OUTPUTS;
        let quads = self.quads.get(block * quads..(block + 1) * quads)?;
        Some((quads, quads.last_chunk()?))
    }
}

/// Fills in the inputs of a pixel, run by run.
pub(crate) struct Pixel<'a, const P: usize> {
    patch: Patch<'a, P>,
    to: usize,
    k: usize,
}

impl<const P: usize> Pixel<'_, P> {
    /// Takes the next `len` inputs of `x`, or as many `padding`.
    #[inline(always)]
    pub(crate) fn push<X: Load<Value: Quantized>>(&mut self, x: Option<&[X]>, len: usize, padding: i16) {
        let Self { patch, to, k } = *self;
        let whole = k % 4 == 0 && len % 4 == 0;
        let words = patch.words.get(k / 4 * 2 * P..(k + len) / 4 * 2 * P).unwrap_or_default();
        match x {
            Some(x) if whole && size_of::<X>() == 1 => widen::widen::<X, P>(x, words, to),
            None if whole => words.iter().skip(to).step_by(P).for_each(|word| word.set((padding as u16 as u32) * 0x10001)),
            Some(x) => x.iter().enumerate().for_each(|(i, x)| self.put(k + i, x.load().to_i16())),
            None => (k..k + len).for_each(|k| self.put(k, padding)),
        }
        self.k += len;
        // A group of channels ends with a whole four.
        if self.k % (4 * patch.fours) == patch.depth {
            self.k = self.k.next_multiple_of(4);
        }
    }

    #[inline(always)]
    fn put(&self, k: usize, value: i16) {
        let half = k / 4 * 4 * P + k % 2 * 2 * P + 2 * self.to + k / 2 % 2;
        if let Some(place) = self.patch.halves.get(half) {
            place.set(value);
        }
    }
}

/// A layer of one row, whose inputs are read where they lie.
#[inline(always)]
pub(crate) fn row<X: Load<Value: Quantized>, F: Finish>(
    x: &[X],
    packed: &[Quad],
    finish: F,
    outputs: usize,
    y: &[Cell<F::Output>],
) {
    let packed = Packed::group(packed, 0, outputs, x.len().div_ceil(4));
    for block in 0..outputs.div_ceil(OUTPUTS) {
        let Some((quads, multipliers)) = packed.block(block) else { return };
        let mut sums = [0; OUTPUTS];
        row_sums(x, packed, quads, &mut sums);
        finish_block(&sums, multipliers, finish, y.get(block * OUTPUTS..outputs.min((block + 1) * OUTPUTS)));
    }
}

/// The sums of a block of [`row`].
#[inline(never)]
fn row_sums<X: Load<Value: Quantized>>(x: &[X], Packed { is_mixed, .. }: Packed, quads: &[Quad], sums: &mut [i32; OUTPUTS]) {
    let whole = if size_of::<X>() == 1 { x.len() / 4 } else { 0 };
    let tile = match (is_mixed, X::Value::LOWEST < X::Value::ZERO) {
        (true, true) => tiles::mixed_i8,
        (true, false) => tiles::mixed_u8,
        (false, true) => tiles::plain_i8,
        (false, false) => tiles::plain_u8,
    };
    if whole > 0 && quads.len() >= OUTPUTS + 4 * whole {
        // SAFETY: `x` has four times `whole` elements of one byte, and `quads` what a block starts from and as many fours.
        unsafe { tile(x.as_ptr().cast(), quads.as_ptr(), whole, sums.as_mut_ptr()) }
    } else {
        start(is_mixed, quads, sums);
    }
    let rest = x.get(4 * whole..).unwrap_or_default();
    let fours = quads.get(OUTPUTS + 4 * whole..).unwrap_or_default().as_chunks::<4>().0;
    for (x, quads) in rest.chunks(4).zip(fours) {
        for (k, x) in x.iter().enumerate() {
            let x = i32::from(x.load().to_i16());
            for (output, sum) in sums.iter_mut().enumerate() {
                *sum = sum.wrapping_add(x * weight(is_mixed, quads, output, k));
            }
        }
    }
}

/// What the sums of a block start from.
fn start(is_mixed: bool, quads: &[Quad], sums: &mut [i32; OUTPUTS]) {
    let Some(start) = quads.first_chunk::<OUTPUTS>() else { return };
    let [a, b, c, d] = start.map(Quad::word);
    *sums = match is_mixed {
        true => [c, a.wrapping_sub(c) >> 8, d, b.wrapping_sub(d) >> 8],
        false => [a, b, c, d],
    };
}

/// The weight of an output at `k` of four.
#[inline(always)]
fn weight(is_mixed: bool, quads: &[Quad; 4], output: usize, k: usize) -> i32 {
    let byte = |quad: usize, byte: usize| quads[quad % 4].0[byte % 4];
    if !is_mixed {
        return byte(output, k).into();
    }
    let (quad, half) = (2 * (k % 2) + output / 2, k / 2 * 2);
    let [low, high] = [byte(quad, half), byte(quad, half + 1)].map(i32::from);
    // The low byte's sign is part of the high one.
    if output.is_multiple_of(2) { low } else { high + i32::from(low < 0) }
}

/// Computes `outputs` of `y` for the gathered inputs of `P` pixels.
#[inline(never)]
fn layer<F: Finish, const P: usize>(
    x: &[Cell<u32>],
    packed: Packed,
    finish: F,
    outputs: usize,
    y: &[Cell<F::Output>],
    stride: usize,
) {
    let mut done = 0;
    if let (2, true, Some(fused)) = (P, packed.is_mixed, finish.fused()) {
        done = fuse(x, packed, fused, outputs / OUTPUTS, y, stride);
    }
    for block in done..outputs.div_ceil(OUTPUTS) {
        let Some((quads, multipliers)) = packed.block(block) else { return };
        let mut sums = [[0; OUTPUTS]; 2];
        let tile = match (P, packed.is_mixed) {
            (1, true) => tiles::mixed_1,
            (1, false) => tiles::plain_1,
            (_, true) => tiles::mixed_2,
            (_, false) => tiles::plain_2,
        };
        if packed.fours == 0 || x.len() < 2 * P * packed.fours {
            return;
        }
        // SAFETY: of the inputs there are as many as was asked above, and as `packed` gives the quads of a block, and the sums are
        // those of two pixels.
        unsafe { tile(x.as_ptr().cast(), quads.as_ptr(), packed.fours, sums.as_flattened_mut().as_mut_ptr()) }
        for (pixel, sums) in sums.iter().enumerate().take(P) {
            let y = y.get(pixel * stride + block * OUTPUTS..pixel * stride + outputs.min((block + 1) * OUTPUTS));
            finish_block(sums, multipliers, finish, y);
        }
    }
}

/// Computes the outputs of all but a last, partial block. Gives how many blocks it has done.
#[inline(always)]
fn fuse<T>(x: &[Cell<u32>], packed: Packed, fused: Fused, blocks: usize, y: &[Cell<T>], stride: usize) -> usize {
    if blocks == 0 || packed.fours == 0 || packed.block(blocks - 1).is_none() || x.len() < 4 * packed.fours {
        return 0;
    }
    if y.len() < stride + OUTPUTS * blocks || size_of::<T>() != 1 {
        return 0;
    }
    let (tile, zero): (unsafe extern "C" fn(_, _, _, _, _, _, _, _), _) = match fused {
        Fused::I8(zero) => (tiles::fused_i8, zero),
        Fused::U8(zero) => (tiles::fused_u8, zero),
    };
    let rounding = 1 + 2 * zero;
    let (start, end) = (y.as_ptr(), y.get(OUTPUTS * blocks..).unwrap_or_default().as_ptr());
    // SAFETY: inputs, constants of at least one block and outputs of one byte are as many as was asked above. `Cell` allows the
    // writing.
    unsafe {
        tile(
            x.as_ptr().cast(),
            packed.quads.as_ptr(),
            start.cast_mut().cast(),
            stride,
            end.cast_mut().cast(),
            packed.fours,
            rounding,
            rounding << 8,
        )
    };
    blocks
}

/// Writes the elements for the sums of a block.
#[inline(always)]
fn finish_block<F: Finish>(sums: &[i32; OUTPUTS], multipliers: &[Quad; OUTPUTS], finish: F, y: Option<&[Cell<F::Output>]>) {
    for (y, (sum, multiplier)) in y.unwrap_or_default().iter().zip(sums.iter().zip(multipliers)) {
        y.set(finish.finish(*sum, multiplier.word()));
    }
}
