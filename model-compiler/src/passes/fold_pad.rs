//! Lets a convolution do the padding before it, which then takes neither a step nor memory.

use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::conv::Conv;
use crate::ops::pad::{Mode, Pad};
use crate::ops::reshape::Reshape;
use crate::ops::transpose::Transpose;
use crate::scalar::Scalar;
use crate::ty::Shape;

/// `Conv(Pad(x), w)` → `Conv[padding](x, w)`, where zeros are put around height and width
///
/// Transposes, and reshapes by dimensions of one, may stand between the two; they then move `x` as it was.
pub(super) fn fold_pad(graph: &mut Graph) {
    // A convolution may stand behind several paddings.
    while (0..graph.nodes.len()).any(|index| fold(graph, index)) {}
}

/// Folds a padding into the convolution at `index`; tells whether there was one to fold.
fn fold(graph: &mut Graph, index: usize) -> bool {
    let node = graph.nodes[index].clone();
    let Op::Conv(conv) = &node.op else { return false };
    let Some(Padded { source, steps, pad }) = padded(graph, node.inputs[0]).filter(|_| !conv.planar) else { return false };
    let (&[0, top, left, 0], &[0, bottom, right, 0]) = (&pad.before[..], &pad.after[..]) else { return false };
    if pad.mode != Mode::Constant(Scalar::zero(graph.ty(source).elem)) {
        return false;
    }
    let mut window = conv.window.clone();
    window.padding.iter_mut().zip([top, left, bottom, right]).for_each(|(padding, more)| *padding += more);
    let (mut index, mut inputs) = (index, node.inputs);
    inputs[0] = source;
    for step in steps {
        inputs[0] = graph.insert_one(index, step, &inputs[..1], &node.origin);
        index += 1;
    }
    graph.rewrite(index, Conv { window, ..conv.clone() }.into(), &inputs, &node.origin);
    true
}

/// `pad(steps(source))`
struct Padded {
    source: ValueId,
    steps: Vec<Op>,
    pad: Pad,
}

/// What `id` is, when a padding comes before it.
fn padded(graph: &Graph, id: ValueId) -> Option<Padded> {
    let node = &graph.nodes[graph.producer(id)?];
    let source = *node.inputs.first()?;
    match &node.op {
        Op::Pad(pad) => Some(Padded { source, steps: Vec::new(), pad: pad.clone() }),
        Op::Transpose(Transpose { perm }) => {
            let Padded { source, mut steps, pad } = padded(graph, source)?;
            let permuted = |counts: &[usize]| perm.iter().map(|&axis| counts[axis]).collect();
            let pad = Pad { before: permuted(&pad.before), after: permuted(&pad.after), mode: pad.mode };
            steps.push(node.op.clone());
            Some(Padded { source, steps, pad })
        }
        Op::Reshape(Reshape { shape: to }) => {
            let from = &graph.ty(source).shape;
            let Padded { source, mut steps, pad } = padded(graph, source).filter(|_| from.squeezed() == to.squeezed())?;
            let (mut shape, mut before, mut after) = (to.to_vec(), vec![0; to.len()], vec![0; to.len()]);
            for (axis, place) in wide(from).zip(wide(to)) {
                (before[place], after[place]) = (pad.before[axis], pad.after[axis]);
                shape[place] -= before[place] + after[place];
            }
            steps.push(Reshape { shape: shape.into() }.into());
            Some(Padded { source, steps, pad: Pad { before, after, mode: pad.mode } })
        }
        _ => None,
    }
}

/// The axes along which there is more than one element.
fn wide(shape: &Shape) -> impl Iterator<Item = usize> {
    (0..shape.len()).filter(|&axis| shape[axis] != 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::window::Window;
    use crate::tensor::Tensor;
    use crate::testing::{after, graph};
    use crate::ty::ElemType;

    fn pad(before: &[usize], after: &[usize], value: f32) -> Op {
        Pad { before: before.to_vec(), after: after.to_vec(), mode: Mode::Constant(Scalar::F32(value)) }.into()
    }

    fn reshape(shape: &[usize]) -> Op {
        Reshape { shape: shape.into() }.into()
    }

    /// `steps`, one after another, of an input of `shape`; then a convolution of two channels by a kernel of 3 × 1.
    fn padded_conv(shape: &[usize], steps: &[Op]) -> Graph {
        let window = Window { kernel: [1, 3], strides: [1, 2], dilations: [1, 1], padding: [0, 1, 0, 0] };
        let conv = Conv { window, groups: 1, activation: None, integer: None, planar: false, backward: false };
        let weights = Tensor::from_vec([1, 2, 1, 3], &[1.0f32; 6]);
        graph(ElemType::F32, shape, |graph, mut value| {
            for step in steps {
                value = graph.push(step.clone(), &[value], &[]).unwrap()[0];
            }
            let weights = graph.add_constant("w", weights);
            graph.push(conv.into(), &[value, weights], &[]).unwrap()[0]
        })
    }

    #[test]
    fn zeros_around_the_image_are_folded() {
        let text = after(fold_pad, padded_conv(&[1, 4, 6, 2], &[pad(&[0, 1, 2, 0], &[0, 0, 3, 0], 0.0)]));
        assert!(text.contains("= Conv 1×3 stride 1×2 pad [1, 3, 0, 3] (%0, const f32[1, 2, 1, 3])"), "{text}");
        assert!(!text.contains("Pad"), "{text}");
    }

    #[test]
    fn transposes_and_reshapes_may_stand_between() {
        let transpose: Op = Transpose { perm: vec![0, 2, 1] }.into();
        let steps = [pad(&[0, 0, 2], &[0, 0, 0], 0.0), pad(&[0, 0, 0], &[0, 0, 1], -0.0), transpose, reshape(&[1, 1, 9, 2])];
        let text = after(fold_pad, padded_conv(&[1, 2, 6], &steps));
        assert!(text.contains("pad [0, 3, 0, 1]") && !text.contains("Pad"), "{text}");
        assert!(text.contains("f32[1, 1, 6, 2] = Reshape") && text.contains("f32[1, 6, 2] = Transpose"), "{text}");
    }

    #[test]
    fn other_paddings_stay() {
        let edge = Pad { before: vec![0, 0, 1, 0], after: vec![0; 4], mode: Mode::Edge };
        let cases = [
            padded_conv(&[1, 4, 6, 2], &[pad(&[0, 0, 1, 0], &[0; 4], 1.0)]),
            padded_conv(&[1, 4, 6, 2], &[edge.into()]),
            padded_conv(&[1, 4, 6, 1], &[pad(&[0, 0, 0, 1], &[0; 4], 0.0)]),
            padded_conv(&[1, 4, 6, 2], &[pad(&[1, 0, 0, 0], &[0; 4], 0.0)]),
            padded_conv(&[24], &[pad(&[2], &[2], 0.0), reshape(&[1, 1, 14, 2])]),
        ];
        for graph in cases {
            let before = graph.to_string();
            assert_eq!(after(fold_pad, graph), before);
        }
    }
}
