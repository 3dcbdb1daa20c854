//! A dense layer as straight-line code: a statement for each of its weights that is not zero, with the weight in it.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote};

use super::dense::Dense;
use crate::diagnostic::Result;
use crate::emit::{Lower, literal};
use crate::graph::{Graph, ValueId};
use crate::kernels::Overlap;
use crate::op::{Op, Operator, Types};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// A [`Dense`] layer of `f32`, or of integers, with constant weights, of which zeros are skipped.
///
/// Each sum has the order of the layer, so it is the same to the bit, except where a weight of zero meets an element that is infinite or NaN:
/// the layer's sum is NaN then, and this one goes on without it.
#[derive(Clone, Debug, PartialEq)]
pub struct Unrolled {
    /// The layer.
    pub dense: Dense,
    /// Products of one row.
    pub products: u64,
}

/// What a row of a layer takes on a Cortex-M4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Instructions.
    pub instructions: u64,
    /// Code and constants.
    pub bytes: u64,
}

/// How many sums stay in the registers of a Cortex-M4.
const FLOATS: usize = 24;
const INTEGERS: usize = 8;

/// How many products LLVM may bring into another order.
const TOGETHER: usize = 8;

impl Unrolled {
    /// The layer `dense` of a graph with these inputs, if it can be unrolled.
    pub fn new(dense: &Dense, graph: &Graph, inputs: &[ValueId]) -> Option<Self> {
        let constants: Vec<&Tensor> = inputs[1..].iter().map(|&id| graph.constant(id)).collect::<Option<_>>()?;
        let computed = graph.constant(inputs[0]).is_none();
        let (elem, is_empty) = (constants[0].ty().elem, constants[0].ty().elements() == 0);
        // A sum that starts from -0 loses its sign to the product of a zero.
        let keeps_sign = |bias: &&Tensor| !Scalar::all(bias).into_iter().any(is_negative_zero);
        let known = elem == if dense.integer.is_some() { ElemType::I8 } else { ElemType::F32 };
        (computed && known && !is_empty && constants.get(1).is_none_or(keeps_sign))
            .then(|| Self { dense: dense.clone(), products: products(constants[0]) })
    }

    /// What a row takes, for these weights.
    pub fn cost(&self, weights: &Tensor) -> Cost {
        let rows = Rows::new(weights);
        let [loads, products, outputs] = [rows.loads(self.block(rows.outputs)), self.products, rows.outputs as u64];
        match self.dense.integer {
            // A constant, a multiplication, and often a load, as LLVM sums one output after another whatever the order is; the rounding.
            Some(_) => Cost { instructions: 4 * products + 8 * outputs, bytes: 10 * products + 30 * outputs },
            // A load of a constant beside the code and a multiplication; the store.
            None => Cost { instructions: 2 * products + loads + 4 * outputs, bytes: 12 * products + 4 * loads + 14 * outputs },
        }
    }

    /// How many of so many outputs are summed at once: as there are registers for, in blocks of about one size.
    fn block(&self, outputs: usize) -> usize {
        let most = if self.dense.integer.is_some() { INTEGERS } else { FLOATS };
        outputs.div_ceil(outputs.div_ceil(most))
    }
}

fn is_negative_zero(scalar: Scalar) -> bool {
    matches!(scalar, Scalar::F32(value) if value == 0.0 && value.is_sign_negative())
}

fn products(weights: &Tensor) -> u64 {
    let zero = Scalar::zero(weights.ty().elem);
    Scalar::all(weights).into_iter().filter(|weight| *weight != zero).count() as u64
}

/// The weights of a layer, `[inputs][outputs]`.
struct Rows {
    weights: Vec<Scalar>,
    zero: Scalar,
    outputs: usize,
}

impl Rows {
    fn new(weights: &Tensor) -> Self {
        Self { weights: Scalar::all(weights), zero: Scalar::zero(weights.ty().elem), outputs: weights.ty().shape[1] }
    }

    /// How often an input is read, where as many outputs as `block` are summed at once.
    fn loads(&self, block: usize) -> u64 {
        let starts = (0..self.outputs).step_by(block);
        starts.map(|start| self.of(start, block).count() as u64).sum()
    }

    /// The inputs of which any weight of a block of outputs is not zero, with those weights and their outputs.
    fn of(&self, start: usize, block: usize) -> impl Iterator<Item = (usize, Vec<(usize, Scalar)>)> {
        let end = self.outputs.min(start + block);
        self.weights.chunks(self.outputs).enumerate().filter_map(move |(input, row)| {
            let weights = (start..end).map(|output| (output, row[output])).filter(|(_, weight)| *weight != self.zero);
            let weights: Vec<_> = weights.collect();
            (!weights.is_empty()).then_some((input, weights))
        })
    }
}

impl Dense {
    /// What a row of the layer takes that is not unrolled.
    pub fn cost(&self, types: Types) -> Cost {
        let [inputs, outputs] = types.inputs[1].shape[..] else { unreachable!("infer takes a matrix") };
        let [inputs, outputs] = [inputs, outputs].map(|size| size as u64);
        let [wide, high] = [inputs, outputs].map(|size| size.next_multiple_of(4));
        let alone = types.outputs[0].elements() as u64 == outputs;
        match (self.integer, alone) {
            (Some(_), true) => Cost { instructions: wide * high * 14 / 16 + 10 * high + 60, bytes: wide * high + 8 * high },
            (Some(_), false) => Cost { instructions: wide * high * 12 / 16 + 5 * high + 2 * wide, bytes: wide * high + 8 * high },
            (None, alone) => {
                let tenths = if alone { 12 } else { 13 };
                Cost { instructions: inputs * outputs * tenths / 10 + 6 * outputs + 20, bytes: 4 * (inputs + 1) * outputs }
            }
        }
    }
}

impl Operator for Unrolled {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        self.dense.infer(inputs)
    }

    /// As the layer: what is left out changes no finite sum.
    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        self.dense.evaluate(inputs, outputs)
    }

    /// A row is read until all of its outputs but the last block's are written.
    fn overlap(&self, types: Types, input: usize) -> Overlap {
        if input != 0 {
            return Overlap::NONE;
        }
        let bytes = |ty: &TensorType| isize::try_from(ty.shape.last().map_or(0, |len| len * ty.elem.size()));
        let (Ok(read), Ok(written)) = (bytes(types.inputs[0]), bytes(types.outputs[0])) else { return Overlap::NONE };
        let last = isize::try_from(rows(types)).map_or(0, |rows| rows - 1);
        let most = |ahead: isize, behind: isize| Some(ahead.max((last + 1) * ahead - last * behind));
        Overlap { forward: most(written, read), backward: most(read, written), in_place: false }
    }

    fn backward(&self) -> Option<Op> {
        Some(Self { dense: Dense { backward: true, ..self.dense.clone() }, ..self.clone() }.into())
    }

    fn macs(&self, types: Types) -> u64 {
        self.products * rows(types) as u64
    }

    fn show(&self) -> String {
        format!("{}, {} products", self.dense.show(), self.products)
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let rows = Rows::new(cx.value(1));
        let blocks = (0..rows.outputs).step_by(self.block(rows.outputs)).map(|start| self.block_of(cx, &rows, start));
        let requantize = self.dense.integer.and_then(|integer| integer.requantize).map(|requantize| {
            let requantize = literal(&requantize);
            quote!(let requantize = #requantize;)
        });
        let body = quote!(#requantize #({ #blocks })*);
        // These are about numbers that people choose.
        let allow =
            quote!(#[allow(clippy::approx_constant, clippy::excessive_precision, clippy::identity_op, clippy::neg_multiply)]);
        let (x, y) = (cx.input(0), cx.output(0));
        if cx.types(self::rows) == 1 {
            return quote!(#allow { let (x, y) = (#x, #y); #body });
        }
        let [inputs, outputs] = [rows.weights.len() / rows.outputs, rows.outputs].map(Literal::usize_unsuffixed);
        let backward = self.dense.backward.then(|| quote!(.rev()));
        quote! {
            #allow
            for (x, y) in #x.as_chunks::<#inputs>().0.iter().zip(#y.as_chunks::<#outputs>().0)#backward { #body }
        }
    }
}

/// How many rows a layer has.
fn rows(types: Types) -> usize {
    types.outputs[0].shape.split_last().map_or(1, |(_, rows)| rows.iter().product())
}

impl Unrolled {
    /// The statements that compute the outputs of a block from number `start` on.
    fn block_of(&self, cx: &Lower, rows: &Rows, start: usize) -> TokenStream {
        let outputs = start..rows.outputs.min(start + self.block(rows.outputs));
        let products: Vec<_> = rows.of(start, self.block(rows.outputs)).collect();
        let sum = |output: usize| format_ident!("s{output}");
        let starts = outputs.clone().map(|output| {
            let (name, bias) = (sum(output), number(cx, 2, output));
            let changes = products.iter().flat_map(|(_, weights)| weights).any(|&(other, _)| other == output);
            let mutable = changes.then(|| quote!(mut));
            let ty = if self.dense.integer.is_some() { quote!(i32) } else { quote!(f32) };
            quote!(let #mutable #name: #ty = #bias;)
        });
        let mut open = 0;
        let statements = products.iter().map(|(input, weights)| {
            open += weights.len();
            let order = (open > TOGETHER).then(|| {
                open = 0;
                quote!(rt::in_order();)
            });
            let (name, index) = (format_ident!("x{input}"), Literal::usize_unsuffixed(*input));
            let adds = weights.iter().map(|(output, weight)| {
                let (sum, weight) = (sum(*output), weight.literal());
                match self.dense.integer {
                    Some(_) => quote!(#sum = #sum.wrapping_add(#name * #weight);),
                    None => quote!(#sum += #name * #weight;),
                }
            });
            let value = match self.dense.integer {
                Some(_) => quote!(i32::from(rt::Quantized::to_i16(x[#index].get()))),
                None => quote!(x[#index].get()),
            };
            quote!(let #name = #value; #(#adds)* #order)
        });
        let names = outputs.clone().map(sum);
        let activation = self.dense.activation.as_ref().map(|expr| {
            let (activation, names) = (cx.activation(Some(expr)), names.clone().collect::<Vec<_>>());
            quote!(let [#(#names),*] = [#(#names),*].map(#activation);)
        });
        let sets = outputs.clone().zip(names).map(|(output, name)| {
            let index = Literal::usize_unsuffixed(output);
            let result = match self.dense.integer.and_then(|integer| integer.requantize) {
                Some(_) => {
                    let multiplier = number(cx, 3, output);
                    quote!(requantize.element(#name, #multiplier))
                }
                None => quote!(#name),
            };
            quote!(y[#index].set(#result);)
        });
        quote!(#(#starts)* #(#statements)* #activation #(#sets)*)
    }
}

/// Element `output` of input `index`, which is constant and has one for each output, or one for all; zero where there is no such input.
fn number(cx: &Lower, index: usize, output: usize) -> TokenStream {
    if index >= cx.input_count() {
        return Scalar::F32(0.0).literal();
    }
    let elements = Scalar::all(cx.value(index));
    elements[if elements.len() == 1 { 0 } else { output }].literal()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No row's outputs may reach what is then still to be read: that row, and those behind.
    #[test]
    fn overlaps_as_far_as_told() {
        for [rows, inputs, outputs] in [[1, 5, 3], [1, 3, 5], [4, 5, 3], [4, 3, 5], [3, 4, 4]] {
            let (x, y) = (TensorType::new(ElemType::F32, [rows, inputs]), TensorType::new(ElemType::F32, [rows, outputs]));
            let unrolled = Unrolled { dense: Dense::default(), products: 0 };
            let overlap = unrolled.overlap(Types { inputs: &[&x], outputs: &[&y] }, 0);
            let is_right = |distance: isize, backward: bool| {
                let reads = |row: usize| 4 * row * inputs..4 * (row + 1) * inputs;
                let writes = |row: usize| 4 * row * outputs..4 * (row + 1) * outputs;
                let is_apart = |row: usize, other: usize| {
                    let at = |byte: usize| byte as isize + distance;
                    at(writes(row).end) <= reads(other).start as isize || reads(other).end as isize <= at(writes(row).start)
                };
                (0..rows).all(|row| {
                    (0..rows)
                        .filter(|&other| if backward { other <= row } else { other >= row })
                        .all(|other| is_apart(row, other))
                })
            };
            for distance in -200..200 {
                assert!(
                    overlap.forward.is_none_or(|least| distance + least > 0 || is_right(distance, false)),
                    "{rows} {inputs} {outputs} {distance}"
                );
                assert!(
                    overlap.backward.is_none_or(|least| distance < least || is_right(distance, true)),
                    "{rows} {inputs} {outputs} {distance}"
                );
            }
            let [forward, backward] = [-overlap.forward.unwrap() + 1, overlap.backward.unwrap() - 1];
            assert!(!is_right(forward, false) && !is_right(backward, true), "{rows} {inputs} {outputs}: no more is allowed");
        }
    }
}
