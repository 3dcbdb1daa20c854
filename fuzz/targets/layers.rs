//! Layers of shapes that bytes choose, against plain loops.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| model_fuzz::layers(bytes));
