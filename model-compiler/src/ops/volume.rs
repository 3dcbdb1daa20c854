//! `Conv` and `ConvTranspose` along three spatial axes, as convolutions of images: the planes that one plane of the output is made of are channels
//! of one image.

use super::conv;
use super::conv_transpose::{self, ConvTranspose, Extent};
use super::gather;
use super::pad::{Mode, Pad};
use super::sized;
use super::window::{self, Attributes, Window};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::reader::NodeReader;
use crate::scalar::Scalar;

/// The convolution of `x` `[n, c, d, h, w]` with `w` `[outputs, c / groups, …]`; the reader has seen that they fit.
///
/// An output plane is a convolution of the input planes under it, each with the slice of the kernel that lies over it: that of an image which has
/// as its channels those of all these planes.
pub fn conv(node: &mut NodeReader, [x, w]: [ValueId; 2], bias: Option<ValueId>, groups: usize) -> Result<ValueId> {
    let (image, weights) = (node.ty(x).clone(), node.ty(w).shape.clone());
    let (&[n, c, depth, height, width], &[outputs, _, taps, rows, columns]) = (&image.shape[..], &weights[..]) else {
        unreachable!("the reader asks for five dimensions of both");
    };
    let attributes = window::padded_attributes(node, Some(vec![taps, rows, columns]), &image.shape[2..])?;
    let window = Window::along(&attributes, 1..3);
    window::expect_fit(&window, &[height, width], false)?;
    let along_depth = Window::along(&attributes, 0..1);
    let planes = along_depth.output([1, depth], false).map(|[_, planes]| planes).ok_or_else(|| {
        Refusal::new(
            "the kernel does not fit into the padded volume",
            "fix the shapes in the exported model, or the sizes given in `dims`",
        )
    })?;
    // As many elements are gathered, which must be possible.
    sized(image.elem, &[n, c, planes, taps, height, width])?;

    let [_, before, _, after] = along_depth.padding;
    let x = match (before, after) {
        (0, 0) => x,
        _ => {
            let mode = Mode::Constant(Scalar::zero(image.elem));
            node.push(Pad { before: vec![0, 0, before, 0, 0], after: vec![0, 0, after, 0, 0], mode }, &[x])?
        }
    };
    let [_, stride] = along_depth.strides;
    let [_, dilation] = along_depth.dilations;
    let under = |plane: usize| (0..taps).map(move |tap| plane * stride + tap * dilation);
    let places: Vec<usize> = (0..planes).flat_map(under).collect();
    let images = images(node, x, &places, taps, groups)?;
    let slices = node.transpose(w, vec![0, 2, 1, 3, 4])?;
    let slices = node.reshape(slices, [outputs, taps * (c / groups), rows, columns])?;
    let y = conv::push(node, [images, slices], bias, window, groups)?;
    volume(node, y, n)
}

/// The transposed convolution of `x` `[n, c, d, h, w]` with `w` `[c, outputs / groups, …]`; the reader has seen that they fit.
///
/// An output plane is the sum of what each tap along the depth makes of the input plane that reaches it, or of zeros where none does.
pub fn conv_transpose(
    node: &mut NodeReader,
    [x, w]: [ValueId; 2],
    bias: Option<ValueId>,
    groups: usize,
    attributes: &Attributes,
    extent: &Extent,
) -> Result<ValueId> {
    let (image, weights) = (node.ty(x).clone(), node.ty(w).shape.clone());
    let (&[n, c, depth, height, width], &[_, outputs, taps, rows, columns]) = (&image.shape[..], &weights[..]) else {
        unreachable!("the reader asks for five dimensions of both");
    };
    let (planes, before) = (extent.output[0], extent.padding[0]);
    // As many elements are gathered, which must be possible.
    sized(image.elem, &[n, c, planes, taps, height, width])?;

    let [stride, dilation] = [attributes.strides[0], attributes.dilations[0]];
    let reaching = |plane: usize, tap: usize| {
        let reached = plane.checked_add_signed(before)?.checked_sub(tap * dilation)?;
        Some(reached / stride).filter(|&source| source * stride == reached && source < depth)
    };
    let places = (0..planes).flat_map(|plane| (0..taps).map(move |tap| reaching(plane, tap).unwrap_or(depth)));
    let places: Vec<usize> = places.collect();
    let zeros = Mode::Constant(Scalar::zero(image.elem));
    let x = node.push(Pad { before: vec![0; 5], after: vec![0, 0, 1, 0, 0], mode: zeros }, &[x])?;
    let images = images(node, x, &places, taps, groups)?;
    let slices = node.reshape(w, [groups, c / groups, outputs, taps, rows, columns])?;
    let slices = node.transpose(slices, vec![0, 3, 1, 2, 4, 5])?;
    let slices = node.reshape(slices, [taps * c, outputs, rows, columns])?;
    let op = ConvTranspose::along(attributes, extent, 1..3, groups);
    let y = conv_transpose::push(node, [images, slices], bias, op)?;
    volume(node, y, n)
}

/// Images of `x` `[n, c, d, h, w]`, one for as many of the planes `places` as there are `taps`: in each group of channels those of all its planes.
fn images(node: &mut NodeReader, x: ValueId, places: &[usize], taps: usize, groups: usize) -> Result<ValueId> {
    let [n, c, _, height, width] = node.ty(x).shape[..] else { unreachable!("volumes have five dimensions") };
    let planes = places.len() / taps;
    let gathered = gather::push_constant(node, x, 2, places)?;
    let apart = node.reshape(gathered, [n, groups, c / groups, planes, taps, height, width])?;
    let images = node.transpose(apart, vec![0, 3, 1, 4, 2, 5, 6])?;
    node.reshape(images, [n * planes, c * taps, height, width])
}

/// Images that are the planes of `n` volumes as these, `[n, c, d, h, w]`.
fn volume(node: &mut NodeReader, images: ValueId, n: usize) -> Result<ValueId> {
    let [planes, c, height, width] = node.ty(images).shape[..] else { unreachable!("images have four dimensions") };
    let apart = node.reshape(images, [n, planes / n, c, height, width])?;
    node.transpose(apart, vec![0, 2, 1, 3, 4])
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    /// A volume `[1, 2, 3, 2, 2]` whose elements count from 0.
    fn volume() -> Tensor {
        let elements: Vec<f32> = (0u8..24).map(f32::from).collect();
        Tensor::from_vec([1, 2, 3, 2, 2], &elements)
    }

    #[test]
    fn sums_of_boxes() {
        let ones = Tensor::from_vec([1, 2, 2, 2, 2], &[1.0f32; 16]);
        let conv = || OneNode::new("Conv", 11).constant(&volume()).constant(&ones);
        // Planes sum up to 6, 22, 38 in channel 0, and 54, 70, 86 in channel 1.
        assert_eq!(conv().results()[0].to_vec::<f32>(), [152.0, 216.0]);
        let padded = conv().ints("pads", &[1, 0, 0, 0, 0, 0]).ints("strides", &[2, 1, 1]);
        assert_eq!(padded.results()[0].to_vec::<f32>(), [60.0, 216.0]);
        assert_eq!(conv().ints("dilations", &[2, 1, 1]).results()[0].to_vec::<f32>(), [184.0]);
        conv().ints("dilations", &[3, 1, 1]).refused("the kernel does not fit into the padded volume", "fix the shapes");
        let one_each = Tensor::from_vec([2, 1, 1, 2, 2], &[1.0f32; 8]);
        let grouped = OneNode::new("Conv", 11).constant(&volume()).constant(&one_each).int("group", 2);
        assert_eq!(grouped.results()[0].to_vec::<f32>(), [6.0, 22.0, 38.0, 54.0, 70.0, 86.0]);
    }

    #[test]
    fn boxes_are_spread() {
        let x = Tensor::from_vec([1, 2, 2, 1, 1], &[1.0f32, 2.0, 3.0, 4.0]);
        let w = Tensor::from_vec([2, 1, 2, 1, 2], &[1.0f32, 10.0, 100.0, 1000.0, 0.5, 0.0, 0.0, 0.0]);
        let node = || OneNode::new("ConvTranspose", 11).constant(&x).constant(&w);
        let first = [1.0, 10.0, 102.0, 1020.0, 200.0, 2000.0];
        let second = [1.5, 0.0, 2.0, 0.0, 0.0, 0.0];
        let both: Vec<f32> = first.iter().zip(second).map(|(a, b)| a + b).collect();
        assert_eq!(node().results()[0].to_vec::<f32>(), both);
        assert_eq!(node().int("group", 2).results()[0].to_vec::<f32>(), [first, second].concat());
        let strided = node().ints("strides", &[3, 1, 1]).ints("pads", &[1, 0, 0, 0, 0, 1]);
        assert_eq!(strided.results()[0].to_vec::<f32>(), [100.0, 0.0, 4.0, 200.0]);
        assert_eq!(node().ints("dilations", &[2, 1, 1]).results()[0].to_vec::<f32>()[..4], [2.5, 10.0, 4.0, 20.0]);
        assert_eq!(strided.types(), ["f32[1, 1, 4, 1, 1]"]);
    }

    #[test]
    fn pools_of_boxes() {
        let pool = |op_type| OneNode::new(op_type, 19).constant(&volume()).ints("kernel_shape", &[2, 2, 1]);
        assert_eq!(pool("MaxPool").results()[0].to_vec::<f32>(), [6.0, 7.0, 10.0, 11.0, 18.0, 19.0, 22.0, 23.0]);
        let padded = pool("AveragePool").ints("pads", &[1, 0, 0, 0, 0, 0]).ints("strides", &[2, 1, 1]);
        assert_eq!(padded.results()[0].to_vec::<f32>(), [1.0, 2.0, 7.0, 8.0, 13.0, 14.0, 19.0, 20.0]);
        assert_eq!(padded.int("count_include_pad", 1).results()[0].to_vec::<f32>()[..3], [0.5, 1.0, 7.0]);
        let global = OneNode::new("GlobalMaxPool", 19).constant(&volume());
        assert_eq!(global.results()[0].to_vec::<f32>(), [11.0, 23.0]);
        pool("MaxPool").outputs(2).refused("the input has 5 dimensions", "reshape the input");
    }
}
