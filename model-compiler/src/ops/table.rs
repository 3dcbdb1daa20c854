//! A function of one byte, as a table of its values.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::{cascade, expect_elem};
use crate::diagnostic::Result;
use crate::emit::Lower;
use crate::kernels::{self, Overlap, Rows};
use crate::op::{Op, Operator, Types, reference_only};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// `y[i] = table[x[i]]`; inputs `x` and the table, which has a value for each byte, those of negative numbers last.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {}

impl Operator for Table {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let bytes = [ElemType::I8, ElemType::U8];
        expect_elem("x", inputs[0], &bytes)?;
        expect_elem("table", inputs[1], &bytes)?;
        Ok(vec![inputs[0].with_elem(inputs[1].elem)])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let table: &[u8; 256] = inputs[1].bytes()[..].try_into().ok()?;
        let bytes: Vec<u8> = inputs[0].bytes().iter().map(|&x| kernels::look_up(table, x)).collect();
        Tensor::new(outputs[0].clone(), bytes).map(|tensor| vec![tensor])
    }

    fn overlap(&self, types: Types, input: usize) -> Overlap {
        match input {
            0 => kernels::Elementwise { shape: [types.outputs[0].elements()] }.overlap([1], 1, 1),
            _ => Overlap::NONE,
        }
    }

    fn rows(&self, types: Types, _constant: &[bool]) -> Option<Rows> {
        cascade::row_for_row(types.outputs[0])
    }

    fn of_one_row(&self, _whole: &TensorType) -> Option<Op> {
        Some(Self {}.into())
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let len = Literal::usize_unsuffixed(cx.output_ty(0).elements());
        let (x, table, y) = (cx.input(0), cx.input(1), cx.output(0));
        quote! { rt::Elementwise { shape: [#len] }.run((#x, [1]), #y, |x| rt::look_up(#table, x)); }
    }
}
