//! What constants were dequantized from, so that layers between quantized tensors have their weights as the file stores them.

use crate::op::Op;
use crate::ops::reshape::Reshape;
use crate::tensor::Tensor;
use crate::ty::Shape;

/// The integers of a constant and the numbers that they stand for: `(q − zero_point) · scale`.
#[derive(Clone, Debug, PartialEq)]
pub struct Integers {
    /// The integers, in the constant's shape.
    pub tensor: Tensor,
    /// The distance of neighbouring numbers: one for all, or one for each index of `axis`.
    pub scale: Vec<f32>,
    /// The integers that stand for zero, as many.
    pub zero_point: Vec<i64>,
    /// The axis along which they differ, if they do.
    pub axis: usize,
}

impl Integers {
    /// The integers of what `op` makes of the constant; `None` where it is no movement of elements, or one that mixes `axis` with
    /// others.
    pub(super) fn moved(&self, op: &Op) -> Option<Self> {
        let ty = self.tensor.ty();
        let axis = match op {
            Op::Reshape(Reshape { shape }) => same_axis(&ty.shape, self.axis, shape),
            Op::Transpose(transpose) => transpose.perm.iter().position(|&axis| axis == self.axis),
            _ => return None,
        };
        let axis = if self.scale.len() == 1 { 0 } else { axis? };
        let types = op.rules().infer(&[ty]).ok()?;
        let tensor = op.rules().fold(&[&self.tensor], &types)?.pop()?;
        Some(Self { tensor, axis, ..self.clone() })
    }
}

/// The axis of `to` that is `axis` of `from`: of the same size, with as many elements behind it.
fn same_axis(from: &Shape, axis: usize, to: &Shape) -> Option<usize> {
    let place = |shape: &Shape, axis: usize| (shape[axis], shape.strides()[axis]);
    (0..to.len()).find(|&other| place(to, other) == place(from, axis))
}
