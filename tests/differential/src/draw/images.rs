//! Operators of images: convolutions with what follows them, pools, normalizations, borders and sizes.

use super::{activations, quantized};
use crate::draft::{Attribute, Draft, Float, Int, Ints, LARGEST, Text, Value};

/// The window of a convolution or pool on each spatial axis.
struct Window {
    kernel: Vec<usize>,
    strides: Vec<usize>,
    dilations: Vec<usize>,
    /// Before each axis, then behind each.
    pads: Vec<usize>,
    auto_pad: Option<&'static str>,
    output: Vec<usize>,
}

impl Window {
    /// A window that fits into `sizes`. Pools are drawn with pads smaller than the kernel.
    fn draw(draft: &mut Draft, sizes: &[usize], may_dilate: bool) -> Option<Self> {
        let random = &mut draft.random;
        let pointwise = random.chance(25);
        let kernel: Vec<usize> = sizes.iter().map(|_| if pointwise { 1 } else { random.pick(&[1, 2, 3, 3, 3, 5]) }).collect();
        let strides: Vec<usize> = sizes.iter().map(|_| random.pick(&[1, 1, 1, 2, 2, 3])).collect();
        let auto_pad = if random.chance(20) { Some(random.pick(&["SAME_UPPER", "SAME_LOWER", "VALID"])) } else { None };
        // ONNX Runtime takes one or the other.
        let dilated = may_dilate && auto_pad.is_none() && random.chance(15);
        let dilations: Vec<usize> = sizes.iter().map(|_| if dilated { random.within(1..=2) } else { 1 }).collect();
        let reach = |axis: usize| dilations[axis] * (kernel[axis] - 1) + 1;
        let style = random.below(3);
        let mut pad = |axis: usize| match (auto_pad, style) {
            (Some(_), _) | (None, 0) => 0,
            (None, 1) => (kernel[axis] - 1) / 2,
            _ => random.below(kernel[axis]),
        };
        let pads: Vec<usize> = (0..2 * sizes.len()).map(|place| pad(place % sizes.len())).collect();
        let output = (0..sizes.len()).map(|axis| match auto_pad {
            Some("SAME_UPPER" | "SAME_LOWER") => Some(sizes[axis].div_ceil(strides[axis])),
            _ => Some((sizes[axis] + pads[axis] + pads[axis + sizes.len()]).checked_sub(reach(axis))? / strides[axis] + 1),
        });
        let output = output.collect::<Option<_>>()?;
        Some(Self { kernel, strides, dilations, pads, auto_pad, output })
    }

    /// The attributes; those that have the default are left out now and then.
    fn attributes(&self, draft: &mut Draft) -> Vec<Attribute<'static>> {
        let mut attributes = vec![Ints("kernel_shape", signed(&self.kernel))];
        if self.strides.iter().any(|&stride| stride != 1) || draft.random.chance(50) {
            attributes.push(Ints("strides", signed(&self.strides)));
        }
        if self.dilations.iter().any(|&dilation| dilation != 1) {
            attributes.push(Ints("dilations", signed(&self.dilations)));
        }
        match self.auto_pad {
            Some(rule) => attributes.push(Text("auto_pad", rule)),
            None if self.pads.iter().any(|&pad| pad != 0) => attributes.push(Ints("pads", signed(&self.pads))),
            None => {}
        }
        attributes
    }
}

pub fn signed(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().map(|&size| size as i64).collect()
}

/// An image of floats: a batch, channels and one to three spatial axes.
fn image(draft: &mut Draft) -> Option<Value> {
    draft.operand(|value| value.is("f32") && (3..=5).contains(&value.rank()))
}

/// A convolution, often with its normalization and activation.
pub fn layer(draft: &mut Draft) -> Option<()> {
    let image = image(draft)?;
    let mut value = match image.rank() < 5 && draft.random.chance(15) {
        true => transposed(draft, &image)?,
        false => convolution(draft, &image)?,
    };
    if draft.random.chance(25) {
        value = batch_normalization(draft, &value);
    }
    if draft.random.chance(60) {
        value = activations::of(draft, &value);
    }
    quantized::settle(draft, &value);
    Some(())
}

/// Channels in, channels out, groups.
fn channels(draft: &mut Draft, given: usize) -> [usize; 3] {
    let random = &mut draft.random;
    let divisors: Vec<usize> = (1..=given).filter(|&divisor| given.is_multiple_of(divisor)).collect();
    match random.below(10) {
        0..=2 => [given, given * random.pick(&[1, 1, 1, 2]), given],
        3 => {
            let groups = random.pick(&divisors);
            [given, groups * random.within(1..=4), groups]
        }
        _ => [given, random.within(1..=9), 1],
    }
}

fn convolution(draft: &mut Draft, image: &Value) -> Option<Value> {
    let window = Window::draw(draft, &image.ty.shape[2..], true)?;
    let [given, made, groups] = channels(draft, image.ty.shape[1]);
    let shape = [&[image.ty.shape[0], made], &window.output[..]].concat();
    if shape.iter().product::<usize>() > LARGEST {
        return None;
    }
    let weight_shape = [&[made, given / groups], &window.kernel[..]].concat();
    let terms: usize = weight_shape[1..].iter().product();
    let mut attributes = window.attributes(draft);
    if groups > 1 || draft.random.chance(30) {
        attributes.push(Int("group", groups as i64));
    }
    let spread = image.spread * 1.2;
    let inputs = quantized::weights_and_bias(draft, image, &weight_shape, 1.5 / (terms as f32).sqrt(), made, 0);
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    Some(draft.add("Conv", &inputs, &attributes, ("f32", &shape), spread))
}

fn transposed(draft: &mut Draft, image: &Value) -> Option<Value> {
    let sizes = &image.ty.shape[2..];
    let random = &mut draft.random;
    let kernel: Vec<usize> = sizes.iter().map(|_| random.within(1..=4)).collect();
    let strides: Vec<usize> = sizes.iter().map(|_| random.within(1..=3)).collect();
    let pads: Vec<usize> = (0..2 * sizes.len()).map(|place| random.below(kernel[place % sizes.len()].div_ceil(2))).collect();
    let extra: Vec<usize> = strides.iter().map(|&stride| if random.chance(25) { random.below(stride) } else { 0 }).collect();
    let made = random.within(1..=4);
    let output = (0..sizes.len()).map(|axis| {
        (strides[axis] * (sizes[axis] - 1) + kernel[axis] + extra[axis]).checked_sub(pads[axis] + pads[axis + sizes.len()])
    });
    let output = output.collect::<Option<Vec<usize>>>()?;
    let shape = [&[image.ty.shape[0], made], &output[..]].concat();
    if !(1..=LARGEST).contains(&shape.iter().product::<usize>()) {
        return None;
    }
    let weight = draft.some("f32", &[&[image.ty.shape[1], made], &kernel[..]].concat(), 0.5);
    let attributes = [
        Ints("kernel_shape", signed(&kernel)),
        Ints("strides", signed(&strides)),
        Ints("pads", signed(&pads)),
        Ints("output_padding", signed(&extra)),
    ];
    let bias = draft.some("f32", &[made], 0.5);
    let inputs: &[&str] = if draft.random.chance(50) { &[&image.name, &weight, &bias] } else { &[&image.name, &weight] };
    Some(draft.add("ConvTranspose", inputs, &attributes, ("f32", &shape), image.spread * 1.5))
}

fn batch_normalization(draft: &mut Draft, value: &Value) -> Value {
    let c = [value.ty.shape[1]];
    let (scale, bias) = (draft.floats_within(&c, 0.5, 1.5), draft.floats_within(&c, -0.5, 0.5));
    let (mean, variance) = (draft.floats_within(&c, -0.5, 0.5), draft.floats_within(&c, 0.25, 2.0));
    let epsilon = draft.random.pick(&[1e-5, 1e-3]);
    let inputs = [&*value.name, &scale, &bias, &mean, &variance];
    draft.add("BatchNormalization", &inputs, &[Float("epsilon", epsilon)], ("f32", &value.ty.shape), value.spread * 1.5)
}

/// A pool of any kind.
pub fn pool(draft: &mut Draft) -> Option<()> {
    let image = image(draft)?;
    if draft.random.chance(30) {
        let op = draft.random.pick(&["GlobalAveragePool", "GlobalAveragePool", "GlobalMaxPool"]);
        let shape = [&image.ty.shape[..2], &vec![1; image.rank() - 2]].concat();
        let value = draft.add(op, &[&image.name], &[], ("f32", &shape), image.spread);
        quantized::settle(draft, &value);
        return Some(());
    }
    let op = draft.random.pick(&["MaxPool", "MaxPool", "AveragePool", "AveragePool", "LpPool"]);
    let may_dilate = op == "MaxPool" && draft.opset >= 10 || op == "AveragePool" && draft.opset >= 19;
    let window = Window::draw(draft, &image.ty.shape[2..], may_dilate)?;
    let mut attributes = window.attributes(draft);
    if op == "AveragePool" && draft.random.chance(40) {
        attributes.push(Int("count_include_pad", 1));
    }
    if op == "LpPool" && draft.random.chance(50) {
        attributes.push(Int("p", draft.random.within(1..=2) as i64));
    }
    let mut output = window.output.clone();
    if op != "LpPool" && draft.opset >= 10 && window.auto_pad.is_none() && draft.random.chance(15) {
        attributes.push(Int("ceil_mode", 1));
        for axis in 0..output.len() {
            let whole = image.ty.shape[2 + axis] + window.pads[axis] + window.pads[axis + output.len()];
            let rest = whole - (window.dilations[axis] * (window.kernel[axis] - 1) + 1);
            // A window that would begin behind the image is none.
            let starts =
                rest.div_ceil(window.strides[axis]) * window.strides[axis] < image.ty.shape[2 + axis] + window.pads[axis];
            output[axis] = if starts { rest.div_ceil(window.strides[axis]) + 1 } else { output[axis] };
        }
    }
    let shape = [&image.ty.shape[..2], &output].concat();
    let value = draft.add(op, &[&image.name], &attributes, ("f32", &shape), image.spread);
    quantized::settle(draft, &value);
    Some(())
}

/// Normalizations of channels or of the last axes.
pub fn normalize(draft: &mut Draft) -> Option<()> {
    let image = image(draft)?;
    let c = image.ty.shape[1];
    let ty = ("f32", &image.ty.shape[..]);
    match draft.random.below(6) {
        0 | 1 => {
            batch_normalization(draft, &image);
        }
        // Of one element, which is its own mean, ONNX Runtime keeps what it rounds off the mean.
        2 if image.ty.shape[2..].iter().product::<usize>() > 1 => {
            let (scale, bias) = (draft.some("f32", &[c], 1.0), draft.some("f32", &[c], 1.0));
            draft.add("InstanceNormalization", &[&image.name, &scale, &bias], &[Float("epsilon", 0.01)], ty, 1.5);
        }
        3 => {
            let attributes = [Int("size", draft.random.pick(&[1, 3, 5])), Float("alpha", 0.1), Float("beta", 0.75)];
            draft.add("LRN", &[&image.name], &attributes, ty, image.spread);
        }
        4 if draft.opset >= 21 => {
            let (scale, bias) = (draft.some("f32", &[c], 1.0), draft.some("f32", &[c], 1.0));
            let attributes = [Int("num_groups", 1), Float("epsilon", 0.01)];
            draft.add("GroupNormalization", &[&image.name, &scale, &bias], &attributes, ty, 1.5);
        }
        _ if draft.opset >= 17 => {
            let axis = draft.random.within(1..=image.rank() - 1);
            let (scale, bias) = (draft.some("f32", &ty.1[axis..], 1.0), draft.some("f32", &ty.1[axis..], 1.0));
            let from_behind = axis as i64 - image.rank() as i64;
            let attributes = [Int("axis", from_behind), Float("epsilon", 0.01)];
            draft.add("LayerNormalization", &[&image.name, &scale, &bias], &attributes, ty, 1.5);
        }
        _ => return None,
    }
    Some(())
}

/// Changes of an image's sizes: borders, scaling, blocks.
pub fn shape(draft: &mut Draft) -> Option<()> {
    match draft.random.below(4) {
        0 | 1 => pad(draft),
        2 => resize(draft),
        _ => blocks(draft),
    }
}

/// `Pad`, whose pads are an attribute up to operator set 10 and an input from 11 on.
fn pad(draft: &mut Draft) -> Option<()> {
    let value = draft.operand(|value| value.is("f32") && (1..=4).contains(&value.rank()))?;
    let modes: &[&str] =
        if draft.opset >= 19 { &["constant", "reflect", "edge", "wrap"] } else { &["constant", "reflect", "edge"] };
    let mode = if draft.random.chance(60) { "constant" } else { draft.random.pick(modes) };
    let spatial = draft.random.chance(70);
    let random = &mut draft.random;
    let mut pad = |axis: usize| {
        let most = if mode == "constant" { 2 } else { (value.ty.shape[axis] - 1).min(2) };
        if spatial && axis < 2 && value.rank() > 2 { 0 } else { random.within(0..=most) }
    };
    let pads: Vec<usize> = (0..2 * value.rank()).map(|place| pad(place % value.rank())).collect();
    let shape: Vec<usize> =
        value.ty.shape.iter().enumerate().map(|(axis, size)| size + pads[axis] + pads[axis + value.rank()]).collect();
    if shape.iter().product::<usize>() > LARGEST {
        return None;
    }
    let border = draft.random.pick(&[0.0, 0.0, 0.0, 1.5]);
    let mut attributes = vec![Text("mode", mode)];
    if draft.opset < 11 {
        attributes.extend([Ints("pads", signed(&pads)), Float("value", border)]);
        draft.add("Pad", &[&value.name], &attributes, ("f32", &shape), value.spread);
        return Some(());
    }
    let pads = draft.ints(&signed(&pads));
    let border = draft.constant("f32", &[], &[f64::from(border)]);
    let inputs: &[&str] = if draft.random.chance(60) { &[&value.name, &pads, &border] } else { &[&value.name, &pads] };
    draft.add("Pad", inputs, &attributes, ("f32", &shape), value.spread);
    Some(())
}

fn resize(draft: &mut Draft) -> Option<()> {
    let image = draft.operand(|value| value.is("f32") && value.rank() == 4)?;
    let [n, c, h, w] = image.ty.shape[..] else { return None };
    let scales = [draft.random.within(1..=3), draft.random.within(1..=2)];
    let shape = [n, c, h * scales[0], w * scales[1]];
    if draft.opset < 11 || shape.iter().product::<usize>() > LARGEST {
        return None;
    }
    let mode = draft.random.pick(&["nearest", "linear", "cubic"]);
    let rule = draft.random.pick(&["asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"]);
    let mut attributes = vec![Text("mode", mode), Text("coordinate_transformation_mode", rule)];
    if mode == "nearest" {
        attributes.push(Text("nearest_mode", draft.random.pick(&["floor", "round_prefer_floor", "ceil", "round_prefer_ceil"])));
    }
    let factors = draft.constant("f32", &[4], &[1.0, 1.0, scales[0] as f64, scales[1] as f64]);
    let sizes = draft.ints(&signed(&shape));
    let empty = if draft.opset < 13 { draft.constant("f32", &[0], &[]) } else { String::new() };
    match draft.random.chance(50) {
        true => draft.add("Resize", &[&image.name, &empty, &factors], &attributes, ("f32", &shape), image.spread),
        false => draft.add("Resize", &[&image.name, &empty, &empty, &sizes], &attributes, ("f32", &shape), image.spread),
    };
    Some(())
}

fn blocks(draft: &mut Draft) -> Option<()> {
    let image = draft.operand(|value| value.is("f32") && value.rank() == 4)?;
    let [n, c, h, w] = image.ty.shape[..] else { return None };
    if c % 4 == 0 && draft.random.chance(60) {
        let mode = draft.random.pick(&["DCR", "CRD"]);
        let mut attributes = vec![Int("blocksize", 2)];
        if draft.opset >= 11 {
            attributes.push(Text("mode", mode));
        }
        draft.add("DepthToSpace", &[&image.name], &attributes, ("f32", &[n, c / 4, 2 * h, 2 * w]), image.spread);
        return Some(());
    }
    if h % 2 != 0 || w % 2 != 0 {
        return None;
    }
    draft.add("SpaceToDepth", &[&image.name], &[Int("blocksize", 2)], ("f32", &[n, 4 * c, h / 2, w / 2]), image.spread);
    Some(())
}
