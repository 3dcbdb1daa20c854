//! The library against what `train/train.py` computed for the bundled recordings: features, scores and detections.

use ndarray::{Array1, Array2};
use ndarray_npy::NpzReader;
use std::fs::File;
use std::path::{Path, PathBuf};
use wake::front_end::{BANDS, Frame, FrontEnd};
use wake::wake::{features, logit};
use wake::{EVERY, FRAMES, Score, Wake};

model_runtime::include_model!("../wake_float.onnx");

const RECORDINGS: [&str; 3] = ["kitchen", "question", "similar"];

/// What the script recorded of one recording.
struct Golden {
    features: Vec<Frame>,
    scores: Vec<f32>,
    /// What the model in floats says.
    scores_in_floats: Vec<f32>,
    /// Which scores are detections.
    detections: Vec<usize>,
}

fn golden(name: &str) -> Golden {
    let mut archive = NpzReader::new(File::open(path("golden.npz")).unwrap()).unwrap();
    let features: Array2<f32> = archive.by_name(&format!("{name}_features")).unwrap();
    let scores: Array1<f32> = archive.by_name(&format!("{name}_scores")).unwrap();
    let scores_in_floats: Array1<f32> = archive.by_name(&format!("{name}_scores_in_floats")).unwrap();
    let detections: Array1<i64> = archive.by_name(&format!("{name}_detections")).unwrap();
    Golden {
        features: features.rows().into_iter().map(|row| core::array::from_fn(|band| row[band])).collect(),
        scores: scores.to_vec(),
        scores_in_floats: scores_in_floats.to_vec(),
        detections: detections.iter().map(|&index| usize::try_from(index).unwrap()).collect(),
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn samples(name: &str) -> Vec<i16> {
    let reader = hound::WavReader::open(path(&format!("recordings/{name}.wav"))).unwrap();
    reader.into_samples().map(Result::unwrap).collect()
}

fn listen(samples: &[i16], chunk: usize) -> Vec<Score> {
    let mut wake = Wake::new();
    let mut scores = Vec::new();
    for samples in samples.chunks(chunk) {
        wake.push(samples, |score| scores.push(score));
    }
    scores
}

#[test]
fn features_are_the_scripts() {
    for name in RECORDINGS {
        let mut front_end = FrontEnd::new();
        let frames: Vec<Frame> = samples(name).into_iter().filter_map(|sample| front_end.push(sample)).collect();
        let golden = golden(name);
        assert_eq!(frames.len(), golden.features.len(), "{name}");
        for (index, (frame, expected)) in frames.iter().zip(&golden.features).enumerate() {
            for (feature, expected) in frame.iter().zip(expected) {
                assert!((feature - expected).abs() < 1e-4, "{name}, frame {index}: {feature} instead of {expected}");
            }
        }
    }
}

/// The integer of which the logistic function makes `score`.
fn integer(score: f32) -> i8 {
    logit::quantize((score / (1.0 - score)).ln())
}

/// The model alone, on the script's own features: at most one integer beside ONNX Runtime, which computes it in floats.
#[test]
fn the_model_scores_as_onnx_runtime_does() {
    let mut model = wake::wake::Model::new();
    for name in RECORDINGS {
        let golden = golden(name);
        for (index, expected) in golden.scores.iter().enumerate() {
            let window = golden.features[index * EVERY..].first_chunk::<FRAMES>().unwrap();
            let [found] = *model.run(&window.map(|frame| frame.map(features::quantize)));
            let expected = integer(*expected);
            assert!(found.abs_diff(expected) <= 1, "{name}, window {index}: {found} instead of {expected}");
        }
    }
}

#[test]
fn the_model_in_floats_scores_as_onnx_runtime_does() {
    let mut model = wake_float::Model::new();
    for name in RECORDINGS {
        let golden = golden(name);
        for (index, expected) in golden.scores_in_floats.iter().enumerate() {
            let window: &[[f32; BANDS]; FRAMES] = golden.features[index * EVERY..].first_chunk().unwrap();
            let [found] = *model.run(window);
            assert!((found - expected).abs() < 1e-5, "{name}, window {index}: {found} instead of {expected}");
        }
    }
}

#[test]
fn detections_are_the_scripts() {
    for name in RECORDINGS {
        let golden = golden(name);
        let scores = listen(&samples(name), usize::MAX);
        assert_eq!(scores.len(), golden.scores.len(), "{name}");
        for (score, expected) in scores.iter().zip(&golden.scores) {
            let steps = integer(score.score).abs_diff(integer(*expected));
            assert!(steps <= 2, "{name} at {}: {} instead of {expected}", score.end, score.score);
        }
        let detections: Vec<usize> = (0..scores.len()).filter(|&index| scores[index].detected).collect();
        assert_eq!(detections, golden.detections, "{name}");
    }
}

#[test]
fn chunks_of_any_size_give_the_same() {
    let samples = samples(RECORDINGS[0]);
    let expected = listen(&samples, usize::MAX);
    for chunk in [1, 333] {
        assert_eq!(listen(&samples, chunk), expected, "chunks of {chunk}");
    }
}
