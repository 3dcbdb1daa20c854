//! Golden vectors against what a model computes: the test that `include_model!` writes for the argument `verify`.

use model_kernels::report::Report;

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

impl<const OUTPUTS: usize> Golden<OUTPUTS> {
    /// Runs all samples in their order and compares each output.
    pub fn check(&self, model: &mut dyn Model) -> [Report<'static>; OUTPUTS] {
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
                let (output, found) = (tensor(index), model.output_bytes(index).unwrap_or_default());
                let expected = &self.outputs[index][sample * output.bytes()..][..output.bytes()];
                report.take(numbers(output.elem, expected), numbers(output.elem, found));
            }
        }
        reports
    }

    fn start(&self, output: &Tensor, expected: &[u8]) -> Report<'static> {
        let is_float = matches!(output.elem, Elem::F16 | Elem::BF16 | Elem::F32 | Elem::F64);
        Report::new(output.name, is_float, self.tolerance, numbers(output.elem, expected))
    }
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
