//! `RotaryEmbedding`: pairs of elements turned by an angle that grows with the position.
//!
//! <https://onnx.ai/onnx/operators/onnx__RotaryEmbedding.html>

use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::concat::Concat;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::ops::gather::Gather;
use crate::ops::slice::{self, Span};
use crate::reader::{NodeReader, unsupported_attribute};

/// `(x₁ cos − x₂ sin, x₁ sin + x₂ cos)` for each pair of the first `rotary_embedding_dim` elements of a head.
pub fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (input, cos, sin, positions) = (node.input(0)?, node.input(1)?, node.input(2)?, node.optional_input(3));
    let interleaved = node.flag("interleaved", false)?;
    let (heads, turned) = (node.int("num_heads", 0)?, node.int("rotary_embedding_dim", 0)?);
    let ty = node.ty(input).clone();
    // Where positions and heads lie, and the angles of a position between them.
    let (x, angles) = match (&ty.shape[..], usize::try_from(heads)) {
        (&[batch, _, positions, _], _) => (input, [batch, 1, positions]),
        (&[batch, positions, size], Ok(heads)) if heads > 0 && size.is_multiple_of(heads) => {
            (node.reshape(input, [batch, positions, heads, size / heads])?, [batch, positions, 1])
        }
        _ => {
            return Err(Refusal::new(
                format!("the input {ty} cannot be split into {heads} heads"),
                "give it 4 dimensions, [batch, heads, positions, size], or 3 and `num_heads`",
            ));
        }
    };
    let shape = node.ty(x).shape.to_vec();
    let size = shape[3];
    let width = usize::try_from(turned).ok().map(|width| if width == 0 { size } else { width });
    let width = width.filter(|&width| width <= size && width.is_multiple_of(2)).ok_or_else(|| {
        unsupported_attribute("rotary_embedding_dim", &turned.to_string(), &format!("even numbers up to {size}"))
    })?;
    let [cos, sin] = [angle(node, cos, positions, (angles, width / 2))?, angle(node, sin, positions, (angles, width / 2))?];
    let span = |start, len| Span { start, len, step: 1 };
    // The pairs' elements: either side by side, or in the two halves.
    let halves: Vec<usize> = if interleaved { vec![width / 2, 2] } else { vec![2, width / 2] };
    let part = take(node, x, 3, span(0, width))?;
    let paired: Vec<usize> = shape[..3].iter().copied().chain(halves).collect();
    let part = node.reshape(part, paired.clone())?;
    let axis = if interleaved { 4 } else { 3 };
    let mut single = paired.clone();
    single[axis] = 1;
    let [x1, x2] = [take(node, part, axis, span(0, 1))?, take(node, part, axis, span(1, 1))?];
    let mut angles: Vec<usize> = node.ty(cos).shape.to_vec();
    angles.insert(axis, 1);
    let [cos, sin] = [node.reshape(cos, angles.clone())?, node.reshape(sin, angles)?];
    let product = |a, b| Expr::call("mul", [Expr::Input(a), Expr::Input(b)]);
    let inputs = [x1, x2, cos, sin];
    let first = node.push(Elementwise { expr: Expr::call("sub", [product(0, 2), product(1, 3)]) }, &inputs)?;
    let second = node.push(Elementwise { expr: Expr::call("add", [product(0, 3), product(1, 2)]) }, &inputs)?;
    let turned = node.push(Concat { axis }, &[first, second])?;
    let mut y = node.reshape(turned, [shape[0], shape[1], shape[2], width])?;
    if width < size {
        let rest = take(node, x, 3, span(width, size - width))?;
        y = node.push(Concat { axis: 3 }, &[y, rest])?;
    }
    Ok(vec![node.reshape(y, ty.shape)?])
}

fn take(node: &mut NodeReader, x: ValueId, axis: usize, span: Span) -> Result<ValueId> {
    let mut spans: Vec<Span> = node.ty(x).shape.iter().copied().map(Span::all).collect();
    spans[axis] = span;
    slice::push(node, x, spans)
}

/// The cosines or sines of each position, of as many axes as the input.
fn angle(
    node: &mut NodeReader,
    cache: ValueId,
    positions: Option<ValueId>,
    (axes, width): ([usize; 3], usize),
) -> Result<ValueId> {
    let cache = match positions {
        Some(positions) => node.push(Gather { axis: 0 }, &[cache, positions])?,
        None => cache,
    };
    let found = node.ty(cache).clone();
    let [batch, a, b] = axes;
    if found.shape[..] != [batch, a * b, width] {
        return Err(Refusal::new(
            format!("the angles of the positions are {found}; expected [{batch}, {}, {width}]", a * b),
            "fix the shapes in the exported model, or the sizes given in `dims`",
        ));
    }
    node.reshape(cache, [batch, a, b, width])
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    /// A quarter turn of each pair of [1, 2, 3, 4].
    fn node(shape: &[usize]) -> OneNode {
        let x = Tensor::from_vec(shape, &[1.0f32, 2.0, 3.0, 4.0]);
        OneNode::new("RotaryEmbedding", 23).constant(&x)
    }

    #[test]
    fn pairs_are_turned() {
        let angles = |width| {
            let node = node(&[1, 1, 1, 4]);
            node.constant(&Tensor::from_vec([1, 1, width], &vec![0.0f32; width]))
                .constant(&Tensor::from_vec([1, 1, width], &vec![1.0f32; width]))
        };
        assert_eq!(angles(2).results()[0].to_vec::<f32>(), [-3.0, -4.0, 1.0, 2.0]);
        assert_eq!(angles(2).int("interleaved", 1).results()[0].to_vec::<f32>(), [-2.0, 1.0, -4.0, 3.0]);
        assert_eq!(angles(1).int("rotary_embedding_dim", 2).results()[0].to_vec::<f32>(), [-2.0, 1.0, 3.0, 4.0]);
        angles(2)
            .int("rotary_embedding_dim", 3)
            .refused("`rotary_embedding_dim` is 3; supported: even numbers up to 4", "supported");
        angles(1).refused("the angles of the positions are f32[1, 1, 1]; expected [1, 1, 2]", "fix the shapes");
    }

    #[test]
    fn positions_choose_the_angles() {
        let cos = Tensor::from_vec([2, 1], &[1.0f32, 0.0]);
        let sin = Tensor::from_vec([2, 1], &[0.0f32, 1.0]);
        let node = node(&[1, 2, 2]).constant(&cos).constant(&sin).constant(&Tensor::from_vec([1, 2], &[1i64, 0]));
        assert_eq!(node.clone().int("num_heads", 1).results()[0].to_vec::<f32>(), [-2.0, 1.0, 3.0, 4.0]);
        node.refused("the input f32[1, 2, 2] cannot be split into 0 heads", "num_heads");
    }
}
