//! `Attention`, `RotaryEmbedding`: matrix products, a softmax and what masks it.
//!
//! <https://onnx.ai/onnx/operators/onnx__Attention.html>

mod flex;
mod mask;
mod rotary;

pub use self::flex::Flex;
use self::mask::Mask;
use super::concat::Concat;
use super::elementwise::{Elementwise, Expr, converted};
use super::matmul::MatMul;
use super::resize::real;
use super::softmax::Softmax;
use super::{FLOATS, expect_elem};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::ty::ElemType;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Attention", opset: 23..=24, read: |node| read(node, [None; 2]) },
    OpDef { name: "Attention", opset: 25..=LATEST, read: read_windowed },
    OpDef { name: "ai.onnx.preview::FlexAttention", opset: 1..=1, read: flex::read },
    OpDef { name: "RotaryEmbedding", opset: 23..=LATEST, read: rotary::read },
];

/// The operands as `[batch, heads, positions, elements of a head]`.
struct Heads {
    q: ValueId,
    k: ValueId,
    v: ValueId,
    /// Whether heads and their elements were one axis, behind the positions.
    joined: bool,
}

/// How many positions before and behind its own a query looks at.
fn read_windowed(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let side = |name| match node.int(name, -1)? {
        -1 => Ok(None),
        size if size >= 0 => Ok(Some(size)),
        other => Err(unsupported_attribute(name, &other.to_string(), "-1 and above")),
    };
    let window = [side("left_window_size")?, side("right_window_size")?];
    read(node, window)
}

/// `softmax(softcap((q · √scale) · (k · √scale)ᵀ) + mask) · v` for each head; keys and values of the past come before those of now.
fn read(node: &mut NodeReader, window: [Option<i64>; 2]) -> Result<Vec<ValueId>> {
    let Heads { q, k, v, joined } = heads(node)?;
    let (past_k, past_v) = (node.optional_input(4), node.optional_input(5));
    let past = past_k.map_or(0, |past| node.ty(past).shape.get(2).copied().unwrap_or(0));
    let k = continued(node, past_k, k)?;
    let v = continued(node, past_v, v)?;
    let elem = node.ty(q).elem;
    expect_elem("Q", node.ty(q), FLOATS)?;
    let [batch, q_heads, positions, _] = node.ty(q).shape[..] else { unreachable!("`heads` makes four axes") };
    let keys = node.ty(k).shape[2];
    let mask = Mask::read(node, window, (past, past_k.is_some()), [batch, positions, keys])?;
    let scaled = scores(node, q, k)?;
    let capped = softcap(node, scaled, elem)?;
    let masked = mask.add_to(node, capped)?;
    let shares = shares(node, masked, elem)?;
    let shares = mask.without_blind_rows(node, shares)?;
    let mut y = product(node, shares, v)?;
    let v_size = node.ty(v).shape[3];
    if joined {
        let positions_first = node.transpose(y, vec![0, 2, 1, 3])?;
        y = node.reshape(positions_first, [batch, positions, q_heads * v_size])?;
    }
    let mode = node.int("qk_matmul_output_mode", 0)?;
    let stages = [scaled, capped, masked, shares];
    let stage = usize::try_from(mode).ok().and_then(|mode| stages.get(mode).copied());
    let stage = stage.ok_or_else(|| unsupported_attribute("qk_matmul_output_mode", &mode.to_string(), "0 to 3"))?;
    let outputs = [y, k, v, stage];
    Ok(outputs[..node.output_count().min(outputs.len())].to_vec())
}

/// `(q · √scale) · (k · √scale)ᵀ`: both factors are scaled, so that products of half floats do not overflow before that.
fn scores(node: &mut NodeReader, q: ValueId, k: ValueId) -> Result<ValueId> {
    let (elem, size) = (node.ty(q).elem, node.ty(q).shape[3]);
    let scale = node.optional_float("scale")?.map_or_else(|| 1.0 / real(size).sqrt(), f64::from).sqrt();
    let scaled = |node: &mut NodeReader, x| elementwise(node, x, Expr::call("mul", [Expr::Input(0), Expr::number(scale, elem)]));
    let (q, k) = (scaled(node, q)?, scaled(node, k)?);
    let transposed = node.transpose(k, vec![0, 1, 3, 2])?;
    product(node, q, transposed)
}

/// The matrix product of `[batch, heads, rows, inner]` with `[batch, fewer heads, inner, columns]`, of which each head serves as many of the first,
/// which lie together.
fn product(node: &mut NodeReader, left: ValueId, right: ValueId) -> Result<ValueId> {
    let [left_shape, right_shape] = [left, right].map(|id| node.ty(id).shape.to_vec());
    let ([batch, heads, rows, inner], [_, fewer, _, columns]) = (&left_shape[..], &right_shape[..]) else {
        unreachable!("`heads` makes four axes");
    };
    let (mut left, mut right) = (left, right);
    if heads != fewer {
        left = node.reshape(left, [*batch, *fewer, heads / fewer, *rows, *inner])?;
        right = node.reshape(right, [*batch, *fewer, 1, *inner, *columns])?;
    }
    let y = node.push(MatMul::default(), &[left, right])?;
    node.reshape(y, [*batch, *heads, *rows, *columns])
}

fn elementwise(node: &mut NodeReader, x: ValueId, expr: Expr) -> Result<ValueId> {
    node.push(Elementwise { expr }, &[x])
}

/// `tanh(x / softcap) · softcap`
fn softcap(node: &mut NodeReader, x: ValueId, elem: ElemType) -> Result<ValueId> {
    let cap = node.float("softcap", 0.0)?;
    if cap == 0.0 {
        return Ok(x);
    }
    let number = || Expr::number(cap.into(), elem);
    let share = Expr::call("tanh", [Expr::call("div", [Expr::Input(0), number()])]);
    elementwise(node, x, Expr::call("mul", [share, number()]))
}

/// The softmax of each row, in the type that `softmax_precision` asks for.
fn shares(node: &mut NodeReader, x: ValueId, elem: ElemType) -> Result<ValueId> {
    let precision = node.elem_type("softmax_precision")?.unwrap_or(elem);
    let x = converted(node, x, precision)?;
    let shares = node.push(Softmax { axis: 3, log: false }, &[x])?;
    converted(node, shares, elem)
}

/// `past`, if there is one, before `now` along the positions.
fn continued(node: &mut NodeReader, past: Option<ValueId>, now: ValueId) -> Result<ValueId> {
    past.map_or(Ok(now), |past| node.push(Concat { axis: 2 }, &[past, now]))
}

fn heads(node: &mut NodeReader) -> Result<Heads> {
    let inputs = [node.input(0)?, node.input(1)?, node.input(2)?];
    let [q_heads, kv_heads] = [node.optional_int("q_num_heads")?, node.optional_int("kv_num_heads")?];
    let joined = node.ty(inputs[0]).shape.len() == 3;
    let mut values = inputs;
    for (value, heads) in values.iter_mut().zip([q_heads, kv_heads, kv_heads]) {
        if joined {
            *value = split(node, *value, heads)?;
        }
    }
    let [q, k, v] = values;
    let [q_shape, k_shape, v_shape] = values.map(|id| node.ty(id).shape.to_vec());
    let fits = match (&q_shape[..], &k_shape[..], &v_shape[..]) {
        (&[batch, heads, _, size], &[k_batch, kv_heads, keys, k_size], &[v_batch, v_heads, v_keys, _]) => {
            let alike = batch == k_batch && batch == v_batch && size == k_size && keys == v_keys && kv_heads == v_heads;
            alike && kv_heads > 0 && heads.is_multiple_of(kv_heads)
        }
        _ => false,
    };
    if !fits {
        let [q, k, v] = inputs.map(|id| node.ty(id).to_string());
        return Err(Refusal::new(
            format!("queries {q}, keys {k} and values {v} do not fit together"),
            "give all three 4 dimensions, [batch, heads, positions, size], or 3 and the numbers of heads",
        ));
    }
    Ok(Heads { q, k, v, joined })
}

/// `[batch, positions, heads · size]` as `[batch, heads, positions, size]`.
fn split(node: &mut NodeReader, x: ValueId, heads: Option<i64>) -> Result<ValueId> {
    let ty = node.ty(x).clone();
    let count = heads.and_then(|heads| usize::try_from(heads).ok()).filter(|&heads| heads > 0);
    match (&ty.shape[..], count) {
        (&[batch, positions, size], Some(heads)) if size.is_multiple_of(heads) => {
            let x = node.reshape(x, [batch, positions, heads, size / heads])?;
            node.transpose(x, vec![0, 2, 1, 3])
        }
        _ => Err(Refusal::new(
            format!("{ty} cannot be split into {} heads", heads.map_or_else(|| "no".to_owned(), |heads| heads.to_string())),
            "give `q_num_heads` and `kv_num_heads` that divide the last axis of inputs of 3 dimensions",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    fn tensor(shape: &[usize], values: &[f32]) -> Tensor {
        Tensor::from_vec(shape, values)
    }

    /// One head of two queries, whose keys all fit alike: every share is the same, and the output a mean of values.
    fn node(opset: i64) -> OneNode {
        let (q, k) = (tensor(&[1, 1, 2, 1], &[1.0, 2.0]), tensor(&[1, 1, 3, 1], &[0.0; 3]));
        OneNode::new("Attention", opset).constant(&q).constant(&k).constant(&tensor(&[1, 1, 3, 1], &[3.0, 6.0, 30.0]))
    }

    fn check(node: &OneNode, expected: &[f32]) {
        let found = node.results()[0].to_vec::<f32>();
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-4);
        assert!(close && found.len() == expected.len(), "{node:?}: {found:?}, not {expected:?}");
    }

    #[test]
    fn masks_choose_the_keys() {
        check(&node(23), &[13.0, 13.0]);
        check(&node(23).int("is_causal", 1), &[3.0, 4.5]);
        check(&node(25).int("left_window_size", 0).int("right_window_size", 1), &[4.5, 18.0]);
        let bools = Tensor::from_elements(crate::ty::TensorType::new(ElemType::Bool, [2, 3]), &[0u8, 1, 0, 0, 0, 0]);
        check(&node(23).constant(&bools), &[6.0, 0.0]);
        let added = tensor(&[2, 2], &[0.0, f32::NEG_INFINITY, 0.0, 0.0]);
        check(&node(23).constant(&added), &[3.0, 4.5]);
        let lens = node(24).omitted().omitted().omitted().constant_ints(&[2]);
        check(&lens, &[4.5, 4.5]);
        check(&lens.int("is_causal", 1), &[3.0, 4.5]);
    }

    #[test]
    fn the_past_comes_first() {
        let past = tensor(&[1, 1, 1, 1], &[0.0]);
        let node = node(23).omitted().constant(&past).constant(&past).outputs(4);
        check(&node, &[39.0 / 4.0, 39.0 / 4.0]);
        assert_eq!(node.types(), ["f32[1, 1, 2, 1]", "f32[1, 1, 4, 1]", "f32[1, 1, 4, 1]", "f32[1, 1, 2, 4]"]);
        check(&node.int("is_causal", 1), &[1.5, 3.0]);
    }

    #[test]
    fn flexible_attention_without_graphs() {
        let (q, k) = (tensor(&[1, 2, 1, 1], &[1.0, 2.0]), tensor(&[1, 1, 3, 1], &[0.0; 3]));
        let node = OneNode::new("ai.onnx.preview::FlexAttention", 1).constant(&q).constant(&k);
        check(&node.clone().constant(&tensor(&[1, 1, 3, 1], &[3.0, 6.0, 30.0])), &[13.0, 13.0]);
        let halves = |shape: &[usize]| OneNode::new("ai.onnx.preview::FlexAttention", 1).input(ElemType::F16, shape);
        let typed = halves(&[1, 2, 4, 8]).input(ElemType::F16, &[1, 2, 4, 8]).input(ElemType::F16, &[1, 2, 4, 8]);
        assert_eq!(typed.types(), ["f16[1, 2, 4, 8]"]);
    }

    #[test]
    fn heads_share_keys() {
        let node = |heads| {
            OneNode::new("Attention", 23).floats(&[2, 4, 24]).floats(&[2, 6, 8]).floats(&[2, 6, 10]).int("q_num_heads", heads)
        };
        assert_eq!(node(6).int("kv_num_heads", 2).types(), ["f32[2, 4, 30]"]);
        node(6).int("kv_num_heads", 4).refused("f32[2, 6, 10] cannot be split into 4 heads", "q_num_heads");
        node(6).refused("f32[2, 6, 8] cannot be split into no heads", "q_num_heads");
        node(3).int("kv_num_heads", 2).refused("queries f32[2, 4, 24], keys f32[2, 6, 8]", "give all three 4 dimensions");
    }
}
