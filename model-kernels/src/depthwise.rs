//! `Conv` with one group a channel: <https://onnx.ai/onnx/operators/onnx__Conv.html>

use core::cell::Cell;

use crate::accumulate::{Accumulate, Taps};
use crate::tile::{Blocks, activate, chunk, in_order, pack};
use crate::window::{Place, Window};
use crate::{Load, Overlap};

/// `y[n][oy][ox][c] = activation(bias[c] + Σ x[n][iy][ix][c] · w[ky][kx][c])` over `ky` and `kx`, with
/// `iy = oy · strides[0] + ky · dilations[0] - padding[0]` and `ix` likewise; what lies outside the input is zero.
///
/// Each output starts from its bias (zero if `bias` is empty) and is summed in the order of `ky`, `kx`; products and sums
/// round separately.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Depthwise {
    /// Height, width and channels of an image of `x`.
    pub input: [usize; 3],
    /// Height, width and channels of an image of `y`; the channels are those of `x`.
    pub output: [usize; 3],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps from one output to the next, down and to the right.
    pub strides: [usize; 2],
    /// Steps from one tap of the kernel to the next, down and to the right.
    pub dilations: [usize; 2],
    /// Rows of zeros above and columns of zeros left of the input.
    pub padding: [usize; 2],
    /// How many images there are.
    pub batch: usize,
    /// Take the pixels from last to first.
    pub backward: bool,
}

/// Channels that are summed side by side.
const BLOCK: usize = 16;

impl Depthwise {
    /// Computes `y`. `weights` are `[ky][kx][c]`.
    #[inline(always)]
    pub fn run<T, X, W, B>(self, x: &[X], weights: &[W], bias: &[B], y: &[Cell<T>], activation: impl Fn(T) -> T)
    where
        T: Accumulate,
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
    {
        let channels = self.input[2];
        let (window, activation) = (self.window(), &activation);
        let [rows, columns, _] = self.output;
        for image in in_order(self.batch, self.backward) {
            for row in in_order(rows, self.backward) {
                for column in in_order(columns, self.backward) {
                    let place = Place { image, output: [row, column] };
                    let first = ((image * rows + row) * columns + column) * channels;
                    let y = y.get(first..first + channels).unwrap_or_default();
                    Pixel { window, place, channels, x, weights, bias, y, activation }.all::<BLOCK>(channels, self.backward);
                }
            }
        }
    }

    /// As [`Depthwise::run`], with weights in ONNX's order, which are packed into `scratch` of as many elements.
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

    /// The same for an image of `rows` rows, with `above` rows of padding above: what a stage of a cascade sees at an edge.
    #[inline(always)]
    pub const fn clipped(self, above: usize, rows: usize) -> Self {
        let ([_, columns, channels], [_, left]) = (self.input, self.padding);
        Self { input: [rows, columns, channels], padding: [above, left], ..self }
    }

    const fn window(self) -> Window {
        Window {
            input: [self.input[0], self.input[1]],
            output: [self.output[0], self.output[1]],
            kernel: self.kernel,
            strides: self.strides,
            dilations: self.dilations,
            padding: self.padding,
        }
    }

    const fn pixels(self) -> usize {
        self.batch * self.output[0] * self.output[1]
    }

    /// The order of the weights, as indices into ONNX's `[channels][1][height][width]`.
    pub fn pack_order(self) -> impl Iterator<Item = usize> {
        let taps = self.kernel[0] * self.kernel[1];
        (0..taps).flat_map(move |tap| (0..self.input[2]).map(move |channel| channel * taps + tap))
    }

    /// By how much `y` may overtake `x`.
    pub fn overlap(self, element_size: usize) -> Overlap {
        self.window().channelwise_overlap(self.pixels(), self.input[2], BLOCK, element_size)
    }

    /// Multiply-accumulates of a run, those with padding included.
    pub const fn macs(self) -> u64 {
        let taps = self.kernel[0] * self.kernel[1];
        self.pixels() as u64 * self.input[2] as u64 * taps as u64
    }
}

/// One output pixel.
struct Pixel<'a, T, X, W, B, A> {
    window: Window,
    place: Place,
    channels: usize,
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
        let Self { window, place, channels, .. } = *self;
        let Some(y) = chunk::<Cell<T>, N>(self.y, first) else { return };
        let (rows, columns) = (window.taps(place, 0), window.taps(place, 1));
        let taps = Taps {
            rows: rows.len(),
            columns: columns.len(),
            x_steps: [window.dilations[0] * window.input[1] * channels, window.dilations[1] * channels],
            weight_steps: [window.kernel[1] * channels, channels],
        };
        let (mut x, mut weights) = (0, 0);
        if taps.rows > 0 && taps.columns > 0 {
            let [row, column] = [window.under(place, 0, rows.start), window.under(place, 1, columns.start)];
            x = window.input_pixel(place, row, column) * channels + first;
            weights = (rows.start * window.kernel[1] + columns.start) * channels + first;
        }
        let x = self.x.get(x..x + taps.span(taps.x_steps, N)).unwrap_or_default();
        let weights = self.weights.get(weights..weights + taps.span(taps.weight_steps, N)).unwrap_or_default();
        T::taps(taps, x, weights, chunk::<B, N>(self.bias, first), y);
        activate(y, self.activation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, check_overlap, numbers, pack, values};
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

    fn cases() -> Vec<Depthwise> {
        let sized = |depthwise: Depthwise, input, output| Depthwise { input, output, ..depthwise };
        let strided = Depthwise { strides: [2, 3], padding: [0, 1], ..DEPTHWISE };
        let dilated = Depthwise { dilations: [3, 2], padding: [3, 0], ..DEPTHWISE };
        let line = Depthwise { kernel: [1, 4], padding: [0, 1], ..DEPTHWISE };
        let whole = Depthwise { kernel: [3, 2], padding: [0, 0], ..DEPTHWISE };
        let beyond = Depthwise { padding: [4, 4], ..DEPTHWISE };
        std::vec![
            DEPTHWISE,
            sized(Depthwise { batch: 2, ..DEPTHWISE }, [5, 5, 16], [5, 5, 16]),
            sized(DEPTHWISE, [4, 3, 15], [4, 3, 15]),
            sized(strided, [7, 8, 8], [3, 3, 8]),
            sized(dilated, [6, 7, 18], [6, 3, 18]),
            sized(line, [1, 9, 12], [1, 8, 12]),
            sized(beyond, [2, 2, 1], [8, 8, 1]),
            sized(whole, [3, 2, 35], [1, 1, 35]),
        ]
    }

    fn run(depthwise: Depthwise, x: &[Cell<f32>], y: &[Cell<f32>]) {
        let channels = depthwise.input[2];
        let weights = numbers(depthwise.kernel[0] * depthwise.kernel[1] * channels, 2);
        let packed = pack(&weights, depthwise.pack_order());
        depthwise.run(x, &packed, &numbers(channels, 4), y, |sum| sum * 0.75);
    }

    /// The convolution with as many groups as channels.
    fn formula(depthwise: Depthwise, x: &[Cell<f32>], y: &[Cell<f32>]) {
        let Depthwise { input, output, kernel, strides, dilations, padding, batch, .. } = depthwise;
        let groups = input[2];
        let conv =
            crate::Conv { input, output, kernel, strides, dilations, padding, groups, batch, planar: false, backward: false };
        let weights = numbers(kernel[0] * kernel[1] * groups, 2);
        let packed = pack(&weights, conv.pack_order());
        let scratch = cells(&numbers(conv.scratch(), 3));
        conv.run(x, &packed, &numbers(groups, 4), y, &scratch, |sum| sum * 0.75);
    }

    fn lengths(depthwise: Depthwise) -> [usize; 2] {
        [depthwise.input, depthwise.output].map(|shape| depthwise.batch * shape.iter().product::<usize>())
    }

    #[test]
    fn equals_a_convolution_by_groups() {
        for case in cases() {
            let [inputs, outputs] = lengths(case);
            let x = cells(&numbers(inputs, 1));
            let expected = cells(&numbers(outputs, 5));
            formula(case, &x, &expected);
            for backward in [false, true] {
                let y = cells(&numbers(outputs, 6));
                run(Depthwise { backward, ..case }, &x, &y);
                assert_eq!(values(&y), values(&expected), "{case:?}");
            }
        }
    }

    #[test]
    fn packs_weights_itself() {
        for case in cases() {
            let [inputs, outputs] = lengths(case);
            let x = cells(&numbers(inputs, 1));
            let (y, expected) = (cells(&numbers(outputs, 5)), cells(&numbers(outputs, 6)));
            formula(case, &x, &expected);
            let weights = numbers(case.kernel[0] * case.kernel[1] * case.input[2], 2);
            let scratch = cells(&numbers(weights.len(), 7));
            case.pack_and_run(&x, &weights, &numbers(case.input[2], 4), &y, &scratch, |sum| sum * 0.75);
            assert_eq!(values(&y), values(&expected), "{case:?}");
        }
    }

    #[test]
    fn overlaps_as_far_as_told() {
        for case in cases() {
            check_overlap(lengths(case), case.overlap(4), |backward, x, y| {
                run(Depthwise { backward, ..case }, x, y);
            });
        }
    }
}
