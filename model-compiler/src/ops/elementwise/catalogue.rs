//! What ONNX calls the elementwise operators.

use super::{Elementwise, Expr};
use crate::diagnostic::Result;
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::NodeReader;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Add", opset: 6..=6, read: |node| legacy(node, "add") },
    OpDef { name: "Add", opset: 7..=LATEST, read: |node| all(node, "add") },
    OpDef { name: "Div", opset: 6..=6, read: |node| legacy(node, "div") },
    OpDef { name: "Div", opset: 7..=LATEST, read: |node| all(node, "div") },
    OpDef { name: "Equal", opset: 7..=LATEST, read: |node| all(node, "equal") },
    OpDef { name: "Mul", opset: 6..=6, read: |node| legacy(node, "mul") },
    OpDef { name: "Mul", opset: 7..=LATEST, read: |node| all(node, "mul") },
    OpDef { name: "Relu", opset: 6..=LATEST, read: |node| all(node, "relu") },
    OpDef { name: "Sqrt", opset: 6..=LATEST, read: |node| all(node, "sqrt") },
    OpDef { name: "Sub", opset: 6..=6, read: |node| legacy(node, "sub") },
    OpDef { name: "Sub", opset: 7..=LATEST, read: |node| all(node, "sub") },
];

/// The function called `name`, of all inputs.
fn all(node: &mut NodeReader, name: &str) -> Result<Vec<ValueId>> {
    let inputs = node.all_inputs()?;
    let arguments: Vec<Expr> = (0..inputs.len()).map(Expr::Input).collect();
    Ok(vec![node.push(Elementwise { expr: Expr::call(name, arguments) }, &inputs)?])
}

/// Before opset 7 the second input was broadcast on demand, its axes lying at `axis` of the first's.
fn legacy(node: &mut NodeReader, name: &str) -> Result<Vec<ValueId>> {
    let broadcast = node.flag("broadcast", false)?;
    let axis = node.optional_int("axis")?;
    let (a, mut b) = (node.input(0)?, node.input(1)?);
    if let (true, Some(axis)) = (broadcast, axis) {
        let rank = node.ty(a).shape.len();
        let axis = crate::reader::axis("axis", axis, rank)?;
        let mut shape = node.ty(b).shape.to_vec();
        shape.resize(rank.saturating_sub(axis).max(shape.len()), 1);
        b = node.reshape(b, shape)?;
    }
    Ok(vec![node.push(Elementwise { expr: Expr::call(name, [Expr::Input(0), Expr::Input(1)]) }, &[a, b])?])
}
