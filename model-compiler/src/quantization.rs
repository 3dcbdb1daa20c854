//! What the integers of a quantized tensor stand for.

use crate::graph::{Graph, Node};
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::scalar::Scalar;
use crate::ty::ElemType;

/// The numbers that the integers of a tensor stand for: `(q − zero) · scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quantization {
    /// The type of the integers, of 8 or 16 bits.
    pub elem: ElemType,
    /// The distance of neighbouring numbers.
    pub scale: f32,
    /// What stands for zero.
    pub zero: i32,
}

impl Quantization {
    /// By which `node` calls `function`, `quantize` or `dequantize`, with its first input; `None` where it does something else, or where
    /// scale and zero point are not known or not one for the whole tensor.
    pub fn of_node(graph: &Graph, node: &Node, function: &str) -> Option<Self> {
        let Op::Elementwise(Elementwise { expr: Expr::Call(called, arguments) }) = &node.op else { return None };
        let [Expr::Input(0), scale, zero] = arguments.as_slice() else { return None };
        let argument = |expr: &Expr| match *expr {
            Expr::Constant(scalar) => Some(scalar),
            Expr::Input(place) => match Scalar::all(graph.constant(node.inputs[place])?)[..] {
                [only] => Some(only),
                _ => None,
            },
            _ => None,
        };
        let Scalar::F32(scale) = argument(scale)? else { return None };
        let zero = argument(zero)?;
        let elem = zero.elem();
        let Scalar::I32(zero) = Expr::Constant(zero).cast(elem, ElemType::I32).eval(&[])? else { return None };
        let narrow = elem.is_int() && elem.size() <= 2;
        (called.name() == function && narrow && scale.is_normal() && scale > 0.0).then_some(Self { elem, scale, zero })
    }

    /// `quantize(expr, scale, zero)`
    pub fn quantize(self, expr: Expr) -> Expr {
        Expr::call("quantize", [expr, self.scale(), self.zero_point()])
    }

    /// `dequantize(expr, scale, zero)`
    pub fn dequantize(self, expr: Expr) -> Expr {
        Expr::call("dequantize", [expr, self.scale(), self.zero_point()])
    }

    fn scale(self) -> Expr {
        Expr::Constant(Scalar::F32(self.scale))
    }

    fn zero_point(self) -> Expr {
        Expr::number(self.zero.into(), self.elem)
    }
}
