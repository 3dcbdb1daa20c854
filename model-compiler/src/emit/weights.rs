//! Constant data of the module: each tensor once, as a byte string reinterpreted while compiling.

use std::collections::HashMap;

use proc_macro2::{Ident, Literal, TokenStream};
use quote::quote;

use crate::emit::interface;
use crate::emit::names::{self, Names};
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// The constants used so far, in the order of their first use.
#[derive(Debug)]
pub(super) struct Weights {
    names: Names,
    tensors: Vec<(Ident, Tensor)>,
    by_content: HashMap<(ElemType, Vec<u8>), usize>,
}

impl Weights {
    /// None yet, to be named without `path`.
    pub(super) fn new(path: &str) -> Self {
        Self { names: Names::new(&["rt"]).without(path), tensors: Vec::new(), by_content: HashMap::new() }
    }

    /// The name of a constant; equal data share one.
    pub(super) fn add(&mut self, name: &str, tensor: Tensor) -> Ident {
        let content = (tensor.ty().elem, tensor.bytes().to_vec());
        let next = self.tensors.len();
        let index = *self.by_content.entry(content).or_insert(next);
        if index == next {
            self.tensors.push((names::constant(&self.names.variable(name)), tensor));
        }
        self.tensors[index].0.clone()
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.tensors.iter().map(|(_, tensor)| tensor.bytes().len()).sum()
    }

    /// The private module that holds them.
    pub(super) fn module(&self) -> Option<TokenStream> {
        if self.tensors.is_empty() {
            return None;
        }
        let statics = self.tensors.iter().map(|(name, tensor)| {
            let ty = tensor.ty();
            let doc = format!(" {ty}");
            let (elem, len) = (interface::elem(ty.elem), Literal::usize_unsuffixed(ty.elements()));
            let bytes = Literal::byte_string(tensor.bytes());
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
