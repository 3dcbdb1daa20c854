//! `Einsum`: sums of products told by a letter for each axis, as transposes, matrix products and sums.
//!
//! <https://onnx.ai/onnx/operators/onnx__Einsum.html>

use super::elementwise::push;
use super::gather;
use super::matmul::MatMul;
use super::reduce::{Method, Reduce};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::NodeReader;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "Einsum", opset: 12..=LATEST, read }];

/// A value with a name for each of its axes: a letter, or a number of what an ellipsis stands for, counted from the last.
struct Term {
    value: ValueId,
    axes: Vec<Axis>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Letter(char),
    Ellipsis(usize),
}

fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let equation = node.text("equation")?.unwrap_or_default();
    let inputs = node.all_inputs()?;
    let ranks: Vec<usize> = inputs.iter().map(|&id| node.ty(id).shape.len()).collect();
    let (operands, output) = parse(&equation, &ranks).ok_or_else(|| {
        let types: Vec<String> = inputs.iter().map(|&id| node.ty(id).to_string()).collect();
        Refusal::new(
            format!("the equation `{equation}` does not fit the inputs {}", types.join(", ")),
            "write a letter for each axis of each input, as in `bij,bjk->bik`",
        )
    })?;
    let mut terms = Vec::new();
    for (value, axes) in inputs.into_iter().zip(operands) {
        terms.push(diagonal(node, Term { value, axes })?);
    }
    let mut terms = terms.into_iter();
    let mut joined = terms.next().expect("an equation names at least one input");
    let mut rest: Vec<Term> = terms.collect();
    while !rest.is_empty() {
        let next = rest.remove(0);
        let needed = |axis: &Axis| output.contains(axis) || rest.iter().any(|term| term.axes.contains(axis));
        joined = product(node, joined, next, &needed)?;
    }
    let joined = summed(node, joined, &|axis| output.contains(axis))?;
    let perm: Option<Vec<usize>> = output.iter().map(|axis| joined.axes.iter().position(|other| other == axis)).collect();
    let perm = perm.filter(|perm| perm.len() == joined.axes.len()).ok_or_else(|| {
        Refusal::new(format!("the equation `{equation}` asks for an axis that no input has"), "fix the equation")
    })?;
    Ok(vec![node.transpose(joined.value, perm)?])
}

/// The axes of each operand and of the output; without an arrow the output has the letters that stand once, in their order.
fn parse(equation: &str, ranks: &[usize]) -> Option<(Vec<Vec<Axis>>, Vec<Axis>)> {
    let equation: String = equation.chars().filter(|c| !c.is_whitespace()).collect();
    let (left, right) = match equation.split_once("->") {
        Some((left, right)) => (left, Some(right)),
        None => (equation.as_str(), None),
    };
    let terms: Vec<&str> = left.split(',').collect();
    if terms.len() != ranks.len() {
        return None;
    }
    let operands: Vec<Vec<Axis>> = terms.iter().zip(ranks).map(|(term, &rank)| axes(term, rank)).collect::<Option<_>>()?;
    let is_ellipsis = |axis: &&Axis| matches!(axis, Axis::Ellipsis(_));
    let broadcast = operands.iter().map(|axes| axes.iter().filter(is_ellipsis).count()).max().unwrap_or(0);
    let output = match right {
        Some(right) => {
            let letters = right.replace("...", "").chars().count();
            axes(right, if right.contains("...") { letters + broadcast } else { letters })?
        }
        None => {
            let all: Vec<Axis> = operands.iter().flatten().copied().collect();
            let mut once: Vec<char> = all
                .iter()
                .filter(|axis| all.iter().filter(|other| other == axis).count() == 1)
                .filter_map(|axis| if let Axis::Letter(letter) = axis { Some(*letter) } else { None })
                .collect();
            once.sort_unstable();
            (0..broadcast).rev().map(Axis::Ellipsis).chain(once.into_iter().map(Axis::Letter)).collect()
        }
    };
    Some((operands, output))
}

fn axes(term: &str, rank: usize) -> Option<Vec<Axis>> {
    let (before, after) = term.split_once("...").unwrap_or((term, ""));
    let letters =
        |text: &str| -> Option<Vec<Axis>> { text.chars().map(|c| c.is_ascii_alphabetic().then_some(Axis::Letter(c))).collect() };
    let (mut axes, after) = (letters(before)?, letters(after)?);
    let rest = rank.checked_sub(axes.len() + after.len())?;
    if rest > 0 && !term.contains("...") {
        return None;
    }
    axes.extend((0..rest).rev().map(Axis::Ellipsis));
    axes.extend(after);
    Some(axes)
}

/// Axes of one name made one: the elements that lie on their diagonal.
fn diagonal(node: &mut NodeReader, mut term: Term) -> Result<Term> {
    while let Some((first, second)) = twice(&term.axes) {
        let shape = node.ty(term.value).shape.to_vec();
        if shape[first] != shape[second] {
            return Err(Refusal::new(
                format!("{} has {} and {} elements along axes of one letter", node.ty(term.value), shape[first], shape[second]),
                "fix the equation, or the shapes in the exported model",
            ));
        }
        let others = (0..shape.len()).filter(|axis| ![first, second].contains(axis));
        let perm: Vec<usize> = others.chain([first, second]).collect();
        let kept: Vec<usize> = perm[..perm.len() - 2].to_vec();
        let moved = node.transpose(term.value, perm)?;
        let mut flat: Vec<usize> = kept.iter().map(|&axis| shape[axis]).collect();
        flat.push(shape[first] * shape[first]);
        let flat = node.reshape(moved, flat)?;
        let places: Vec<usize> = (0..shape[first]).map(|index| index * (shape[first] + 1)).collect();
        let name = term.axes[first];
        term.value = gather::push_constant(node, flat, kept.len(), &places)?;
        term.axes = kept.iter().map(|&axis| term.axes[axis]).chain([name]).collect();
    }
    Ok(term)
}

fn twice(axes: &[Axis]) -> Option<(usize, usize)> {
    (0..axes.len()).find_map(|first| Some((first, first + 1 + axes[first + 1..].iter().position(|axis| *axis == axes[first])?)))
}

/// The term summed over what is not `needed`.
fn summed(node: &mut NodeReader, term: Term, needed: &dyn Fn(&Axis) -> bool) -> Result<Term> {
    let summed: Vec<usize> = (0..term.axes.len()).filter(|&axis| !needed(&term.axes[axis])).collect();
    if summed.is_empty() {
        return Ok(term);
    }
    let shape = node.ty(term.value).shape.to_vec();
    let value = node.push(Reduce { method: Method::Sum, axes: summed.clone() }, &[term.value])?;
    let kept = (0..shape.len()).filter(|axis| !summed.contains(axis));
    let axes = kept.clone().map(|axis| term.axes[axis]).collect();
    let value = node.reshape(value, kept.map(|axis| shape[axis]).collect::<Vec<_>>())?;
    Ok(Term { value, axes })
}

/// The product of two terms, summed over the axes of both that are not `needed`: a matrix product, where there are such axes.
fn product(node: &mut NodeReader, a: Term, b: Term, needed: &dyn Fn(&Axis) -> bool) -> Result<Term> {
    let a_axes = a.axes.clone();
    let b_axes = b.axes.clone();
    let a = summed(node, a, &|axis| needed(axis) || b_axes.contains(axis))?;
    let b = summed(node, b, &|axis| needed(axis) || a_axes.contains(axis))?;
    let [mut shared, mut only_a, mut contracted] = [Vec::new(), Vec::new(), Vec::new()];
    for &axis in &a.axes {
        match (b.axes.contains(&axis), needed(&axis)) {
            (true, true) => shared.push(axis),
            (true, false) => contracted.push(axis),
            (false, _) => only_a.push(axis),
        }
    }
    let only_b: Vec<Axis> = b.axes.iter().copied().filter(|axis| !a.axes.contains(axis)).collect();
    let sizes = |node: &NodeReader, term: &Term, axes: &[Axis]| -> Vec<usize> {
        let place = |axis| term.axes.iter().position(|other| other == axis).expect("an axis of the term");
        axes.iter().map(|axis| node.ty(term.value).shape[place(axis)]).collect()
    };
    let a_shared = sizes(node, &a, &shared);
    let (b_shared, a_depth, b_depth) = (sizes(node, &b, &shared), sizes(node, &a, &contracted), sizes(node, &b, &contracted));
    let broadcasts = a_shared.iter().zip(&b_shared).all(|(a, b)| a == b || *a == 1 || *b == 1);
    if a_depth != b_depth || !broadcasts {
        return Err(Refusal::new(
            format!("{} and {} have different sizes along axes of one letter", node.ty(a.value), node.ty(b.value)),
            "fix the equation, or the shapes in the exported model",
        ));
    }
    let (rows, columns) = (sizes(node, &a, &only_a), sizes(node, &b, &only_b));
    let ordered = |node: &mut NodeReader, term: &Term, groups: [&[Axis]; 3], shape: Vec<usize>| {
        let place = |axis| term.axes.iter().position(|other| other == axis).expect("an axis of the term");
        let perm = groups.into_iter().flatten().map(place).collect();
        let moved = node.transpose(term.value, perm)?;
        node.reshape(moved, shape)
    };
    let joined = |first: &[usize], second: &[usize], third: &[usize]| -> Vec<usize> {
        first.iter().copied().chain([second.iter().product(), third.iter().product()]).collect()
    };
    let left = ordered(node, &a, [&shared, &only_a, &contracted], joined(&a_shared, &rows, &a_depth))?;
    let right = ordered(node, &b, [&shared, &contracted, &only_b], joined(&b_shared, &b_depth, &columns))?;
    let y = match contracted.is_empty() {
        true => push(node, "mul", &[left, right])?,
        false => node.push(MatMul::default(), &[left, right])?,
    };
    let batch = node.ty(y).shape[..shared.len()].to_vec();
    let value = node.reshape(y, [batch, rows, columns].concat())?;
    Ok(Term { value, axes: [shared, only_a, only_b].concat() })
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    fn node(equation: &'static str, shapes: &[&[usize]]) -> OneNode {
        let counting = |shape: &&[usize]| {
            Tensor::from_vec(*shape, &(1u8..).take(shape.iter().product()).map(f32::from).collect::<Vec<f32>>())
        };
        let node = OneNode::new("Einsum", 12).word("equation", equation);
        shapes.iter().map(counting).fold(node, |node, tensor| node.constant(&tensor))
    }

    #[test]
    fn sums_products_and_diagonals() {
        /// Equation, shapes of the inputs, elements of the result.
        type Case<'a> = (&'a str, &'a [&'a [usize]], &'a [f32]);
        let cases: &[Case] = &[
            ("ij->ji", &[&[2, 3]], &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0]),
            ("ij->i", &[&[2, 3]], &[6.0, 15.0]),
            ("ii", &[&[2, 2]], &[5.0]),
            ("ii->i", &[&[2, 2]], &[1.0, 4.0]),
            ("...ii->...i", &[&[2, 2, 2]], &[1.0, 4.0, 5.0, 8.0]),
            ("i,i", &[&[3], &[3]], &[14.0]),
            ("i,j->ij", &[&[2], &[2]], &[1.0, 2.0, 2.0, 4.0]),
            ("ij,jk", &[&[2, 2], &[2, 2]], &[7.0, 10.0, 15.0, 22.0]),
            ("bij, bjk -> bik", &[&[2, 1, 2], &[2, 2, 1]], &[5.0, 25.0]),
            ("ij,j,j->i", &[&[2, 2], &[2], &[2]], &[9.0, 19.0]),
            ("...j,j->...", &[&[2, 2], &[2]], &[5.0, 11.0]),
            ("->", &[&[]], &[1.0]),
        ];
        for (equation, shapes, expected) in cases {
            assert_eq!(node(equation, shapes).results()[0].to_vec::<f32>(), *expected, "{equation}");
        }
    }

    #[test]
    fn refusals() {
        let help = "write a letter";
        node("ij->i", &[&[2]]).refused("the equation `ij->i` does not fit the inputs f32[2]", help);
        node("i,j->ij", &[&[2]]).refused("does not fit", help);
        node("i1->i", &[&[2, 2]]).refused("does not fit", help);
        node("i->k", &[&[2]]).refused("asks for an axis that no input has", "fix the equation");
        node("ii->i", &[&[2, 3]]).refused("f32[2, 3] has 2 and 3 elements along axes of one letter", "fix the equation");
        node("ij,jk->ik", &[&[2, 3], &[2, 3]]).refused("different sizes along axes of one letter", "fix the equation");
    }
}
