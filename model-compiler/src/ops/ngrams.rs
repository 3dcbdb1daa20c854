//! `TfIdfVectorizer` of numbers: how often sequences of them occur.
//!
//! <https://onnx.ai/onnx/operators/onnx__TfIdfVectorizer.html>

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;

use super::elementwise::{Elementwise, Expr, push};
use super::{expect_elem, filled, sized};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, OpDef, Operator, reference_only};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "TfIdfVectorizer", opset: 9..=LATEST, read }];

/// Counts n-grams in each row; inputs the rows, the elements of all n-grams, and for each its first element, its length and its place in
/// the result.
#[derive(Clone, Debug, PartialEq)]
pub struct NGrams {
    /// Elements of a row of the result.
    pub outputs: usize,
    /// The most elements between two of an n-gram.
    pub skips: usize,
}

fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    expect_elem("X", node.ty(x), &[ElemType::I32, ElemType::I64])?;
    let mode = node.word("mode", &["TF", "IDF", "TFIDF"])?;
    let [least, most, skips] = ["min_gram_length", "max_gram_length", "max_skip_count"].map(|name| number(node, name));
    let pool = node.ints("pool_int64s")?.unwrap_or_default();
    let indexes = places(node, "ngram_indexes")?;
    let outputs = indexes.iter().max().map_or(0, |last| last + 1);
    let grams = grams(node, &pool, &indexes, least?..=most?)?;
    let table: Vec<i32> = grams.iter().flatten().filter_map(|&number| i32::try_from(number).ok()).collect();
    let elements: Vec<Scalar> = match node.ty(x).elem {
        ElemType::I64 => pool.iter().map(|&token| Scalar::I64(token)).collect(),
        _ => pool.iter().filter_map(|&token| i32::try_from(token).ok()).map(Scalar::I32).collect(),
    };
    if elements.len() != pool.len() || table.len() != 3 * grams.len() {
        return Err(Refusal::new("the n-grams hold numbers that `X` cannot", "export the model with an `X` of i64"));
    }
    let pool = node.add_constant(Scalar::tensor(node.ty(x).elem, [pool.len()], &elements));
    let table = node.add_constant(Tensor::from_vec([table.len()], &table));
    let counts = node.push(NGrams { outputs, skips: skips? }, &[x, pool, table])?;
    if mode == "TF" {
        return Ok(vec![counts]);
    }
    let y = match mode {
        "IDF" => {
            let least = Expr::call("min", [Expr::Input(0), Expr::number(1.0, ElemType::F32)]);
            node.push(Elementwise { expr: least }, &[counts])?
        }
        _ => counts,
    };
    let Some(weights) = node.floats("weights")? else { return Ok(vec![y]) };
    if weights.len() != outputs {
        return Err(unsupported_attribute(
            "weights",
            &format!("{} numbers", weights.len()),
            &format!("{outputs}, one an output"),
        ));
    }
    let weights = node.add_constant(Tensor::from_vec([outputs], &weights));
    Ok(vec![push(node, "mul", &[y, weights])?])
}

/// Attribute `name` as a number.
fn number(node: &NodeReader, name: &'static str) -> Result<usize> {
    let found = node.int(name, 0)?;
    usize::try_from(found).map_err(|_| unsupported_attribute(name, &found.to_string(), "0 and above"))
}

/// Attribute `name` as places.
fn places(node: &NodeReader, name: &'static str) -> Result<Vec<usize>> {
    super::sizes(name, &node.ints(name)?.unwrap_or_default())
}

/// The n-grams of lengths in `lengths`: first element, length, and place in the result. Of two that are equal the last counts.
fn grams(
    node: &NodeReader,
    pool: &[i64],
    indexes: &[usize],
    lengths: std::ops::RangeInclusive<usize>,
) -> Result<Vec<[usize; 3]>> {
    let starts = places(node, "ngram_counts")?;
    let mut grams: BTreeMap<&[i64], [usize; 3]> = BTreeMap::new();
    let mut indexes_left = indexes.iter();
    for (level, &start) in starts.iter().enumerate() {
        let (len, end) = (level + 1, starts.get(level + 1).copied().unwrap_or(pool.len()));
        if end > pool.len() || start > end || !(end - start).is_multiple_of(len) {
            return Err(unsupported_attribute(
                "ngram_counts",
                &format!("{starts:?}"),
                "the first place of each length in the pool",
            ));
        }
        for first in (start..end).step_by(len) {
            let Some(&index) = indexes_left.next() else {
                return Err(unsupported_attribute("ngram_indexes", &format!("{indexes:?}"), "one number for each n-gram"));
            };
            if lengths.contains(&len) {
                grams.insert(&pool[first..first + len], [first, len, index]);
            }
        }
    }
    Ok(grams.into_values().collect())
}

impl NGrams {
    fn kernel(&self, rows: &TensorType) -> kernels::NGrams {
        let columns = rows.shape.last().copied().unwrap_or(0);
        let all = rows.shape.iter().rev().skip(1).product();
        kernels::NGrams { rows: all, columns, outputs: self.outputs, skips: self.skips }
    }
}

impl Operator for NGrams {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let shape = &inputs[0].shape;
        let sizes = match shape[..] {
            [_] => vec![self.outputs],
            [rows, _] => vec![rows, self.outputs],
            _ => return Err(Refusal::new(format!("`X` is {}; expected one or two dimensions", inputs[0]), "reshape the input")),
        };
        Ok(vec![sized(ElemType::F32, &sizes)?])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let kernel = self.kernel(inputs[0].ty());
        let (pool, grams) = (inputs[1], inputs[2]);
        (inputs[0].ty().elem == ElemType::I64).then(|| {
            let x = inputs[0].to_vec::<i64>();
            vec![filled::<f32>(&outputs[0], |y| kernel.run(&x, &pool.to_vec::<i64>(), &grams.to_vec::<i32>(), y))]
        })
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&self.kernel(cx.input_ty(0)));
        let (x, pool, grams, y) = (cx.input(0), cx.input(1), cx.input(2), cx.output(0));
        quote! { #kernel.run(#x, #pool, #grams, #y); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    #[test]
    fn types_and_refusals() {
        let node = |elem, shape: &[usize]| {
            let node = OneNode::new("TfIdfVectorizer", 9).input(elem, shape).ints("pool_int64s", &[2, 3, 5, 4]);
            node.ints("ngram_counts", &[0, 2]).int("min_gram_length", 1).int("max_gram_length", 2).int("max_skip_count", 0)
        };
        let indexed = |elem, shape: &[usize]| node(elem, shape).ints("ngram_indexes", &[0, 1, 4]);
        assert_eq!(indexed(ElemType::I64, &[6]).types(), ["f32[5]"]);
        let weighted = indexed(ElemType::I32, &[2, 6]).word("mode", "TFIDF");
        assert_eq!(weighted.types(), ["f32[2, 5]"]);
        indexed(ElemType::F32, &[6]).refused("`X` is f32[6]; supported element types are i32, i64", "cast");
        indexed(ElemType::I64, &[1, 2, 6]).refused("expected one or two dimensions", "reshape");
        node(ElemType::I64, &[6]).ints("ngram_indexes", &[0]).refused("`ngram_indexes` is [0]; supported: one number", "");
    }
}
