//! What the integers of a quantized tensor stand for.

use crate::graph::{Graph, Node};
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::ops::integer::offset;
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
        Self::new(argument(scale)?, argument(zero)?).filter(|_| called.name() == function)
    }

    /// With a scale, and a zero point of the integers' type; `None` where the scale is no positive number of `f32`, or the integers have
    /// more than 16 bits.
    pub fn new(scale: Scalar, zero: Scalar) -> Option<Self> {
        let Scalar::F32(scale) = scale else { return None };
        let elem = zero.elem();
        let zero = i32::try_from(zero.to_int()?).ok()?;
        let narrow = elem.is_int() && elem.size() <= 2;
        (narrow && scale.is_normal() && scale > 0.0).then_some(Self { elem, scale, zero })
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

    /// The least and the greatest integer.
    pub fn range(self) -> [i32; 2] {
        match self.elem {
            ElemType::I8 => [i8::MIN.into(), i8::MAX.into()],
            ElemType::U8 => [0, u8::MAX.into()],
            ElemType::I16 => [i16::MIN.into(), i16::MAX.into()],
            _ => [0, u16::MAX.into()],
        }
    }

    /// The least and the greatest integer as layers read them.
    pub fn read_range(self) -> [i32; 2] {
        self.range().map(|bound| bound - offset(self.elem))
    }

    /// What stands for zero as layers read it.
    pub fn read_zero(self) -> i32 {
        self.zero - offset(self.elem)
    }

    /// What a number becomes, by the formula of `QuantizeLinear`.
    pub fn nearest(self, number: Scalar) -> Option<Scalar> {
        self.quantize(Expr::Input(0)).eval(&[number])
    }
}
