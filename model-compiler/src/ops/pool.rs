//! `MaxPool`, `AveragePool`, `LpPool` along one or two spatial axes, channels last, and their global forms. Along three they are a pool of
//! each plane and one from plane to plane.
//!
//! <https://onnx.ai/onnx/operators/onnx__MaxPool.html>, <https://onnx.ai/onnx/operators/onnx__AveragePool.html>,
//! <https://onnx.ai/onnx/operators/onnx__LpPool.html>, <https://onnx.ai/onnx/operators/onnx__GlobalAveragePool.html>

use proc_macro2::{Literal, TokenStream};
use quote::quote;

use super::cascade;
use super::elementwise::{self, Expr};
use super::window::{self, Window};
use super::{FLOATS, expect_elem, filled, mapped};
use crate::diagnostic::Result;
use crate::emit::{Lower, literal};
use crate::graph::ValueId;
use crate::kernels::{self, Overlap, Rows};
use crate::op::{LATEST, Op, OpDef, Operator, Types, reference_only};
use crate::reader::{self, NodeReader};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};
use crate::with_folded;

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "MaxPool", opset: 1..=LATEST, read: read_max },
    OpDef { name: "AveragePool", opset: 1..=LATEST, read: read_average },
    OpDef { name: "LpPool", opset: 2..=LATEST, read: read_lp },
    OpDef { name: "GlobalMaxPool", opset: 1..=LATEST, read: |node| read_global(node, Method::Max) },
    OpDef {
        name: "GlobalAveragePool",
        opset: 1..=LATEST,
        read: |node| read_global(node, Method::Average { include_padding: false }),
    },
    OpDef { name: "GlobalLpPool", opset: 2..=LATEST, read: |node| read_global(node, lp_norm(node)?) },
];

/// `y[n, y, x, c]` is what the method makes of the elements of channel `c` under the window.
#[derive(Clone, Debug, PartialEq)]
pub struct Pool {
    /// How the window slides over the image.
    pub window: Window,
    /// Whether a window may reach beyond the padding, so that the size of the output rounds up.
    pub ceil: bool,
    /// What is made of the elements under the window.
    pub method: Method,
    /// Applied to each result.
    pub activation: Option<Expr>,
    /// Take the pixels from last to first.
    pub backward: bool,
    /// The image is one row of as many that are all under the window; they come one after another.
    pub row_of: Option<usize>,
}

/// How a pool makes one element of those under its window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// The greatest.
    Max,
    /// Their sum, divided by their number.
    Average {
        /// Whether padding counts as elements that are zero.
        include_padding: bool,
    },
    /// `(Σ |x|ᵖ)^(1/p)`
    Lp {
        /// The exponent.
        p: usize,
    },
}

/// Where the greatest element under the window lies, as an index into ONNX's `[n, c, h, w]`: the second output of `MaxPool`.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxPoolIndices {
    /// How the window slides over the image.
    pub window: Window,
    /// Whether a window may reach beyond the padding, so that the size of the output rounds up.
    pub ceil: bool,
    /// Whether the index is into `[n, c, w, h]` instead.
    pub column_major: bool,
}

fn read_max(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let column_major = node.flag("storage_order", false)?;
    let (windows, ceil) = read_windows(node)?;
    let mut outputs = pool(node, &windows, ceil, Method::Max)?;
    if node.has_output(1) {
        let input = node.input(0)?;
        let rank = node.ty(input).shape.len();
        window::spatial_axes(&node.ty(input).shape)?;
        let image = window::channels_last(node, input)?;
        let indices = node.push(MaxPoolIndices { window: windows[0].clone(), ceil, column_major }, &[image])?;
        outputs.push(window::channels_first(node, indices, rank)?);
    }
    Ok(outputs)
}

/// `AveragePool`
pub fn read_average(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let include_padding = node.flag("count_include_pad", false)?;
    let (windows, ceil) = read_windows(node)?;
    pool(node, &windows, ceil, Method::Average { include_padding })
}

fn read_lp(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let method = lp_norm(node)?;
    let (windows, ceil) = read_windows(node)?;
    pool(node, &windows, ceil, method)
}

/// The attribute `p` of `LpPool` and `GlobalLpPool`.
fn lp_norm(node: &NodeReader) -> Result<Method> {
    let p = node.int("p", 2)?;
    match usize::try_from(p) {
        Ok(p) if p > 0 => Ok(Method::Lp { p }),
        _ => Err(reader::unsupported_attribute("p", &p.to_string(), "1 and above")),
    }
}

/// The window over an image; over a volume that over each of its planes, and that from plane to plane.
fn read_windows(node: &NodeReader) -> Result<(Vec<Window>, bool)> {
    let ceil = node.flag("ceil_mode", false)?;
    let shape = &node.ty(node.input(0)?).shape;
    if shape.len() != VOLUME || shape.contains(&0) {
        return Ok((vec![window::read(node, None, ceil)?], ceil));
    }
    let attributes = window::padded_attributes(node, None, &shape[2..])?;
    let (plane, depth) = (Window::along(&attributes, 1..3), Window::along(&attributes, 0..1));
    window::expect_fit(&plane, &shape[3..], ceil)?;
    window::expect_fit(&depth, &shape[2..3], ceil)?;
    Ok((vec![plane, depth], ceil))
}

/// The dimensions of a volume: batch, channels, depth, height and width.
const VOLUME: usize = 5;

fn pool(node: &mut NodeReader, windows: &[Window], ceil: bool, method: Method) -> Result<Vec<ValueId>> {
    let input = node.input(0)?;
    let shape = node.ty(input).shape.clone();
    let step = |window: &Window| Pool { window: window.clone(), ceil, method, activation: None, backward: false, row_of: None };
    let ([plane, depth], &[n, c, d, h, w]) = (windows, &shape[..]) else {
        let image = window::channels_last(node, input)?;
        let y = node.push(step(&windows[0]), &[image])?;
        return Ok(vec![window::channels_first(node, y, shape.len())?]);
    };
    // A maximum is that of maxima, a mean over a box that of means, as each of its lines has as many elements within the volume.
    let planes = node.reshape(input, [n * c * d, h, w, 1])?;
    let pooled = node.push(step(plane), &[planes])?;
    let [rows, columns] = [node.ty(pooled).shape[1], node.ty(pooled).shape[2]];
    let lines = node.reshape(pooled, [n * c, 1, d, rows * columns])?;
    let y = node.push(step(depth), &[lines])?;
    let depth = node.ty(y).shape[2];
    Ok(vec![node.reshape(y, [n, c, depth, rows, columns])?])
}

/// A window as large as the image or volume.
pub fn read_global(node: &mut NodeReader, method: Method) -> Result<Vec<ValueId>> {
    let shape = node.ty(node.input(0)?).shape.clone();
    let all =
        |[height, width]: [usize; 2]| Window { kernel: [height, width], strides: [1, 1], dilations: [1, 1], padding: [0; 4] };
    let windows = match shape[..] {
        [_, _, depth, height, width] if !shape.contains(&0) => vec![all([height, width]), all([1, depth])],
        _ => {
            window::spatial_axes(&shape)?;
            vec![all(window::rows_and_columns(&shape[2..], 1))]
        }
    };
    pool(node, &windows, false, method)
}

/// The kernel for images of type `input`.
pub fn kernel(window: &Window, ceil: bool, input: &TensorType, backward: bool) -> kernels::Pool {
    let [batch, height, width, channels] = input.shape[..] else { unreachable!("infer takes images of four dimensions") };
    let [rows, columns] = window.output([height, width], ceil).expect("infer checks that the window fits");
    let Window { kernel, strides, dilations, padding: [_, _, below, right] } = *window;
    kernels::Pool {
        input: [height, width, channels],
        output: [rows, columns, channels],
        kernel,
        strides,
        dilations,
        padding: window.before(),
        padding_end: [below, right],
        batch,
        backward,
    }
}

/// The type of the output for an image of type `input`.
pub fn output(window: &Window, ceil: bool, input: &TensorType) -> Result<TensorType> {
    let &[batch, height, width, channels] = &input.shape[..] else {
        panic!("internal error: a pool over {input}, which is no image; please report this model");
    };
    let [rows, columns] = window::expect_fit(window, &[height, width], ceil)?;
    Ok(input.with_shape([batch, rows, columns, channels]))
}

/// Types that have a greatest element.
const ORDERED: &[ElemType] = &[ElemType::F16, ElemType::BF16, ElemType::F32, ElemType::F64, ElemType::I8, ElemType::U8];

impl Operator for Pool {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("X", inputs[0], if self.method == Method::Max { ORDERED } else { FLOATS })?;
        Ok(vec![output(&self.window, self.ceil, inputs[0])?])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let (x, ty) = (inputs[0], &outputs[0]);
        let kernel = kernel(&self.window, self.ceil, x.ty(), false);
        let activation = &elementwise::function(self.activation.as_ref());
        let y = match (self.method, ty.elem) {
            (Method::Max, ElemType::F32) => mapped::<f32>(x, ty, |x, y| kernel.run(kernels::Max, x, y, activation)),
            (Method::Average { include_padding }, ElemType::F32) => {
                mapped::<f32>(x, ty, |x, y| kernel.run(kernels::Average { include_padding }, x, y, activation))
            }
            (Method::Lp { p }, ElemType::F32) => mapped::<f32>(x, ty, |x, y| kernel.run(kernels::LpNorm { p }, x, y, activation)),
            (Method::Max, ElemType::I8) if self.activation.is_none() => {
                mapped::<i8>(x, ty, |x, y| kernel.run(kernels::Max, x, y, |x| x))
            }
            (Method::Max, ElemType::U8) if self.activation.is_none() => {
                mapped::<u8>(x, ty, |x, y| kernel.run(kernels::Max, x, y, |x| x))
            }
            _ => return None,
        };
        Some(vec![y])
    }

    fn overlap(&self, types: Types, _input: usize) -> Overlap {
        kernel(&self.window, self.ceil, types.inputs[0], false).overlap(types.inputs[0].elem.size())
    }

    fn rows(&self, types: Types, _constant: &[bool]) -> Option<Rows> {
        let (input, output) = (&types.inputs[0].shape, &types.outputs[0].shape);
        let Window { kernel, padding: [above, _, below, _], .. } = self.window;
        if kernel[0] == input[1] && (above, below) == (0, 0) {
            return cascade::row_for_row(types.inputs[0]);
        }
        // Whether padding is counted must not depend on the row.
        let plain = self.method == Method::Max || (above, below) == (0, 0) && !self.ceil;
        (input[0] == 1 && plain).then(|| self.window.rows(input[1], output[1]))
    }

    fn of_one_row(&self, whole: &TensorType) -> Option<Op> {
        let row_of = (self.window.kernel[0] == whole.shape[1]).then(|| whole.shape[1]);
        let mut window = self.window.of_one_row();
        if row_of.is_some() {
            window.kernel[0] = 1;
        }
        Some(Self { window, backward: false, row_of, ..self.clone() }.into())
    }

    fn scratch(&self, types: Types, _constant: &[bool]) -> Vec<TensorType> {
        let half = matches!(types.outputs[0].elem, ElemType::F16 | ElemType::BF16) && self.method != Method::Max;
        let folded = if half { types.outputs[0].with_elem(ElemType::F32) } else { types.outputs[0].clone() };
        if self.row_of.is_some() { vec![folded] } else { Vec::new() }
    }

    fn backward(&self) -> Option<Op> {
        Some(Self { backward: true, ..self.clone() }.into())
    }

    fn show(&self) -> String {
        let ceil = if self.ceil { " ceil" } else { "" };
        format!("Pool {:?} {}{ceil}{}", self.method, self.window, elementwise::shown(self.activation.as_ref()))
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = cx.kernel(&kernel(&self.window, self.ceil, cx.input_ty(0), self.backward));
        let method = match self.method {
            Method::Max => literal(&kernels::Max),
            Method::Average { include_padding } => literal(&kernels::Average { include_padding }),
            Method::Lp { p } => literal(&kernels::LpNorm { p }),
        };
        let (x, y, activation) = (cx.input(0), cx.output(0), cx.activation(self.activation.as_ref()));
        let Some(rows) = self.row_of else { return quote! { #kernel.run(#method, #x, #y, #activation); } };
        let (rows, folded) = (Literal::usize_unsuffixed(rows), cx.scratch_operand().value);
        quote! { #kernel.fold_row(band.row, #rows, #method, #x, #folded, #y, #activation); }
    }
}

impl Operator for MaxPoolIndices {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("X", inputs[0], ORDERED)?;
        Ok(vec![output(&self.window, self.ceil, inputs[0])?.with_elem(ElemType::I64)])
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let kernel = kernel(&self.window, self.ceil, inputs[0].ty(), false);
        let indices = with_folded!(inputs[0].ty().elem, T => {
            let x = inputs[0].to_vec::<T>();
            filled::<i64>(&outputs[0], |y| kernel.max_indices(&x, y, self.column_major))
        })?;
        Some(vec![indices])
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = literal(&kernel(&self.window, self.ceil, cx.input_ty(0), false));
        let (x, y, column_major) = (cx.input(0), cx.output(0), self.column_major);
        quote! { #kernel.max_indices(#x, #y, #column_major); }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    /// A pool of an image of one channel with these rows.
    fn pool(op_type: &str, rows: &[&[f32]]) -> OneNode {
        let image = Tensor::from_vec([1, 1, rows.len(), rows[0].len()], &rows.concat());
        OneNode::new(op_type, 19).constant(&image)
    }

    /// A pool of an image of one row.
    fn line(op_type: &str, x: &[f32]) -> OneNode {
        OneNode::new(op_type, 19).constant(&Tensor::from_vec([1, 1, x.len()], x))
    }

    #[test]
    fn each_method_and_its_attributes() {
        let x = [1.0, -2.0, 3.0, 4.0, -5.0];
        let of_two = |op_type| line(op_type, &x).ints("kernel_shape", &[2]).ints("strides", &[2]);
        let padded = of_two("AveragePool").ints("pads", &[1, 0]);
        let cases = [
            (of_two("MaxPool"), vec![1.0, 4.0]),
            (of_two("MaxPool").int("ceil_mode", 1), vec![1.0, 4.0, -5.0]),
            (of_two("MaxPool").ints("dilations", &[3]), vec![4.0]),
            (of_two("MaxPool").word("auto_pad", "SAME_LOWER"), vec![1.0, 3.0, 4.0]),
            // The page's size for VALID does not round up with `ceil_mode`; that of shape inference, which exporters rely on, does.
            (of_two("MaxPool").word("auto_pad", "VALID").int("ceil_mode", 1), vec![1.0, 4.0, -5.0]),
            (of_two("AveragePool").word("auto_pad", "VALID").int("ceil_mode", 1), vec![-0.5, 3.5, -5.0]),
            (of_two("AveragePool"), vec![-0.5, 3.5]),
            // A window beyond the padding counts only what it covers.
            (of_two("AveragePool").int("ceil_mode", 1).int("count_include_pad", 1), vec![-0.5, 3.5, -5.0]),
            (padded.clone(), vec![1.0, 0.5, -0.5]),
            (padded.int("count_include_pad", 1), vec![0.5, 0.5, -0.5]),
            (of_two("LpPool").int("p", 1), vec![3.0, 7.0]),
            (of_two("LpPool"), vec![5f32.sqrt(), 5.0]),
            (line("GlobalMaxPool", &x), vec![4.0]),
            (line("GlobalAveragePool", &x), vec![0.2]),
            (line("GlobalLpPool", &x).int("p", 1), vec![15.0]),
            (pool("GlobalAveragePool", &[&[1.0, 2.0], &[3.0, 6.0]]), vec![3.0]),
        ];
        for (node, expected) in cases {
            assert_eq!(node.results()[0].to_vec::<f32>(), expected, "{node:?}");
        }
    }

    #[test]
    fn where_the_greatest_is() {
        let node = pool("MaxPool", &[&[1.0, 5.0, 5.0], &[7.0, 2.0, 3.0]]).ints("kernel_shape", &[2, 2]).outputs(2);
        for (column_major, expected) in [(0, [3, 1]), (1, [1, 2])] {
            let results = node.clone().int("storage_order", column_major).results();
            assert_eq!(results[0].to_vec::<f32>(), [7.0, 5.0]);
            assert_eq!(results[1].to_ints().unwrap(), expected, "storage_order {column_major}");
        }
    }

    #[test]
    fn bytes_have_a_greatest() {
        let pool = OneNode::new("MaxPool", 12).input(ElemType::I8, &[1, 1, 4]).ints("kernel_shape", &[2]);
        assert_eq!(pool.types(), ["i8[1, 1, 3]"]);
    }

    #[test]
    fn refusals() {
        let image = |op_type| OneNode::new(op_type, 19).floats(&[1, 2, 4, 4]);
        let window = |op_type| image(op_type).ints("kernel_shape", &[2, 2]);
        let bytes = OneNode::new("AveragePool", 19).input(ElemType::I8, &[1, 1, 4]).ints("kernel_shape", &[2]);
        let cases = [
            (image("MaxPool"), "attribute `kernel_shape` is missing", "onnx.checker"),
            (
                image("MaxPool").ints("kernel_shape", &[5, 1]),
                "the kernel [5, 1] with dilations [1, 1] does not fit",
                "fix the shapes",
            ),
            (window("MaxPool").int("storage_order", 2), "attribute `storage_order` is 2; supported: 0 or 1", "supported value"),
            (window("LpPool").int("p", 0), "attribute `p` is 0; supported: 1 and above", "supported value"),
            (window("AveragePool").int("p", 2), "unknown attribute `p`", "remove the attribute"),
            (OneNode::new("GlobalMaxPool", 19).floats(&[1, 2]), "the input has 2 dimensions", "3 or 4 dimensions"),
            (bytes, "`X` is i8[1, 1, 4, 1]; supported element types are f16, bf16, f32, f64", "cast"),
        ];
        for (node, message, help) in cases {
            node.refused(message, help);
        }
    }
}
