//! How far results are from what they should be: what is said of golden vectors by the test of a model and by its compiler.

use core::fmt;

/// How far a tensor is from its golden vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report<'a> {
    /// The tensor's name.
    pub tensor: &'a str,
    /// How far an element may be off.
    pub allowed: f64,
    /// How far the worst is off.
    pub largest: f64,
    /// The first element that is off too far.
    pub first: Option<Wrong>,
    /// In how many samples the largest element is where it should be.
    pub agree: usize,
    /// How many samples there were.
    pub samples: usize,
    /// How far all elements are off together.
    sum: f64,
    /// How many elements there were.
    elements: usize,
}

/// An element that is off too far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wrong {
    /// The sample.
    pub sample: usize,
    /// The element's place in the tensor.
    pub index: usize,
    /// What it should be.
    pub expected: f64,
    /// What it is.
    pub found: f64,
}

impl<'a> Report<'a> {
    /// Of a tensor that should be `expected` in all samples together. An element of floats may be off by `tolerance` (1e-4 where none is
    /// given) of the largest magnitude, one of integers by `tolerance` (1) itself.
    pub fn new(tensor: &'a str, is_float: bool, tolerance: Option<f64>, expected: impl Iterator<Item = f64>) -> Self {
        let finite = expected.filter(|number| number.is_finite());
        let magnitude = finite.fold(0.0, |largest: f64, number| largest.max(magnitude(number)));
        let allowed = if is_float { tolerance.unwrap_or(1e-4) * magnitude } else { tolerance.unwrap_or(1.0) };
        Self { tensor, allowed, largest: 0.0, first: None, agree: 0, samples: 0, sum: 0.0, elements: 0 }
    }

    /// Compares one more sample.
    pub fn take(&mut self, expected: impl Iterator<Item = f64> + Clone, found: impl Iterator<Item = f64> + Clone) {
        self.agree += usize::from(largest(expected.clone()) == largest(found.clone()));
        for (index, (expected, found)) in expected.zip(found).enumerate() {
            let error = error(expected, found);
            self.sum += error;
            self.elements += 1;
            self.largest = self.largest.max(error);
            if error > self.allowed && self.first.is_none() {
                self.first = Some(Wrong { sample: self.samples, index, expected, found });
            }
        }
        self.samples += 1;
    }

    /// Whether no element is off too far.
    pub fn holds(&self) -> bool {
        self.first.is_none()
    }

    /// How far the elements are off on average.
    pub fn mean(&self) -> f64 {
        self.sum / self.elements.max(1) as f64
    }
}

/// The distance of two numbers; infinite where only one is finite.
fn error(expected: f64, found: f64) -> f64 {
    let same = expected == found || expected.is_nan() && found.is_nan();
    match magnitude(expected - found) {
        _ if same => 0.0,
        error if error.is_nan() => f64::INFINITY,
        error => error,
    }
}

/// Without the standard library, which has it as a method.
fn magnitude(number: f64) -> f64 {
    if number < 0.0 { -number } else { number }
}

/// Where the largest of them is, the first of several.
fn largest(numbers: impl Iterator<Item = f64>) -> usize {
    let larger = |best: (usize, f64), next: (usize, f64)| if next.1 > best.1 { next } else { best };
    numbers.enumerate().reduce(larger).map_or(0, |(index, _)| index)
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tensor, allowed, largest, first, agree, samples, .. } = self;
        write!(f, "`{tensor}`: largest error {largest:.3e} of {allowed:.3e} allowed, mean {:.3e}; ", self.mean())?;
        write!(f, "the largest element is where it should be in {agree} of {samples} samples")?;
        if let Some(Wrong { sample, index, expected, found }) = first {
            write!(f, "; the first wrong element is {index} of sample {sample}: {found}, where {expected} is expected")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;

    #[test]
    fn a_report_names_the_first_wrong_element() {
        let golden = [1.0, 2.0];
        let mut report = Report::new("scores", true, Some(0.1), golden.into_iter());
        report.take(golden.into_iter(), [1.125, 2.0].into_iter());
        assert!(report.holds(), "an eighth is allowed, as a tenth of 2 is more");
        report.take(golden.into_iter(), [1.0, f64::NAN].into_iter());
        let text = std::string::ToString::to_string(&report);
        assert!(text.contains("largest error inf of 2.000e-1 allowed"), "{text}");
        assert!(
            text.ends_with("in 1 of 2 samples; the first wrong element is 1 of sample 1: NaN, where 2 is expected"),
            "{text}"
        );
    }
}
