//! `Slice` at a place that the number of a loop's run decides: as many elements in each run, from one place to the next.

use super::{Span, push, slice_axes};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::elementwise;
use crate::ops::gather::Gather;
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// Reads the node where its starts and ends follow from the number of the run, and are not constant.
pub fn read(node: &mut NodeReader) -> Result<Option<ValueId>> {
    let is_known = |node: &NodeReader, input| node.optional_input(input).is_none_or(|id| node.value(id).is_some());
    if is_known(node, 1) && is_known(node, 2) {
        return Ok(None);
    }
    let (Some(starts), Some(ends)) = (in_each_run(node, 1)?, in_each_run(node, 2)?) else { return Ok(None) };
    let (x, mut y) = (node.input(0)?, node.input(0)?);
    let shape = node.ty(x).shape.clone();
    let (axes, steps) = (node.constant_ints(3, "axes")?, node.constant_ints(4, "steps")?);
    let (axes, steps) = slice_axes(&shape, [&starts[0], &ends[0]], axes, steps)?;
    for (place, (axis, step)) in axes.into_iter().zip(steps).enumerate() {
        let runs = starts.iter().zip(&ends);
        let spans: Vec<Span> = runs.map(|(start, end)| Span::clamped(start[place], end[place], step, shape[axis])).collect();
        if spans.iter().all(|span| *span == spans[0]) {
            let mut all: Vec<Span> = node.ty(y).shape.iter().copied().map(Span::all).collect();
            all[axis] = spans[0];
            y = push(node, y, all)?;
            continue;
        }
        // Only then is the place that is computed that of the first element.
        let as_given = |(span, start): (&Span, &Vec<i64>)| usize::try_from(start[place]) == Ok(span.start);
        let alike = spans.iter().all(|span| span.len == spans[0].len && span.step == 1);
        if !alike || !spans.iter().zip(&starts).all(as_given) {
            return Err(misfit(axis, &spans));
        }
        y = from_place(node, y, axis, place, spans[0].len)?;
    }
    Ok(Some(y))
}

fn misfit(axis: usize, spans: &[Span]) -> Refusal {
    let lens: Vec<String> = spans.iter().take(4).map(|span| span.len.to_string()).collect();
    let dots = if spans.len() > 4 { ", …" } else { "" };
    Refusal::new(
        format!(
            "the runs of the loop take {}{dots} elements along axis {axis}; supported are as many in each run, from a start of at least 0",
            lens.join(", ")
        ),
        "export the model with slices of one size, such as one element for each run",
    )
}

/// The integers of an input in each run.
fn in_each_run(node: &NodeReader, input: usize) -> Result<Option<Vec<Vec<i64>>>> {
    let runs = node.in_each_run(node.input(input)?);
    Ok(runs.and_then(|runs| runs.iter().map(Tensor::to_ints).collect()))
}

/// `len` elements along `axis` from element `place` of the starts on.
fn from_place(node: &mut NodeReader, x: ValueId, axis: usize, place: usize, len: usize) -> Result<ValueId> {
    let starts = node.input(1)?;
    let start = push(node, starts, vec![Span { start: place, len: 1, step: 1 }])?;
    let start = elementwise::converted(node, start, ElemType::I64)?;
    if len == 1 {
        return node.push(Gather { axis }, &[x, start]);
    }
    let distances: Vec<usize> = (0..len).collect();
    let distances = node.add_constant(Tensor::from_sizes(&distances));
    let places = elementwise::push(node, "add", &[start, distances])?;
    node.push(Gather { axis }, &[x, places])
}
