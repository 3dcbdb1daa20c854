//! Recordings of other rates than the model's.

use std::error::Error;

use rubato::{Resampler, SincFixedIn, SincInterpolationParameters, SincInterpolationType, WindowFunction};
use wake::front_end::SAMPLE_RATE;

/// Samples that are converted at a time.
pub const BLOCK: usize = 8192;

/// From a recording's rate to [`SAMPLE_RATE`]; without a converter where they are the same.
pub struct Rate(Option<SincFixedIn<f32>>);

impl Rate {
    /// From so many samples a second.
    pub fn from(rate: u32) -> Result<Rate, Box<dyn Error>> {
        if rate as usize == SAMPLE_RATE {
            return Ok(Rate(None));
        }
        if rate == 0 {
            return Err("the recording says that it has no samples a second".into());
        }
        let parameters = SincInterpolationParameters {
            sinc_len: 128,
            f_cutoff: 0.95,
            oversampling_factor: 128,
            interpolation: SincInterpolationType::Linear,
            window: WindowFunction::BlackmanHarris2,
        };
        let ratio = SAMPLE_RATE as f64 / f64::from(rate);
        Ok(Rate(Some(SincFixedIn::new(ratio, 1.0, parameters, BLOCK, 1)?)))
    }

    /// Converts [`BLOCK`] samples, or fewer at the end.
    pub fn convert(&mut self, samples: Vec<f32>) -> Result<Vec<f32>, Box<dyn Error>> {
        let Some(converter) = &mut self.0 else { return Ok(samples) };
        let converted = match samples.len() {
            BLOCK => converter.process(&[samples], None)?,
            _ => converter.process_partial(Some(&[samples]), None)?,
        };
        Ok(converted.into_iter().flatten().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tone of 440 Hz at 44.1 kHz crosses zero as often at 16 kHz.
    #[test]
    fn a_tone_keeps_its_pitch() {
        let tone: Vec<f32> = (0..44_100).map(|n| (n as f32 * 440.0 / 44_100.0 * core::f32::consts::TAU).sin()).collect();
        let mut rate = Rate::from(44_100).expect("it is a rate");
        let converted: Vec<f32> =
            tone.chunks(BLOCK).flat_map(|block| rate.convert(block.to_vec()).expect("it is converted")).collect();
        assert!(converted.len().abs_diff(SAMPLE_RATE) < BLOCK, "{} samples", converted.len());
        let middle = &converted[2000..14_000];
        let crossings = middle.windows(2).filter(|pair| (pair[0] < 0.0) != (pair[1] < 0.0)).count();
        assert!(crossings.abs_diff(660) <= 2, "{crossings} crossings in 0.75 s");
        assert!(middle.iter().all(|sample| sample.abs() < 1.02), "it is as loud");
    }
}
