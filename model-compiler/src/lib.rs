//! ONNX bytes to Rust tokens.
