//! The interface through which generic code runs any model: test harnesses, benchmarks, command-line tools.

use core::fmt;

use crate::plain::Plain;
use crate::weights::{bytes_of, bytes_of_mut};

/// A compiled model behind a `dyn` reference.
pub trait Model {
    /// The model's inputs, outputs and costs.
    fn signature(&self) -> &'static Signature;

    /// Runs the model on `inputs` and writes `outputs`: row-major little-endian elements, one slice a tensor, in the model's order.
    ///
    /// # Errors
    /// When a slice has not the length of its tensor, or their number differs; then nothing is run.
    fn run_bytes(&mut self, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<(), LengthError>;
}

/// What a model takes, yields and costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Signature {
    /// The model's name: that of its module.
    pub name: &'static str,
    /// What a run is given.
    pub inputs: &'static [Tensor],
    /// What a run yields.
    pub outputs: &'static [Tensor],
    /// Bytes of working memory: arena with inputs and outputs, and state.
    pub ram_bytes: usize,
    /// Bytes of constant data.
    pub weight_bytes: usize,
    /// Multiply-accumulates a run.
    pub macs: u64,
}

/// One input or output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tensor {
    /// Its name in the model.
    pub name: &'static str,
    /// What its elements are.
    pub elem: Elem,
    /// Its sizes in the model, outermost first.
    pub shape: &'static [usize],
}

/// An element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Elem {
    Bool,
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
    F16,
    BF16,
    F32,
    F64,
}

impl Elem {
    /// Bytes an element takes.
    pub const fn size(self) -> usize {
        match self {
            Self::Bool | Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 | Self::F16 | Self::BF16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }
}

impl Tensor {
    /// How many elements the tensor has.
    pub fn elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// How many bytes the tensor takes.
    pub fn bytes(&self) -> usize {
        self.elements() * self.elem.size()
    }
}

/// Slices given to [`Model::run_bytes`] that do not fit the model's tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LengthError {
    /// There are not as many slices as tensors.
    Count {
        /// Which side it is about.
        side: Side,
        /// How many tensors the model has there.
        expected: usize,
        /// How many slices were given.
        found: usize,
    },
    /// A slice has not as many bytes as its tensor.
    Bytes {
        /// Which side it is about.
        side: Side,
        /// Which tensor.
        index: usize,
        /// The tensor's bytes.
        expected: usize,
        /// The slice's bytes.
        found: usize,
    },
}

/// Inputs or outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Side {
    Input,
    Output,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Input { "input" } else { "output" })
    }
}

impl fmt::Display for LengthError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count { side, expected, found } => write!(f, "{found} {side} slices given; the model has {expected}"),
            Self::Bytes { side, index, expected, found } => {
                write!(f, "{side} {index} has {found} bytes; the model's tensor has {expected}")
            }
        }
    }
}

impl core::error::Error for LengthError {}

/// The slices of `inputs` as an array of as many tensors as the model has.
#[doc(hidden)]
pub fn input_slices<'a, 'b, const N: usize>(inputs: &'a [&'b [u8]]) -> Result<&'a [&'b [u8]; N], LengthError> {
    inputs.try_into().map_err(|_| LengthError::Count { side: Side::Input, expected: N, found: inputs.len() })
}

/// The slices of `outputs` as an array of as many tensors as the model has.
#[doc(hidden)]
pub fn output_slices<'a, 'b, const N: usize>(outputs: &'a mut [&'b mut [u8]]) -> Result<&'a mut [&'b mut [u8]; N], LengthError> {
    let found = outputs.len();
    outputs.try_into().map_err(|_| LengthError::Count { side: Side::Output, expected: N, found })
}

/// That `slice` has the bytes of an `A`.
#[doc(hidden)]
pub fn check_length<A: Plain>(side: Side, index: usize, slice: &[u8]) -> Result<(), LengthError> {
    let (expected, found) = (size_of::<A>(), slice.len());
    if expected == found { Ok(()) } else { Err(LengthError::Bytes { side, index, expected, found }) }
}

/// Copies bytes into elements of as many.
#[doc(hidden)]
pub fn read_bytes<A: Plain>(bytes: &[u8], elements: &mut A) {
    bytes_of_mut(elements).iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
}

/// Copies elements into as many bytes.
#[doc(hidden)]
pub fn write_bytes<A: Plain>(elements: &A, bytes: &mut [u8]) {
    bytes.iter_mut().zip(bytes_of(elements)).for_each(|(to, from)| *to = *from);
}
