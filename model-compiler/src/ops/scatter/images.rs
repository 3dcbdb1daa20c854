//! `TensorScatter`, `MaxUnpool`, `Col2Im`: the places of updates follow from where the updates stand.

use super::{Reduction, push, sizes_constant};
use crate::diagnostic::{Refusal, Result};
use crate::graph::ValueId;
use crate::ops::elementwise::{Elementwise, Expr};
use crate::ops::pad::{Mode, Pad};
use crate::ops::{expect_elem, sized, sizes, window};
use crate::reader::NodeReader;
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// `past_cache` with `update` written from `write_indices[b]` on along `axis`, for each batch `b`: a cache of keys or values.
///
/// <https://onnx.ai/onnx/operators/onnx__TensorScatter.html>
pub fn read_tensor_scatter(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (cache, update, starts) = (node.input(0)?, node.input(1)?, node.optional_input(2));
    let (ty, found) = (node.ty(cache).clone(), node.ty(update).clone());
    let axis = node.axis("axis", -2, ty.shape.len())?;
    let circular = node.word("mode", &["linear", "circular"])? == "circular";
    let same = |other: usize| other == axis || ty.shape[other] == found.shape[other];
    let fits = found.shape.len() == ty.shape.len() && (0..ty.shape.len()).all(same) && found.shape[axis] <= ty.shape[axis];
    if axis == 0 || !fits {
        return Err(Refusal::new(
            format!(
                "`update` is {found} for the cache {ty}; expected the same sizes, or fewer along axis {axis}, which is not 0"
            ),
            "fix the shapes in the exported model, or the sizes given in `dims`",
        ));
    }
    let batch = ty.shape[0];
    let starts = match starts {
        Some(starts) => starts,
        None => sizes_constant(node, &vec![0; batch], [batch]),
    };
    expect_elem("write_indices", node.ty(starts), &[ElemType::I64])?;
    if node.ty(starts).shape[..] != [batch] {
        return Err(Refusal::new(
            format!("`write_indices` is {}; expected one for each of {batch} batches", node.ty(starts)),
            "fix the shapes in the exported model, or the sizes given in `dims`",
        ));
    }
    let (len, count, lanes) = (ty.shape[axis], found.shape[axis], ty.shape[1..axis].iter().product::<usize>());
    let starts = node.reshape(starts, [batch, 1, 1])?;
    let steps: Vec<usize> = (0..count).collect();
    let steps = sizes_constant(node, &steps, [1, 1, count]);
    let first: Vec<usize> = (0..batch * lanes).map(|lane| lane * len).collect();
    let first = sizes_constant(node, &first, [batch, lanes, 1]);
    let number = |value: usize| Expr::Constant(Scalar::I64(i64::try_from(value).expect("sizes fit i64")));
    let step = Expr::call("add", [Expr::Input(0), Expr::Input(1)]);
    let step = match circular {
        true => Expr::call("modulo", [step, number(len)]),
        false => Expr::call("clip", [step, number(0), number(len - 1)]),
    };
    let expr = Expr::call("add", [step, Expr::Input(2)]);
    let places = node.push(Elementwise { expr }, &[starts, steps, first])?;
    Ok(vec![push(node, cache, axis + 1, places, update, Reduction::Last)?])
}

/// Zeros, with the elements at the places from which a `MaxPool` took them: an image grows by the pool's window.
///
/// <https://onnx.ai/onnx/operators/onnx__MaxUnpool.html>
pub fn read_max_unpool(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let (x, indices) = (node.input(0)?, node.input(1)?);
    let ty = node.ty(x).clone();
    let axes = ty.shape.len().saturating_sub(2);
    let window = window::attributes(node, None, axes)?;
    let requested = node.constant_ints(2, "output_shape")?;
    expect_elem("I", node.ty(indices), &[ElemType::I64])?;
    if node.ty(indices).shape != ty.shape {
        return Err(Refusal::new(
            format!("`I` is {} for the input {ty}; expected an index for each element", node.ty(indices)),
            "fix the shapes in the exported model, or the sizes given in `dims`",
        ));
    }
    let mut shape = ty.shape.to_vec();
    for axis in 0..axes {
        let grown = ty.shape[axis + 2].saturating_sub(1) * window.strides[axis] + window.kernel[axis];
        shape[axis + 2] = grown.saturating_sub(window.pads[axis] + window.pads[axis + axes]);
    }
    let unpooled = sized(ty.elem, &shape)?;
    let zeros =
        node.add_constant(Scalar::tensor(ty.elem, unpooled.shape.clone(), &vec![Scalar::zero(ty.elem); unpooled.elements()]));
    let y = push(node, zeros, shape.len(), indices, x, Reduction::Last)?;
    let Some(requested) = requested else { return Ok(vec![y]) };
    // A greater output has the image in its first corner.
    let requested = sizes("output_shape", &requested)?;
    let after: Option<Vec<usize>> = requested.iter().zip(&shape).map(|(to, from)| to.checked_sub(*from)).collect();
    let after = after.filter(|_| requested.len() == shape.len()).ok_or_else(|| {
        Refusal::new(
            format!("`output_shape` is {requested:?}, but the window makes {shape:?}; expected no less along any axis"),
            "fix `output_shape` in the exported model, or the sizes given in `dims`",
        )
    })?;
    if requested == shape {
        return Ok(vec![y]);
    }
    let before = vec![0; shape.len()];
    Ok(vec![node.push(Pad { before, after, mode: Mode::Constant(Scalar::zero(ty.elem)) }, &[y])?])
}

/// The columns of blocks that overlap, added up to images.
///
/// <https://onnx.ai/onnx/operators/onnx__Col2Im.html>
pub fn read_col2im(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let columns = node.input(0)?;
    let image = sizes("image_shape", &node.constant_ints(1, "image_shape")?.unwrap_or_default())?;
    let block = sizes("block_shape", &node.constant_ints(2, "block_shape")?.unwrap_or_default())?;
    let ty = node.ty(columns).clone();
    let axes = image.len();
    let window = window::attributes(node, Some(block.clone()), axes)?;
    let taps: usize = block.iter().product();
    let counts: Option<Vec<usize>> = (0..axes)
        .map(|axis| {
            let padded = image[axis] + window.pads[axis] + window.pads[axis + axes];
            let extent = window.dilations[axis] * (block[axis].checked_sub(1)?) + 1;
            Some(padded.checked_sub(extent)? / window.strides[axis] + 1)
        })
        .collect();
    let blocks: Option<usize> = counts.as_ref().map(|counts| counts.iter().product());
    let (&[batch, channels, found], Some(counts)) = (&ty.shape[..], counts) else {
        return Err(mismatch(&ty.to_string(), &image, &block));
    };
    if blocks != Some(found) || !channels.is_multiple_of(taps) {
        return Err(mismatch(&ty.to_string(), &image, &block));
    }
    // Tap and block say where in the image; all channels of that pixel are one slice.
    let mut places = Vec::with_capacity(taps * found);
    for tap in 0..taps {
        for number in 0..found {
            places.push(pixel(&image, &window, (index(&block, tap), index(&counts, number))));
        }
    }
    let places = node.add_constant(Tensor::from_vec([places.len()], &places));
    let channels = channels / taps;
    let pixels: usize = image.iter().product();
    let slices = node.reshape(columns, [batch, channels, taps, found])?;
    let slices = node.transpose(slices, vec![2, 3, 0, 1])?;
    let zeros = vec![Scalar::zero(ty.elem); sized(ty.elem, &[pixels, batch, channels])?.elements()];
    let zeros = node.add_constant(Scalar::tensor(ty.elem, [pixels, batch, channels], &zeros));
    let y = push(node, zeros, 1, places, slices, Reduction::Add)?;
    let y = node.transpose(y, vec![1, 2, 0])?;
    let shape: Vec<usize> = [batch, channels].into_iter().chain(image).collect();
    Ok(vec![node.reshape(y, shape)?])
}

fn mismatch(columns: &str, image: &[usize], block: &[usize]) -> Refusal {
    Refusal::new(
        format!(
            "the columns {columns} do not make images of {image:?} by blocks of {block:?}; expected [batch, channels · taps, blocks]"
        ),
        "fix the shapes in the exported model, or the sizes given in `dims`",
    )
}

/// The index with number `n` in a grid of `sizes`.
fn index(sizes: &[usize], mut n: usize) -> Vec<usize> {
    let mut index = vec![0; sizes.len()];
    for (place, size) in index.iter_mut().zip(sizes).rev() {
        (*place, n) = (n % size, n / size);
    }
    index
}

/// The flat place in the image of a tap of a block; −1 in the padding.
fn pixel(image: &[usize], window: &window::Attributes, (tap, block): (Vec<usize>, Vec<usize>)) -> i64 {
    let mut place = 0;
    for axis in 0..image.len() {
        let padded = tap[axis] * window.dilations[axis] + block[axis] * window.strides[axis];
        match padded.checked_sub(window.pads[axis]).filter(|&index| index < image[axis]) {
            Some(index) => place = place * image[axis] + index,
            None => return -1,
        }
    }
    i64::try_from(place).expect("sizes fit i64")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    fn ints(shape: &[usize], values: &[i64]) -> Tensor {
        Tensor::from_vec(shape, values)
    }

    #[test]
    fn a_cache_is_written_from_each_batch_s_index_on() {
        let node = |word, starts: &[i64]| {
            let cache = OneNode::new("TensorScatter", 24).constant(&ints(&[2, 3, 1], &[0; 6])).word("mode", word);
            cache.constant(&ints(&[2, 2, 1], &[1, 2, 3, 4])).constant_ints(starts)
        };
        assert_eq!(node("linear", &[0, 1]).result_ints(), [1, 2, 0, 0, 3, 4]);
        assert_eq!(node("circular", &[2, 1]).result_ints(), [2, 0, 1, 0, 3, 4]);
        node("linear", &[0]).refused("`write_indices` is i64[1]; expected one for each of 2 batches", "fix the shapes");
        let longer = OneNode::new("TensorScatter", 24).floats(&[1, 2, 1]).floats(&[1, 3, 1]);
        longer.refused("`update` is f32[1, 3, 1] for the cache f32[1, 2, 1]", "fix the shapes");
    }

    #[test]
    fn a_pool_is_undone() {
        let node = || {
            let node = OneNode::new("MaxUnpool", 11).constant(&ints(&[1, 1, 1, 2], &[7, 9]));
            node.constant(&ints(&[1, 1, 1, 2], &[5, 2])).ints("kernel_shape", &[2, 2]).ints("strides", &[2, 2])
        };
        assert_eq!(node().result_ints(), [0, 0, 9, 0, 0, 7, 0, 0]);
        let greater = node().constant_ints(&[1, 1, 2, 5]);
        assert_eq!(greater.result_ints(), [0, 0, 9, 0, 0, 0, 7, 0, 0, 0]);
        node().constant_ints(&[1, 1, 2, 3]).refused("but the window makes [1, 1, 2, 4]", "fix `output_shape`");
    }

    #[test]
    fn overlapping_columns_are_added_up() {
        let node = |columns: &Tensor| OneNode::new("Col2Im", 18).constant(columns).constant_ints(&[2, 3]).constant_ints(&[2, 2]);
        // Two blocks of 2 × 2 share the column in the middle.
        let columns = ints(&[1, 4, 2], &[1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(node(&columns).result_ints(), [1, 3 + 2, 4, 5, 7 + 6, 8]);
        // Taps in the padding are dropped.
        let padded = ints(&[1, 4, 12], &[1; 48]);
        assert_eq!(node(&padded).ints("pads", &[1, 1, 1, 1]).result_ints(), [4; 6]);
        node(&ints(&[1, 4, 3], &[0; 12])).refused("the columns i64[1, 4, 3] do not make images of [2, 3]", "fix the shapes");
    }
}
