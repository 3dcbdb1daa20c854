//! Recorded inputs and outputs: `input_K.npy`, or `input_K_J.npy` where a model has several, for sample K and tensor J.

use std::fs::File;
use std::path::{Path, PathBuf};

use model_compiler::ty::{ElemType, TensorType};
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt, ReadableElement};

/// The tensors of one side of sample `index` as row-major little-endian bytes; `None` when there is no such sample.
pub fn read(folder: &Path, side: &str, index: usize, types: &[TensorType]) -> Option<Vec<Vec<u8>>> {
    let path = |tensor: usize| match types.len() {
        1 => folder.join(format!("{side}_{index}.npy")),
        _ => folder.join(format!("{side}_{index}_{tensor}.npy")),
    };
    let tensors = types.iter().enumerate().map(|(place, ty)| tensor(&path(place), ty));
    path(0).exists().then(|| tensors.collect())
}

fn tensor(path: &PathBuf, ty: &TensorType) -> Vec<u8> {
    match ty.elem {
        ElemType::F32 => elements(path, ty, f32::to_le_bytes),
        ElemType::I8 => elements(path, ty, i8::to_le_bytes),
        ElemType::I64 => elements(path, ty, i64::to_le_bytes),
        ElemType::U8 => elements(path, ty, u8::to_le_bytes),
        other => panic!("{}: samples of {other} cannot be read", path.display()),
    }
}

fn elements<T: ReadableElement + Copy, const N: usize>(path: &PathBuf, ty: &TensorType, bytes: fn(T) -> [u8; N]) -> Vec<u8> {
    let file = File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let array = ArrayD::<T>::read_npy(file).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(array.shape(), &ty.shape[..], "the shape of {}", path.display());
    array.iter().flat_map(|&element| bytes(element)).collect()
}

/// The elements of a tensor as numbers.
pub fn numbers(ty: &TensorType, bytes: &[u8]) -> Vec<f64> {
    match ty.elem {
        ElemType::F32 => bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes).into()).collect(),
        ElemType::I8 => bytes.iter().map(|&byte| byte.cast_signed().into()).collect(),
        ElemType::I64 => bytes.as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes) as f64).collect(),
        ElemType::U8 => bytes.iter().map(|&byte| byte.into()).collect(),
        other => panic!("samples of {other} cannot be read"),
    }
}
