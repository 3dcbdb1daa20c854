//! Makes sums and products of quantized tensors integer expressions with one rounding.

use super::clamp::Clamp;
use super::quantization::{dequantized_expr, quantized_expr};
use super::requantize::bounds;
use crate::graph::Graph;
use crate::op::Op;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::quantization::Quantization;
use crate::scalar::Scalar;
use crate::ty::ElemType;

/// `quantize(clamp(dequantize(x) + dequantize(y)))` → `clip((x · m + y · n + c) >> s)`; likewise differences, scaled sums of any number,
/// and products of two
pub(super) fn quantize_sums(graph: &mut Graph) {
    for node in &mut graph.nodes {
        let Op::Elementwise(Elementwise { expr }) = &node.op else { continue };
        let Some((inner, output)) = quantized_expr(expr) else { continue };
        let (inner, clamp) = Clamp::split(inner);
        let Some(scaled) = linear(inner).or_else(|| product(inner)) else { continue };
        if let Some(expr) = scaled.expr(output, clamp) {
            node.op = Elementwise { expr }.into();
        }
    }
}

/// `Σ factor · value + offset`
struct Scaled {
    terms: Vec<Term>,
    offset: f64,
}

/// `factor · value`
struct Term {
    factor: f64,
    value: Value,
}

/// An integer.
enum Value {
    /// The element of an input less its zero point.
    Input(usize, Quantization),
    /// The product of two such.
    Product([(usize, Quantization); 2]),
}

impl Value {
    /// The integer less [`Value::zero`], of type `elem`.
    fn expr(&self, elem: ElemType) -> Expr {
        let element = |input: usize, quantization: Quantization| Expr::Input(input).cast(quantization.elem, elem);
        let less_zero = |(input, quantization): (usize, Quantization)| match quantization.zero {
            0 => element(input, quantization),
            zero => Expr::call("sub", [element(input, quantization), Expr::number(zero.into(), elem)]),
        };
        match *self {
            Self::Input(input, quantization) => element(input, quantization),
            Self::Product(factors) => Expr::call("mul", factors.map(less_zero)),
        }
    }

    /// What the expression is too great by.
    fn zero(&self) -> i64 {
        match self {
            Self::Input(_, quantization) => quantization.zero.into(),
            Self::Product(_) => 0,
        }
    }

    /// The greatest magnitude of the expression.
    fn magnitude(&self) -> i64 {
        let greatest = |quantization: Quantization, zero: i32| {
            let [low, high] = quantization.range().map(|bound| i64::from(bound - zero).abs());
            low.max(high)
        };
        match *self {
            Self::Input(_, quantization) => greatest(quantization, 0),
            Self::Product(factors) => {
                factors.into_iter().map(|(_, quantization)| greatest(quantization, quantization.zero)).product()
            }
        }
    }
}

/// `expr` as a sum of scaled inputs.
fn linear(expr: &Expr) -> Option<Scaled> {
    if let Some((Expr::Input(input), quantization)) = dequantized_expr(expr) {
        let term = Term { factor: quantization.scale.into(), value: Value::Input(*input, quantization) };
        return Some(Scaled { terms: vec![term], offset: 0.0 });
    }
    match expr {
        Expr::Constant(Scalar::F32(number)) => Some(Scaled { terms: Vec::new(), offset: f64::from(*number) }),
        Expr::Call(function, arguments) => match (function.name(), arguments.as_slice()) {
            ("add", [x, y]) => Some(linear(x)?.plus(linear(y)?)),
            ("sub", [x, y]) => Some(linear(x)?.plus(linear(y)?.times(-1.0))),
            ("neg", [x]) => Some(linear(x)?.times(-1.0)),
            ("mul", [x, y]) => match (linear(x)?, linear(y)?) {
                (x, y) if x.terms.is_empty() => Some(y.times(x.offset)),
                (x, y) if y.terms.is_empty() => Some(x.times(y.offset)),
                _ => None,
            },
            ("div", [x, y]) => {
                linear(y).filter(|y| y.terms.is_empty() && y.offset != 0.0).and_then(|y| Some(linear(x)?.times(1.0 / y.offset)))
            }
            _ => None,
        },
        _ => None,
    }
}

/// `expr` as a product of two inputs.
fn product(expr: &Expr) -> Option<Scaled> {
    let Expr::Call(function, arguments) = expr else { return None };
    let [x, y] = arguments.as_slice() else { return None };
    let (Some((&Expr::Input(x), x_from)), Some((&Expr::Input(y), y_from))) = (dequantized_expr(x), dequantized_expr(y)) else {
        return None;
    };
    let factor = f64::from(x_from.scale) * f64::from(y_from.scale);
    let term = Term { factor, value: Value::Product([(x, x_from), (y, y_from)]) };
    (function.name() == "mul").then(|| Scaled { terms: vec![term], offset: 0.0 })
}

impl Scaled {
    fn plus(mut self, other: Self) -> Self {
        self.terms.extend(other.terms);
        Self { offset: self.offset + other.offset, ..self }
    }

    fn times(mut self, factor: f64) -> Self {
        self.terms.iter_mut().for_each(|term| term.factor *= factor);
        Self { offset: self.offset * factor, ..self }
    }

    /// The integers of `output`: in 32 bits where these hold all sums with multipliers that are fine enough, else in 64.
    fn expr(&self, output: Quantization, clamp: Clamp) -> Option<Expr> {
        let [low, high] = bounds(output, clamp)?;
        let fixed = [(ElemType::I32, 30, 1 << 31), (ElemType::I64, 40, 1 << 62)].into_iter().find_map(|(elem, most, limit)| {
            let fixed = (LEAST_SHIFT..=most).rev().map(|shift| self.fixed(output, shift));
            fixed.flatten().find(|fixed| fixed.magnitude < limit).map(|fixed| (elem, fixed))
        });
        let (elem, Fixed { multipliers, constant, shift, magnitude }) = fixed?;
        let number = |value: i64| Expr::number(crate::kernels::cast(value), elem);
        let mut sum = number(constant);
        for (term, multiplier) in self.terms.iter().zip(multipliers) {
            let scaled = Expr::call("mul", [term.value.expr(elem), number(multiplier)]);
            sum = Expr::call("add", [scaled, sum]);
        }
        let rounded = Expr::call("shift_right", [sum, number(shift.into())]).cast(elem, ElemType::I32);
        if magnitude >> shift > i32::MAX.into() {
            return None;
        }
        let [low, high] = [low, high].map(|bound| Expr::Constant(Scalar::I32(bound)));
        let bounded = Expr::call("clip", [rounded, low, high]);
        Some(bounded.cast(ElemType::I32, output.elem))
    }

    /// In units of `2^-shift` steps of `output`.
    fn fixed(&self, output: Quantization, shift: u8) -> Option<Fixed> {
        let units = |number: f64| {
            let units = (number / f64::from(output.scale) * 2f64.powi(shift.into())).round();
            (units.abs() < 2f64.powi(60)).then(|| crate::kernels::cast::<f64, i64>(units))
        };
        let multipliers = self.terms.iter().map(|term| units(term.factor)).collect::<Option<Vec<i64>>>()?;
        // Half a step, so that rounding down rounds to the nearest.
        let mut constant = units(self.offset)? + (i64::from(output.zero) << shift) + (1 << (shift - 1));
        let mut magnitude = 0i64;
        for (Term { value, .. }, &multiplier) in self.terms.iter().zip(&multipliers) {
            constant = constant.checked_sub(value.zero().checked_mul(multiplier)?)?;
            magnitude = magnitude.checked_add(value.magnitude().checked_mul(multiplier.abs())?)?;
        }
        magnitude = magnitude.checked_add(constant.abs())?;
        Some(Fixed { multipliers, constant, shift, magnitude })
    }
}

/// The least shift: with multipliers so fine that the sum of two bytes is off by less than a hundredth of a step.
const LEAST_SHIFT: u8 = 16;

/// A scaled sum in fixed point.
struct Fixed {
    /// One for each term.
    multipliers: Vec<i64>,
    /// What is added to the terms.
    constant: i64,
    /// The binary places behind the point.
    shift: u8,
    /// No intermediate result is greater.
    magnitude: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compares the integer form of `inner` with the formula for all pairs of bytes, some left out; 1 is allowed beside a tie.
    fn check(inner: &Expr, formula: impl Fn(f64, f64) -> f64, inputs: [Quantization; 2], output: Quantization, clamp: Clamp) {
        let scaled = linear(inner).or_else(|| product(inner)).expect("it is of one of the forms");
        let expr = scaled.expr(output, clamp).expect("it fits");
        let [low, high] = bounds(output, clamp).unwrap();
        let elements = |of: Quantization| (of.range()[0]..=of.range()[1]).step_by(3);
        let scalar = |value: i32, of: Quantization| Scalar::of(value.into(), of.elem);
        for (x, y) in elements(inputs[0]).flat_map(|x| elements(inputs[1]).map(move |y| (x, y))) {
            let number = |element: i32, of: Quantization| f64::from(element - of.zero) * f64::from(of.scale);
            let steps = formula(number(x, inputs[0]), number(y, inputs[1])) / f64::from(output.scale) + f64::from(output.zero);
            let exact = (steps + 0.5).floor().max(low.into()).min(high.into());
            let found = expr.eval(&[scalar(x, inputs[0]), scalar(y, inputs[1])]).unwrap();
            assert_eq!(found.elem(), output.elem);
            let beside_a_tie = (steps + 0.5 - (steps + 0.5).round()).abs() < 0.01;
            let off = (f64::from(i32::try_from(found.to_int().unwrap()).unwrap()) - exact).abs();
            assert!(off == 0.0 || (off == 1.0 && beside_a_tie), "{expr} of {x}, {y}: {found:?}, not {steps}");
        }
    }

    #[test]
    fn sums_and_products_are_rounded_once() {
        let i8s = Quantization { elem: ElemType::I8, scale: 0.04, zero: -5 };
        let u8s = Quantization { elem: ElemType::U8, scale: 0.013, zero: 131 };
        let output = Quantization { elem: ElemType::I8, scale: 0.051, zero: 17 };
        let [x, y] = [(0, i8s), (1, u8s)].map(|(input, quantization)| quantization.dequantize(Expr::Input(input)));
        let (two, call) = (Expr::from(2.0), |name: &str, x: &Expr, y: &Expr| Expr::call(name, [x.clone(), y.clone()]));
        let relu = Clamp { low: 0.0, high: f32::INFINITY };
        let run = |inner: Expr, formula: fn(f64, f64) -> f64| {
            for (clamp, scale) in [(Clamp::NONE, 0.051), (relu, 0.051), (relu, 3.0), (Clamp::NONE, 1e-4)] {
                check(&inner, formula, [i8s, u8s], Quantization { scale, ..output }, clamp);
            }
        };
        run(call("add", &x, &y), |x, y| x + y);
        run(call("sub", &x, &y), |x, y| x - y);
        run(call("sub", &call("mul", &two, &x), &call("div", &y, &two)), |x, y| 2.0 * x - y / 2.0);
        run(call("add", &call("add", &x, &two), &y), |x, y| x + 2.0 + y);
        run(call("mul", &x, &y), |x, y| x * y);
    }

    #[test]
    fn other_expressions_are_left() {
        let x = Quantization { elem: ElemType::I8, scale: 0.04, zero: -5 }.dequantize(Expr::Input(0));
        let squared = Expr::call("mul", [x.clone(), Expr::call("exp", [x.clone()])]);
        assert!(linear(&squared).is_none() && product(&squared).is_none());
        assert!(linear(&Expr::call("div", [x.clone(), x])).is_none());
    }
}
