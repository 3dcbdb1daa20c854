//! The micro-kernel of quantized linear layers in portable form: a tile of sums over packed weights.
//!
//! `arch/dsp.rs` stands in for it where the processor has more to offer.

use core::cell::Cell;

use crate::Load;
use crate::quantized::Quantized;
use crate::quantized::finish::Finish;
use crate::quantized::pack::{OUTPUTS, Quad};

/// The gathered inputs of `P` pixels, for each group of channels `[k][pixel]`.
#[derive(Clone, Copy)]
pub(crate) struct Patch<'a, const P: usize> {
    inputs: &'a [[Cell<i16>; P]],
    depth: usize,
}

impl<'a, const P: usize> Patch<'a, P> {
    /// A patch of `groups` of `depth` products in `scratch`.
    #[inline(always)]
    pub(crate) fn new(scratch: &'a [Cell<i16>], groups: usize, depth: usize) -> Self {
        Self { inputs: scratch.get(..groups * depth * P).unwrap_or_default().as_chunks().0, depth }
    }

    /// What fills in the inputs of pixel number `to`.
    #[inline(always)]
    pub(crate) fn pixel(self, to: usize) -> Pixel<'a, P> {
        Pixel { rest: self.inputs, to }
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
        let inputs = self.inputs.get(group * self.depth..(group + 1) * self.depth).unwrap_or_default();
        let quads = block_quads(self.depth) * outputs.div_ceil(OUTPUTS);
        let packed = packed.get(group * quads..(group + 1) * quads).unwrap_or_default();
        Tile { inputs, packed, finish, outputs, y, stride }.run();
    }
}

/// Fills in the inputs of a pixel, run by run.
pub(crate) struct Pixel<'a, const P: usize> {
    rest: &'a [[Cell<i16>; P]],
    to: usize,
}

impl<const P: usize> Pixel<'_, P> {
    /// Takes the next `len` inputs of `x`, or as many `padding`.
    #[inline(always)]
    pub(crate) fn push<X: Load<Value: Quantized>>(&mut self, x: Option<&[X]>, len: usize, padding: i16) {
        let (patch, rest) = self.rest.split_at_checked(len).unwrap_or_default();
        self.rest = rest;
        match x {
            Some(x) => patch.iter().zip(x).for_each(|(patch, x)| patch[self.to].set(x.load().to_i16())),
            None => patch.iter().for_each(|patch| patch[self.to].set(padding)),
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
    Tile { inputs: x.as_chunks::<1>().0, packed, finish, outputs, y, stride: 0 }.run();
}

/// A layer at `P` pixels: `y[p][o] = finish(bias[o] + Σ inputs[k][p] · weights[k][o], multipliers[o])`.
struct Tile<'a, X, F: Finish, const P: usize> {
    /// The gathered inputs.
    inputs: &'a [[X; P]],
    /// The layer's constants, as [`pack`](crate::quantized::pack) has them.
    packed: &'a [Quad],
    finish: F,
    /// How many outputs there are.
    outputs: usize,
    /// The outputs of all pixels.
    y: &'a [Cell<F::Output>],
    /// From one pixel to the next in `y`.
    stride: usize,
}

impl<X: Load<Value: Quantized>, F: Finish, const P: usize> Tile<'_, X, F, P> {
    /// Computes all outputs.
    #[inline(always)]
    fn run(&self) {
        let quads = block_quads(self.inputs.len());
        for (block, first) in (0..self.outputs).step_by(OUTPUTS).enumerate() {
            let packed = self.packed.get(block * quads..(block + 1) * quads).unwrap_or_default();
            let Some((start, packed)) = packed.split_first_chunk::<OUTPUTS>() else { return };
            let Some((weights, multipliers)) = packed.split_last_chunk::<OUTPUTS>() else { return };
            let outputs = first..self.outputs.min(first + OUTPUTS);
            for (pixel, sums) in self.sums(start, weights).iter().enumerate() {
                let y = self.y.get(pixel * self.stride + outputs.start..pixel * self.stride + outputs.end).unwrap_or_default();
                for (y, (sum, multiplier)) in y.iter().zip(sums.iter().zip(multipliers)) {
                    y.set(self.finish.finish(*sum, multiplier.word()));
                }
            }
        }
    }

    /// The sums of a block of outputs.
    #[inline(always)]
    fn sums(&self, start: &[Quad; OUTPUTS], weights: &[Quad]) -> [[i32; OUTPUTS]; P] {
        let mut sums = [start.map(Quad::word); P];
        for (inputs, weights) in self.inputs.iter().zip(weights) {
            for (sums, input) in sums.iter_mut().zip(inputs) {
                let input = i32::from(input.load().to_i16());
                for (sum, weight) in sums.iter_mut().zip(weights.0) {
                    *sum = sum.wrapping_add(i32::from(weight) * input);
                }
            }
        }
        sums
    }
}

/// How many quads a block of outputs has.
const fn block_quads(depth: usize) -> usize {
    depth + 2 * OUTPUTS
}
