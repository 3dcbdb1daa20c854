//! A scale or shift by constants, one for each channel: what the passes that fold such steps into layers look for.

use crate::graph::{Graph, ValueId};
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::scalar::Scalar;
use crate::ty::ElemType;

/// One arithmetic step on a value.
pub(super) struct Affine {
    /// `add`, `sub`, `mul` or `div`.
    pub(super) function: &'static str,
    /// A constant for each channel.
    pub(super) operand: ValueId,
    /// Whether the value is the second argument: `operand - y`.
    pub(super) flipped: bool,
}

/// The step that the node at `index` does on `value`, with a constant that differs along `axis` at most; `None` if it does another.
pub(super) fn step(graph: &mut Graph, index: usize, value: ValueId, axis: usize) -> Option<Affine> {
    let node = graph.nodes[index].clone();
    let Op::Elementwise(Elementwise { expr: Expr::Call(function, arguments) }) = &node.op else { return None };
    let ty = graph.ty(value).clone();
    if graph.ty(node.outputs[0]) != &ty || !matches!(ty.elem, ElemType::F32 | ElemType::F64) {
        return None;
    }
    let [left, right] = arguments.as_slice() else { return None };
    let is_value = |expr: &Expr| matches!(expr, Expr::Input(place) if node.inputs[*place] == value);
    let (flipped, other) = match (is_value(left), is_value(right)) {
        (true, false) => (false, right),
        (false, true) => (true, left),
        _ => return None,
    };
    let function = match function.name() {
        "div" if flipped => return None,
        name @ ("add" | "sub" | "mul" | "div") => name,
        _ => return None,
    };
    let channels = ty.shape[axis];
    // A vector for a number too, so that there is one way to fold.
    let operand = match other {
        Expr::Constant(scalar) => graph.add_constant("scale", Scalar::tensor(ty.elem, [channels], &vec![*scalar; channels])),
        Expr::Input(input) => {
            let constant = graph.constant(node.inputs[*input])?;
            let shape = &constant.ty().shape;
            let place = (axis + shape.len()).checked_sub(ty.shape.len())?;
            let one_for_each = shape[place] == channels && shape.elements() == channels;
            let vector = one_for_each.then(|| constant.reshaped([channels]))?;
            let name = graph.value(node.inputs[*input]).name.clone();
            graph.add_constant(name, vector)
        }
        _ => return None,
    };
    Some(Affine { function, operand, flipped })
}

/// `function(left, right)` of constants, named after the first.
pub(super) fn compute(graph: &mut Graph, left: ValueId, function: &str, right: ValueId) -> ValueId {
    let expr = Expr::call(function, [Expr::Input(0), Expr::Input(1)]);
    let name = graph.value(left).name.clone();
    let result = graph.insert_one(0, Elementwise { expr }.into(), &[left, right], &[]);
    graph.rename(result, name);
    result
}
