//! `RoiAlign`: regions of an image, each in a fixed number of bins: <https://onnx.ai/onnx/operators/onnx__RoiAlign.html>

use proc_macro2::TokenStream;
use quote::quote;

use super::{expect_elem, filled, sized};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, OpDef, Operator, Types, reference_only};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "RoiAlign", opset: 10..=15, read: |node| read(node, false) },
    OpDef { name: "RoiAlign", opset: 16..=LATEST, read: read_transformed },
];

/// The bins of regions; inputs images, regions, and for each region its image.
#[derive(Clone, Debug, PartialEq)]
pub struct RoiAlign {
    /// Rows and columns of bins of a region.
    pub bins: [usize; 2],
    /// Samples of a bin along an axis.
    pub samples: usize,
    /// What the places of regions are multiplied by.
    pub scale: f32,
    /// Whether the places of regions are between elements.
    pub half_pixel: bool,
    /// Take the greatest of the weighted elements instead of the mean.
    pub greatest: bool,
}

fn read_transformed(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let mode = node.word("coordinate_transformation_mode", &["half_pixel", "output_half_pixel"])?;
    read(node, mode == "half_pixel")
}

fn read(node: &mut NodeReader, half_pixel: bool) -> Result<Vec<ValueId>> {
    let inputs = [node.input(0)?, node.input(1)?, node.input(2)?];
    let greatest = node.word("mode", &["avg", "max"])? == "max";
    let bins = [positive(node, "output_height", 1)?, positive(node, "output_width", 1)?];
    let samples = positive(node, "sampling_ratio", 0)?;
    let scale = node.float("spatial_scale", 1.0)?;
    Ok(vec![node.push(RoiAlign { bins, samples, scale, half_pixel, greatest }, &inputs)?])
}

/// Attribute `name`, which decides how much is computed.
fn positive(node: &NodeReader, name: &'static str, default: i64) -> Result<usize> {
    let found = node.int(name, default)?;
    let number = usize::try_from(found).ok().filter(|number| (1..=1 << 16).contains(number));
    number.ok_or_else(|| unsupported_attribute(name, &found.to_string(), "1 to 65536, as the work of a run must be known"))
}

impl RoiAlign {
    fn kernel(&self, images: &TensorType, regions: &TensorType) -> kernels::RoiAlign {
        let Self { bins, samples, scale, half_pixel, greatest } = *self;
        let [batch, channels, height, width] = images.shape[..] else { unreachable!("infer takes four dimensions") };
        let image = [channels, height, width];
        kernels::RoiAlign { batch, image, regions: regions.shape[0], bins, samples, scale, half_pixel, greatest }
    }
}

impl Operator for RoiAlign {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        let &[images, regions, indices] = inputs else { unreachable!("the reader gives three inputs") };
        expect_elem("X", images, &[ElemType::F32])?;
        expect_elem("rois", regions, &[ElemType::F32])?;
        expect_elem("batch_indices", indices, &[ElemType::I64])?;
        let (&[_, channels, _, _], &[count, 4]) = (&images.shape[..], &regions.shape[..]) else { return Err(mismatch(inputs)) };
        if indices.shape[..] != [count] {
            return Err(mismatch(inputs));
        }
        Ok(vec![sized(ElemType::F32, &[count, channels, self.bins[0], self.bins[1]])?])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let kernel = self.kernel(inputs[0].ty(), inputs[1].ty());
        let (x, regions, images) = (inputs[0].to_vec::<f32>(), inputs[1].to_vec::<f32>(), inputs[2].to_vec::<i64>());
        Some(vec![filled::<f32>(&outputs[0], |y| kernel.run(&x, &regions, &images, y))])
    }

    fn macs(&self, types: Types) -> u64 {
        let taps = u64::try_from(4 * self.samples * self.samples).unwrap_or(u64::MAX);
        u64::try_from(types.outputs[0].elements()).unwrap_or(u64::MAX).saturating_mul(taps)
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&self.kernel(cx.input_ty(0), cx.input_ty(1)));
        let (x, regions, images, y) = (cx.input(0), cx.input(1), cx.input(2), cx.output(0));
        quote! { #kernel.run(#x, #regions, #images, #y); }
    }
}

fn mismatch(inputs: &[&TensorType]) -> Refusal {
    let list: Vec<String> = inputs.iter().map(ToString::to_string).collect();
    Refusal::new(
        format!("images, regions and their images are {}; expected [n, c, h, w], [regions, 4] and [regions]", list.join(", ")),
        "fix the shapes in the exported model, or the sizes given in `dims`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    #[test]
    fn shapes_and_refusals() {
        let node = |regions: &[usize]| {
            let node = OneNode::new("RoiAlign", 22).floats(&[2, 3, 8, 8]).floats(regions).input(ElemType::I64, &[5]);
            node.int("output_height", 2)
        };
        assert_eq!(node(&[5, 4]).int("sampling_ratio", 2).types(), ["f32[5, 3, 2, 1]"]);
        node(&[5, 4]).refused("`sampling_ratio` is 0; supported: 1 to 65536", "supported value");
        node(&[4, 4]).int("sampling_ratio", 2).refused("f32[4, 4], i64[5]; expected [n, c, h, w]", "fix the shapes");
    }
}
