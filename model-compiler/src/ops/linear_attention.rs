//! `LinearAttention`: attention through a state that each position advances.
//!
//! <https://onnx.ai/onnx/operators/onnx__LinearAttention.html>

use std::cell::Cell;

use proc_macro2::TokenStream;
use quote::quote;

use super::copy::Strided;
use super::elementwise::{self, converted};
use super::resize::real;
use super::{FLOATS, expect_elem, filled};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, OpDef, Operator, Types, reference_only};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "LinearAttention", opset: 27..=LATEST, read }];

/// Advances a state at each position and reads it; inputs queries, keys, values, initial states, factors and rates, of which the last two
/// have no elements where there are none; outputs results and last states.
#[derive(Clone, Debug, PartialEq)]
pub struct LinearAttention {
    /// Heads of keys and values.
    pub heads: usize,
    /// Heads of queries that read one state.
    pub queries: usize,
    /// What results are multiplied by.
    pub scale: f32,
}

/// The inputs by what they are.
const QUERIES: usize = 0;
const KEYS: usize = 1;
const VALUES: usize = 2;
const STATES: usize = 3;
const FACTORS: usize = 4;
const RATES: usize = 5;

fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    // How a processor of many threads divides the work.
    node.ignore("chunk_size");
    let (q, k, v) = (node.input(0)?, node.input(1)?, node.input(2)?);
    let elem = node.ty(q).elem;
    expect_elem("query", node.ty(q), FLOATS)?;
    let rule = node.word("update_rule", &["gated_delta", "gated", "delta", "linear"])?;
    let (heads, queries) = heads(node)?;
    let types = [q, k, v].map(|id| node.ty(id).clone());
    let (batch, key_size, value_size) = sizes(&types, heads, queries)?;
    let states = match node.optional_input(3) {
        Some(past) => converted(node, past, ElemType::F32)?,
        None => {
            let zeros = vec![0.0f32; batch * heads * key_size * value_size];
            node.add_constant(Tensor::from_vec([batch, heads, key_size, value_size], &zeros))
        }
    };
    let state_elem = node.optional_input(3).map_or(elem, |past| node.ty(past).elem);
    let (decay, rate) =
        (of_rule(node, 4, "decay", rule.starts_with("gated"))?, of_rule(node, 5, "beta", rule.ends_with("delta"))?);
    let none = node.add_constant(Tensor::from_vec::<f32>([0], &[]));
    let factors = match decay {
        Some(decay) => {
            let decay = converted(node, decay, ElemType::F32)?;
            elementwise::push(node, "exp", &[decay])?
        }
        None => none,
    };
    let rates = rate.map_or(Ok(none), |rate| converted(node, rate, ElemType::F32))?;
    let mut inputs = Vec::new();
    for id in [q, k, v] {
        inputs.push(converted(node, id, ElemType::F32)?);
    }
    inputs.extend([states, factors, rates]);
    let scale = match node.float("scale", 0.0)? {
        0.0 => crate::kernels::cast(1.0 / real(key_size).sqrt()),
        scale => scale,
    };
    let outputs = node.push_all(LinearAttention { heads, queries, scale }, &inputs)?;
    Ok(vec![converted(node, outputs[0], elem)?, converted(node, outputs[1], state_elem)?])
}

/// The heads of keys and values, and how many of queries there are for each.
fn heads(node: &NodeReader) -> Result<(usize, usize)> {
    let [q, kv] = [node.int("q_num_heads", 0)?, node.int("kv_num_heads", 0)?];
    match (usize::try_from(q), usize::try_from(kv)) {
        (Ok(q), Ok(kv)) if kv > 0 && q > 0 && q.is_multiple_of(kv) => Ok((kv, q / kv)),
        _ => Err(unsupported_attribute("q_num_heads", &q.to_string(), &format!("multiples of `kv_num_heads`, which is {kv}"))),
    }
}

/// Batch, elements of a key and elements of a value.
fn sizes([q, k, v]: &[TensorType; 3], heads: usize, queries: usize) -> Result<(usize, usize, usize)> {
    if let (&[batch, positions, wide], &[_, _, keys], &[_, _, values]) = (&q.shape[..], &k.shape[..], &v.shape[..]) {
        let alike = [k, v].iter().all(|ty| ty.shape[..2] == [batch, positions]);
        let divided = keys.is_multiple_of(heads) && values.is_multiple_of(heads) && wide == keys * queries;
        if alike && divided && positions > 0 && keys > 0 && values > 0 {
            return Ok((batch, keys / heads, values / heads));
        }
    }
    Err(Refusal::new(
        format!("queries {q}, keys {k} and values {v} do not fit together with {heads} heads, each for {queries} of queries"),
        "give all three 3 dimensions, [batch, positions, heads · size]",
    ))
}

/// Input `index`, which the rule either needs or has no use for.
fn of_rule(node: &NodeReader, index: usize, name: &str, needed: bool) -> Result<Option<ValueId>> {
    let found = node.optional_input(index);
    if found.is_some() == needed {
        return Ok(found);
    }
    let (is, should) = if needed { ("missing", "needs") } else { ("given", "has no use for") };
    Err(Refusal::new(format!("input `{name}` is {is}; the attribute `update_rule` {should} it"), "export the model again"))
}

impl LinearAttention {
    fn kernel(&self, inputs: &[&TensorType]) -> kernels::LinearAttention {
        let Self { heads, queries, scale } = *self;
        let (keys, states, rates) = (&inputs[KEYS].shape, &inputs[STATES].shape, inputs[RATES]);
        let positions = keys[1];
        let per_position = |ty: &TensorType| ty.elements() / (keys[0] * positions);
        kernels::LinearAttention {
            batch: keys[0],
            positions,
            heads,
            queries,
            key_size: states[2],
            value_size: states[3],
            factors: per_position(inputs[FACTORS]) / heads,
            rates: per_position(rates),
            scale,
        }
    }
}

impl Operator for LinearAttention {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let (k, v, states) = (inputs[KEYS], inputs[VALUES], inputs[STATES]);
        let (batch, positions) = (k.shape[0], k.shape[1]);
        let sizes = [batch, self.heads, k.shape[2] / self.heads, v.shape[2] / self.heads];
        let kernel = (states.shape[..] == sizes).then(|| self.kernel(inputs));
        let of_sequence =
            |ty: &TensorType, last: &[usize]| ty.elements() == 0 || ty.shape[..2] == k.shape[..2] && last.contains(&ty.shape[2]);
        let fits = of_sequence(inputs[FACTORS], &[self.heads, k.shape[2]]) && of_sequence(inputs[RATES], &[1, self.heads]);
        let Some(kernel) = kernel.filter(|_| fits) else {
            let [states, factors, rates] = [states, inputs[FACTORS], inputs[RATES]];
            return Err(Refusal::new(
                format!(
                    "the states are {states}, decays {factors} and rates {rates}; expected states {sizes:?}, and for each position a decay a head or a row, and a rate or one a head"
                ),
                "fix the shapes in the exported model, or the sizes given in `dims`",
            ));
        };
        let y = inputs[QUERIES].with_shape([batch, positions, self.heads * self.queries * kernel.value_size]);
        Ok(vec![y, states.clone()])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let types: Vec<&TensorType> = inputs.iter().map(|input| input.ty()).collect();
        let elements = |index: usize| inputs[index].to_vec::<f32>();
        let (queries, keys, values) = (elements(QUERIES), elements(KEYS), elements(VALUES));
        let (factors, rates) = (elements(FACTORS), elements(RATES));
        let states: Vec<Cell<f32>> = elements(STATES).into_iter().map(Cell::new).collect();
        let y = filled::<f32>(&outputs[0], |y| {
            self.kernel(&types).run(kernels::Positions {
                queries: &queries,
                keys: &keys,
                values: &values,
                factors: &factors,
                rates: &rates,
                y,
                states: &states,
            });
        });
        Some(vec![y, filled::<f32>(&outputs[1], |place| place.iter().zip(&states).for_each(|(place, state)| place.swap(state)))])
    }

    fn macs(&self, types: Types) -> u64 {
        self.kernel(types.inputs).macs()
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&cx.types(|types| self.kernel(types.inputs)));
        let optional = |index| if cx.input_ty(index).elements() > 0 { cx.input(index) } else { quote!(&[] as &[f32; 0]) };
        let start = Strided::all(&cx.output_ty(1).shape).lower(&cx.input(STATES), &cx.output(1));
        let [queries, keys, values] = [QUERIES, KEYS, VALUES].map(|index| cx.input(index));
        let (factors, rates, y, states) = (optional(FACTORS), optional(RATES), cx.output(0), cx.output(1));
        quote! {
            #start
            #kernel.run(rt::Positions {
                queries: #queries,
                keys: #keys,
                values: #values,
                factors: #factors,
                rates: #rates,
                y: #y,
                states: #states,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::OneNode;

    #[test]
    fn shapes_and_rules() {
        let node = |rule| {
            OneNode::new("LinearAttention", 27)
                .floats(&[2, 4, 32])
                .floats(&[2, 4, 16])
                .floats(&[2, 4, 8])
                .outputs(2)
                .word("update_rule", rule)
        };
        let grouped = |rule| node(rule).int("q_num_heads", 4).int("kv_num_heads", 2);
        assert_eq!(grouped("linear").types(), ["f32[2, 4, 16]", "f32[2, 2, 8, 4]"]);
        assert_eq!(grouped("gated").omitted().floats(&[2, 4, 2]).types(), ["f32[2, 4, 16]", "f32[2, 2, 8, 4]"]);
        grouped("gated").refused("input `decay` is missing; the attribute `update_rule` needs it", "export");
        grouped("gated").omitted().floats(&[2, 4, 3]).refused("decays f32[2, 4, 3]", "fix the shapes");
        grouped("linear").floats(&[2, 2, 8, 5]).refused("the states are f32[2, 2, 8, 5]", "fix the shapes");
        node("linear").int("q_num_heads", 3).int("kv_num_heads", 2).refused("`q_num_heads` is 3; supported: multiples of", "");
        node("linear").int("q_num_heads", 2).int("kv_num_heads", 2).refused("do not fit together with 2 heads", "3 dimensions");
    }
}
