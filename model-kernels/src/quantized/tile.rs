//! The micro-kernel of quantized linear layers in portable form: a tile of sums over packed weights, and what becomes of them.

use core::cell::Cell;

use crate::quantized::Quantized;
use crate::quantized::pack::Quad;
use crate::{Load, Requantize};

/// How many pixels a tile has: their inputs are gathered side by side, so that each weight is read once for all of them.
pub(crate) const PIXELS: usize = 2;

/// How many outputs a tile has.
pub(crate) const OUTPUTS: usize = 4;

/// What becomes of the finished sum of an output.
pub(crate) trait Finish: Copy {
    /// The element type of `y`.
    type Output: Copy;

    /// The element for `sum` of output number `output`.
    fn finish(self, output: usize, sum: i32) -> Self::Output;
}

/// The sum itself.
#[derive(Clone, Copy)]
pub(crate) struct Sums;

impl Finish for Sums {
    type Output = i32;

    #[inline(always)]
    fn finish(self, _: usize, sum: i32) -> i32 {
        sum
    }
}

/// The requantized sum.
#[derive(Clone, Copy)]
pub(crate) struct Scaled<'a, Y> {
    /// One for each output, or one for all.
    multipliers: &'a [i32],
    requantize: Requantize,
    element: core::marker::PhantomData<Y>,
}

impl<'a, Y> Scaled<'a, Y> {
    pub(crate) fn new(multipliers: &'a [i32], requantize: Requantize) -> Self {
        Self { multipliers, requantize, element: core::marker::PhantomData }
    }
}

impl<Y: Quantized> Finish for Scaled<'_, Y> {
    type Output = Y;

    #[inline(always)]
    fn finish(self, output: usize, sum: i32) -> Y {
        let index = if self.multipliers.len() == 1 { 0 } else { output };
        let multiplier = self.multipliers.get(index).copied().unwrap_or_default();
        Y::saturate(self.requantize.apply(sum, multiplier))
    }
}

/// Consecutive outputs of a layer at `P` pixels: `y[p][o] = finish(bias[o] + Σ inputs[k][p] · weights[k][o])`.
pub(crate) struct Tile<'a, X, F: Finish, const P: usize> {
    /// The gathered inputs.
    pub(crate) inputs: &'a [[X; P]],
    /// Packed: for each block of [`OUTPUTS`], the weights of each `k`.
    pub(crate) weights: &'a [Quad],
    /// Of all outputs of the layer; zeros if empty.
    pub(crate) bias: &'a [i32],
    pub(crate) finish: F,
    /// The first of the outputs.
    pub(crate) first: usize,
    /// How many outputs there are.
    pub(crate) outputs: usize,
    /// All outputs of all pixels.
    pub(crate) y: &'a [Cell<F::Output>],
    /// From one pixel to the next in `y`.
    pub(crate) stride: usize,
}

impl<X: Load<Value: Quantized>, F: Finish, const P: usize> Tile<'_, X, F, P> {
    /// Computes all outputs.
    #[inline(always)]
    pub(crate) fn run(&self) {
        let depth = self.inputs.len();
        for block in 0..self.outputs.div_ceil(OUTPUTS) {
            let weights = self.weights.get(block * depth..(block + 1) * depth).unwrap_or_default();
            let start = block * OUTPUTS;
            let end = self.outputs.min(start + OUTPUTS);
            let sums = self.sums(weights, self.first + start);
            for (pixel, sums) in sums.iter().enumerate() {
                let outputs = self.first + start..self.first + end;
                let y = self.y.get(pixel * self.stride + outputs.start..pixel * self.stride + outputs.end).unwrap_or_default();
                for ((y, sum), output) in y.iter().zip(sums).zip(outputs) {
                    y.set(self.finish.finish(output, *sum));
                }
            }
        }
    }

    /// The sums of a block of outputs, of which the first is number `output`.
    #[inline(always)]
    fn sums(&self, weights: &[Quad], output: usize) -> [[i32; OUTPUTS]; P] {
        let mut start = [0; OUTPUTS];
        for (start, bias) in start.iter_mut().zip(self.bias.get(output..).unwrap_or_default()) {
            *start = *bias;
        }
        let mut sums = [start; P];
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
