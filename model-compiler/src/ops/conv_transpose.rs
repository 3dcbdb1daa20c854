//! `ConvTranspose` along one or two spatial axes, channels last; along three it is one of images, see [`super::volume`].
//!
//! <https://onnx.ai/onnx/operators/onnx__ConvTranspose.html>

use std::ops::Range;

use proc_macro2::TokenStream;

use super::copy::signed;
use super::elementwise::{self, Expr};
use super::volume;
use super::window::{self, Attributes};
use super::{FLOATS, cells, dense, filled};
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, OpDef, Operator, Types, reference_only};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::TensorType;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "ConvTranspose", opset: 1..=LATEST, read }];

/// Adds each element of `x`, times the kernel, to the part of `y` that the kernel covers there; inputs `x`, `w`
/// (`[channels, outputs / groups, height, width]`), and `bias` where there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvTranspose {
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps in the output from one input to the next.
    pub strides: [usize; 2],
    /// Steps in the output from one tap of the kernel to the next.
    pub dilations: [usize; 2],
    /// Rows cut off above and columns cut off at the left; a negative number adds them.
    pub padding: [isize; 2],
    /// Height and width of the output.
    pub output: [usize; 2],
    /// Groups of channels that are convolved apart.
    pub groups: usize,
    /// Applied to each sum.
    pub activation: Option<Expr>,
}

fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, w, bias) = (node.input(0)?, node.input(1)?, node.optional_input(2));
    let (image, weights) = (node.ty(x).clone(), node.ty(w).clone());
    let axes = if image.shape.len() == 5 { 3 } else { window::spatial_axes(&image.shape)? };
    let groups = node.int("group", 1)?;
    let groups = usize::try_from(groups).ok().filter(|&groups| fits(&image, &weights, groups)).ok_or_else(|| {
        Refusal::new(
            format!("an image {image} and weights {weights} do not fit with {groups} groups"),
            "fix the shapes in the exported model: weights are [channels, outputs / groups, kernel…]",
        )
    })?;
    let outputs = weights.shape[1] * groups;
    if let Some(bias) = bias.filter(|&bias| node.ty(bias).shape[..] != [outputs]) {
        return Err(Refusal::new(
            format!("the bias is {}; expected one element for each of the {outputs} outputs", node.ty(bias)),
            "fix the shapes in the exported model",
        ));
    }
    let attributes = window::attributes(node, Some(weights.shape[2..].to_vec()), axes)?;
    let extent = extent(node, &attributes, &image.shape[2..])?;
    if axes == 3 {
        return Ok(vec![volume::conv_transpose(node, [x, w], bias, groups, &attributes, &extent)?]);
    }
    Ok(vec![push(node, [x, w], bias, ConvTranspose::along(&attributes, &extent, 0..axes, groups))?])
}

/// The convolution of images, channels first.
pub fn push(node: &mut NodeReader, [x, w]: [ValueId; 2], bias: Option<ValueId>, op: ConvTranspose) -> Result<ValueId> {
    let rank = node.ty(x).shape.len();
    let x = window::channels_last(node, x)?;
    let inputs: Vec<ValueId> = [x, w].into_iter().chain(bias).collect();
    let y = node.push(op, &inputs)?;
    window::channels_first(node, y, rank)
}

fn fits(image: &TensorType, weights: &TensorType, groups: usize) -> bool {
    groups > 0
        && image.shape.len() == weights.shape.len()
        && image.shape[1] == weights.shape[0]
        && weights.shape[0].is_multiple_of(groups)
}

/// Where the output lies, along each spatial axis.
pub struct Extent {
    /// What is cut off before it; a negative number adds as much.
    pub padding: Vec<isize>,
    /// Its size.
    pub output: Vec<usize>,
}

/// `strides · (size - 1) + output_padding + dilated kernel` are cut down to `output_shape` if it is given, to `strides · size` for an
/// `auto_pad` of the same size, and else by `pads`.
fn extent(node: &NodeReader, attributes: &Attributes, size: &[usize]) -> Result<Extent> {
    let axes = size.len();
    let added = window::numbers(node, "output_padding", axes, 0)?.unwrap_or_else(|| vec![0; axes]);
    let requested = window::numbers(node, "output_shape", axes, 1)?;
    let Attributes { kernel, strides, dilations, pads, auto_pad } = attributes;
    let (mut padding, mut output) = (Vec::new(), Vec::new());
    for axis in 0..axes {
        let whole =
            (strides[axis] * size[axis]).saturating_sub(strides[axis]) + added[axis] + dilations[axis] * (kernel[axis] - 1) + 1;
        let same_size = auto_pad.starts_with("SAME").then(|| strides[axis] * size[axis]);
        let wanted = requested.as_ref().map(|shape| shape[axis]).or(same_size);
        let (before, left) = match wanted {
            Some(wanted) => (cut_before(signed(whole) - signed(wanted), auto_pad), Some(wanted)),
            None if *auto_pad == "VALID" => (0, Some(whole)),
            None => (signed(pads[axis]), whole.checked_sub(pads[axis] + pads[axis + axes]).filter(|&left| left > 0)),
        };
        let left = left.ok_or_else(|| {
            Refusal::new(
                format!("attribute `pads` is {pads:?}, which leaves nothing of the {whole} elements along spatial axis {axis}"),
                "fix the shapes in the exported model, or the sizes given in `dims`",
            )
        })?;
        padding.push(before);
        output.push(left);
    }
    Ok(Extent { padding, output })
}

/// How many of the `cut` elements that go lie before the output; where elements are to come instead, `cut` is negative.
///
/// The formula divides by two and does not say how a negative number rounds: down, as the reference implementation has it. That
/// distributes only what an `auto_pad` of the same size adds; what `output_shape` alone adds lies behind.
fn cut_before(cut: isize, auto_pad: &str) -> isize {
    let half = cut.div_euclid(2);
    match auto_pad {
        "SAME_UPPER" => half,
        "SAME_LOWER" => cut - half,
        _ => (cut - half).max(0),
    }
}

impl ConvTranspose {
    /// The operator along one or two of the spatial axes.
    pub fn along(attributes: &Attributes, extent: &Extent, axes: Range<usize>, groups: usize) -> Self {
        let Attributes { kernel, strides, dilations, .. } = attributes;
        Self {
            kernel: window::rows_and_columns(&kernel[axes.clone()], 1),
            strides: window::rows_and_columns(&strides[axes.clone()], 1),
            dilations: window::rows_and_columns(&dilations[axes.clone()], 1),
            padding: window::rows_and_columns(&extent.padding[axes.clone()], 0),
            output: window::rows_and_columns(&extent.output[axes], 1),
            groups,
            activation: None,
        }
    }

    fn kernel(&self, inputs: &[&TensorType]) -> kernels::ConvTranspose {
        let (image, weights) = (&inputs[0].shape, &inputs[1].shape);
        let [batch, height, width, channels] = image[..] else { unreachable!("infer takes images of four dimensions") };
        let [rows, columns] = self.output;
        kernels::ConvTranspose {
            input: [height, width, channels],
            output: [rows, columns, weights[1] * self.groups],
            kernel: self.kernel,
            strides: self.strides,
            dilations: self.dilations,
            padding: self.padding,
            groups: self.groups,
            batch,
        }
    }
}

impl Operator for ConvTranspose {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        dense::expect_one_type(inputs, FLOATS)?;
        let (image, weights) = (&inputs[0].shape, &inputs[1].shape);
        let [rows, columns] = self.output;
        Ok(vec![inputs[0].with_shape([image[0], rows, columns, weights[1] * self.groups])])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        if outputs[0].elem != dense::FOLDED {
            return None;
        }
        let types: Vec<&TensorType> = inputs.iter().map(|input| input.ty()).collect();
        let kernel = self.kernel(&types);
        let (x, w) = (inputs[0].to_vec::<f32>(), inputs[1].to_vec::<f32>());
        let bias = inputs.get(2).map(|bias| bias.to_vec::<f32>()).unwrap_or_default();
        let activation = &elementwise::function(self.activation.as_ref());
        let y = filled(&outputs[0], |y| kernel.pack_and_run(&x, &w, &bias, y, &cells(w.len()), activation));
        Some(vec![y])
    }

    fn scratch(&self, types: Types, constant: &[bool]) -> Vec<TensorType> {
        if constant[1] { Vec::new() } else { vec![types.inputs[1].clone()] }
    }

    fn pack(&self, types: Types, input: usize, constant: &Tensor) -> Option<Tensor> {
        (input == 1).then(|| dense::reordered(constant, self.kernel(types.inputs).pack_order()))
    }

    fn macs(&self, types: Types) -> u64 {
        self.kernel(types.inputs).macs()
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let (kernel, activation) = (cx.types(|types| self.kernel(types.inputs)), cx.activation(self.activation.as_ref()));
        match cx.is_constant(1) {
            true => cx.call(&kernel, "run", dense::operands(cx), Some(activation)),
            false => dense::pack_and_run(cx, &kernel, &activation),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;
    use crate::ty::ElemType;

    /// `[1, 2, 3]` spread by a kernel of `[1, 10, 100]` with steps of 2: `[1, 10, 102, 20, 203, 30, 300]` before it is cut.
    fn line() -> OneNode {
        spread(2)
    }

    /// As [`line`], with other steps.
    fn spread(stride: i64) -> OneNode {
        let (x, w) = (Tensor::from_vec([1, 1, 3], &[1f32, 2.0, 3.0]), Tensor::from_vec([1, 1, 3], &[1f32, 10.0, 100.0]));
        OneNode::new("ConvTranspose", 11).constant(&x).constant(&w).ints("strides", &[stride])
    }

    #[test]
    fn what_is_cut_off() {
        let whole = [1.0, 10.0, 102.0, 20.0, 203.0, 30.0, 300.0];
        let longer = [1.0, 10.0, 102.0, 20.0, 203.0, 30.0, 300.0, 0.0];
        let centred = [0.0, 1.0, 10.0, 102.0, 20.0, 203.0, 30.0, 300.0, 0.0];
        let cases = [
            (line(), &whole[..]),
            (line().word("auto_pad", "VALID"), &whole),
            (line().ints("pads", &[2, 1]), &whole[2..6]),
            (line().ints("output_padding", &[1]), &longer),
            (line().ints("output_shape", &[8]), &longer),
            (line().ints("output_shape", &[4]), &whole[2..6]),
            (line().ints("output_shape", &[4]).word("auto_pad", "SAME_UPPER"), &whole[1..5]),
            (line().word("auto_pad", "SAME_UPPER"), &whole[..6]),
            (line().word("auto_pad", "SAME_LOWER"), &whole[1..]),
            (line().ints("output_shape", &[9]).word("auto_pad", "SAME_UPPER"), &centred),
            (line().ints("output_shape", &[9]).word("auto_pad", "SAME_LOWER"), &centred),
            // With steps longer than the kernel, which leave one element between.
            (spread(4).word("auto_pad", "SAME_UPPER"), &[0.0, 1.0, 10.0, 100.0, 0.0, 2.0, 20.0, 200.0, 0.0, 3.0, 30.0, 300.0]),
            (spread(4).word("auto_pad", "SAME_LOWER"), &[1.0, 10.0, 100.0, 0.0, 2.0, 20.0, 200.0, 0.0, 3.0, 30.0, 300.0, 0.0]),
            (line().constant(&Tensor::from_vec([1], &[0.5f32])).ints("pads", &[0, 6]), &[1.5]),
        ];
        for (node, expected) in cases {
            assert_eq!(node.results()[0].to_vec::<f32>(), expected, "{node:?}");
        }
    }

    #[test]
    fn groups_and_two_axes() {
        let (x, w) = (Tensor::from_vec([1, 2, 1, 1], &[2f32, 3.0]), Tensor::from_vec([2, 1, 1, 2], &[1f32, 10.0, 100.0, 1000.0]));
        let node = OneNode::new("ConvTranspose", 11).constant(&x).constant(&w);
        assert_eq!(node.clone().results()[0].to_vec::<f32>(), [302.0, 3020.0]);
        assert_eq!(node.int("group", 2).results()[0].to_vec::<f32>(), [2.0, 20.0, 300.0, 3000.0]);
    }

    #[test]
    fn refusals() {
        let image = || OneNode::new("ConvTranspose", 11).floats(&[1, 4, 5, 5]);
        let layer = || image().floats(&[4, 3, 2, 2]);
        let cases = [
            (image().floats(&[3, 3, 2, 2]), "do not fit with 1 groups", "[channels, outputs / groups, kernel…]"),
            (layer().int("group", 3), "do not fit with 3 groups", "[channels, outputs / groups, kernel…]"),
            (layer().floats(&[4]), "the bias is f32[4]; expected one element for each of the 3 outputs", "fix the shapes"),
            (layer().ints("pads", &[3, 0, 3, 0]), "leaves nothing of the 6 elements along spatial axis 0", "fix the shapes"),
            (image().input(ElemType::F64, &[4, 3, 2, 2]), "different element types", "cast"),
        ];
        for (node, message, help) in cases {
            node.refused(message, help);
        }
    }
}
