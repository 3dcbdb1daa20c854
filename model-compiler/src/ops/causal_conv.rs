//! `CausalConvWithState`: a convolution of each channel along time that looks back only, with what it looks back to as state.
//!
//! <https://onnx.ai/onnx/operators/onnx__CausalConvWithState.html>

use super::concat::Concat;
use super::conv::Conv;
use super::elementwise::{Elementwise, Expr};
use super::pad::{Mode, Pad};
use super::slice::{self, Span};
use super::window::{self, Window};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::NodeReader;
use crate::scalar::Scalar;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "CausalConvWithState", opset: 27..=LATEST, read }];

fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, w, bias, past) = (node.input(0)?, node.input(1)?, node.optional_input(2), node.optional_input(3));
    let activation = node.word("activation", &["none", "silu", "swish"])?;
    let (ty, weights) = (node.ty(x).clone(), node.ty(w).clone());
    let (&[batch, channels, len], &[w_channels, 1, taps]) = (&ty.shape[..], &weights.shape[..]) else {
        return Err(mismatch(&ty.to_string(), &weights.to_string()));
    };
    let past_fits = past.is_none_or(|past| node.ty(past).shape[..] == [batch, channels, taps.saturating_sub(1)]);
    if channels != w_channels || taps == 0 || len == 0 || !past_fits {
        return Err(mismatch(&ty.to_string(), &weights.to_string()));
    }
    let state = taps - 1;
    let longer = match past {
        _ if state == 0 => x,
        Some(past) => node.push(Concat { axis: 2 }, &[past, x])?,
        None => {
            let mode = Mode::Constant(Scalar::zero(ty.elem));
            node.push(Pad { before: vec![0, 0, state], after: vec![0; 3], mode }, &[x])?
        }
    };
    let window = Window { kernel: [1, taps], strides: [1, 1], dilations: [1, 1], padding: [0; 4] };
    let image = window::channels_last(node, longer)?;
    let inputs: Vec<ValueId> = [image, w].into_iter().chain(bias).collect();
    let y =
        node.push(Conv { window, groups: channels, activation: None, planar: false, backward: false, integer: None }, &inputs)?;
    let mut y = window::channels_first(node, y, 3)?;
    if activation != "none" {
        let expr = Expr::call("swish", [Expr::Input(0), Expr::Constant(1.0f32.into())]);
        y = node.push(Elementwise { expr }, &[y])?;
    }
    let spans = vec![Span::all(batch), Span::all(channels), Span { start: len, len: state, step: 1 }];
    let present = slice::push(node, longer, spans)?;
    Ok([y, present][..node.output_count().min(2)].to_vec())
}

fn mismatch(x: &str, weights: &str) -> Refusal {
    Refusal::new(
        format!("the input {x}, weights {weights} and the state do not fit together"),
        "give [batch, channels, time], [channels, 1, taps] and a state of [batch, channels, taps - 1]",
    )
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    fn node() -> OneNode {
        let x = Tensor::from_vec([1, 1, 3], &[1.0f32, 2.0, 3.0]);
        let node = OneNode::new("CausalConvWithState", 27).outputs(2);
        node.constant(&x).constant(&Tensor::from_vec([1, 1, 2], &[10.0f32, 1.0]))
    }

    #[test]
    fn it_looks_back() {
        let results = node().results();
        assert_eq!((results[0].to_vec::<f32>(), results[1].to_vec::<f32>()), (vec![1.0, 12.0, 23.0], vec![3.0]));
        let past = node().omitted().constant(&Tensor::from_vec([1, 1, 1], &[5.0f32]));
        assert_eq!(past.results()[0].to_vec::<f32>(), [51.0, 12.0, 23.0]);
        let wrong = node().omitted().constant(&Tensor::from_vec([1, 1, 2], &[5.0f32; 2]));
        wrong.refused("and the state do not fit together", "taps - 1");
    }
}
