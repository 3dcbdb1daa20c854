//! What the compiler may ask of an operator, and the list of operators.

use std::fmt;
use std::ops::RangeInclusive;

use proc_macro2::TokenStream;

use crate::diagnostic::Result;
use crate::emit::Lower;
use crate::graph::{Graph, ValueId};
use crate::kernels::{Overlap, Rows};
use crate::ops::elementwise::Expr;
use crate::plan::Plan;
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::TensorType;

/// A version of an ONNX operator and the reader that turns its nodes into core operators.
pub struct OpDef {
    /// The operator's ONNX name, with its domain where that is not the default one: `com.microsoft::QGemm`.
    pub name: &'static str,
    /// The operator sets in which this definition holds.
    pub opset: RangeInclusive<i64>,
    /// Reads a node, pushes core operators, and returns the values of its outputs.
    pub read: fn(&mut NodeReader) -> Result<Vec<ValueId>>,
}

/// The newest operator set that the definitions were written for.
pub const LATEST: i64 = 28;

/// `reference_only!();` ends a function with its type's default, at which rustc drops the rest of it, where the compiler was built without
/// its reference evaluation: users wait for each kernel that it holds.
macro_rules! reference_only {
    () => {
        if cfg!(not(any(test, feature = "reference"))) {
            return Default::default();
        }
    };
}

pub(crate) use reference_only;

/// The types around one node.
#[derive(Clone, Copy, Debug)]
pub struct Types<'a> {
    /// Types of the inputs.
    pub inputs: &'a [&'a TensorType],
    /// Types of the outputs.
    pub outputs: &'a [&'a TensorType],
}

/// How the memory of a node's outputs relates to that of its inputs when no step is needed at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// The output is the bytes of input 0 from this offset on.
    Part(usize),
    /// The inputs are parts of the output, from these offsets on.
    Whole(Vec<usize>),
}

/// A layer of an operator that holds several, for the table of the model.
#[derive(Clone, Debug)]
pub struct Part {
    /// The ONNX nodes that it stands for.
    pub origin: Vec<String>,
    /// Its operator.
    pub name: &'static str,
    /// The type of its output.
    pub output: TensorType,
    /// Its multiply-accumulates of one run.
    pub macs: u64,
}

/// A graph that an operator runs.
#[derive(Clone, Copy, Debug)]
pub struct Inside<'a> {
    /// What it is called where there are several.
    pub name: &'static str,
    /// The graph.
    pub graph: &'a Graph,
    /// Its plan.
    pub plan: &'a Plan,
}

/// The rules of a core operator: two duties, and defaults for the rest.
pub trait Operator: fmt::Debug {
    /// The types of the outputs, or why the inputs cannot be taken.
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>>;

    /// The statements that compute a node.
    fn lower(&self, cx: &Lower) -> TokenStream;

    /// The outputs for constant inputs, computed by the kernel that the chip would run, of operators and types by which exporters leave
    /// something to compute. Others stay steps, since the instances of their kernels would cost every user time to build.
    fn fold(&self, _inputs: &[&Tensor], _outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        None
    }

    /// The outputs for any inputs, computed by the kernel that the chip would run.
    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        self.fold(inputs, outputs)
    }

    /// How output 0 may overlap input `input` in memory.
    fn overlap(&self, _types: Types, _input: usize) -> Overlap {
        Overlap::NONE
    }

    /// For inputs that are all transposed by `perm`: the operator that takes them as they were, and the axes of its output in the
    /// order that makes the outputs equal. So a transpose moves from before a node to behind it.
    fn transposed(&self, _types: Types, _perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        None
    }

    /// That the node is only a way to look at memory.
    fn view(&self, _types: Types) -> Option<View> {
        None
    }

    /// The same operator, running from its last element to its first.
    fn backward(&self) -> Option<Op> {
        None
    }

    /// The same operator without output `output`, which nobody reads.
    fn without_output(&self, _output: usize) -> Option<Op> {
        None
    }

    /// The working memory of a step, a place for each type; `constant` tells which inputs are constant data.
    fn scratch(&self, _types: Types, _constant: &[bool]) -> Vec<TensorType> {
        Vec::new()
    }

    /// Constant input `input` in the order in which the kernel reads it, when that is not its own.
    fn pack(&self, _types: Types, _input: usize, _constant: &Tensor) -> Option<Tensor> {
        None
    }

    /// How rows of the output depend on rows of input 0, both images of `[1, h, w, c]`; where the operator cannot run row by row, none.
    /// Further inputs are constant, or images like the output of which each row is read for the same row of it.
    fn rows(&self, _types: Types, _constant: &[bool]) -> Option<Rows> {
        None
    }

    /// The same operator for an image that is only the rows under one row of the output, of an input 0 that is `whole` otherwise.
    fn of_one_row(&self, _whole: &TensorType) -> Option<Op> {
        None
    }

    /// The operator in a line, for tests and for reading: `Conv 3×3 stride 2, relu(x)`.
    fn show(&self) -> String {
        format!("{self:?}")
    }

    /// Multiply-accumulates of one run.
    fn macs(&self, _types: Types) -> u64 {
        0
    }

    /// The graphs that the operator runs in the first place of its scratch, one at a time.
    fn inside(&self) -> Vec<Inside<'_>> {
        Vec::new()
    }

    /// The layers of an operator that holds several.
    fn parts(&self, _types: Types) -> Vec<Part> {
        Vec::new()
    }
}

/// `operators! { Softmax in softmax }` declares the module `ops::softmax`, makes `Softmax` a variant of [`Op`], and joins the
/// module's `DEFS` to the catalogue.
macro_rules! operators {
    ($($variant:ident in $module:ident),* $(,)?) => {
        /// A core operator.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Op {
            $(#[doc = concat!("See [`crate::ops::", stringify!($module), "`].")] $variant(crate::ops::$module::$variant),)*
        }

        impl Op {
            /// The operator's rules.
            pub fn rules(&self) -> &dyn Operator {
                match self { $(Self::$variant(op) => op,)* }
            }

            /// The operator's name.
            pub fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($variant),)* }
            }
        }

        $(impl From<crate::ops::$module::$variant> for Op {
            fn from(op: crate::ops::$module::$variant) -> Self {
                Self::$variant(op)
            }
        })*
    };
}

operators! {
    Arg in arg,
    BitCast in bit_cast,
    Branch in branch,
    Cascade in cascade,
    Concat in concat,
    Conv in conv,
    ConvTranspose in conv_transpose,
    Copy in copy,
    Cumulate in cumulate,
    Dense in dense,
    Determinant in det,
    Elementwise in elementwise,
    Expand in expand,
    Fourier in signal,
    Gather in gather,
    GridSample in grid_sample,
    Hardmax in arg,
    Interpolate in resize,
    LinearAttention in linear_attention,
    MatMul in matmul,
    MaxPoolIndices in pool,
    NGrams in ngrams,
    Normalize in normalize,
    Pad in pad,
    Pool in pool,
    QuantizedAverage in quantized_average,
    QuantizedSoftmax in quantized_softmax,
    Recurrent in recurrent,
    Reduce in reduce,
    Repeat in repeat,
    Reshape in reshape,
    RoiAlign in roi_align,
    Scatter in scatter,
    Slice in slice,
    Softmax in softmax,
    Table in table,
    TopK in top_k,
    Transpose in transpose,
    Trees in trees,
    Unrolled in unrolled,
}

/// Prints the operator as its rules say.
impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rules().show())
    }
}

impl Op {
    /// What is applied to each result, of operators that can do so; layers of integers cannot.
    pub fn activation_mut(&mut self) -> Option<&mut Option<Expr>> {
        match self {
            Self::Conv(op) if op.integer.is_none() => Some(&mut op.activation),
            Self::ConvTranspose(op) => Some(&mut op.activation),
            Self::Dense(op) if op.integer.is_none() => Some(&mut op.activation),
            Self::MatMul(op) => Some(&mut op.activation),
            Self::Pool(op) => Some(&mut op.activation),
            _ => None,
        }
    }
}

/// The definitions of every ONNX operator that is known, one family after another.
pub fn definitions() -> impl Iterator<Item = &'static OpDef> {
    crate::ops::FAMILIES.iter().flat_map(|(_, definitions)| definitions.iter())
}
