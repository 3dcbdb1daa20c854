//! `Reshape`, `Flatten`, `Squeeze`, `Unsqueeze`, `Identity`, `Dropout`: the same elements in another shape, at no cost.
//!
//! <https://onnx.ai/onnx/operators/onnx__Reshape.html>

use proc_macro2::TokenStream;

use super::distinct_axes;
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::op::{LATEST, Op, OpDef, Operator, Types, View};
use crate::reader::{self, NodeReader};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Reshape", opset: 5..=13, read: |node| read_reshape(node, false) },
    OpDef { name: "Reshape", opset: 14..=LATEST, read: |node| read_reshape(node, node.flag("allowzero", false)?) },
    OpDef { name: "Flatten", opset: 1..=LATEST, read: read_flatten },
    OpDef { name: "Squeeze", opset: 1..=12, read: |node| read_squeeze(node, node.ints("axes")?) },
    OpDef { name: "Squeeze", opset: 13..=LATEST, read: |node| read_squeeze(node, node.constant_ints(1, "axes")?) },
    OpDef { name: "Unsqueeze", opset: 1..=12, read: |node| read_unsqueeze(node, node.ints("axes")?) },
    OpDef { name: "Unsqueeze", opset: 13..=LATEST, read: |node| read_unsqueeze(node, node.constant_ints(1, "axes")?) },
    OpDef { name: "Identity", opset: 1..=LATEST, read: |node| Ok(vec![node.input(0)?]) },
    OpDef { name: "Dropout", opset: 6..=9, read: |node| read_dropout(node, None) },
    OpDef { name: "Dropout", opset: 10..=LATEST, read: |node| read_dropout(node, Some(ElemType::Bool)) },
];

/// Row-major elements seen in `shape`.
#[derive(Clone, Debug, PartialEq)]
pub struct Reshape {
    /// The sizes of the output.
    pub shape: Shape,
}

/// A size of 0 takes the input's at this axis, unless `allow_zero`; one size of −1 takes what is left.
fn read_reshape(node: &mut NodeReader, allow_zero: bool) -> Result<Vec<ValueId>> {
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
    let product = |shape: &[usize]| shape.iter().try_fold(1, |product: usize, &size| product.checked_mul(size));
    if let Some(axis) = inferred {
        let known = product(&shape);
        shape[axis] = known.and_then(|known| input.elements().checked_div(known)).ok_or_else(|| mismatch(&input, &requested))?;
    }
    if product(&shape) != Some(input.elements()) {
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
    let axes = distinct_axes(&axes, shape.len())?;
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
    let axes = axes.ok_or_else(|| {
        Refusal::new("`axes` is missing; expected the axes to add", "export the model again, or check it with `onnx.checker`")
    })?;
    let rank = shape.len() + axes.len();
    let axes = distinct_axes(&axes, rank)?;
    let mut sizes = shape.iter().copied();
    let expanded = (0..rank).map(|axis| if axes.contains(&axis) { 1 } else { sizes.next().expect("the other axes") });
    node.unary(Reshape { shape: expanded.collect() })
}

/// In inference nothing is dropped, and the mask is all ones, of the input's type where `mask` names no other.
///
/// <https://onnx.ai/onnx/operators/onnx__Dropout.html>
fn read_dropout(node: &mut NodeReader, mask: Option<ElemType>) -> Result<Vec<ValueId>> {
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
        let ty = node.ty(input).clone();
        let mask = mask.unwrap_or(ty.elem);
        let ones = vec![Scalar::of(1.0, mask); ty.elements()];
        outputs.push(node.add_constant(Scalar::tensor(mask, ty.shape, &ones)));
    }
    Ok(outputs)
}

/// For each axis of `coarse` the axes of `fine` into which a reshape splits it, those of one aside; `None` when it joins axes, too.
pub fn split(coarse: &Shape, fine: &Shape) -> Option<Vec<Vec<usize>>> {
    let mut wide = (0..fine.len()).filter(|&axis| fine[axis] != 1);
    let group = |&size: &usize| {
        let (mut axes, mut product) = (Vec::new(), 1);
        while product < size {
            let axis = wide.next()?;
            product *= fine[axis];
            axes.push(axis);
        }
        (product == size).then_some(axes)
    };
    coarse.iter().map(group).collect()
}

impl Operator for Reshape {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        Ok(vec![inputs[0].with_shape(self.shape.clone())])
    }

    fn transposed(&self, types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        // The axes that each one is split into stay together; dimensions of one go to the front.
        let (from, to) = (&types.inputs[0].shape, &self.shape);
        let mut groups: Vec<(usize, Vec<usize>)> = perm.iter().copied().zip(split(from, to)?).collect();
        groups.sort_unstable();
        let mut sources: Vec<usize> = (0..to.len()).filter(|&axis| to[axis] == 1).collect();
        sources.extend(groups.into_iter().flat_map(|(_, axes)| axes));
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

    fn show(&self) -> String {
        "Reshape".to_owned()
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        cx.copy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    #[test]
    fn shapes() {
        let reshape = |opset, shape: &[usize], to: &[i64]| OneNode::new("Reshape", opset).floats(shape).constant_ints(to);
        let empty = Tensor::from_vec::<f32>([0, 6], &[]);
        let flatten = |axis| OneNode::new("Flatten", 13).floats(&[2, 3, 4]).int("axis", axis);
        let squeeze = |opset| OneNode::new("Squeeze", opset).floats(&[1, 3, 1]);
        let unsqueeze = |opset| OneNode::new("Unsqueeze", opset).floats(&[2, 3]);
        let cases = [
            (reshape(6, &[2, 6], &[3, -1]), "f32[3, 4]"),
            (reshape(13, &[2, 6], &[0, 2, 3]), "f32[2, 2, 3]"),
            (reshape(13, &[1], &[]), "f32[]"),
            (OneNode::new("Reshape", 14).constant(&empty).constant_ints(&[3, 0]).int("allowzero", 1), "f32[3, 0]"),
            (flatten(1), "f32[2, 12]"),
            (flatten(0), "f32[1, 24]"),
            (flatten(3), "f32[24, 1]"),
            (flatten(-1), "f32[6, 4]"),
            (squeeze(6), "f32[3]"),
            (squeeze(11).ints("axes", &[-1]), "f32[1, 3]"),
            (squeeze(13), "f32[3]"),
            (squeeze(13).constant_ints(&[0, 2]), "f32[3]"),
            (unsqueeze(6).ints("axes", &[0, 3]), "f32[1, 2, 3, 1]"),
            (unsqueeze(13).constant_ints(&[-1, 1]), "f32[2, 1, 3, 1]"),
        ];
        for (node, expected) in cases {
            assert_eq!(node.types(), [expected], "{node:?}");
        }
        let fix = "fix the shape";
        reshape(13, &[2, 6], &[5, -1]).refused("f32[2, 6] has 12 elements, which do not fit the shape [5, -1]", fix);
        reshape(13, &[2, 6], &[-1, -1]).refused("do not fit the shape [-1, -1]", fix);
        reshape(13, &[2, 6], &[1 << 40, 1 << 40]).refused("do not fit the shape", fix);
        reshape(13, &[2], &[1, 2]).int("allowzero", 1).refused("unknown attribute `allowzero`", "remove the attribute");
        squeeze(13).constant_ints(&[1]).refused("`axes` names axis 1, whose size is 3", "fix `axes`");
        squeeze(13).constant_ints(&[0, -3]).refused("`axes` is [0, -3], which names an axis twice", "each axis once");
        unsqueeze(13).refused("`axes` is missing", "onnx.checker");
        unsqueeze(13).constant_ints(&[0, -4]).refused("`axes` is [0, -4], which names an axis twice", "each axis once");
        unsqueeze(13).constant_ints(&[4]).refused("`axes` is 4, but the input has 3 dimensions", "from -3 to 2");
    }

    #[test]
    fn axes_are_split() {
        let shape = |sizes: &[usize]| Shape::from(sizes);
        assert_eq!(split(&shape(&[1, 6, 4]), &shape(&[2, 1, 3, 4, 1])), Some(vec![vec![], vec![0, 2], vec![3]]));
        assert_eq!(split(&shape(&[6, 4]), &shape(&[24])), None);
        assert_eq!(split(&shape(&[6, 4]), &shape(&[4, 6])), None);
        assert_eq!(split(&shape(&[]), &shape(&[1])), Some(vec![]));
    }

    #[test]
    fn a_transpose_moves_behind() {
        // f32[2, 3, 4] is seen as f32[4, 2, 3], which is split into f32[2, 2, 1, 2, 3].
        let (from, to) = (TensorType::new(ElemType::F32, [4, 2, 3]), Shape::from([2, 2, 1, 2, 3]));
        let types = Types { inputs: &[&from], outputs: &[] };
        let (moved, behind) = Reshape { shape: to }.transposed(types, &[2, 0, 1]).expect("it splits one axis");
        assert_eq!((moved, behind), (Reshape { shape: [1, 2, 3, 2, 2].into() }.into(), vec![3, 4, 0, 1, 2]));
        assert_eq!(Reshape { shape: [8, 3].into() }.transposed(types, &[2, 0, 1]), None);
    }

    #[test]
    fn nothing_is_dropped() {
        let dropout = |opset| OneNode::new("Dropout", opset).constant(&Tensor::from_vec([2], &[3.0f32, 4.0])).outputs(2);
        let kept = Tensor::from_vec([2], &[3.0f32, 4.0]);
        let bools = Tensor::from_elements(kept.ty().with_elem(ElemType::Bool), &[1u8, 1]);
        assert_eq!(dropout(7).float("ratio", 0.3).results(), [kept.clone(), Tensor::from_vec([2], &[1.0f32; 2])]);
        assert_eq!(dropout(10).float("ratio", 0.3).results(), [kept.clone(), bools.clone()]);
        assert_eq!(dropout(13).constant(&Tensor::from_vec([], &[0.3f32])).results(), [kept, bools]);
        let training = Tensor::from_elements(TensorType::new(ElemType::Bool, []), &[1u8]);
        dropout(13).omitted().constant(&training).refused("`training_mode` is true", "inference mode");
    }
}
