//! `RoiAlign`: <https://onnx.ai/onnx/operators/onnx__RoiAlign.html>

use core::cell::Cell;

use crate::Load;

/// Regions of an image, each divided into bins of which a result is the mean, or the greatest, of samples between its elements.
///
/// A sample outside of the image by more than one element is zero. A region of an image that there is not gives zeros.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoiAlign {
    /// Images.
    pub batch: usize,
    /// Channels, height and width of an image.
    pub image: [usize; 3],
    /// Regions.
    pub regions: usize,
    /// Rows and columns of bins of a region.
    pub bins: [usize; 2],
    /// Samples of a bin along an axis.
    pub samples: usize,
    /// What the places of regions are multiplied by.
    pub scale: f32,
    /// Whether the places of regions are between elements, so that they are moved by half of one.
    pub half_pixel: bool,
    /// Take the greatest of the weighted elements under the samples instead of the mean.
    pub greatest: bool,
}

/// Where the samples of a bin lie along an axis.
#[derive(Clone, Copy)]
struct Samples {
    first: f32,
    step: f32,
}

/// The elements before and behind a sample along an axis, and the part of the latter.
#[derive(Clone, Copy)]
struct Between {
    places: [usize; 2],
    shares: [f32; 2],
}

impl RoiAlign {
    /// Takes `regions` of `[x₁, y₁, x₂, y₂]` of the images that `images` names.
    #[inline(always)]
    pub fn run<X, R, I>(self, x: &[X], regions: &[R], images: &[I], y: &[Cell<f32>])
    where
        X: Load<Value = f32>,
        R: Load<Value = f32>,
        I: Load<Value = i64>,
    {
        let ([channels, height, width], [rows, columns]) = (self.image, self.bins);
        for (index, image) in images.iter().take(self.regions).enumerate() {
            let image = usize::try_from(image.load()).ok().filter(|&image| image < self.batch);
            let corner = |place: usize| regions.get(index * 4 + place).map_or(0.0, |corner| self.moved(corner.load()));
            for channel in 0..channels {
                let first = image.map(|image| (image * channels + channel) * height * width);
                let plane = first.and_then(|first| x.get(first..first + height * width)).unwrap_or_default();
                for row in 0..rows {
                    let down = self.samples(corner(1), corner(3), row, rows);
                    for column in 0..columns {
                        let across = self.samples(corner(0), corner(2), column, columns);
                        let place = ((index * channels + channel) * rows + row) * columns + column;
                        if let Some(y) = y.get(place) {
                            y.set(self.bin(plane, down, across));
                        }
                    }
                }
            }
        }
    }

    /// A place of a region among the elements.
    #[inline(always)]
    fn moved(self, place: f32) -> f32 {
        place * self.scale - if self.half_pixel { 0.5 } else { 0.0 }
    }

    /// The samples of bin number `bin` of `bins` between two places.
    #[inline(always)]
    fn samples(self, begin: f32, end: f32, bin: usize, bins: usize) -> Samples {
        let extent = if self.half_pixel || end - begin > 1.0 { end - begin } else { 1.0 };
        let size = extent / bins as f32;
        let step = size / self.samples as f32;
        Samples { first: begin + bin as f32 * size + 0.5 * step, step }
    }

    /// The result of one bin.
    #[inline(always)]
    fn bin<X: Load<Value = f32>>(self, plane: &[X], down: Samples, across: Samples) -> f32 {
        let [_, height, width] = self.image;
        let mut sum = 0.0;
        let mut greatest: Option<f32> = None;
        for row in (0..self.samples).map(|sample| down.between(sample, height)) {
            for column in (0..self.samples).map(|sample| across.between(sample, width)) {
                for tap in 0..4 {
                    let weighted = match (row, column) {
                        (Some(row), Some(column)) => {
                            let element = plane.get(row.places[tap / 2] * width + column.places[tap % 2]);
                            element.map_or(0.0, Load::load) * (row.shares[tap / 2] * column.shares[tap % 2])
                        }
                        _ => 0.0,
                    };
                    sum += weighted;
                    greatest = Some(greatest.filter(|&greatest| greatest >= weighted).unwrap_or(weighted));
                }
            }
        }
        match greatest {
            Some(greatest) if self.greatest => greatest,
            _ => sum / (self.samples * self.samples) as f32,
        }
    }
}

impl Samples {
    /// The elements around a sample; `None` outside of the `len` elements.
    #[inline(always)]
    fn between(self, sample: usize, len: usize) -> Option<Between> {
        let place = self.first + sample as f32 * self.step;
        if !(place >= -1.0 && place <= len as f32) {
            return None;
        }
        let place = if place > 0.0 { place } else { 0.0 };
        let (before, last) = (place as usize, len.saturating_sub(1));
        if before >= last {
            return Some(Between { places: [last, last], shares: [1.0, 0.0] });
        }
        let share = place - before as f32;
        Some(Between { places: [before, before + 1], shares: [1.0 - share, share] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, values};

    /// One region of a 3×3 image of one channel, one bin with a sample in its middle.
    const ONE: RoiAlign = RoiAlign {
        batch: 1,
        image: [1, 3, 3],
        regions: 1,
        bins: [1, 1],
        samples: 1,
        scale: 1.0,
        half_pixel: false,
        greatest: false,
    };

    const IMAGE: [f32; 9] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];

    fn run(kernel: RoiAlign, region: [f32; 4], image: i64) -> std::vec::Vec<f32> {
        let y = cells(&[9.0f32; 4][..kernel.bins[0] * kernel.bins[1]]);
        kernel.run(&IMAGE, &region, &[image], &y);
        values(&y)
    }

    #[test]
    fn samples_lie_between_elements() {
        assert_eq!(run(ONE, [0.0, 0.0, 1.0, 2.0], 0), [3.5]);
        assert_eq!(run(RoiAlign { half_pixel: true, ..ONE }, [0.0, 0.0, 2.0, 3.0], 0), [3.5]);
        assert_eq!(run(RoiAlign { scale: 0.5, ..ONE }, [0.0, 0.0, 2.0, 4.0], 0), [3.5]);
        assert_eq!(run(RoiAlign { bins: [2, 2], ..ONE }, [0.0, 0.0, 2.0, 2.0], 0), [2.0, 3.0, 5.0, 6.0]);
        // Of the bin's samples at 0.5 and 1.5 of each axis, and of their weighted elements.
        assert_eq!(run(RoiAlign { samples: 2, ..ONE }, [0.0, 0.0, 2.0, 2.0], 0), [4.0]);
        assert_eq!(run(RoiAlign { samples: 2, greatest: true, ..ONE }, [0.0, 0.0, 2.0, 2.0], 0), [2.0]);
        // Outside, and of no image.
        assert_eq!(run(ONE, [8.0, 0.0, 9.0, 1.0], 0), [0.0]);
        assert_eq!(run(ONE, [0.0, 0.0, 1.0, 2.0], -1), [0.0]);
    }
}
