//! `FlexAttention`: attention whose scores and shares may pass through graphs of the node, which the importer expands between these stages.
//!
//! <https://onnx.ai/onnx/operators/onnx_aionnxpreview_FlexAttention.html>

use super::{Heads, heads, product};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::elementwise::converted;
use crate::ops::softmax::Softmax;
use crate::ops::{FLOATS, expect_elem};
use crate::reader::NodeReader;
use crate::ty::ElemType;

/// `softmax((q · √scale) · (k · √scale)ᵀ) · v` for each head, from the products on in the type that `softmax_precision` asks for.
pub struct Flex {
    v: ValueId,
    /// The type of the operands.
    elem: ElemType,
    /// The type that scores and shares are computed in.
    precision: ElemType,
}

impl Flex {
    /// The attribute with the graph that makes scores of scores.
    pub const SCORES: &str = "score_mod";
    /// The attribute with the graph that makes shares of shares.
    pub const SHARES: &str = "prob_mod";

    /// Reads the node and computes the scores.
    pub fn scores(node: &mut NodeReader) -> Result<(Self, ValueId)> {
        node.ignore(Self::SCORES);
        node.ignore(Self::SHARES);
        let Heads { q, k, v, joined } = heads(node)?;
        let elem = node.ty(q).elem;
        expect_elem("Q", node.ty(q), FLOATS)?;
        if joined {
            return Err(Refusal::new(
                format!("`Q` is {}; expected 4 dimensions", node.ty(q)),
                "split the heads in the exported model",
            ));
        }
        let usual = if elem == ElemType::F64 { ElemType::F64 } else { ElemType::F32 };
        let precision = node.elem_type("softmax_precision")?.unwrap_or(usual);
        let scores = super::scores(node, q, k)?;
        let scores = converted(node, scores, precision)?;
        Ok((Self { v, elem, precision }, scores))
    }

    /// What each key has of each query.
    pub fn shares(node: &mut NodeReader, scores: ValueId) -> Result<ValueId> {
        node.push(Softmax { axis: 3, log: false }, &[scores])
    }

    /// The values, weighted by their shares.
    pub fn result(&self, node: &mut NodeReader, shares: ValueId) -> Result<ValueId> {
        let v = converted(node, self.v, self.precision)?;
        let y = product(node, shares, v)?;
        converted(node, y, self.elem)
    }
}

/// The node without graphs.
pub(super) fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (flex, scores) = Flex::scores(node)?;
    let shares = Flex::shares(node, scores)?;
    Ok(vec![flex.result(node, shares)?])
}
