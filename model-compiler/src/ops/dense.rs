//! `Gemm` and `MatMul` with a constant matrix: a layer of fully connected units.
//!
//! <https://onnx.ai/onnx/operators/onnx__Gemm.html>

use std::fmt::Debug;

use proc_macro2::TokenStream;
use quote::quote;

use super::cascade;
use super::elementwise::{self, Expr};
use super::integer::Integer;
use super::{filled, matmul};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, Operand, literal};
use crate::graph::ValueId;
use crate::kernels::{self, Overlap, Rows};
use crate::op::{LATEST, Op, OpDef, Operator, Types, reference_only};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "Gemm", opset: 6..=LATEST, read: read_gemm }];

/// Element types of layers and matrix products.
pub const LINEAR: &[ElemType] =
    &[ElemType::I32, ElemType::I64, ElemType::U32, ElemType::U64, ElemType::F16, ElemType::BF16, ElemType::F32, ElemType::F64];

/// The element type of layers and matrix products that are computed while compiling, where all is constant. Of the others, which hardly
/// any model has so, the kernels would add a fifth to the time in which a user's build makes this crate.
pub const FOLDED: ElemType = ElemType::F32;

/// `y[…, o] = activation(bias[o] + Σᵢ x[…, i] · w[i, o])`; inputs `x`, `w`, and `bias` where there is one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dense {
    /// Applied to each sum.
    pub activation: Option<Expr>,
    /// The arithmetic, where that is of integers; then there is no activation, and the inputs are those of [`Integer`].
    pub integer: Option<Integer>,
    /// Take the rows from last to first.
    pub backward: bool,
}

/// Pushes `x · w + bias`: a [`Dense`] where `w` is constant, else a matrix product. Of integers of 8 bits it has 32.
pub fn push(node: &mut NodeReader, x: ValueId, w: ValueId, bias: Option<ValueId>) -> Result<ValueId> {
    if Integer::takes(node.ty(x), node.ty(w)) {
        let bias = vec![0i32; node.ty(w).shape[1]];
        let bias = node.add_constant(Tensor::from_vec([bias.len()], &bias));
        return node.push(Dense { integer: Some(Integer::SUMS), ..Dense::default() }, &[x, w, bias]);
    }
    if node.value(w).is_some() {
        let inputs: Vec<ValueId> = [x, w].into_iter().chain(bias).collect();
        return node.push(Dense::default(), &inputs);
    }
    let product = node.push(matmul::MatMul::default(), &[x, w])?;
    match bias {
        Some(bias) => super::elementwise::push(node, "add", &[product, bias]),
        None => Ok(product),
    }
}

/// `alpha · A · B + beta · C`, each of `A` and `B` transposed on demand.
pub fn read_gemm(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (mut a, mut b) = (node.input(0)?, node.input(1)?);
    let (alpha, beta) = (node.float("alpha", 1.0)?, node.float("beta", 1.0)?);
    let (transpose_a, transpose_b) = (node.flag("transA", false)?, node.flag("transB", false)?);
    if node.opset() < 7 {
        node.ignore("broadcast");
    }
    for (name, id) in [("A", a), ("B", b)] {
        if node.ty(id).shape.len() != 2 {
            return Err(Refusal::new(
                format!("`{name}` is {}; expected a matrix of two dimensions", node.ty(id)),
                "put a Flatten or Reshape before the node in the exported model",
            ));
        }
    }
    if transpose_a {
        a = node.transpose(a, vec![1, 0])?;
    }
    if transpose_b {
        b = node.transpose(b, vec![1, 0])?;
    }
    // Scaling the constant factor costs nothing at run time.
    b = scaled(node, b, alpha)?;
    let Some(c) = node.optional_input(2) else {
        return Ok(vec![push(node, a, b, None)?]);
    };
    let c = scaled(node, c, beta)?;
    let (bias, outputs) = (node.ty(c).shape.clone(), node.ty(b).shape[1]);
    let a_row = bias.len() <= 2 && bias.elements() == outputs && bias.last() == Some(&outputs);
    if a_row && node.value(c).is_some() {
        let bias = node.reshape(c, [outputs])?;
        return Ok(vec![push(node, a, b, Some(bias))?]);
    }
    let product = push(node, a, b, None)?;
    Ok(vec![super::elementwise::push(node, "add", &[product, c])?])
}

fn scaled(node: &mut NodeReader, value: ValueId, factor: f32) -> Result<ValueId> {
    if factor == 1.0 {
        return Ok(value);
    }
    let elem = node.ty(value).elem;
    let factor = Expr::number(factor.into(), elem);
    node.push(super::elementwise::Elementwise { expr: Expr::call("mul", [Expr::Input(0), factor]) }, &[value])
}

/// That a layer's operands have one element type, and one of those `allowed`.
pub fn expect_one_type(inputs: &[&TensorType], allowed: &[ElemType]) -> Result<()> {
    super::expect_elem("x", inputs[0], allowed)?;
    match inputs.iter().find(|ty| ty.elem != inputs[0].elem) {
        Some(other) => Err(Refusal::new(
            format!("the operands {} and {other} have different element types", inputs[0]),
            "cast them to one type in the exported model",
        )),
        None => Ok(()),
    }
}

/// The elements of `weights` that `order` names, one after another.
pub fn reordered(weights: &Tensor, mut order: impl Iterator<Item = usize>) -> Tensor {
    let order: &mut dyn Iterator<Item = usize> = &mut order;
    let size = weights.ty().elem.size();
    let bytes = weights.bytes();
    let mut reordered = Vec::with_capacity(bytes.len());
    for index in order {
        reordered.extend_from_slice(&bytes[index * size..(index + 1) * size]);
    }
    Tensor::new(weights.ty().clone(), reordered).expect("an order names every element once")
}

/// The operands of a layer, as its kernel names them; scratch may follow.
pub fn operands(cx: &Lower) -> Vec<Operand> {
    vec![cx.input_operand("x", 0), cx.input_operand("weights", 1), cx.input_operand("bias", 2), cx.output_operand()]
}

/// The call of a layer's kernel that packs weights which are known only at run time.
pub fn pack_and_run(cx: &Lower, kernel: &impl Debug, activation: &TokenStream) -> TokenStream {
    let operands = operands(cx).into_iter().chain([cx.scratch_operand()]).map(|operand| operand.value);
    let kernel = literal(kernel);
    quote! { #kernel.pack_and_run(#(#operands,)* #activation); }
}

impl Dense {
    fn kernel(&self, inputs: &[&TensorType]) -> kernels::Dense {
        let [depth, outputs] = inputs[1].shape[..] else { unreachable!("infer takes a matrix") };
        kernels::Dense { rows: inputs[0].elements() / depth, inputs: depth, outputs, backward: self.backward }
    }
}

impl Operator for Dense {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        if self.integer.is_none() {
            expect_one_type(inputs, LINEAR)?;
        }
        let (x, w) = (inputs[0], inputs[1]);
        let (&depth, &outputs) = match (x.shape.last(), &w.shape[..]) {
            (Some(depth), [rows, outputs]) if depth == rows && *depth > 0 => (depth, outputs),
            _ => return Err(matmul::mismatch(x, w)),
        };
        if let Some(integer) = self.integer {
            integer.expect(inputs, outputs)?;
        }
        let bias_fits = inputs.get(2).is_none_or(|bias| bias.shape[..] == [outputs]);
        if !bias_fits {
            return Err(matmul::mismatch(x, w));
        }
        let mut shape = x.shape.to_vec();
        *shape.last_mut().expect("it ends with the depth") = outputs;
        debug_assert_eq!(x.shape.last(), Some(&depth));
        Ok(vec![TensorType::new(self.integer.map_or(x.elem, |integer| integer.output), shape)])
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        if self.integer.is_some() || outputs[0].elem != FOLDED {
            return None;
        }
        let types: Vec<&TensorType> = inputs.iter().map(|input| input.ty()).collect();
        let kernel = self.kernel(&types);
        let weights = reordered(inputs[1], kernel.pack_order(false)).to_vec::<f32>();
        let bias = inputs.get(2).map(|bias| bias.to_vec::<f32>()).unwrap_or_default();
        let x = inputs[0].to_vec::<f32>();
        let activation = &elementwise::function(self.activation.as_ref());
        let y = filled(&outputs[0], |y| kernel.run(&x, &weights, &bias, y, &super::cells(kernel.scratch()), activation));
        Some(vec![y])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let types: Vec<&TensorType> = inputs.iter().map(|input| input.ty()).collect();
        match &self.integer {
            Some(integer) => Some(vec![integer.evaluate(&self.kernel(&types), inputs, &outputs[0])]),
            None => self.fold(inputs, outputs),
        }
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        let last = perm.len() - 1;
        (perm[last] == last).then(|| (self.clone().into(), perm.to_vec()))
    }

    fn overlap(&self, types: Types, input: usize) -> Overlap {
        let (kernel, size) = (self.kernel(types.inputs), types.outputs[0].elem.size());
        match (input, self.integer) {
            (0, Some(_)) => kernel.quantized_overlap(types.inputs[0].elem.size(), size),
            (0, None) => kernel.overlap(size),
            _ => Overlap::NONE,
        }
    }

    fn backward(&self) -> Option<Op> {
        Some(Self { backward: true, ..self.clone() }.into())
    }

    fn scratch(&self, types: Types, _constant: &[bool]) -> Vec<TensorType> {
        let kernel = self.kernel(types.inputs);
        vec![match self.integer {
            Some(_) => TensorType::new(ElemType::I16, [kernel.quantized_scratch()]),
            None => types.outputs[0].with_shape([kernel.scratch()]),
        }]
    }

    fn pack(&self, types: Types, input: usize, constant: &Tensor) -> Option<Tensor> {
        (input == 1).then(|| reordered(constant, self.kernel(types.inputs).pack_order(false)))
    }

    fn rows(&self, types: Types, constant: &[bool]) -> Option<Rows> {
        let pointwise = constant[1..].iter().all(|&constant| constant);
        pointwise.then(|| cascade::row_for_row(types.outputs[0])).flatten()
    }

    fn of_one_row(&self, _whole: &TensorType) -> Option<Op> {
        Some(Self { backward: false, ..self.clone() }.into())
    }

    fn macs(&self, types: Types) -> u64 {
        self.kernel(types.inputs).macs()
    }

    fn show(&self) -> String {
        match self.integer {
            Some(integer) => format!("Dense{integer}"),
            None => format!("Dense{}", elementwise::shown(self.activation.as_ref())),
        }
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = cx.types(|types| self.kernel(types.inputs));
        if let Some(integer) = &self.integer {
            return integer.lower(cx, &kernel);
        }
        let operands = [operands(cx), vec![cx.scratch_operand()]].concat();
        cx.call(&kernel, "run", operands, Some(cx.activation(self.activation.as_ref())))
    }
}
