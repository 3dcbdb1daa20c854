//! `CumSum`, `CumProd`: <https://onnx.ai/onnx/operators/onnx__CumSum.html>

use proc_macro2::TokenStream;
use quote::quote;

use super::{expect_elem, mapped};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels::{self, Overlap};
use crate::op::{LATEST, Op, OpDef, Operator, Types};
use crate::reader::{self, NodeReader};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};
use crate::with_folded;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "CumSum", opset: 11..=LATEST, read: |node| read(node, false) },
    OpDef { name: "CumProd", opset: 26..=LATEST, read: |node| read(node, true) },
];

/// Running sums or products in each lane along `axis`.
#[derive(Clone, Debug, PartialEq)]
pub struct Cumulate {
    /// The axis of the lanes.
    pub axis: usize,
    /// Whether products are meant, else sums.
    pub product: bool,
    /// Whether an element's own value is left out.
    pub exclusive: bool,
    /// Whether it goes from the last element to the first.
    pub reverse: bool,
}

fn read(node: &mut NodeReader, product: bool) -> Result<Vec<ValueId>> {
    let (exclusive, reverse) = (node.flag("exclusive", false)?, node.flag("reverse", false)?);
    let rank = node.ty(node.input(0)?).shape.len();
    node.input(1)?;
    let axis = match node.constant_ints(1, "axis")?.as_deref() {
        Some(&[axis]) => reader::axis("axis", axis, rank)?,
        found => {
            return Err(Refusal::new(
                format!("input `axis` is {:?}; expected one number", found.unwrap_or_default()),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
    };
    node.unary(Cumulate { axis, product, exclusive, reverse })
}

impl Cumulate {
    fn kernel(&self, input: &TensorType) -> kernels::Cumulate {
        let (outer, rest) = input.shape.split_at(self.axis);
        let [outer, inner] = [outer, &rest[1..]].map(|sizes| sizes.iter().product());
        let Self { exclusive, reverse, .. } = *self;
        kernels::Cumulate { outer, len: rest[0], inner, exclusive, reverse }
    }
}

impl Operator for Cumulate {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let numbers: Vec<ElemType> = ElemType::all().filter(|&elem| elem != ElemType::Bool).collect();
        expect_elem("x", inputs[0], &numbers)?;
        Ok(vec![inputs[0].clone()])
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let kernel = self.kernel(&outputs[0]);
        let y = with_folded!(outputs[0].elem, T => mapped::<T>(inputs[0], &outputs[0], |x, y| match self.product {
            true => kernel.product(x, y),
            false => kernel.sum(x, y),
        }))?;
        Some(vec![y])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        Some((Self { axis: perm[self.axis], ..self.clone() }.into(), perm.to_vec()))
    }

    fn overlap(&self, types: Types, _input: usize) -> Overlap {
        self.kernel(types.inputs[0]).overlap(types.inputs[0].elem.size())
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&self.kernel(cx.input_ty(0)));
        let (x, y) = (cx.input(0), cx.output(0));
        match self.product {
            true => quote! { #kernel.product(#x, #y); },
            false => quote! { #kernel.sum(#x, #y); },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    #[test]
    fn sums_and_products_along_an_axis() {
        let node = |op, opset, axis| {
            let x = Tensor::from_vec([2, 3], &[1i64, 2, 3, 4, 5, 6]);
            OneNode::new(op, opset).constant(&x).constant(&Tensor::from_vec([], &[axis]))
        };
        assert_eq!(node("CumSum", 11, 0i64).result_ints(), [1, 2, 3, 5, 7, 9]);
        assert_eq!(node("CumSum", 14, -1).int("reverse", 1).result_ints(), [6, 5, 3, 15, 11, 6]);
        assert_eq!(node("CumProd", 26, 1).int("exclusive", 1).result_ints(), [1, 1, 2, 1, 4, 20]);
        node("CumSum", 14, 2).refused("`axis` is 2, but the input has 2 dimensions", "from -2 to 1");
        let runtime = OneNode::new("CumSum", 14).floats(&[2]).input(ElemType::I32, &[]);
        runtime.refused("input `axis` is `x1`, which is computed at run time", "fixed shapes");
    }
}
