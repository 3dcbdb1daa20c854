//! Stored models, changed in places that bytes choose.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| model_fuzz::structured(bytes));
