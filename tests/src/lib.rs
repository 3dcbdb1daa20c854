//! Support code of the tests of the whole lane: small ONNX models, written by an encoder that shares nothing with our decoder, and
//! texts to compare with.

pub mod build;
pub mod clock;
pub mod models;
pub mod snapshot;
pub mod user;
