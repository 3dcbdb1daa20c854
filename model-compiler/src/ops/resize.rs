//! `Resize`, `Upsample`: images made greater or smaller, one axis after another.
//!
//! <https://onnx.ai/onnx/operators/onnx__Resize.html>

mod coordinates;

use proc_macro2::TokenStream;
use quote::quote;

use self::coordinates::{Axis, Filter, Rounding, Transform};
pub use self::coordinates::{real, whole};
use super::expand::Expand;
use super::gather;
use super::pad::{Mode, Pad};
use super::{FLOATS, distinct_axes, expect_elem, filled, sized};
use crate::diagnostic::{Refusal, Result};
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels::{self, Overlap};
use crate::op::{LATEST, Op, OpDef, Operator, Types};
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "Upsample", opset: 7..=8, read: |node| read_upsample(node, node.floats("scales")?) },
    OpDef { name: "Upsample", opset: 9..=9, read: |node| read_upsample(node, floats(node, 1, "scales")?) },
    OpDef { name: "Resize", opset: 10..=10, read: |node| read_upsample(node, floats(node, 1, "scales")?) },
    OpDef { name: "Resize", opset: 11..=LATEST, read: read_resize },
];

/// Each element along `axis` a weighted sum of elements that lie together in the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpolate {
    /// The axis that is resized.
    pub axis: usize,
    /// For each element of the output the first element of the input.
    pub starts: Vec<i32>,
    /// How many elements of the input make one of the output.
    pub taps: usize,
    /// The weights of all taps of the first element, then of the next.
    pub weights: Vec<f64>,
}

/// What a node asks for.
struct Request {
    transforms: Vec<Transform>,
    filter: Filter,
    /// `antialias`, `exclude_outside`
    flags: [bool; 2],
    extrapolation: f64,
}

/// Up to opset 10 the first elements stay where they are, and the nearest element is the one before.
fn read_upsample(node: &mut NodeReader, scales: Option<Vec<f32>>) -> Result<Vec<ValueId>> {
    let filter = match node.word("mode", &["nearest", "linear"])? {
        "nearest" => Filter::Nearest(Rounding::Floor),
        _ => Filter::Linear,
    };
    let shape = node.ty(node.input(0)?).shape.clone();
    let all: Vec<usize> = (0..shape.len()).collect();
    let axes = scaled(&shape, &all, &scales.unwrap_or_default())?;
    let request = Request { transforms: vec![Transform::Asymmetric; shape.len()], filter, flags: [false; 2], extrapolation: 0.0 };
    resize(node, &all, &axes, &request)
}

fn read_resize(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let shape = node.ty(node.input(0)?).shape.clone();
    let axes = match node.ints("axes")? {
        Some(axes) => distinct_axes(&axes, shape.len())?,
        None => (0..shape.len()).collect(),
    };
    let policy = node.word("keep_aspect_ratio_policy", &["stretch", "not_larger", "not_smaller"])?;
    // One of the two is given; an empty tensor stands for none.
    let scales = floats(node, 2, "scales")?.filter(|scales| !scales.is_empty());
    let sizes = node.constant_ints(3, "sizes")?.filter(|sizes| !sizes.is_empty());
    let resized = match (scales, sizes) {
        (Some(scales), None) => scaled(&shape, &axes, &scales)?,
        (None, Some(sizes)) => fitted(&shape, &axes, &super::sizes("sizes", &sizes)?, policy)?,
        (scales, _) => {
            let found = if scales.is_some() { "both are" } else { "none is" };
            return Err(Refusal::new(
                format!("`scales` and `sizes` tell the output's size; {found} given"),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
    };
    let filter = read_filter(node)?;
    let flags = [node.flag("antialias", false)?, node.flag("exclude_outside", false)?];
    let extrapolation = node.float("extrapolation_value", 0.0)?.into();
    let request = Request { transforms: read_transforms(node, axes.len())?, filter, flags, extrapolation };
    resize(node, &axes, &resized, &request)
}

fn read_filter(node: &NodeReader) -> Result<Filter> {
    let rounding = match node.word("nearest_mode", &["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])? {
        "round_prefer_floor" => Rounding::PreferFloor,
        "round_prefer_ceil" => Rounding::PreferCeil,
        "floor" => Rounding::Floor,
        _ => Rounding::Ceil,
    };
    let a = node.float("cubic_coeff_a", -0.75)?.into();
    Ok(match node.word("mode", &["nearest", "linear", "cubic"])? {
        "nearest" => Filter::Nearest(rounding),
        "linear" => Filter::Linear,
        _ => Filter::Cubic { a },
    })
}

/// The transform of each of `axes` axes.
fn read_transforms(node: &NodeReader, axes: usize) -> Result<Vec<Transform>> {
    const WORDS: [&str; 7] = [
        "half_pixel",
        "half_pixel_symmetric",
        "pytorch_half_pixel",
        "align_corners",
        "asymmetric",
        "tf_half_pixel_for_nn",
        "tf_crop_and_resize",
    ];
    let transform = match node.word("coordinate_transformation_mode", &WORDS)? {
        "half_pixel" => Transform::HalfPixel,
        "half_pixel_symmetric" => Transform::HalfPixelSymmetric,
        "pytorch_half_pixel" => Transform::PytorchHalfPixel,
        "align_corners" => Transform::AlignCorners,
        "asymmetric" => Transform::Asymmetric,
        "tf_half_pixel_for_nn" => Transform::HalfPixelForNearest,
        _ => {
            let roi = floats(node, 1, "roi")?.unwrap_or_default();
            if roi.len() != 2 * axes {
                return Err(Refusal::new(
                    format!("input `roi` is {roi:?}; expected {} numbers, two for each of {axes} axes", 2 * axes),
                    "export the model again, or check it with `onnx.checker`",
                ));
            }
            let part = |axis| Transform::Crop { start: f64::from(roi[axis]), end: f64::from(roi[axis + axes]) };
            return Ok((0..axes).map(part).collect());
        }
    };
    node.optional_input(1);
    Ok(vec![transform; axes])
}

/// Input `index` as constant `f32`; `None` when it is omitted.
fn floats(node: &NodeReader, index: usize, name: &str) -> Result<Option<Vec<f32>>> {
    let Some(tensor) = node.constant(index, name)? else { return Ok(None) };
    expect_elem(name, tensor.ty(), &[ElemType::F32])?;
    Ok(Some(tensor.to_vec()))
}

/// The axes resized by `scales`.
fn scaled(shape: &[usize], axes: &[usize], scales: &[f32]) -> Result<Vec<Axis>> {
    if scales.len() != axes.len() || scales.iter().any(|&scale| !(scale > 0.0 && scale < 65536.0)) {
        return Err(Refusal::new(
            format!("`scales` is {scales:?}; expected {} numbers above 0, one for each axis", axes.len()),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    let axis = |(&axis, &scale): (&usize, &f32)| {
        let scale = f64::from(scale);
        let outputs = usize::try_from(whole((scale * real(shape[axis])).floor())).unwrap_or(0);
        Axis { len: shape[axis], outputs, scale }
    };
    Ok(axes.iter().zip(scales).map(axis).collect())
}

/// The axes resized to `sizes`, or all by the factor that makes none of them larger or smaller.
fn fitted(shape: &[usize], axes: &[usize], sizes: &[usize], policy: &str) -> Result<Vec<Axis>> {
    if sizes.len() != axes.len() {
        return Err(Refusal::new(
            format!("input `sizes` is {sizes:?}; expected {} numbers, one for each axis", axes.len()),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    let scales = axes.iter().zip(sizes).map(|(&axis, &size)| real(size) / real(shape[axis]));
    let common = match policy {
        "not_larger" => scales.fold(f64::INFINITY, f64::min),
        "not_smaller" => scales.fold(0.0, f64::max),
        _ => {
            let axis = |((&axis, &outputs), scale)| Axis { len: shape[axis], outputs, scale };
            return Ok(axes.iter().zip(sizes).zip(scales.collect::<Vec<_>>()).map(axis).collect());
        }
    };
    let outputs = |len: usize| usize::try_from(whole((common * real(len) + 0.5).floor())).unwrap_or(0);
    Ok(axes.iter().map(|&axis| Axis { len: shape[axis], outputs: outputs(shape[axis]), scale: common }).collect())
}

/// Resizes the axes that change, those that shrink first, as what follows is less work then.
fn resize(node: &mut NodeReader, axes: &[usize], resized: &[Axis], request: &Request) -> Result<Vec<ValueId>> {
    let mut x = node.input(0)?;
    let ty = node.ty(x).clone();
    let mut shape = ty.shape.to_vec();
    axes.iter().zip(resized).for_each(|(&axis, resized)| shape[axis] = resized.outputs);
    if sized(ty.elem, &shape)?.elements() == 0 || ty.elements() == 0 {
        return Err(Refusal::new(
            format!("{ty} would be resized to {shape:?}; expected at least one element"),
            "fix the sizes in the exported model, or those given in `dims`",
        ));
    }
    if let Filter::Nearest(rounding) = request.filter
        && let Some(repeats) = repeats(resized, &request.transforms, rounding)
    {
        return Ok(vec![repeated(node, x, axes, &repeats)?]);
    }
    let mut order: Vec<usize> = (0..axes.len()).collect();
    order.sort_by(|&a, &b| resized[a].scale.total_cmp(&resized[b].scale));
    let (mut before, mut after) = (vec![0; shape.len()], vec![0; shape.len()]);
    for place in order {
        let (axis, transform) = (resized[place], request.transforms[place]);
        let inside = axis.inside(transform);
        x = along(node, x, axes[place], (axis, transform, inside.clone()), request)?;
        (before[axes[place]], after[axes[place]]) = (inside.start, axis.outputs - inside.end);
    }
    if before.iter().chain(&after).any(|&count| count > 0) {
        let mode = Mode::Constant(Scalar::of(request.extrapolation, ty.elem));
        x = node.push(Pad { before, after, mode }, &[x])?;
    }
    Ok(vec![x])
}

/// How often each element is repeated along each axis, where that is all that happens.
fn repeats(resized: &[Axis], transforms: &[Transform], rounding: Rounding) -> Option<Vec<usize>> {
    let repeat = |(axis, &transform): (&Axis, &Transform)| {
        let repeat = axis.outputs.checked_div(axis.len).filter(|repeat| repeat * axis.len == axis.outputs)?;
        let inside = axis.inside(transform) == (0..axis.outputs);
        let all = (0..axis.outputs).all(|index| axis.nearest(index, transform, rounding) == index / repeat);
        (inside && all).then_some(repeat)
    };
    resized.iter().zip(transforms).map(repeat).collect()
}

/// Each element repeated along axes of its own.
fn repeated(node: &mut NodeReader, x: ValueId, axes: &[usize], repeats: &[usize]) -> Result<ValueId> {
    let shape = node.ty(x).shape.clone();
    let (mut split, mut expanded, mut joined) = (Vec::new(), Vec::new(), Vec::new());
    for (axis, &size) in shape.iter().enumerate() {
        let repeat = axes.iter().position(|&other| other == axis).map_or(1, |place| repeats[place]);
        split.push(size);
        expanded.push(size);
        if repeat > 1 {
            split.push(1);
            expanded.push(repeat);
        }
        joined.push(size * repeat);
    }
    if joined[..] == shape[..] {
        return Ok(x);
    }
    let x = node.reshape(x, split)?;
    let x = node.push(Expand { shape: expanded.into() }, &[x])?;
    node.reshape(x, joined)
}

/// Resizes one axis, up to what lies outside of the input.
fn along(
    node: &mut NodeReader,
    x: ValueId,
    axis: usize,
    (resized, transform, inside): (Axis, Transform, std::ops::Range<usize>),
    request: &Request,
) -> Result<ValueId> {
    if let Filter::Nearest(rounding) = request.filter {
        let places: Vec<usize> = inside.map(|index| resized.nearest(index, transform, rounding)).collect();
        return gather::push_constant(node, x, axis, &places);
    }
    let filter = (transform, request.filter);
    let rows: Vec<(usize, Vec<f64>)> = inside.map(|index| resized.weights(index, filter, request.flags)).collect();
    if rows.len() == resized.len && rows.iter().enumerate().all(|(index, row)| *row == (index, vec![1.0])) {
        return Ok(x);
    }
    let taps = rows.iter().map(|(_, weights)| weights.len()).max().unwrap_or(1);
    let (mut starts, mut weights) = (Vec::new(), vec![0.0; rows.len() * taps]);
    for ((first, row), weights) in rows.iter().zip(weights.chunks_exact_mut(taps)) {
        let start = (*first).min(resized.len - taps);
        starts.push(i32::try_from(start).expect("tensors fit the address space"));
        weights[first - start..][..row.len()].copy_from_slice(row);
    }
    node.push(Interpolate { axis, starts, taps, weights }, &[x])
}

impl Interpolate {
    fn kernel(&self, input: &TensorType) -> kernels::Interpolate {
        let (outer, rest) = input.shape.split_at(self.axis);
        let [outer, inner] = [outer, &rest[1..]].map(|sizes| sizes.iter().product());
        kernels::Interpolate { outer, len: rest[0], inner, taps: self.taps }
    }

    /// The weights in the type in which sums of elements of type `elem` are kept.
    fn weights(&self, elem: ElemType) -> Tensor {
        let elem = if elem == ElemType::F64 { elem } else { ElemType::F32 };
        let weights: Vec<Scalar> = self.weights.iter().map(|&weight| Scalar::of(weight, elem)).collect();
        Scalar::tensor(elem, [weights.len()], &weights)
    }
}

impl Operator for Interpolate {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("X", inputs[0], FLOATS)?;
        let mut shape = inputs[0].shape.to_vec();
        shape[self.axis] = self.starts.len();
        Ok(vec![inputs[0].with_shape(shape)])
    }

    fn fold(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        let kernel = self.kernel(inputs[0].ty());
        let weights = self.weights(outputs[0].elem);
        (outputs[0].elem == ElemType::F32).then(|| {
            let (x, weights) = (inputs[0].to_vec::<f32>(), weights.to_vec::<f32>());
            vec![filled::<f32>(&outputs[0], |y| kernel.run(&x, &self.starts, &weights, y))]
        })
    }

    fn transposed(&self, _types: Types, perm: &[usize]) -> Option<(Op, Vec<usize>)> {
        Some((Self { axis: perm[self.axis], ..self.clone() }.into(), perm.to_vec()))
    }

    fn overlap(&self, types: Types, _input: usize) -> Overlap {
        self.kernel(types.inputs[0]).overlap(&self.starts, types.inputs[0].elem.size())
    }

    fn macs(&self, types: Types) -> u64 {
        self.kernel(types.inputs[0]).macs(self.starts.len())
    }

    fn show(&self) -> String {
        format!("Interpolate axis {} to {} by {} taps", self.axis, self.starts.len(), self.taps)
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&self.kernel(cx.input_ty(0)));
        let starts = cx.constant("starts", Tensor::from_vec([self.starts.len()], &self.starts));
        let weights = cx.constant("weights", self.weights(cx.input_ty(0).elem));
        let (x, y) = (cx.input(0), cx.output(0));
        quote! { #kernel.run(#x, #starts, #weights, #y); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    fn row(values: &[f32]) -> Tensor {
        Tensor::from_vec([1, values.len()], values)
    }

    /// A `Resize` of a row by `scale`.
    fn scaled_row(values: &[f32], scale: f32, mode: &'static str, transform: &'static str) -> OneNode {
        let node = OneNode::new("Resize", 19).constant(&row(values)).omitted();
        let node = node.constant(&Tensor::from_vec([2], &[1.0, scale]));
        node.word("mode", mode).word("coordinate_transformation_mode", transform)
    }

    fn check(node: &OneNode, expected: &[f32]) {
        let found = node.results()[0].to_vec::<f32>();
        let close = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-5);
        assert!(close && found.len() == expected.len(), "{node:?}: {found:?}, not {expected:?}");
    }

    #[test]
    fn each_mode() {
        let x = [1.0f32, 2.0, 3.0, 4.0];
        check(&scaled_row(&x, 2.0, "nearest", "half_pixel"), &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0]);
        check(&scaled_row(&x, 0.5, "nearest", "asymmetric"), &[1.0, 3.0]);
        check(&scaled_row(&x, 2.0, "linear", "half_pixel"), &[1.0, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4.0]);
        check(&scaled_row(&x[..2], 2.0, "linear", "align_corners"), &[1.0, 4.0 / 3.0, 5.0 / 3.0, 2.0]);
        check(&scaled_row(&x, 0.5, "cubic", "asymmetric"), &[1.0, 3.0]);
        check(&scaled_row(&x, 0.5, "linear", "half_pixel").int("antialias", 1), &[1.625, 3.375]);
    }

    #[test]
    fn parts_beyond_the_input() {
        let node = OneNode::new("Resize", 19).constant(&row(&[1.0, 2.0, 3.0])).word("mode", "linear");
        let node = node.constant(&Tensor::from_vec([2], &[-0.5f32, 1.5])).omitted().constant_ints(&[5]).ints("axes", &[1]);
        let node = node.word("coordinate_transformation_mode", "tf_crop_and_resize").float("extrapolation_value", 9.0);
        check(&node, &[9.0, 1.0, 2.0, 3.0, 9.0]);
    }

    #[test]
    fn sizes_and_aspect_ratios() {
        let node = |policy| {
            let node = OneNode::new("Resize", 18).floats(&[1, 1, 2, 4]).omitted().omitted().constant_ints(&[4, 6]);
            node.ints("axes", &[2, 3]).word("keep_aspect_ratio_policy", policy)
        };
        assert_eq!(node("stretch").types(), ["f32[1, 1, 4, 6]"]);
        assert_eq!(node("not_larger").types(), ["f32[1, 1, 3, 6]"]);
        assert_eq!(node("not_smaller").types(), ["f32[1, 1, 4, 8]"]);
    }

    #[test]
    fn whole_factors_are_copies() {
        let scales = Tensor::from_vec([4], &[1.0f32, 1.0, 2.0, 3.0]);
        let upsampled = OneNode::new("Upsample", 9).floats(&[1, 2, 2, 2]).constant(&scales);
        assert!(upsampled.text().contains("f32[1, 2, 2, 2, 2, 3] = Expand"), "{}", upsampled.text());
        let linear = upsampled.word("mode", "linear").text();
        assert!(linear.contains("f32[1, 2, 4, 2] = Interpolate axis 2 to 4 by 2 taps"), "{linear}");
    }

    #[test]
    fn refusals() {
        let node =
            |scales: &[f32]| OneNode::new("Upsample", 9).floats(&[1, 4]).constant(&Tensor::from_vec([scales.len()], scales));
        node(&[2.0]).refused("`scales` is [2.0]; expected 2 numbers above 0", "onnx.checker");
        node(&[1.0, 0.1]).refused("f32[1, 4] would be resized to [1, 0]", "fix the sizes");
        OneNode::new("Resize", 13)
            .floats(&[1, 4])
            .refused("`scales` and `sizes` tell the output's size; none is given", "onnx.checker");
        let bytes = OneNode::new("Resize", 13).input(ElemType::U8, &[2]).omitted().constant(&Tensor::from_vec([1], &[1.5f32]));
        bytes.word("mode", "linear").refused("`X` is u8[2]; supported element types are f16", "cast");
        let runtime = OneNode::new("Resize", 13).floats(&[4]).omitted().floats(&[1]);
        runtime.refused("input `scales` is `x2`, which is computed at run time", "fixed shapes");
    }
}
