//! `Conv` of one and two dimensions: <https://onnx.ai/onnx/operators/onnx__Conv.html>

use core::cell::Cell;

#[cfg(avx2)]
use crate::arch::avx2;
use crate::tile::{Blocks, OUTPUTS, PIXELS, Tile, blocks, pack};
use crate::window::{Place, Window, divide};
use crate::{Accumulate, Load, Overlap};

/// `y[n][oy][ox][o] = activation(bias[o] + Σ x[n][iy][ix][i] · w[o][ky][kx][i])` over `ky`, `kx` and the channels `i` of
/// the group of `o`, with `iy = oy · strides[0] + ky · dilations[0] - padding[0]` and `ix` likewise; what lies outside the
/// input is zero.
///
/// Each output starts from its bias (zero if `bias` is empty) and is summed in the order of `ky`, `kx`, `i`, or of `i`, `ky`, `kx`
/// where `x` is planar; products and sums round separately. A convolution of one dimension has a height of 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    /// Height, width and channels of an image of `x`.
    pub input: [usize; 3],
    /// Height, width and channels of an image of `y`.
    pub output: [usize; 3],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps from one output to the next, down and to the right.
    pub strides: [usize; 2],
    /// Steps from one tap of the kernel to the next, down and to the right.
    pub dilations: [usize; 2],
    /// Rows of zeros above and columns of zeros left of the input.
    pub padding: [usize; 2],
    /// Into how many groups the channels of both sides are divided.
    pub groups: usize,
    /// How many images there are.
    pub batch: usize,
    /// `x` is channels first, `[n][channels][height][width]`, as the input of a model may be.
    pub planar: bool,
    /// Take the pixels from last to first.
    pub backward: bool,
}

impl Conv {
    /// Computes `y`. `weights` are packed as [`Conv::pack_order`] tells; `scratch` has [`Conv::scratch`] elements.
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
        Pixels { conv: self, x, weights, bias, y, scratch, activation }.all::<PIXELS>(self.pixels(), self.backward);
    }

    /// As [`Conv::run`], with weights in ONNX's order, for which `scratch` has room besides.
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
        let (weights, scratch) = pack(self.pack_order(), weights, scratch);
        self.run(x, weights, bias, y, scratch, activation);
    }

    /// The same for an image of `rows` rows, with `above` rows of padding above: what a stage of a cascade sees at an edge.
    #[inline(always)]
    pub const fn clipped(self, above: usize, rows: usize) -> Self {
        let ([_, columns, channels], [_, left]) = (self.input, self.padding);
        Self { input: [rows, columns, channels], padding: [above, left], ..self }
    }

    pub(crate) const fn window(self) -> Window {
        Window {
            input: [self.input[0], self.input[1]],
            output: [self.output[0], self.output[1]],
            kernel: self.kernel,
            strides: self.strides,
            dilations: self.dilations,
            padding: self.padding,
        }
    }

    pub(crate) const fn pixels(self) -> usize {
        self.batch * self.output[0] * self.output[1]
    }

    pub(crate) const fn group_inputs(self) -> usize {
        divide(self.input[2], self.groups)
    }

    pub(crate) const fn group_outputs(self) -> usize {
        divide(self.output[2], self.groups)
    }

    /// How many products an output has.
    pub(crate) const fn depth(self) -> usize {
        self.kernel[0] * self.kernel[1] * self.group_inputs()
    }

    /// What the window of output pixel number `pixel` covers of the input, in parts. Each group has `depth` inputs, of which those
    /// without a part are padding.
    #[inline(always)]
    pub(crate) fn parts(self, pixel: usize, depth: usize, mut visit: impl FnMut(Part)) {
        let window = self.window();
        let place = window.place(pixel);
        let [rows, columns] = match window.is_inside(place) {
            true => [0..self.kernel[0], 0..self.kernel[1]],
            false => [window.taps(place, 0), window.taps(place, 1)],
        };
        if rows.is_empty() || columns.is_empty() {
            return;
        }
        let [unit, step, plane] = [self.run_unit(), self.pixel_step(), self.input[0] * self.input[1]];
        let pixel = |row, column| {
            let above = window.under(place, 0, row).wrapping_mul(self.input[1]);
            above.wrapping_add(window.under(place, 1, column)).wrapping_mul(step)
        };
        // Groups of channels, or single channels where they are planes.
        let (lanes, of_group) = if self.planar { (self.input[2], self.group_inputs()) } else { (self.groups, 1) };
        for lane in 0..lanes {
            let group = divide(lane, of_group);
            let products = group * depth + (lane - group * of_group) * self.kernel[0] * self.kernel[1];
            let elements = place.image * plane * self.input[2] + lane * if self.planar { plane } else { unit };
            let part = |row, column, len, rows, k_step, x_step| {
                let from = elements.wrapping_add(pixel(row, column));
                Part { k: products + (row * self.kernel[1] + column) * unit, from, len, rows, k_step, x_step }
            };
            if self.has_whole_rows() {
                let x_step = self.dilations[0] * self.input[1] * step;
                visit(part(rows.start, columns.start, columns.len() * unit, rows.len(), self.kernel[1] * unit, x_step));
                continue;
            }
            for row in rows.clone() {
                visit(part(row, columns.start, unit, columns.len(), unit, self.dilations[1] * step));
            }
        }
    }

    /// Whether the window of output pixel number `pixel` covers no padding.
    #[inline(always)]
    pub(crate) fn is_inside(self, pixel: usize) -> bool {
        self.window().is_inside(self.window().place(pixel))
    }

    /// How many inputs of a tap are neighbours in memory.
    #[inline(always)]
    pub(crate) const fn run_unit(self) -> usize {
        if self.planar { 1 } else { self.group_inputs() }
    }

    /// From one pixel of the input to the next.
    #[inline(always)]
    const fn pixel_step(self) -> usize {
        if self.planar { 1 } else { self.input[2] }
    }

    /// Whether the taps of a row of the kernel are one run.
    #[inline(always)]
    const fn has_whole_rows(self) -> bool {
        self.dilations[1] == 1 && self.run_unit() == self.pixel_step()
    }

    /// How far the windows of output pixel number `pixel` and the next are apart in the input, if each of their rows is one run,
    /// without padding.
    #[inline(always)]
    pub(crate) fn step_to_next(self, pixel: usize) -> Option<usize> {
        let window = self.window();
        let place = window.place(pixel);
        let next = Place { output: [place.output[0], place.output[1] + 1], ..place };
        let is_row = self.has_whole_rows() && next.output[1] < self.output[1];
        (is_row && window.is_inside(place) && window.is_inside(next)).then_some(self.strides[1] * self.pixel_step())
    }

    /// How many elements of scratch [`Conv::run`] needs.
    pub const fn scratch(self) -> usize {
        PIXELS * self.groups * self.depth()
    }

    /// The order of packed weights, as indices into ONNX's `[outputs][inputs of a group][height][width]`.
    pub fn pack_order(self) -> impl Iterator<Item = usize> {
        let outputs = self.group_outputs();
        (0..self.groups).flat_map(move |group| {
            blocks(outputs, OUTPUTS).flat_map(move |block| {
                let block = group * outputs + block.start..group * outputs + block.end;
                (0..self.depth()).flat_map(move |k| block.clone().map(move |output| self.weight(output, k)))
            })
        })
    }

    /// Where in ONNX's order the weight of an output's product number `k` is.
    pub(crate) fn weight(self, output: usize, k: usize) -> usize {
        let (inputs, taps) = (self.group_inputs(), self.kernel[0] * self.kernel[1]);
        let of_output = if self.planar { k } else { k % inputs.max(1) * taps + k / inputs.max(1) };
        output * inputs * taps + of_output
    }

    /// By how much `y` may overtake `x`.
    pub fn overlap(self, element_size: usize) -> Overlap {
        if self.planar {
            return Overlap::NONE;
        }
        let channels = (self.input[2], self.output[2]);
        self.window().overlap(self.pixels(), PIXELS, channels, element_size)
    }

    /// Multiply-accumulates of a run, those with padding included.
    pub const fn macs(self) -> u64 {
        self.pixels() as u64 * self.output[2] as u64 * self.depth() as u64
    }
}

/// Inputs of a window: rows of neighbours, at equal distances.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    /// Of which product the first is the input.
    pub(crate) k: usize,
    /// Its place in the input.
    pub(crate) from: usize,
    /// How long a row is.
    pub(crate) len: usize,
    /// How many rows there are.
    pub(crate) rows: usize,
    /// From one row to the next in the products.
    pub(crate) k_step: usize,
    /// From one row to the next in the input.
    pub(crate) x_step: usize,
}

impl Part {
    /// The rows as pairs of the first product and the elements of `x`.
    #[inline(always)]
    pub(crate) fn rows<X>(self, x: &[X]) -> impl Iterator<Item = (usize, &[X])> {
        let row = move |row| {
            let from = self.from + row * self.x_step;
            (self.k + row * self.k_step, x.get(from..from + self.len).unwrap_or_default())
        };
        (0..self.rows).map(row)
    }
}

/// The operands of a run, of which neighbouring pixels are one block.
struct Pixels<'a, T, X, W, B, A> {
    conv: Conv,
    x: &'a [X],
    weights: &'a [W],
    bias: &'a [B],
    y: &'a [Cell<T>],
    scratch: &'a [Cell<T>],
    activation: &'a A,
}

impl<T, X, W, B, A> Blocks for Pixels<'_, T, X, W, B, A>
where
    T: Accumulate,
    X: Load<Value = T>,
    W: Load<Value = T>,
    B: Load<Value = T>,
    A: Fn(T) -> T,
{
    /// Gathers what lies under the windows of the pixels before it writes those of `y`, which may lie over it.
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let Self { conv, activation, .. } = *self;
        let (depth, stride, outputs) = (conv.depth(), conv.output[2], conv.group_outputs());
        let patch = self.scratch.get(..conv.groups * depth * N).unwrap_or_default().as_chunks::<N>().0;
        if !self.gather_two(first, patch) {
            for pixel in 0..N {
                self.gather(first + pixel, patch, pixel);
            }
        }
        let y = self.y.get(first * stride..(first + N) * stride).unwrap_or_default();
        for group in 0..conv.groups {
            let inputs = patch.get(group * depth..(group + 1) * depth).unwrap_or_default();
            let weights = self.weights.get(group * depth * outputs..).unwrap_or_default();
            let bias = self.bias.get(group * outputs..).unwrap_or_default();
            let y = y.get(group * outputs..).unwrap_or_default();
            Tile { inputs, weights, bias, y, stride, activation }.all::<OUTPUTS>(outputs, false);
        }
    }
}

impl<T: Accumulate, X: Load<Value = T>, W, B, A> Pixels<'_, T, X, W, B, A> {
    /// Copies what the windows of output pixel number `first` and of the next cover to the two places of the tile, if there are vectors for
    /// it and both windows lie in the input.
    #[inline(always)]
    fn gather_two<const P: usize>(&self, _first: usize, _patch: &[[Cell<T>; P]]) -> bool {
        #[cfg(avx2)]
        if let (2, Some(step)) = (P, self.conv.step_to_next(_first)) {
            let places = _patch.as_flattened().as_chunks().0;
            self.conv.parts(_first, self.conv.depth(), |part| {
                let next = Part { from: part.from + step, ..part };
                for ((k, a), (_, b)) in part.rows(self.x).zip(next.rows(self.x)) {
                    avx2::float::interleave(a, b, places.get(k..k + a.len()).unwrap_or_default());
                }
            });
            return true;
        }
        false
    }

    /// Copies what the window of output pixel number `pixel` covers to place `to` of the tile, group by group.
    #[inline(always)]
    fn gather<const P: usize>(&self, pixel: usize, patch: &[[Cell<T>; P]], to: usize) {
        let set = |patch: &[Cell<T>; P], x: T| patch.get(to).into_iter().for_each(|place| place.set(x));
        if !self.conv.is_inside(pixel) {
            patch.iter().for_each(|patch| set(patch, T::ZERO));
        }
        self.conv.parts(pixel, self.conv.depth(), |part| {
            for (k, x) in part.rows(self.x) {
                let patch = patch.get(k..k + x.len()).unwrap_or_default();
                patch.iter().zip(x).for_each(|(patch, x)| set(patch, x.load()));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, check_overlap, numbers, pack, values};
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
        let dilated = Conv { dilations: [1, 2], padding: [1, 0], ..CONV };
        let grouped = Conv { groups: 2, ..CONV };
        let line = Conv { kernel: [1, 4], padding: [0, 1], ..CONV };
        let beyond = Conv { padding: [4, 4], ..CONV };
        std::vec![
            CONV,
            sized(Conv { batch: 2, ..CONV }, [5, 5, 2], [5, 5, 13]),
            sized(strided, [7, 8, 3], [3, 3, 16]),
            sized(dilated, [6, 7, 2], [6, 3, 3]),
            sized(Conv { dilations: [3, 2], padding: [3, 2], ..CONV }, [5, 4, 2], [5, 4, 3]),
            sized(grouped, [4, 4, 6], [4, 4, 10]),
            sized(Conv { groups: 3, ..CONV }, [4, 4, 3], [4, 4, 6]),
            sized(line, [1, 9, 4], [1, 8, 8]),
            sized(beyond, [2, 2, 1], [8, 8, 2]),
        ]
    }

    fn run(conv: Conv, x: &[Cell<f32>], y: &[Cell<f32>]) {
        let weights = numbers(conv.depth() * conv.output[2], 2);
        let packed = pack(&weights, conv.pack_order());
        let scratch = cells(&numbers(conv.scratch(), 3));
        conv.run(x, &packed, &numbers(conv.output[2], 4), y, &scratch, |sum| sum * 0.75);
    }

    fn formula(conv: Conv, x: &[f32]) -> Vec<f32> {
        let (inputs, outputs) = (conv.group_inputs(), conv.group_outputs());
        let ([height, width, _], [kernel_height, kernel_width]) = (conv.input, conv.kernel);
        let weights = numbers(conv.depth() * conv.output[2], 2);
        let bias = numbers(conv.output[2], 4);
        let mut y = Vec::new();
        for (pixel, output) in (0..conv.pixels()).flat_map(|pixel| (0..conv.output[2]).map(move |output| (pixel, output))) {
            let (image, oy) = (pixel / conv.output[1] / conv.output[0], pixel / conv.output[1] % conv.output[0]);
            let mut sum = bias[output];
            for ky in 0..kernel_height {
                for kx in 0..kernel_width {
                    let iy = (oy * conv.strides[0] + ky * conv.dilations[0]).wrapping_sub(conv.padding[0]);
                    let ix = (pixel % conv.output[1] * conv.strides[1] + kx * conv.dilations[1]).wrapping_sub(conv.padding[1]);
                    if iy >= height || ix >= width {
                        continue;
                    }
                    for input in 0..inputs {
                        let channel = output / outputs * inputs + input;
                        let x = x[((image * height + iy) * width + ix) * conv.input[2] + channel];
                        sum += x * weights[((output * inputs + input) * kernel_height + ky) * kernel_width + kx];
                    }
                }
            }
            y.push(sum * 0.75);
        }
        y
    }

    fn lengths(conv: Conv) -> [usize; 2] {
        [conv.input, conv.output].map(|shape| conv.batch * shape.iter().product::<usize>())
    }

    #[test]
    fn equals_the_formula() {
        for case in cases() {
            let [inputs, outputs] = lengths(case);
            let x = numbers(inputs, 1);
            for backward in [false, true] {
                let y = cells(&numbers(outputs, 5));
                run(Conv { backward, ..case }, &cells(&x), &y);
                assert_eq!(values(&y), formula(case, &x), "{case:?}");
            }
        }
    }

    #[test]
    fn packs_weights_itself() {
        for case in cases() {
            let [inputs, outputs] = lengths(case);
            let (x, weights) = (numbers(inputs, 1), numbers(case.depth() * case.output[2], 2));
            let y = cells(&numbers(outputs, 5));
            let scratch = cells(&numbers(case.scratch() + weights.len(), 6));
            case.pack_and_run(&x, &weights, &numbers(case.output[2], 4), &y, &scratch, |sum| sum * 0.75);
            assert_eq!(values(&y), formula(case, &x), "{case:?}");
        }
    }

    #[test]
    fn overlaps_as_far_as_told() {
        for case in cases() {
            check_overlap(lengths(case), case.overlap(4), |backward, x, y| {
                run(Conv { backward, ..case }, x, y);
            });
        }
    }

    #[test]
    fn channels_first_gives_the_same() {
        for conv in cases() {
            let [height, width, channels] = conv.input;
            // Sums of few small integers are exact in any order.
            let integers = |len, seed| numbers(len, seed).into_iter().map(|number| (number * 9.0).round()).collect::<Vec<f32>>();
            let x = integers(conv.batch * height * width * channels, 1);
            let plane = height * width;
            let index = |image: usize, channel: usize, pixel: usize| (image * plane + pixel) * channels + channel;
            let images = (0..conv.batch).flat_map(|image| (0..channels).map(move |channel| (image, channel)));
            let planes = images.flat_map(|(image, channel)| (0..plane).map(move |pixel| (image, channel, pixel)));
            let planar: Vec<f32> = planes.map(|(image, channel, pixel)| x[index(image, channel, pixel)]).collect();
            let [expected, found] = [(conv, x), (Conv { planar: true, ..conv }, planar)].map(|(conv, x)| {
                let y = cells(&numbers(conv.pixels() * conv.output[2], 5));
                let weights = pack(&integers(conv.depth() * conv.output[2], 2), conv.pack_order());
                conv.run(&cells(&x), &weights, &[0f32; 0], &y, &cells(&numbers(conv.scratch(), 3)), |sum| sum);
                values(&y)
            });
            assert_eq!(found, expected, "{conv:?}");
        }
    }

    #[test]
    fn macs_are_those_published() {
        let stem = Conv { input: [49, 10, 1], output: [25, 5, 64], kernel: [10, 4], ..CONV };
        assert_eq!(stem.macs(), 320_000);
    }
}
