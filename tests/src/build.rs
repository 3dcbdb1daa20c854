//! Builds small ONNX models with `onnx-protobuf`, in the notation in which types are printed: `f32[1, N, ?]`.
//!
//! ```
//! use model_tests::build::{Build, tensor};
//!
//! let bytes = Build::new(13)
//!     .input("x", "f32[1, 4]")
//!     .initializer(tensor("b", &[4], &[1.0f32, 2.0, 3.0, 4.0]))
//!     .node("Add", &["x", "b"], &["sum"])
//!     .node("Softmax", &["sum"], &["y"])
//!     .name("/head/Softmax")
//!     .int("axis", 1)
//!     .output("y", "f32[1, 4]")
//!     .to_bytes();
//! assert_eq!(bytes[0], 0x08, "the IR version comes first");
//! ```

pub use onnx_protobuf::attribute_proto::AttributeType;
use onnx_protobuf::tensor_proto::{DataLocation, DataType};
use onnx_protobuf::tensor_shape_proto::{Dimension, dimension};
use onnx_protobuf::{
    AttributeProto, FunctionProto, ModelProto, NodeProto, OperatorSetIdProto, StringStringEntryProto, TensorProto,
    TensorShapeProto, TypeProto, ValueInfoProto, type_proto,
};
use protobuf::{EnumOrUnknown, Message, MessageField};

/// Element types by the names that they print as.
const ELEM_TYPES: &[(&str, DataType)] = &[
    ("bool", DataType::BOOL),
    ("i8", DataType::INT8),
    ("i16", DataType::INT16),
    ("i32", DataType::INT32),
    ("i64", DataType::INT64),
    ("u8", DataType::UINT8),
    ("u16", DataType::UINT16),
    ("u32", DataType::UINT32),
    ("u64", DataType::UINT64),
    ("f16", DataType::FLOAT16),
    ("bf16", DataType::BFLOAT16),
    ("f32", DataType::FLOAT),
    ("f64", DataType::DOUBLE),
    ("string", DataType::STRING),
];

/// The number that a file has for the element type of this name.
pub fn data_type(name: &str) -> DataType {
    let found = ELEM_TYPES.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no element type is called `{name}`")).1
}

/// A model that is being built.
#[derive(Clone, Debug)]
pub struct Build(ModelProto);

impl Build {
    /// An empty model for an operator set of ONNX's own domain, with IR version 8.
    pub fn new(opset: i64) -> Self {
        let mut model = ModelProto::new();
        model.ir_version = 8;
        model.producer_name = "model-tests".to_owned();
        model.graph.mut_or_insert_default().name = "graph".to_owned();
        Self(model).opset("", opset)
    }

    /// Sets the IR version.
    pub fn ir(mut self, version: i64) -> Self {
        self.0.ir_version = version;
        self
    }

    /// Imports an operator set.
    pub fn opset(mut self, domain: &str, version: i64) -> Self {
        let opset = OperatorSetIdProto { domain: domain.to_owned(), version, ..Default::default() };
        self.0.opset_import.push(opset);
        self
    }

    /// Adds an input of the graph.
    pub fn input(mut self, name: &str, ty: &str) -> Self {
        self.0.graph.mut_or_insert_default().input.push(value(name, ty));
        self
    }

    /// Adds an output of the graph.
    pub fn output(mut self, name: &str, ty: &str) -> Self {
        self.0.graph.mut_or_insert_default().output.push(value(name, ty));
        self
    }

    /// Adds an initializer.
    pub fn initializer(mut self, tensor: TensorProto) -> Self {
        self.0.graph.mut_or_insert_default().initializer.push(tensor);
        self
    }

    /// Adds a node. `domain::Op` names an operator of another domain.
    pub fn node(mut self, op: &str, inputs: &[&str], outputs: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let (domain, op_type) = op.rsplit_once("::").unwrap_or(("", op));
        self.0.graph.mut_or_insert_default().node.push(NodeProto {
            domain: domain.to_owned(),
            op_type: op_type.to_owned(),
            input: owned(inputs),
            output: owned(outputs),
            ..Default::default()
        });
        self
    }

    /// Names the node that was added last.
    pub fn name(mut self, name: &str) -> Self {
        self.last_node().name = name.to_owned();
        self
    }

    /// Gives the last node an integer.
    pub fn int(self, name: &str, i: i64) -> Self {
        self.attribute(name, AttributeType::INT, |attribute| attribute.i = i)
    }

    /// Gives the last node integers.
    pub fn ints(self, name: &str, ints: &[i64]) -> Self {
        self.attribute(name, AttributeType::INTS, |attribute| attribute.ints = ints.to_vec())
    }

    /// Gives the last node a float.
    pub fn float(self, name: &str, f: f32) -> Self {
        self.attribute(name, AttributeType::FLOAT, |attribute| attribute.f = f)
    }

    /// Gives the last node floats.
    pub fn floats(self, name: &str, floats: &[f32]) -> Self {
        self.attribute(name, AttributeType::FLOATS, |attribute| attribute.floats = floats.to_vec())
    }

    /// Gives the last node strings.
    pub fn strings(self, name: &str, strings: &[&str]) -> Self {
        let strings = strings.iter().map(|string| string.as_bytes().to_vec()).collect();
        self.attribute(name, AttributeType::STRINGS, |attribute| attribute.strings = strings)
    }

    /// Gives the last node a string.
    pub fn string(self, name: &str, s: &str) -> Self {
        self.attribute(name, AttributeType::STRING, |attribute| attribute.s = s.as_bytes().to_vec())
    }

    /// Gives the last node a tensor.
    pub fn tensor(self, name: &str, tensor: TensorProto) -> Self {
        self.attribute(name, AttributeType::TENSOR, |attribute| attribute.t = MessageField::some(tensor))
    }

    /// Gives the last node the graph of another model.
    pub fn graph(self, name: &str, model: Self) -> Self {
        self.attribute(name, AttributeType::GRAPH, |attribute| attribute.g = model.0.graph)
    }

    /// Lets an attribute of the last node be the one called `of` of the function around it.
    pub fn attribute_of_call(self, name: &str, ty: AttributeType, of: &str) -> Self {
        self.attribute(name, ty, |attribute| attribute.ref_attr_name = of.to_owned())
    }

    /// Defines a function: the nodes of another model, whose domain is before its name.
    pub fn function(mut self, name: &str, inputs: &[&str], outputs: &[&str], body: Self) -> Self {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        let (domain, name) = name.split_once("::").unwrap_or(("", name));
        self.0.functions.push(FunctionProto {
            name: name.to_owned(),
            domain: domain.to_owned(),
            input: owned(inputs),
            output: owned(outputs),
            node: body.0.graph.unwrap_or_default().node,
            opset_import: body.0.opset_import,
            ..Default::default()
        });
        self
    }

    fn attribute(mut self, name: &str, ty: AttributeType, set: impl FnOnce(&mut AttributeProto)) -> Self {
        let mut attribute = AttributeProto { name: name.to_owned(), type_: EnumOrUnknown::new(ty), ..Default::default() };
        set(&mut attribute);
        self.last_node().attribute.push(attribute);
        self
    }

    fn last_node(&mut self) -> &mut NodeProto {
        self.0.graph.mut_or_insert_default().node.last_mut().expect("a node comes before its name and attributes")
    }

    /// The message, for what the other methods do not offer.
    pub fn message(&mut self) -> &mut ModelProto {
        &mut self.0
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.write_to_bytes().expect("all fields are set")
    }
}

/// A graph's input or output of the type that `ty` prints: `f32[1, N, ?]`, where `N` is a symbol and `?` an unnamed dimension.
pub fn value(name: &str, ty: &str) -> ValueInfoProto {
    let (elem, sizes) = ty.strip_suffix(']').and_then(|ty| ty.split_once('[')).unwrap_or_else(|| panic!("`{ty}` is no type"));
    let dimension = |size: &str| {
        let value = match size.parse() {
            Ok(size) => Some(dimension::Value::DimValue(size)),
            Err(_) if size == "?" => None,
            Err(_) => Some(dimension::Value::DimParam(size.to_owned())),
        };
        Dimension { value, ..Default::default() }
    };
    let sizes = sizes.split(", ").filter(|size| !size.is_empty());
    let shape = TensorShapeProto { dim: sizes.map(dimension).collect(), ..Default::default() };
    let tensor = type_proto::Tensor { elem_type: data_type(elem) as i32, shape: MessageField::some(shape), ..Default::default() };
    let ty = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    ValueInfoProto { name: name.to_owned(), type_: MessageField::some(ty), ..Default::default() }
}

/// A type of numbers that a typed field of a tensor holds.
pub trait Number: Copy {
    /// What ONNX calls it.
    const DATA_TYPE: DataType;

    /// Puts elements into the field that the specification names for them.
    fn store(elements: &[Self], tensor: &mut TensorProto);
}

/// `numbers! { i8 INT8 int32_data i32 }` stores `i8` as `i32` in `int32_data`.
macro_rules! numbers {
    ($($ty:ty, $data_type:ident, $field:ident, $stored:ty;)*) => { $(
        impl Number for $ty {
            const DATA_TYPE: DataType = DataType::$data_type;

            fn store(elements: &[Self], tensor: &mut TensorProto) {
                tensor.$field = elements.iter().map(|&element| <$stored>::from(element)).collect();
            }
        }
    )* };
}

numbers! {
    bool, BOOL, int32_data, i32;
    i8, INT8, int32_data, i32;
    i16, INT16, int32_data, i32;
    i32, INT32, int32_data, i32;
    i64, INT64, int64_data, i64;
    u8, UINT8, int32_data, i32;
    u16, UINT16, int32_data, i32;
    u32, UINT32, uint64_data, u64;
    u64, UINT64, uint64_data, u64;
    f32, FLOAT, float_data, f32;
    f64, DOUBLE, double_data, f64;
}

/// A tensor whose elements lie in a typed field.
pub fn tensor<T: Number>(name: &str, dims: &[i64], elements: &[T]) -> TensorProto {
    let mut tensor = stored(name, dims, T::DATA_TYPE);
    T::store(elements, &mut tensor);
    tensor
}

/// A tensor whose elements are little-endian bytes.
pub fn raw_tensor(name: &str, dims: &[i64], data_type: DataType, bytes: &[u8]) -> TensorProto {
    TensorProto { raw_data: bytes.to_vec(), ..stored(name, dims, data_type) }
}

/// A tensor whose elements lie in a file beside the model, as the pairs of `entries` say.
pub fn external_tensor(name: &str, dims: &[i64], data_type: DataType, entries: &[(&str, &str)]) -> TensorProto {
    let entry = |&(key, value): &(&str, &str)| StringStringEntryProto {
        key: key.to_owned(),
        value: value.to_owned(),
        ..Default::default()
    };
    TensorProto {
        data_location: EnumOrUnknown::new(DataLocation::EXTERNAL),
        external_data: entries.iter().map(entry).collect(),
        ..stored(name, dims, data_type)
    }
}

fn stored(name: &str, dims: &[i64], data_type: DataType) -> TensorProto {
    TensorProto { name: name.to_owned(), dims: dims.to_vec(), data_type: data_type as i32, ..Default::default() }
}
