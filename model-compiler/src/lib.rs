//! Compiles an ONNX model to `no_std` Rust: bytes → [`onnx::Model`] → [`graph::Graph`] → [`plan::Plan`] → tokens.
//!
//! [`compile`] is the whole lane. `model-macro` calls it for `include_model!`; tests, fuzzers, build scripts and command-line
//! tools may call it too.

pub mod contract;
pub mod diagnostic;
pub mod emit;
pub mod golden;
pub mod graph;
pub mod import;
#[cfg(feature = "messages")]
mod messages;
pub mod onnx;
pub mod op;
pub mod ops;
pub mod passes;
pub mod plan;
pub mod quantization;
pub mod reader;
pub mod reference;
pub mod scalar;
pub mod tensor;
#[cfg(test)]
mod testing;
pub mod ty;
pub mod verify;

pub use model_kernels as kernels;

use std::fmt;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::contract::Budgets;
use crate::diagnostic::Diagnostics;
use crate::golden::{At, Verify};
use crate::onnx::Source;

/// What the macro's arguments say.
#[derive(Clone, Debug)]
pub struct Options {
    /// The module's name.
    pub name: Ident,
    /// The module's visibility.
    pub visibility: TokenStream,
    /// The path of `model-runtime`.
    pub runtime: TokenStream,
    /// Sizes of open dimensions.
    pub dims: Vec<(String, Dim)>,
    /// Inputs that are constants.
    pub inputs: Vec<(String, Elements)>,
    /// Inputs that are state, with the output that each takes over from the run before.
    pub state: Vec<(String, String)>,
    /// What such inputs are before the first run, where that is not zero.
    pub state_init: Vec<(String, Elements)>,
    /// What quantized inputs and outputs are; without it what the file says.
    pub io: Option<Io>,
    /// What the model may cost.
    pub budgets: Budgets,
    /// What it should compute.
    pub verify: Option<Verify>,
    /// Which layers become straight-line code.
    pub unroll: Unroll,
}

/// Which dense layers become straight-line code, where weights of zero are skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unroll {
    /// None.
    Nothing,
    /// All of `f32` and of integers whose weights are constant.
    All,
    /// Those that take fewer instructions so, with code that is no larger than the constants that it stands for; or at most by so many bytes,
    /// where the layer does a hundredth of the model's work or more.
    Budget(u64),
}

impl Default for Unroll {
    fn default() -> Self {
        Self::Budget(512)
    }
}

/// What the quantized inputs and outputs of the module are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// The numbers that the integers stand for.
    Float,
    /// The integers.
    Quantized,
}

/// What an entry of `dims` fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dim {
    /// The dimension of this name.
    Size(usize),
    /// All dimensions of the input of this name.
    Shape(Vec<usize>),
}

/// The elements of a tensor as the macro's arguments write them, in decimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elements {
    /// All are this one.
    All(String),
    /// Each, row-major.
    Each(Vec<String>),
}

/// As the macro's arguments write it.
impl fmt::Display for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(element) => f.write_str(element),
            Self::Each(elements) => write!(f, "[{}]", elements.join(", ")),
        }
    }
}

/// As the macro's arguments write it.
impl fmt::Display for Dim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(size) => write!(f, "{size}"),
            Self::Shape(sizes) => write!(f, "{sizes:?}"),
        }
    }
}

impl Options {
    /// A public module called `name`, with nothing fixed.
    pub fn new(name: &str) -> Self {
        Self {
            name: Ident::new(name, Span::call_site()),
            visibility: quote!(pub),
            runtime: quote!(::model_runtime),
            dims: Vec::new(),
            inputs: Vec::new(),
            state: Vec::new(),
            state_init: Vec::new(),
            io: None,
            budgets: Budgets::default(),
            verify: None,
            unroll: Unroll::default(),
        }
    }
}

/// Compiles a model to a Rust module, or tells all that is wrong with it.
pub fn compile(source: &Source, options: &Options) -> Result<TokenStream, Diagnostics> {
    let model = onnx::parse(source)?;
    let imported = import::graph(&model, options)?;
    let golden = options.verify.as_ref().map(|verify| golden::read(&imported, verify, source)).transpose();
    let mut graph = imported.clone();
    passes::run(&mut graph);
    passes::unroll(&mut graph, options.unroll);
    let plan = plan::Plan::new(&graph);
    let module = emit::rust(&graph, &plan, options, source, golden.as_ref().ok().and_then(Option::as_ref));
    let mut faults = contract::broken(&graph, &plan, &module.weights, options.budgets, &source.name);
    match &golden {
        Ok(Some(golden)) if options.verify.as_ref().is_some_and(|verify| verify.at == At::Build) => {
            faults.extend(reference::check(&imported, &graph, golden));
        }
        Ok(_) => {}
        Err(fault) => faults.push(fault.clone()),
    }
    if faults.is_empty() {
        return Ok(module.tokens);
    }
    Err(Diagnostics { faults, module: Some(module.tokens), ..Diagnostics::default() })
}
