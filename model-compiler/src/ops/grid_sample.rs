//! `GridSample`, `AffineGrid`: images sampled at places that a grid tells.
//!
//! <https://onnx.ai/onnx/operators/onnx__GridSample.html>

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::matmul::MatMul;
use super::resize::real;
use super::{FLOATS, expect_elem, filled, sized, sizes};
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::kernels::{self, Outside};
use crate::op::{LATEST, OpDef, Operator, Types, reference_only};
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "GridSample", opset: 16..=19, read: |node| read(node, ["bilinear", "nearest", "bicubic"]) },
    OpDef { name: "GridSample", opset: 20..=LATEST, read: |node| read(node, ["linear", "nearest", "cubic"]) },
    OpDef { name: "AffineGrid", opset: 20..=LATEST, read: read_affine_grid },
];

/// The elements of `[n, c, …]` at the places of a grid `[n, …, axes]`; inputs image and grid.
#[derive(Clone, Debug, PartialEq)]
pub struct GridSample {
    /// How many taps there are along an axis.
    pub taps: usize,
    /// What lies outside of the image.
    pub outside: Outside,
    /// Whether −1 and 1 are the centres of the outermost elements.
    pub align_corners: bool,
}

fn read(node: &mut NodeReader, modes: [&'static str; 3]) -> Result<Vec<ValueId>> {
    let (x, grid) = (node.input(0)?, node.input(1)?);
    let mode = node.word("mode", &modes)?;
    let taps = [2, 1, 4][modes.iter().position(|word| *word == mode).unwrap_or(0)];
    let outside = match node.word("padding_mode", &["zeros", "border", "reflection"])? {
        "zeros" => Outside::Zeros,
        "border" => Outside::Border,
        _ => Outside::Reflection,
    };
    let align_corners = node.flag("align_corners", false)?;
    Ok(vec![node.push(GridSample { taps, outside, align_corners }, &[x, grid])?])
}

/// The places `theta · (x, y, …, 1)` of each element of an image of constant `size`.
///
/// <https://onnx.ai/onnx/operators/onnx__AffineGrid.html>
fn read_affine_grid(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let theta = node.input(0)?;
    let size = sizes("size", &node.constant_ints(1, "size")?.unwrap_or_default())?;
    let align_corners = node.flag("align_corners", false)?;
    let ty = node.ty(theta).clone();
    let [batch, _, image @ ..] = &size[..] else {
        return Err(Refusal::new(format!("`size` is {size:?}; expected 4 or 5 numbers"), "export the model again"));
    };
    let axes = image.len();
    if !(2..=3).contains(&axes) || ty.shape[..] != [*batch, axes, axes + 1] {
        return Err(Refusal::new(
            format!("`theta` is {ty} for a size of {size:?}; expected [batch, axes, axes + 1]"),
            "fix the shapes in the exported model, or the sizes given in `dims`",
        ));
    }
    let points = sized(ty.elem, &[image.iter().product(), axes + 1])?;
    let place = |index: usize, len: usize| match align_corners {
        true => 2.0 * real(index) / real(len.saturating_sub(1).max(1)) - 1.0,
        false => (2.0 * real(index) + 1.0) / real(len) - 1.0,
    };
    let mut places = Vec::with_capacity(points.elements());
    for point in 0..points.shape[0] {
        let mut rest = point;
        for &len in image.iter().rev() {
            places.push(Scalar::of(place(rest % len, len), ty.elem));
            rest /= len;
        }
        places.push(Scalar::of(1.0, ty.elem));
    }
    let places = node.add_constant(Scalar::tensor(ty.elem, points.shape, &places));
    let matrix = node.transpose(theta, vec![0, 2, 1])?;
    let grid = node.push(MatMul::default(), &[places, matrix])?;
    let shape: Vec<usize> = [*batch].into_iter().chain(image.iter().copied()).chain([axes]).collect();
    Ok(vec![node.reshape(grid, shape)?])
}

impl GridSample {
    fn kernel(&self, image: &TensorType, grid: &TensorType) -> kernels::GridSample {
        let axes = image.shape.len() - 2;
        let mut size = [1; 3];
        size[3 - axes..].copy_from_slice(&image.shape[2..]);
        kernels::GridSample {
            batch: image.shape[0],
            channels: image.shape[1],
            size,
            axes,
            points: grid.shape[1..=axes].iter().product(),
            taps: self.taps,
            outside: self.outside,
            align_corners: self.align_corners,
        }
    }
}

impl Operator for GridSample {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let (image, grid) = (inputs[0], inputs[1]);
        expect_elem("X", image, FLOATS)?;
        let axes = image.shape.len().saturating_sub(2);
        let fits = (1..=3).contains(&axes)
            && grid.shape.len() == image.shape.len()
            && grid.shape[0] == image.shape[0]
            && grid.shape.last() == Some(&axes)
            && grid.elem == image.elem;
        if !fits {
            return Err(Refusal::new(
                format!("the image {image} and the grid {grid} do not fit together"),
                "give an image of [n, c, …] and a grid of [n, …, axes] of one element type, with up to 3 axes",
            ));
        }
        let shape: Vec<usize> = image.shape[..2].iter().chain(&grid.shape[1..=axes]).copied().collect();
        Ok(vec![sized(image.elem, &shape)?])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let kernel = self.kernel(inputs[0].ty(), inputs[1].ty());
        (outputs[0].elem == ElemType::F32).then(|| {
            let (x, grid) = (inputs[0].to_vec::<f32>(), inputs[1].to_vec::<f32>());
            vec![filled::<f32>(&outputs[0], |y| kernel.run(&x, &grid, y))]
        })
    }

    fn macs(&self, types: Types) -> u64 {
        let taps = u64::try_from(self.taps.pow(2)).unwrap_or(u64::MAX);
        u64::try_from(types.outputs[0].elements()).unwrap_or(u64::MAX).saturating_mul(taps)
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernels::GridSample { batch, channels, size: [depth, height, width], axes, points, taps, outside, align_corners } =
            self.kernel(cx.input_ty(0), cx.input_ty(1));
        let numbers = [batch, channels, depth, height, width, axes, points, taps].map(proc_macro2::Literal::usize_unsuffixed);
        let [batch, channels, depth, height, width, axes, points, taps] = numbers;
        let outside = format_ident!("{}", format!("{outside:?}"));
        let (x, grid, y) = (cx.input(0), cx.input(1), cx.output(0));
        quote! {
            rt::GridSample {
                batch: #batch,
                channels: #channels,
                size: [#depth, #height, #width],
                axes: #axes,
                points: #points,
                taps: #taps,
                outside: rt::Outside::#outside,
                align_corners: #align_corners,
            }.run(#x, #grid, #y);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    #[test]
    fn images_are_sampled() {
        let image = Tensor::from_vec([1, 1, 2, 2], &[1.0f32, 2.0, 3.0, 4.0]);
        let grid = Tensor::from_vec([1, 1, 3, 2], &[0.0f32, 0.0, 1.0, -1.0, 9.0, 9.0]);
        let node = || OneNode::new("GridSample", 20).constant(&image).constant(&grid).int("align_corners", 1);
        assert_eq!(node().results()[0].to_vec::<f32>(), [2.5, 2.0, 0.0]);
        assert_eq!(node().word("padding_mode", "border").results()[0].to_vec::<f32>(), [2.5, 2.0, 4.0]);
        node()
            .word("mode", "bilinear")
            .refused("`mode` is `bilinear`; supported: `linear`, `nearest`, `cubic`", "supported value");
        let flat = OneNode::new("GridSample", 16).floats(&[1, 1, 2, 2]).floats(&[1, 3, 2]);
        flat.refused("the image f32[1, 1, 2, 2] and the grid f32[1, 3, 2] do not fit together", "give an image");
    }

    #[test]
    fn grids_of_the_same_places() {
        let theta = Tensor::from_vec([1, 2, 3], &[1.0f32, 0.0, 0.0, 0.0, 1.0, 0.0]);
        let node = || OneNode::new("AffineGrid", 20).constant(&theta).constant_ints(&[1, 1, 1, 2]);
        assert_eq!(node().results()[0].to_vec::<f32>(), [-0.5, 0.0, 0.5, 0.0]);
        assert_eq!(node().int("align_corners", 1).results()[0].to_vec::<f32>(), [-1.0, -1.0, 1.0, -1.0]);
        let volume = OneNode::new("AffineGrid", 20).constant(&theta).constant_ints(&[1, 1, 1, 1, 2]);
        volume.refused("`theta` is f32[1, 2, 3] for a size of [1, 1, 1, 1, 2]", "fix the shapes");
    }
}
