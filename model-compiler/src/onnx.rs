//! The file as it is: ONNX bytes decoded, every stored tensor read, nothing interpreted.

pub mod proto;
pub mod tensor;

use prost::Message;
use prost::bytes::Bytes;

use crate::diagnostic::{Diagnostic, Diagnostics};

/// A model file and the way to files beside it.
pub struct Source<'a> {
    /// The file's name in messages: `wake.onnx`.
    pub name: String,
    /// The file's contents.
    pub bytes: Bytes,
    side_files: Option<SideFiles<'a>>,
}

/// Reads a file beside the model, given its name in the model.
type SideFiles<'a> = Box<dyn Fn(&str) -> Result<Bytes, String> + 'a>;

impl<'a> Source<'a> {
    /// A model that has no files beside it.
    pub fn new(name: impl Into<String>, bytes: impl Into<Bytes>) -> Self {
        Self { name: name.into(), bytes: bytes.into(), side_files: None }
    }

    /// The same model, with `read` to fetch files beside it.
    pub fn with_side_files(self, read: impl Fn(&str) -> Result<Bytes, String> + 'a) -> Self {
        Self { side_files: Some(Box::new(read)), ..self }
    }

    /// The contents of a file beside the model, or why they cannot be had.
    pub fn side_file(&self, name: &str) -> Result<Bytes, String> {
        match &self.side_files {
            Some(read) => read(name),
            None => Err("this model was given without files beside it".into()),
        }
    }
}

/// A decoded model that has a graph and names its operator sets.
pub struct Model<'a> {
    /// Where it came from.
    pub source: &'a Source<'a>,
    /// Its graph.
    pub graph: proto::Graph,
    /// Its operator sets.
    pub opsets: Vec<proto::OperatorSet>,
    /// Functions that it defines itself.
    pub functions: Vec<proto::Function>,
}

impl Model<'_> {
    /// The version of `domain`'s operator set, if the model imports it.
    pub fn opset(&self, domain: &str) -> Option<i64> {
        opset(&self.opsets, domain)
    }
}

/// The version of `domain`'s operator set among those that are imported.
pub fn opset(imported: &[proto::OperatorSet], domain: &str) -> Option<i64> {
    let plain = |domain: &str| if domain == "ai.onnx" { String::new() } else { domain.to_owned() };
    imported.iter().find(|opset| plain(&opset.domain) == plain(domain)).map(|opset| opset.version)
}

/// Decodes the file.
pub fn parse<'a>(source: &'a Source<'a>) -> Result<Model<'a>, Diagnostics> {
    let decoded = proto::Model::decode(source.bytes.clone()).map_err(|error| not_onnx(source, &error.to_string()))?;
    let Some(graph) = decoded.graph else {
        return Err(not_onnx(source, "it holds no graph"));
    };
    if decoded.opset_import.is_empty() {
        return Err(not_onnx(source, "it names no operator set"));
    }
    Ok(Model { source, graph, opsets: decoded.opset_import, functions: decoded.functions })
}

/// Tells a truncated file from one that never was ONNX by how it begins: with its IR version, field 1 of the message.
fn not_onnx(source: &Source, problem: &str) -> Diagnostics {
    let size = source.bytes.len();
    if size == 0 {
        return Diagnostic::new(format!("`{}` is empty; expected an ONNX model", source.name), "copy or export the model again")
            .into();
    }
    if source.bytes.starts_with(b"version https://git-lfs") {
        return Diagnostic::new(
            format!("`{}` is a Git LFS pointer, not the model itself", source.name),
            "fetch the file with `git lfs pull`",
        )
        .into();
    }
    if source.bytes[0] == 0x08 {
        return Diagnostic::new(
            format!("`{}` is damaged or truncated: it begins as an ONNX model, but cannot be decoded", source.name),
            "copy or export the model again and compare the file's size",
        )
        .note(format!("the file has {size} bytes; {problem}"))
        .into();
    }
    Diagnostic::new(format!("`{}` is not an ONNX model", source.name), "give the path of a file exported as ONNX (`.onnx`)")
        .note(format!("the file has {size} bytes and begins with `{}`; {problem}", source.bytes[..size.min(16)].escape_ascii()))
        .into()
}
