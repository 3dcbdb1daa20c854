//! Puts constants of one element into the expressions that read them.

use crate::graph::Graph;
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::scalar::Scalar;
use crate::ty::broadcast;

/// `f(x, c)`, `c` a constant of one element → `(x ↦ f(x, c))(x)`
pub(super) fn inline_scalars(graph: &mut Graph) {
    for index in 0..graph.nodes.len() {
        let Op::Elementwise(Elementwise { expr }) = &graph.nodes[index].op else { continue };
        let (inputs, output) = (&graph.nodes[index].inputs, graph.nodes[index].outputs[0]);
        let scalar = |place: usize| graph.constant(inputs[place]).filter(|tensor| tensor.ty().elements() == 1).map(Scalar::all);
        let kept: Vec<usize> = (0..inputs.len()).filter(|&place| scalar(place).is_none()).collect();
        let shape = broadcast(kept.iter().map(|&place| &graph.ty(inputs[place]).shape));
        // A constant of more dimensions than all else adds these to the result.
        if kept.len() == inputs.len() || shape.as_ref() != Some(&graph.ty(output).shape) {
            continue;
        }
        let expr = expr.substitute(&|place| match scalar(place) {
            Some(elements) => Expr::Constant(elements[0]),
            None => Expr::Input(kept.iter().position(|&other| other == place).expect("it is kept")),
        });
        let inputs = kept.iter().map(|&place| inputs[place]).collect();
        (graph.nodes[index].op, graph.nodes[index].inputs) = (Elementwise { expr }.into(), inputs);
    }
}
