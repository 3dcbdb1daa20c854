//! `Slice`, `Split`: some of the elements along each axis.
//!
//! <https://onnx.ai/onnx/operators/onnx__Slice.html>

mod counted;

use proc_macro2::TokenStream;

use super::copy::{Strided, signed};
use super::{distinct_axes, from_front, sizes};
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::kernels::Overlap;
use crate::op::{LATEST, Op, OpDef, Operator, Types, View};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{Shape, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Slice", opset: 1..=9, read: read_attributes },
    OpDef { name: "Slice", opset: 10..=LATEST, read: read_inputs },
    OpDef { name: "Split", opset: 2..=12, read: |node| read_split(node, node.ints("split")?, false) },
    OpDef { name: "Split", opset: 13..=17, read: |node| read_split(node, node.constant_ints(1, "split")?, false) },
    OpDef { name: "Split", opset: 18..=LATEST, read: read_split_into },
];

/// `y[i, j, …] = x[axes[0].element(i), axes[1].element(j), …]`
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// What is taken along each axis.
    pub axes: Vec<Span>,
}

/// Evenly spaced elements along one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// The first.
    pub start: usize,
    /// How many.
    pub len: usize,
    /// The distance of one to the next; negative ones go from the end to the front.
    pub step: isize,
}

impl Span {
    /// All of an axis with `len` elements.
    pub fn all(len: usize) -> Self {
        Self { start: 0, len, step: 1 }
    }

    /// From `start` on before `end`, clamped to an axis of `size` as ONNX has it. The step is not 0.
    fn clamped(start: i64, end: i64, step: i64, size: usize) -> Self {
        let last = i64::try_from(size).expect("sizes fit i64");
        // Going to the front, the first element is at most the last one, and the end at least the place before all.
        let (low, high) = if step > 0 { (0, last) } else { (-1, last - 1) };
        let start = from_front(start, size).clamp(low, high);
        let end = from_front(end, size).clamp(low, high);
        let distance = if step > 0 { end - start } else { start - end };
        let len = usize::try_from(distance).map_or(0, |distance| {
            let step = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
            distance.div_ceil(step)
        });
        if len == 0 {
            return Self { len: 0, ..Self::all(0) };
        }
        // A step that leaves the axis at once is as good as any other.
        let step = if len == 1 { 1 } else { isize::try_from(step).expect("two elements lie on one axis") };
        Self { start: usize::try_from(start).expect("there is an element"), len, step }
    }

    /// The place of element `index` on the axis.
    fn element(self, index: usize) -> usize {
        self.start.saturating_add_signed(signed(index) * self.step)
    }

    /// `second` of the elements that `self` takes.
    fn of(self, second: Self) -> Self {
        Self { start: self.element(second.start), len: second.len, step: self.step * second.step }
    }
}

fn read_attributes(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (starts, ends, axes) = (node.ints("starts")?, node.ints("ends")?, node.ints("axes")?);
    slice(node, starts, ends, axes, None)
}

fn read_inputs(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    if let Some(y) = counted::read(node)? {
        return Ok(vec![y]);
    }
    let (starts, ends) = (node.constant_ints(1, "starts")?, node.constant_ints(2, "ends")?);
    let (axes, steps) = (node.constant_ints(3, "axes")?, node.constant_ints(4, "steps")?);
    slice(node, starts, ends, axes, steps)
}

fn slice(
    node: &mut NodeReader,
    starts: Option<Vec<i64>>,
    ends: Option<Vec<i64>>,
    axes: Option<Vec<i64>>,
    steps: Option<Vec<i64>>,
) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let shape = node.ty(x).shape.clone();
    let (starts, ends) = (starts.unwrap_or_default(), ends.unwrap_or_default());
    let (axes, steps) = slice_axes(&shape, [&starts, &ends], axes, steps)?;
    let mut spans: Vec<Span> = shape.iter().copied().map(Span::all).collect();
    for (place, &axis) in axes.iter().enumerate() {
        spans[axis] = Span::clamped(starts[place], ends[place], steps[place], shape[axis]);
    }
    Ok(vec![push(node, x, spans)?])
}

/// The axes that are sliced and the step along each, one for each start and end.
fn slice_axes(
    shape: &Shape,
    [starts, ends]: [&[i64]; 2],
    axes: Option<Vec<i64>>,
    steps: Option<Vec<i64>>,
) -> Result<(Vec<usize>, Vec<i64>)> {
    let axes = match axes {
        Some(axes) => distinct_axes(&axes, shape.len())?,
        None => (0..starts.len().min(shape.len())).collect(),
    };
    let steps = steps.unwrap_or_else(|| vec![1; axes.len()]);
    if [starts.len(), ends.len(), steps.len()] != [axes.len(); 3] || steps.contains(&0) {
        return Err(Refusal::new(
            format!("`starts` {starts:?}, `ends` {ends:?} and `steps` {steps:?} do not fit {} axes, or a step is 0", axes.len()),
            "give a start, an end and a step other than 0 for each axis",
        ));
    }
    Ok((axes, steps))
}

/// Pushes the slice of `x` that `axes` tell, or `x` itself where they take all of it.
pub fn push(node: &mut NodeReader, x: ValueId, axes: Vec<Span>) -> Result<ValueId> {
    if axes.iter().zip(node.ty(x).shape.iter()).all(|(&span, &size)| span == Span::all(size)) {
        return Ok(x);
    }
    node.push(Slice { axes }, &[x])
}

fn read_split_into(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (split, parts) = (node.constant_ints(1, "split")?, node.optional_int("num_outputs")?);
    let outputs = node.output_count();
    if let Some(parts) = parts.filter(|&parts| usize::try_from(parts) != Ok(outputs)) {
        return Err(Refusal::new(
            format!("attribute `num_outputs` is {parts}, but the node has {outputs} outputs"),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    read_split(node, split, true)
}

/// `x` cut into parts along an axis; without sizes they are equal, but for the last where `uneven`.
///
/// <https://onnx.ai/onnx/operators/onnx__Split.html>
fn read_split(node: &mut NodeReader, split: Option<Vec<i64>>, uneven: bool) -> Result<Vec<ValueId>> {
    let x = node.input(0)?;
    let shape = node.ty(x).shape.clone();
    let axis = node.axis("axis", 0, shape.len())?;
    let (size, parts) = (shape[axis], node.output_count());
    let misfit = |what: String| {
        Refusal::new(
            format!("axis {axis} has {size} elements, which cannot be split into {what}"),
            "fix the sizes in the exported model, or those given in `dims`",
        )
    };
    let lens = match split {
        Some(split) => sizes("split", &split)?,
        None if uneven || size.is_multiple_of(parts) => {
            let most = size.div_ceil(parts);
            (0..parts).map(|part| most.min(size.saturating_sub(part * most))).collect()
        }
        None => return Err(misfit(format!("{parts} equal parts"))),
    };
    if lens.len() != parts || lens.iter().try_fold(0, |total: usize, &len| total.checked_add(len)) != Some(size) {
        return Err(misfit(format!("parts of {lens:?} for {parts} outputs")));
    }
    let mut start = 0;
    let mut results = Vec::new();
    for len in lens {
        let mut spans: Vec<Span> = shape.iter().copied().map(Span::all).collect();
        spans[axis] = Span { start, len, step: 1 };
        results.push(push(node, x, spans)?);
        start += len;
    }
    Ok(results)
}

impl Slice {
    fn copy(&self, input: &Shape) -> Strided {
        let strides = input.strides();
        let shape: Shape = self.axes.iter().map(|span| span.len).collect();
        let from = self.axes.iter().zip(&strides).map(|(span, stride)| span.start * stride).sum();
        let steps = self.axes.iter().zip(&strides).map(|(span, &stride)| span.step * signed(stride)).collect();
        Strided::gather(&shape, from, steps)
    }

    /// The slice that takes of the input at once what `second` takes of this slice.
    pub fn then(&self, second: &Self) -> Self {
        Self { axes: self.axes.iter().zip(&second.axes).map(|(first, &second)| first.of(second)).collect() }
    }
}

impl Operator for Slice {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        Ok(vec![inputs[0].with_shape(self.axes.iter().map(|span| span.len).collect::<Shape>())])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        let mut axes = self.axes.clone();
        perm.iter().zip(&self.axes).for_each(|(&axis, &span)| axes[axis] = span);
        Some((Self { axes }.into(), perm.to_vec()))
    }

    fn view(&self, types: Types) -> Option<View> {
        let copy = self.copy(&types.inputs[0].shape);
        copy.is_contiguous().then(|| View::Part(copy.from * types.inputs[0].elem.size()))
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        Some(vec![self.copy(&inputs[0].ty().shape).fold(inputs[0], &outputs[0])?])
    }

    fn overlap(&self, types: Types, _input: usize) -> Overlap {
        self.copy(&types.inputs[0].shape).overlap(types.inputs[0].elem.size())
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        self.copy(&cx.input_ty(0).shape).lower(&cx.input(0), &cx.output(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;
    use crate::ty::ElemType;

    /// 0 … 11 as three rows of four.
    fn rows() -> Tensor {
        Tensor::from_vec([3, 4], &(0..12).collect::<Vec<i64>>())
    }

    fn slice(starts: &[i64], ends: &[i64]) -> OneNode {
        OneNode::new("Slice", 13).constant(&rows()).constant_ints(starts).constant_ints(ends)
    }

    #[test]
    fn slices_are_clamped() {
        let cases = [
            (slice(&[1], &[3]), vec![4, 5, 6, 7, 8, 9, 10, 11]),
            (slice(&[-1, -3], &[9, -1]), vec![9, 10]),
            (slice(&[1], &[i64::MAX]).constant_ints(&[1]).constant_ints(&[2]), vec![1, 3, 5, 7, 9, 11]),
            (slice(&[-1], &[i64::MIN]).constant_ints(&[0]).constant_ints(&[-2]), vec![8, 9, 10, 11, 0, 1, 2, 3]),
            (slice(&[9, 2], &[0, 0]).constant_ints(&[0, -1]).constant_ints(&[-1, -1]), vec![10, 9, 6, 5]),
            (slice(&[1, 1], &[2, 2]).omitted().constant_ints(&[1, 1]), vec![5]),
            (slice(&[0], &[9]).constant_ints(&[1]).constant_ints(&[i64::MAX]), vec![0, 4, 8]),
            (slice(&[3], &[-9]).constant_ints(&[1]).constant_ints(&[i64::MIN]), vec![3, 7, 11]),
            (slice(&[2], &[1]), vec![]),
            (slice(&[1], &[2]).constant_ints(&[0]).constant_ints(&[-1]), vec![]),
            (slice(&[], &[]), (0..12).collect()),
        ];
        for (node, expected) in cases {
            assert_eq!(node.result_ints(), expected, "{node:?}");
        }
    }

    #[test]
    fn slices_by_attributes() {
        let node = OneNode::new("Slice", 9).constant(&rows()).ints("starts", &[1]).ints("ends", &[-1]);
        assert_eq!(node.result_ints(), [4, 5, 6, 7]);
        assert_eq!(node.ints("axes", &[1]).result_ints(), [1, 2, 5, 6, 9, 10]);
    }

    #[test]
    fn impossible_slices_are_refused() {
        let fit = "a start, an end and a step other than 0";
        slice(&[1], &[3, 4]).refused("`starts` [1], `ends` [3, 4] and `steps` [1] do not fit 1 axes", fit);
        slice(&[0; 3], &[1; 3]).refused("do not fit 2 axes", fit);
        slice(&[1], &[3]).omitted().constant_ints(&[0]).refused("or a step is 0", fit);
        slice(&[1], &[3]).constant_ints(&[2]).refused("`axes` is 2, but the input has 2 dimensions", "from -2 to 1");
        slice(&[1, 1], &[3, 3]).constant_ints(&[0, -2]).refused("names an axis twice", "each axis once");
        let runtime = OneNode::new("Slice", 13).floats(&[4]).input(ElemType::I64, &[1]).constant_ints(&[3]);
        runtime.refused("input `starts` is `x1`, which is computed at run time", "fixed shapes");
    }

    #[test]
    fn splits() {
        let split = |opset, size, outputs| OneNode::new("Split", opset).floats(&[2, size]).int("axis", 1).outputs(outputs);
        let cases: [(OneNode, &[usize]); 7] = [
            (split(6, 6, 3), &[2, 2, 2]),
            (split(12, 6, 2).ints("split", &[4, 2]), &[4, 2]),
            (split(13, 6, 2).constant_ints(&[0, 6]), &[0, 6]),
            (split(17, 6, 1), &[6]),
            (split(18, 7, 3).int("num_outputs", 3), &[3, 3, 1]),
            (split(18, 4, 3).int("num_outputs", 3), &[2, 2, 0]),
            (split(18, 6, 2).constant_ints(&[1, 5]), &[1, 5]),
        ];
        for (node, expected) in cases {
            let expected: Vec<String> = expected.iter().map(|len| format!("f32[2, {len}]")).collect();
            assert_eq!(node.types(), expected, "{node:?}");
        }
        let halves = OneNode::new("Split", 13).constant(&rows()).int("axis", -1).outputs(2).results();
        assert_eq!(halves[1].to_ints().unwrap(), [2, 3, 6, 7, 10, 11]);

        split(13, 7, 2).refused("axis 1 has 7 elements, which cannot be split into 2 equal parts", "fix the sizes");
        split(13, 7, 2).constant_ints(&[3, 3]).refused("cannot be split into parts of [3, 3] for 2 outputs", "fix the sizes");
        split(13, 7, 2).constant_ints(&[7]).refused("parts of [7] for 2 outputs", "fix the sizes");
        split(13, 7, 2).constant_ints(&[-1, 8]).refused("`split` is [-1, 8]; expected numbers of at least 0", "onnx.checker");
        split(18, 7, 2).int("num_outputs", 3).refused("`num_outputs` is 3, but the node has 2 outputs", "onnx.checker");
    }

    #[test]
    fn one_slice_of_another() {
        let span = |start, len, step| Span { start, len, step };
        let cases = [
            (span(2, 5, 1), span(1, 2, 2), span(3, 2, 2)),
            (span(9, 5, -2), span(4, 3, -1), span(1, 3, 2)),
            (Span::all(4), span(3, 1, 1), span(3, 1, 1)),
        ];
        for (first, second, both) in cases {
            let (first, second) = (Slice { axes: vec![first] }, Slice { axes: vec![second] });
            assert_eq!(first.then(&second), Slice { axes: vec![both] });
        }
    }

    #[test]
    fn runs_of_elements_are_views() {
        let input = TensorType::new(ElemType::F32, [3, 4]);
        let view = |rows: Span, columns: Span| {
            let slice = Slice { axes: vec![rows, columns] };
            let output = slice.infer(&[&input]).unwrap();
            slice.view(Types { inputs: &[&input], outputs: &[&output[0]] })
        };
        let span = |start, len| Span { start, len, step: 1 };
        assert_eq!(view(span(1, 2), Span::all(4)), Some(View::Part(16)));
        assert_eq!(view(span(2, 1), span(1, 2)), Some(View::Part(36)));
        assert_eq!(view(span(0, 2), span(1, 2)), None);
        assert_eq!(view(span(0, 1), Span { start: 3, len: 2, step: -1 }), None);
    }

    #[test]
    fn a_transpose_moves_behind() {
        let span = |start| Span { start, len: 1, step: 1 };
        let slice = Slice { axes: vec![span(0), span(1), span(2)] };
        let (moved, behind) = slice.transposed(Types { inputs: &[], outputs: &[] }, &[2, 0, 1]).unwrap();
        assert_eq!((moved, behind), (Slice { axes: vec![span(1), span(2), span(0)] }.into(), vec![2, 0, 1]));
    }
}
