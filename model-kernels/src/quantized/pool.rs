//! The quantized arithmetic of [`Average`] pools. That of [`Max`](crate::Max) is [`Pool::run`], as the greatest element stands
//! for the greatest number.

use core::cell::Cell;

use crate::overlap::Overlap;
use crate::pool::BLOCK;
use crate::quantized::Quantized;
use crate::tile::{Blocks, chunk, in_order};
use crate::window::Place;
use crate::{Average, Load, Pool, Requantize};

impl Pool {
    /// `y[n][oy][ox][c] = requantize(Σ (x[n][iy][ix][c] - x_zero))` over what lies within the input, with a multiplier for the
    /// number of elements that count: `multipliers` has one for each of [`Pool::quantized_counts`].
    ///
    /// `x_zero` is less by [`Quantized::OFFSET`].
    #[inline(always)]
    pub fn quantized<X: Quantized, Y: Quantized>(
        self,
        average: Average,
        x: &[impl Load<Value = X>],
        y: &[Cell<Y>],
        multipliers: &[i32],
        x_zero: i32,
        requantize: Requantize,
    ) {
        let [rows, columns, channels] = self.output;
        for image in in_order(self.batch, self.backward) {
            for row in in_order(rows, self.backward) {
                for column in in_order(columns, self.backward) {
                    let place = Place { image, output: [row, column] };
                    let first = ((image * rows + row) * columns + column) * channels;
                    let y = y.get(first..first + channels).unwrap_or_default();
                    let missing = self.taps().wrapping_sub(self.counted(average, place));
                    let multiplier = multipliers.get(missing).copied().unwrap_or_default();
                    let start = (self.window().count(place) as i32).wrapping_mul(x_zero.wrapping_neg());
                    let pixel = Pixel { pool: self, place, x, y, start, multiplier, requantize };
                    pixel.all::<BLOCK>(channels, self.backward);
                }
            }
        }
    }

    /// Takes row number `row` of an image of `rows` rows, all of which are under the window; after the last row, `y` is computed.
    ///
    /// `self` describes an image of one row without padding, so that all elements count; `sums` keeps what was added up so far.
    #[inline(always)]
    #[allow(clippy::too_many_arguments, reason = "a row has its number beside the operands of a run")]
    pub fn fold_row_quantized<X: Quantized, Y: Quantized>(
        self,
        row: usize,
        rows: usize,
        x: &[impl Load<Value = X>],
        sums: &[Cell<i32>],
        y: &[Cell<Y>],
        multipliers: &[i32],
        x_zero: i32,
        requantize: Requantize,
    ) {
        let [_, columns, channels] = self.output;
        let start = ((rows * self.taps()) as i32).wrapping_mul(x_zero.wrapping_neg());
        let multiplier = multipliers.first().copied().unwrap_or_default();
        for column in 0..columns {
            let here = column * channels..(column + 1) * channels;
            let sums = sums.get(here.clone()).unwrap_or_default();
            if row == 0 {
                sums.iter().for_each(|sum| sum.set(start));
            }
            for tap in self.window().taps(Place { image: 0, output: [0, column] }, 1) {
                let pixel = column * self.strides[1] + tap;
                let x = x.get(pixel * channels..(pixel + 1) * channels).unwrap_or_default();
                for (sum, x) in sums.iter().zip(x) {
                    sum.set(sum.get().wrapping_add(i32::from(x.load().to_i16())));
                }
            }
            if row + 1 == rows {
                for (y, sum) in y.get(here).unwrap_or_default().iter().zip(sums) {
                    y.set(Y::saturate(requantize.apply(sum.get(), multiplier)));
                }
            }
        }
    }

    /// The numbers of elements that have a multiplier: those of the whole kernel, one less, and so on to the fewest under any
    /// window. Where that is none, its average is the zero point.
    pub fn quantized_counts(self, average: Average) -> impl Iterator<Item = usize> {
        let columns = self.output[1];
        let places = (0..self.output[0]).flat_map(move |row| (0..columns).map(move |column| [row, column]));
        let counts = places.map(|output| self.counted(average, Place { image: 0, output }));
        (counts.min().unwrap_or_default()..=self.taps()).rev()
    }

    /// By how much `y`, of elements of `y_size` bytes, may overtake `x`, of elements of `x_size` bytes.
    pub fn quantized_overlap(self, x_size: usize, y_size: usize) -> Overlap {
        if x_size == y_size { self.overlap(x_size) } else { Overlap::NONE }
    }

    const fn taps(self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// How many elements count at a place.
    #[inline(always)]
    fn counted(self, average: Average, place: Place) -> usize {
        let (inside, padded) = self.counts(place);
        if average.include_padding { padded } else { inside }
    }
}

/// One output pixel.
struct Pixel<'a, X, Y> {
    pool: Pool,
    place: Place,
    x: &'a [X],
    y: &'a [Cell<Y>],
    /// What the sums start from: the zero points of all elements.
    start: i32,
    multiplier: i32,
    requantize: Requantize,
}

impl<X: Load<Value: Quantized>, Y: Quantized> Blocks for Pixel<'_, X, Y> {
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let Self { pool, place, .. } = *self;
        let window = pool.window();
        let mut sums = [self.start; N];
        for row in window.taps(place, 0) {
            let row = window.under(place, 0, row);
            for column in window.taps(place, 1) {
                let pixel = window.input_pixel(place, row, window.under(place, 1, column));
                let Some(x) = chunk::<X, N>(self.x, pixel * pool.input[2] + first) else { continue };
                for (sum, x) in sums.iter_mut().zip(x) {
                    *sum = sum.wrapping_add(i32::from(x.load().to_i16()));
                }
            }
        }
        for (y, sum) in self.y.get(first..first + N).unwrap_or_default().iter().zip(sums) {
            y.set(Y::saturate(self.requantize.apply(sum, self.multiplier)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Max;
    use crate::quantized::testing::REQUANTIZE;
    use crate::testing::{cells, check_overlap_of, integers, values};
    use std::fmt::Debug;
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

    const CASES: [Pool; 5] = {
        let halved = Pool { kernel: [2, 2], strides: [2, 2], padding: [0, 0], padding_end: [0, 0], ..POOL };
        let global = Pool { kernel: [5, 6], padding: [0, 0], padding_end: [0, 0], ..POOL };
        [
            Pool { input: [5, 6, 12], output: [5, 6, 12], batch: 2, ..POOL },
            Pool { output: [2, 3, 3], ..halved },
            // Rounded up: the last row of windows reaches over the input.
            Pool { output: [3, 3, 3], ..halved },
            Pool { input: [5, 6, 11], output: [1, 1, 11], ..global },
            Pool { dilations: [2, 1], strides: [1, 2], output: [3, 3, 3], ..POOL },
        ]
    };

    fn lengths(pool: Pool) -> [usize; 2] {
        [pool.input, pool.output].map(|shape| pool.batch * shape.iter().product::<usize>())
    }

    /// The multiplier for an average of `count`.
    fn multiplier(count: usize) -> i32 {
        if count == 0 { 0 } else { (f64::from(1 << 30) * 0.7 / count as f64).round() as i32 }
    }

    fn multipliers(pool: Pool, average: Average) -> Vec<i32> {
        pool.quantized_counts(average).map(multiplier).collect()
    }

    /// The formula: sums and counts, by one window after another.
    fn formula<Y: Quantized>(pool: Pool, average: Average, x: &[impl Quantized], x_zero: i32) -> Vec<Y> {
        let ([height, width, channels], [rows, columns, _]) = (pool.input, pool.output);
        let element = |index: usize| {
            let (pixel, channel) = (index / channels, index % channels);
            let (image, row, column) = (pixel / columns / rows, pixel / columns % rows, pixel % columns);
            let (mut sum, mut inside, mut padded) = (0, 0, 0);
            for (ky, kx) in (0..pool.kernel[0]).flat_map(|ky| (0..pool.kernel[1]).map(move |kx| (ky, kx))) {
                let (y, x_) = (row * pool.strides[0] + ky * pool.dilations[0], column * pool.strides[1] + kx * pool.dilations[1]);
                let [above, left] = pool.padding;
                if (above..above + height).contains(&y) && (left..left + width).contains(&x_) {
                    let at = ((image * height + y - above) * width + x_ - left) * channels + channel;
                    sum += i64::from(i32::from(x[at].to_i16()) - x_zero);
                    inside += 1;
                }
                padded += usize::from(y < above + height + pool.padding_end[0] && x_ < left + width + pool.padding_end[1]);
            }
            let product = i128::from(sum) * i128::from(multiplier(if average.include_padding { padded } else { inside }));
            let scaled = (product + (1 << (REQUANTIZE.shift - 1))) >> REQUANTIZE.shift;
            Y::saturate((scaled as i32 + REQUANTIZE.zero).clamp(REQUANTIZE.low, REQUANTIZE.high))
        };
        (0..lengths(pool)[1]).map(element).collect()
    }

    fn check<X, Y>(range: [i64; 2], x_zero: i32)
    where
        X: Quantized + TryFrom<i64, Error: Debug>,
        Y: Quantized + PartialEq + Debug,
    {
        for (case, include_padding) in CASES.into_iter().flat_map(|case| [(case, false), (case, true)]) {
            let average = Average { include_padding };
            let x: Vec<X> = integers(lengths(case)[0], 1, range);
            let multipliers = multipliers(case, average);
            let expected: Vec<Y> = formula(case, average, &x, x_zero);
            for pool in [case, Pool { backward: true, ..case }] {
                let y = cells(&std::vec![Y::ZERO; expected.len()]);
                pool.quantized(average, &cells(&x), &y, &multipliers, x_zero, REQUANTIZE);
                assert_eq!(values(&y), expected, "{pool:?}");
            }
        }
    }

    #[test]
    fn equals_the_formula() {
        check::<i8, i8>([-128, 127], -5);
        check::<u8, u8>([0, 255], 200);
        check::<u8, i8>([0, 255], 0);
        check::<i16, i16>([-3000, 3000], 0);
        check::<u16, u16>([30_000, 36_000], 1000);
    }

    #[test]
    fn multipliers_are_for_the_counts_there_are() {
        let counts = |pool: Pool, include_padding| pool.quantized_counts(Average { include_padding }).collect::<Vec<_>>();
        assert_eq!(counts(CASES[0], false), [9, 8, 7, 6, 5, 4]);
        assert_eq!(counts(CASES[0], true), [9]);
        assert_eq!(counts(CASES[1], false), [4]);
        assert_eq!(counts(CASES[2], false), [4, 3, 2]);
        assert_eq!(counts(CASES[3], false), [30]);
    }

    #[test]
    fn overlaps_as_far_as_told() {
        let average = Average { include_padding: false };
        // So that each element tells.
        let requantize = Requantize { left: 6, low: i16::MIN.into(), high: i16::MAX.into(), ..REQUANTIZE };
        for case in CASES {
            let numbers = |len, seed| integers::<i16>(len, seed, [-3000, 3000]);
            check_overlap_of(numbers, lengths(case), case.quantized_overlap(2, 2), |backward, x, y| {
                Pool { backward, ..case }.quantized(average, x, y, &multipliers(case, average), 3, requantize);
            });
        }
    }

    #[test]
    fn the_greatest_needs_no_arithmetic() {
        let y = cells(&[0u8; 11]);
        let x: Vec<u8> = integers(lengths(CASES[3])[0], 1, [0, 255]);
        CASES[3].run(Max, &x, &y, |x| x);
        for (channel, y) in values(&y).into_iter().enumerate() {
            assert_eq!(Some(y), x.iter().skip(channel).step_by(11).copied().max());
        }
    }
}
