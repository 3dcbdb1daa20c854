//! `GridSample`: <https://onnx.ai/onnx/operators/onnx__GridSample.html>

use core::cell::Cell;

use crate::float::{Float, floor, round};
use crate::load::Load;

/// The elements of images or volumes at places that a grid tells, each from −1 to 1 over its axis.
///
/// `y[n, c, p] = Σ weight · x[n, c, taps]`, the taps those around `grid[n, p]`, which has the place along the last axis first. The sum is
/// taken in row-major order of the taps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GridSample {
    /// How many images there are.
    pub batch: usize,
    /// How many channels an image has.
    pub channels: usize,
    /// Depth, height and width of an image; an image that is flat has a depth of 1.
    pub size: [usize; 3],
    /// How many axes the grid has places for: the last 1 to 3.
    pub axes: usize,
    /// How many places a grid has.
    pub points: usize,
    /// How many taps there are along an axis: 1 for the nearest element, 2 for a line, 4 for a cubic curve.
    pub taps: usize,
    /// What lies outside of the image.
    pub outside: Outside,
    /// Whether −1 and 1 are the centres of the outermost elements, else their outer edges.
    pub align_corners: bool,
}

/// What lies outside of an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outside {
    /// Zeros.
    Zeros,
    /// The outermost elements.
    Border,
    /// The mirror image.
    Reflection,
}

/// The taps along one axis: which elements, and with what weight.
type Taps<T> = [(usize, T); 4];

impl GridSample {
    /// Samples `x` at `grid` into `y`, all of which must be disjoint.
    #[inline(always)]
    pub fn run<X: Load<Value = T>, G: Load<Value = T>, T: Float>(self, x: &[X], grid: &[G], y: &[Cell<T>]) {
        let [depth, height, width] = self.size;
        let volume = depth * height * width;
        for n in 0..self.batch {
            for point in 0..self.points {
                let place = |axis: usize| {
                    // The last axis comes first.
                    let index = (n * self.points + point) * self.axes + (2 - axis);
                    grid.get(index).map_or(T::ZERO, Load::load)
                };
                let along = |axis: usize| if axis + self.axes < 3 { single(0) } else { self.taps(place(axis), axis) };
                let (z, y_taps, x_taps) = (along(0), along(1), along(2));
                for c in 0..self.channels {
                    let first = (n * self.channels + c) * volume;
                    let mut sum = T::ZERO;
                    for (iz, wz) in z {
                        for (iy, wy) in y_taps {
                            for (ix, wx) in x_taps {
                                let weight = wz * wy * wx;
                                // A weight of zero stands for a tap that is not there.
                                if weight != T::ZERO {
                                    let index = first + (iz * height + iy) * width + ix;
                                    sum = sum + weight * x.get(index).map_or(T::ZERO, Load::load);
                                }
                            }
                        }
                    }
                    if let Some(y) = y.get((n * self.channels + c) * self.points + point) {
                        y.set(sum);
                    }
                }
            }
        }
    }

    /// The taps around a place from −1 to 1 on an axis.
    #[inline(always)]
    fn taps<T: Float>(self, place: T, axis: usize) -> Taps<T> {
        let len = self.size[axis];
        let half = T::of(0.5);
        let size = T::from_usize(len);
        let mut at = match self.align_corners {
            true => (place + T::ONE) * half * (size - T::ONE),
            false => ((place + T::ONE) * size - T::ONE) * half,
        };
        if self.taps == 1 {
            at = round(at);
        }
        at = self.moved(at, len);
        if self.taps == 1 {
            // It may lie between elements after a reflection.
            return self.placed([(round(at), T::ONE), (T::ZERO, T::ZERO), (T::ZERO, T::ZERO), (T::ZERO, T::ZERO)], len);
        }
        let first = floor(at);
        let rest = at - first;
        let next = first + T::ONE;
        if self.taps == 2 {
            return self.placed([(first, T::ONE - rest), (next, rest), (T::ZERO, T::ZERO), (T::ZERO, T::ZERO)], len);
        }
        let curve = [
            (first - T::ONE, far(rest + T::ONE)),
            (first, near(rest)),
            (next, near(T::ONE - rest)),
            (next + T::ONE, far(T::ONE + T::ONE - rest)),
        ];
        self.placed(curve, len)
    }

    /// The place in or beyond an axis of `len` elements, moved inside where there is something to be moved to.
    #[inline(always)]
    fn moved<T: Float>(self, at: T, len: usize) -> T {
        let last = T::from_usize(len) - T::ONE;
        let edge = if self.align_corners { T::ZERO } else { T::of(-0.5) };
        let inside = at >= edge && at <= last - edge;
        match self.outside {
            _ if inside => at,
            Outside::Zeros => at,
            Outside::Border if at > last => last,
            Outside::Border if at < T::ZERO => T::ZERO,
            Outside::Border => at,
            Outside::Reflection => reflected(at, edge, last - edge),
        }
    }

    /// The elements of the taps; those that are not there have no weight.
    #[inline(always)]
    fn placed<T: Float>(self, taps: [(T, T); 4], len: usize) -> Taps<T> {
        taps.map(|(at, weight)| {
            let index: i32 = self.moved(at, len).cast();
            match usize::try_from(index) {
                Ok(index) if index < len => (index, weight),
                _ => (0, T::ZERO),
            }
        })
    }
}

/// The one element of an axis that is none.
#[inline(always)]
fn single<T: Float>(index: usize) -> Taps<T> {
    [(index, T::ONE), (0, T::ZERO), (0, T::ZERO), (0, T::ZERO)]
}

/// A place outside of `low` to `high` mirrored there as often as it takes.
#[inline(always)]
fn reflected<T: Float>(at: T, low: T, high: T) -> T {
    let range = high - low;
    let beyond = if at < low { low - at } else { at - high };
    // Also where there is one element, or NaN.
    if !(range > T::ZERO && beyond < T::HIGHEST) {
        return low;
    }
    let times = floor(beyond / range);
    let rest = beyond - times * range;
    let is_even = times - floor(times * T::of(0.5)) * T::of(2.0) == T::ZERO;
    if (at < low) == is_even { low + rest } else { high - rest }
}

/// The weights of the cubic curve whose slope is −3/4 at distance 1: up to there, and up to 2.
#[inline(always)]
fn near<T: Float>(distance: T) -> T {
    (T::of(1.25) * distance - T::of(2.25)) * distance * distance + T::ONE
}

#[inline(always)]
fn far<T: Float>(distance: T) -> T {
    T::of(-0.75) * (((distance - T::of(5.0)) * distance + T::of(8.0)) * distance - T::of(4.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: GridSample = GridSample {
        batch: 1,
        channels: 1,
        size: [1, 1, 4],
        axes: 1,
        points: 3,
        taps: 2,
        outside: Outside::Zeros,
        align_corners: true,
    };

    /// The samples of the row 10, 20, 30, 40 at three places.
    fn samples(kernel: GridSample, places: [f64; 3]) -> [f64; 3] {
        let y = [0.0; 3].map(Cell::new);
        kernel.run(&[10.0, 20.0, 30.0, 40.0], &places, &y);
        y.map(Cell::into_inner)
    }

    fn close(found: [f64; 3], expected: [f64; 3]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{found:?}, not {expected:?}");
    }

    #[test]
    fn corners_lines_and_the_nearest() {
        close(samples(ROW, [-1.0, 0.0, 1.0]), [10.0, 25.0, 40.0]);
        close(samples(GridSample { align_corners: false, ..ROW }, [-0.75, 0.0, 1.0]), [10.0, 25.0, 20.0]);
        close(samples(GridSample { taps: 1, ..ROW }, [-0.7, 0.1, 2.0]), [10.0, 30.0, 0.0]);
        close(samples(GridSample { taps: 4, ..ROW }, [-1.0, 0.0, 1.0]), [10.0, 25.0, 40.0]);
    }

    #[test]
    fn what_lies_outside() {
        let outside = |outside, align_corners| samples(GridSample { outside, align_corners, ..ROW }, [-3.0, 5.0 / 3.0, 9.0]);
        close(outside(Outside::Zeros, true), [0.0, 0.0, 0.0]);
        close(outside(Outside::Border, true), [10.0, 40.0, 40.0]);
        close(outside(Outside::Reflection, true), [40.0, 30.0, 40.0]);
        assert!(outside(Outside::Reflection, false).iter().all(|sample| (10.0..=40.0).contains(sample)));
        close(samples(GridSample { outside: Outside::Reflection, ..ROW }, [f64::NAN, f64::INFINITY, -1.0]), [10.0, 10.0, 10.0]);
    }

    #[test]
    fn images_have_two_places_a_point() {
        let kernel = GridSample { size: [1, 2, 2], axes: 2, points: 1, channels: 2, ..ROW };
        let y = [0.0; 2].map(Cell::new);
        // x = 1 and y = −1: the end of the first row.
        kernel.run(&[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0], &[1.0f32, -1.0], &y);
        assert_eq!(y.map(Cell::into_inner), [2.0, 6.0]);
    }
}
