//! The quantized arithmetic of [`Conv`].

use core::cell::Cell;
use core::marker::PhantomData;

use crate::overlap::Overlap;
use crate::quantized::finish::{Finish, Requantized, Sums};
use crate::quantized::pack::{Layer, PIXELS, Packer, Packing, Quad, scratch};
use crate::quantized::{Quantized, form};
use crate::rounding::multiple_up;
use crate::tile::Blocks;
use crate::{Conv, Load, Requantize};

impl Conv {
    /// `y[n][oy][ox][o] = requantize(bias[o] + Σ x[n][iy][ix][i] · w[o][ky][kx][i], multipliers[o])`, where what lies outside the
    /// input is `x_zero`, which is less by [`Quantized::OFFSET`].
    ///
    /// The constants are packed by [`Conv::pack_quantized`]; `scratch` has [`Conv::quantized_scratch`] elements.
    #[inline(always)]
    pub fn quantized<X: Quantized, Y: Quantized>(
        self,
        x: &[impl Load<Value = X>],
        packed: &[Quad],
        y: &[Cell<Y>],
        scratch: &[Cell<i16>],
        x_zero: i32,
        requantize: Requantize,
    ) {
        self.linear(x, packed, y, scratch, x_zero, Requantized(requantize, PhantomData));
    }

    /// The sums as they are: `y[n][oy][ox][o] = bias[o] + Σ x[n][iy][ix][i] · w[o][ky][kx][i]`.
    #[inline(always)]
    pub fn sums<X: Quantized>(
        self,
        x: &[impl Load<Value = X>],
        packed: &[Quad],
        y: &[Cell<i32>],
        scratch: &[Cell<i16>],
        x_zero: i32,
    ) {
        self.linear(x, packed, y, scratch, x_zero, Sums);
    }

    #[inline(always)]
    fn linear<X: Load<Value: Quantized>, F: Finish>(
        self,
        x: &[X],
        packed: &[Quad],
        y: &[Cell<F::Output>],
        scratch: &[Cell<i16>],
        x_zero: i32,
        finish: F,
    ) {
        let layer = form::Layer::new(packed, self.depth(), self.group_outputs(), finish);
        Pixels { conv: self, x, layer, y, scratch, x_zero: x_zero as i16 }.run();
    }

    /// How many elements of scratch the quantized forms need.
    pub const fn quantized_scratch(self) -> usize {
        scratch(self.groups, self.depth(), self.run_unit())
    }

    /// Packs the constants of a layer with weights `[outputs][inputs of a group][height][width]`.
    pub fn pack_quantized(self, layer: Layer<'_>, packing: Packing) -> impl Iterator<Item = Quad> {
        let index = move |output, k| self.weight(output, k);
        Packer { layer, groups: self.groups, outputs: self.group_outputs(), depth: self.depth(), index }.pack(packing)
    }

    /// By how much `y`, of elements of `y_size` bytes, may overtake `x`, of elements of `x_size` bytes.
    pub fn quantized_overlap(self, x_size: usize, y_size: usize) -> Overlap {
        if self.planar {
            return Overlap::NONE;
        }
        let bytes = (self.input[2] * x_size, self.output[2] * y_size);
        self.window().overlap(self.pixels(), PIXELS, bytes, 1)
    }
}

/// The operands of a run, of which neighbouring pixels are one block.
struct Pixels<'a, X, F: Finish> {
    conv: Conv,
    x: &'a [X],
    layer: form::Layer<'a, F>,
    y: &'a [Cell<F::Output>],
    scratch: &'a [Cell<i16>],
    x_zero: i16,
}

impl<X: Load<Value: Quantized>, F: Finish> Pixels<'_, X, F> {
    #[inline(always)]
    fn run(self) {
        self.all::<PIXELS>(self.conv.pixels(), self.conv.backward);
    }
}

impl<X: Load<Value: Quantized>, F: Finish> Blocks for Pixels<'_, X, F> {
    /// Gathers what lies under the windows of the pixels before it writes those of `y`, which may lie over it.
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let Self { conv, layer, .. } = *self;
        let new = |run| form::Patch::<X, N>::new(self.scratch, conv.groups, conv.depth(), run);
        let depth = multiple_up::<4>(conv.depth());
        let patch = if let (2, Some(step)) = (N, conv.step_to_next(first)) {
            let patch = new(conv.kernel[1] * conv.run_unit());
            conv.parts(first, depth, |part| patch.put_two(part, self.x, step));
            patch
        } else {
            let patch = new(conv.run_unit());
            for pixel in 0..N {
                if !conv.is_inside(first + pixel) {
                    patch.fill(pixel, self.x_zero);
                }
                conv.parts(first + pixel, depth, |part| patch.put(pixel, part, self.x));
            }
            patch
        };
        patch.finish();
        let (stride, outputs) = (conv.output[2], conv.group_outputs());
        let y = self.y.get(first * stride..(first + N) * stride).unwrap_or_default();
        for group in 0..conv.groups {
            layer.run(&patch, group, y.get(group * outputs..).unwrap_or_default(), stride);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantized::testing::{REQUANTIZE, apply, bias, layer, multipliers, weights};
    use crate::testing::{cells, check_overlap_of, integers, values};
    use std::fmt::Debug;
    use std::vec::Vec;

    /// Same-padded 3×3 over one 5×6 image from 3 to 4 channels, to be varied.
    const CONV: Conv = Conv {
        input: [5, 6, 3],
        output: [5, 6, 4],
        kernel: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        padding: [1, 1],
        groups: 1,
        batch: 1,
        planar: false,
        backward: false,
    };

    fn cases() -> Vec<Conv> {
        let sized = |conv: Conv, input, output| Conv { input, output, ..conv };
        let strided = Conv { strides: [2, 3], padding: [0, 1], ..CONV };
        let grouped = Conv { groups: 2, ..CONV };
        let line = Conv { kernel: [1, 4], padding: [0, 1], ..CONV };
        let beyond = Conv { padding: [4, 4], ..CONV };
        std::vec![
            CONV,
            sized(CONV, [5, 4, 16], [5, 4, 8]),
            sized(Conv { batch: 2, ..CONV }, [5, 5, 2], [5, 5, 13]),
            sized(strided, [7, 8, 3], [3, 3, 16]),
            sized(Conv { dilations: [1, 2], padding: [1, 0], ..CONV }, [6, 7, 4], [6, 3, 3]),
            sized(Conv { kernel: [1, 1], padding: [0, 0], ..strided }, [7, 8, 8], [4, 3, 6]),
            sized(grouped, [4, 4, 6], [4, 4, 10]),
            sized(Conv { groups: 3, ..CONV }, [4, 4, 3], [4, 4, 6]),
            sized(line, [1, 9, 4], [1, 8, 8]),
            sized(beyond, [2, 2, 1], [8, 8, 2]),
        ]
    }

    /// `x` in the order that `conv` reads, of `x` with channels last.
    fn laid_out<T: Copy>(conv: Conv, x: &[T]) -> Vec<T> {
        let ([height, width, channels], plane) = (conv.input, conv.input[0] * conv.input[1]);
        if !conv.planar {
            return x.to_vec();
        }
        let index = |i: usize| {
            let (image, channel, pixel) = (i / plane / channels, i / plane % channels, i % plane);
            (image * plane + pixel) * channels + channel
        };
        (0..conv.batch * height * width * channels).map(|i| x[index(i)]).collect()
    }

    fn packed<X>(conv: Conv) -> Vec<Quad> {
        let outputs = conv.output[2];
        let (weights, bias, multipliers) = (weights(conv.depth() * outputs), bias(outputs), multipliers(outputs));
        conv.pack_quantized(layer::<X>(&weights, &bias, &multipliers), Packing::NATIVE).collect()
    }

    fn run<X: Quantized, Y: Quantized>(conv: Conv, x: &[Cell<X>], y: &[Cell<Y>], x_zero: i32) {
        let scratch = cells(&integers(conv.quantized_scratch(), 3, [-9, 9]));
        conv.quantized(x, &packed::<X>(conv), y, &scratch, x_zero, REQUANTIZE);
    }

    /// The sums of the formula, of `x` with channels last.
    fn sums(conv: Conv, x: &[impl Quantized], x_zero: i32) -> Vec<i64> {
        let (inputs, outputs) = (conv.group_inputs(), conv.group_outputs());
        let ([height, width, channels], [kernel_height, kernel_width]) = (conv.input, conv.kernel);
        let (weights, bias) = (weights(conv.depth() * conv.output[2]), bias(conv.output[2]));
        let mut sums = Vec::new();
        for (pixel, output) in (0..conv.pixels()).flat_map(|pixel| (0..conv.output[2]).map(move |output| (pixel, output))) {
            let (image, oy) = (pixel / conv.output[1] / conv.output[0], pixel / conv.output[1] % conv.output[0]);
            let mut sum = i64::from(bias[output]);
            for (ky, kx) in (0..kernel_height).flat_map(|ky| (0..kernel_width).map(move |kx| (ky, kx))) {
                let iy = (oy * conv.strides[0] + ky * conv.dilations[0]).wrapping_sub(conv.padding[0]);
                let ix = (pixel % conv.output[1] * conv.strides[1] + kx * conv.dilations[1]).wrapping_sub(conv.padding[1]);
                for input in 0..inputs {
                    let channel = output / outputs * inputs + input;
                    let x = match iy < height && ix < width {
                        true => i32::from(x[((image * height + iy) * width + ix) * channels + channel].to_i16()),
                        false => x_zero,
                    };
                    let weight = weights[((output * inputs + input) * kernel_height + ky) * kernel_width + kx];
                    sum += i64::from(x) * i64::from(weight);
                }
            }
            sums.push(sum);
        }
        sums
    }

    fn check<X, Y>(range: [i64; 2], x_zero: i32)
    where
        X: Quantized + TryFrom<i64, Error: Debug>,
        Y: Quantized + PartialEq + Debug,
    {
        for conv in cases() {
            let x: Vec<X> = integers(conv.batch * conv.input.iter().product::<usize>(), 1, range);
            let sums = sums(conv, &x, x_zero);
            let expected: Vec<Y> = apply(&sums, conv.output[2]);
            for (planar, backward) in [(false, false), (false, true), (true, false)] {
                let case = Conv { planar, backward, ..conv };
                let y = cells(&std::vec![Y::ZERO; expected.len()]);
                run(case, &cells(&laid_out(case, &x)), &y, x_zero);
                assert_eq!(values(&y), expected, "{case:?}");
            }
            let y = cells(&std::vec![0; sums.len()]);
            let scratch = cells(&std::vec![0; conv.quantized_scratch()]);
            conv.sums(&cells(&x), &packed::<X>(conv), &y, &scratch, x_zero);
            assert_eq!(values(&y).into_iter().map(i64::from).collect::<Vec<_>>(), sums, "{conv:?}");
        }
    }

    #[test]
    fn equals_the_formula() {
        check::<i8, i8>([-128, 127], -5);
        check::<u8, u8>([0, 255], 200);
        check::<i8, i16>([-128, 127], 127);
        check::<i16, i16>([-3000, 3000], 0);
        check::<u16, u16>([30_000, 36_000], 1000);
    }

    #[test]
    fn overlaps_as_far_as_told() {
        for case in cases() {
            let lengths = [case.input, case.output].map(|shape| case.batch * shape.iter().product::<usize>());
            let numbers = |len, seed| integers::<i8>(len, seed, [-128, 127]);
            check_overlap_of(numbers, lengths, case.quantized_overlap(1, 1), |backward, x, y| {
                run(Conv { backward, ..case }, x, y, 3);
            });
            assert_eq!(case.quantized_overlap(2, 2), case.overlap(2));
        }
        assert_eq!(Conv { planar: true, ..CONV }.quantized_overlap(1, 1), Overlap::NONE);
    }
}
