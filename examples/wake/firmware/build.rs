//! Links for the board, and turns the recording into bare samples: the file that `RECORDING` names, or a bundled one.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=memory.x");
    println!("cargo::rerun-if-env-changed=RECORDING");
    println!("cargo::rustc-link-search={}", env::var("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    println!("cargo::rustc-link-arg-bins=-Tlink.x");

    let recording = env::var("RECORDING").unwrap_or_else(|_| "../recordings/kitchen.wav".to_owned());
    println!("cargo::rerun-if-changed={recording}");
    let mut reader = hound::WavReader::open(&recording).unwrap_or_else(|error| panic!("{recording}: {error}"));
    let spec = reader.spec();
    assert!(spec.sample_rate == 16_000 && spec.channels == 1, "{recording}: not 16 kHz and one channel, but {spec:?}");
    let samples = reader.samples::<i16>().map(|sample| sample.expect("a sample of 16 bits"));
    let bytes: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let folder = PathBuf::from(env::var("OUT_DIR").expect("cargo sets it"));
    fs::write(folder.join("recording.pcm"), bytes).expect("the build directory can be written");
}
