//! Which elements of an axis make each element of the resized axis, and with what weight.

/// How a place in the output is taken back to one in the input: `coordinate_transformation_mode`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transform {
    /// Centres of pixels lie at halves.
    HalfPixel,
    /// The same, but for an output of one element, which is the first.
    PytorchHalfPixel,
    /// The same, the centre of the input at the centre of the output.
    HalfPixelSymmetric,
    /// The same, without shifting back to whole numbers.
    HalfPixelForNearest,
    /// The outermost elements stay where they are.
    AlignCorners,
    /// The first elements stay where they are.
    Asymmetric,
    /// A part of the input from `start` to `end`, both as shares of it, is the output.
    Crop {
        /// Where the part begins.
        start: f64,
        /// Where it ends.
        end: f64,
    },
}

/// How a value between elements is made: `mode`, with what else tells it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Filter {
    /// The nearest element; two that are as near are told apart by the rounding.
    Nearest(Rounding),
    /// A triangle over the next two elements.
    Linear,
    /// A piecewise cubic curve over the next four.
    Cubic {
        /// `cubic_coeff_a`
        a: f64,
    },
}

/// How a place is made a whole number: `nearest_mode`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Rounding {
    PreferFloor,
    PreferCeil,
    Floor,
    Ceil,
}

/// One axis to be resized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// Its size in the input.
    pub len: usize,
    /// Its size in the output.
    pub outputs: usize,
    /// By how much it grows, which may differ from the ratio of the two.
    pub scale: f64,
}

/// A size as a number to compute with.
#[allow(clippy::cast_precision_loss, clippy::as_conversions, reason = "sizes are far below 2^53")]
pub fn real(size: usize) -> f64 {
    size as f64
}

/// A whole number that fits `i64`.
#[allow(clippy::cast_possible_truncation, clippy::as_conversions, reason = "it is whole, and saturates")]
pub fn whole(value: f64) -> i64 {
    value as i64
}

impl Axis {
    /// Where output `index` lies in the input.
    fn source(&self, index: usize, transform: Transform) -> f64 {
        let (len, exact) = (real(self.len), self.scale * real(self.len));
        let index = real(index);
        let half_pixel = (index + 0.5) / self.scale - 0.5;
        match transform {
            Transform::HalfPixel => half_pixel,
            Transform::PytorchHalfPixel if exact == 1.0 => -0.5,
            Transform::PytorchHalfPixel => half_pixel,
            Transform::HalfPixelSymmetric => len / 2.0 * (1.0 - real(self.outputs) / exact) + half_pixel,
            Transform::HalfPixelForNearest => (index + 0.5) / self.scale,
            Transform::AlignCorners if exact == 1.0 => 0.0,
            Transform::AlignCorners => index * (len - 1.0) / (exact - 1.0),
            Transform::Asymmetric => index / self.scale,
            Transform::Crop { start, end } if exact == 1.0 => (start + end) / 2.0 * (len - 1.0),
            Transform::Crop { start, end } => start * (len - 1.0) + index * (end - start) * (len - 1.0) / (exact - 1.0),
        }
    }

    /// The outputs that are made of the input; those before and behind lie outside of it.
    pub fn inside(&self, transform: Transform) -> std::ops::Range<usize> {
        let Transform::Crop { .. } = transform else { return 0..self.outputs };
        let is_inside = |&index: &usize| (0.0..=real(self.len) - 1.0).contains(&self.source(index, transform));
        let first = (0..self.outputs).find(is_inside).unwrap_or(0);
        first..(0..self.outputs).rfind(is_inside).map_or(first, |last| last + 1)
    }

    /// The element that is nearest to output `index`.
    pub fn nearest(&self, index: usize, transform: Transform, rounding: Rounding) -> usize {
        let source = self.source(index, transform);
        let rounded = match rounding {
            Rounding::PreferFloor => (source - 0.5).ceil(),
            Rounding::PreferCeil => (source + 0.5).floor(),
            Rounding::Floor => source.floor(),
            Rounding::Ceil => source.ceil(),
        };
        usize::try_from(whole(rounded)).unwrap_or(0).min(self.len - 1)
    }

    /// The weight of each element of the input in output `index`, those that weigh nothing left out on either side.
    ///
    /// What lies outside weighs on the outermost elements, or nothing with `exclude_outside`. With `antialias` a filter is as wide as
    /// the part of the input that an output stands for.
    pub fn weights(
        &self,
        index: usize,
        (transform, filter): (Transform, Filter),
        [antialias, exclude_outside]: [bool; 2],
    ) -> (usize, Vec<f64>) {
        let source = self.source(index, transform);
        let narrowed = if antialias { self.scale.min(1.0) } else { 1.0 };
        let reach = if matches!(filter, Filter::Linear) { 1.0 } else { 2.0 };
        let radius = reach / narrowed;
        let last = i64::try_from(self.len - 1).expect("sizes fit i64");
        let mut weights = vec![0.0; self.len];
        for place in whole((source - radius).floor())..=whole((source + radius).ceil()) {
            let inside = place.clamp(0, last);
            if place != inside && exclude_outside {
                continue;
            }
            let inside = usize::try_from(inside).expect("it is clamped");
            weights[inside] += weight(filter, (f64_of(place) - source).abs() * narrowed);
        }
        if antialias || exclude_outside {
            let sum: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|weight| *weight /= sum);
        }
        let first = weights.iter().position(|&weight| weight != 0.0).unwrap_or(0);
        let end = weights.iter().rposition(|&weight| weight != 0.0).map_or(first + 1, |last| last + 1);
        (first, weights[first..end].to_vec())
    }
}

#[allow(clippy::cast_precision_loss, clippy::as_conversions, reason = "places are far below 2^53")]
fn f64_of(place: i64) -> f64 {
    place as f64
}

/// The filter's value at a distance from its centre.
fn weight(filter: Filter, distance: f64) -> f64 {
    match filter {
        Filter::Cubic { a } if distance <= 1.0 => ((a + 2.0) * distance - (a + 3.0)) * distance * distance + 1.0,
        Filter::Cubic { a } if distance < 2.0 => ((distance - 5.0) * distance + 8.0) * distance * a - 4.0 * a,
        Filter::Cubic { .. } => 0.0,
        _ => (1.0 - distance).max(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_outputs() {
        let double = Axis { len: 2, outputs: 4, scale: 2.0 };
        let places = |axis: Axis, transform| (0..axis.outputs).map(|index| axis.source(index, transform)).collect::<Vec<_>>();
        assert_eq!(places(double, Transform::HalfPixel), [-0.25, 0.25, 0.75, 1.25]);
        assert_eq!(places(double, Transform::Asymmetric), [0.0, 0.5, 1.0, 1.5]);
        assert_eq!(places(double, Transform::AlignCorners), [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0]);
        let one = Axis { len: 4, outputs: 1, scale: 0.25 };
        assert_eq!(places(one, Transform::PytorchHalfPixel), [-0.5]);
        let crop = Transform::Crop { start: -0.5, end: 1.0 };
        let cropped = Axis { len: 3, outputs: 4, scale: 4.0 / 3.0 };
        assert_eq!((places(cropped, crop), cropped.inside(crop)), (vec![-1.0, 0.0, 1.0, 2.0], 1..4));
    }

    #[test]
    fn halves_are_rounded_as_asked() {
        let axis = Axis { len: 4, outputs: 8, scale: 2.0 };
        let nearest = |index, rounding| axis.nearest(index, Transform::Asymmetric, rounding);
        assert_eq!([Rounding::PreferFloor, Rounding::Floor].map(|rounding| nearest(3, rounding)), [1, 1]);
        assert_eq!([Rounding::PreferCeil, Rounding::Ceil].map(|rounding| nearest(3, rounding)), [2, 2]);
        assert_eq!(nearest(7, Rounding::Ceil), 3, "the last element is the limit");
    }

    #[test]
    fn weights_are_those_of_the_filter() {
        let axis = Axis { len: 4, outputs: 8, scale: 2.0 };
        let of = |filter, index, flags| axis.weights(index, (Transform::HalfPixel, filter), flags);
        assert_eq!(of(Filter::Linear, 2, [false; 2]), (0, vec![0.25, 0.75]));
        assert_eq!(of(Filter::Linear, 0, [false; 2]), (0, vec![1.0]), "the outermost element is repeated");
        let (first, weights) = of(Filter::Cubic { a: -0.75 }, 3, [false; 2]);
        assert_eq!((first, weights.len()), (0, 4));
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let (_, weights) = of(Filter::Cubic { a: -0.5 }, 0, [false, true]);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let halved = Axis { len: 4, outputs: 2, scale: 0.5 };
        let (first, weights) = halved.weights(1, (Transform::HalfPixel, Filter::Linear), [true, false]);
        assert_eq!((first, weights.len()), (1, 3));
    }
}
