//! Golden vectors, the argument `verify`: an `.npz` file with an array for each input and output of the model, named after it, of which the
//! first axis counts samples.

use crate::diagnostic::{Diagnostic, Subject};
use crate::graph::{Graph, ValueId};
use crate::onnx::Source;
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape, TensorType};

/// What the arguments say of the golden vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Verify {
    /// The file, which lies beside the model.
    pub file: String,
    /// How far an output may be off: an integer by so many steps, a float by that part of the output's largest magnitude.
    pub tolerance: Option<f64>,
    /// When the model is held to them.
    pub at: At,
}

/// When a model is held to its golden vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// By a test in its module.
    Test,
    /// While compiling, by the reference evaluation, and by the test.
    Build,
}

/// The golden vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Golden {
    /// The file that they are from.
    pub(crate) file: String,
    /// What a run is given.
    pub(crate) inputs: Vec<Samples>,
    /// What it yields.
    pub(crate) outputs: Vec<Samples>,
    /// What nodes compute on the way, of which the file has arrays too, in the order of the nodes.
    pub(crate) within: Vec<(ValueId, Samples)>,
    /// How many samples each tensor has.
    pub(crate) samples: usize,
    pub(crate) tolerance: Option<f64>,
}

/// The samples of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
    /// The tensor's name.
    pub(crate) name: String,
    /// The type of one sample.
    pub(crate) ty: TensorType,
    /// One sample after the other, in little-endian bytes.
    pub(crate) bytes: Vec<u8>,
}

impl Samples {
    /// One of them.
    pub(crate) fn tensor(&self, sample: usize) -> Tensor {
        let len = self.ty.bytes();
        Tensor::new(self.ty.clone(), self.bytes[sample * len..][..len].to_vec()).expect("each sample has the type's bytes")
    }
}

/// An array of the file.
struct Array {
    sizes: Vec<usize>,
    /// Row-major little-endian elements.
    bytes: Vec<u8>,
}

/// Reads the golden vectors of what a run is given and yields, and of what the nodes of `graph`, as it was imported, compute on the way. Of a
/// model with state they are one sequence.
pub fn read(graph: &Graph, verify: &Verify, source: &Source) -> Result<Golden, Diagnostic> {
    let file = source.side_file(&verify.file).map_err(|problem| {
        Diagnostic::new(
            format!("`{}` cannot be read: {problem}", verify.file),
            "put the file with the golden vectors beside the model",
        )
    });
    let golden = file.and_then(|file| {
        let mut arrays = npz::Arrays::open(&file, &verify.file)?;
        let mut tensors = |ids: &[ValueId]| -> Result<Vec<Samples>, Diagnostic> {
            ids.iter().map(|&id| tensor(&mut arrays, &graph.value(id).name, graph.ty(id), &verify.file)).collect()
        };
        let given: Vec<ValueId> = graph.given().map(|place| graph.inputs[place]).collect();
        let yielded: Vec<ValueId> = graph.yielded().map(|place| graph.outputs[place]).collect();
        let (inputs, outputs) = (tensors(&given)?, tensors(&yielded)?);
        let names = if verify.at == At::Build { arrays.names()? } else { Vec::new() };
        let within = within(graph, &names, &[given, yielded].concat());
        let samples_within = within.iter().map(|&id| tensor(&mut arrays, &graph.value(id).name, graph.ty(id), &verify.file));
        let samples_within = samples_within.collect::<Result<Vec<Samples>, Diagnostic>>()?;
        let count = |samples: &Samples| samples.bytes.len() / samples.ty.bytes().max(1);
        let samples = outputs.first().map_or(0, count);
        if let Some(other) = inputs.iter().chain(&outputs).chain(&samples_within).map(count).find(|&other| other != samples) {
            return Err(Diagnostic::new(
                format!("the arrays of `{}` have {samples} and {other} samples; expected as many in each", verify.file),
                "store all arrays with the same first axis",
            ));
        }
        let within = within.into_iter().zip(samples_within).collect();
        Ok(Golden { file: verify.file.clone(), inputs, outputs, within, samples, tolerance: verify.tolerance })
    });
    golden.map_err(|fault| fault.about(Subject::Verify))
}

/// The values of these names that nodes compute, in the order of the nodes, but for `others`.
fn within(graph: &Graph, names: &[String], others: &[ValueId]) -> Vec<ValueId> {
    let computed: Vec<ValueId> = graph.nodes.iter().flat_map(|node| node.outputs.iter().copied()).collect();
    let name = |id: ValueId| &graph.value(id).name;
    // Of several the last: what an import puts around a node bears the node's name, which may be that of its output.
    let last = |place: usize| computed[place + 1..].iter().all(|&later| name(later) != name(computed[place]));
    let named = (0..computed.len()).filter(|&place| names.contains(name(computed[place])) && last(place));
    named.map(|place| computed[place]).filter(|id| !others.contains(id)).collect()
}

/// The samples of one tensor, at least one.
fn tensor(arrays: &mut npz::Arrays, name: &str, ty: &TensorType, file: &str) -> Result<Samples, Diagnostic> {
    let Array { sizes, bytes } = arrays.read(name, ty.elem)?;
    let plain = |sizes: &[usize]| sizes.iter().copied().skip_while(|&size| size == 1).collect::<Shape>();
    match sizes.split_first() {
        Some((&samples, rest)) if samples > 0 && plain(rest) == plain(&ty.shape) => {
            Ok(Samples { name: name.to_owned(), ty: ty.clone(), bytes })
        }
        _ => Err(Diagnostic::new(
            format!("array `{name}` of `{file}` has the sizes {sizes:?}; expected samples of {ty}"),
            "stack the samples along a new first axis, at least one",
        )),
    }
}

#[cfg(feature = "npz")]
mod npz {
    use std::io::Cursor;

    use ndarray::{IxDyn, OwnedRepr};
    use ndarray_npy::{NpzReader, ReadableElement};
    use prost::bytes::Bytes;

    use super::{Array, Diagnostic, ElemType};
    use crate::tensor::Element;

    /// An open file.
    pub(super) struct Arrays<'a> {
        reader: NpzReader<Cursor<Bytes>>,
        file: &'a str,
    }

    impl<'a> Arrays<'a> {
        pub(super) fn open(bytes: &Bytes, file: &'a str) -> Result<Self, Diagnostic> {
            let reader = NpzReader::new(Cursor::new(bytes.clone())).map_err(|error| {
                Diagnostic::new(format!("`{file}` is no `.npz` file: {error}"), "save the arrays with `numpy.savez`")
            })?;
            Ok(Self { reader, file })
        }

        /// The names of the arrays.
        pub(super) fn names(&mut self) -> Result<Vec<String>, Diagnostic> {
            let names = self.reader.names().map_err(|error| {
                Diagnostic::new(format!("`{}` cannot be read: {error}", self.file), "save the arrays with `numpy.savez`")
            })?;
            Ok(names.into_iter().map(|name| name.trim_end_matches(".npy").to_owned()).collect())
        }

        /// The array `name`, which must hold elements of type `elem`.
        pub(super) fn read(&mut self, name: &str, elem: ElemType) -> Result<Array, Diagnostic> {
            match elem {
                ElemType::Bool => self.elements::<bool, u8>(name, u8::from),
                ElemType::I8 => self.elements::<i8, _>(name, |element| element),
                ElemType::I16 => self.elements::<i16, _>(name, |element| element),
                ElemType::I32 => self.elements::<i32, _>(name, |element| element),
                ElemType::I64 => self.elements::<i64, _>(name, |element| element),
                ElemType::U8 => self.elements::<u8, _>(name, |element| element),
                ElemType::U16 => self.elements::<u16, _>(name, |element| element),
                ElemType::U32 => self.elements::<u32, _>(name, |element| element),
                ElemType::U64 => self.elements::<u64, _>(name, |element| element),
                ElemType::F32 => self.elements::<f32, _>(name, |element| element),
                ElemType::F64 => self.elements::<f64, _>(name, |element| element),
                // NumPy has the first of these two, the reader has none.
                ElemType::F16 => self.elements::<f32, _>(name, half::f16::from_f32),
                ElemType::BF16 => self.elements::<f32, _>(name, half::bf16::from_f32),
            }
        }

        fn elements<T: ReadableElement + Copy, E: Element>(
            &mut self,
            name: &str,
            stored: fn(T) -> E,
        ) -> Result<Array, Diagnostic> {
            let array = self.reader.by_name::<OwnedRepr<T>, IxDyn>(name).map_err(|error| {
                let names = self.reader.names().unwrap_or_default().join("`, `");
                Diagnostic::new(
                    format!("array `{name}` of `{}` cannot be read as {}: {error}", self.file, E::ELEM),
                    "store an array for each input and output under its name, in its type",
                )
                .note(format!("the file holds `{names}`"))
            })?;
            let mut bytes = Vec::new();
            array.iter().for_each(|&element| stored(element).append(&mut bytes));
            Ok(Array { sizes: array.shape().to_vec(), bytes })
        }
    }
}

#[cfg(not(feature = "npz"))]
mod npz {
    use prost::bytes::Bytes;

    use super::{Array, Diagnostic, ElemType};

    /// What there cannot be without the reader.
    pub(super) enum Arrays {}

    impl Arrays {
        pub(super) fn open(_: &Bytes, file: &str) -> Result<Self, Diagnostic> {
            Err(Diagnostic::new(
                format!("`{file}` cannot be read, as this build has no reader of `.npz` files"),
                "give the dependency its feature: `model-runtime = { …, features = [\"npz\"] }`",
            ))
        }

        pub(super) fn names(&mut self) -> Result<Vec<String>, Diagnostic> {
            match *self {}
        }

        pub(super) fn read(&mut self, _: &str, _: ElemType) -> Result<Array, Diagnostic> {
            match *self {}
        }
    }
}
