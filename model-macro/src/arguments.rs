//! What stands between the parentheses: `"wake.onnx", pub(crate) name = detector, dims = { batch: 1, "input": [1, 512] },
//! inputs = { sr: 16000 }, state = { h: hn }, io = quantized, ram = 12 KiB`.

mod map;

use std::path::Path;

use model_compiler::contract::{BUDGETS, Budgets};
use model_compiler::diagnostic::Diagnostic;
use model_compiler::golden::{At, Verify};
use model_compiler::{Dim, Elements, Io, Options, Unroll, emit::names};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Lit, LitStr, Result, Token};

use self::map::Map;

use crate::budget::{self, Budget};

/// The macro's arguments.
pub(crate) struct Arguments {
    /// The path of `model-runtime`, which its own macro passes.
    pub(crate) runtime: TokenStream,
    /// The model's path.
    pub(crate) path: LitStr,
    /// The module's visibility; `pub` without one.
    pub(crate) visibility: TokenStream,
    /// The module's name, if it is given.
    pub(crate) name: Option<Ident>,
    /// Sizes of open dimensions.
    dims: Vec<(String, Dim)>,
    /// Inputs that are constants.
    inputs: Vec<(String, Elements)>,
    /// Inputs, with the output that each takes over.
    state: Vec<(String, String)>,
    /// What such inputs are at first.
    state_init: Vec<(String, Elements)>,
    /// The argument and place of each key of those.
    keys: Vec<(&'static str, String, Span)>,
    /// What quantized inputs and outputs are, if it is given, with its place in the source.
    pub(crate) io: Option<(Io, Span)>,
    /// What the model may cost.
    pub(crate) budgets: Vec<Budget>,
    /// The file with golden vectors.
    pub(crate) verify: Option<LitStr>,
    /// `verify_at`.
    verify_at: Option<(At, Span)>,
    /// How far the model may be off.
    tolerance: Option<(f64, Span)>,
    /// Which layers become straight-line code.
    unroll: Option<Unroll>,
    /// What is wrong behind the path. The rest still holds, so that the module has the name and types that the user expects.
    pub(crate) errors: Vec<syn::Error>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream) -> Result<Self> {
        let mut runtime = TokenStream::new();
        while !input.peek(Token![;]) {
            runtime.extend([input.parse::<TokenTree>()?]);
        }
        input.parse::<Token![;]>()?;
        if !input.peek(LitStr) {
            return Err(error(
                input.span(),
                "the first argument is not a string; expected the model's path",
                "write the path in quotes: `include_model!(\"wake.onnx\")`",
            ));
        }
        let path = input.parse()?;
        let mut arguments = Self {
            runtime,
            path,
            visibility: quote!(pub),
            name: None,
            dims: Vec::new(),
            inputs: Vec::new(),
            state: Vec::new(),
            state_init: Vec::new(),
            keys: Vec::new(),
            io: None,
            budgets: Vec::new(),
            verify: None,
            verify_at: None,
            tolerance: None,
            unroll: None,
            errors: Vec::new(),
        };
        if !input.is_empty() {
            arguments.errors.extend(input.parse::<Token![,]>().err().map(|fault| explained(fault, input)));
        }
        let (list, errors) = list(input, Argument::parse);
        arguments.errors.extend(errors);
        list.into_iter().for_each(|argument| arguments.take(argument));
        arguments.expect_golden_vectors();
        Ok(arguments)
    }
}

impl Arguments {
    fn take(&mut self, argument: Argument) {
        match argument {
            Argument::Name { visibility, name } => {
                if let Some(first) = &self.name {
                    let message = format!("`name` is given twice: `{first}` and `{name}`; expected once");
                    self.errors.push(error(name.span(), message, "keep one of the two"));
                    return;
                }
                self.visibility = visibility.unwrap_or_else(|| quote!(pub));
                self.name = Some(name);
            }
            Argument::Io { io, span } => {
                if self.io.replace((io, span)).is_some() {
                    self.errors.push(error(span, "`io` is given twice; expected once", "keep one of the two"));
                }
            }
            Argument::Budget(budget) => {
                if self.budgets.iter().any(|other| other.name == budget.name) {
                    let message = format!("`{}` is given twice; expected once", budget.name);
                    self.errors.push(error(budget.span, message, "keep one of the two"));
                    return;
                }
                self.budgets.push(budget);
            }
            Argument::Verify(file) => {
                if let Some(file) = self.verify.replace(file) {
                    self.errors.push(error(file.span(), "`verify` is given twice; expected once", "keep one of the two"));
                }
            }
            Argument::VerifyAt(at, span) => {
                if self.verify_at.replace((at, span)).is_some() {
                    self.errors.push(error(span, "`verify_at` is given twice; expected once", "keep one of the two"));
                }
            }
            Argument::Tolerance(tolerance, span) => {
                if self.tolerance.replace((tolerance, span)).is_some() {
                    self.errors.push(error(span, "`tolerance` is given twice; expected once", "keep one of the two"));
                }
            }
            Argument::Unroll { unroll, span } => {
                if self.unroll.replace(unroll).is_some() {
                    self.errors.push(error(span, "`unroll` is given twice; expected once", "keep one of the two"));
                }
            }
            Argument::Dims(map) => map.take("dims", &mut self.dims, &mut self.keys, &mut self.errors),
            Argument::Inputs(map) => map.take("inputs", &mut self.inputs, &mut self.keys, &mut self.errors),
            Argument::State(map) => map.take("state", &mut self.state, &mut self.keys, &mut self.errors),
            Argument::StateInit(map) => map.take("state_init", &mut self.state_init, &mut self.keys, &mut self.errors),
        }
    }

    /// That there are golden vectors where there are arguments about them.
    fn expect_golden_vectors(&mut self) {
        if self.verify.is_some() {
            return;
        }
        let spans = [("verify_at", self.verify_at.map(|(_, span)| span)), ("tolerance", self.tolerance.map(|(_, span)| span))];
        self.errors.extend(spans.into_iter().filter_map(|(name, span)| {
            let message = format!("`{name}` is given without `verify`");
            Some(error(span?, message, "name the golden vectors: `verify = \"golden.npz\"`, or remove it"))
        }));
    }

    /// Where a key of an argument stands.
    pub(crate) fn key(&self, argument: &str, key: &str) -> Option<Span> {
        self.keys.iter().find(|(of, name, _)| *of == argument && name == key).map(|(.., span)| *span)
    }

    /// The compiler's options.
    pub(crate) fn options(&self) -> Options {
        let file = self.path.value();
        let stem = Path::new(&file).file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        Options {
            name: self.name.clone().unwrap_or_else(|| Ident::new(&names::module(&stem), self.path.span())),
            visibility: self.visibility.clone(),
            runtime: self.runtime.clone(),
            dims: self.dims.clone(),
            inputs: self.inputs.clone(),
            state: self.state.clone(),
            state_init: self.state_init.clone(),
            io: self.io.map(|(io, _)| io),
            budgets: self.limits(),
            verify: self.verify.as_ref().map(|file| Verify {
                file: file.value(),
                tolerance: self.tolerance.map(|(tolerance, _)| tolerance),
                at: self.verify_at.map_or(At::Test, |(at, _)| at),
            }),
            unroll: self.unroll.unwrap_or_default(),
        }
    }

    fn limits(&self) -> Budgets {
        let mut budgets = Budgets::default();
        for (name, limit) in BUDGETS.into_iter().zip(budgets.limits()) {
            *limit = self.budgets.iter().find(|budget| budget.name == name).map(|budget| budget.limit);
        }
        budgets
    }
}

/// The arguments behind the path, for a message.
const KNOWN: &str = "`name`, `dims`, `inputs`, `state`, `state_init`, `io`, `ram`, `weights`, `macs`, `stack`, `code`, `verify`, `verify_at`, `tolerance` and `unroll`";

/// Those of them that are maps.
const MAPS: [&str; 4] = ["dims", "inputs", "state", "state_init"];

/// One argument behind the path.
enum Argument {
    Name { visibility: Option<TokenStream>, name: Ident },
    Dims(Map<Dim>),
    Inputs(Map<Elements>),
    State(Map<String>),
    StateInit(Map<Elements>),
    Io { io: Io, span: Span },
    Budget(Budget),
    Verify(LitStr),
    VerifyAt(At, Span),
    Tolerance(f64, Span),
    Unroll { unroll: Unroll, span: Span },
}

impl Parse for Argument {
    fn parse(input: ParseStream) -> Result<Self> {
        let visibility = visibility(input)?;
        let key = input.call(Ident::parse_any)?;
        match key.to_string().as_str() {
            "name" => {
                input.parse::<Token![=]>()?;
                Ok(Self::Name { visibility, name: input.parse()? })
            }
            "dims" if visibility.is_none() => Ok(Self::Dims(Map::parse(input, map::dim)?)),
            "inputs" if visibility.is_none() => Ok(Self::Inputs(Map::parse(input, map::elements)?)),
            "state" if visibility.is_none() => Ok(Self::State(Map::parse(input, |input| Ok(map::name(input)?.0))?)),
            "state_init" if visibility.is_none() => Ok(Self::StateInit(Map::parse(input, map::elements)?)),
            "io" if visibility.is_none() => {
                input.parse::<Token![=]>()?;
                Ok(Self::Io { span: input.span(), io: io(input)? })
            }
            "verify" if visibility.is_none() => {
                input.parse::<Token![=]>()?;
                Ok(Self::Verify(input.parse()?))
            }
            "verify_at" if visibility.is_none() => {
                input.parse::<Token![=]>()?;
                let span = input.span();
                Ok(Self::VerifyAt(verify_at(input)?, span))
            }
            "tolerance" if visibility.is_none() => {
                input.parse::<Token![=]>()?;
                let span = input.span();
                Ok(Self::Tolerance(tolerance(input)?, span))
            }
            "unroll" if visibility.is_none() => {
                let (unroll, span) = budget::unroll(&key, input)?;
                Ok(Self::Unroll { unroll, span })
            }
            known if visibility.is_none() && BUDGETS.contains(&known) => Ok(Self::Budget(budget::parse(&key, input)?)),
            known
                if MAPS.contains(&known)
                    || ["io", "verify", "verify_at", "tolerance", "unroll"].contains(&known)
                    || BUDGETS.contains(&known) =>
            {
                Err(error(
                    key.span(),
                    format!("`{}` stands before `{key}`; only `name` takes a visibility", visibility.unwrap_or_default()),
                    "move it before the module's name: `pub(crate) name = detector`",
                ))
            }
            unknown => Err(error(
                key.span(),
                format!("`{unknown}` is no argument of `include_model!`; known are {KNOWN}"),
                "remove it, or correct its name",
            )),
        }
    }
}

/// `pub`, `pub(…)` or nothing. Without syn's full grammar the parentheses are taken as they are.
fn visibility(input: ParseStream) -> Result<Option<TokenStream>> {
    if !input.peek(Token![pub]) {
        return Ok(None);
    }
    let public: Token![pub] = input.parse()?;
    let mut visibility = quote!(#public);
    if input.peek(syn::token::Paren) {
        visibility.extend([input.parse::<TokenTree>()?]);
    }
    Ok(Some(visibility))
}

/// `float` or `quantized`
fn io(input: ParseStream) -> Result<Io> {
    let (span, found) = (input.span(), next(input));
    match input.parse::<Ident>().map(|word| word.to_string()).as_deref() {
        Ok("float") => Ok(Io::Float),
        Ok("quantized") => Ok(Io::Quantized),
        _ => Err(error(
            span,
            format!("`io` is {found}; expected `float` or `quantized`"),
            "write what inputs and outputs shall be, or remove `io` to have what the file says",
        )),
    }
}

/// `test` or `build`
fn verify_at(input: ParseStream) -> Result<At> {
    let (span, found) = (input.span(), next(input));
    match input.parse::<Ident>().map(|word| word.to_string()).as_deref() {
        Ok("test") => Ok(At::Test),
        Ok("build") => Ok(At::Build),
        _ => Err(error(
            span,
            format!("`verify_at` is {found}; expected `test` or `build`"),
            "write `verify_at = build` to hold the model to its golden vectors while compiling, or remove it",
        )),
    }
}

/// `1e-3` or `2`
fn tolerance(input: ParseStream) -> Result<f64> {
    let (span, found) = (input.span(), next(input));
    let number = match input.parse::<Lit>() {
        Ok(Lit::Float(number)) => number.base10_parse::<f64>().ok(),
        Ok(Lit::Int(number)) => number.base10_parse::<f64>().ok(),
        _ => None,
    };
    number.filter(|number| *number >= 0.0).ok_or_else(|| {
        let help = "write how far an output may be off: `tolerance = 1e-3`, for integers in steps";
        error(span, format!("`tolerance` is {found}; expected a number of at least 0"), help)
    })
}

/// The token that comes next, for a message.
pub(crate) fn next(input: ParseStream) -> String {
    input.cursor().token_tree().map_or_else(|| "nothing".to_owned(), |(token, _)| format!("`{token}`"))
}

/// The items of `item, item, …`. After one that is wrong it goes on behind the next comma, so that all errors are told at once.
fn list<T>(input: ParseStream, item: impl Fn(ParseStream) -> Result<T>) -> (Vec<T>, Vec<syn::Error>) {
    let (mut items, mut errors) = (Vec::new(), Vec::new());
    while !input.is_empty() {
        match item(input) {
            Ok(item) => {
                items.push(item);
                if !input.is_empty() && !input.peek(Token![,]) {
                    errors.push(explained(input.error("expected `,`"), input));
                }
            }
            Err(fault) => errors.push(explained(fault, input)),
        }
        while !input.is_empty() && !input.peek(Token![,]) {
            let _ = input.parse::<TokenTree>();
        }
        let _ = input.parse::<Token![,]>();
    }
    (items, errors)
}

/// The parser's own errors say what was expected; what was found is where it stopped.
fn explained(fault: syn::Error, input: ParseStream) -> syn::Error {
    let message = fault.to_string();
    if message.contains("= help: ") {
        return fault;
    }
    error(
        fault.span(),
        format!("{message}, found {}", next(input)),
        "write `key = value` or `key: value`, with a comma behind each",
    )
}

/// An error at `span`, in the form of all diagnostics.
pub(crate) fn error(span: Span, message: impl Into<String>, help: &str) -> syn::Error {
    syn::Error::new(span, Diagnostic::new(message, help))
}
