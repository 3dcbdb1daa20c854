//! The activation functions of recurrent layers, by the names that ONNX gives them there.

use super::{Direction, Unit};
use crate::diagnostic::{Refusal, Result};
use crate::ops::elementwise::Expr;
use crate::reader::{NodeReader, unsupported_attribute};
use crate::ty::ElemType;

/// An activation function.
struct Activation {
    name: &'static str,
    alpha: Parameter,
    beta: Parameter,
    /// What it makes of an expression of this type, with alpha and beta.
    apply: fn(Expr, [f32; 2], ElemType) -> Expr,
}

/// Whether a function takes alpha or beta.
#[derive(Clone, Copy)]
enum Parameter {
    None,
    /// The one of the ONNX operator of the same name, if the attribute has none.
    Default(f32),
    /// ONNX has no operator of the name, and so no default.
    Required,
}

use Parameter::{Default, None as No, Required};

const ACTIVATIONS: &[Activation] = &[
    Activation { name: "Relu", alpha: No, beta: No, apply: |x, _, _| Expr::call("relu", [x]) },
    Activation { name: "Tanh", alpha: No, beta: No, apply: |x, _, _| Expr::call("tanh", [x]) },
    Activation { name: "Sigmoid", alpha: No, beta: No, apply: |x, _, _| Expr::call("sigmoid", [x]) },
    Activation { name: "Affine", alpha: Required, beta: Required, apply: affine },
    Activation {
        name: "LeakyRelu",
        alpha: Default(0.01),
        beta: No,
        apply: |x, [alpha, _], _| Expr::call("leaky_relu", [x, Expr::Constant(alpha.into())]),
    },
    Activation { name: "ThresholdedRelu", alpha: Default(1.0), beta: No, apply: thresholded_relu },
    Activation { name: "ScaledTanh", alpha: Required, beta: Required, apply: scaled_tanh },
    Activation {
        name: "HardSigmoid",
        alpha: Default(0.2),
        beta: Default(0.5),
        apply: |x, [alpha, beta], _| Expr::call("hard_sigmoid", [x, Expr::Constant(alpha.into()), Expr::Constant(beta.into())]),
    },
    Activation {
        name: "Elu",
        alpha: Default(1.0),
        beta: No,
        apply: |x, [alpha, _], _| Expr::call("elu", [x, Expr::Constant(alpha.into())]),
    },
    Activation { name: "Softsign", alpha: No, beta: No, apply: |x, _, _| Expr::call("softsign", [x]) },
    Activation { name: "Softplus", alpha: No, beta: No, apply: |x, _, _| Expr::call("softplus", [x]) },
];

/// alpha · x + beta
fn affine(x: Expr, [alpha, beta]: [f32; 2], elem: ElemType) -> Expr {
    let [alpha, beta] = [alpha, beta].map(|number| Expr::number(number.into(), elem));
    Expr::call("add", [Expr::call("mul", [alpha, x]), beta])
}

/// x from alpha on, else 0; unlike the operator of this name, which has 0 at alpha itself.
fn thresholded_relu(x: Expr, [alpha, _]: [f32; 2], elem: ElemType) -> Expr {
    let [alpha, zero] = [alpha, 0.0].map(|number| Expr::number(number.into(), elem));
    Expr::call("select", [Expr::call("greater_or_equal", [x.clone(), alpha]), x, zero])
}

/// alpha · tanh(beta · x)
fn scaled_tanh(x: Expr, [alpha, beta]: [f32; 2], elem: ElemType) -> Expr {
    let [alpha, beta] = [alpha, beta].map(|number| Expr::number(number.into(), elem));
    Expr::call("mul", [alpha, Expr::call("tanh", [Expr::call("mul", [beta, x])])])
}

/// The directions of a layer, with the activation functions of each.
///
/// `clip` bounds what f and g are given. The cell state goes into h as it is.
pub(super) fn directions(node: &NodeReader, unit: Unit, elem: ElemType) -> Result<Vec<Direction>> {
    let ways: &[bool] = match node.word("direction", &["forward", "reverse", "bidirectional"])? {
        "forward" => &[false],
        "reverse" => &[true],
        _ => &[false, true],
    };
    let defaults = match unit {
        Unit::Rnn => &["Tanh"][..],
        Unit::Gru { .. } => &["Sigmoid", "Tanh"],
        Unit::Lstm { .. } => &["Sigmoid", "Tanh", "Tanh"],
    };
    let clip = clip(node, elem)?;
    let functions = functions(node, defaults, ways.len())?;
    let (mut alphas, mut betas) = (Values::read(node, "activation_alpha")?, Values::read(node, "activation_beta")?);
    let mut exprs = Vec::new();
    for (index, function) in functions.iter().enumerate() {
        let parameters = [alphas.take(index, function, function.alpha)?, betas.take(index, function, function.beta)?];
        let x = if index % defaults.len() < 2 { clip.clone() } else { Expr::Input(0) };
        exprs.push((function.apply)(x, parameters, elem));
    }
    alphas.finish(functions.len())?;
    betas.finish(functions.len())?;
    let ways = ways.iter().zip(exprs.chunks(defaults.len()));
    Ok(ways.map(|(&reverse, activations)| Direction { reverse, activations: activations.to_vec() }).collect())
}

/// The functions of all directions, one direction after another.
fn functions(node: &NodeReader, defaults: &[&str], directions: usize) -> Result<Vec<&'static Activation>> {
    let count = defaults.len() * directions;
    let names =
        node.words("activations")?.unwrap_or_else(|| defaults.repeat(directions).into_iter().map(str::to_owned).collect());
    // The default that ONNX states for `RNN` names a function for the direction that a layer may not have.
    if names.len() != count && names.len() != 2 * defaults.len() {
        return Err(unsupported_attribute("activations", &format!("{names:?}"), &format!("{count} functions")));
    }
    let function = |name: &String| {
        let found = ACTIVATIONS.iter().find(|function| function.name.eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let known: Vec<String> = ACTIVATIONS.iter().map(|function| format!("`{}`", function.name)).collect();
            unsupported_attribute("activations", &format!("{names:?}"), &known.join(", "))
        })
    };
    names.iter().take(count).map(function).collect()
}

/// The element, or as much of it as `clip` leaves.
fn clip(node: &NodeReader, elem: ElemType) -> Result<Expr> {
    let Some(bound) = node.optional_float("clip")? else { return Ok(Expr::Input(0)) };
    if bound.is_nan() || bound <= 0.0 {
        return Err(unsupported_attribute("clip", &bound.to_string(), "a number above 0"));
    }
    let [low, high] = [-bound, bound].map(|bound| Expr::number(bound.into(), elem));
    Ok(Expr::call("clip", [Expr::Input(0), low, high]))
}

/// The numbers of `activation_alpha` or `activation_beta`, which the functions that take one consume in order.
struct Values {
    attribute: &'static str,
    list: Vec<f32>,
    /// Which function took each of the first of them.
    takers: Vec<usize>,
}

impl Values {
    fn read(node: &NodeReader, attribute: &'static str) -> Result<Self> {
        Ok(Self { attribute, list: node.floats(attribute)?.unwrap_or_default(), takers: Vec::new() })
    }

    /// The number for the function at `index`; 0 if it takes none.
    fn take(&mut self, index: usize, function: &Activation, parameter: Parameter) -> Result<f32> {
        let default = match parameter {
            Parameter::None => return Ok(0.0),
            Parameter::Default(default) => Some(default),
            Parameter::Required => None,
        };
        let found = self.list.get(self.takers.len()).copied();
        self.takers.push(index);
        found.or(default).ok_or_else(|| {
            Refusal::new(
                format!("`{}` has no number for `{}`, for which there is no default", self.attribute, function.name),
                "export the model with the numbers of each activation function",
            )
        })
    }

    /// Refuses a list that is longer than what was taken, unless it has a number for each function and those taken are the
    /// right ones in this reading too.
    fn finish(&self, functions: usize) -> Result<()> {
        let aligned = || self.takers.iter().enumerate().all(|(place, &taker)| self.list[place] == self.list[taker]);
        if self.list.len() <= self.takers.len() || self.list.len() == functions && aligned() {
            return Ok(());
        }
        let takers = format!("{} numbers, as many as the activation functions take", self.takers.len());
        Err(unsupported_attribute(self.attribute, &format!("{:?}", self.list), &takers))
    }
}
