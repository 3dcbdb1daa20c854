//! Finds the model beside the invoking file or in the crate's directory, reads it and its side files, and has the crate rebuilt when
//! one of them changes.

use std::cell::RefCell;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use model_compiler::diagnostic::Diagnostic;
use model_compiler::onnx::Source;
use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

/// A model's file.
pub(crate) struct ModelFile {
    literal: LitStr,
    bytes: Vec<u8>,
    directory: PathBuf,
    /// Whether the literal, as `include_bytes!` reads it, names this file.
    beside: bool,
    side_files: RefCell<Vec<PathBuf>>,
}

impl ModelFile {
    /// The file that `literal` names, or which paths were tried.
    pub(crate) fn find(literal: &LitStr) -> Result<Self, Diagnostic> {
        let path = literal.value();
        let candidates = candidates(&path, literal);
        for (candidate, beside) in &candidates {
            if !candidate.is_file() {
                continue;
            }
            let bytes = fs::read(candidate).map_err(|error| {
                Diagnostic::new(format!("`{}` cannot be read: {error}", candidate.display()), "check the file's permissions")
            })?;
            let directory = candidate.parent().unwrap_or(Path::new(".")).to_path_buf();
            return Ok(Self { literal: literal.clone(), bytes, directory, beside: *beside, side_files: RefCell::default() });
        }
        let mut fault =
            Diagnostic::new(format!("model file `{path}` not found"), "put the file at one of these paths, or correct the path");
        for (candidate, _) in &candidates {
            fault = fault.note(format!("tried {}", candidate.display()));
        }
        Err(fault)
    }

    /// The model as the compiler takes it.
    pub(crate) fn source(&self) -> Source<'_> {
        let name =
            Path::new(&self.literal.value()).file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Source::new(name, self.bytes.clone()).with_side_files(|file| {
            let file = Path::new(file);
            let inside = file.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
            if !inside {
                return Err("the path leads out of the model's directory".to_owned());
            }
            let path = self.directory.join(file);
            let bytes = fs::read(&path).map_err(|error| match error.kind() {
                ErrorKind::NotFound => format!("there is no {}", path.display()),
                _ => format!("{}: {error}", path.display()),
            })?;
            self.side_files.borrow_mut().push(file.to_path_buf());
            Ok(bytes.into())
        })
    }

    /// Items by which a change of a file rebuilds the crate. They stand last, as `cargo expand` prints the bytes.
    pub(crate) fn tracked(&self) -> TokenStream {
        let mut files: Vec<String> = vec![self.literal.value()];
        let folder = Path::new(&files[0]).parent().map(Path::to_path_buf).unwrap_or_default();
        let mut side_files: Vec<PathBuf> = self.side_files.borrow().clone();
        side_files.sort();
        side_files.dedup();
        files.extend(side_files.iter().map(|file| folder.join(file).to_string_lossy().replace('\\', "/")));
        let span = self.literal.span();
        let items = files.iter().map(|file| {
            let file = LitStr::new(file, span);
            if self.beside {
                quote! { const _: &[u8] = ::core::include_bytes!(#file); }
            } else {
                quote! { const _: &[u8] = ::core::include_bytes!(::core::concat!(::core::env!("CARGO_MANIFEST_DIR"), "/", #file)); }
            }
        });
        quote! { #(#items)* }
    }
}

/// Where a model may lie: beside the invoking file, then in the manifest directory, and in its `src` where the compiler does not tell
/// the invoking file. With each, whether `include_bytes!` finds it by the literal alone.
fn candidates(path: &str, literal: &LitStr) -> Vec<(PathBuf, bool)> {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let invoking = literal.span().unwrap().local_file().and_then(|file| fs::canonicalize(file).ok());
    let beside = invoking.as_deref().and_then(Path::parent).map(|folder| (folder.join(path), true));
    let in_src = if beside.is_none() { manifest.as_ref().map(|root| (root.join("src").join(path), false)) } else { None };
    let in_manifest = manifest.map(|root| (root.join(path), false));
    let mut candidates: Vec<(PathBuf, bool)> = beside.into_iter().chain(in_manifest).chain(in_src).collect();
    candidates.dedup_by(|a, b| a.0 == b.0);
    candidates
}
