//! The arithmetic of compiled models: kernels over statically shaped buffers.
#![no_std]
