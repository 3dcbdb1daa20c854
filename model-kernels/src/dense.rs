//! `Gemm` and `MatMul` with constant weights, and 1×1 convolutions:
//! <https://onnx.ai/onnx/operators/onnx__Gemm.html>

use core::cell::Cell;
use core::ops::Range;

#[cfg(avx2)]
use crate::arch::avx2;
use crate::overlap::{Overlap, Step};
use crate::tile::{Blocks, OUTPUTS, PIXELS, Tile, blocks};
use crate::{Accumulate, Load};

/// `y[r][o] = activation(bias[o] + Σᵢ x[r][i] · w[i][o])`
///
/// Each output starts from its bias (zero if `bias` is empty) and is summed in the order of `i`; products and sums round
/// separately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dense {
    /// Rows of `x` and `y`; the pixels of a 1×1 convolution.
    pub rows: usize,
    /// Elements of a row of `x`.
    pub inputs: usize,
    /// Elements of a row of `y`.
    pub outputs: usize,
    /// Take the rows from last to first.
    pub backward: bool,
}

impl Dense {
    /// Computes `y`. `weights` are packed as [`Dense::pack_order`] tells; `scratch` has [`Dense::scratch`] elements.
    #[inline(always)]
    pub fn run<T, X, W, B>(
        self,
        x: &[X],
        weights: &[W],
        bias: &[B],
        y: &[Cell<T>],
        scratch: &[Cell<T>],
        activation: impl Fn(T) -> T,
    ) where
        T: Accumulate,
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
    {
        let activation = &activation;
        if self.rows == 1 {
            let inputs = x.get(..self.inputs).unwrap_or_default().as_chunks::<1>().0;
            let tile = Tile { inputs, weights, bias, y, stride: 0, activation };
            return tile.all::<OUTPUTS>(self.outputs, false);
        }
        Rows { dense: self, x, weights, bias, y, scratch, activation }.all::<PIXELS>(self.rows, self.backward);
    }

    /// How many elements of scratch [`Dense::run`] needs.
    pub const fn scratch(self) -> usize {
        match self.rows {
            0 | 1 => 0,
            _ => PIXELS * self.inputs,
        }
    }

    /// The order of packed weights, as indices into `[inputs][outputs]` (or, if `transposed`, into `[outputs][inputs]`).
    pub fn pack_order(self, transposed: bool) -> impl Iterator<Item = usize> {
        let [by_input, by_output] = if transposed { [1, self.inputs] } else { [self.outputs, 1] };
        blocks(self.outputs, OUTPUTS).flat_map(move |outputs| {
            (0..self.inputs).flat_map(move |input| outputs.clone().map(move |output| input * by_input + output * by_output))
        })
    }

    /// By how much `y` may overtake `x`.
    pub fn overlap(self, element_size: usize) -> Overlap {
        if self.rows == 1 {
            return Overlap::NONE;
        }
        let step = |rows: Range<usize>| Step {
            read: rows.start * self.inputs..rows.end * self.inputs,
            write: rows.start * self.outputs..rows.end * self.outputs,
        };
        Overlap::of_steps(blocks(self.rows, PIXELS).map(step), element_size)
    }

    /// Multiply-accumulates of a run.
    pub const fn macs(self) -> u64 {
        self.rows as u64 * self.inputs as u64 * self.outputs as u64
    }
}

/// The operands of a run, of which neighbouring rows are one block.
struct Rows<'a, T, X, W, B, A> {
    dense: Dense,
    x: &'a [X],
    weights: &'a [W],
    bias: &'a [B],
    y: &'a [Cell<T>],
    scratch: &'a [Cell<T>],
    activation: &'a A,
}

impl<T, X, W, B, A> Blocks for Rows<'_, T, X, W, B, A>
where
    T: Accumulate,
    X: Load<Value = T>,
    W: Load<Value = T>,
    B: Load<Value = T>,
    A: Fn(T) -> T,
{
    /// Gathers the rows of `x` side by side before it writes those of `y`, which may lie over them.
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let Self { dense, weights, bias, activation, .. } = *self;
        let inputs = self.scratch.get(..N * dense.inputs).unwrap_or_default().as_chunks::<N>().0;
        self.gather(first, inputs);
        let y = self.y.get(first * dense.outputs..(first + N) * dense.outputs).unwrap_or_default();
        Tile { inputs, weights, bias, y, stride: dense.outputs, activation }.all::<OUTPUTS>(dense.outputs, false);
    }
}

impl<T: Accumulate, X: Load<Value = T>, W, B, A> Rows<'_, T, X, W, B, A> {
    /// Copies `P` rows of `x` from row number `first` on.
    #[inline(always)]
    fn gather<const P: usize>(&self, first: usize, inputs: &[[Cell<T>; P]]) {
        let len = self.dense.inputs;
        let x = |row: usize| self.x.get((first + row) * len..(first + row + 1) * len).unwrap_or_default();
        #[cfg(avx2)]
        if P == 2 {
            return avx2::float::interleave(x(0), x(1), inputs.as_flattened().as_chunks().0);
        }
        for row in 0..P {
            for (inputs, x) in inputs.iter().zip(x(row)) {
                inputs[row].set(x.load());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, check_overlap, numbers, pack, values};
    use std::vec::Vec;

    const CASES: [Dense; 6] = [
        Dense { rows: 1, inputs: 5, outputs: 3, backward: false },
        Dense { rows: 1, inputs: 9, outputs: 23, backward: false },
        Dense { rows: 2, inputs: 8, outputs: 16, backward: false },
        Dense { rows: 7, inputs: 3, outputs: 15, backward: false },
        Dense { rows: 12, inputs: 16, outputs: 16, backward: false },
        Dense { rows: 9, inputs: 19, outputs: 6, backward: false },
    ];

    fn run(dense: Dense, x: &[Cell<f32>], bias: &[f32], y: &[Cell<f32>]) {
        let weights = numbers(dense.inputs * dense.outputs, 2);
        let packed = pack(&weights, dense.pack_order(false));
        let scratch = cells(&numbers(dense.scratch(), 3));
        dense.run(x, &packed, bias, y, &scratch, |sum| sum * 0.75);
    }

    fn formula(dense: Dense, x: &[f32], bias: &[f32]) -> Vec<f32> {
        let weights = numbers(dense.inputs * dense.outputs, 2);
        let mut y = Vec::new();
        for row in 0..dense.rows {
            for output in 0..dense.outputs {
                let mut sum = bias.get(output).copied().unwrap_or_default();
                for input in 0..dense.inputs {
                    sum += x[row * dense.inputs + input] * weights[input * dense.outputs + output];
                }
                y.push(sum * 0.75);
            }
        }
        y
    }

    #[test]
    fn equals_the_formula() {
        for case in CASES {
            let x = numbers(case.rows * case.inputs, 1);
            for bias in [numbers(case.outputs, 4), Vec::new()] {
                for backward in [false, true] {
                    let y = cells(&numbers(case.rows * case.outputs, 5));
                    run(Dense { backward, ..case }, &cells(&x), &bias, &y);
                    assert_eq!(values(&y), formula(case, &x, &bias), "{case:?}");
                }
            }
        }
    }

    #[test]
    fn transposed_weights_are_packed_alike() {
        let dense = Dense { rows: 1, inputs: 3, outputs: 13, backward: false };
        let weights = numbers(39, 1);
        let mut transposed = Vec::new();
        for output in 0..13 {
            transposed.extend((0..3).map(|input| weights[input * 13 + output]));
        }
        let packed = pack(&weights, dense.pack_order(false));
        assert_eq!(pack(&transposed, dense.pack_order(true)), packed);
    }

    #[test]
    fn overlaps_as_far_as_told() {
        for case in CASES {
            let lengths = [case.rows * case.inputs, case.rows * case.outputs];
            check_overlap(lengths, case.overlap(4), |backward, x, y| {
                run(Dense { backward, ..case }, x, &[], y);
            });
        }
        let widening = Dense { rows: 24, inputs: 8, outputs: 16, backward: true };
        assert!(widening.overlap(4).backward <= Some(0));
        let square = Dense { rows: 25, inputs: 64, outputs: 64, backward: false };
        assert!(square.overlap(4).forward <= Some(0));
    }
}
