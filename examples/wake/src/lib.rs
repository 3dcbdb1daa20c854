//! Listens for the word "marvin": 16 kHz samples in, a score every 60 ms and detections out.
//!
//! The library is `no_std`, allocates nothing and never panics; one [`Wake`], best kept in a `static`, is all its memory.
//!
//! ```
//! let mut wake = wake::Wake::new();
//! wake.push(&[0; 1600], |score| {
//!     if score.detected {
//!         println!("heard at sample {}", score.end);
//!     }
//! });
//! ```
#![no_std]

#[cfg(test)]
extern crate std;

pub mod detector;
pub mod front_end;

use detector::Detector;
use front_end::{BANDS, Frame, FrontEnd};
use model_runtime::include_model;

include_model!("../wake.onnx", io = quantized);

/// Frames that the model sees at once: one second.
pub const FRAMES: usize = 49;
/// Frames from one score to the next: 60 ms.
pub const EVERY: usize = 3;

/// What the model says of one second of sound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// How many samples had been heard when the second ended.
    pub end: u64,
    /// The model's score, 0 to 1.
    pub score: f32,
    /// The mean of the last scores, which decides.
    pub smoothed: f32,
    /// Whether the word was detected here. A word is reported once.
    pub detected: bool,
}

/// The wake word detector with all its memory.
pub struct Wake {
    front_end: FrontEnd,
    /// The features of the last second, as the integers that the model takes.
    features: wake::Input,
    /// How many frames are there for the next score, which takes [`FRAMES`].
    frames: usize,
    model: wake::Model,
    detector: Detector,
    heard: u64,
}

impl Wake {
    /// A detector that has heard nothing; all zero bytes.
    pub const fn new() -> Self {
        Wake {
            front_end: FrontEnd::new(),
            features: [[0; BANDS]; FRAMES],
            frames: 0,
            model: wake::Model::new(),
            detector: Detector::new(),
            heard: 0,
        }
    }

    /// Listens to the next samples, any number of them, and hands `report` each score that they complete.
    pub fn push(&mut self, samples: &[i16], mut report: impl FnMut(Score)) {
        for &sample in samples {
            self.heard += 1;
            if let Some(frame) = self.front_end.push(sample)
                && let Some(score) = self.push_frame(frame)
            {
                report(score);
            }
        }
    }

    fn push_frame(&mut self, frame: Frame) -> Option<Score> {
        self.features.copy_within(1.., 0);
        if let Some(last) = self.features.last_mut() {
            *last = frame.map(wake::features::quantize);
        }
        self.frames += 1;
        if self.frames < FRAMES {
            return None;
        }
        self.frames -= EVERY;
        let [logit] = self.model.run(&self.features).map(wake::logit::dequantize);
        let score = 1.0 / (1.0 + libm::expf(-logit));
        let (smoothed, detected) = self.detector.push(score);
        Some(Score { end: self.heard, score, smoothed, detected })
    }
}

impl Default for Wake {
    fn default() -> Self {
        Self::new()
    }
}
