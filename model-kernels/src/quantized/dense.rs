//! The quantized arithmetic of [`Dense`].

use core::cell::Cell;
use core::marker::PhantomData;
use core::ops::Range;

use crate::conv::Part;
use crate::overlap::{Overlap, Step};
use crate::quantized::finish::{Finish, Requantized, Sums};
use crate::quantized::pack::{Layer, OUTPUTS, PIXELS, Packer, Packing, Quad, scratch};
use crate::quantized::{Quantized, form};
use crate::tile::{Blocks, blocks};
use crate::{Dense, Load, Requantize};

impl Dense {
    /// `y[r][o] = requantize(bias[o] + Σᵢ x[r][i] · w[i][o], multipliers[o])`.
    ///
    /// The constants are packed by [`Dense::pack_quantized`]; `scratch` has [`Dense::quantized_scratch`] elements.
    #[inline(always)]
    pub fn quantized<X: Quantized, Y: Quantized>(
        self,
        x: &[impl Load<Value = X>],
        packed: &[Quad],
        y: &[Cell<Y>],
        scratch: &[Cell<i16>],
        requantize: Requantize,
    ) {
        self.linear(x, packed, y, scratch, Requantized(requantize, PhantomData));
    }

    /// The sums as they are: `y[r][o] = bias[o] + Σᵢ x[r][i] · w[i][o]`.
    #[inline(always)]
    pub fn sums<X: Quantized>(self, x: &[impl Load<Value = X>], packed: &[Quad], y: &[Cell<i32>], scratch: &[Cell<i16>]) {
        self.linear(x, packed, y, scratch, Sums);
    }

    #[inline(always)]
    fn linear<X: Load<Value: Quantized>, F: Finish>(
        self,
        x: &[X],
        packed: &[Quad],
        y: &[Cell<F::Output>],
        scratch: &[Cell<i16>],
        finish: F,
    ) {
        let layer = form::Layer::new(packed, self.inputs, self.outputs, finish);
        match self.is_read_in_place() {
            true => layer.row(x.get(..self.inputs).unwrap_or_default(), y),
            false => Rows { dense: self, x, layer, y, scratch }.run(),
        }
    }

    /// Whether there is one row, which is read where it lies. The last layer of a network often has less outputs than a tile, but many
    /// inputs: it is computed as many rows are, by code that the layers before it have brought.
    const fn is_read_in_place(self) -> bool {
        self.rows == 1 && (self.outputs >= OUTPUTS || self.inputs < 64)
    }

    /// How many elements of scratch the quantized forms need: none for one row that is read in place.
    pub const fn quantized_scratch(self) -> usize {
        match self.is_read_in_place() || self.rows == 0 {
            true => 0,
            false => scratch(1, self.inputs, self.inputs),
        }
    }

    /// Packs the constants of a layer with weights `[inputs][outputs]` (or, if `transposed`, `[outputs][inputs]`).
    pub fn pack_quantized(self, layer: Layer<'_>, transposed: bool, packing: Packing) -> impl Iterator<Item = Quad> {
        let [by_input, by_output] = if transposed { [1, self.inputs] } else { [self.outputs, 1] };
        let index = move |output, input| input * by_input + output * by_output;
        Packer { layer, groups: 1, outputs: self.outputs, depth: self.inputs, index }.pack(packing)
    }

    /// By how much `y`, of elements of `y_size` bytes, may overtake `x`, of elements of `x_size` bytes.
    pub fn quantized_overlap(self, x_size: usize, y_size: usize) -> Overlap {
        if self.rows == 1 {
            return Overlap::NONE;
        }
        let step = |rows: Range<usize>| Step {
            read: rows.start * self.inputs * x_size..rows.end * self.inputs * x_size,
            write: rows.start * self.outputs * y_size..rows.end * self.outputs * y_size,
        };
        Overlap::of_steps(blocks(self.rows, PIXELS).map(step), 1)
    }
}

/// The operands of a run, of which neighbouring rows are one block.
struct Rows<'a, X, F: Finish> {
    dense: Dense,
    x: &'a [X],
    layer: form::Layer<'a, F>,
    y: &'a [Cell<F::Output>],
    scratch: &'a [Cell<i16>],
}

impl<X: Load<Value: Quantized>, F: Finish> Rows<'_, X, F> {
    /// All layers share this one function, and the next, where memory for code is scarce.
    #[cfg_attr(avx2, inline(always))]
    #[cfg_attr(not(avx2), inline(never))]
    fn run(self) {
        self.all::<PIXELS>(self.dense.rows, self.dense.backward);
    }

    /// Gathers two rows of `x`, `apart` from each other, side by side before it writes those of `y`, which may lie over them.
    #[cfg_attr(avx2, inline(always))]
    #[cfg_attr(not(avx2), inline(never))]
    fn two(&self, first: usize, apart: usize) {
        let Dense { inputs, outputs, .. } = self.dense;
        let patch = form::Patch::<X, PIXELS>::new(self.scratch, 1, inputs, inputs);
        let part = Part { k: 0, from: first * inputs, len: inputs, rows: 1, k_step: 0, x_step: 0 };
        patch.put_two(part, self.x, apart * inputs);
        patch.finish();
        let y = self.y.get(first * outputs..(first + apart + 1) * outputs).unwrap_or_default();
        self.layer.run(&patch, 0, y, apart * outputs);
    }
}

impl<X: Load<Value: Quantized>, F: Finish> Blocks for Rows<'_, X, F> {
    /// A row that is left alone is computed twice, which takes no code of its own.
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        self.two(first, N - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantized::testing::{REQUANTIZE, apply, bias, layer, multipliers, weights};
    use crate::testing::{cells, check_overlap_of, integers, values};
    use std::fmt::Debug;
    use std::vec::Vec;

    const CASES: [Dense; 8] = [
        Dense { rows: 1, inputs: 5, outputs: 3, backward: false },
        Dense { rows: 1, inputs: 640, outputs: 23, backward: false },
        Dense { rows: 1, inputs: 100, outputs: 2, backward: false },
        Dense { rows: 2, inputs: 8, outputs: 16, backward: false },
        Dense { rows: 7, inputs: 3, outputs: 15, backward: false },
        Dense { rows: 12, inputs: 16, outputs: 16, backward: false },
        Dense { rows: 9, inputs: 19, outputs: 6, backward: false },
        Dense { rows: 4, inputs: 66, outputs: 5, backward: false },
    ];

    fn packed<X>(dense: Dense) -> Vec<Quad> {
        let (weights, bias, multipliers) =
            (weights(dense.inputs * dense.outputs), bias(dense.outputs), multipliers(dense.outputs));
        dense.pack_quantized(layer::<X>(&weights, &bias, &multipliers), false, Packing::NATIVE).collect()
    }

    fn run<X: Quantized, Y: Quantized>(dense: Dense, x: &[Cell<X>], y: &[Cell<Y>]) {
        let scratch = cells(&integers(dense.quantized_scratch(), 3, [-9, 9]));
        dense.quantized(x, &packed::<X>(dense), y, &scratch, REQUANTIZE);
    }

    fn sums<X: Quantized>(dense: Dense, x: &[X]) -> Vec<i64> {
        let (weights, bias) = (weights(dense.inputs * dense.outputs), bias(dense.outputs));
        let term = |row: usize, output: usize, input: usize| {
            i64::from(x[row * dense.inputs + input].to_i16()) * i64::from(weights[input * dense.outputs + output])
        };
        let sum = |row: usize, output: usize| {
            i64::from(bias[output]) + (0..dense.inputs).map(|input| term(row, output, input)).sum::<i64>()
        };
        (0..dense.rows)
            .flat_map(|row| (0..dense.outputs).map(move |output| (row, output)))
            .map(|(row, output)| sum(row, output))
            .collect()
    }

    fn check<X, Y>(range: [i64; 2])
    where
        X: Quantized + TryFrom<i64, Error: Debug>,
        Y: Quantized + PartialEq + Debug,
    {
        for case in CASES {
            let x: Vec<X> = integers(case.rows * case.inputs, 1, range);
            let sums = sums(case, &x);
            let expected: Vec<Y> = apply(&sums, case.outputs);
            for backward in [false, true] {
                let y = cells(&std::vec![Y::ZERO; expected.len()]);
                run(Dense { backward, ..case }, &cells(&x), &y);
                assert_eq!(values(&y), expected, "{case:?}");
            }
            let y = cells(&std::vec![0; sums.len()]);
            let scratch = cells(&std::vec![0; case.quantized_scratch()]);
            case.sums(&cells(&x), &packed::<X>(case), &y, &scratch);
            assert_eq!(values(&y).into_iter().map(i64::from).collect::<Vec<_>>(), sums, "{case:?}");
        }
    }

    #[test]
    fn equals_the_formula() {
        check::<i8, i8>([-128, 127]);
        check::<u8, u8>([0, 255]);
        check::<i8, u8>([-128, 127]);
        check::<i16, i16>([-3000, 3000]);
        check::<u16, i8>([30_000, 36_000]);
    }

    #[test]
    fn transposed_weights_are_packed_alike() {
        let dense = CASES[4];
        let (weights, mut transposed) = (weights(45), Vec::new());
        for output in 0..15 {
            transposed.extend((0..3).map(|input| weights[input * 15 + output]));
        }
        let pack = |weights: &[i8], transposed| -> Vec<Quad> {
            dense.pack_quantized(layer::<i8>(weights, &[], &[]), transposed, Packing::Dsp).collect()
        };
        assert_eq!(pack(&transposed, true), pack(&weights, false));
    }

    #[test]
    fn overlaps_as_far_as_told() {
        for case in CASES {
            let lengths = [case.rows * case.inputs, case.rows * case.outputs];
            let numbers = |len, seed| integers::<i8>(len, seed, [-128, 127]);
            check_overlap_of(numbers, lengths, case.quantized_overlap(1, 1), |backward, x, y| {
                run(Dense { backward, ..case }, x, y);
            });
            assert_eq!(case.quantized_overlap(2, 2), case.overlap(2));
        }
        let widening = Dense { rows: 24, inputs: 8, outputs: 16, backward: true };
        assert!(widening.quantized_overlap(2, 1).backward <= Some(0));
    }
}
