//! Log-mel features: what the model sees of the sound. `train/train.py` computes the same.
//!
//! Of each window of 512 samples, 320 samples (20 ms) after the last: Hann window, power spectrum, 32 triangular bands, logarithm.
//!
//! `feature[b] = ¼ ln(Σₖ triangle[b][k] · |FFT(hann · x)[k]|² + 10⁻⁴) + ¼` with samples x in -1..1.

use microfft::Complex32;

/// Samples a second.
pub const SAMPLE_RATE: usize = 16_000;
/// Samples in a window.
pub const WINDOW: usize = 512;
/// Samples from one window's begin to the next.
pub const HOP: usize = 320;
/// Features of a window.
pub const BANDS: usize = 32;

/// The features of one window, low band first.
pub type Frame = [f32; BANDS];

/// Triangle `b` rises from bin `EDGES[b]` to `EDGES[b + 1]` and falls to `EDGES[b + 2]`. Mel-spaced from 60 Hz to 7.6 kHz, in whole
/// bins of 31.25 Hz.
const EDGES: [usize; BANDS + 2] = [
    2, 4, 6, 8, 10, 13, 15, 18, 21, 24, 28, 32, 36, 40, 45, 50, 55, 61, 67, 74, 81, 89, 97, 106, 116, 126, 138, 150, 162, 176,
    191, 207, 225, 243,
];
/// Added to each band's energy, so that digital silence has a logarithm and faint noise looks like silence.
const FLOOR: f32 = 1e-4;

/// Where a bin lies: between which edges, and how far from the lower one to the upper one (0 to 1).
#[derive(Clone, Copy)]
struct Place {
    edge: u8,
    rise: f32,
}

static HANN: [f32; WINDOW] = hann();
static PLACES: [Place; WINDOW / 2] = places();

/// `½ - ½ cos(2πn / WINDOW)`, by the recurrence `cos((n+1)θ) = 2 cos θ cos(nθ) - cos((n-1)θ)`, as there is no cosine in constants.
const fn hann() -> [f32; WINDOW] {
    /// cos(2π / WINDOW)
    const COSINE: f64 = 0.999_924_701_839_144_5;
    let mut window = [0.0; WINDOW];
    let (mut before, mut cosine) = (COSINE, 1.0);
    let mut n = 0;
    while n < WINDOW {
        window[n] = (0.5 - 0.5 * cosine) as f32;
        (before, cosine) = (cosine, 2.0 * COSINE * cosine - before);
        n += 1;
    }
    window
}

const fn places() -> [Place; WINDOW / 2] {
    let mut places = [Place { edge: 0, rise: 0.0 }; WINDOW / 2];
    let mut edge = 0;
    let mut bin = EDGES[0];
    while bin < WINDOW / 2 {
        while edge + 1 < EDGES.len() && bin >= EDGES[edge + 1] {
            edge += 1;
        }
        places[bin].edge = edge as u8;
        if edge + 1 < EDGES.len() {
            places[bin].rise = (bin - EDGES[edge]) as f32 / (EDGES[edge + 1] - EDGES[edge]) as f32;
        }
        bin += 1;
    }
    places
}

/// Turns samples into frames, one every [`HOP`] samples.
pub struct FrontEnd {
    samples: [f32; WINDOW],
    filled: usize,
    spectrum: [f32; WINDOW],
}

impl FrontEnd {
    /// A front end that has heard nothing; all zero bytes.
    pub const fn new() -> Self {
        FrontEnd { samples: [0.0; WINDOW], filled: 0, spectrum: [0.0; WINDOW] }
    }

    /// Takes one sample, and returns the features of the window it completes.
    pub fn push(&mut self, sample: i16) -> Option<Frame> {
        if let Some(place) = self.samples.get_mut(self.filled) {
            *place = f32::from(sample) / 32768.0;
            self.filled += 1;
        }
        if self.filled < WINDOW {
            return None;
        }
        let frame = self.frame();
        self.samples.copy_within(HOP.., 0);
        self.filled = WINDOW - HOP;
        Some(frame)
    }

    fn frame(&mut self) -> Frame {
        for ((place, sample), weight) in self.spectrum.iter_mut().zip(&self.samples).zip(&HANN) {
            *place = sample * weight;
        }
        let spectrum = microfft::real::rfft_512(&mut self.spectrum);
        energies(spectrum).map(|energy| 0.25 * libm::logf(energy + FLOOR) + 0.25)
    }
}

impl Default for FrontEnd {
    fn default() -> Self {
        Self::new()
    }
}

/// The power in each triangle. A bin between two edges lies in two triangles, with weights that add to one.
fn energies(spectrum: &[Complex32; WINDOW / 2]) -> [f32; BANDS] {
    // One place more on each side, for what lies below the first triangle's tip and above the last one's.
    let mut energies = [0.0; BANDS + 2];
    for (bin, place) in spectrum.iter().zip(&PLACES) {
        let power = bin.re * bin.re + bin.im * bin.im;
        if let Some([falling, rising, ..]) = energies.get_mut(usize::from(place.edge)..) {
            *falling += power * (1.0 - place.rise);
            *rising += power * place.rise;
        }
    }
    let [_, bands @ .., _] = energies;
    bands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_hann() {
        for (n, &weight) in HANN.iter().enumerate() {
            let expected = 0.5 - 0.5 * (core::f64::consts::TAU * n as f64 / WINDOW as f64).cos();
            assert!((f64::from(weight) - expected).abs() < 1e-7, "{n}: {weight} instead of {expected}");
        }
    }

    /// Each bin's share in each triangle, by the triangle's formula.
    #[test]
    fn energies_are_triangles() {
        for bin in 1..WINDOW / 2 {
            let mut spectrum = [Complex32::new(0.0, 0.0); WINDOW / 2];
            spectrum[bin] = Complex32::new(0.0, 1.0);
            for (band, energy) in energies(&spectrum).into_iter().enumerate() {
                let [low, mid, high] = [EDGES[band], EDGES[band + 1], EDGES[band + 2]].map(|edge| edge as f32);
                let rising = (bin as f32 - low) / (mid - low);
                let falling = (high - bin as f32) / (high - mid);
                assert!((energy - rising.min(falling).max(0.0)).abs() < 1e-6, "bin {bin}, band {band}");
            }
        }
    }
}
