//! `DeformConv`: a convolution that samples the image at places of its own: <https://onnx.ai/onnx/operators/onnx__DeformConv.html>

use super::elementwise::{self, Elementwise, Expr};
use super::gather;
use super::grid_sample::GridSample;
use super::matmul::MatMul;
use super::resize::real;
use super::window::{self, Window};
use super::{FLOATS, dense, expect_elem};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::kernels::Outside;
use crate::op::{LATEST, OpDef};
use crate::reader::NodeReader;
use crate::scalar::Scalar;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "DeformConv", opset: 19..=LATEST, read }];

/// The sizes of a convolution.
struct Sizes {
    batch: usize,
    /// Channels, height and width of the image.
    image: [usize; 3],
    /// Channels, height and width of the output.
    output: [usize; 3],
    groups: usize,
    /// Groups of channels that are sampled at the same places.
    offset_groups: usize,
    window: Window,
}

/// Samples the image under each tap of each window, and multiplies the samples by the weights as matrices.
fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, w, offset) = (node.input(0)?, node.input(1)?, node.input(2)?);
    let (bias, mask) = (node.optional_input(3), node.optional_input(4));
    let sizes = sizes(node)?;
    let Sizes { batch, image: [channels, height, width], output: [outputs, rows, columns], groups, offset_groups, .. } = sizes;
    let [taps, points] = [sizes.window.kernel.iter().product(), rows * columns];
    let grid = places(node, offset, &sizes)?;
    let images = node.reshape(x, [batch * offset_groups, channels / offset_groups, height, width])?;
    let sample = GridSample { taps: 2, outside: Outside::Zeros, align_corners: true };
    let mut samples = node.push(sample, &[images, grid])?;
    if let Some(mask) = mask {
        let weights = node.reshape(mask, [batch * offset_groups, 1, taps, points])?;
        samples = elementwise::push(node, "mul", &[samples, weights])?;
    }
    let columns_of = node.reshape(samples, [batch, groups, channels / groups * taps, points])?;
    let matrix = node.reshape(w, [1, groups, outputs / groups, channels / groups * taps])?;
    let y = node.push(MatMul::default(), &[matrix, columns_of])?;
    let y = node.reshape(y, [batch, outputs, rows, columns])?;
    let Some(bias) = bias else { return Ok(vec![y]) };
    let bias = node.reshape(bias, [outputs, 1, 1])?;
    Ok(vec![elementwise::push(node, "add", &[y, bias])?])
}

/// The sizes, where all inputs have those that they must have.
fn sizes(node: &NodeReader) -> Result<Sizes> {
    let given: Vec<ValueId> = (0..5).filter_map(|index| node.optional_input(index)).collect();
    let types: Vec<_> = given.iter().map(|&id| node.ty(id)).collect();
    expect_elem("X", types[0], FLOATS)?;
    dense::expect_one_type(&types, FLOATS)?;
    let [groups, offset_groups] = ["group", "offset_group"].map(|name| node.int(name, 1).map(usize::try_from));
    let fault = || {
        let list: Vec<String> = types.iter().map(ToString::to_string).collect();
        Refusal::new(
            format!("an image, weights, offsets and the rest of {} do not fit together", list.join(", ")),
            "fix the shapes in the exported model; images have two spatial axes of at least 2 elements",
        )
    };
    let (Ok(groups), Ok(offset_groups)) = (groups?, offset_groups?) else { return Err(fault()) };
    let (&[batch, channels, height, width], &[outputs, per_group, kernel_rows, kernel_columns]) =
        (&types[0].shape[..], &types[1].shape[..])
    else {
        return Err(fault());
    };
    let attributes = window::padded_attributes(node, Some(vec![kernel_rows, kernel_columns]), &[height, width])?;
    let window = Window::along(&attributes, 0..2);
    let [rows, columns] = window::expect_fit(&window, &[height, width], false)?;
    let taps = kernel_rows * kernel_columns;
    let expected =
        [vec![batch, 2 * offset_groups * taps, rows, columns], vec![outputs], vec![batch, offset_groups * taps, rows, columns]];
    let alike = (2..5)
        .zip(&expected)
        .all(|(index, shape)| node.optional_input(index).is_none_or(|id| node.ty(id).shape[..] == shape[..]));
    let divided = groups > 0
        && offset_groups > 0
        && channels == per_group * groups
        && outputs.is_multiple_of(groups)
        && channels.is_multiple_of(offset_groups);
    if !alike || !divided || height < 2 || width < 2 {
        return Err(fault());
    }
    let (image, output) = ([channels, height, width], [outputs, rows, columns]);
    Ok(Sizes { batch, image, output, groups, offset_groups, window })
}

/// The places of all taps, `[batch · offset groups, taps, points, 2]`, with −1 and 1 at the centres of the outermost elements, x first.
fn places(node: &mut NodeReader, offset: ValueId, sizes: &Sizes) -> Result<ValueId> {
    let Sizes { batch, image: [_, height, width], output: [_, rows, columns], offset_groups, window, .. } = sizes;
    let elem = node.ty(offset).elem;
    let [kernel_rows, kernel_columns] = window.kernel;
    let (taps, points) = (kernel_rows * kernel_columns, rows * columns);
    let apart = node.reshape(offset, [batch * offset_groups, taps, 2, points])?;
    let last = node.transpose(apart, vec![0, 1, 3, 2])?;
    let mut bases = Vec::with_capacity(taps * points * 2);
    for tap in 0..taps {
        for point in 0..points {
            let along = |axis: usize, point: usize, tap: usize| {
                real(point * window.strides[axis] + tap * window.dilations[axis]) - real(window.padding[axis])
            };
            bases.push(Scalar::of(along(0, point / columns, tap / kernel_columns), elem));
            bases.push(Scalar::of(along(1, point % columns, tap % kernel_columns), elem));
        }
    }
    let bases = node.add_constant(Scalar::tensor(elem, [taps, points, 2], &bases));
    let factors = [height, width].map(|size| Scalar::of(2.0 / real(size - 1), elem));
    let factors = node.add_constant(Scalar::tensor(elem, [2], &factors));
    let place = Expr::call("add", [Expr::Input(0), Expr::Input(1)]);
    let scaled = Expr::call("mul", [place, Expr::Input(2)]);
    let expr = Expr::call("sub", [scaled, Expr::number(1.0, elem)]);
    let places = node.push(Elementwise { expr }, &[last, bases, factors])?;
    gather::push_constant(node, places, 3, &[1, 0])
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    /// A 3×3 image under a kernel of 2×2 ones.
    fn node(offsets: &[f32]) -> OneNode {
        let image = Tensor::from_vec([1, 1, 3, 3], &[0.0f32, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        let ones = Tensor::from_vec([1, 1, 2, 2], &[1.0f32; 4]);
        OneNode::new("DeformConv", 19).constant(&image).constant(&ones).constant(&Tensor::from_vec([1, 8, 2, 2], offsets))
    }

    #[test]
    fn taps_are_moved() {
        let mut offsets = [0.0f32; 32];
        let results = |offsets: &[f32]| node(offsets).results()[0].to_vec::<f32>();
        assert_eq!(results(&offsets), [8.0, 12.0, 20.0, 24.0]);
        // The first tap of the first output half a row down; the last tap of the last output out of the image.
        (offsets[0], offsets[31]) = (0.5, 5.0);
        assert_eq!(results(&offsets), [9.5, 12.0, 20.0, 16.0]);
        let bias = Tensor::from_vec([1], &[1.0f32]);
        let mask = Tensor::from_vec([1, 4, 2, 2], &[0.5f32; 16]);
        assert_eq!(node(&[0.0; 32]).constant(&bias).constant(&mask).results()[0].to_vec::<f32>(), [5.0, 7.0, 11.0, 13.0]);
        node(&offsets).int("offset_group", 2).refused("do not fit together", "two spatial axes");
    }
}
