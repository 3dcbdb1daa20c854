//! `MaxPool`, `AveragePool`, `LpPool` and their global forms, whose kernel is the input:
//! <https://onnx.ai/onnx/operators/onnx__MaxPool.html>, <https://onnx.ai/onnx/operators/onnx__AveragePool.html>,
//! <https://onnx.ai/onnx/operators/onnx__LpPool.html>

use core::cell::Cell;

use crate::tile::{Blocks, chunk, in_order};
use crate::window::{Place, Window};
use crate::{Float, Load, Number, Overlap, sqrt};

/// `y[n][oy][ox][c] = activation(finish(fold of x[n][iy][ix][c]))` over the rows `ky` and columns `kx` of the kernel with
/// `iy = oy · strides[0] + ky · dilations[0] - padding[0]` and `ix` likewise, where they lie within the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pool {
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
    /// Rows of padding above and columns of padding left of the input.
    pub padding: [usize; 2],
    /// Rows of padding below and columns of padding right of the input.
    pub padding_end: [usize; 2],
    /// How many images there are.
    pub batch: usize,
    /// Take the pixels from last to first.
    pub backward: bool,
}

/// How a pool makes one value of those under its window.
pub trait Reduction<T>: Copy {
    /// What it folds elements into.
    type Folded: Copy;

    /// What it begins with.
    fn start(self) -> Self::Folded;
    /// Takes one more element.
    fn fold(self, folded: Self::Folded, x: T) -> Self::Folded;
    /// The result. `inside` elements lay within the input, `padded` within the input or its padding.
    fn finish(self, folded: Self::Folded, inside: usize, padded: usize) -> T;
}

/// Channels that are reduced side by side.
pub(crate) const BLOCK: usize = 8;

impl Pool {
    /// Computes `y`.
    #[inline(always)]
    pub fn run<T: Copy, X: Load<Value = T>>(
        self,
        reduction: impl Reduction<T>,
        x: &[X],
        y: &[Cell<T>],
        activation: impl Fn(T) -> T,
    ) {
        let [rows, columns, channels] = self.output;
        let activation = &activation;
        for image in in_order(self.batch, self.backward) {
            for row in in_order(rows, self.backward) {
                for column in in_order(columns, self.backward) {
                    let place = Place { image, output: [row, column] };
                    let first = ((image * rows + row) * columns + column) * channels;
                    let y = y.get(first..first + channels).unwrap_or_default();
                    Pixel { pool: self, place, reduction, x, y, activation }.all::<BLOCK>(channels, self.backward);
                }
            }
        }
    }

    /// Takes row number `row` of an image of `rows` rows, all of which are under the window; after the last row, `y` is computed.
    ///
    /// `self` describes an image of one row. `folded` keeps what was made of the rows so far, in the order of [`Pool::run`].
    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "a row has its number beside the operands of a run")]
    pub fn fold_row<T: Copy, R: Reduction<T>, X: Load<Value = T>>(
        self,
        row: usize,
        rows: usize,
        reduction: R,
        x: &[X],
        folded: &[Cell<R::Folded>],
        y: &[Cell<T>],
        activation: impl Fn(T) -> T,
    ) {
        let window = self.window();
        let [_, columns, channels] = self.output;
        for column in 0..columns {
            let place = Place { image: 0, output: [0, column] };
            let (inside, padded) = self.counts(place);
            let pixels = window.taps(place, 1).map(|tap| window.under(place, 1, tap));
            for channel in 0..channels {
                let index = column * channels + channel;
                let (Some(kept), Some(y)) = (folded.get(index), y.get(index)) else { return };
                let start = if row == 0 { reduction.start() } else { kept.get() };
                let sum = pixels.clone().fold(start, |sum, pixel| match x.get(pixel * channels + channel) {
                    Some(x) => reduction.fold(sum, x.load()),
                    None => sum,
                });
                kept.set(sum);
                if row + 1 == rows {
                    y.set(activation(reduction.finish(sum, inside * rows, padded * rows)));
                }
            }
        }
    }

    /// The second output of `MaxPool`: where the first of the greatest elements lies, as an index into the tensor
    /// `[n][c][height][width]`, or `[n][c][width][height]` if `column_major` (ONNX's `storage_order`).
    #[inline(always)]
    pub fn max_indices<T: Number, X: Load<Value = T>>(self, x: &[X], y: &[Cell<i64>], column_major: bool) {
        let [height, width, channels] = self.input;
        let window = self.window();
        for pixel in 0..self.pixels() {
            let place = window.place(pixel);
            let y = y.get(pixel * channels..(pixel + 1) * channels).unwrap_or_default();
            for (channel, y) in y.iter().enumerate() {
                let (mut greatest, mut within) = (T::LOWEST, None);
                for row in window.taps(place, 0) {
                    let row = window.under(place, 0, row);
                    for column in window.taps(place, 1) {
                        let column = window.under(place, 1, column);
                        let x = x.get(window.input_pixel(place, row, column) * channels + channel);
                        let x = x.map_or(T::LOWEST, Load::load);
                        if x > greatest || within.is_none() {
                            greatest = x;
                            within = Some(if column_major { column * height + row } else { row * width + column });
                        }
                    }
                }
                let plane = (place.image * channels + channel) * height * width;
                y.set((plane + within.unwrap_or_default()) as i64);
            }
        }
    }

    /// How many taps of the window lie within the input, and how many within the input or its padding.
    #[inline(always)]
    pub(crate) fn counts(self, place: Place) -> (usize, usize) {
        let window = self.window();
        let [height, width, _] = self.input;
        let [above, left] = self.padding;
        let [below, right] = self.padding_end;
        let padded = Window { input: [height + above + below, width + left + right], padding: [0, 0], ..window };
        (window.count(place), padded.count(place))
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

    const fn pixels(self) -> usize {
        self.batch * self.output[0] * self.output[1]
    }

    /// By how much `y` may overtake `x`.
    pub fn overlap(self, element_size: usize) -> Overlap {
        self.window().channelwise_overlap(self.pixels(), self.input[2], BLOCK, element_size)
    }
}

/// One output pixel.
struct Pixel<'a, T, R, X, A> {
    pool: Pool,
    place: Place,
    reduction: R,
    x: &'a [X],
    y: &'a [Cell<T>],
    activation: &'a A,
}

impl<T, R, X, A> Blocks for Pixel<'_, T, R, X, A>
where
    T: Copy,
    R: Reduction<T>,
    X: Load<Value = T>,
    A: Fn(T) -> T,
{
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let Self { pool, place, reduction, .. } = *self;
        let window = pool.window();
        let mut folded = [reduction.start(); N];
        for row in window.taps(place, 0) {
            let row = window.under(place, 0, row);
            for column in window.taps(place, 1) {
                let pixel = window.input_pixel(place, row, window.under(place, 1, column));
                let Some(x) = chunk::<X, N>(self.x, pixel * pool.input[2] + first) else { continue };
                for (folded, x) in folded.iter_mut().zip(x) {
                    *folded = reduction.fold(*folded, x.load());
                }
            }
        }
        let (inside, padded) = pool.counts(place);
        let Some(y) = chunk::<Cell<T>, N>(self.y, first) else { return };
        for (y, folded) in y.iter().zip(&folded) {
            y.set((self.activation)(reduction.finish(*folded, inside, padded)));
        }
    }
}

/// The greatest element. NaN is passed over; a window that holds nothing else gives the least value of the type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Max;

impl<T: Number> Reduction<T> for Max {
    type Folded = T;

    #[inline(always)]
    fn start(self) -> T {
        T::LOWEST
    }

    #[inline(always)]
    fn fold(self, folded: T, x: T) -> T {
        if x > folded { x } else { folded }
    }

    #[inline(always)]
    fn finish(self, folded: T, _inside: usize, _padded: usize) -> T {
        folded
    }
}

/// The sum of the elements, divided by how many there are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Average {
    /// Whether padding counts as elements that are zero. What lies beyond it (ONNX's `ceil_mode`) never counts.
    pub include_padding: bool,
}

impl<T: Number> Reduction<T> for Average {
    type Folded = T::Sum;

    #[inline(always)]
    fn start(self) -> T::Sum {
        T::Sum::ZERO
    }

    #[inline(always)]
    fn fold(self, folded: T::Sum, x: T) -> T::Sum {
        folded.add(x.widen())
    }

    #[inline(always)]
    fn finish(self, folded: T::Sum, inside: usize, padded: usize) -> T {
        T::narrow(folded.div(T::Sum::from_usize(if self.include_padding { padded } else { inside })))
    }
}

/// `(Σ |x|ᵖ)^(1/p)`; of `f16` and `bf16` computed in `f32`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LpNorm {
    /// The exponent.
    pub p: usize,
}

impl<T: Float<Sum: Float>> Reduction<T> for LpNorm {
    type Folded = T::Sum;

    #[inline(always)]
    fn start(self) -> T::Sum {
        T::Sum::ZERO
    }

    #[inline(always)]
    fn fold(self, folded: T::Sum, x: T) -> T::Sum {
        let x = x.widen();
        match self.p {
            1 => folded + x.abs(),
            2 => folded + x * x,
            p => folded + x.abs().pow(T::Sum::from_usize(p)),
        }
    }

    #[inline(always)]
    fn finish(self, folded: T::Sum, _inside: usize, _padded: usize) -> T {
        T::narrow(match self.p {
            1 => folded,
            2 => sqrt(folded),
            p => folded.pow(T::Sum::ONE / T::Sum::from_usize(p)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, check_overlap, numbers, values};
    use half::f16;
    use std::vec::Vec;

    /// 3×3 over one 5×6 image of 3 channels, to be varied.
    const POOL: Pool = Pool {
        input: [5, 6, 3],
        output: [5, 6, 3],
        kernel: [3, 3],
        strides: [1, 1],
        dilations: [1, 1],
        padding: [1, 1],
        padding_end: [1, 1],
        batch: 1,
        backward: false,
    };

    fn cases() -> [Pool; 5] {
        let halved = Pool { kernel: [2, 2], strides: [2, 2], padding: [0, 0], padding_end: [0, 0], ..POOL };
        let global = Pool { kernel: [5, 6], padding: [0, 0], padding_end: [0, 0], ..POOL };
        [
            Pool { input: [5, 6, 12], output: [5, 6, 12], batch: 2, ..POOL },
            Pool { output: [2, 3, 3], ..halved },
            // Rounded up: the last row of windows reaches over the padded input.
            Pool { output: [3, 3, 3], ..halved },
            Pool { input: [5, 6, 11], output: [1, 1, 11], ..global },
            Pool { dilations: [2, 1], strides: [1, 2], output: [3, 3, 3], ..POOL },
        ]
    }

    fn lengths(pool: Pool) -> [usize; 2] {
        [pool.input, pool.output].map(|shape| pool.batch * shape.iter().product::<usize>())
    }

    /// What lies under the window of each output: an element's index and value, or a zero of the padding.
    fn windows(pool: Pool, x: &[f32]) -> Vec<Vec<(Option<usize>, f32)>> {
        let ([height, width, channels], [rows, columns, _]) = (pool.input, pool.output);
        let mut windows = Vec::new();
        for index in 0..pool.batch * rows * columns * channels {
            let (pixel, channel) = (index / channels, index % channels);
            let (image, row) = (pixel / columns / rows, pixel / columns % rows);
            let mut window = Vec::new();
            for tap in 0..pool.kernel[0] * pool.kernel[1] {
                let (ky, kx) = (tap / pool.kernel[1], tap % pool.kernel[1]);
                let y = row * pool.strides[0] + ky * pool.dilations[0];
                let x_ = pixel % columns * pool.strides[1] + kx * pool.dilations[1];
                let (y, x_) = (y.wrapping_sub(pool.padding[0]), x_.wrapping_sub(pool.padding[1]));
                if y < height && x_ < width {
                    let at = ((image * height + y) * width + x_) * channels + channel;
                    window.push((Some(at), x[at]));
                } else if (y as isize) < (height + pool.padding_end[0]) as isize
                    && (x_ as isize) < (width + pool.padding_end[1]) as isize
                {
                    window.push((None, 0.0));
                }
            }
            windows.push(window);
        }
        windows
    }

    fn check(reduction: impl Reduction<f32>, formula: impl Fn(&[(Option<usize>, f32)]) -> f32) {
        for case in cases() {
            let [inputs, outputs] = lengths(case);
            let x = numbers(inputs, 1);
            for backward in [false, true] {
                let y = cells(&numbers(outputs, 2));
                Pool { backward, ..case }.run(reduction, &x, &y, |x| x * 3.0);
                for (window, y) in windows(case, &x).iter().zip(values(&y)) {
                    let expected = formula(window) * 3.0;
                    assert!((y - expected).abs() <= 1e-6 * expected.abs(), "{case:?}: {y} {expected}");
                }
            }
            check_overlap([inputs, outputs], case.overlap(4), |backward, x, y| {
                Pool { backward, ..case }.run(reduction, x, y, |x| x);
            });
        }
    }

    fn inside(window: &[(Option<usize>, f32)]) -> impl Iterator<Item = f32> + Clone {
        window.iter().filter(|element| element.0.is_some()).map(|element| element.1)
    }

    #[test]
    fn the_greatest() {
        check(Max, |window| inside(window).fold(f32::NEG_INFINITY, f32::max));
    }

    #[test]
    fn the_average_with_and_without_padding() {
        check(Average { include_padding: true }, |window| inside(window).sum::<f32>() / window.len() as f32);
        check(Average { include_padding: false }, |window| inside(window).sum::<f32>() / inside(window).count() as f32);
    }

    #[test]
    fn the_norms() {
        for p in 1..4 {
            check(LpNorm { p }, |window| inside(window).map(|x| x.abs().powi(p as i32)).sum::<f32>().powf(1.0 / p as f32));
        }
    }

    #[test]
    fn where_the_greatest_is() {
        for case in cases() {
            let [inputs, outputs] = lengths(case);
            let [height, width, channels] = case.input;
            // Few different numbers, so that the first of several must be taken.
            let x: Vec<f32> = numbers(inputs, 1).iter().map(|x| (x * 3.0).round()).collect();
            for column_major in [false, true] {
                let y: Vec<Cell<i64>> = (0..outputs).map(|_| Cell::new(-1)).collect();
                case.max_indices(&x, &y, column_major);
                for (window, y) in windows(case, &x).iter().zip(&y) {
                    let greatest = inside(window).fold(f32::NEG_INFINITY, f32::max);
                    let at = window.iter().find(|element| element.0.is_some() && element.1 == greatest);
                    let at = at.and_then(|element| element.0).unwrap();
                    let (channel, column) = (at % channels, at / channels % width);
                    let (row, image) = (at / channels / width % height, at / channels / width / height);
                    let plane = (image * channels + channel) * height * width;
                    let within = if column_major { column * height + row } else { row * width + column };
                    assert_eq!(y.get() as usize, plane + within, "{case:?}");
                }
            }
        }
    }

    #[test]
    fn halves_are_summed_in_singles() {
        let (pool, x) = (
            Pool { input: [4, 8, 1], output: [1, 1, 1], kernel: [4, 8], padding: [0, 0], padding_end: [0, 0], ..POOL },
            [f16::from_f32(100.0); 32],
        );
        let y = [Cell::new(f16::ZERO)];
        pool.run(LpNorm { p: 2 }, &x, &y, |x| x);
        assert_eq!(y[0].get(), f16::from_f32(565.685_4));
        pool.run(Average { include_padding: false }, &[f16::MAX; 32], &y, |x| x);
        assert_eq!(y[0].get(), f16::MAX);
    }

    #[test]
    fn rows_one_after_another_give_the_same() {
        let global = Pool {
            input: [5, 6, 3],
            output: [1, 2, 3],
            kernel: [5, 3],
            strides: [1, 3],
            padding: [0, 0],
            padding_end: [0, 0],
            ..POOL
        };
        let row = Pool { input: [1, 6, 3], kernel: [1, 3], ..global };
        let x = numbers(90, 1);
        let average = Average { include_padding: false };
        let (whole, by_rows, folded) = (cells(&[0.0f32; 6]), cells(&[0.0f32; 6]), cells(&[7.0f32; 6]));
        global.run(average, &x, &whole, |x| x * 2.0);
        for (number, x) in x.chunks(18).enumerate() {
            row.fold_row(number, 5, average, x, &folded, &by_rows, |x| x * 2.0);
        }
        assert_eq!(values(&by_rows), values(&whole));
    }

    #[test]
    fn nan_is_passed_over() {
        let pool = Pool { input: [1, 2, 1], output: [1, 1, 1], kernel: [1, 2], ..POOL };
        let pool = Pool { padding: [0, 0], padding_end: [0, 0], ..pool };
        for (x, expected) in [([f32::NAN, 1.0], 1.0), ([2.0, f32::NAN], 2.0), ([f32::NAN; 2], f32::NEG_INFINITY)] {
            let y = [Cell::new(0.0)];
            pool.run(Max, &x, &y, |x| x);
            assert_eq!(y[0].get(), expected);
        }
    }
}
