//! `Conv` along one or two spatial axes, channels last; along three it is one of images, see [`super::volume`].
//!
//! <https://onnx.ai/onnx/operators/onnx__Conv.html>

use proc_macro2::TokenStream;

use super::dense;
use super::elementwise::{self, Expr};
use super::integer::{Integer, LayerKernel};
use super::volume;
use super::window::{self, Window};
use super::{FLOATS, cells, filled};
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::kernels::{self, Overlap, Rows};
use crate::op::{LATEST, Op, OpDef, Operator, Types, reference_only};
use crate::reader::NodeReader;
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[OpDef { name: "Conv", opset: 1..=LATEST, read: read_floats }];

/// `y[n, y, x, o] = activation(bias[o] + Σ x[n, y + …, x + …, c] · w[o, c, ky, kx])`; inputs `x`, `w`, and `bias` where there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct Conv {
    /// How the kernel slides over the image.
    pub window: Window,
    /// Groups of channels that are convolved apart.
    pub groups: usize,
    /// Applied to each sum.
    pub activation: Option<Expr>,
    /// The arithmetic, where that is of integers; then there is no activation, and the inputs are those of [`Integer`].
    pub integer: Option<Integer>,
    /// `x` is channels first: the model's input as it is, with the transpose before it absorbed.
    pub planar: bool,
    /// Take the pixels from last to first.
    pub backward: bool,
}

/// The least width of an image that a quantized depthwise layer takes row by row. Without it `cargo xtask firmware` counts twice the
/// instructions for a keyword model whose rows have 5 pixels.
const LEAST_WIDTH: usize = 16;

/// ONNX's operator takes floats only.
fn read_floats(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    dense::expect_one_type(&[node.ty(node.input(0)?), node.ty(node.input(1)?)], FLOATS)?;
    read(node)
}

/// The convolution of input 0 with the weights of input 1, plus the bias of input 2; in 32 bits where the two are integers of 8 and there
/// is no bias.
pub fn read(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, w, bias) = (node.input(0)?, node.input(1)?, node.optional_input(2));
    let (image, weights) = (node.ty(x).clone(), node.ty(w).clone());
    let groups = node.int("group", 1)?;
    let groups = usize::try_from(groups).ok().filter(|&groups| fits(&image, &weights, groups)).ok_or_else(|| {
        Refusal::new(
            format!("an image {image} and weights {weights} do not fit with {groups} groups"),
            "fix the shapes in the exported model: weights are [outputs, channels / groups, kernel…]",
        )
    })?;
    if let Some(bias) = bias.filter(|&bias| node.ty(bias).shape[..] != weights.shape[..1]) {
        return Err(Refusal::new(
            format!("the bias is {}; expected one element for each of the {} outputs", node.ty(bias), weights.shape[0]),
            "fix the shapes in the exported model",
        ));
    }
    if image.shape.len() == 5 {
        return Ok(vec![volume::conv(node, [x, w], bias, groups)?]);
    }
    let window = window::read(node, Some(weights.shape[2..].to_vec()), false)?;
    Ok(vec![push(node, [x, w], bias, window, groups)?])
}

/// The convolution of images, channels first.
pub fn push(
    node: &mut NodeReader,
    [x, w]: [ValueId; 2],
    bias: Option<ValueId>,
    window: Window,
    groups: usize,
) -> Result<ValueId> {
    let (rank, weights) = (node.ty(x).shape.len(), node.ty(w).shape.clone());
    let x = window::channels_last(node, x)?;
    let single_tap = window.kernel == [1, 1] && window.strides == [1, 1] && window.padding == [0; 4];
    let pointwise = groups == 1 && single_tap && node.value(w).is_some();
    let y = if pointwise {
        let matrix = node.reshape(w, [weights[0], weights[1]])?;
        let matrix = node.transpose(matrix, vec![1, 0])?;
        dense::push(node, x, matrix, bias)?
    } else {
        let integer = Integer::takes(node.ty(x), node.ty(w)).then_some(Integer::SUMS);
        let zeros = integer.map(|_| node.add_constant(Tensor::from_vec([weights[0]], &vec![0i32; weights[0]])));
        let inputs: Vec<ValueId> = [x, w].into_iter().chain(bias.or(zeros)).collect();
        node.push(Conv { window, groups, activation: None, integer, planar: false, backward: false }, &inputs)?
    };
    window::channels_first(node, y, rank)
}

fn fits(image: &TensorType, weights: &TensorType, groups: usize) -> bool {
    groups > 0
        && image.shape.len() == weights.shape.len()
        && image.shape.len() > 2
        && weights.shape[1].checked_mul(groups) == Some(image.shape[1])
        && weights.shape[0].is_multiple_of(groups)
}

/// The kernel that computes a convolution: one channel a group has its own.
enum Kernel {
    Conv(kernels::Conv),
    Depthwise(kernels::Depthwise),
}

impl Kernel {
    /// How many elements of scratch it needs with packed weights.
    fn scratch(&self) -> usize {
        match self {
            Self::Conv(kernel) => kernel.scratch(),
            Self::Depthwise(_) => 0,
        }
    }

    /// The same between quantized tensors.
    fn layer(&self) -> &dyn LayerKernel {
        match self {
            Self::Conv(kernel) => kernel,
            Self::Depthwise(kernel) => kernel,
        }
    }
}

impl Conv {
    /// Batch, height, width and channels of an image.
    fn sizes(&self, image: &Shape) -> [usize; 4] {
        match (&image[..], self.planar) {
            (&[batch, channels, height, width], true) | (&[batch, height, width, channels], false) => {
                [batch, height, width, channels]
            }
            _ => unreachable!("the import makes images of four dimensions"),
        }
    }

    /// Whether each channel has a kernel of its own; such an image is channels last.
    pub fn is_depthwise(&self, channels: usize, outputs: usize) -> bool {
        self.groups == channels && outputs == channels && !self.planar
    }

    fn kernel(&self, inputs: &[&TensorType]) -> Kernel {
        let (image, weights) = (&inputs[0].shape, &inputs[1].shape);
        let [batch, height, width, channels] = self.sizes(image);
        let output = self.window.output([height, width], false).expect("infer checks that the kernel fits");
        let (input, output) = ([height, width, channels], [output[0], output[1], weights[0]]);
        let Window { kernel, strides, dilations, .. } = self.window;
        let Self { groups, planar, backward, .. } = *self;
        let padding = self.window.before();
        if self.is_depthwise(channels, weights[0]) {
            return Kernel::Depthwise(kernels::Depthwise { input, output, kernel, strides, dilations, padding, batch, backward });
        }
        Kernel::Conv(kernels::Conv { input, output, kernel, strides, dilations, padding, groups, batch, planar, backward })
    }
}

impl Operator for Conv {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        match self.integer {
            Some(integer) => integer.expect(inputs, inputs[1].shape[0])?,
            None => dense::expect_one_type(inputs, FLOATS)?,
        }
        let [batch, height, width, _] = self.sizes(&inputs[0].shape);
        let output = window::expect_fit(&self.window, &[height, width], false)?;
        let elem = self.integer.map_or(inputs[0].elem, |integer| integer.output);
        Ok(vec![TensorType::new(elem, [batch, output[0], output[1], inputs[1].shape[0]])])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let types: Vec<&TensorType> = inputs.iter().map(|input| input.ty()).collect();
        let kernel = self.kernel(&types);
        if let Some(integer) = &self.integer {
            return Some(vec![integer.evaluate(kernel.layer(), inputs, &outputs[0])]);
        }
        if outputs[0].elem != dense::FOLDED {
            return None;
        }
        let (x, w) = (inputs[0].to_vec::<f32>(), inputs[1].to_vec::<f32>());
        let bias = inputs.get(2).map(|bias| bias.to_vec::<f32>()).unwrap_or_default();
        let scratch = cells(kernel.scratch() + w.len());
        let activation = &elementwise::function(self.activation.as_ref());
        let y = filled(&outputs[0], |y| match &kernel {
            Kernel::Conv(kernel) => kernel.pack_and_run(&x, &w, &bias, y, &scratch, activation),
            Kernel::Depthwise(kernel) => kernel.pack_and_run(&x, &w, &bias, y, &scratch, activation),
        });
        Some(vec![y])
    }

    fn overlap(&self, types: Types, input: usize) -> Overlap {
        let size = types.outputs[0].elem.size();
        if self.integer.is_some() {
            let overlap = self.kernel(types.inputs).layer().layer_overlap(types.inputs[0].elem.size(), size);
            return if input == 0 { overlap } else { Overlap::NONE };
        }
        match (input, self.kernel(types.inputs)) {
            (0, Kernel::Conv(kernel)) => kernel.overlap(size),
            (0, Kernel::Depthwise(kernel)) => kernel.overlap(size),
            _ => Overlap::NONE,
        }
    }

    fn backward(&self) -> Option<Op> {
        Some(Self { backward: true, ..self.clone() }.into())
    }

    fn scratch(&self, types: Types, constant: &[bool]) -> Vec<TensorType> {
        if self.integer.is_some() {
            return vec![TensorType::new(ElemType::I16, [self.kernel(types.inputs).layer().layer_scratch()])];
        }
        let packed = if constant[1] { 0 } else { types.inputs[1].elements() };
        vec![types.outputs[0].with_shape([self.kernel(types.inputs).scratch() + packed])]
    }

    fn pack(&self, types: Types, input: usize, constant: &Tensor) -> Option<Tensor> {
        (input == 1).then(|| match self.kernel(types.inputs) {
            Kernel::Conv(kernel) => dense::reordered(constant, kernel.pack_order()),
            Kernel::Depthwise(kernel) => dense::reordered(constant, kernel.pack_order()),
        })
    }

    fn rows(&self, types: Types, constant: &[bool]) -> Option<Rows> {
        let [batch, _, width, channels] = self.sizes(&types.inputs[0].shape);
        // A quantized depthwise layer gathers the rows under each row anew, which costs too much where they are short; so does a quantized
        // convolution of few channels, whose gathering is slow where the number of rows is not known while compiling.
        let depthwise = self.is_depthwise(channels, types.outputs[0].shape[3]);
        let short = if depthwise { width < LEAST_WIDTH } else { !(self.window.kernel[1] * channels).is_multiple_of(4) };
        // The rows of several planes do not lie one behind another.
        let in_rows = batch == 1 && (!self.planar || channels == 1) && constant[1..].iter().all(|&constant| constant);
        let in_rows = in_rows && !(self.integer.is_some() && short);
        in_rows.then(|| self.window.rows(types.inputs[0].shape[if self.planar { 2 } else { 1 }], types.outputs[0].shape[1]))
    }

    fn of_one_row(&self, _whole: &TensorType) -> Option<Op> {
        Some(Self { window: self.window.of_one_row(), backward: false, planar: false, ..self.clone() }.into())
    }

    fn macs(&self, types: Types) -> u64 {
        match self.kernel(types.inputs) {
            Kernel::Conv(kernel) => kernel.macs(),
            Kernel::Depthwise(kernel) => kernel.macs(),
        }
    }

    fn show(&self) -> String {
        let groups = if self.groups == 1 { String::new() } else { format!(" groups {}", self.groups) };
        let planar = if self.planar { " planar" } else { "" };
        let applied = match self.integer {
            Some(integer) => integer.to_string(),
            None => elementwise::shown(self.activation.as_ref()),
        };
        format!("Conv {}{groups}{planar}{applied}", self.window)
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        if let Some(integer) = &self.integer {
            return integer.lower(cx, cx.types(|types| self.kernel(types.inputs)).layer());
        }
        let (kernel, activation) = (cx.types(|types| self.kernel(types.inputs)), cx.activation(self.activation.as_ref()));
        match kernel {
            Kernel::Conv(kernel) if cx.is_constant(1) => {
                cx.call(&kernel, "run", [dense::operands(cx), vec![cx.scratch_operand()]].concat(), Some(activation))
            }
            Kernel::Depthwise(kernel) if cx.is_constant(1) => cx.call(&kernel, "run", dense::operands(cx), Some(activation)),
            Kernel::Conv(kernel) => dense::pack_and_run(cx, &kernel, &activation),
            Kernel::Depthwise(kernel) => dense::pack_and_run(cx, &kernel, &activation),
        }
    }
}
