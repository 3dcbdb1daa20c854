//! How a window slides over an image: the geometry that convolutions and pools share.

use core::ops::Range;

use crate::overlap::{Overlap, Step};
use crate::tile::blocks;

/// A window over images of `input` rows and columns that gives images of `output` rows and columns.
///
/// Images follow one another, channels are innermost. All pairs are `[rows, columns]`.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) input: [usize; 2],
    pub(crate) output: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) strides: [usize; 2],
    pub(crate) dilations: [usize; 2],
    pub(crate) padding: [usize; 2],
}

/// Where the window lies for one output pixel.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) image: usize,
    pub(crate) output: [usize; 2],
}

impl Window {
    /// The place of output pixel number `pixel`, counted over all images.
    #[inline(always)]
    pub(crate) fn place(self, pixel: usize) -> Place {
        let [rows, columns] = self.output;
        let row = divide(pixel, columns);
        let image = divide(row, rows);
        Place { image, output: [row - image * rows, pixel - row * columns] }
    }

    /// Which rows (`axis` 0) or columns (1) of the kernel lie within the input; the others lie on padding.
    #[inline(always)]
    #[allow(clippy::manual_div_ceil, reason = "the comment below says why")]
    pub(crate) fn taps(self, place: Place, axis: usize) -> Range<usize> {
        let start = place.output[axis] * self.strides[axis];
        let dilation = self.dilations[axis].max(1);
        // Not `div_ceil`, which would check its divisor where it is not inlined.
        let first = (self.padding[axis].saturating_sub(start) + dilation - 1) / dilation;
        let end = ((self.input[axis] + self.padding[axis]).saturating_sub(start) + dilation - 1) / dilation;
        let end = end.min(self.kernel[axis]);
        first.min(end)..end
    }

    /// Whether all taps of the kernel lie within the input.
    #[inline(always)]
    pub(crate) fn is_inside(self, place: Place) -> bool {
        let is_inside = |axis: usize| {
            let last = self.kernel[axis].wrapping_sub(1).wrapping_mul(self.dilations[axis]);
            // Where the window begins before the input, the difference is large.
            self.under(place, axis, 0) < self.input[axis].saturating_sub(last)
        };
        is_inside(0) && is_inside(1)
    }

    /// How many taps of the kernel lie within the input.
    #[inline(always)]
    pub(crate) fn count(self, place: Place) -> usize {
        self.taps(place, 0).len() * self.taps(place, 1).len()
    }

    /// The row (`axis` 0) or column (1) of the input under `tap`, which lies within the input.
    #[inline(always)]
    pub(crate) fn under(self, place: Place, axis: usize, tap: usize) -> usize {
        let padded = place.output[axis] * self.strides[axis] + tap * self.dilations[axis];
        padded.wrapping_sub(self.padding[axis])
    }

    /// The number of the input pixel at `row` and `column` of the place's image.
    #[inline(always)]
    pub(crate) fn input_pixel(self, place: Place, row: usize, column: usize) -> usize {
        (place.image * self.input[0] + row) * self.input[1] + column
    }

    /// The input pixels read for output pixel `pixel`, from the first to the last.
    fn hull(self, pixel: usize) -> Range<usize> {
        let place = self.place(pixel);
        let (rows, columns) = (self.taps(place, 0), self.taps(place, 1));
        if rows.is_empty() || columns.is_empty() {
            return 0..0;
        }
        let at = |row, column| {
            let row = self.under(place, 0, row);
            self.input_pixel(place, row, self.under(place, 1, column))
        };
        at(rows.start, columns.start)..at(rows.end - 1, columns.end - 1) + 1
    }

    /// The overlap of a kernel that takes `pixels` output pixels in order, `tile` at once: it reads what it needs of the
    /// `channels.0` input channels and then writes the `channels.1` output channels.
    pub(crate) fn overlap(self, pixels: usize, tile: usize, channels: (usize, usize), element_size: usize) -> Overlap {
        let step = |write: Range<usize>| {
            let mut read = 0..0;
            for hull in write.clone().map(|pixel| self.hull(pixel)).filter(|hull| !hull.is_empty()) {
                read = match read.is_empty() {
                    true => hull,
                    false => read.start.min(hull.start)..read.end.max(hull.end),
                };
            }
            Step { read: read.start * channels.0..read.end * channels.0, write: write.start * channels.1..write.end * channels.1 }
        };
        Overlap::of_steps(blocks(pixels, tile).map(step), element_size)
    }

    /// The overlap of a kernel that makes each of `channels` output channels of the same input channel: it takes `pixels` output
    /// pixels in order, and of each pixel the channels in blocks of `block`, so that it writes some before it reads others.
    pub(crate) fn channelwise_overlap(self, pixels: usize, channels: usize, block: usize, element_size: usize) -> Overlap {
        let steps = (0..pixels).flat_map(|pixel| {
            let hull = self.hull(pixel);
            blocks(channels, block).map(move |part| {
                let read = match hull.is_empty() {
                    true => 0..0,
                    false => hull.start * channels + part.start..(hull.end - 1) * channels + part.end,
                };
                Step { read, write: pixel * channels + part.start..pixel * channels + part.end }
            })
        });
        Overlap::of_steps(steps, element_size)
    }
}

/// The quotient, or zero where the divisor is zero, which leaves no path to a panic.
#[inline(always)]
pub(crate) const fn divide(dividend: usize, divisor: usize) -> usize {
    match dividend.checked_div(divisor) {
        Some(quotient) => quotient,
        None => 0,
    }
}
