//! The micro-kernel of quantized linear layers in portable form: a tile of sums over packed weights, and what becomes of them.

use core::cell::Cell;
use core::marker::PhantomData;

use crate::quantized::Quantized;
use crate::quantized::pack::Quad;
use crate::{Load, Requantize};

/// How many pixels a tile has: their inputs are gathered side by side, so that each weight is read once for all of them.
pub(crate) const PIXELS: usize = 2;

/// How many outputs a tile has.
pub(crate) const OUTPUTS: usize = 4;

/// What becomes of finished sums.
pub(crate) trait Finish: Copy {
    /// The element type of `y`.
    type Output: Copy;

    /// The element for a sum.
    fn finish(self, sum: i32, multiplier: i32) -> Self::Output;
}

/// The sum itself.
#[derive(Clone, Copy)]
pub(crate) struct Sums;

impl Finish for Sums {
    type Output = i32;

    #[inline(always)]
    fn finish(self, sum: i32, _: i32) -> i32 {
        sum
    }
}

/// The requantized sum.
#[derive(Clone, Copy)]
pub(crate) struct Requantized<Y>(pub(crate) Requantize, pub(crate) PhantomData<Y>);

impl<Y: Quantized> Finish for Requantized<Y> {
    type Output = Y;

    #[inline(always)]
    fn finish(self, sum: i32, multiplier: i32) -> Y {
        Y::saturate(self.0.apply(sum, multiplier))
    }
}

/// A layer at `P` pixels: `y[p][o] = finish(bias[o] + Σ inputs[k][p] · weights[k][o], multipliers[o])`.
pub(crate) struct Tile<'a, X, F: Finish, const P: usize> {
    /// The gathered inputs.
    pub(crate) inputs: &'a [[X; P]],
    /// The layer's constants, as [`pack`](crate::quantized::pack) has them.
    pub(crate) packed: &'a [Quad],
    pub(crate) finish: F,
    /// How many outputs there are.
    pub(crate) outputs: usize,
    /// The outputs of all pixels.
    pub(crate) y: &'a [Cell<F::Output>],
    /// From one pixel to the next in `y`.
    pub(crate) stride: usize,
}

impl<X: Load<Value: Quantized>, F: Finish, const P: usize> Tile<'_, X, F, P> {
    /// Computes all outputs.
    #[inline(always)]
    pub(crate) fn run(&self) {
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
pub(crate) const fn block_quads(depth: usize) -> usize {
    depth + 2 * OUTPUTS
}
