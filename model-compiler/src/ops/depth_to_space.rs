//! `DepthToSpace`, `SpaceToDepth`: blocks of pixels made channels and back, by one transpose between reshapes.
//!
//! <https://onnx.ai/onnx/operators/onnx__DepthToSpace.html>

use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::op::{LATEST, OpDef};
use crate::reader::NodeReader;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "DepthToSpace", opset: 1..=10, read: |node| depth_to_space(node, "DCR") },
    OpDef { name: "DepthToSpace", opset: 11..=LATEST, read: read_depth_to_space },
    OpDef { name: "SpaceToDepth", opset: 1..=27, read: |node| space_to_depth(node, "DCR") },
    OpDef { name: "SpaceToDepth", opset: 28..=LATEST, read: read_space_to_depth },
];

fn read_depth_to_space(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let mode = node.word("mode", &["DCR", "CRD"])?;
    depth_to_space(node, mode)
}

/// Channels are (row, column, depth) in mode `DCR` and (depth, row, column) in mode `CRD`.
fn depth_to_space(node: &mut NodeReader, mode: &str) -> Result<Vec<ValueId>> {
    let ([n, c, h, w], block) = image(node)?;
    let area = block.checked_mul(block).filter(|&area| c.is_multiple_of(area)).ok_or_else(|| {
        Refusal::new(
            format!("{c} channels cannot be made blocks of {block} × {block} pixels"),
            "fix `blocksize` in the exported model",
        )
    })?;
    let (depth, blocks, perm) = match mode {
        "DCR" => (c / area, [n, block, block, c / area, h, w], vec![0, 3, 4, 1, 5, 2]),
        _ => (c / area, [n, c / area, block, block, h, w], vec![0, 1, 4, 2, 5, 3]),
    };
    let input = node.input(0)?;
    let blocks = node.reshape(input, blocks)?;
    let moved = node.transpose(blocks, perm)?;
    Ok(vec![node.reshape(moved, [n, depth, h * block, w * block])?])
}

fn read_space_to_depth(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let mode = node.word("mode", &["DCR", "CRD"])?;
    space_to_depth(node, mode)
}

/// The other way round: <https://onnx.ai/onnx/operators/onnx__SpaceToDepth.html>
fn space_to_depth(node: &mut NodeReader, mode: &str) -> Result<Vec<ValueId>> {
    let ([n, c, h, w], block) = image(node)?;
    if !(h.is_multiple_of(block) && w.is_multiple_of(block)) {
        return Err(Refusal::new(
            format!("an image of {h} × {w} pixels cannot be cut into blocks of {block} × {block}"),
            "fix `blocksize` in the exported model, or the sizes given in `dims`",
        ));
    }
    let perm = match mode {
        "DCR" => vec![0, 3, 5, 1, 2, 4],
        _ => vec![0, 1, 3, 5, 2, 4],
    };
    let input = node.input(0)?;
    let blocks = node.reshape(input, [n, c, h / block, block, w / block, block])?;
    let moved = node.transpose(blocks, perm)?;
    Ok(vec![node.reshape(moved, [n, block * block * c, h / block, w / block])?])
}

/// The sizes of the input, which must be images, and the attribute `blocksize`.
fn image(node: &NodeReader) -> Result<([usize; 4], usize)> {
    let input = node.ty(node.input(0)?);
    let sizes = <[usize; 4]>::try_from(&input.shape[..]).map_err(|_| {
        Refusal::new(
            format!("the input is {input}; expected 4 dimensions"),
            "reshape the input to [batch, channels, height, width]",
        )
    })?;
    let block = node.int("blocksize", 0)?;
    let positive = usize::try_from(block).ok().filter(|&block| block > 0);
    let block = positive.ok_or_else(|| {
        Refusal::new(format!("attribute `blocksize` is {block}; expected at least 1"), "fix `blocksize` in the exported model")
    })?;
    Ok((sizes, block))
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    fn image(shape: [usize; 4]) -> Tensor {
        let elements: Vec<i64> = (0..).take(shape.iter().product()).collect();
        Tensor::from_vec(shape, &elements)
    }

    /// The element that goes to channel `c`, row `y` and column `x`, by the formula.
    fn formula(crd: bool, [c, y, x]: [usize; 3], [depth, h, w]: [usize; 3]) -> usize {
        let (row, column) = (y % 2, x % 2);
        let channel = if crd { (c * 2 + row) * 2 + column } else { (row * 2 + column) * depth + c };
        (channel * h + y / 2) * w + x / 2
    }

    #[test]
    fn blocks_and_back() {
        let node = |opset| OneNode::new("DepthToSpace", opset).constant(&image([1, 8, 2, 3])).int("blocksize", 2);
        for (node, crd) in [(node(6), false), (node(11), false), (node(13).word("mode", "CRD"), true)] {
            let result = node.results().remove(0);
            assert_eq!(result.ty().to_string(), "i64[1, 2, 4, 6]");
            let places = (0..48).map(|n| formula(crd, [n / 24, n / 6 % 4, n % 6], [2, 2, 3]));
            assert!(result.to_vec::<i64>().into_iter().eq(places.map(|place| i64::try_from(place).unwrap())), "{node:?}");
            let back = OneNode::new("SpaceToDepth", if crd { 28 } else { 13 }).constant(&result).int("blocksize", 2);
            let back = if crd { back.word("mode", "CRD") } else { back };
            assert_eq!(back.results(), [image([1, 8, 2, 3])]);
        }
    }

    #[test]
    fn what_makes_no_blocks_is_refused() {
        let node = |op: &str, shape: &[usize], block| OneNode::new(op, 13).floats(shape).int("blocksize", block);
        node("DepthToSpace", &[1, 6, 2, 2], 2).refused("6 channels cannot be made blocks of 2 × 2 pixels", "fix `blocksize`");
        node("DepthToSpace", &[1, 6, 2, 2], 0).refused("`blocksize` is 0; expected at least 1", "fix `blocksize`");
        node("DepthToSpace", &[1, 6, 2, 2], i64::MAX).refused("6 channels cannot be made", "fix `blocksize`");
        node("SpaceToDepth", &[1, 6, 3, 2], 2).refused("an image of 3 × 2 pixels cannot be cut", "fix `blocksize`");
        node("SpaceToDepth", &[6, 3, 2], 2).refused("the input is f32[6, 3, 2]; expected 4 dimensions", "reshape the input");
    }
}
