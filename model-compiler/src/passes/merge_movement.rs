//! Makes one of successive transposes, reshapes and slices, and drops those that change nothing.

use crate::graph::Graph;
use crate::op::{Op, View};
use crate::ops::reshape::{self, Reshape};
use crate::ops::transpose::Transpose;
use crate::plan::with_types;

/// `Transpose(Transpose(x))` → `Transpose(x)`, `Reshape(Reshape(x))` → `Reshape(x)`, `Slice(Slice(x))` → `Slice(x)`, `Transpose(x)`
/// that moves only dimensions of one → `Reshape(x)`, `Reshape(x)` to its own shape → `x`, and what [`join`] does
pub(super) fn merge_movement(graph: &mut Graph) {
    let mut index = 0;
    while index < graph.nodes.len() {
        // What became of two nodes stands one place earlier, where the first is gone, and may merge again.
        index = if merge(graph, index) { index.saturating_sub(1) } else { index + 1 };
    }
}

/// Merges the node at `index` with what comes before it; tells whether anything changed.
fn merge(graph: &mut Graph, index: usize) -> bool {
    let node = &graph.nodes[index];
    let (Op::Transpose(_) | Op::Reshape(_) | Op::Slice(_)) = &node.op else { return false };
    let (input, output, origin) = (node.inputs[0], node.outputs[0], node.origin.clone());
    if let Op::Transpose(_) = &node.op
        && with_types(graph, index, |types, _| node.op.rules().view(types)) == Some(View::Part(0))
    {
        let shape = graph.ty(output).shape.clone();
        graph.rewrite(index, Reshape { shape }.into(), &[input], &origin);
        return true;
    }
    if let Op::Reshape(_) = &node.op
        && graph.ty(input) == graph.ty(output)
        && !graph.outputs.contains(&output)
    {
        graph.replace(output, input);
        graph.drop_unused();
        return true;
    }
    let Some(before) = graph.producer(input) else { return false };
    let source = graph.nodes[before].inputs[0];
    let merged: Op = match (&graph.nodes[before].op, &node.op) {
        (Op::Transpose(first), Op::Transpose(second)) => {
            Transpose { perm: second.perm.iter().map(|&axis| first.perm[axis]).collect() }.into()
        }
        (Op::Reshape(_), Op::Transpose(second)) => return join(graph, index, before, &second.clone()),
        (Op::Reshape(_), Op::Reshape(second)) => second.clone().into(),
        // What several read is kept: it may be all that need be kept of what it is taken from.
        (Op::Slice(first), Op::Slice(second)) if graph.uses(input) == 1 => first.then(second).into(),
        _ => return false,
    };
    graph.rewrite(index, merged, &[source], &origin);
    true
}

/// `Transpose(Reshape(Transpose(x)))`, the reshape joining axes → `Reshape(Transpose(x))`: the axes that are joined move together
fn join(graph: &mut Graph, index: usize, reshape: usize, second: &Transpose) -> bool {
    let (fine, output) = (graph.nodes[reshape].inputs[0], graph.nodes[index].outputs[0]);
    let Some(first) = graph.producer(fine).map(|before| &graph.nodes[before]) else { return false };
    let Op::Transpose(Transpose { perm }) = &first.op else { return false };
    let (fine, coarse) = (&graph.ty(fine).shape, &graph.ty(graph.nodes[reshape].outputs[0]).shape);
    let Some(groups) = reshape::split(coarse, fine) else { return false };
    let units = (0..fine.len()).filter(|&axis| fine[axis] == 1);
    let moved = second.perm.iter().flat_map(|&axis| groups[axis].iter().copied());
    let perm = units.chain(moved).map(|axis| perm[axis]).collect();
    let (source, shape) = (first.inputs[0], graph.ty(output).shape.clone());
    let origin = graph.nodes[index].origin.clone();
    let moved = graph.insert_one(index, Transpose { perm }.into(), &[source], &origin);
    graph.rewrite(index + 1, Reshape { shape }.into(), &[moved], &origin);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::ValueId;
    use crate::ops::slice::{Slice, Span};
    use crate::testing::{after, graph};
    use crate::ty::ElemType;

    fn text(shape: &[usize], steps: &[Op]) -> String {
        let push = |graph: &mut Graph, value: ValueId, step: &Op| graph.push(step.clone(), &[value], &[]).unwrap()[0];
        after(
            merge_movement,
            graph(ElemType::F32, shape, |graph, x| steps.iter().fold(x, |value, step| push(graph, value, step))),
        )
    }

    fn slice(start: usize, len: usize, step: isize) -> Op {
        Slice { axes: vec![Span { start, len, step }, Span::all(3)] }.into()
    }

    #[test]
    fn joined_axes_move_together() {
        // Blocks of 2 × 2 pixels of channels: by the formula of `DepthToSpace`, then channels last.
        let steps: [Op; 4] = [
            Reshape { shape: [1, 2, 2, 3, 4, 5].into() }.into(),
            Transpose { perm: vec![0, 3, 4, 1, 5, 2] }.into(),
            Reshape { shape: [1, 3, 8, 10].into() }.into(),
            Transpose { perm: vec![0, 2, 3, 1] }.into(),
        ];
        let text = text(&[1, 12, 4, 5], &steps);
        assert!(text.contains("f32[1, 4, 2, 5, 2, 3] = Transpose [0, 4, 1, 5, 2, 3]"), "{text}");
        assert!(text.contains("f32[1, 8, 10, 3] = Reshape") && text.matches("Transpose").count() == 1, "{text}");
    }

    #[test]
    fn successive_movements_become_one() {
        let reshape = |shape: &[usize]| Op::from(Reshape { shape: shape.into() });
        let transpose = |perm: &[usize]| Op::from(Transpose { perm: perm.to_vec() });
        let cases = [
            (
                vec![slice(2, 6, 1), slice(5, 3, -2)],
                "Slice { axes: [Span { start: 7, len: 3, step: -2 }, Span { start: 0, len: 3",
            ),
            (vec![reshape(&[24]), reshape(&[2, 12])], "f32[2, 12] = Reshape (%0)"),
            (vec![transpose(&[1, 0]), transpose(&[1, 0]), reshape(&[24])], "f32[24] = Reshape (%0)"),
            (vec![reshape(&[8, 1, 3]), transpose(&[1, 0, 2])], "f32[1, 8, 3] = Reshape (%0)"),
        ];
        for (steps, expected) in cases {
            let text = text(&[8, 3], &steps);
            assert!(text.contains(expected) && text.lines().count() == 3, "{expected}: {text}");
        }
    }
}
