//! Neural networks on microcontrollers: [`include_model!`] compiles an ONNX file into plain `no_std` Rust.
//!
//! This crate is what firmware depends on. The expansion of [`include_model!`] is straight-line code that calls the kernels
//! re-exported here, over an [`Arena`] of fixed places and constant weights.
#![no_std]

mod arena;
mod golden;
mod model;
mod plain;
mod weights;

pub use arena::{Arena, Place, Places, Span, check_plan};
#[doc(no_inline)]
pub use core::cell::Cell;
#[doc(hidden)]
pub use golden::Golden;
pub use model::{Budgets, Elem, LengthError, Model, Side, Signature, Tensor};
#[doc(hidden)]
pub use model_kernels::report::{Report, Wrong};
#[doc(inline)]
pub use model_kernels::*;
#[doc(hidden)]
pub use model_macro::include_model as __include_model;
#[doc(hidden)]
pub use plain::Plain;
pub use weights::weights;
#[doc(hidden)]
pub use weights::{bytes_of, bytes_of_mut};

/// Compiles an ONNX model into a module.
///
/// ```ignore
/// include_model!("wake.onnx");                                  // pub mod wake
/// include_model!("models/kws.onnx", name = detector, dims = { batch: 1, time: 49 });
/// ```
///
/// The path is relative to the invoking file, then to the crate's manifest directory. Arguments:
///
/// - `name = detector` names the module (default: the file's stem), with a visibility before it if need be: `pub(crate) name = …`.
/// - `dims = { batch: 1, "input": [1, 512] }` fixes symbolic dimensions, by their symbol or by an input's name and whole shape.
/// - `inputs = { sr: 16000, "window": [0.5, 1.0, 0.5] }` pins inputs: they are constants of these elements, one number for all or a list
///   row by row, and no arguments of `run`. What they decide, such as the branch of an `If`, is decided while compiling.
/// - `state = { h: hn }` ties the output `hn` to the input `h` of the next run. Both stay in the model's memory and are no part of `run`; a
///   state is zero at first, or what `state_init = { h: 0.5 }` says, written as for `inputs`, and `reset()` restores that.
/// - `io = quantized` leaves out the quantization behind float inputs and the dequantization before float outputs, so that they are
///   integers; `io = float` adds them to inputs and outputs of 8 bits, so that these are floats. Without it they are what the file says.
/// - `verify = "golden.npz"` names a file beside the model with an array for each input and output, named after it, whose first axis counts
///   samples. A test in the module, `verify::golden_vectors`, then runs all samples and fails where an output is further off than
///   `tolerance`: integers by so many steps (one without it), floats by that part of the output's largest magnitude (1e-4 without it).
///   `cargo test -- --nocapture` shows the errors. Needs the feature `npz`.
/// - `verify_at = build` holds the model to the same file while compiling too, by the compiler's own evaluation, which runs the chip's kernels;
///   a build of a model that is off fails. Where the file also has arrays of tensors within the model, by their names, the error says which node is
///   the first to be off. Macros are not optimized unless `[profile.dev.build-override]` has `opt-level = 3`, which a large model needs.
/// - `ram = 12 KiB`, `weights = 48 KiB` (constant data) and `macs = 3_000_000` are budgets. One that is broken is a compile error, which names
///   the largest contributors. `stack = 1 KiB` and `code = 16 KiB` are those that only the linked firmware shows: `cargo xtask firmware`
///   holds it to them.
///
/// The module holds `Input`, `Output`, `Model` with `new`, `run`, `input_mut` and `run_in_place`, the constants `RAM_BYTES`,
/// `WEIGHT_BYTES`, `MACS`, `SIGNATURE`, `BUDGETS`, `MODEL_SHA256` and `COMPILER_VERSION`, and for each input and output a submodule with its `NAME` and `SHAPE`; that of a quantized one
/// also has `SCALE`, `ZERO_POINT` and the functions `quantize` and `dequantize`.
#[macro_export]
macro_rules! include_model {
    ($($arguments:tt)*) => {
        $crate::__include_model! { $crate; $($arguments)* }
    };
}
