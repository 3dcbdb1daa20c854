//! `RandomNormal` and its like, which a compiled model has no source for.
//!
//! <https://onnx.ai/onnx/operators/onnx__RandomNormal.html>

use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::NodeReader;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Bernoulli", opset: 15..=LATEST, read: refuse },
    OpDef { name: "Multinomial", opset: 7..=LATEST, read: refuse },
    OpDef { name: "RandomNormal", opset: 1..=LATEST, read: refuse },
    OpDef { name: "RandomNormalLike", opset: 1..=LATEST, read: refuse },
    OpDef { name: "RandomUniform", opset: 1..=LATEST, read: refuse },
    OpDef { name: "RandomUniformLike", opset: 1..=LATEST, read: refuse },
];

fn refuse(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    Err(Refusal::new(
        "its result is random, and a compiled model computes the same from the same inputs",
        format!("make `{}` an input of the model and fill it with random numbers before each run", node.output_name(0)),
    ))
}

#[cfg(test)]
mod tests {
    use crate::testing::OneNode;

    #[test]
    fn what_to_do_instead() {
        OneNode::new("Bernoulli", 15).floats(&[2]).refused("its result is random", "make `y0` an input of the model");
    }
}
