//! The catalogue of operators: one file a family, each telling ONNX names and opset ranges, attributes, types and refusals, cost,
//! in-place rule and kernel call.

pub mod arg;
pub mod concat;
pub mod conv;
pub mod copy;
pub mod dense;
pub mod elementwise;
pub mod matmul;
pub mod pool;
pub mod reduce;
pub mod reshape;
pub mod softmax;
pub mod transpose;
pub mod window;

use std::cell::Cell;

use crate::diagnostic::{Refusal, Result};
use crate::op::OpDef;
use crate::tensor::{Element, Tensor};
use crate::ty::{ElemType, TensorType};

/// The definitions of each family.
pub const DEFS: &[&[OpDef]] = &[
    arg::DEFS,
    concat::DEFS,
    conv::DEFS,
    dense::DEFS,
    elementwise::DEFS,
    matmul::DEFS,
    pool::DEFS,
    reduce::DEFS,
    reshape::DEFS,
    softmax::DEFS,
    transpose::DEFS,
];

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
