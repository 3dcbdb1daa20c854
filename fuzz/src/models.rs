//! Files, whole models, and models that are changed here and there: the compiler answers each, and does not panic.

use std::sync::LazyLock;

use model_compiler::onnx::{Source, parse};
use model_compiler::{Options, op};
use model_tests::models;
use onnx_protobuf::attribute_proto::AttributeType;
use onnx_protobuf::{AttributeProto, GraphProto, ModelProto};
use protobuf::{EnumOrUnknown, Message};

use crate::choices::Choices;

/// Any bytes as a file.
pub fn decode(bytes: &[u8]) {
    let source = Source::new("fuzz.onnx", bytes.to_vec());
    if let Err(diagnostics) = parse(&source) {
        assert!(!diagnostics.faults.is_empty(), "a file is refused without a reason");
    }
}

/// Any bytes as a model, through the whole lane.
pub fn compile(bytes: &[u8]) {
    let source = Source::new("fuzz.onnx", bytes.to_vec());
    match model_compiler::compile(&source, &Options::new("fuzz")) {
        Ok(tokens) => assert!(!tokens.is_empty()),
        Err(diagnostics) => assert!(!diagnostics.faults.is_empty(), "a model is refused without a reason"),
    }
}

/// Stored models, changed in places that bytes choose. This way most models get past the decoder, into readers, passes and the plan.
pub fn structured(bytes: &[u8]) {
    let mut choices = Choices::new(bytes);
    let Some(mut model) = choices.one_of(&STORED).cloned() else { return };
    let graph = model.graph.mut_or_insert_default();
    for _ in 0..16 {
        if choices.is_empty() {
            break;
        }
        change(graph, &mut choices);
    }
    if let Ok(bytes) = model.write_to_bytes() {
        compile(&bytes);
    }
}

/// The models of the tests.
static STORED: LazyLock<Vec<ModelProto>> = LazyLock::new(|| {
    let files = models::stored().into_iter().filter(|file| file.path().extension().is_some_and(|extension| extension == "onnx"));
    files.filter_map(|file| ModelProto::parse_from_bytes(&file.bytes).ok()).collect()
});

/// The operators, each once.
static OPERATORS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let mut names: Vec<&str> = op::definitions().map(|definition| definition.name).collect();
    names.dedup();
    names
});

/// Sizes and attributes at the borders of what is allowed, and beyond.
const NUMBERS: [i64; 16] = [0, 1, 2, 3, 4, 5, 7, 8, 12, -1, -2, 100, 1 << 20, 1 << 31, i64::MAX, i64::MIN];

/// Attributes that many operators have.
const ATTRIBUTES: [&str; 14] = [
    "axis",
    "axes",
    "group",
    "pads",
    "strides",
    "dilations",
    "kernel_shape",
    "perm",
    "keepdims",
    "transB",
    "to",
    "auto_pad",
    "direction",
    "mode",
];

const ELEMENTS: [f32; 6] = [0.0, -1.5, f32::NAN, f32::INFINITY, f32::MIN_POSITIVE, f32::MAX];

/// One change.
fn change(graph: &mut GraphProto, choices: &mut Choices) {
    let names: Vec<String> = graph.node.iter().flat_map(|node| node.output.iter().chain(&node.input)).cloned().collect();
    let number = |choices: &mut Choices| NUMBERS[choices.below(NUMBERS.len())];
    let kind = choices.below(9);
    let [nodes, initializers, inputs] = [graph.node.len(), graph.initializer.len(), graph.input.len()].map(|len| len.max(1));
    let [node, initializer, input] = [nodes, initializers, inputs].map(|len| choices.below(len));
    match (kind, graph.node.get_mut(node), graph.initializer.get_mut(initializer), graph.input.get_mut(input)) {
        (0, Some(node), ..) => {
            let full = choices.one_of(&OPERATORS).copied().unwrap_or_default();
            let (domain, op_type) = full.rsplit_once("::").unwrap_or(("", full));
            (node.domain, node.op_type) = (domain.to_owned(), op_type.to_owned());
        }
        (1, Some(node), ..) => {
            let place = choices.below(node.input.len() + 1);
            let name = choices.one_of(&names).cloned().unwrap_or_default();
            match node.input.get_mut(place) {
                Some(input) => *input = name,
                None => node.input.push(name),
            }
        }
        (2, Some(node), ..) => {
            let name = ATTRIBUTES[choices.below(ATTRIBUTES.len())];
            node.attribute.retain(|attribute| attribute.name != name);
            node.attribute.push(attribute(name, choices));
        }
        (3, _, Some(tensor), _) => {
            let axis = choices.below(tensor.dims.len() + 1);
            tensor.dims.resize(tensor.dims.len().max(axis + 1), 1);
            tensor.dims[axis] = number(choices);
        }
        (4, _, Some(tensor), _) => {
            let float = ELEMENTS[choices.below(ELEMENTS.len())];
            tensor.float_data.iter_mut().take(4).for_each(|element| *element = float);
            let integer = number(choices);
            tensor.int64_data.iter_mut().take(4).for_each(|element| *element = integer);
        }
        (5, _, Some(tensor), _) => tensor.data_type = i32::try_from(choices.below(20)).unwrap_or_default(),
        (6, .., Some(input)) => {
            let ty = input.type_.mut_or_insert_default().mut_tensor_type();
            let dims = &mut ty.shape.mut_or_insert_default().dim;
            let axis = choices.below(dims.len() + 1);
            dims.resize(dims.len().max(axis + 1), Default::default());
            dims[axis].set_dim_value(number(choices));
        }
        (7, Some(_), ..) => {
            let copy = graph.node[node].clone();
            graph.node.insert(choices.below(nodes), copy);
        }
        (8, Some(_), ..) => drop(graph.node.remove(node)),
        _ => {}
    }
}

/// An attribute of any kind.
fn attribute(name: &str, choices: &mut Choices) -> AttributeProto {
    let mut attribute = AttributeProto { name: name.to_owned(), ..Default::default() };
    let (kind, count) = (choices.below(4), choices.upto(5));
    let mut numbers = (0..count).map(|_| NUMBERS[choices.below(NUMBERS.len())]);
    attribute.type_ = EnumOrUnknown::new(match kind {
        0 => {
            attribute.i = numbers.next().unwrap_or_default();
            AttributeType::INT
        }
        1 => {
            attribute.ints = numbers.collect();
            AttributeType::INTS
        }
        2 => {
            attribute.f = ELEMENTS[choices.below(ELEMENTS.len())];
            AttributeType::FLOAT
        }
        _ => {
            attribute.s = [&b"SAME_UPPER"[..], b"VALID", b"bidirectional", b"reflect", b"linear", b""][count].to_vec();
            AttributeType::STRING
        }
    });
    attribute
}
