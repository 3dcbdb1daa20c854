//! Constant data of the module: each tensor once, as a byte string reinterpreted while compiling.

use std::collections::HashMap;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use crate::contract;
use crate::emit::interface;
use crate::emit::names::{self, Names};
use crate::kernels::Quad;
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// The constants used so far, in the order of their first use.
#[derive(Debug)]
pub(super) struct Weights {
    names: Names,
    constants: Vec<Constant>,
    by_content: HashMap<(Elem, Vec<u8>), usize>,
}

/// One array of constant data.
#[derive(Debug)]
struct Constant {
    name: Ident,
    elem: Elem,
    /// Its type, for its documentation.
    ty: String,
    bytes: Vec<u8>,
    /// Another takes its place on the targets whose bytes are counted.
    alternative: bool,
}

/// What an array of constant data holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Elem {
    /// Elements of a tensor.
    Tensor(ElemType),
    /// Packed weights, four at a time.
    Quad,
}

impl Elem {
    fn size(self) -> usize {
        match self {
            Self::Tensor(elem) => elem.size(),
            Self::Quad => size_of::<Quad>(),
        }
    }

    fn written(self) -> TokenStream {
        match self {
            Self::Tensor(elem) => interface::elem(elem),
            Self::Quad => quote!(rt::Quad),
        }
    }
}

impl Weights {
    /// None yet, to be named without `path`.
    pub(super) fn new(path: &str) -> Self {
        Self { names: Names::new(&["rt"]).without(path), constants: Vec::new(), by_content: HashMap::new() }
    }

    /// The name of a constant; equal data share one.
    pub(super) fn add(&mut self, name: &str, tensor: Tensor) -> Ident {
        let ty = tensor.ty();
        self.add_bytes(name, Elem::Tensor(ty.elem), ty.to_string(), tensor.bytes().to_vec(), false)
    }

    /// The names of packed weights in two forms, of which one is counted.
    pub(super) fn add_picked(&mut self, name: &str, dsp: Vec<Quad>, portable: Vec<Quad>) -> [Ident; 2] {
        let bytes = |quads: Vec<Quad>| quads.into_iter().flat_map(|Quad(weights)| weights.map(i8::cast_unsigned)).collect();
        let [dsp, portable]: [Vec<u8>; 2] = [dsp, portable].map(bytes);
        if dsp == portable {
            let only = self.add_bytes(name, Elem::Quad, "packed".to_owned(), dsp, false);
            return [only.clone(), only];
        }
        let counted = self.add_bytes(&format!("{name}_dsp"), Elem::Quad, "packed for DSP instructions".to_owned(), dsp, false);
        let portable = self.add_bytes(name, Elem::Quad, "packed for other targets".to_owned(), portable, true);
        [counted, portable]
    }

    fn add_bytes(&mut self, name: &str, elem: Elem, ty: String, bytes: Vec<u8>, alternative: bool) -> Ident {
        let next = self.constants.len();
        let index = *self.by_content.entry((elem, bytes.clone())).or_insert(next);
        if index == next {
            let name = names::constant(&self.names.variable(name));
            self.constants.push(Constant { name, elem, ty, bytes, alternative });
        }
        self.constants[index].name.clone()
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.constants.iter().filter(|constant| !constant.alternative).map(|constant| constant.bytes.len()).sum()
    }

    /// What each of those that are counted takes.
    pub(super) fn counted(self) -> Vec<contract::Constant> {
        let counted = self.constants.into_iter().filter(|constant| !constant.alternative);
        let sized =
            |Constant { name, ty, bytes, .. }: Constant| contract::Constant { name: name.to_string(), ty, bytes: bytes.len() };
        counted.map(sized).collect()
    }

    /// The private module that holds them.
    pub(super) fn module(&self) -> Option<TokenStream> {
        if self.constants.is_empty() {
            return None;
        }
        let statics = self.constants.iter().map(|Constant { name, elem, ty, bytes, .. }| {
            let doc = format!(" {ty}");
            let len = Literal::usize_unsuffixed(bytes.len() / elem.size());
            let (elem, bytes) = (elem.written(), Literal::byte_string(bytes));
            quote! {
                #[doc = #doc]
                pub static #name: [#elem; #len] = rt::weights(#bytes);
            }
        });
        Some(quote! {
            /// The constant data, in the order in which the kernels read it.
            mod weights {
                use super::rt;

                #(#statics)*
            }
        })
    }
}
