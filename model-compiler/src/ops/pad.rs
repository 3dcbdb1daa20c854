//! `Pad`: <https://onnx.ai/onnx/operators/onnx__Pad.html>

use proc_macro2::TokenStream;
use quote::quote;

use super::elementwise::{Elementwise, Expr};
use super::slice::{self, Span};
use super::{distinct_axes, filled, sized};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, Op, OpDef, Operator, Types};
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape, TensorType};
use crate::with_bits;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Pad", opset: 2..=10, read: read_attributes },
    OpDef { name: "Pad", opset: 11..=17, read: |node| read_inputs(node, &MODES[..3], None) },
    OpDef { name: "Pad", opset: 18..=18, read: |node| read_inputs(node, &MODES[..3], node.constant_ints(3, "axes")?) },
    OpDef { name: "Pad", opset: 19..=LATEST, read: |node| read_inputs(node, &MODES, node.constant_ints(3, "axes")?) },
];

/// The words of attribute `mode`.
const MODES: [&str; 4] = ["constant", "reflect", "edge", "wrap"];

/// The most dimensions that a padding has after [`Pad::simplified`].
const MAX_RANK: usize = 8;

/// The input surrounded by more elements.
#[derive(Clone, Debug, PartialEq)]
pub struct Pad {
    /// How many elements are put before it, along each axis.
    pub before: Vec<usize>,
    /// How many elements are put behind it, along each axis.
    pub after: Vec<usize>,
    /// What they are.
    pub mode: Mode,
}

/// What a tensor is surrounded by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// One value.
    Constant(Scalar),
    /// The outermost elements.
    Edge,
    /// The mirror image, in which the outermost elements are not repeated.
    Reflect,
    /// The tensor itself again.
    Wrap,
}

fn read_attributes(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let word = node.word("mode", &MODES[..3])?;
    let value = Scalar::of(node.float("value", 0.0)?.into(), node.ty(node.input(0)?).elem);
    let pads = node.ints("pads")?.unwrap_or_default();
    pad(node, &pads, None, mode(word, value))
}

fn read_inputs(node: &mut NodeReader, words: &[&'static str], axes: Option<Vec<i64>>) -> Result<Vec<ValueId>> {
    let word = node.word("mode", words)?;
    let elem = node.ty(node.input(0)?).elem;
    let pads = node.constant_ints(1, "pads")?.unwrap_or_default();
    let Some(value) = node.optional_input(2) else { return pad(node, &pads, axes, mode(word, Scalar::zero(elem))) };
    let found = node.ty(value).clone();
    if found.elem != elem || found.elements() != 1 {
        return Err(Refusal::new(
            format!("input `constant_value` is {found}; expected one element of type {elem}"),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    match node.value(value).map(Scalar::all).as_deref() {
        Some([constant]) => pad(node, &pads, axes, mode(word, *constant)),
        _ if word == "constant" => pad_by_computed(node, &pads, axes, value),
        _ => pad(node, &pads, axes, mode(word, Scalar::zero(elem))),
    }
}

/// Surrounds the input by a value that is known at run time only: chosen for each element that a constant mask says is padding.
fn pad_by_computed(node: &mut NodeReader, pads: &[i64], axes: Option<Vec<i64>>, value: ValueId) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let TensorType { elem, shape } = node.ty(x).clone();
    let padded = pad(node, pads, axes.clone(), Mode::Constant(Scalar::zero(elem)))?[0];
    let inside = vec![Scalar::Bool(1); shape.iter().product()];
    let inside = node.add_constant(Scalar::tensor(ElemType::Bool, shape, &inside));
    node.set_inputs(vec![Some(inside)]);
    let mask = pad(node, pads, axes, Mode::Constant(Scalar::Bool(0)))?[0];
    let value = node.reshape(value, [])?;
    let expr = Expr::call("select", [Expr::Input(0), Expr::Input(1), Expr::Input(2)]);
    Ok(vec![node.push(Elementwise { expr }, &[mask, padded, value])?])
}

fn mode(word: &str, value: Scalar) -> Mode {
    match word {
        "constant" => Mode::Constant(value),
        "edge" => Mode::Edge,
        "reflect" => Mode::Reflect,
        _ => Mode::Wrap,
    }
}

/// Pushes a padding by `pads`, before each of `axes` and then behind each; negative ones cut off.
fn pad(node: &mut NodeReader, pads: &[i64], axes: Option<Vec<i64>>, mode: Mode) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let shape = node.ty(x).shape.clone();
    let axes = axes.map_or_else(|| Ok((0..shape.len()).collect()), |axes| distinct_axes(&axes, shape.len()))?;
    if pads.len() != 2 * axes.len() {
        return Err(Refusal::new(
            format!("`pads` is {pads:?}; expected {} numbers, two for each of {} axes", 2 * axes.len(), axes.len()),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    let (mut before, mut after) = (vec![0; shape.len()], vec![0; shape.len()]);
    let mut kept: Vec<Span> = shape.iter().copied().map(Span::all).collect();
    for (place, &axis) in axes.iter().enumerate() {
        let (first, last) = (pads[place], pads[place + axes.len()]);
        let cut = |pad: i64| usize::try_from(pad.min(0).unsigned_abs()).unwrap_or(usize::MAX);
        let (start, end) = (cut(first), cut(last));
        let len = shape[axis].checked_sub(start.saturating_add(end)).ok_or_else(|| {
            Refusal::new(
                format!("`pads` is {pads:?}, which cuts more from axis {axis} than its {} elements", shape[axis]),
                "fix `pads` in the exported model, or the sizes given in `dims`",
            )
        })?;
        kept[axis] = Span { start, len, step: 1 };
        let put = |pad: i64| usize::try_from(pad.max(0)).unwrap_or(usize::MAX);
        (before[axis], after[axis]) = (put(first), put(last));
    }
    let x = slice::push(node, x, kept)?;
    if before.iter().chain(&after).all(|&count| count == 0) {
        return Ok(vec![x]);
    }
    Ok(vec![node.push(Pad { before, after, mode }, &[x])?])
}

/// Sizes and paddings with axes that are treated alike made one.
struct Nest {
    shape: Vec<usize>,
    before: Vec<usize>,
    after: Vec<usize>,
}

impl Pad {
    fn simplified(&self, input: &Shape) -> Nest {
        let mut nest = Nest { shape: Vec::new(), before: Vec::new(), after: Vec::new() };
        // Rows of one value are a run of it; copies of rows are not copies of their last element.
        let joins_padded = matches!(self.mode, Mode::Constant(_));
        for (axis, &size) in input.iter().enumerate() {
            let (before, after) = (self.before[axis], self.after[axis]);
            let plain = before == 0 && after == 0;
            if plain && size == 1 {
                continue;
            }
            let last = nest.shape.len().checked_sub(1);
            match last.filter(|&last| plain && (joins_padded || (nest.before[last] == 0 && nest.after[last] == 0))) {
                Some(last) => {
                    nest.shape[last] *= size;
                    nest.before[last] *= size;
                    nest.after[last] *= size;
                }
                None => {
                    nest.shape.push(size);
                    nest.before.push(before);
                    nest.after.push(after);
                }
            }
        }
        nest
    }

    fn kernel(&self, input: &Shape) -> Option<kernels::Pad<MAX_RANK>> {
        fn padded(values: &[usize], with: usize) -> Option<[usize; MAX_RANK]> {
            let mut result = [with; MAX_RANK];
            result.get_mut(MAX_RANK.checked_sub(values.len())?..)?.copy_from_slice(values);
            Some(result)
        }
        let Nest { shape, before, after } = self.simplified(input);
        Some(kernels::Pad { shape: padded(&shape, 1)?, before: padded(&before, 0)?, after: padded(&after, 0)? })
    }
}

impl Operator for Pad {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let mut shape = inputs[0].shape.to_vec();
        for (axis, size) in shape.iter_mut().enumerate() {
            let (before, after) = (self.before[axis], self.after[axis]);
            let (source, most) = match self.mode {
                Mode::Constant(_) => ("a value", usize::MAX),
                Mode::Reflect => ("a mirror image", size.saturating_sub(1)),
                Mode::Edge | Mode::Wrap if *size == 0 => ("elements", 0),
                Mode::Edge | Mode::Wrap => ("elements", usize::MAX),
            };
            if before.max(after) > most {
                return Err(Refusal::new(
                    format!(
                        "axis {axis} of {size} elements is padded by {before} and {after} of {source}; at most {most} are there"
                    ),
                    "fix `pads` in the exported model, or the sizes given in `dims`",
                ));
            }
            *size = size.saturating_add(before).saturating_add(after);
        }
        Ok(vec![sized(inputs[0].elem, &shape)?])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        let (mut before, mut after) = (self.before.clone(), self.after.clone());
        for (axis, &source) in perm.iter().enumerate() {
            (before[source], after[source]) = (self.before[axis], self.after[axis]);
        }
        Some((Self { before, after, mode: self.mode }.into(), perm.to_vec()))
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let kernel = self.kernel(&inputs[0].ty().shape)?;
        let elem = outputs[0].elem;
        let padded = with_bits!(elem, T => {
            let x = inputs[0].to_vec::<T>();
            filled::<T>(&outputs[0], |y| match self.mode {
                Mode::Constant(value) => kernel.constant(&x, Scalar::tensor(elem, [], &[value]).to_vec::<T>()[0], y),
                Mode::Edge => kernel.edge(&x, y),
                Mode::Reflect => kernel.reflect(&x, y),
                Mode::Wrap => kernel.wrap(&x, y),
            })
        });
        Some(vec![padded])
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        /// Prints as the kernel of as many dimensions does.
        #[derive(Debug)]
        #[allow(dead_code, reason = "its Debug form is the point")]
        struct Pad {
            shape: Vec<usize>,
            before: Vec<usize>,
            after: Vec<usize>,
        }
        let Nest { shape, before, after } = self.simplified(&cx.input_ty(0).shape);
        let kernel = literal(&Pad { shape, before, after });
        let (x, y) = (cx.input(0), cx.output(0));
        match self.mode {
            Mode::Constant(value) => {
                let value = value.literal();
                quote! { #kernel.constant(#x, #value, #y); }
            }
            Mode::Edge => quote! { #kernel.edge(#x, #y); },
            Mode::Reflect => quote! { #kernel.reflect(#x, #y); },
            Mode::Wrap => quote! { #kernel.wrap(#x, #y); },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;
    use crate::ty::ElemType;

    fn pad(opset: i64, x: &[i64], pads: &[i64]) -> OneNode {
        OneNode::new("Pad", opset).constant(&Tensor::from_vec([x.len()], x)).constant_ints(pads)
    }

    fn scalar(value: i64) -> Tensor {
        Tensor::from_vec([], &[value])
    }

    #[test]
    fn every_mode() {
        let cases = [
            (pad(11, &[1, 2, 3], &[1, 2]), vec![0, 1, 2, 3, 0, 0]),
            (pad(11, &[1, 2, 3], &[1, 2]).constant(&scalar(9)), vec![9, 1, 2, 3, 9, 9]),
            (pad(11, &[1, 2, 3], &[1, 2]).word("mode", "edge"), vec![1, 1, 2, 3, 3, 3]),
            (pad(11, &[1, 2, 3], &[1, 2]).word("mode", "reflect"), vec![2, 1, 2, 3, 2, 1]),
            (pad(19, &[1, 2, 3], &[1, 4]).word("mode", "wrap"), vec![3, 1, 2, 3, 1, 2, 3, 1]),
            (pad(11, &[1, 2, 3], &[-1, 2]), vec![2, 3, 0, 0]),
            (pad(11, &[1, 2, 3], &[-1, -1]), vec![2]),
            (pad(11, &[1, 2, 3], &[0, 0]), vec![1, 2, 3]),
            (pad(11, &[], &[1, 1]), vec![0, 0]),
            (pad(18, &[1], &[1, 0]).omitted().constant_ints(&[-1]), vec![0, 1]),
        ];
        for (node, expected) in cases {
            assert_eq!(node.result_ints(), expected, "{node:?}");
        }
    }

    #[test]
    fn axes_are_padded_as_named() {
        let rows = Tensor::from_vec([2, 2], &[1i64, 2, 3, 4]);
        let node = OneNode::new("Pad", 18).constant(&rows).constant_ints(&[1, 0, 0, 1]).omitted();
        assert_eq!(node.clone().result_ints(), [0, 0, 0, 1, 2, 0, 3, 4, 0]);
        assert_eq!(node.constant_ints(&[1, 0]).result_ints(), [0, 1, 2, 0, 3, 4, 0, 0, 0]);
        let inner = OneNode::new("Pad", 18).constant(&rows).constant_ints(&[1, 1]).omitted().constant_ints(&[0]);
        assert_eq!(inner.clone().result_ints(), [0, 0, 1, 2, 3, 4, 0, 0]);
        assert_eq!(inner.word("mode", "edge").result_ints(), [1, 2, 1, 2, 3, 4, 3, 4]);
    }

    #[test]
    fn paddings_by_attributes() {
        let node = OneNode::new("Pad", 10).constant(&Tensor::from_vec([2], &[1.0f32, 2.0])).ints("pads", &[1, 0]);
        assert_eq!(node.clone().float("value", -1.0).results(), [Tensor::from_vec([3], &[-1.0f32, 1.0, 2.0])]);
        assert_eq!(node.word("mode", "edge").results(), [Tensor::from_vec([3], &[1.0f32, 1.0, 2.0])]);
    }

    #[test]
    fn every_element_type() {
        for elem in ElemType::all() {
            let one = Scalar::tensor(elem, [1], &[Scalar::of(1.0, elem)]);
            let padded = OneNode::new("Pad", 13).constant(&one).constant_ints(&[1, 0]).constant(&one.reshaped([])).results();
            assert_eq!(padded, [Scalar::tensor(elem, [2], &[Scalar::of(1.0, elem); 2])]);
        }
    }

    #[test]
    fn impossible_paddings_are_refused() {
        let fix = "fix `pads`";
        pad(11, &[1, 2], &[1]).refused("`pads` is [1]; expected 2 numbers, two for each of 1 axes", "onnx.checker");
        pad(11, &[1, 2], &[-2, -1]).refused("cuts more from axis 0 than its 2 elements", fix);
        pad(11, &[1, 2], &[2, 0]).word("mode", "reflect").refused("padded by 2 and 0 of a mirror image; at most 1", fix);
        pad(11, &[], &[0, 1]).word("mode", "edge").refused("axis 0 of 0 elements is padded by 0 and 1", fix);
        pad(11, &[1], &[i64::MAX, i64::MAX]).refused("at most 67108864 bytes", "fix the sizes");
        pad(18, &[1], &[1, 0]).word("mode", "wrap").refused("`mode` is `wrap`; supported: `constant`, `reflect`, `edge`", "");
        let runtime = |shape| OneNode::new("Pad", 13).floats(&[2]).constant_ints(&[1, 1]).floats(shape);
        assert_eq!(runtime(&[]).types(), ["f32[4]"]);
        runtime(&[2]).refused("`constant_value` is f32[2]; expected one element of type f32", "onnx.checker");
        pad(13, &[1], &[1, 0]).constant(&Tensor::from_vec([], &[1i32])).refused("`constant_value` is i32[]", "onnx.checker");
    }

    #[test]
    fn axes_join() {
        let nest = |mode| {
            let pad = Pad { before: vec![0, 1, 2, 0], after: vec![0, 0, 1, 0], mode };
            let Nest { shape, before, after } = pad.simplified(&[1, 3, 4, 5].into());
            [shape, before, after]
        };
        assert_eq!(nest(Mode::Constant(Scalar::F32(0.0))), [[3, 20], [1, 10], [0, 5]]);
        assert_eq!(nest(Mode::Edge), [[3, 4, 5], [1, 2, 0], [0, 1, 0]]);
    }

    #[test]
    fn a_transpose_moves_behind() {
        let pad = Pad { before: vec![1, 2, 3], after: vec![4, 5, 6], mode: Mode::Edge };
        let (moved, behind) = pad.transposed(Types { inputs: &[], outputs: &[] }, &[2, 0, 1]).unwrap();
        let expected = Pad { before: vec![2, 3, 1], after: vec![5, 6, 4], mode: Mode::Edge };
        assert_eq!((moved, behind), (expected.into(), vec![2, 0, 1]));
    }
}
