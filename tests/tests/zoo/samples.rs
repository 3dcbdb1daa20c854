//! Recorded inputs and outputs: `input_K.npy`, or `input_K_J.npy` where a model has several, for sample K and tensor J.

use std::fs::File;
use std::path::{Path, PathBuf};

use model_compiler::ty::{ElemType, TensorType};
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt, ReadableElement};

/// The tensors of one side of sample `index` as row-major little-endian bytes, each of a type and at a place among those of the file;
/// `None` when there is no such sample.
pub fn read(folder: &Path, side: &str, index: usize, tensors: &[(usize, TensorType)]) -> Option<Vec<Vec<u8>>> {
    let only = folder.join(format!("{side}_{index}.npy"));
    let several = !only.exists();
    let path = |place: usize| if several { folder.join(format!("{side}_{index}_{place}.npy")) } else { only.clone() };
    let exists = tensors.first().is_some_and(|(place, _)| path(*place).exists());
    exists.then(|| tensors.iter().map(|(place, ty)| tensor(&path(*place), ty)).collect())
}

/// A recorded stream: the input of every run as bytes, and the number that it yielded. In between, the recording handed the state on.
pub fn stream(folder: &Path, input: &TensorType) -> (Vec<u8>, Vec<f64>) {
    let array = |name: &str| {
        let path = folder.join(name);
        File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let features = ArrayD::<i8>::read_npy(array("stream_features.npy")).expect("the features are bytes");
    assert_eq!(features.shape()[1..], input.shape[..], "the shape of the features");
    let scores = ArrayD::<i64>::read_npy(array("stream_scores_onnx.npy")).expect("the scores are integers");
    (features.iter().map(|byte| byte.cast_unsigned()).collect(), scores.iter().map(|&score| score as f64).collect())
}

fn tensor(path: &PathBuf, ty: &TensorType) -> Vec<u8> {
    match ty.elem {
        // The probabilities of a ZipMap were recorded as Python's numbers.
        ElemType::F32 if is_double(path) => elements(path, ty, |double: f64| (double as f32).to_le_bytes()),
        ElemType::F32 => elements(path, ty, f32::to_le_bytes),
        ElemType::I8 => elements(path, ty, i8::to_le_bytes),
        ElemType::I64 => elements(path, ty, i64::to_le_bytes),
        ElemType::U8 => elements(path, ty, u8::to_le_bytes),
        other => panic!("{}: samples of {other} cannot be read", path.display()),
    }
}

fn is_double(path: &PathBuf) -> bool {
    File::open(path).is_ok_and(|file| ArrayD::<f64>::read_npy(file).is_ok())
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
