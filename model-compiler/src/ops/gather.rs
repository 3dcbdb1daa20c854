//! `Gather`: slices of a tensor by their indices along one axis.
//!
//! <https://onnx.ai/onnx/operators/onnx__Gather.html>

use std::cmp::Ordering;

use proc_macro2::TokenStream;
use quote::quote;

use super::slice::{self, Span};
use super::{expect_elem, filled, from_front, sized};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, Op, OpDef, Operator, Types};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape, TensorType};
use crate::with_bits;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "Gather", opset: 1..=LATEST, read }];

/// `y[…, j…, …] = x[…, indices[j…], …]`, the index at `axis`; inputs `x` and `indices`.
///
/// Indices that are computed at run time take the nearest place there is where they are out of range.
#[derive(Clone, Debug, PartialEq)]
pub struct Gather {
    /// The axis that is indexed.
    pub axis: usize,
}

fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, indices) = (node.input(0)?, node.input(1)?);
    let shape = node.ty(x).shape.clone();
    let axis = node.axis("axis", 0, shape.len())?;
    let Some(constant) = node.value(indices).and_then(Tensor::to_ints) else {
        return Ok(vec![node.push(Gather { axis }, &[x, indices])?]);
    };
    let size = shape[axis];
    let places = constant.iter().map(|&index| usize::try_from(from_front(index, size)).ok().filter(|&place| place < size));
    let places: Vec<usize> = places.collect::<Option<_>>().ok_or_else(|| {
        Refusal::new(
            format!("`indices` are {constant:?}, but axis {axis} has {size} elements"),
            format!("use indices from -{size} to {}", size.saturating_sub(1)),
        )
    })?;
    let taken = push_constant(node, x, axis, &places)?;
    let shape = output_shape(&shape, axis, &node.ty(indices).shape);
    Ok(vec![node.reshape(taken, shape)?])
}

/// The elements of `x` at `places` along `axis`; a slice of it, where they are evenly spaced.
pub fn push_constant(node: &mut NodeReader, x: ValueId, axis: usize, places: &[usize]) -> Result<ValueId> {
    let Some(span) = progression(places) else {
        let indices = node.add_constant(Tensor::from_sizes(places));
        return node.push(Gather { axis }, &[x, indices]);
    };
    let mut spans: Vec<Span> = node.ty(x).shape.iter().copied().map(Span::all).collect();
    spans[axis] = span;
    slice::push(node, x, spans)
}

/// `places` as evenly spaced elements, if that is what they are.
fn progression(places: &[usize]) -> Option<Span> {
    let (&start, next) = (places.first()?, places.get(1));
    let signed = super::copy::signed;
    let step = next.map_or(1, |&next| signed(next) - signed(start));
    let even = places.windows(2).all(|pair| signed(pair[1]) - signed(pair[0]) == step);
    (even && step != 0).then_some(Span { start, len: places.len(), step })
}

fn output_shape(x: &Shape, axis: usize, indices: &Shape) -> Shape {
    x[..axis].iter().chain(indices.iter()).chain(&x[axis + 1..]).copied().collect()
}

impl Gather {
    fn kernel(&self, x: &Shape) -> kernels::Gather {
        let (outer, rest) = x.split_at(self.axis);
        kernels::Gather { outer: outer.iter().product(), len: rest[0], inner: rest[1..].iter().product() }
    }
}

impl Operator for Gather {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let (x, indices) = (inputs[0], inputs[1]);
        expect_elem("indices", indices, &[ElemType::I32, ElemType::I64])?;
        if x.shape[self.axis] == 0 && indices.elements() > 0 {
            return Err(Refusal::new(
                format!("axis {} of the input {x} has no elements to gather", self.axis),
                "fix the shapes in the exported model, or the sizes given in `dims`",
            ));
        }
        Ok(vec![sized(x.elem, &output_shape(&x.shape, self.axis, &indices.shape))?])
    }

    fn transposed(&self, types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        let (axis, added) = (perm[self.axis], types.inputs[1].shape.len());
        // Where the axes of the input come to lie in the output.
        let behind = |source: usize| match source.cmp(&axis) {
            Ordering::Less => source..source + 1,
            Ordering::Equal => axis..axis + added,
            Ordering::Greater => source + added - 1..source + added,
        };
        Some((Self { axis }.into(), perm.iter().flat_map(|&source| behind(source)).collect()))
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let kernel = self.kernel(&inputs[0].ty().shape);
        let indices = inputs[1].to_ints()?;
        let gathered = with_bits!(outputs[0].elem, T => {
            filled::<T>(&outputs[0], |y| kernel.run(&inputs[0].to_vec::<T>(), &indices, y))
        });
        Some(vec![gathered])
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&self.kernel(&cx.input_ty(0).shape));
        let (x, indices, y) = (cx.input(0), cx.input(1), cx.output(0));
        quote! { #kernel.run(#x, #indices, #y); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    fn rows() -> Tensor {
        Tensor::from_vec([3, 4], &(0..12).collect::<Vec<i64>>())
    }

    #[test]
    fn gathers_of_constants() {
        let node = |axis, indices: &Tensor| OneNode::new("Gather", 13).constant(&rows()).constant(indices).int("axis", axis);
        let list = |indices: &[i64]| Tensor::from_vec([indices.len()], indices);
        let cases = [
            (node(0, &Tensor::from_vec([], &[-1i32])), vec![4], vec![8, 9, 10, 11]),
            (node(1, &list(&[2, 1])), vec![3, 2], vec![2, 1, 6, 5, 10, 9]),
            (node(0, &list(&[0, 2, 2])), vec![3, 4], vec![0, 1, 2, 3, 8, 9, 10, 11, 8, 9, 10, 11]),
            (node(-1, &list(&[3, 3])), vec![3, 2], vec![3, 3, 7, 7, 11, 11]),
            (node(0, &list(&[0, 0, 0]).reshaped([1, 3])).int("axis", 0), vec![1, 3, 4], [0, 1, 2, 3].repeat(3)),
            (node(0, &list(&[])), vec![0, 4], vec![]),
        ];
        for (node, shape, expected) in cases {
            let results = node.results();
            assert_eq!((&results[0].ty().shape[..], results[0].to_ints().unwrap()), (&shape[..], expected), "{node:?}");
        }
        node(0, &list(&[1, -4])).refused("`indices` are [1, -4], but axis 0 has 3 elements", "from -3 to 2");
    }

    #[test]
    fn constant_progressions_are_slices() {
        let node = |indices: &[i64]| OneNode::new("Gather", 13).floats(&[2, 6]).constant_ints(indices).int("axis", 1);
        assert!(node(&[1]).text().contains("Span { start: 1, len: 1, step: 1 }"));
        assert!(node(&[-1, 3, 1]).text().contains("Span { start: 5, len: 3, step: -2 }"));
        assert!(node(&[0, 1, 3]).text().contains("= Gather { axis: 1 } (%0, const i64[3])"));
        assert!(node(&[2, 2]).text().contains("= Gather { axis: 1 }"));
        assert!(node(&[0, 1, 2, 3, 4, 5]).text().contains("= Copy"));
    }

    #[test]
    fn indices_at_run_time() {
        let node = |elem| OneNode::new("Gather", 13).constant(&rows()).input(elem, &[5]);
        assert!(node(ElemType::I32).text().contains("i64[5, 4] = Gather { axis: 0 } (const i64[3, 4], %0)"));
        node(ElemType::F32).refused("`indices` is f32[5]; supported element types are i32, i64", "cast the tensor");
        let empty = OneNode::new("Gather", 13).constant(&Tensor::from_vec::<f32>([0], &[])).input(ElemType::I64, &[1]);
        empty.refused("axis 0 of the input f32[0] has no elements", "fix the shapes");
    }

    #[test]
    fn a_transpose_moves_behind() {
        let types = |rank| (TensorType::new(ElemType::F32, vec![2; 3]), TensorType::new(ElemType::I64, vec![2; rank]));
        let cases = [(0, 1, vec![1, 0]), (1, 1, vec![2, 0, 1]), (2, 0, vec![2, 3, 0, 1])];
        for (rank, axis, expected) in cases {
            let (x, indices) = types(rank);
            let (moved, behind) =
                Gather { axis }.transposed(Types { inputs: &[&x, &indices], outputs: &[] }, &[2, 0, 1]).expect("it always can");
            assert_eq!((moved, behind), (Gather { axis: [2, 0, 1][axis] }.into(), expected), "{rank} {axis}");
        }
    }
}
