//! What convolutions and pools share: kernel, strides, dilations and padding along one or two spatial axes, and channels last.

use std::fmt;
use std::ops::Range;

use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::kernels::Rows;
use crate::reader::NodeReader;
use crate::ty::Shape;

/// How a kernel slides over an image of height and width; one spatial axis is a height of one.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Steps from one output to the next.
    pub strides: [usize; 2],
    /// Steps from one tap of the kernel to the next.
    pub dilations: [usize; 2],
    /// Zeros above, left, below and right of the image.
    pub padding: [usize; 4],
}

/// What a window is before the image's size and `auto_pad` have been looked at: one number a spatial axis.
pub struct Attributes {
    /// Sizes of the kernel.
    pub kernel: Vec<usize>,
    /// Steps from one place of the kernel to the next.
    pub strides: Vec<usize>,
    /// Steps from one tap of the kernel to the next.
    pub dilations: Vec<usize>,
    /// Padding before the image along each axis, and then behind it.
    pub pads: Vec<usize>,
    /// The word that stands in place of `pads`.
    pub auto_pad: &'static str,
}

/// The order of `dilations`, `strides` and so on in a refusal.
const SPATIAL: &str = "one or two spatial axes";

impl Window {
    /// The window along one or two of the spatial axes.
    pub fn along(attributes: &Attributes, axes: Range<usize>) -> Self {
        let Attributes { kernel, strides, dilations, pads, .. } = attributes;
        let [top, left] = rows_and_columns(&pads[axes.clone()], 0);
        let [bottom, right] = rows_and_columns(&pads[pads.len() / 2..][axes.clone()], 0);
        Self {
            kernel: rows_and_columns(&kernel[axes.clone()], 1),
            strides: rows_and_columns(&strides[axes.clone()], 1),
            dilations: rows_and_columns(&dilations[axes], 1),
            padding: [top, left, bottom, right],
        }
    }

    /// The size of the output for an image of `size`; `None` where the kernel does not fit in.
    pub fn output(&self, size: [usize; 2], ceil: bool) -> Option<[usize; 2]> {
        let along = |axis: usize| {
            let extent = self.extent(axis);
            let padded = size[axis] + self.padding[axis] + self.padding[axis + 2];
            let room = padded.checked_sub(extent)?;
            if !ceil {
                return Some(room / self.strides[axis] + 1);
            }
            let outputs = room.div_ceil(self.strides[axis]) + 1;
            // A window that begins in the padding behind the image is left out.
            let begins_behind = (outputs - 1) * self.strides[axis] >= size[axis] + self.padding[axis];
            Some(if begins_behind { outputs - 1 } else { outputs })
        };
        Some([along(0)?, along(1)?])
    }

    /// How many elements the kernel spans along an axis, gaps included.
    pub fn extent(&self, axis: usize) -> usize {
        self.dilations[axis] * (self.kernel[axis] - 1) + 1
    }

    /// How `output` rows of an output depend on the `input` rows of an image.
    pub fn rows(&self, input: usize, output: usize) -> Rows {
        Rows { input, output, extent: self.extent(0), stride: self.strides[0], padding: self.padding[0] }
    }

    /// The same over just the rows under one row of the output.
    pub fn of_one_row(&self) -> Self {
        let [_, left, _, right] = self.padding;
        Self { padding: [0, left, 0, right], ..self.clone() }
    }

    /// Padding above and left.
    pub fn before(&self) -> [usize; 2] {
        [self.padding[0], self.padding[1]]
    }
}

/// `3×3 stride 2 pad [0, 0, 1, 1]`; what has no effect is left out, and what is the same along both axes is told once.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kernel: [height, width], strides, dilations, padding } = self;
        let along = |[y, x]: [usize; 2]| if y == x { y.to_string() } else { format!("{y}×{x}") };
        write!(f, "{height}×{width}")?;
        if *strides != [1, 1] {
            write!(f, " stride {}", along(*strides))?;
        }
        if *dilations != [1, 1] {
            write!(f, " dilation {}", along(*dilations))?;
        }
        if *padding != [0; 4] {
            write!(f, " pad {padding:?}")?;
        }
        Ok(())
    }
}

/// Reads the window of a convolution or pool of images whose kernel is `kernel` (of its weights, or of its attribute).
pub fn read(node: &NodeReader, kernel: Option<Vec<usize>>, ceil: bool) -> Result<Window> {
    let image = node.ty(node.input(0)?).shape.clone();
    let axes = spatial_axes(&image)?;
    let attributes = padded_attributes(node, kernel, &image[2..])?;
    let window = Window::along(&attributes, 0..axes);
    expect_fit(&window, &image[2..], ceil)?;
    Ok(window)
}

/// The size of the output for an image of `size`, into which the window must fit, padding included.
pub fn expect_fit(window: &Window, size: &[usize], ceil: bool) -> Result<[usize; 2]> {
    let last = 2 - size.len();
    let (kernel, dilations) = (&window.kernel[last..], &window.dilations[last..]);
    window.output(rows_and_columns(size, 1), ceil).ok_or_else(|| {
        Refusal::new(
            format!("the kernel {kernel:?} with dilations {dilations:?} does not fit into the padded image of {size:?}"),
            "fix the shapes in the exported model, or the sizes given in `dims`",
        )
    })
}

/// The attributes of a window over an image or volume of `size`, with what `auto_pad` asks for in `pads`.
pub fn padded_attributes(node: &NodeReader, kernel: Option<Vec<usize>>, size: &[usize]) -> Result<Attributes> {
    let axes = size.len();
    let mut attributes = attributes(node, kernel, axes)?;
    let Attributes { kernel, strides, dilations, pads, auto_pad } = &mut attributes;
    for (axis, &size) in size.iter().enumerate() {
        let extent = dilations[axis] * (kernel[axis] - 1) + 1;
        let total = match *auto_pad {
            "NOTSET" => continue,
            "VALID" => 0,
            _ => ((size.div_ceil(strides[axis]) - 1) * strides[axis] + extent).saturating_sub(size),
        };
        let (less, more) = (total / 2, total - total / 2);
        let (before, after) = if *auto_pad == "SAME_LOWER" { (more, less) } else { (less, more) };
        (pads[axis], pads[axis + axes]) = (before, after);
    }
    Ok(attributes)
}

/// How many spatial axes a tensor of batch, channels and those has. There are elements along each.
pub fn spatial_axes(image: &Shape) -> Result<usize> {
    match image.len() {
        3 | 4 if image[2..].contains(&0) => Err(Refusal::new(
            format!("the image {image} has no elements along a spatial axis; expected at least one"),
            "fix the shapes in the exported model, or the sizes given in `dims`",
        )),
        rank @ (3 | 4) => Ok(rank - 2),
        rank => Err(Refusal::new(
            format!("the input has {rank} dimensions; supported are batch, channels and {SPATIAL}"),
            "reshape the input to 3 or 4 dimensions in the exported model",
        )),
    }
}

/// Numbers for one or two spatial axes as those for rows and columns, with `for_rows` where there is only one.
pub fn rows_and_columns<T: Copy>(values: &[T], for_rows: T) -> [T; 2] {
    match values {
        [rows, columns] => [*rows, *columns],
        _ => [for_rows, values[0]],
    }
}

/// Reads the attributes of a window along `axes` spatial axes, whose kernel is `kernel` (of its weights, or of its attribute).
pub fn attributes(node: &NodeReader, kernel: Option<Vec<usize>>, axes: usize) -> Result<Attributes> {
    let kernel_shape = numbers(node, "kernel_shape", axes, 1)?;
    let kernel = match (kernel, kernel_shape) {
        (Some(kernel), Some(shape)) if kernel != shape => {
            return Err(Refusal::new(
                format!("attribute `kernel_shape` is {shape:?}, but the weights are for a kernel of {kernel:?}"),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
        (Some(kernel), _) if kernel.contains(&0) => {
            return Err(Refusal::new(
                format!("the weights are for a kernel of {kernel:?}, which has no elements"),
                "export the model again, or check it with `onnx.checker`",
            ));
        }
        (Some(kernel), _) | (None, Some(kernel)) => kernel,
        (None, None) => {
            return Err(Refusal::new(
                "attribute `kernel_shape` is missing",
                "export the model again, or check it with `onnx.checker`",
            ));
        }
    };
    Ok(Attributes {
        kernel,
        strides: numbers(node, "strides", axes, 1)?.unwrap_or_else(|| vec![1; axes]),
        dilations: numbers(node, "dilations", axes, 1)?.unwrap_or_else(|| vec![1; axes]),
        pads: numbers(node, "pads", 2 * axes, 0)?.unwrap_or_else(|| vec![0; 2 * axes]),
        auto_pad: node.word("auto_pad", &["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"])?,
    })
}

/// The greatest number that a window's attribute may be: two of them can be multiplied.
const MOST: usize = 0x7fff_ffff;

/// Attribute `name` as `count` numbers from `least` to `MOST`.
pub fn numbers(node: &NodeReader, name: &'static str, count: usize, least: usize) -> Result<Option<Vec<usize>>> {
    let Some(found) = node.ints(name)? else { return Ok(None) };
    let numbers: Vec<usize> = found
        .iter()
        .filter_map(|&number| usize::try_from(number).ok())
        .filter(|number| (least..=MOST).contains(number))
        .collect();
    if numbers.len() != count || numbers.len() != found.len() {
        return Err(Refusal::new(
            format!("attribute `{name}` is {found:?}; expected {count} numbers from {least} to {MOST}"),
            "export the model again, or check it with `onnx.checker`",
        ));
    }
    Ok(Some(numbers))
}

/// `[n, c, w]` or `[n, c, h, w]` as `[n, h, w, c]`.
pub fn channels_last(node: &mut NodeReader, input: ValueId) -> Result<ValueId> {
    let image = match node.ty(input).shape[..] {
        [n, c, w] => node.reshape(input, [n, c, 1, w])?,
        _ => input,
    };
    node.transpose(image, vec![0, 2, 3, 1])
}

/// `[n, h, w, c]` as `[n, c, w]` or `[n, c, h, w]`, with `rank` dimensions.
pub fn channels_first(node: &mut NodeReader, value: ValueId, rank: usize) -> Result<ValueId> {
    let image = node.transpose(value, vec![0, 3, 1, 2])?;
    match node.ty(image).shape[..] {
        [n, c, 1, w] if rank == 3 => node.reshape(image, [n, c, w]),
        _ => Ok(image),
    }
}

#[cfg(test)]
mod tests {
    use crate::tensor::Tensor;
    use crate::testing::OneNode;

    #[test]
    fn windows_beyond_all_measure_are_refused() {
        let pool = || OneNode::new("MaxPool", 12).floats(&[1, 1, 4, 4]);
        let conv = |kernel: &[usize]| OneNode::new("Conv", 11).floats(&[1, 1, 4, 4]).floats(kernel);
        let transposed = || OneNode::new("ConvTranspose", 11).floats(&[1, 1, 4, 4]).floats(&[1, 1, 3, 3]);
        let nothing = Tensor::from_vec([1, 1, 0, 4], &[0.0f32; 0]);
        let empty = OneNode::new("MaxPool", 12).constant(&nothing);
        let hollow = OneNode::new("Conv", 11).floats(&[1, 1, 4, 4]).constant(&nothing);
        let most = [(1 << 31) - 1; 2];
        let (far, checker) = ([1 << 62; 2], "onnx.checker");
        let cases = [
            (pool().ints("kernel_shape", &far), "`kernel_shape` is [4611686018427387904", checker),
            (conv(&[1, 1, 3, 3]).ints("dilations", &far), "expected 2 numbers from 1 to 2147483647", checker),
            (conv(&[1, 1, 3, 3]).ints("dilations", &most), "does not fit into the padded image", "fix the shapes"),
            (conv(&[1, 1, 3, 3]).ints("pads", &[most, most].concat()), "more bytes than there are addresses", "fix the sizes"),
            (hollow, "a kernel of [0, 4], which has no elements", checker),
            (conv(&[1, 1, 3, 3]).int("group", 1 << 62), "do not fit with 4611686018427387904 groups", "fix the shapes"),
            (transposed().ints("strides", &most), "more bytes than there are addresses", "fix the sizes"),
            (transposed().ints("output_shape", &most), "more bytes than there are addresses", "fix the sizes"),
            (empty.ints("kernel_shape", &[1, 1]), "the image [1, 1, 0, 4] has no elements", "fix the shapes"),
        ];
        for (node, message, help) in cases {
            node.refused(message, help);
        }
    }
}
