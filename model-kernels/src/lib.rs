//! The arithmetic of compiled models: kernels over statically shaped buffers.
//!
//! A kernel is a small `Copy` struct that holds its shape, with a method `run` that takes its operands. The struct is a
//! constant where the firmware calls it and `run` is inlined there, so that every size is known to rustc; the compiler builds
//! the same struct to fold constants, to ask for scratch and work, and to learn how far output and input may overlap.
//! So each formula is written once, and a folded constant has the bits the chip would have computed.
//!
//! Activations are `[Cell<T>]`: places in the arena, which may overlap. Constant data is `[T]`. Kernels read either through
//! [`Load`]. No kernel can panic: an index that cannot be proved is read with `get`.
#![no_std]

#[cfg(test)]
extern crate std;

pub mod accumulate;
mod arch;
pub mod arg;
pub mod cascade;
pub mod conv;
pub mod conv_transpose;
pub mod copy;
pub mod cumulate;
pub mod dense;
pub mod depthwise;
pub mod determinant;
pub mod elementwise;
pub mod float;
pub mod fourier;
pub mod gather;
mod grid;
pub mod grid_sample;
pub mod interpolate;
pub mod linear_attention;
pub mod load;
pub mod matmul;
pub mod ngrams;
pub mod normalize;
pub mod number;
pub mod overlap;
pub mod pad;
pub mod pool;
pub mod quantized;
pub mod recurrent;
pub mod reduce;
pub mod report;
pub mod roi_align;
mod rounding;
pub mod scalar;
pub mod scatter;
pub mod softmax;
#[cfg(test)]
mod testing;
mod tile;
pub mod top_k;
pub mod trees;
mod window;

pub use accumulate::Accumulate;
pub use arch::order::in_order;
pub use arg::Arg;
pub use cascade::{Band, Rows, cascade, last, part};
pub use conv::Conv;
pub use conv_transpose::ConvTranspose;
pub use copy::{Copy, fill, holds, range};
pub use cumulate::Cumulate;
pub use dense::Dense;
pub use depthwise::Depthwise;
pub use determinant::Determinant;
pub use elementwise::{Elementwise, Operands};
pub use float::*;
pub use fourier::Fourier;
pub use gather::Gather;
pub use grid_sample::{GridSample, Outside};
pub use half;
pub use interpolate::Interpolate;
pub use linear_attention::{LinearAttention, Positions};
pub use load::Load;
pub use matmul::MatMul;
pub use ngrams::NGrams;
pub use normalize::Normalize;
pub use number::{CastTo, Integer, Number};
pub use overlap::Overlap;
pub use pad::Pad;
pub use pool::{Average, LpNorm, Max, Pool};
pub use quantized::Quantized;
pub use quantized::pack::{Layer, Packing, Quad, pick};
pub use quantized::requantize::Requantize;
pub use recurrent::lstm::Memory;
pub use recurrent::{Recurrent, Sequence};
pub use reduce::Reduce;
pub use roi_align::RoiAlign;
pub use scalar::*;
pub use scatter::Scatter;
pub use softmax::Softmax;
pub use top_k::TopK;
pub use trees::{Aggregate, LEAF, NAN_HOLDS, TreeTables, Trees};
