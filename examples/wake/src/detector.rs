//! From scores to detections: a mean over time, a threshold, and a time in which one word is not heard twice.

/// How many scores are averaged.
pub const SMOOTH: usize = 2;
/// How high the mean must be: chosen by `train/train.py` on voices that are neither trained nor tested on.
pub const THRESHOLD: f32 = 0.61;
/// For how many scores after a detection there is no other one: one second.
pub const REFRACTORY: u32 = 17;

/// What the last scores say.
pub struct Detector {
    recent: [f32; SMOOTH],
    quiet: u32,
}

impl Detector {
    /// A detector that has seen nothing; all zero bytes.
    pub const fn new() -> Self {
        Detector { recent: [0.0; SMOOTH], quiet: 0 }
    }

    /// Takes the next score; returns the mean of the last [`SMOOTH`] and whether the word was detected now.
    pub fn push(&mut self, score: f32) -> (f32, bool) {
        self.recent.rotate_left(1);
        if let Some(last) = self.recent.last_mut() {
            *last = score;
        }
        let mean = self.recent.iter().sum::<f32>() / SMOOTH as f32;
        let detected = self.quiet == 0 && mean >= THRESHOLD;
        self.quiet = if detected { REFRACTORY - 1 } else { self.quiet.saturating_sub(1) };
        (mean, detected)
    }
}

impl Default for Detector {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// High enough if it lasts.
    const HIGH: f32 = THRESHOLD + 0.01;

    fn detections(scores: &[f32]) -> std::vec::Vec<usize> {
        let mut detector = Detector::new();
        (0..scores.len()).filter(|&i| detector.push(scores[i]).1).collect()
    }

    #[test]
    fn a_short_high_score_is_not_enough() {
        assert_eq!(detections(&[0.0, HIGH, 0.0, HIGH, 0.0, 0.0, HIGH]), []);
    }

    #[test]
    fn the_word_is_detected_where_the_mean_is_high() {
        assert_eq!(detections(&[0.0, HIGH, HIGH, 0.0]), [2]);
    }

    #[test]
    fn a_lasting_score_is_detected_once_a_second() {
        assert_eq!(detections(&[HIGH; 36]), [1, 18, 35]);
    }
}
