//! The micro-kernel of quantized linear layers in portable form: a tile of sums over packed weights.
//!
//! `arch/dsp.rs` stands in for it where the processor has more to offer.

use core::cell::Cell;
use core::marker::PhantomData;

use crate::Load;
use crate::conv::Part;
use crate::quantized::Quantized;
use crate::quantized::finish::Finish;
use crate::quantized::pack::{OUTPUTS, Quad};
use crate::rounding::{multiple_up, quotient_up};

/// The gathered inputs of `P` pixels, `[k][pixel]`, where each group of channels begins at a multiple of four.
pub(crate) struct Patch<'a, X, const P: usize> {
    inputs: &'a [[Cell<i16>; P]],
    element: PhantomData<X>,
}

impl<'a, X: Load<Value: Quantized>, const P: usize> Patch<'a, X, P> {
    /// A patch of `groups` of `depth` products in `scratch`.
    #[inline(always)]
    pub(crate) fn new(scratch: &'a [Cell<i16>], groups: usize, depth: usize, _: usize) -> Self {
        // The inputs of two pixels are a word, which some processors load only where words begin.
        let word = scratch.get(scratch.as_ptr().align_offset(align_of::<u32>())..).unwrap_or_default();
        let inputs = word.get(..groups * multiple_up::<4>(depth) * P).unwrap_or_default().as_chunks().0;
        Self { inputs, element: PhantomData }
    }

    /// Sets all inputs of pixel number `to`.
    #[inline(always)]
    pub(crate) fn fill(&self, to: usize, padding: i16) {
        self.inputs.iter().filter_map(|inputs| inputs.get(to)).for_each(|input| input.set(padding));
    }

    /// Sets inputs of pixel number `to`.
    #[inline(always)]
    pub(crate) fn put(&self, to: usize, part: Part, x: &[X]) {
        for (k, x) in part.rows(x) {
            let inputs = self.inputs.get(k..k + x.len()).unwrap_or_default();
            for (inputs, x) in inputs.iter().zip(x) {
                // What is not inlined would check an index.
                if let Some(input) = inputs.get(to) {
                    input.set(x.load().to_i16());
                }
            }
        }
    }

    /// Sets inputs of two pixels, of which the second's are `apart` elements behind the first's.
    #[inline(always)]
    pub(crate) fn put_two(&self, part: Part, x: &[X], apart: usize) {
        self.put(0, part, x);
        self.put(P - 1, Part { from: part.from + apart, ..part }, x);
    }

    /// Does what is left to do when all inputs are there: nothing.
    #[inline(always)]
    pub(crate) fn finish(&self) {}
}

/// A layer without its input: in each group of channels, `outputs` sums of `depth` products.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a, F> {
    packed: &'a [Quad],
    depth: usize,
    outputs: usize,
    finish: F,
}

impl<'a, F: Finish> Layer<'a, F> {
    /// A layer of outputs with `depth` products each.
    #[inline(always)]
    pub(crate) fn new(packed: &'a [Quad], depth: usize, outputs: usize, finish: F) -> Self {
        Self { packed, depth, outputs, finish }
    }

    /// Computes the outputs of group number `group` at all pixels of a patch; `stride` is from one pixel to the next in `y`.
    #[inline(always)]
    pub(crate) fn run<X: Load<Value: Quantized>, const P: usize>(
        self,
        patch: &Patch<'_, X, P>,
        group: usize,
        y: &[Cell<F::Output>],
        stride: usize,
    ) {
        let first = group * multiple_up::<4>(self.depth);
        let inputs = patch.inputs.get(first..first + self.depth).unwrap_or_default();
        self.tiles(|start, weights| patch_sums(inputs, start, weights), group, y, stride);
    }

    /// Computes a layer of one row, whose inputs are read where they lie.
    #[inline(always)]
    pub(crate) fn row<X: Load<Value: Quantized>>(self, x: &[X], y: &[Cell<F::Output>]) {
        let inputs = x.as_chunks::<1>().0;
        self.tiles(|start, weights| sums(inputs, [*start; 1], weights), 0, y, 0);
    }

    /// `y[p][o] = finish(sums(bias, weights)[p][o], multipliers[o])` for the outputs of a group of channels.
    #[inline(always)]
    fn tiles<const P: usize>(
        self,
        sums: impl Fn(&[i32; OUTPUTS], &[Quad]) -> [[i32; OUTPUTS]; P],
        group: usize,
        y: &[Cell<F::Output>],
        stride: usize,
    ) {
        let quads = self.depth + 2 * OUTPUTS;
        let first = group * quotient_up::<OUTPUTS>(self.outputs);
        for block in 0..quotient_up::<OUTPUTS>(self.outputs) {
            let packed = self.packed.get((first + block) * quads..(first + block + 1) * quads).unwrap_or_default();
            let Some((start, packed)) = packed.split_first_chunk::<OUTPUTS>() else { return };
            let Some((weights, multipliers)) = packed.split_last_chunk::<OUTPUTS>() else { return };
            let outputs = block * OUTPUTS..self.outputs.min((block + 1) * OUTPUTS);
            for (pixel, sums) in sums(&start.map(Quad::word), weights).iter().enumerate() {
                let y = y.get(pixel * stride + outputs.start..pixel * stride + outputs.end).unwrap_or_default();
                for (y, (sum, multiplier)) in y.iter().zip(sums.iter().zip(multipliers)) {
                    y.set(self.finish.finish(*sum, multiplier.word()));
                }
            }
        }
    }
}

/// The sums of a block of outputs for gathered inputs.
#[inline(always)]
fn patch_sums<const P: usize>(inputs: &[[Cell<i16>; P]], start: &[i32; OUTPUTS], weights: &[Quad]) -> [[i32; OUTPUTS]; P] {
    #[cfg(thumbv6m)]
    if P == 2 {
        let mut two = [*start; 2];
        if crate::arch::thumb::sum(inputs.as_flattened().as_chunks().0, weights, &mut two) {
            return core::array::from_fn(|pixel| two[pixel & 1]);
        }
    }
    sums(inputs, [*start; P], weights)
}

/// The sums of a block of outputs.
#[inline(always)]
fn sums<X, const P: usize>(inputs: &[[X; P]], mut sums: [[i32; OUTPUTS]; P], weights: &[Quad]) -> [[i32; OUTPUTS]; P]
where
    X: Load<Value: Quantized>,
{
    for (inputs, weights) in inputs.iter().zip(weights) {
        for (sums, input) in sums.iter_mut().zip(inputs) {
            let input = i32::from(input.load().to_i16());
            for (sum, weight) in sums.iter_mut().zip(weights.0) {
                *sum = sum.wrapping_add(i32::from(weight) * input);
            }
        }
    }
    sums
}
