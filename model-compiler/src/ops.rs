//! The catalogue of operators: one file a family, each telling ONNX names and opset ranges, attributes, types and refusals, cost,
//! in-place rule and kernel call.

pub mod arg;
pub mod attention;
pub mod bit_cast;
pub mod branch;
pub mod cascade;
pub mod causal_conv;
pub mod compare;
pub mod concat;
pub mod constant;
pub mod conv;
pub mod conv_transpose;
pub mod copy;
pub mod crop;
pub mod cumulate;
pub mod data_dependent;
pub mod deform_conv;
pub mod dense;
pub mod depth_to_space;
pub mod det;
pub mod einsum;
pub mod elementwise;
pub mod expand;
pub mod gather;
pub mod gather_elements;
pub mod grid_sample;
pub mod index;
pub mod integer;
pub mod linear_attention;
pub mod loss;
pub mod matmul;
pub mod ml;
pub mod ngrams;
pub mod normalize;
pub mod optional;
pub mod pad;
pub mod pool;
pub mod qlinear;
pub mod quantized_average;
pub mod quantized_softmax;
pub mod random;
pub mod recurrent;
pub mod reduce;
#[cfg(test)]
mod refusals;
pub mod repeat;
pub mod reshape;
pub mod resize;
pub mod roi_align;
pub mod scatter;
pub mod signal;
pub mod slice;
pub mod softmax;
pub mod table;
pub mod top_k;
pub mod transpose;
pub mod trees;
pub mod unrolled;
#[cfg(test)]
mod versions;
pub mod volume;
pub mod window;

use std::cell::Cell;

use crate::diagnostic::{Refusal, Result};
use crate::onnx::tensor::checked_bytes;
use crate::op::OpDef;
use crate::reader;
use crate::tensor::{Element, Tensor};
use crate::ty::{ElemType, TensorType};

/// `families! { arg, conv }` lists the definitions of each family beside the family's name: `("arg", arg::DEFS), ("conv", conv::DEFS)`.
macro_rules! families {
    ($($family:ident),* $(,)?) => {
        /// The families, which are modules here, and the definitions of each.
        pub const FAMILIES: &[(&str, &[OpDef])] = &[$((stringify!($family), $family::DEFS)),*];
    };
}

families! {
    arg,
    attention,
    bit_cast,
    causal_conv,
    compare,
    concat,
    constant,
    conv,
    conv_transpose,
    crop,
    cumulate,
    data_dependent,
    deform_conv,
    dense,
    depth_to_space,
    det,
    einsum,
    elementwise,
    expand,
    gather,
    gather_elements,
    grid_sample,
    linear_attention,
    loss,
    matmul,
    ml,
    ngrams,
    normalize,
    optional,
    pad,
    pool,
    qlinear,
    recurrent,
    random,
    reduce,
    reshape,
    resize,
    roi_align,
    scatter,
    signal,
    slice,
    softmax,
    top_k,
    transpose,
    trees,
}

/// The floating-point types.
const FLOATS: &[ElemType] = &[ElemType::F16, ElemType::BF16, ElemType::F32, ElemType::F64];

/// Runs a kernel that fills an output of type `ty`, while folding.
fn filled<T: Element>(ty: &TensorType, run: impl FnOnce(&[Cell<T>])) -> Tensor {
    let cells = cells(ty.elements());
    run(&cells);
    let elements: Vec<T> = cells.iter().map(Cell::get).collect();
    Tensor::from_elements(ty.clone(), &elements)
}

/// Runs a kernel that makes an output of type `ty` of elements that are stored as its own are, while folding.
fn mapped<T: Element>(input: &Tensor, ty: &TensorType, run: impl FnOnce(&[T], &[Cell<T>])) -> Tensor {
    let x = input.to_vec::<T>();
    filled(ty, |y| run(&x, y))
}

/// Zeroed places for a kernel to work in, while folding.
fn cells<T: Element>(len: usize) -> Vec<Cell<T>> {
    vec![Cell::new(T::default()); len]
}

/// The most bytes that a tensor made by the model itself may take; far more than a microcontroller has.
const MOST_BYTES: usize = 1 << 26;

/// The type of a tensor whose sizes a constant of the model decides.
fn sized(elem: ElemType, sizes: &[usize]) -> Result<TensorType> {
    match checked_bytes(sizes, elem) {
        Some(bytes) if bytes <= MOST_BYTES => Ok(TensorType::new(elem, sizes)),
        _ => Err(Refusal::new(
            format!("the output would be {elem}{sizes:?}; at most {MOST_BYTES} bytes are supported"),
            "fix the sizes in the exported model, or those given in `dims`",
        )),
    }
}

/// Input `name` as sizes, none of which may be negative.
fn sizes(name: &str, numbers: &[i64]) -> Result<Vec<usize>> {
    let sizes: Option<Vec<usize>> = numbers.iter().map(|&number| usize::try_from(number).ok()).collect();
    sizes.ok_or_else(|| {
        Refusal::new(
            format!("input `{name}` is {numbers:?}; expected numbers of at least 0"),
            "export the model again, or check it with `onnx.checker`",
        )
    })
}

/// `axes` as axes of a tensor with `rank` dimensions, each named once.
fn distinct_axes(axes: &[i64], rank: usize) -> Result<Vec<usize>> {
    let found: Vec<usize> = axes.iter().map(|&axis| reader::axis("axes", axis, rank)).collect::<Result<_>>()?;
    if (1..found.len()).any(|index| found[..index].contains(&found[index])) {
        return Err(Refusal::new(format!("`axes` is {axes:?}, which names an axis twice"), "name each axis once"));
    }
    Ok(found)
}

/// A place among `len` that counts from the end where it is negative, counted from the front.
fn from_front(place: i64, len: usize) -> i64 {
    let len = i64::try_from(len).expect("sizes fit i64");
    if place < 0 { place.saturating_add(len) } else { place }
}

/// That a value's elements are of one of the `allowed` types.
fn expect_elem(name: &str, ty: &TensorType, allowed: &[ElemType]) -> Result<()> {
    if allowed.contains(&ty.elem) {
        return Ok(());
    }
    let list: Vec<_> = allowed.iter().map(|elem| elem.name()).collect();
    Err(Refusal::new(
        format!("`{name}` is {ty}; supported element types are {}", list.join(", ")),
        "cast the tensor to a supported type in the exported model",
    ))
}
