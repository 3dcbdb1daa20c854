//! Stored tensor data: raw bytes, typed fields, or a file beside the model.

use super::Source;
use super::proto::{self, DataLocation, DataType};
use crate::diagnostic::{Refusal, Result};
use crate::tensor::{Element, Tensor};
use crate::ty::{ElemType, Shape, TensorType};

/// Reads the elements of a stored tensor.
pub fn read(stored: &proto::Tensor, source: &Source) -> Result<Tensor> {
    let ty = read_type(stored)?;
    if stored.data_location == i32::from(DataLocation::External) {
        return external(stored, ty, source);
    }
    if let Some(raw) = &stored.raw_data {
        return Tensor::new(ty.clone(), raw.clone()).ok_or_else(|| wrong_length(stored, &ty, raw.len()));
    }
    typed(stored, ty)
}

/// The element type that number `data_type` of a file stands for.
pub fn elem_type(data_type: i32) -> Result<ElemType> {
    let known = DataType::from_number(data_type);
    known.and_then(ElemType::from_onnx).ok_or_else(|| {
        let found = known.map_or(format!("number {data_type}"), |known| format!("{known:?}").to_lowercase());
        Refusal::new(
            format!("element type {found} is not supported; supported are bool, i8 to u64, f16, bf16, f32 and f64"),
            "cut the model before this tensor, or export it with one of the supported types",
        )
    })
}

fn read_type(stored: &proto::Tensor) -> Result<TensorType> {
    let elem = elem_type(stored.data_type)?;
    let sizes: Option<Vec<usize>> = stored.dims.iter().map(|&size| usize::try_from(size).ok()).collect();
    let sizes = sizes.filter(|sizes| checked_bytes(sizes, elem).is_some());
    let shape: Shape = sizes.map(Into::into).ok_or_else(|| {
        Refusal::new(
            format!("tensor `{}` has the impossible shape {:?}", stored.name, stored.dims),
            "export the model again; this file is damaged",
        )
    })?;
    Ok(TensorType::new(elem, shape))
}

/// The bytes of a tensor with these sizes, unless a microcontroller has fewer addresses.
pub fn checked_bytes(sizes: &[usize], elem: ElemType) -> Option<usize> {
    // Sizes beside a zero are held to the same limit, so that all that is computed of them can be counted.
    let bytes = sizes.iter().try_fold(elem.size(), |product, &size| product.checked_mul(size.max(1)))?;
    u32::try_from(bytes).ok().map(|_| if sizes.contains(&0) { 0 } else { bytes })
}

fn wrong_length(stored: &proto::Tensor, ty: &TensorType, found: usize) -> Refusal {
    Refusal::new(
        format!("tensor `{}` is {ty}, which takes {} bytes, but {found} bytes are stored", stored.name, ty.bytes()),
        "export the model again; this file is damaged",
    )
}

/// Elements in the typed fields: narrow integers and half floats travel in `int32_data`.
fn typed(stored: &proto::Tensor, ty: TensorType) -> Result<Tensor> {
    let mut bytes = Vec::new();
    match ty.elem {
        ElemType::F32 => append(&stored.float_data, &mut bytes),
        ElemType::F64 => append(&stored.double_data, &mut bytes),
        ElemType::I64 => append(&stored.int64_data, &mut bytes),
        ElemType::U64 => append(&stored.uint64_data, &mut bytes),
        ElemType::U32 => narrow::<u32, _>(&stored.uint64_data, &mut bytes, stored)?,
        ElemType::I32 => append(&stored.int32_data, &mut bytes),
        ElemType::I16 => narrow::<i16, _>(&stored.int32_data, &mut bytes, stored)?,
        ElemType::I8 => narrow::<i8, _>(&stored.int32_data, &mut bytes, stored)?,
        ElemType::U16 => narrow::<u16, _>(&stored.int32_data, &mut bytes, stored)?,
        ElemType::U8 | ElemType::Bool => narrow::<u8, _>(&stored.int32_data, &mut bytes, stored)?,
        ElemType::F16 | ElemType::BF16 => narrow::<u16, _>(&stored.int32_data, &mut bytes, stored)?,
    }
    let found = bytes.len();
    Tensor::new(ty.clone(), bytes).ok_or_else(|| wrong_length(stored, &ty, found))
}

fn append<T: Element>(elements: &[T], bytes: &mut Vec<u8>) {
    elements.iter().for_each(|element| element.append(bytes));
}

fn narrow<T: Element + TryFrom<S>, S: Copy + std::fmt::Display>(
    elements: &[S],
    bytes: &mut Vec<u8>,
    stored: &proto::Tensor,
) -> Result<()> {
    for &element in elements {
        let narrowed = T::try_from(element).map_err(|_| {
            Refusal::new(
                format!("tensor `{}` holds {element}, which is no {}", stored.name, T::ELEM),
                "export the model again; this file is damaged",
            )
        })?;
        narrowed.append(bytes);
    }
    Ok(())
}

/// Data in a file beside the model: <https://onnx.ai/onnx/repo-docs/ExternalData.html>
fn external(stored: &proto::Tensor, ty: TensorType, source: &Source) -> Result<Tensor> {
    let entry = |key: &str| stored.external_data.iter().find(|pair| pair.key == key).map(|pair| pair.value.as_str());
    let location = entry("location").ok_or_else(|| {
        Refusal::new(
            format!("the external data of tensor `{}` names no file", stored.name),
            "save the model again with its external data, or with all data inside",
        )
    })?;
    let number = |key: &str, default: usize| match entry(key) {
        None => Ok(default),
        Some(text) => text.parse::<usize>().map_err(|_| {
            Refusal::new(
                format!("the external data of tensor `{}` has {key} `{text}`, which is no number of bytes", stored.name),
                "save the model again with its external data, or with all data inside",
            )
        }),
    };
    let offset = number("offset", 0)?;
    let length = number("length", ty.bytes())?;
    let file = source.side_file(location).map_err(|problem| {
        Refusal::new(
            format!("the data of tensor `{}` lies in `{location}`, which cannot be read: {problem}", stored.name),
            match location.split(['/', '\\']).any(|part| part == "..") || location.starts_with('/') {
                true => "save the model again with its data in a file beside it, or with all data inside".to_owned(),
                false => format!("put `{location}` beside the model, or save the model with all data inside"),
            },
        )
    })?;
    let end = offset.checked_add(length).filter(|&end| end <= file.len()).ok_or_else(|| {
        Refusal::new(
            format!(
                "the data of tensor `{}` is bytes {offset}..{} of `{location}`, which has {}",
                stored.name,
                offset.saturating_add(length),
                file.len()
            ),
            format!("put the `{location}` that was saved with this model beside it"),
        )
    })?;
    Tensor::new(ty.clone(), file.slice(offset..end)).ok_or_else(|| wrong_length(stored, &ty, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::f16;

    fn stored(data_type: DataType, dims: &[i64]) -> proto::Tensor {
        proto::Tensor { data_type: data_type.into(), dims: dims.to_vec(), name: "t".into(), ..Default::default() }
    }

    fn source() -> Source<'static> {
        Source::new("test.onnx", Vec::new())
    }

    #[test]
    fn typed_fields_are_read() {
        let tensor = proto::Tensor { float_data: vec![1.0, -2.5], ..stored(DataType::Float, &[2]) };
        assert_eq!(read(&tensor, &source()).unwrap().to_vec::<f32>(), [1.0, -2.5]);
        let tensor = proto::Tensor { int32_data: vec![-3, 7], ..stored(DataType::Int8, &[2, 1]) };
        assert_eq!(read(&tensor, &source()).unwrap().to_vec::<i8>(), [-3, 7]);
        let tensor = proto::Tensor { int32_data: vec![f16::from_f32(1.5).to_bits().into()], ..stored(DataType::Float16, &[]) };
        assert_eq!(read(&tensor, &source()).unwrap().to_vec::<f16>(), [f16::from_f32(1.5)]);
        let tensor = proto::Tensor { uint64_data: vec![9], ..stored(DataType::Uint32, &[1]) };
        assert_eq!(read(&tensor, &source()).unwrap().to_vec::<u32>(), [9]);
    }

    #[test]
    fn damaged_tensors_are_refused() {
        let cases = [
            (stored(DataType::Float, &[-1]), "impossible shape [-1]"),
            (stored(DataType::Float, &[i64::MAX, 2]), "impossible shape"),
            (stored(DataType::Float, &[3]), "takes 12 bytes, but 0 bytes are stored"),
            (stored(DataType::String, &[1]), "element type string is not supported"),
            (proto::Tensor { int32_data: vec![300], ..stored(DataType::Uint8, &[1]) }, "holds 300, which is no u8"),
            (proto::Tensor { data_type: 99, ..stored(DataType::Float, &[1]) }, "element type number 99"),
        ];
        for (tensor, expected) in cases {
            let refusal = read(&tensor, &source()).unwrap_err();
            assert!(refusal.message.contains(expected), "{} lacks {expected}", refusal.message);
        }
    }
}
