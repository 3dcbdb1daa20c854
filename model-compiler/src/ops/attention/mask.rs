//! Which keys each query of an `Attention` sees.

use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::ops::expect_elem;
use crate::ops::index::sizes_constant;
use crate::ops::pad::{Mode, Pad};
use crate::ops::reduce::{Method, Reduce};
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::ty::{ElemType, broadcast};

/// What is added to the scores: minus infinity where a key is not seen.
pub struct Mask {
    elem: ElemType,
    /// Of `inputs`, counted from 1: input 0 is what it is added to. `None` where every key is seen.
    bias: Option<Expr>,
    inputs: Vec<ValueId>,
    /// The greatest bias of each row, where there may be rows of minus infinity alone.
    greatest: Option<ValueId>,
}

impl Mask {
    /// Reads what masks the scores of `positions` queries for `keys` keys.
    pub fn read(
        node: &mut NodeReader,
        window: [Option<i64>; 2],
        (past, has_past): (usize, bool),
        [batch, positions, keys]: [usize; 3],
    ) -> Result<Self> {
        let causal = node.flag("is_causal", false)?;
        let elem = node.ty(node.input(0)?).elem;
        let mut mask = Self { elem, bias: None, inputs: Vec::new(), greatest: None };
        if let Some(given) = node.optional_input(3) {
            mask.add_given(node, given, [positions, keys])?;
        }
        let lens = node.optional_input(6);
        if causal || window != [None; 2] || lens.is_some() {
            let columns: Vec<usize> = (0..keys).collect();
            let columns = sizes_constant(node, &columns, [keys]);
            let column = mask.input(columns);
            let len = match lens {
                Some(lens) => {
                    expect_elem("nonpad_kv_seqlen", node.ty(lens), &[ElemType::I64])?;
                    let lens = node.reshape(lens, [batch, 1, 1, 1])?;
                    Some(mask.input(lens))
                }
                None => None,
            };
            if let Some(len) = len.clone() {
                mask.show_where(Expr::call("less", [column.clone(), len]));
            }
            let number = |value: usize| Expr::Constant(Scalar::I64(i64::try_from(value).expect("sizes fit i64")));
            // Query `row` stands at position row + offset.
            let offset = match len {
                Some(len) if !has_past => Expr::call("sub", [len, number(positions)]),
                _ => number(past),
            };
            let rows: Vec<usize> = (0..positions).collect();
            let rows = sizes_constant(node, &rows, [positions, 1]);
            let row = mask.input(rows);
            let ahead = Expr::call("sub", [column, Expr::call("add", [row, offset])]);
            let bounds = [
                (causal, 0, "less_or_equal"),
                (window[0].is_some(), window[0].map_or(0, |size| -size), "greater_or_equal"),
                (window[1].is_some(), window[1].unwrap_or(0), "less_or_equal"),
            ];
            for (_, bound, relation) in bounds.into_iter().filter(|(applies, ..)| *applies) {
                mask.show_where(Expr::call(relation, [ahead.clone(), Expr::Constant(Scalar::I64(bound))]));
            }
        }
        mask.find_blind_rows(node)?;
        Ok(mask)
    }

    /// One more input of the bias.
    fn input(&mut self, id: ValueId) -> Expr {
        self.inputs.push(id);
        Expr::Input(self.inputs.len())
    }

    /// Hides what is not `seen`.
    fn show_where(&mut self, seen: Expr) {
        let shown = self.bias.take().unwrap_or_else(|| Expr::number(0.0, self.elem));
        self.bias = Some(Expr::call("select", [seen, shown, Expr::Constant(Scalar::lowest(self.elem))]));
    }

    /// The mask that the model gives: booleans, or numbers to add. Keys beyond it are not seen.
    fn add_given(&mut self, node: &mut NodeReader, mut given: ValueId, sizes: [usize; 2]) -> Result<()> {
        let ty = node.ty(given).clone();
        expect_elem("attn_mask", &ty, &[ElemType::Bool, self.elem])?;
        let is_bool = ty.elem == ElemType::Bool;
        let len = ty.shape.last().copied().unwrap_or(1);
        if len < sizes[1] && len > 1 {
            let before = vec![0; ty.shape.len()];
            let mut after = before.clone();
            *after.last_mut().expect("it has a last axis") = sizes[1] - len;
            let hidden = if is_bool { Scalar::Bool(0) } else { Scalar::lowest(self.elem) };
            given = node.push(Pad { before, after, mode: Mode::Constant(hidden) }, &[given])?;
        }
        let matrix = sizes.as_slice().into();
        if ty.shape.len() > 4 || broadcast([&node.ty(given).shape, &matrix]).is_none() {
            return Err(Refusal::new(
                format!("`attn_mask` is {ty}; expected what broadcasts to {} queries and {} keys", sizes[0], sizes[1]),
                "fix the shapes in the exported model, or the sizes given in `dims`",
            ));
        }
        let input = self.input(given);
        match is_bool {
            true => self.show_where(input),
            false => self.bias = Some(input),
        }
        Ok(())
    }

    /// A row in which no key is seen has no share for any.
    fn find_blind_rows(&mut self, node: &mut NodeReader) -> Result<()> {
        let Some(bias) = &self.bias else { return Ok(()) };
        let expr = bias.substitute(&|index| Expr::Input(index - 1));
        let bias = node.push(Elementwise { expr }, &self.inputs)?;
        let last = node.ty(bias).shape.len() - 1;
        let greatest = node.push(Reduce { method: Method::Max, axes: vec![last] }, &[bias])?;
        let lowest = Scalar::lowest(self.elem);
        let sees = node.value(greatest).is_some_and(|rows| !Scalar::all(rows).contains(&lowest));
        if !sees {
            self.greatest = Some(greatest);
        }
        // What is computed at run time is computed once.
        if node.value(bias).is_none() {
            self.inputs = vec![bias];
            self.bias = Some(Expr::Input(1));
        }
        Ok(())
    }

    /// The scores with the bias.
    pub fn add_to(&self, node: &mut NodeReader, scores: ValueId) -> Result<ValueId> {
        let Some(bias) = &self.bias else { return Ok(scores) };
        let inputs: Vec<ValueId> = [scores].into_iter().chain(self.inputs.iter().copied()).collect();
        let expr = Expr::call("add", [Expr::Input(0), bias.clone()]);
        node.push(Elementwise { expr }, &inputs)
    }

    /// The shares, none in rows where no key is seen.
    pub fn without_blind_rows(&self, node: &mut NodeReader, shares: ValueId) -> Result<ValueId> {
        let Some(greatest) = self.greatest else { return Ok(shares) };
        let is_blind = Expr::call("equal", [Expr::Input(1), Expr::Constant(Scalar::lowest(self.elem))]);
        let expr = Expr::call("select", [is_blind, Expr::number(0.0, self.elem), Expr::Input(0)]);
        node.push(Elementwise { expr }, &[shares, greatest])
    }
}
