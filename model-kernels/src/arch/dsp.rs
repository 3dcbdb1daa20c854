//! Quantized linear layers with the DSP instructions of Armv7E-M.
//!
//! It stands in for `quantized/tile.rs` and gives the same bits. `dsp/patch.rs` gathers inputs, which `dsp/widen.rs` makes
//! halfwords; `dsp/tiles.rs` sums them.

mod patch;
mod tiles;
mod widen;

use core::cell::Cell;

pub(crate) use self::patch::Patch;
use crate::quantized::Quantized;
use crate::quantized::finish::{Finish, Fused};
use crate::quantized::pack::{MIXED, OUTPUTS, PIXELS, Quad};
use crate::rounding::quotient_up;
use crate::{Load, Number};

/// A layer without its input: in each group of channels, `outputs` sums.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a, F> {
    is_mixed: bool,
    quads: &'a [Quad],
    /// How often an output has four products.
    fours: usize,
    outputs: usize,
    finish: F,
}

impl<'a, F: Finish> Layer<'a, F> {
    /// A layer of outputs with `depth` products each.
    #[inline(always)]
    pub(crate) fn new(packed: &'a [Quad], depth: usize, outputs: usize, finish: F) -> Self {
        let (form, quads) = packed.split_first().map_or((0, Default::default()), |(form, quads)| (form.0[0], quads));
        Self { is_mixed: form == MIXED, quads, fours: quotient_up::<4>(depth), outputs, finish }
    }

    /// How many quads a block of outputs has.
    #[inline(always)]
    fn block_quads(self) -> usize {
        4 * self.fours + 2 * OUTPUTS
    }

    /// How many blocks a group of channels has.
    #[inline(always)]
    fn blocks(self) -> usize {
        quotient_up::<OUTPUTS>(self.outputs)
    }

    /// The constants of a block, and its multipliers.
    #[inline(always)]
    fn block(self, block: usize) -> Option<(&'a [Quad], &'a [Quad; OUTPUTS])> {
        let end = (block + 1) * self.block_quads();
        let multipliers = self.quads.get(end - OUTPUTS..end)?.first_chunk()?;
        Some((self.quads.get(block * self.block_quads()..end)?, multipliers))
    }

    /// Computes the outputs of group number `group` at all pixels of a patch; `stride` is from one pixel to the next in `y`.
    #[inline(always)]
    pub(crate) fn run<X: Load<Value: Quantized>, const P: usize>(
        &self,
        patch: &Patch<'_, X, P>,
        group: usize,
        y: &[Cell<F::Output>],
        stride: usize,
    ) {
        // Where there is one pixel, what the tile makes of the other is written first, and then the pixel over it.
        let stride = if P == 1 { 0 } else { stride };
        self.pixels(patch.group(group, self.fours), group * self.blocks(), y, stride);
    }

    /// Computes the outputs from block number `first` on at two pixels. All layers share this one function.
    #[inline(never)]
    fn pixels(&self, x: &[Cell<u32>], first: usize, y: &[Cell<F::Output>], stride: usize) {
        let done = match self.finish.fused() {
            Some(fused) if self.is_mixed => self.fuse(x, first, fused, y, stride),
            _ => 0,
        };
        for block in done..self.blocks() {
            let Some((quads, multipliers)) = self.block(first + block) else { return };
            let sums = patch_sums(x, quads, self.is_mixed);
            for (pixel, sums) in sums.iter().enumerate().rev() {
                let place = pixel * stride + block * OUTPUTS..pixel * stride + self.outputs.min((block + 1) * OUTPUTS);
                finish_block(sums, multipliers, self.finish, y.get(place));
            }
        }
    }

    /// Computes the outputs of all but a last, partial block, from block number `first` on. Gives how many blocks it has done.
    #[inline(always)]
    fn fuse(self, x: &[Cell<u32>], first: usize, fused: Fused, y: &[Cell<F::Output>], stride: usize) -> usize {
        let blocks = self.outputs / OUTPUTS;
        let size = self.block_quads();
        let Some(quads) = self.quads.get(first * size..(first + blocks) * size) else { return 0 };
        let enough = x.len() >= 4 * self.fours && y.len() >= stride + OUTPUTS * blocks && size_of::<F::Output>() == 1;
        if blocks == 0 || self.fours == 0 || !enough {
            return 0;
        }
        let (tile, zero) = match fused {
            Fused::I8(zero) => (tiles::fused_i8 as tiles::Fuse, zero),
            Fused::U8(zero) => (tiles::fused_u8 as tiles::Fuse, zero),
        };
        let rounding = 1 + 2 * zero;
        let y = y.as_ptr().cast_mut().cast::<u8>();
        // SAFETY: inputs, constants of at least one block and outputs of one byte are as many as was asked above. `Cell` allows the
        // writing.
        unsafe {
            let end = y.add(OUTPUTS * blocks);
            tile(x.as_ptr().cast(), quads.as_ptr(), y, stride, end, self.fours, rounding, rounding << 8);
        }
        blocks
    }

    /// Computes a layer of one row, whose inputs are read where they lie.
    #[inline(always)]
    pub(crate) fn row<X: Load<Value: Quantized>>(self, x: &[X], y: &[Cell<F::Output>]) {
        for block in self.fuse_row(x, y)..self.blocks() {
            let Some((quads, multipliers)) = self.block(block) else { return };
            let sums = row_sums(x, quads, self.is_mixed);
            finish_block(&sums, multipliers, self.finish, y.get(block * OUTPUTS..self.outputs.min((block + 1) * OUTPUTS)));
        }
    }
}

impl<F: Finish> Layer<'_, F> {
    /// As [`Layer::fuse`], of one row whose length is a multiple of four, or less than four.
    #[inline(always)]
    fn fuse_row<X: Load<Value: Quantized>>(self, x: &[X], y: &[Cell<F::Output>]) -> usize {
        let blocks = (self.outputs / OUTPUTS).min(y.len() / OUTPUTS);
        let (tile, zero) = match (self.finish.fused(), X::Value::LOWEST < X::Value::ZERO) {
            (Some(Fused::I8(zero)), true) => (tiles::fused_row_i8 as tiles::FuseRow, zero),
            (Some(Fused::U8(zero)), false) => (tiles::fused_row_u8 as tiles::FuseRow, zero),
            _ => return 0,
        };
        // A tile reads four at once; weights that are not there are zero.
        let mut four = [0; 4];
        four.iter_mut().zip(x).for_each(|(byte, x)| *byte = x.load().to_i16() as u8);
        let (x, len) = if x.len() < 4 { (four.as_ptr(), 4) } else { (x.as_ptr().cast(), x.len()) };
        let bytes = size_of::<X>() == 1 && size_of::<F::Output>() == 1;
        let enough = len == 4 * self.fours && self.quads.len() >= blocks * self.block_quads();
        if !self.is_mixed || blocks == 0 || self.fours == 0 || !bytes || !enough {
            return 0;
        }
        let rounding = 1 + 2 * zero;
        let y = y.as_ptr().cast_mut().cast::<u8>();
        // SAFETY: inputs, constants of at least one block and outputs are of one byte and as many as was asked above. `Cell` allows the
        // writing.
        unsafe {
            tile(x, self.quads.as_ptr(), y, y.add(OUTPUTS * blocks), self.fours, rounding, rounding << 8);
        }
        blocks
    }
}

/// The sums of a block for the gathered inputs of two pixels.
fn patch_sums(x: &[Cell<u32>], quads: &[Quad], is_mixed: bool) -> [[i32; OUTPUTS]; PIXELS] {
    let fours = quads.len().saturating_sub(2 * OUTPUTS) / 4;
    if fours == 0 || x.len() < 2 * PIXELS * fours {
        return [start(is_mixed, quads); PIXELS];
    }
    let mut sums = [[0; OUTPUTS]; PIXELS];
    let tile = if is_mixed { tiles::mixed_2 } else { tiles::plain_2 };
    // SAFETY: inputs and constants are as many as was asked above, and the sums are those of two pixels.
    unsafe { tile(x.as_ptr().cast(), quads.as_ptr(), fours, sums.as_flattened_mut().as_mut_ptr()) }
    sums
}

/// The sums of a block for inputs as they are.
#[inline(never)]
fn row_sums<X: Load<Value: Quantized>>(x: &[X], quads: &[Quad], is_mixed: bool) -> [i32; OUTPUTS] {
    let mut sums = start(is_mixed, quads);
    let whole = if size_of::<X>() == 1 { x.len() / 4 } else { 0 };
    if whole > 0 && quads.len() >= OUTPUTS + 4 * whole {
        let tile = match (is_mixed, X::Value::LOWEST < X::Value::ZERO) {
            (true, true) => tiles::mixed_i8,
            (true, false) => tiles::mixed_u8,
            (false, true) => tiles::plain_i8,
            (false, false) => tiles::plain_u8,
        };
        // SAFETY: `x` has four times `whole` elements of one byte, and `quads` what a block starts from and as many fours.
        unsafe { tile(x.as_ptr().cast(), quads.as_ptr(), whole, sums.as_mut_ptr()) }
    }
    let mut rest = x.get(4 * whole..).unwrap_or_default();
    let fours = quads.get(OUTPUTS + 4 * whole..).unwrap_or_default().as_chunks::<4>().0;
    // `chunks` would ask for their number, by a division that small code checks.
    for quads in fours {
        let (x, behind) = rest.split_at_checked(4).unwrap_or((rest, &[]));
        rest = behind;
        for (k, x) in x.iter().enumerate() {
            let x = i32::from(x.load().to_i16());
            for (output, sum) in sums.iter_mut().enumerate() {
                *sum = sum.wrapping_add(x * weight(is_mixed, quads, output, k));
            }
        }
    }
    sums
}

/// What the sums of a block start from.
fn start(is_mixed: bool, quads: &[Quad]) -> [i32; OUTPUTS] {
    let Some(start) = quads.first_chunk::<OUTPUTS>() else { return [0; OUTPUTS] };
    let [a, b, c, d] = start.map(Quad::word);
    match is_mixed {
        true => [c, a.wrapping_sub(c) >> 8, d, b.wrapping_sub(d) >> 8],
        false => [a, b, c, d],
    }
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

/// Writes the elements for the sums of a block.
#[inline(never)]
fn finish_block<F: Finish>(sums: &[i32; OUTPUTS], multipliers: &[Quad; OUTPUTS], finish: F, y: Option<&[Cell<F::Output>]>) {
    for (y, (sum, multiplier)) in y.unwrap_or_default().iter().zip(sums.iter().zip(multipliers)) {
        y.set(finish.finish(*sum, multiplier.word()));
    }
}
