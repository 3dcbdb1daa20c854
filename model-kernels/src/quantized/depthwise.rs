//! The quantized arithmetic of [`Depthwise`].
//!
//! One channel is computed after another, its plane line by line. The lines of the input that lie under a line of outputs are
//! gathered in scratch, widened and padded, and each is gathered once. So the outputs may take the place of the inputs.
//!
//! All constants are one sequence, by channels: the multiplier, the bias, and then the weights line by line, each line filled up
//! with zeros to a multiple of four, of which the second and the third are exchanged, as the DSP instructions widen every other
//! byte. Where there are three such zeros, the bytes of the bias may stand in their place, the lowest first ([`Lines::hides_bias`]). It is
//! the same for all targets.

use core::cell::Cell;
use core::iter;
use core::marker::PhantomData;

#[cfg(avx2)]
use crate::arch::avx2;
#[cfg(dsp)]
use crate::arch::dsp_depthwise;
use crate::overlap::Overlap;
use crate::quantized::Quantized;
use crate::quantized::finish::{Finish, Requantized, Sums};
use crate::quantized::lines::{Lines, Ring};
use crate::quantized::pack::{Layer, Quad};
use crate::rounding::quotient_up;
use crate::tile::{Blocks, chunk};
use crate::{Depthwise, Load, Requantize};

/// Outputs that are summed side by side: as many as vectors or registers hold.
const BLOCK: usize = if cfg!(target_pointer_width = "64") { 8 } else { 4 };

/// The order of four weights in a quad, and the other way round.
const ORDER: [usize; 4] = [0, 2, 1, 3];

impl Depthwise {
    /// `y[n][oy][ox][c] = requantize(bias[c] + Σ x[n][iy][ix][c] · w[c][ky][kx])`, with a multiplier for each channel, or one for
    /// all; what lies outside the input is `x_zero`.
    ///
    /// The constants are packed by [`Depthwise::pack_quantized`]; `scratch` has [`Depthwise::quantized_scratch`] elements. `x_zero`
    /// is less by [`Quantized::OFFSET`]. It runs forward only.
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
        let (x_zero, finish) = (x_zero as i16, Requantized(requantize, PhantomData));
        self.images(Image { depthwise: self, lines: Lines::of(self), x, packed, y, scratch, x_zero, finish });
    }

    /// The sums as they are: `y[n][oy][ox][c] = bias[c] + Σ x[n][iy][ix][c] · w[c][ky][kx]`.
    #[inline(always)]
    pub fn sums<X: Quantized>(
        self,
        x: &[impl Load<Value = X>],
        packed: &[Quad],
        y: &[Cell<i32>],
        scratch: &[Cell<i16>],
        x_zero: i32,
    ) {
        let x_zero = x_zero as i16;
        self.images(Image { depthwise: self, lines: Lines::of(self), x, packed, y, scratch, x_zero, finish: Sums });
    }

    /// Computes one image after another of `all`.
    #[inline(always)]
    fn images<X: Load<Value: Quantized>, F: Finish>(self, all: Image<X, F>) {
        let [inputs, outputs] = [self.input, self.output].map(|[rows, columns, channels]| rows * columns * channels);
        for image in 0..self.batch {
            let x = all.x.get(image * inputs..).unwrap_or_default();
            let y = all.y.get(image * outputs..).unwrap_or_default();
            Image { x, y, ..all }.run();
        }
    }

    /// How many elements of scratch the quantized forms need.
    pub const fn quantized_scratch(self) -> usize {
        Lines::of(self).scratch()
    }

    /// Packs weights `[channels][1][height][width]`, the same for all targets. A bias is below 2^23 in magnitude where `x` has bytes and
    /// the kernel has at most 64 weights.
    pub fn pack_quantized(self, layer: Layer) -> impl Iterator<Item = Quad> {
        let lines = Lines::of(self);
        let [rows, columns] = lines.kernel;
        let hides_bias = lines.hides_bias(if layer.x_limit <= 255 { 1 } else { 2 });
        let weight = move |channel: usize, row: usize, column: usize| {
            let tap = if lines.turned { column * rows + row } else { row * columns + column };
            let weight = layer.weights.get(channel * rows * columns + tap).filter(|_| column < columns);
            weight.copied().unwrap_or_default()
        };
        (0..self.input[2]).flat_map(move |channel| {
            let bias = layer.bias(channel);
            assert!(!hides_bias || bias.unsigned_abs() < 1 << 23, "a bias of {bias} does not fit 24 bits");
            let hidden = bias.to_le_bytes().map(|byte| byte as i8);
            let quads = (0..rows).flat_map(move |row| (0..columns).step_by(4).map(move |first| (row, first)));
            let weights = quads.map(move |(row, first)| {
                let mut quad = ORDER.map(|tap| weight(channel, row, first + tap));
                match rows {
                    3 if hides_bias => quad[3] = hidden[row],
                    _ if hides_bias && first + 4 > columns => quad[1..].copy_from_slice(&hidden[..3]),
                    _ => {}
                }
                Quad(quad)
            });
            let multiplier = Quad::of(layer.multiplier(channel));
            iter::once(multiplier).chain((!hides_bias).then_some(Quad::of(bias))).chain(weights)
        })
    }

    /// By how much `y`, of elements of `y_size` bytes, may overtake `x`, of elements of `x_size` bytes: not at all, but it may lie
    /// just there.
    pub fn quantized_overlap(self, x_size: usize, y_size: usize) -> Overlap {
        let pixels = |shape: [usize; 3]| shape[0] * shape[1];
        let images_meet = self.batch == 1 || pixels(self.output) <= pixels(self.input);
        let in_place = x_size == y_size && images_meet && Lines::of(self).work_in_place();
        Overlap { in_place, ..Overlap::NONE }
    }
}

/// An image, with the operands of its layer.
pub(crate) struct Image<'a, X, F: Finish> {
    pub(crate) depthwise: Depthwise,
    pub(crate) lines: Lines,
    pub(crate) x: &'a [X],
    pub(crate) packed: &'a [Quad],
    pub(crate) y: &'a [Cell<F::Output>],
    pub(crate) scratch: &'a [Cell<i16>],
    pub(crate) x_zero: i16,
    pub(crate) finish: F,
}

impl<X: Load<Value: Quantized>, F: Finish> Image<'_, X, F> {
    /// Computes the image in the fastest form that there is for it.
    #[inline(always)]
    fn run(&self) {
        #[cfg(dsp)]
        if dsp_depthwise::image(self) {
            return;
        }
        #[cfg(avx2)]
        if avx2::depthwise::image(self) {
            return;
        }
        self.planes();
    }

    /// Computes the image in portable form.
    #[inline(always)]
    fn planes(&self) {
        for channel in 0..self.depthwise.input[2] {
            let (x, y) = (self.x.get(channel..), self.y.get(channel..));
            self.plane(channel, x.unwrap_or_default(), y.unwrap_or_default());
        }
    }

    /// One channel, of which `x` and `y` begin with the first element.
    #[inline(always)]
    fn plane(&self, channel: usize, x: &[X], y: &[Cell<F::Output>]) {
        let Self { lines, finish, .. } = *self;
        let Some(Constants { multiplier, bias, weights }) = self.constants(channel) else { return };
        // Some processors load two inputs at once, where words begin.
        let words = self.scratch.as_ptr().align_offset(align_of::<u32>());
        let mut ring = Ring::new(lines, self.scratch.get(words..).unwrap_or_default());
        for line in 0..lines.output[0] {
            ring.fill(line, |line, place| self.gather(x, line, place));
            let y = y.get(line * lines.y_steps[0]..).unwrap_or_default();
            Line { lines, ring, bias, weights, multiplier, y, finish }.all::<BLOCK>(lines.output[1], false);
            ring.advance();
        }
    }

    /// The constants of a channel.
    #[inline(always)]
    pub(crate) fn constants(&self, channel: usize) -> Option<Constants<'_>> {
        let lines = self.lines;
        let quads = lines.quads(size_of::<X>());
        let packed = self.packed.get(channel * quads..(channel + 1) * quads).unwrap_or_default();
        let (multiplier, packed) = packed.split_first()?;
        let (bias, weights) = match packed {
            [first, second, third] if lines.hides_bias(size_of::<X>()) && lines.kernel[0] == 3 => {
                (Quad([0, first.0[3], second.0[3], third.0[3]]).word() >> 8, packed)
            }
            [.., last] if lines.hides_bias(size_of::<X>()) => (last.word() >> 8, packed),
            [bias, weights @ ..] => (bias.word(), weights),
            [] => return None,
        };
        Some(Constants { multiplier: multiplier.word(), bias, weights })
    }

    /// Copies a line of the input to `place`, with its padding; or padding alone.
    #[inline(always)]
    fn gather(&self, x: &[X], line: Option<usize>, place: &[Cell<i16>]) {
        let Lines { input, padding, x_steps, .. } = self.lines;
        let fill = |place: &[Cell<i16>]| place.iter().for_each(|place| place.set(self.x_zero));
        let Some(line) = line else { return fill(place) };
        let (before, place) = place.split_at_checked(padding[1]).unwrap_or((place, &[]));
        let (inside, after) = place.split_at_checked(input[1]).unwrap_or((place, &[]));
        fill(before);
        widen(x.get(line * x_steps[0]..).unwrap_or_default(), x_steps[1], inside);
        fill(after);
    }
}

/// The constants of a channel.
#[derive(Clone, Copy, Default)]
pub(crate) struct Constants<'a> {
    pub(crate) multiplier: i32,
    pub(crate) bias: i32,
    /// Line by line.
    pub(crate) weights: &'a [Quad],
}

#[cfg(avx2)]
impl Constants<'_> {
    /// The weights of taps 2 `pair` and 2 `pair` + 1 of a line of the kernel, as two halfwords.
    #[inline(always)]
    pub(crate) fn pair(self, line: usize, pair: usize, lines: Lines) -> i32 {
        let quad = self.weights.get(line * quotient_up::<4>(lines.kernel[1]) + pair / 2).map_or([0; 4], |quad| quad.0);
        let [first, second] = if pair.is_multiple_of(2) { [quad[0], quad[2]] } else { [quad[1], quad[3]] };
        // Behind the last tap there may be a part of the bias.
        let second = if 2 * pair + 1 < lines.kernel[1] { second } else { 0 };
        i32::from(first) & 0xffff | i32::from(second) << 16
    }
}

/// Copies elements of `x` that lie `step` apart to their places.
#[inline(always)]
fn widen<X: Load<Value: Quantized>>(x: &[X], step: usize, places: &[Cell<i16>]) {
    #[cfg(thumbv6m)]
    if crate::arch::thumb::widen(x, step, places) {
        return;
    }
    let mut index = 0;
    for place in places {
        place.set(x.get(index).map_or(0, |x| x.load().to_i16()));
        index += step;
    }
}

/// A line of outputs, of which neighbours are one block.
struct Line<'a, F: Finish> {
    lines: Lines,
    ring: Ring<'a, i16>,
    bias: i32,
    /// Of the channel, line by line.
    weights: &'a [Quad],
    multiplier: i32,
    /// From the line's first element on.
    y: &'a [Cell<F::Output>],
    finish: F,
}

impl<F: Finish> Line<'_, F> {
    /// The sums of neighbouring outputs.
    #[inline(always)]
    fn sums<const N: usize>(&self, first: usize) -> [i32; N] {
        let Lines { kernel, strides, .. } = self.lines;
        #[cfg(thumbv6m)]
        if (N, kernel, strides[1], self.lines.dilations[1]) == (4, [3, 3], 1, 1) {
            let mut four = [self.bias; 4];
            if crate::arch::thumb::sum_three_lines([0, 1, 2].map(|line| self.ring.under(line)), first, self.weights, &mut four) {
                return core::array::from_fn(|output| four[output % 4]);
            }
        }
        let mut sums = [self.bias; N];
        for line in 0..kernel[0] {
            let quads = quotient_up::<4>(kernel[1]);
            let weights = self.weights.get(line * quads..(line + 1) * quads).unwrap_or_default();
            let x = self.ring.under(line).get(first * strides[1]..).unwrap_or_default();
            add_line(&mut sums, x, weights, &self.lines);
        }
        sums
    }
}

impl<F: Finish> Blocks for Line<'_, F> {
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let Self { lines: Lines { y_steps, .. }, .. } = *self;
        let sums = self.sums::<N>(first);
        for (output, sum) in sums.into_iter().enumerate() {
            if let Some(y) = self.y.get((first + output) * y_steps[1]) {
                y.set(self.finish.finish(sum, self.multiplier));
            }
        }
    }
}

/// Adds the products of one line of the kernel to the sums of neighbouring outputs; `x` begins with what lies under the first.
#[inline(always)]
fn add_line<const N: usize>(sums: &mut [i32; N], x: &[Cell<i16>], weights: &[Quad], lines: &Lines) {
    let Lines { kernel, strides, dilations, .. } = *lines;
    if let ((3, 1, 1), [quad]) = ((kernel[1], strides[1], dilations[1]), weights) {
        return add_three(sums, x, *quad);
    }
    for (number, quad) in weights.iter().enumerate() {
        let [first, third, second, fourth] = quad.0.map(i32::from);
        for (tap, weight) in (4 * number..kernel[1]).zip([first, second, third, fourth]) {
            let x = elements::<N>(x, tap * dilations[1], strides[1]);
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum = sum.wrapping_add(weight * i32::from(x));
            }
        }
    }
}

/// [`add_line`] of the most frequent kernel, of three neighbours: each input is read once.
#[inline(always)]
fn add_three<const N: usize>(sums: &mut [i32; N], x: &[Cell<i16>], quad: Quad) {
    let [first, third, second, _] = quad.0.map(i32::from);
    let mut x = x.get(..N + 2).unwrap_or_default().iter().map(|x| i32::from(x.get()));
    let (Some(mut a), Some(mut b)) = (x.next(), x.next()) else { return };
    for (sum, c) in sums.iter_mut().zip(x) {
        *sum = sum.wrapping_add(first * a).wrapping_add(second * b).wrapping_add(third * c);
        (a, b) = (b, c);
    }
}

/// `N` elements from `first` on, `step` apart.
#[inline(always)]
fn elements<const N: usize>(from: &[Cell<i16>], first: usize, step: usize) -> [i16; N] {
    if step == 1 {
        return chunk::<_, N>(from, first).map_or([0; N], |from| from.each_ref().map(Cell::get));
    }
    core::array::from_fn(|index| from.get(first + index * step).map_or(0, Cell::get))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantized::testing::{REQUANTIZE, apply, bias, layer, multipliers, weights};
    use crate::testing::{cells, integers, values};
    use std::fmt::Debug;
    use std::vec::Vec;

    /// Same-padded 3×3 over one 5×6 image of 3 channels, to be varied.
    const DEPTHWISE: Depthwise = Depthwise {
        input: [5, 6, 3],
        output: [5, 6, 3],
        kernel: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        padding: [1, 1],
        batch: 1,
        backward: false,
    };

    /// Layers, and whether they work in place.
    fn cases() -> Vec<(Depthwise, bool)> {
        let sized = |depthwise: Depthwise, input, output| Depthwise { input, output, ..depthwise };
        let halved = Depthwise { strides: [2, 2], ..DEPTHWISE };
        let strided = Depthwise { strides: [2, 3], padding: [0, 1], ..DEPTHWISE };
        let dilated = Depthwise { dilations: [3, 2], padding: [3, 0], ..DEPTHWISE };
        let line = Depthwise { kernel: [1, 4], padding: [0, 1], ..DEPTHWISE };
        let wide = Depthwise { kernel: [5, 5], padding: [2, 2], ..DEPTHWISE };
        let taller = Depthwise { kernel: [1, 1], padding: [1, 0], ..DEPTHWISE };
        let whole = Depthwise { kernel: [3, 2], padding: [0, 0], ..DEPTHWISE };
        let beyond = Depthwise { padding: [4, 4], ..DEPTHWISE };
        std::vec![
            (DEPTHWISE, true),
            (sized(Depthwise { batch: 2, ..DEPTHWISE }, [5, 5, 16], [5, 5, 16]), true),
            (sized(DEPTHWISE, [9, 3, 2], [9, 3, 2]), true),
            (sized(Depthwise { padding: [0, 1], ..DEPTHWISE }, [9, 3, 2], [7, 3, 2]), true),
            (sized(DEPTHWISE, [1, 1, 5], [1, 1, 5]), true),
            (sized(halved, [8, 8, 4], [4, 4, 4]), true),
            (sized(Depthwise { padding: [0, 0], ..halved }, [11, 7, 4], [5, 3, 4]), true),
            (sized(Depthwise { batch: 2, ..halved }, [6, 6, 3], [3, 3, 3]), true),
            (sized(taller, [4, 4, 3], [6, 4, 3]), true),
            (sized(Depthwise { batch: 2, ..taller }, [4, 4, 3], [6, 4, 3]), false),
            (sized(strided, [7, 8, 8], [3, 3, 8]), true),
            (sized(dilated, [6, 7, 18], [6, 3, 18]), true),
            (sized(line, [1, 9, 12], [1, 8, 12]), true),
            (sized(Depthwise { kernel: [9, 1], padding: [4, 0], ..DEPTHWISE }, [13, 1, 5], [13, 1, 5]), true),
            (sized(Depthwise { kernel: [1, 13], padding: [0, 0], ..DEPTHWISE }, [1, 30, 3], [1, 18, 3]), true),
            (sized(wide, [6, 9, 2], [6, 9, 2]), true),
            (sized(wide, [9, 7, 3], [9, 7, 3]), true),
            (sized(whole, [3, 2, 35], [1, 1, 35]), true),
            (sized(beyond, [2, 2, 1], [8, 8, 1]), false),
        ]
    }

    fn lengths(depthwise: Depthwise) -> [usize; 2] {
        [depthwise.input, depthwise.output].map(|shape| depthwise.batch * shape.iter().product::<usize>())
    }

    fn packed<X>(depthwise: Depthwise) -> Vec<Quad> {
        let channels = depthwise.input[2];
        let weights = weights(depthwise.kernel[0] * depthwise.kernel[1] * channels);
        depthwise.pack_quantized(layer::<X>(&weights, &bias(channels), &multipliers(channels))).collect()
    }

    fn run<X: Quantized, Y: Quantized>(depthwise: Depthwise, x: &[Cell<X>], y: &[Cell<Y>], x_zero: i32, requantize: Requantize) {
        let scratch = cells(&integers(depthwise.quantized_scratch(), 3, [-9, 9]));
        depthwise.quantized(x, &packed::<X>(depthwise), y, &scratch, x_zero, requantize);
    }

    /// The sums of the formula.
    fn sums(depthwise: Depthwise, x: &[impl Quantized], x_zero: i32) -> Vec<i64> {
        let ([height, width, channels], [rows, columns, _]) = (depthwise.input, depthwise.output);
        let [kernel_height, kernel_width] = depthwise.kernel;
        let (weights, bias) = (weights(kernel_height * kernel_width * channels), bias(channels));
        let sum = |index: usize| {
            let (pixel, channel) = (index / channels, index % channels);
            let (image, oy, ox) = (pixel / columns / rows, pixel / columns % rows, pixel % columns);
            let mut sum = i64::from(bias[channel]);
            for (ky, kx) in (0..kernel_height).flat_map(|ky| (0..kernel_width).map(move |kx| (ky, kx))) {
                let iy = (oy * depthwise.strides[0] + ky * depthwise.dilations[0]).wrapping_sub(depthwise.padding[0]);
                let ix = (ox * depthwise.strides[1] + kx * depthwise.dilations[1]).wrapping_sub(depthwise.padding[1]);
                let x = match iy < height && ix < width {
                    true => i32::from(x[((image * height + iy) * width + ix) * channels + channel].to_i16()),
                    false => x_zero,
                };
                sum += i64::from(x) * i64::from(weights[(channel * kernel_height + ky) * kernel_width + kx]);
            }
            sum
        };
        (0..lengths(depthwise)[1]).map(sum).collect()
    }

    fn check<X, Y>(range: [i64; 2], x_zero: i32)
    where
        X: Quantized + TryFrom<i64, Error: Debug>,
        Y: Quantized + PartialEq + Debug,
    {
        for (case, _) in cases() {
            let x: Vec<X> = integers(lengths(case)[0], 1, range);
            let sums = sums(case, &x, x_zero);
            let expected: Vec<Y> = apply(&sums, case.input[2]);
            let y = cells(&std::vec![Y::ZERO; expected.len()]);
            run(case, &cells(&x), &y, x_zero, REQUANTIZE);
            assert_eq!(values(&y), expected, "{case:?}");

            let y = cells(&std::vec![0; sums.len()]);
            let scratch = cells(&std::vec![0; case.quantized_scratch()]);
            case.sums(&cells(&x), &packed::<X>(case), &y, &scratch, x_zero);
            assert_eq!(values(&y).into_iter().map(i64::from).collect::<Vec<_>>(), sums, "{case:?}");
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
    fn works_in_place_where_it_says_so() {
        for (case, in_place) in cases() {
            assert_eq!(case.quantized_overlap(1, 1), Overlap { in_place, ..Overlap::NONE }, "{case:?}");
            assert_eq!(case.quantized_overlap(1, 2), Overlap::NONE);
            let [inputs, outputs] = lengths(case);
            let x: Vec<i8> = integers(inputs, 1, [-128, 127]);
            let expected: Vec<i8> = apply(&sums(case, &x, 3), case.input[2]);
            let places = cells(&[x, std::vec![0; outputs]].concat());
            run(case, &places[..inputs], &places[..outputs], 3, REQUANTIZE);
            assert_eq!(values(&places[..outputs]) == expected, in_place, "{case:?}");
        }
    }
}
