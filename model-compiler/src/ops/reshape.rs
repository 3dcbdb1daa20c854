//! `Reshape`, `Flatten`, `Squeeze`, `Unsqueeze`, `Identity`, `Dropout`: the same elements in another shape, at no cost.
//!
//! <https://onnx.ai/onnx/operators/onnx__Reshape.html>

use proc_macro2::TokenStream;

use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::op::{LATEST, Op, OpDef, Operator, Types, View};
use crate::reader::{self, NodeReader};
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Reshape", opset: 5..=LATEST, read: read_reshape },
    OpDef { name: "Flatten", opset: 1..=LATEST, read: read_flatten },
    OpDef { name: "Squeeze", opset: 1..=12, read: |node| read_squeeze(node, node.ints("axes")?) },
    OpDef { name: "Squeeze", opset: 13..=LATEST, read: |node| read_squeeze(node, node.constant_ints(1, "axes")?) },
    OpDef { name: "Unsqueeze", opset: 1..=12, read: |node| read_unsqueeze(node, node.ints("axes")?) },
    OpDef { name: "Unsqueeze", opset: 13..=LATEST, read: |node| read_unsqueeze(node, node.constant_ints(1, "axes")?) },
    OpDef { name: "Identity", opset: 1..=LATEST, read: |node| Ok(vec![node.input(0)?]) },
    OpDef { name: "Dropout", opset: 6..=11, read: |node| read_dropout(node, ElemType::Bool) },
    OpDef { name: "Dropout", opset: 12..=LATEST, read: |node| read_dropout(node, ElemType::Bool) },
];

/// Row-major elements seen in `shape`.
#[derive(Clone, Debug, PartialEq)]
pub struct Reshape {
    /// The sizes of the output.
    pub shape: Shape,
}

fn read_reshape(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let allow_zero = node.flag("allowzero", false)?;
    let requested = node.constant_ints(1, "shape")?.unwrap_or_default();
    let input = node.ty(node.input(0)?).clone();
    let mut shape = Vec::new();
    let mut inferred = None;
    for (axis, &size) in requested.iter().enumerate() {
        match size {
            -1 if inferred.is_none() => {
                inferred = Some(axis);
                shape.push(1);
            }
            0 if !allow_zero => shape.push(*input.shape.get(axis).ok_or_else(|| mismatch(&input, &requested))?),
            _ => shape.push(usize::try_from(size).map_err(|_| mismatch(&input, &requested))?),
        }
    }
    if let Some(axis) = inferred {
        let known: usize = shape.iter().product();
        shape[axis] = input.elements().checked_div(known).ok_or_else(|| mismatch(&input, &requested))?;
    }
    if shape.iter().product::<usize>() != input.elements() {
        return Err(mismatch(&input, &requested));
    }
    node.unary(Reshape { shape: shape.into() })
}

fn mismatch(input: &TensorType, requested: &[i64]) -> Refusal {
    Refusal::new(
        format!("the input {input} has {} elements, which do not fit the shape {requested:?}", input.elements()),
        "fix the shape in the exported model, or the sizes given in `dims`",
    )
}

fn read_flatten(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let shape = node.ty(node.input(0)?).shape.clone();
    // An axis equal to the rank is allowed: everything is in front of it.
    let axis = match node.int("axis", 1)? {
        axis if usize::try_from(axis) == Ok(shape.len()) => shape.len(),
        axis => reader::axis("axis", axis, shape.len())?,
    };
    let (outer, inner) = shape.split_at(axis);
    node.unary(Reshape { shape: [outer.iter().product::<usize>(), inner.iter().product()].as_slice().into() })
}

fn read_squeeze(node: &mut NodeReader, axes: Option<Vec<i64>>) -> Result<Vec<ValueId>> {
    let shape = node.ty(node.input(0)?).shape.clone();
    let Some(axes) = axes else {
        return node.unary(Reshape { shape: shape.squeezed().into() });
    };
    let axes: Vec<usize> = axes.iter().map(|&axis| reader::axis("axes", axis, shape.len())).collect::<Result<_>>()?;
    if let Some(&axis) = axes.iter().find(|&&axis| shape[axis] != 1) {
        return Err(Refusal::new(
            format!("`axes` names axis {axis}, whose size is {}; only axes of size 1 can be squeezed", shape[axis]),
            "fix `axes` in the exported model, or the sizes given in `dims`",
        ));
    }
    let kept = (0..shape.len()).filter(|axis| !axes.contains(axis)).map(|axis| shape[axis]);
    node.unary(Reshape { shape: kept.collect() })
}

fn read_unsqueeze(node: &mut NodeReader, axes: Option<Vec<i64>>) -> Result<Vec<ValueId>> {
    let shape = node.ty(node.input(0)?).shape.clone();
    let axes = axes.unwrap_or_default();
    let rank = shape.len() + axes.len();
    let axes: Vec<usize> = axes.iter().map(|&axis| reader::axis("axes", axis, rank)).collect::<Result<_>>()?;
    let mut sizes = shape.iter().copied();
    let expanded = (0..rank).map(|axis| if axes.contains(&axis) { Some(1) } else { sizes.next() });
    let expanded: Option<Vec<usize>> = expanded.collect();
    let expanded = expanded
        .filter(|_| sizes.next().is_none())
        .ok_or_else(|| Refusal::new(format!("`axes` is {axes:?}, which names an axis twice"), "name each new axis once"))?;
    node.unary(Reshape { shape: expanded.into() })
}

/// In inference nothing is dropped: <https://onnx.ai/onnx/operators/onnx__Dropout.html>
fn read_dropout(node: &mut NodeReader, mask: ElemType) -> Result<Vec<ValueId>> {
    node.ignore("ratio");
    node.ignore("seed");
    node.ignore("is_test");
    node.optional_input(1);
    if node.constant_ints(2, "training_mode")?.is_some_and(|mode| mode != [0]) {
        return Err(Refusal::new("`training_mode` is true; a compiled model only infers", "export the model in inference mode"));
    }
    let input = node.input(0)?;
    let mut outputs = vec![input];
    if node.has_output(1) {
        let ty = node.ty(input).with_elem(mask);
        let ones = vec![1u8; ty.elements()];
        outputs.push(node.add_constant(Tensor::from_elements(ty, &ones)));
    }
    Ok(outputs)
}

impl Operator for Reshape {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        Ok(vec![inputs[0].with_shape(self.shape.clone())])
    }

    fn transposed(&self, types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        let (from, to) = (&types.inputs[0].shape, &self.shape);
        if from.squeezed() != to.squeezed() {
            return None;
        }
        // Only dimensions of one come or go. The others keep the order that they have before the transpose.
        let wide = |shape: &Shape| (0..shape.len()).filter(|&axis| shape[axis] != 1).collect::<Vec<_>>();
        let mut pairs: Vec<(usize, usize)> = wide(from).into_iter().map(|axis| perm[axis]).zip(wide(to)).collect();
        pairs.sort_unstable();
        let mut sources: Vec<usize> = (0..to.len()).filter(|&axis| to[axis] == 1).collect();
        sources.extend(pairs.into_iter().map(|(_, axis)| axis));
        let shape: Shape = sources.iter().map(|&axis| to[axis]).collect();
        let mut behind = vec![0; to.len()];
        sources.iter().enumerate().for_each(|(place, &axis)| behind[axis] = place);
        Some((Self { shape }.into(), behind))
    }

    fn view(&self, _types: Types) -> Option<View> {
        Some(View::Part(0))
    }

    fn fold(&self, inputs: &[&Tensor], _outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        Some(vec![inputs[0].reshaped(self.shape.clone())])
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        cx.copy()
    }
}
