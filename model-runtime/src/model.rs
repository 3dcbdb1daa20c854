//! The interface through which generic code runs any model: test harnesses, benchmarks, command-line tools.

use core::fmt;

/// A compiled model behind a `dyn` reference. Tensors are seen as bytes: row-major little-endian elements, in the model's order.
pub trait Model {
    /// The model's inputs, outputs and costs.
    fn signature(&self) -> &'static Signature;

    /// The bytes of an input's place, to be filled before each run; `None` past the last input.
    fn input_bytes(&mut self, index: usize) -> Option<&mut [u8]>;

    /// Runs the model on what its inputs' places hold.
    fn run_in_place(&mut self);

    /// Restores the state that the first run finds. A model without state has nothing to restore.
    fn reset(&mut self) {}

    /// The bytes of an output, from the end of a run until an input is filled again; `None` past the last output.
    fn output_bytes(&self, index: usize) -> Option<&[u8]>;

    /// Runs the model on `inputs` and writes `outputs`, one slice a tensor.
    ///
    /// # Errors
    /// When a slice has not the length of its tensor, or their number differs; then nothing is run.
    fn run_bytes(&mut self, inputs: &[&[u8]], outputs: &mut [&mut [u8]]) -> Result<(), LengthError> {
        let signature = self.signature();
        check_lengths(Side::Input, signature.inputs, inputs.iter().map(|slice| slice.len()))?;
        check_lengths(Side::Output, signature.outputs, outputs.iter().map(|slice| slice.len()))?;
        for (index, input) in inputs.iter().enumerate() {
            copy(input, self.input_bytes(index).unwrap_or_default());
        }
        self.run_in_place();
        for (index, output) in outputs.iter_mut().enumerate() {
            copy(self.output_bytes(index).unwrap_or_default(), output);
        }
        Ok(())
    }
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

/// What a model may cost at most, as the arguments of `include_model!` say; `None` where they set no limit.
///
/// The compiler holds the model to the first three. Stack and code are known of the linked firmware only, where `cargo xtask firmware`
/// holds them to what it measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budgets {
    /// Bytes of working memory.
    pub ram: Option<u64>,
    /// Bytes of constant data.
    pub weights: Option<u64>,
    /// Multiply-accumulates a run.
    pub macs: Option<u64>,
    /// Bytes of stack that a run uses.
    pub stack: Option<u64>,
    /// Bytes of code.
    pub code: Option<u64>,
}

impl Budgets {
    /// No limits.
    pub const NONE: Self = Self { ram: None, weights: None, macs: None, stack: None, code: None };
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

/// That there are as many slices as tensors, each as long as its tensor.
fn check_lengths(side: Side, tensors: &[Tensor], lengths: impl ExactSizeIterator<Item = usize>) -> Result<(), LengthError> {
    if lengths.len() != tensors.len() {
        return Err(LengthError::Count { side, expected: tensors.len(), found: lengths.len() });
    }
    for (index, (tensor, found)) in tensors.iter().zip(lengths).enumerate() {
        if found != tensor.bytes() {
            return Err(LengthError::Bytes { side, index, expected: tensor.bytes(), found });
        }
    }
    Ok(())
}

/// Copies between slices of one length; unlike `copy_from_slice` it cannot panic.
fn copy(from: &[u8], to: &mut [u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Adds two tensors, and tells whether it ran.
    struct Add {
        terms: [[u8; 2]; 2],
        ran: bool,
    }

    const fn tensor(shape: &'static [usize]) -> Tensor {
        Tensor { name: "x", elem: Elem::U8, shape }
    }

    const SIGNATURE: Signature = Signature {
        name: "add",
        inputs: &[tensor(&[1, 2]), tensor(&[2])],
        outputs: &[tensor(&[2])],
        ram_bytes: 4,
        weight_bytes: 0,
        macs: 0,
    };

    impl Model for Add {
        fn signature(&self) -> &'static Signature {
            &SIGNATURE
        }

        fn input_bytes(&mut self, index: usize) -> Option<&mut [u8]> {
            self.terms.get_mut(index).map(|term| &mut term[..])
        }

        fn run_in_place(&mut self) {
            let [a, b] = &mut self.terms;
            a.iter_mut().zip(b).for_each(|(a, b)| *a += *b);
            self.ran = true;
        }

        fn output_bytes(&self, index: usize) -> Option<&[u8]> {
            (index == 0).then_some(&self.terms[0])
        }
    }

    #[test]
    fn a_model_runs_on_bytes() {
        let mut model = Add { terms: [[0; 2]; 2], ran: false };
        let mut sum = [0; 2];
        assert_eq!(model.run_bytes(&[&[1, 2], &[30, 40]], &mut [&mut sum]), Ok(()));
        assert_eq!(sum, [31, 42]);
    }

    /// Inputs, the lengths of outputs, and the error they give.
    type Case<'a> = (&'a [&'a [u8]], &'a [usize], LengthError);

    #[test]
    fn slices_that_do_not_fit_are_refused() {
        let (one, two) = (&[0u8][..], &[0u8; 2][..]);
        let count = |side, expected, found| LengthError::Count { side, expected, found };
        let bytes = |side, index, found| LengthError::Bytes { side, index, expected: 2, found };
        let cases: [Case; 4] = [
            (&[two], &[2], count(Side::Input, 2, 1)),
            (&[two, two], &[], count(Side::Output, 1, 0)),
            (&[two, one], &[2], bytes(Side::Input, 1, 1)),
            (&[two, two], &[3], bytes(Side::Output, 0, 3)),
        ];
        for (inputs, outputs, error) in cases {
            let mut model = Add { terms: [[0; 2]; 2], ran: false };
            let mut memory = [0; 3];
            let mut slices = [&mut memory[..outputs.first().copied().unwrap_or(0)]];
            assert_eq!(model.run_bytes(inputs, &mut slices[..outputs.len()]), Err(error));
            assert!(!model.ran);
        }
    }
}
