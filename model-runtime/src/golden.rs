//! Golden vectors against what a model computes: the test that `include_model!` writes for the argument `verify`.

use core::fmt;

use crate::model::{Elem, Model, Tensor};

/// Samples of a model with `OUTPUTS` outputs. A tensor's samples lie one behind the other, in little-endian bytes.
#[derive(Clone, Copy, Debug)]
pub struct Golden<const OUTPUTS: usize> {
    /// How many samples there are.
    pub samples: usize,
    /// Each input.
    pub inputs: &'static [&'static [u8]],
    /// Each output as it should be.
    pub outputs: [&'static [u8]; OUTPUTS],
    /// How far an element may be off: an integer by so many steps, a float by that part of the output's largest magnitude.
    pub tolerance: Option<f64>,
}

/// How far an output is from the golden vectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// The output's name.
    pub output: &'static str,
    /// How far an element may be off.
    pub allowed: f64,
    /// How far the worst is off.
    pub largest: f64,
    /// How far they are off on average.
    pub mean: f64,
    /// The first element that is off too far.
    pub first: Option<Wrong>,
    /// In how many samples the largest element is where it should be.
    pub agree: usize,
    /// How many samples were run.
    pub samples: usize,
}

/// An element that is off too far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wrong {
    /// The sample.
    pub sample: usize,
    /// The element's place in the output.
    pub index: usize,
    /// What it should be.
    pub expected: f64,
    /// What it is.
    pub found: f64,
}

impl<const OUTPUTS: usize> Golden<OUTPUTS> {
    /// Runs all samples in their order and compares each output.
    pub fn check(&self, model: &mut dyn Model) -> [Report; OUTPUTS] {
        let signature = model.signature();
        let tensor = |index: usize| &signature.outputs[index];
        let mut reports = core::array::from_fn(|index| self.start(tensor(index), self.outputs[index]));
        for sample in 0..self.samples {
            for (index, (input, bytes)) in signature.inputs.iter().zip(self.inputs).enumerate() {
                let place = model.input_bytes(index).unwrap_or_default();
                place.copy_from_slice(&bytes[sample * input.bytes()..][..input.bytes()]);
            }
            model.run_in_place();
            for (index, report) in reports.iter_mut().enumerate() {
                let (output, bytes) = (tensor(index), model.output_bytes(index).unwrap_or_default());
                report.take(sample, output, &self.outputs[index][sample * output.bytes()..][..output.bytes()], bytes);
            }
        }
        for (index, report) in reports.iter_mut().enumerate() {
            report.mean /= (self.samples * tensor(index).elements()).max(1) as f64;
        }
        reports
    }

    fn start(&self, output: &Tensor, expected: &[u8]) -> Report {
        let is_float = matches!(output.elem, Elem::F16 | Elem::BF16 | Elem::F32 | Elem::F64);
        let finite = numbers(output.elem, expected).filter(|number| number.is_finite());
        let magnitude = finite.fold(0.0, |largest: f64, number| largest.max(magnitude(number)));
        let allowed = match is_float {
            true => self.tolerance.unwrap_or(1e-4) * magnitude,
            false => self.tolerance.unwrap_or(1.0),
        };
        Report { output: output.name, allowed, largest: 0.0, mean: 0.0, first: None, agree: 0, samples: self.samples }
    }
}

impl Report {
    /// Whether no element is off too far.
    pub fn holds(&self) -> bool {
        self.first.is_none()
    }

    fn take(&mut self, sample: usize, output: &Tensor, expected: &[u8], found: &[u8]) {
        let [expected, found] = [expected, found].map(|bytes| numbers(output.elem, bytes));
        self.agree += usize::from(largest(expected.clone()) == largest(found.clone()));
        for (index, (expected, found)) in expected.zip(found).enumerate() {
            let error = error(expected, found);
            self.mean += error;
            self.largest = self.largest.max(error);
            if error > self.allowed && self.first.is_none() {
                self.first = Some(Wrong { sample, index, expected, found });
            }
        }
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

fn numbers(elem: Elem, bytes: &[u8]) -> impl Iterator<Item = f64> + Clone {
    bytes.chunks_exact(elem.size()).map(move |bytes| number(elem, bytes))
}

fn number(elem: Elem, bytes: &[u8]) -> f64 {
    let mut wide = [0; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    let [a, b, c, d, ..] = wide;
    match elem {
        Elem::Bool | Elem::U8 => f64::from(a),
        Elem::I8 => f64::from(a.cast_signed()),
        Elem::U16 => f64::from(u16::from_le_bytes([a, b])),
        Elem::I16 => f64::from(i16::from_le_bytes([a, b])),
        Elem::F16 => crate::half::f16::from_le_bytes([a, b]).to_f64(),
        Elem::BF16 => crate::half::bf16::from_le_bytes([a, b]).to_f64(),
        Elem::U32 => f64::from(u32::from_le_bytes([a, b, c, d])),
        Elem::I32 => f64::from(i32::from_le_bytes([a, b, c, d])),
        Elem::F32 => f64::from(f32::from_le_bytes([a, b, c, d])),
        Elem::U64 => u64::from_le_bytes(wide) as f64,
        Elem::I64 => i64::from_le_bytes(wide) as f64,
        Elem::F64 => f64::from_le_bytes(wide),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, allowed, largest, mean, first, agree, samples } = self;
        write!(f, "`{output}`: largest error {largest:.3e} of {allowed:.3e} allowed, mean {mean:.3e}; ")?;
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
        let tensor = Tensor { name: "scores", elem: Elem::F32, shape: &[2] };
        let golden = Golden::<1> { samples: 2, inputs: &[], outputs: [&[0, 0, 128, 63, 0, 0, 0, 64]], tolerance: Some(0.1) };
        let mut report = golden.start(&tensor, golden.outputs[0]);
        let bytes = |numbers: [f32; 2]| numbers.map(f32::to_le_bytes);
        report.take(0, &tensor, bytes([1.0, 2.0]).as_flattened(), bytes([1.125, 2.0]).as_flattened());
        assert!(report.holds(), "an eighth of 2 is allowed");
        report.take(1, &tensor, bytes([1.0, 2.0]).as_flattened(), bytes([1.0, f32::NAN]).as_flattened());
        let text = std::string::ToString::to_string(&report);
        assert!(text.contains("largest error inf of 2.000e-1 allowed"), "{text}");
        assert!(
            text.ends_with("in 1 of 2 samples; the first wrong element is 1 of sample 1: NaN, where 2 is expected"),
            "{text}"
        );
    }
}
