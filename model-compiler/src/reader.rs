//! One node of the file as its operator's reader sees it: attributes, inputs, constants.

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::diagnostic::{Refusal, Result};
use crate::graph::{Graph, Integers, Labels, ValueId};
use crate::onnx::proto::{self, AttributeType};
use crate::onnx::{Source, tensor};
use crate::op::Op;
use crate::ops::reshape::Reshape;
use crate::ops::transpose::Transpose;
use crate::tensor::Tensor;
use crate::ty::{ElemType, Shape, TensorType};

/// Reads one node and pushes core operators to the graph. It remembers what was read, so that the importer can refuse a node
/// with an attribute or input that nobody asked for.
pub struct NodeReader<'a> {
    graph: &'a mut Graph,
    node: &'a proto::Node,
    source: &'a Source<'a>,
    opset: i64,
    origin: Vec<String>,
    inputs: Vec<Option<ValueId>>,
    attributes_read: RefCell<BTreeSet<&'static str>>,
    inputs_read: RefCell<BTreeSet<usize>>,
}

impl<'a> NodeReader<'a> {
    pub(crate) fn new(
        graph: &'a mut Graph,
        node: &'a proto::Node,
        source: &'a Source<'a>,
        opset: i64,
        origin: String,
        inputs: Vec<Option<ValueId>>,
    ) -> Self {
        Self {
            graph,
            node,
            source,
            opset,
            origin: vec![origin],
            inputs,
            attributes_read: RefCell::default(),
            inputs_read: RefCell::default(),
        }
    }

    /// The version of the operator set that the node belongs to.
    pub fn opset(&self) -> i64 {
        self.opset
    }

    /// The ONNX operator.
    pub fn op_type(&self) -> &str {
        &self.node.op_type
    }

    // ---------------------------------------------------------------- inputs

    /// How many inputs the node lists, omitted ones included.
    pub fn input_count(&self) -> usize {
        self.inputs.len()
    }

    /// How many outputs the node lists; those at the end may be omitted (empty names).
    pub fn output_count(&self) -> usize {
        self.node.output.len()
    }

    /// Whether output `index` is listed.
    pub fn has_output(&self, index: usize) -> bool {
        self.node.output.get(index).is_some_and(|name| !name.is_empty())
    }

    /// The name of output `index`.
    pub fn output_name(&self, index: usize) -> String {
        self.node.output.get(index).cloned().unwrap_or_default()
    }

    /// Adds a sentence to the module's documentation.
    pub fn note(&mut self, note: String) {
        self.graph.notes.push(note);
    }

    /// Says what the columns of output `index` are called.
    pub fn label_columns(&mut self, index: usize, labels: Labels) {
        let name = self.output_name(index);
        self.graph.labels.push((name, labels));
    }

    /// Input `index`, which the operator requires.
    pub fn input(&self, index: usize) -> Result<ValueId> {
        self.optional_input(index).ok_or_else(|| {
            Refusal::new(
                format!("input {index} is missing; the node has {}", self.inputs.iter().flatten().count()),
                "export the model again, or check it with `onnx.checker`",
            )
        })
    }

    /// Input `index`, if it is given.
    pub fn optional_input(&self, index: usize) -> Option<ValueId> {
        self.inputs_read.borrow_mut().insert(index);
        self.inputs.get(index).copied().flatten()
    }

    /// All inputs, none of which may be omitted.
    pub fn all_inputs(&self) -> Result<Vec<ValueId>> {
        (0..self.inputs.len()).map(|index| self.input(index)).collect()
    }

    /// The type of a value.
    pub fn ty(&self, id: ValueId) -> &TensorType {
        self.graph.ty(id)
    }

    /// The elements of a value, when they are known.
    pub fn value(&self, id: ValueId) -> Option<&Tensor> {
        self.graph.constant(id)
    }

    /// The elements of a value in each run of the loop around the node; none where it depends on more than the number of the run.
    pub fn in_each_run(&self, id: ValueId) -> Option<Vec<Tensor>> {
        self.graph.in_each_run(id)
    }

    /// Input `index`, called `name` by the operator, whose elements must be known now; `None` when it is omitted.
    pub fn constant(&self, index: usize, name: &str) -> Result<Option<Tensor>> {
        let Some(id) = self.optional_input(index) else { return Ok(None) };
        let found = &self.graph.value(id).name;
        self.graph.constant(id).cloned().map(Some).ok_or_else(|| {
            Refusal::new(
                format!(
                    "input `{name}` is `{found}`, which is computed at run time; it must be a constant, as it decides a shape"
                ),
                format!("export the model with fixed shapes, or store `{found}` as an initializer"),
            )
        })
    }

    /// Input `index`, called `name` by the operator, as constant integers; `None` when it is omitted.
    pub fn constant_ints(&self, index: usize, name: &str) -> Result<Option<Vec<i64>>> {
        let Some(tensor) = self.constant(index, name)? else { return Ok(None) };
        tensor.to_ints().map(Some).ok_or_else(|| {
            Refusal::new(
                format!("input `{name}` is {}; expected integers", tensor.ty()),
                "export the model again, or check it with `onnx.checker`",
            )
        })
    }

    // ------------------------------------------------------------ attributes

    fn attribute(&self, name: &'static str, expected: AttributeType) -> Result<Option<&'a proto::Attribute>> {
        self.attributes_read.borrow_mut().insert(name);
        let Some(found) = self.node.attribute.iter().find(|attribute| attribute.name == name) else {
            return Ok(None);
        };
        let kind = AttributeType::from_number(found.r#type).unwrap_or(AttributeType::Undefined);
        if kind == expected || kind == AttributeType::Undefined {
            return Ok(Some(found));
        }
        let lower = |kind: AttributeType| format!("{kind:?}").to_lowercase();
        Err(Refusal::new(
            format!("attribute `{name}` is of type {}; expected {}", lower(kind), lower(expected)),
            "export the model again, or check it with `onnx.checker`",
        ))
    }

    /// Whether attribute `name` is given, of whatever type.
    pub fn is_given(&self, name: &str) -> bool {
        self.node.attribute.iter().any(|attribute| attribute.name == name)
    }

    /// Attribute `name` as an integer.
    pub fn int(&self, name: &'static str, default: i64) -> Result<i64> {
        Ok(self.optional_int(name)?.unwrap_or(default))
    }

    /// Attribute `name` as an integer, if it is given.
    pub fn optional_int(&self, name: &'static str) -> Result<Option<i64>> {
        Ok(self.attribute(name, AttributeType::Int)?.map(|attribute| attribute.i))
    }

    /// Attribute `name` as a flag: 0 or 1.
    pub fn flag(&self, name: &'static str, default: bool) -> Result<bool> {
        match self.int(name, default.into())? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(unsupported_attribute(name, &other.to_string(), "0 or 1")),
        }
    }

    /// Attribute `name` as a float.
    pub fn float(&self, name: &'static str, default: f32) -> Result<f32> {
        Ok(self.optional_float(name)?.unwrap_or(default))
    }

    /// Attribute `name` as a float, if it is given.
    pub fn optional_float(&self, name: &'static str) -> Result<Option<f32>> {
        Ok(self.attribute(name, AttributeType::Float)?.map(|attribute| attribute.f))
    }

    /// Attribute `name` as integers, if it is given.
    pub fn ints(&self, name: &'static str) -> Result<Option<Vec<i64>>> {
        Ok(self.attribute(name, AttributeType::Ints)?.map(|attribute| attribute.ints.clone()))
    }

    /// Attribute `name` as floats, if it is given.
    pub fn floats(&self, name: &'static str) -> Result<Option<Vec<f32>>> {
        Ok(self.attribute(name, AttributeType::Floats)?.map(|attribute| attribute.floats.clone()))
    }

    /// Attribute `name` as one of `allowed` words; the first of them is the default.
    pub fn word(&self, name: &'static str, allowed: &[&'static str]) -> Result<&'static str> {
        let Some(attribute) = self.attribute(name, AttributeType::String)? else { return Ok(allowed[0]) };
        let found = String::from_utf8_lossy(&attribute.s);
        allowed.iter().find(|&&word| word == found).copied().ok_or_else(|| {
            let list: Vec<_> = allowed.iter().map(|word| format!("`{word}`")).collect();
            unsupported_attribute(name, &format!("`{found}`"), &list.join(", "))
        })
    }

    /// Attribute `name` as words, if it is given.
    pub fn words(&self, name: &'static str) -> Result<Option<Vec<String>>> {
        let words =
            |attribute: &proto::Attribute| attribute.strings.iter().map(|word| String::from_utf8_lossy(word).into()).collect();
        Ok(self.attribute(name, AttributeType::Strings)?.map(words))
    }

    /// Attribute `name` as text, if it is given.
    pub fn text(&self, name: &'static str) -> Result<Option<String>> {
        let attribute = self.attribute(name, AttributeType::String)?;
        Ok(attribute.map(|attribute| String::from_utf8_lossy(&attribute.s).into_owned()))
    }

    /// Attribute `name` as a tensor, if it is given.
    pub fn tensor(&self, name: &'static str) -> Result<Option<Tensor>> {
        let Some(attribute) = self.attribute(name, AttributeType::Tensor)? else { return Ok(None) };
        let stored = attribute.t.as_ref().ok_or_else(|| {
            Refusal::new(format!("attribute `{name}` holds no tensor"), "export the model again, or check it with `onnx.checker`")
        })?;
        tensor::read(stored, self.source).map(Some)
    }

    /// Attribute `name` as an element type, if it is given.
    pub fn elem_type(&self, name: &'static str) -> Result<Option<ElemType>> {
        let Some(number) = self.optional_int(name)? else { return Ok(None) };
        tensor::elem_type(i32::try_from(number).unwrap_or(-1)).map(Some)
    }

    /// Takes note of an attribute that says nothing to a compiler.
    pub fn ignore(&self, name: &'static str) {
        self.attributes_read.borrow_mut().insert(name);
    }

    /// Attribute `name` as an axis of a tensor with `rank` dimensions; negative ones count from the end.
    pub fn axis(&self, name: &'static str, default: i64, rank: usize) -> Result<usize> {
        axis(name, self.int(name, default)?, rank)
    }

    // --------------------------------------------------------------- results

    /// Pushes a core operator with one result.
    pub fn push(&mut self, op: impl Into<Op>, inputs: &[ValueId]) -> Result<ValueId> {
        Ok(self.graph.push(op.into(), inputs, &self.origin)?[0])
    }

    /// Pushes a core operator.
    pub fn push_all(&mut self, op: impl Into<Op>, inputs: &[ValueId]) -> Result<Vec<ValueId>> {
        self.graph.push(op.into(), inputs, &self.origin)
    }

    /// Pushes a core operator on input 0 and returns it as the node's only output.
    pub fn unary(&mut self, op: impl Into<Op>) -> Result<Vec<ValueId>> {
        let input = self.input(0)?;
        Ok(vec![self.push(op, &[input])?])
    }

    /// Adds a constant.
    pub fn add_constant(&mut self, tensor: Tensor) -> ValueId {
        let name = self.node.output.first().cloned().unwrap_or_default();
        self.graph.add_computed(name, tensor)
    }

    /// Gives a value that is made of another the other's name.
    pub fn name_like(&mut self, made: ValueId, of: ValueId) {
        let name = self.graph.value(of).name.clone();
        self.graph.rename(made, name);
    }

    /// Lets what reads the node from here on see these inputs.
    pub fn set_inputs(&mut self, inputs: Vec<Option<ValueId>>) {
        self.inputs = inputs;
        self.inputs_read.borrow_mut().clear();
    }

    /// Remembers what a constant was dequantized from.
    pub fn remember(&mut self, id: ValueId, integers: Integers) {
        self.graph.remember(id, integers);
    }

    /// The same elements in another shape.
    pub fn reshape(&mut self, input: ValueId, shape: impl Into<Shape>) -> Result<ValueId> {
        let shape = shape.into();
        if shape == self.ty(input).shape {
            return Ok(input);
        }
        self.push(Reshape { shape }, &[input])
    }

    /// The axes in another order: output axis `k` is input axis `perm[k]`.
    pub fn transpose(&mut self, input: ValueId, perm: Vec<usize>) -> Result<ValueId> {
        self.push(Transpose { perm }, &[input])
    }

    /// Refuses what the reader did not read.
    pub(crate) fn finish(&self) -> Result<()> {
        let read = self.attributes_read.borrow();
        if let Some(unknown) = self.node.attribute.iter().find(|attribute| !read.contains(attribute.name.as_str())) {
            let known: Vec<_> = read.iter().map(|name| format!("`{name}`")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(Refusal::new(
                format!("unknown attribute `{}`; known in opset {} are: {known}", unknown.name, self.opset),
                "export the model for the operator set that it names, or remove the attribute",
            ));
        }
        let read = self.inputs_read.borrow();
        if let Some(extra) = (0..self.inputs.len()).find(|index| self.inputs[*index].is_some() && !read.contains(index)) {
            return Err(Refusal::new(
                format!("input {extra} is `{}`, but the operator takes {} inputs", self.node.input[extra], read.len()),
                "export the model for the operator set that it names",
            ));
        }
        Ok(())
    }
}

/// `value` as an axis of a tensor with `rank` dimensions; negative ones count from the end.
pub fn axis(name: &str, value: i64, rank: usize) -> Result<usize> {
    let signed = i64::try_from(rank).expect("ranks are small");
    let from_start = if value < 0 { value + signed } else { value };
    usize::try_from(from_start).ok().filter(|&axis| axis < rank).ok_or_else(|| {
        Refusal::new(
            format!("`{name}` is {value}, but the input has {rank} dimensions"),
            match rank {
                0 => "give the tensor a dimension".to_owned(),
                _ => format!("use a value from -{rank} to {}", rank - 1),
            },
        )
    })
}

/// A refusal of an attribute's value.
pub fn unsupported_attribute(name: &str, found: &str, allowed: &str) -> Refusal {
    Refusal::new(
        format!("attribute `{name}` is {found}; supported: {allowed}"),
        "export the model with a supported value, or replace the node by others",
    )
}
