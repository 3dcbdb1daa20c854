//! Expressions that only bound a number, as `Relu` and `Clip` do.

use crate::ops::elementwise::Expr;
use crate::scalar::Scalar;

/// `min(max(x, low), high)`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Clamp {
    /// The least result.
    pub(super) low: f32,
    /// The greatest result.
    pub(super) high: f32,
}

impl Clamp {
    /// Every number as it is.
    pub(super) const NONE: Self = Self { low: f32::NEG_INFINITY, high: f32::INFINITY };

    /// What `expr` does to input 0, if it is nothing but bounds.
    pub(super) fn of(expr: &Expr) -> Option<Self> {
        let (inner, clamp) = Self::split(expr);
        (*inner == Expr::Input(0)).then_some(clamp)
    }

    /// `expr` as an expression that ends with no bounds, and the bounds of its result.
    pub(super) fn split(expr: &Expr) -> (&Expr, Self) {
        let Some((bounded, low, high)) = bounds(expr).filter(|(_, low, high)| low <= high) else { return (expr, Self::NONE) };
        let (inner, before) = Self::split(bounded);
        // What the outer bounds make of the inner ones.
        let bounded = |bound: f32| bound.max(low).min(high);
        (inner, Self { low: bounded(before.low), high: bounded(before.high) })
    }
}

/// What `expr` bounds, and the least and greatest result, if it bounds anything.
fn bounds(expr: &Expr) -> Option<(&Expr, f32, f32)> {
    let Expr::Call(function, arguments) = expr else { return None };
    let number = |expr: &Expr| match expr {
        Expr::Constant(Scalar::F32(number)) => Some(*number),
        _ => None,
    };
    match (function.name(), arguments.as_slice()) {
        ("relu", [x]) => Some((x, 0.0, f32::INFINITY)),
        ("clip", [x, low, high]) => Some((x, number(low)?, number(high)?)),
        ("max", [low, x] | [x, low]) if number(low).is_some() => Some((x, number(low)?, f32::INFINITY)),
        ("min", [high, x] | [x, high]) if number(high).is_some() => Some((x, f32::NEG_INFINITY, number(high)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ty::ElemType;

    #[test]
    fn bounds_of_bounds() {
        let x = || Expr::Input(0);
        let number = |value| Expr::number(value, ElemType::F32);
        let clip = |x, low, high| Expr::call("clip", [x, number(low), number(high)]);
        let infinity = f32::INFINITY;
        let cases = [
            (x(), Some((-infinity, infinity))),
            (Expr::call("relu", [x()]), Some((0.0, infinity))),
            (clip(Expr::call("relu", [x()]), -1.0, 6.0), Some((0.0, 6.0))),
            (Expr::call("relu", [clip(x(), -3.0, -1.0)]), Some((0.0, 0.0))),
            (Expr::call("max", [number(2.0), Expr::call("min", [x(), number(3.0)])]), Some((2.0, 3.0))),
            (Expr::call("exp", [x()]), None),
            (Expr::call("max", [x(), Expr::Input(1)]), None),
            (Expr::Input(1), None),
        ];
        for (expr, expected) in cases {
            assert_eq!(Clamp::of(&expr).map(|clamp| (clamp.low, clamp.high)), expected, "{expr}");
        }
    }
}
