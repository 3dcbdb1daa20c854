//! Support code of the tests of the whole lane: small ONNX models, written by an encoder that shares nothing with our decoder,
//! texts to compare with, programs of many models, and work in threads.

pub mod build;
pub mod clock;
pub mod models;
pub mod programs;
pub mod snapshot;
pub mod threads;
pub mod user;
