//! Any bytes as a model, through the whole lane.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| model_fuzz::compile(bytes));
