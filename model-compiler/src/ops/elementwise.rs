//! All elementwise operators: one core operator that holds a scalar expression, so that a chain of them is one loop.
//!
//! Inputs broadcast by ONNX's rule: <https://onnx.ai/onnx/repo-docs/Broadcasting.html>

mod activations;
mod catalogue;
mod expr;
mod functions;
mod normalization;
mod quantization;
#[cfg(test)]
mod tests;

pub use catalogue::DEFS;
pub use expr::Expr;
pub use functions::cast;
pub use quantization::{push_dequantized, push_quantized};

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::cascade;
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels::{self, Overlap, Rows};
use crate::op::{Op, Operator, Types};
use crate::reader::NodeReader;
use crate::scalar::{Get, Scalar};
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape, TensorType, broadcast};

/// `y[i] = expr(a[i], b[i], …)`
#[derive(Clone, Debug, PartialEq)]
pub struct Elementwise {
    /// What is computed of one element of each input.
    pub expr: Expr,
}

/// The most inputs that one loop has.
pub const MAX_INPUTS: usize = 6;

/// The most dimensions that a loop has, for asking kernels about one of any number.
const MAX_RANK: usize = 8;

/// A loop nest over the output, dense dimensions made one, with the strides of each operand.
struct Nest {
    shape: Vec<usize>,
    strides: Vec<Vec<usize>>,
}

impl Nest {
    fn new(output: &Shape, inputs: &[&Shape]) -> Self {
        let strides: Vec<Vec<usize>> = inputs.iter().map(|input| broadcast_strides(input, output)).collect();
        let mut nest = Self { shape: Vec::new(), strides: vec![Vec::new(); inputs.len()] };
        for axis in (0..output.len()).filter(|&axis| output[axis] != 1) {
            let size = output[axis];
            let follows = |(done, new): (&Vec<usize>, &Vec<usize>)| done.last() == Some(&(new[axis] * size));
            if !nest.shape.is_empty() && nest.strides.iter().zip(&strides).all(follows) {
                *nest.shape.last_mut().expect("it is not empty") *= size;
                nest.strides
                    .iter_mut()
                    .zip(&strides)
                    .for_each(|(done, new)| *done.last_mut().expect("as long as the shape") = new[axis]);
                continue;
            }
            nest.shape.push(size);
            nest.strides.iter_mut().zip(&strides).for_each(|(done, new)| done.push(new[axis]));
        }
        if nest.shape.is_empty() {
            nest.shape.push(1);
            nest.strides.iter_mut().for_each(|strides| strides.push(0));
        }
        nest
    }
}

/// The strides by which `input` is read for each index of `output`: 0 where it repeats.
fn broadcast_strides(input: &Shape, output: &Shape) -> Vec<usize> {
    let mut strides = vec![0; output.len() - input.len()];
    strides.extend(input.strides().iter().zip(input.iter()).map(|(&stride, &size)| if size == 1 { 0 } else { stride }));
    strides
}

impl Elementwise {
    /// Why inputs of these types are refused: the one input that another type would make right, or the types that would do for all.
    fn refusal(&self, inputs: &[&TensorType]) -> Refusal {
        let list = |elems: Vec<ElemType>| elems.into_iter().map(ElemType::name).collect::<Vec<_>>().join(", ");
        let taken = |elems: &[ElemType]| self.expr.elem(elems).is_some();
        let help = "cast the inputs to a supported type in the exported model";
        for (index, input) in inputs.iter().enumerate() {
            let mut elems: Vec<ElemType> = inputs.iter().map(|ty| ty.elem).collect();
            let mut fits = |elem| {
                elems[index] = elem;
                taken(&elems)
            };
            let fitting: Vec<ElemType> = ElemType::all().filter(|&elem| fits(elem)).collect();
            if inputs.len() > 1 && !fitting.is_empty() {
                let message = format!("input {index} is {input}; supported beside the other inputs: {}", list(fitting));
                return Refusal::new(message, help);
            }
        }
        let found: Vec<String> = inputs.iter().map(ToString::to_string).collect();
        let alike: Vec<ElemType> = ElemType::all().filter(|&elem| taken(&vec![elem; inputs.len()])).collect();
        let message = match found.as_slice() {
            [found] => format!("the input is {found}; supported element types: {}", list(alike)),
            _ if alike.is_empty() => format!("the element types of {} are not supported together", found.join(", ")),
            _ => format!("the inputs are {}; supported element types, the same for all: {}", found.join(", "), list(alike)),
        };
        Refusal::new(message, help)
    }
}

/// What a layer applies to each of its results, of `f32`.
pub fn function(activation: Option<&Expr>) -> impl Fn(f32) -> f32 {
    move |x| match activation {
        Some(expr) => expr.eval(&[x.into()]).and_then(f32::get).expect("it takes and gives the layer's type"),
        None => x,
    }
}

impl Operator for Elementwise {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let list = || inputs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let shape = broadcast(inputs.iter().map(|ty| &ty.shape)).ok_or_else(|| {
            Refusal::new(
                format!("the shapes of {} do not broadcast together", list()),
                "make the sizes of each axis, counted from the last, equal or one",
            )
        })?;
        let elems: Vec<ElemType> = inputs.iter().map(|ty| ty.elem).collect();
        let elem = self.expr.elem(&elems).ok_or_else(|| self.refusal(inputs))?;
        Ok(vec![TensorType::new(elem, shape)])
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let output = &outputs[0];
        let columns: Vec<Vec<Scalar>> = inputs.iter().map(|input| Scalar::all(input)).collect();
        let strides: Vec<_> = inputs.iter().map(|input| broadcast_strides(&input.ty().shape, &output.shape)).collect();
        let own = output.shape.strides();
        let element = |index: usize| {
            let position = |strides: &Vec<usize>| -> usize {
                (0..own.len()).map(|axis| index / own[axis] % output.shape[axis] * strides[axis]).sum()
            };
            let arguments: Vec<Scalar> =
                columns.iter().zip(&strides).map(|(column, strides)| column[position(strides)]).collect();
            self.expr.eval(&arguments)
        };
        let elements: Option<Vec<Scalar>> = (0..output.elements()).map(element).collect();
        Some(vec![Scalar::tensor(output.elem, output.shape.clone(), &elements?)])
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        Some((self.clone().into(), perm.to_vec()))
    }

    fn overlap(&self, types: Types, input: usize) -> Overlap {
        let shapes: Vec<&Shape> = types.inputs.iter().map(|ty| &ty.shape).collect();
        let nest = Nest::new(&types.outputs[0].shape, &shapes);
        let mut shape = [1; MAX_RANK];
        let mut strides = [0; MAX_RANK];
        let Some(first) = MAX_RANK.checked_sub(nest.shape.len()) else { return Overlap::NONE };
        shape[first..].copy_from_slice(&nest.shape);
        strides[first..].copy_from_slice(&nest.strides[input]);
        kernels::Elementwise { shape }.overlap(strides, types.inputs[input].elem.size(), types.outputs[0].elem.size())
    }

    fn rows(&self, types: Types, constant: &[bool]) -> Option<Rows> {
        let output = types.outputs[0];
        let mut inputs = types.inputs.iter().zip(constant);
        // A constant may stand for all rows alike, but must not have rows of its own.
        let fits = inputs.all(|(ty, &constant)| match constant {
            true => ty.shape.len() < 3 || ty.shape[ty.shape.len() - 3] == 1,
            false => ty.shape == output.shape,
        });
        fits.then(|| cascade::row_for_row(output)).flatten()
    }

    fn of_one_row(&self, _whole: &TensorType) -> Option<Op> {
        Some(self.clone().into())
    }

    fn show(&self) -> String {
        format!("Elementwise {}", self.expr)
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        /// Prints as the kernel of as many dimensions does.
        #[derive(Debug)]
        #[allow(dead_code, reason = "its Debug form is the point")]
        struct Elementwise<'a> {
            shape: &'a [usize],
        }
        let shapes: Vec<&Shape> = (0..cx.input_count()).map(|index| &cx.input_ty(index).shape).collect();
        let elems: Vec<ElemType> = (0..cx.input_count()).map(|index| cx.input_ty(index).elem).collect();
        let nest = Nest::new(&cx.output_ty(0).shape, &shapes);
        let kernel = literal(&Elementwise { shape: &nest.shape });
        let operands = nest.strides.iter().enumerate().map(|(index, strides)| {
            let input = cx.input(index);
            let strides = strides.iter().map(|&stride| Literal::usize_unsuffixed(stride));
            quote!((#input, [#(#strides),*]))
        });
        let operands: Vec<TokenStream> = operands.collect();
        let (output, f) = (cx.output(0), self.expr.closure(&elems));
        match operands.as_slice() {
            [only] => quote! { #kernel.run(#only, #output, #f); },
            _ => quote! { #kernel.run((#(#operands),*), #output, #f); },
        }
    }
}

/// A fused activation in the line that shows an operator: `, relu(x)`.
pub fn shown(activation: Option<&Expr>) -> String {
    activation.map_or_else(String::new, |expr| format!(", {expr}"))
}

/// Pushes the function called `name` of `inputs`.
pub fn push(node: &mut NodeReader, name: &str, inputs: &[ValueId]) -> Result<ValueId> {
    let arguments: Vec<Expr> = (0..inputs.len()).map(Expr::Input).collect();
    node.push(Elementwise { expr: Expr::call(name, arguments) }, inputs)
}

/// Pushes a conversion to `elem`, unless the elements are of that type.
pub fn converted(node: &mut NodeReader, input: ValueId, elem: ElemType) -> Result<ValueId> {
    let from = node.ty(input).elem;
    if from == elem {
        return Ok(input);
    }
    node.push(Elementwise { expr: Expr::Input(0).cast(from, elem) }, &[input])
}
