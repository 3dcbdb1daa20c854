//! `ConvTranspose` of one and two dimensions: <https://onnx.ai/onnx/operators/onnx__ConvTranspose.html>

use core::cell::Cell;

use crate::tile::{Blocks, OUTPUTS, activate, blocks, chunk, pack};
use crate::window::divide;
use crate::{Accumulate, Load};

/// `y[n][oy][ox][o] = activation(bias[o] + Σ x[n][iy][ix][i] · w[i][o][ky][kx])` over the channels `i` of the group of `o`
/// and all `ky`, `kx`, `iy`, `ix` with `oy = iy · strides[0] + ky · dilations[0] - padding[0]` and likewise for `ox`.
///
/// Each output starts from its bias (zero if `bias` is empty) and is summed in the order of `ky`, `kx`, `i`; products and
/// sums round separately. A convolution of one dimension has a height of 1. Output padding is in the size of the output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvTranspose {
    /// Height, width and channels of an image of `x`.
    pub input: [usize; 3],
    /// Height, width and channels of an image of `y`.
    pub output: [usize; 3],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps in the output from one input to the next, down and to the right.
    pub strides: [usize; 2],
    /// Steps in the output from one tap of the kernel to the next, down and to the right.
    pub dilations: [usize; 2],
    /// Rows cut off above and columns cut off at the left; a negative number adds them.
    pub padding: [isize; 2],
    /// Into how many groups the channels of both sides are divided.
    pub groups: usize,
    /// How many images there are.
    pub batch: usize,
}

impl ConvTranspose {
    /// Computes `y`. `weights` are packed as [`ConvTranspose::pack_order`] tells.
    #[inline(always)]
    pub fn run<T, X, W, B>(self, x: &[X], weights: &[W], bias: &[B], y: &[Cell<T>], activation: impl Fn(T) -> T)
    where
        T: Accumulate,
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
    {
        let [height, width, channels] = self.output;
        let outputs = self.group_outputs();
        for image in 0..self.batch {
            for row in 0..height {
                for column in 0..width {
                    let y = y.get(((image * height + row) * width + column) * channels..);
                    for group in 0..self.groups {
                        let first = group * outputs;
                        let y = y.and_then(|y| y.get(first..)).unwrap_or_default();
                        let weights = weights.get(first * self.depth()..).unwrap_or_default();
                        let bias = bias.get(first..).unwrap_or_default();
                        let place = [image, row, column, group];
                        let activation = &activation;
                        Pixel { conv: self, place, x, weights, bias, y, activation }.all::<OUTPUTS>(outputs, false);
                    }
                }
            }
        }
    }

    /// As [`ConvTranspose::run`], with weights in ONNX's order, which are packed into `scratch` of as many elements.
    #[inline(always)]
    pub fn pack_and_run<T, X, W, B>(
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
        let (weights, _) = pack(self.pack_order(), weights, scratch);
        self.run(x, weights, bias, y, activation);
    }

    /// Which input row (`axis` 0) or column (1) reaches `output` through `tap`, if any.
    #[inline(always)]
    fn source(self, axis: usize, output: usize, tap: usize) -> Option<usize> {
        let reached = output.checked_add_signed(self.padding[axis])?;
        let reached = reached.checked_sub(tap * self.dilations[axis])?;
        let source = divide(reached, self.strides[axis]);
        (source * self.strides[axis] == reached && source < self.input[axis]).then_some(source)
    }

    const fn group_inputs(self) -> usize {
        divide(self.input[2], self.groups)
    }

    const fn group_outputs(self) -> usize {
        divide(self.output[2], self.groups)
    }

    /// How many products an output has at most.
    const fn depth(self) -> usize {
        self.kernel[0] * self.kernel[1] * self.group_inputs()
    }

    /// The order of packed weights, as indices into ONNX's `[inputs][outputs of a group][height][width]`.
    pub fn pack_order(self) -> impl Iterator<Item = usize> {
        let [height, width] = self.kernel;
        let [inputs, outputs] = [self.group_inputs(), self.group_outputs()];
        (0..self.groups).flat_map(move |group| {
            blocks(outputs, OUTPUTS).flat_map(move |block| {
                (0..height * width).flat_map(move |tap| {
                    let block = block.clone();
                    (group * inputs..(group + 1) * inputs)
                        .flat_map(move |input| block.clone().map(move |output| (input * outputs + output) * height * width + tap))
                })
            })
        })
    }

    /// Multiply-accumulates of a run, those that are cut off included.
    pub const fn macs(self) -> u64 {
        let pixels = self.batch * self.input[0] * self.input[1];
        let taps = self.kernel[0] * self.kernel[1];
        pixels as u64 * self.input[2] as u64 * taps as u64 * self.group_outputs() as u64
    }
}

/// One output pixel of one group.
struct Pixel<'a, T, X, W, B, A> {
    conv: ConvTranspose,
    /// Image, row, column and group.
    place: [usize; 4],
    x: &'a [X],
    weights: &'a [W],
    bias: &'a [B],
    y: &'a [Cell<T>],
    activation: &'a A,
}

impl<T, X, W, B, A> Blocks for Pixel<'_, T, X, W, B, A>
where
    T: Accumulate,
    X: Load<Value = T>,
    W: Load<Value = T>,
    B: Load<Value = T>,
    A: Fn(T) -> T,
{
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let conv = self.conv;
        let [image, row, column, group] = self.place;
        let [height, width, channels] = conv.input;
        let inputs = conv.group_inputs();
        let weights = self.weights.get(first * conv.depth()..).unwrap_or_default();
        let weights = weights.as_chunks::<N>().0;
        let Some(y) = chunk::<Cell<T>, N>(self.y, first) else { return };
        let bias = chunk::<B, N>(self.bias, first);
        for (output, y) in y.iter().enumerate() {
            y.set(bias.and_then(|bias| bias.get(output)).map_or(T::ZERO, Load::load));
        }
        for tap_row in 0..conv.kernel[0] {
            let Some(row) = conv.source(0, row, tap_row) else {
                continue;
            };
            for tap_column in 0..conv.kernel[1] {
                let Some(column) = conv.source(1, column, tap_column) else {
                    continue;
                };
                let x = ((image * height + row) * width + column) * channels + group * inputs;
                let x = self.x.get(x..x + inputs).unwrap_or_default();
                let tap = tap_row * conv.kernel[1] + tap_column;
                let weights = weights.get(tap * inputs..).unwrap_or_default();
                T::tile::<X, W, Cell<T>, 1, N>(x.as_chunks().0, weights, Some(y), y, 0);
            }
        }
        activate(y, self.activation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, numbers, pack, values};
    use std::vec::Vec;

    /// 2×3 to 5×8 pixels and from 4 to 6 channels, to be varied.
    const TRANSPOSE: ConvTranspose = ConvTranspose {
        input: [2, 3, 4],
        output: [5, 8, 6],
        kernel: [3, 3],
        strides: [2, 3],
        dilations: [1, 1],
        padding: [0, 0],
        groups: 1,
        batch: 1,
    };

    fn cases() -> [ConvTranspose; 5] {
        [
            TRANSPOSE,
            ConvTranspose { padding: [1, 2], output: [3, 5, 11], batch: 2, ..TRANSPOSE },
            ConvTranspose { padding: [-1, 0], output: [8, 9, 6], groups: 2, ..TRANSPOSE },
            ConvTranspose { dilations: [3, 2], output: [9, 11, 3], ..TRANSPOSE },
            ConvTranspose { input: [1, 5, 2], output: [1, 8, 1], kernel: [1, 4], strides: [1, 1], ..TRANSPOSE },
        ]
    }

    /// The definition: each input adds to the outputs that it reaches.
    fn formula(conv: ConvTranspose, x: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
        let ([height, width, channels], [rows, columns, outputs]) = (conv.input, conv.output);
        let mut y = Vec::new();
        for _ in 0..conv.batch * rows * columns {
            y.extend_from_slice(bias);
        }
        let taps = conv.kernel[0] * conv.kernel[1];
        for (tap, index) in (0..taps).flat_map(|tap| (0..x.len()).map(move |index| (tap, index))) {
            let (pixel, input) = (index / channels, index % channels);
            let reached = |from: usize, tap: usize, axis: usize| {
                let to = from * conv.strides[axis] + tap * conv.dilations[axis];
                to.wrapping_add_signed(-conv.padding[axis])
            };
            let row = reached(pixel / width % height, tap / conv.kernel[1], 0);
            let column = reached(pixel % width, tap % conv.kernel[1], 1);
            if row >= rows || column >= columns {
                continue;
            }
            let group = input / conv.group_inputs();
            for output in 0..conv.group_outputs() {
                let weight = weights[(input * conv.group_outputs() + output) * taps + tap];
                let pixel = (pixel / width / height * rows + row) * columns + column;
                y[pixel * outputs + group * conv.group_outputs() + output] += x[index] * weight;
            }
        }
        y
    }

    #[test]
    fn equals_the_formula() {
        for case in cases() {
            let [inputs, outputs] = [case.input, case.output].map(|shape| case.batch * shape.iter().product::<usize>());
            let x = numbers(inputs, 1);
            let weights = numbers(case.depth() * case.output[2], 2);
            let bias = numbers(case.output[2], 3);
            let y = cells(&numbers(outputs, 4));
            case.run(&x, &pack(&weights, case.pack_order()), &bias, &y, |sum| sum);
            assert_eq!(values(&y), formula(case, &x, &weights, &bias), "{case:?}");
            let y = cells(&numbers(outputs, 5));
            let scratch = cells(&numbers(weights.len(), 6));
            case.pack_and_run(&x, &weights, &bias, &y, &scratch, |sum| sum);
            assert_eq!(values(&y), formula(case, &x, &weights, &bias), "{case:?} with weights to be packed");
        }
    }
}
