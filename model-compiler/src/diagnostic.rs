//! What is wrong with a model, told so that its reader can mend it.

use std::fmt;

use proc_macro2::TokenStream;

use crate::ty::TensorType;

/// Why an operator cannot take a node: what was found and what is allowed, in lower case, names in backticks.
///
/// The importer adds node, file and input types and makes a [`Diagnostic`] of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What was found, and what was expected.
    pub message: String,
    /// The one thing to do.
    pub help: String,
}

impl Refusal {
    /// A refusal that says `message` and advises `help`.
    #[cfg_attr(feature = "messages", track_caller)]
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        #[cfg(feature = "messages")]
        crate::messages::seen();
        Self { message: message.into(), help: help.into() }
    }
}

/// What operators return.
pub type Result<T, E = Refusal> = std::result::Result<T, E>;

/// What a diagnostic is about, so that the macro can point at the right tokens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// The model file: the macro's path literal.
    #[default]
    Model,
    /// One of the arguments that are maps, such as `dims`, and a key of it.
    Entry(Box<(&'static str, String)>),
    /// The argument `io`.
    Io,
    /// The budget of this name.
    Budget(&'static str),
    /// The argument `verify`.
    Verify,
}

impl Subject {
    /// The key of an argument that is a map.
    pub fn entry(argument: &'static str, key: &str) -> Self {
        Self::Entry(Box::new((argument, key.to_owned())))
    }
}

/// One fault of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostic {
    /// What it is about.
    pub subject: Subject,
    /// What is wrong: the value found and the values allowed.
    pub message: String,
    /// Where in the model: `wake.onnx: node 4 "/head/Softmax"`.
    pub place: Option<String>,
    /// Facts that help to understand it, such as the types of the inputs.
    pub notes: Vec<String>,
    /// The next thing to do.
    pub help: String,
}

impl Diagnostic {
    /// A fault that says `message` and advises `help`.
    #[cfg_attr(feature = "messages", track_caller)]
    pub fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        #[cfg(feature = "messages")]
        crate::messages::seen();
        Self { message: message.into(), help: help.into(), ..Self::default() }
    }

    /// The same fault, found at `place`.
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place = Some(place.into());
        self
    }

    /// The same fault with one more fact.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }

    /// The same fault, about `subject`.
    pub fn about(mut self, subject: Subject) -> Self {
        self.subject = subject;
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(place) = &self.place {
            write!(f, "\n  --> {place}")?;
        }
        for note in &self.notes {
            write!(f, "\n   = note: {note}")?;
        }
        write!(f, "\n   = help: {}", self.help)
    }
}

/// The fault that is a refusal of no node.
impl From<Refusal> for Diagnostic {
    fn from(Refusal { message, help }: Refusal) -> Self {
        Self { message, help, ..Self::default() }
    }
}

/// All faults of a model, and what is known of its interface in spite of them.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    /// The faults, in the order of the nodes; never empty.
    pub faults: Vec<Diagnostic>,
    /// Names of the inputs with their types, as far as known.
    pub inputs: Vec<(String, Option<TensorType>)>,
    /// Names of the outputs with their types, as far as known.
    pub outputs: Vec<(String, Option<TensorType>)>,
    /// The module, where the model is right and only costs more than it may.
    pub module: Option<TokenStream>,
}

impl From<Diagnostic> for Diagnostics {
    fn from(fault: Diagnostic) -> Self {
        Self { faults: vec![fault], ..Self::default() }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.faults.iter().map(ToString::to_string).collect();
        f.write_str(&faults.join("\n\n"))
    }
}
