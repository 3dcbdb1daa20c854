//! `ScatterElements`, `ScatterND`, `TensorScatter`, `MaxUnpool`, `Col2Im`: elements put to places of a tensor.
//!
//! <https://onnx.ai/onnx/operators/onnx__ScatterElements.html>, <https://onnx.ai/onnx/operators/onnx__ScatterND.html>

mod images;

use proc_macro2::TokenStream;
use quote::quote;

use super::index::{self, sizes_constant};
use super::{expect_elem, filled};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels::{self, Overlap};
use crate::op::{LATEST, OpDef, Operator, Types};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape, TensorType};
use crate::{with_bits, with_folded};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Scatter", opset: 9..=10, read: |node| read_elements(node, Reduction::Last) },
    OpDef { name: "ScatterElements", opset: 11..=15, read: |node| read_elements(node, Reduction::Last) },
    OpDef { name: "ScatterElements", opset: 16..=LATEST, read: |node| read_elements(node, reduction(node)?) },
    OpDef { name: "ScatterND", opset: 11..=15, read: |node| read_slices(node, Reduction::Last) },
    OpDef { name: "ScatterND", opset: 16..=LATEST, read: |node| read_slices(node, reduction(node)?) },
    OpDef { name: "TensorScatter", opset: 24..=LATEST, read: images::read_tensor_scatter },
    OpDef { name: "MaxUnpool", opset: 9..=LATEST, read: images::read_max_unpool },
    OpDef { name: "Col2Im", opset: 18..=LATEST, read: images::read_col2im },
];

/// `y = data`, and then `y[indices[j]] = reduction(y[indices[j]], updates[j])` for each slice `j` of `updates` in their order, where axis 0
/// of `data` counts its slices; inputs `data`, `indices` and `updates`. What an index out of range names is not written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scatter {
    /// What becomes of an element and its update.
    pub reduction: Reduction,
}

/// What becomes of an element and its update.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reduction {
    /// The update.
    Last,
    /// Their sum.
    Add,
    /// Their product.
    Mul,
    /// The greater.
    Max,
    /// The lesser.
    Min,
}

fn reduction(node: &NodeReader) -> Result<Reduction> {
    // Operator sets 16 and 17 know fewer words.
    Ok(match node.word("reduction", &["none", "add", "mul", "max", "min"])? {
        "add" => Reduction::Add,
        "mul" => Reduction::Mul,
        "max" => Reduction::Max,
        "min" => Reduction::Min,
        _ => Reduction::Last,
    })
}

fn read_elements(node: &mut NodeReader, reduction: Reduction) -> Result<Vec<ValueId>> {
    let (data, indices, updates) = (node.input(0)?, node.input(1)?, node.input(2)?);
    let shape = node.ty(data).shape.clone();
    let axis = node.axis("axis", 0, shape.len())?;
    expect_updates(node, updates, &node.ty(indices).shape.clone())?;
    let places = index::elements(node, &shape, indices, axis)?;
    Ok(vec![push(node, data, shape.len(), places, updates, reduction)?])
}

fn read_slices(node: &mut NodeReader, reduction: Reduction) -> Result<Vec<ValueId>> {
    let (data, indices, updates) = (node.input(0)?, node.input(1)?, node.input(2)?);
    let shape = node.ty(data).shape.clone();
    let (places, axes) = index::slices(node, &shape, indices, 0)?;
    let expected = node.ty(places).shape.iter().chain(&shape[axes..]).copied().collect();
    expect_updates(node, updates, &expected)?;
    Ok(vec![push(node, data, axes, places, updates, reduction)?])
}

fn expect_updates(node: &NodeReader, updates: ValueId, expected: &Shape) -> Result<()> {
    let found = node.ty(updates);
    if found.shape == *expected {
        return Ok(());
    }
    Err(Refusal::new(
        format!("`updates` is {found}; expected the shape {expected}"),
        "fix the shapes in the exported model, or the sizes given in `dims`",
    ))
}

/// Pushes a scatter of `updates` to `places`, which count the slices of `data` along its first `axes` axes.
fn push(
    node: &mut NodeReader,
    data: ValueId,
    axes: usize,
    places: ValueId,
    updates: ValueId,
    reduction: Reduction,
) -> Result<ValueId> {
    let shape = node.ty(data).shape.clone();
    let (counted, slice) = shape.split_at(axes);
    let inner = slice.iter().product();
    let flat = node.reshape(data, [counted.iter().product(), inner])?;
    let count = node.ty(places).elements();
    let places = node.reshape(places, [count])?;
    let updates = node.reshape(updates, [count, inner])?;
    let y = node.push(Scatter { reduction }, &[flat, places, updates])?;
    node.reshape(y, shape)
}

impl Scatter {
    fn kernel(data: &TensorType) -> kernels::Scatter {
        kernels::Scatter { slices: data.shape[0], inner: data.shape[1] }
    }
}

impl Operator for Scatter {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let (data, updates) = (inputs[0], inputs[2]);
        let numbers: Vec<ElemType> = ElemType::all().filter(|&elem| elem != ElemType::Bool).collect();
        if self.reduction != Reduction::Last {
            expect_elem("data", data, &numbers)?;
        }
        if updates.elem != data.elem {
            return Err(Refusal::new(
                format!("`updates` is {} and the data {}; expected one type", updates.elem, data.elem),
                "cast one of them in the exported model",
            ));
        }
        Ok(vec![data.clone()])
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let kernel = Self::kernel(&outputs[0]);
        let indices = inputs[1].to_ints()?;
        let y = match self.reduction {
            Reduction::Last => with_bits!(outputs[0].elem, T => {
                let (data, updates) = (inputs[0].to_vec::<T>(), inputs[2].to_vec::<T>());
                filled::<T>(&outputs[0], |y| kernel.run(&data, &indices, &updates, y, |_, update| update))
            }),
            reduction => with_folded!(outputs[0].elem, T => {
                let (data, updates) = (inputs[0].to_vec::<T>(), inputs[2].to_vec::<T>());
                let combine = match reduction {
                    Reduction::Add => kernels::add,
                    Reduction::Mul => kernels::mul,
                    Reduction::Max => kernels::max,
                    _ => kernels::min::<T>,
                };
                filled::<T>(&outputs[0], |y| kernel.run(&data, &indices, &updates, y, combine))
            })?,
        };
        Some(vec![y])
    }

    fn overlap(&self, types: Types, input: usize) -> Overlap {
        if input == 0 { Self::kernel(types.inputs[0]).overlap() } else { Overlap::NONE }
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&Self::kernel(cx.input_ty(0)));
        let (indices, updates, y) = (cx.input(1), cx.input(2), cx.output(0));
        let combine = match self.reduction {
            Reduction::Last => quote!(|_, update| update),
            Reduction::Add => quote!(rt::add),
            Reduction::Mul => quote!(rt::mul),
            Reduction::Max => quote!(rt::max),
            Reduction::Min => quote!(rt::min),
        };
        // Constant data of one value, as are the zeros of an image to be made, are no weights.
        if let Some(value) = cx.uniform(0) {
            let value = value.typed_literal();
            return quote! {
                rt::fill(#y, #value);
                #kernel.run(#y, #indices, #updates, #y, #combine);
            };
        }
        let data = cx.input(0);
        quote! { #kernel.run(#data, #indices, #updates, #y, #combine); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    fn ints(shape: &[usize], values: &[i64]) -> Tensor {
        Tensor::from_vec(shape, values)
    }

    #[test]
    fn elements_along_an_axis() {
        let node = |axis, word| {
            let node = OneNode::new("ScatterElements", 18).constant(&ints(&[3, 2], &[1, 2, 3, 4, 5, 6])).int("axis", axis);
            node.constant(&ints(&[2, 1], &[1, -1])).constant(&ints(&[2, 1], &[10, 20])).word("reduction", word)
        };
        // Row 0 of the updates goes to row 1, row 1 to row 2; along axis 1 both to column 1 of their rows.
        assert_eq!(node(0, "none").result_ints(), [1, 2, 10, 4, 20, 6]);
        assert_eq!(node(0, "add").result_ints(), [1, 2, 13, 4, 25, 6]);
        assert_eq!(node(1, "mul").result_ints(), [1, 20, 3, 80, 5, 6]);
        assert_eq!(node(1, "max").result_ints(), [1, 10, 3, 20, 5, 6]);
        assert_eq!(node(1, "min").result_ints(), [1, 2, 3, 4, 5, 6]);
        node(0, "mean").refused("`reduction` is `mean`; supported: `none`, `add`, `mul`, `max`, `min`", "supported value");
    }

    #[test]
    fn slices_by_rows_of_indices() {
        let node = |indices: &Tensor, updates: &Tensor| {
            OneNode::new("ScatterND", 16).constant(&ints(&[2, 2, 2], &[0; 8])).constant(indices).constant(updates)
        };
        assert_eq!(node(&ints(&[1, 1], &[1]), &ints(&[1, 2, 2], &[1, 2, 3, 4])).result_ints(), [0, 0, 0, 0, 1, 2, 3, 4]);
        assert_eq!(node(&ints(&[2, 2], &[0, 1, 1, 0]), &ints(&[2, 2], &[1, 2, 3, 4])).result_ints(), [0, 0, 1, 2, 3, 4, 0, 0]);
        let twice = node(&ints(&[2, 3], &[0, 0, 0, 0, 0, 0]), &ints(&[2], &[3, 4]));
        assert_eq!(twice.result_ints()[0], 4, "the last of two updates stays");
        assert_eq!(twice.word("reduction", "add").result_ints()[0], 7);
        node(&ints(&[1, 1], &[1]), &ints(&[2, 2], &[0; 4]))
            .refused("`updates` is i64[2, 2]; expected the shape [1, 2, 2]", "fix");
        node(&ints(&[1, 1], &[2]), &ints(&[1, 2, 2], &[0; 4])).refused("`indices` holds 2 for an axis of 2 elements", "from -2");
    }

    #[test]
    fn data_is_written_in_place() {
        let node = OneNode::new("ScatterND", 16).floats(&[8, 3]).input(ElemType::I64, &[2, 1]).floats(&[2, 3]);
        assert!(node.text().contains("f32[8, 3] = Scatter { reduction: Last }"), "{}", node.text());
        let ty = TensorType::new(ElemType::F32, [8, 3]);
        let types = Types { inputs: &[&ty, &ty, &ty], outputs: &[&ty] };
        let scatter = Scatter { reduction: Reduction::Add };
        assert_eq!(scatter.overlap(types, 0).forward, Some(0));
        assert_eq!(scatter.overlap(types, 2), Overlap::NONE);
        let node = OneNode::new("ScatterND", 16).floats(&[8]).input(ElemType::I64, &[2, 1]).input(ElemType::I8, &[2]);
        node.refused("`updates` is i8 and the data f32", "cast one of them");
    }
}
