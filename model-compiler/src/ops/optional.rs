//! `OptionalHasElement`, `OptionalGetElement` of what is no optional value: a tensor that is there, or none.
//!
//! <https://onnx.ai/onnx/operators/onnx__OptionalHasElement.html>

use crate::diagnostic::Result;
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::ty::ElemType;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "OptionalHasElement", opset: 15..=LATEST, read: read_has_element },
    OpDef { name: "OptionalGetElement", opset: 15..=LATEST, read: |node| Ok(vec![node.input(0)?]) },
];

fn read_has_element(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let present = node.optional_input(0).is_some();
    Ok(vec![node.add_constant(Scalar::tensor(ElemType::Bool, [], &[Scalar::Bool(present.into())]))])
}

#[cfg(test)]
mod tests {
    use crate::testing::OneNode;

    #[test]
    fn a_tensor_is_there() {
        assert_eq!(OneNode::new("OptionalHasElement", 18).floats(&[2]).result_ints(), [1]);
        assert_eq!(OneNode::new("OptionalHasElement", 18).omitted().result_ints(), [0]);
        assert_eq!(OneNode::new("OptionalGetElement", 18).floats(&[2]).types(), ["f32[2]"]);
        OneNode::new("OptionalGetElement", 18).omitted().refused("input 0 is missing", "onnx.checker");
    }
}
