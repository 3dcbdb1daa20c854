//! The model as typed values and core operators, in execution order.

mod counted;
mod integers;
mod labels;

pub use integers::Integers;
pub use labels::Labels;

use std::collections::{HashMap, HashSet};
use std::fmt;

use crate::diagnostic::{Refusal, Result};
use crate::onnx::tensor::checked_bytes;
use crate::op::{Op, Types};
use crate::ops::copy::Copy;
use crate::quantization::Quantization;
use crate::tensor::Tensor;
use crate::ty::TensorType;

/// Names a value of one graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(usize);

impl ValueId {
    /// The value's place in [`Graph::values`].
    pub fn index(self) -> usize {
        self.0
    }
}

/// A tensor that flows along an edge: an input, a constant, or what a node computes.
#[derive(Clone, Debug)]
pub struct Value {
    /// Its ONNX name; made up for what the import inserts.
    pub name: String,
    /// Element type and sizes.
    pub ty: TensorType,
    /// Its elements, when they are known now.
    pub constant: Option<Tensor>,
    /// What the elements were dequantized from, if they are known and were.
    pub integers: Option<Integers>,
}

/// One application of a core operator.
#[derive(Clone, Debug)]
pub struct Node {
    /// What is computed.
    pub op: Op,
    /// What it reads.
    pub inputs: Vec<ValueId>,
    /// What it computes.
    pub outputs: Vec<ValueId>,
    /// The ONNX nodes that it stands for, by name, in their order.
    pub origin: Vec<String>,
}

/// A tensor that a run leaves for the next: an output that becomes an input.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The input's place in [`Graph::inputs`].
    pub input: usize,
    /// The output's place in [`Graph::outputs`].
    pub output: usize,
    /// The input of the first run; zeros without it.
    pub initial: Option<Tensor>,
}

/// A model: every input of a node is a graph input, a constant, or an output of an earlier node.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    values: Vec<Value>,
    /// The nodes in execution order.
    pub nodes: Vec<Node>,
    /// What a run is given, or finds as state.
    pub inputs: Vec<ValueId>,
    /// What a run yields, or leaves as state.
    pub outputs: Vec<ValueId>,
    /// Which of them are state.
    pub states: Vec<State>,
    /// What the integers of each input that a run is given stand for, where it is quantized.
    pub input_quantizations: Vec<Option<Quantization>>,
    /// The same of each output that it yields.
    pub output_quantizations: Vec<Option<Quantization>>,
    /// What the columns of outputs are called, by the name of the output.
    pub labels: Vec<(String, Labels)>,
    /// The operator set of the default domain that the file asked for.
    pub opset: i64,
    /// What was assumed where the file left something open, for the module's documentation.
    pub notes: Vec<String>,
    /// Of a graph that a loop runs a known number of times: the input that counts the runs from 0 on, and their number.
    pub counter: Option<(ValueId, usize)>,
    /// Bytes that further constants may take which nodes of the model compute; no limit where passes rewrite what there is.
    pub computable_bytes: Option<usize>,
}

/// The most multiply-accumulates that a constant may take: some seconds, as the compiler is not optimized where users develop.
const MOST_FOLDED_MACS: u64 = 1 << 27;

impl Graph {
    /// All values, in the order of their ids.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The value that `id` names.
    pub fn value(&self, id: ValueId) -> &Value {
        &self.values[id.0]
    }

    /// The type of a value.
    pub fn ty(&self, id: ValueId) -> &TensorType {
        &self.value(id).ty
    }

    /// The types of values.
    pub fn types(&self, ids: &[ValueId]) -> Vec<&TensorType> {
        ids.iter().map(|&id| self.ty(id)).collect()
    }

    /// The elements of a value, when they are known.
    pub fn constant(&self, id: ValueId) -> Option<&Tensor> {
        self.value(id).constant.as_ref()
    }

    /// The places in [`Graph::inputs`] of those that a run is given.
    pub fn given(&self) -> impl Iterator<Item = usize> {
        (0..self.inputs.len()).filter(|&place| self.states.iter().all(|state| state.input != place))
    }

    /// The places in [`Graph::outputs`] of those that a run yields.
    pub fn yielded(&self) -> impl Iterator<Item = usize> {
        (0..self.outputs.len()).filter(|&place| self.states.iter().all(|state| state.output != place))
    }

    /// Adds a value that a run is given.
    pub fn add_input(&mut self, name: impl Into<String>, ty: TensorType) -> ValueId {
        let id = self.add_value(name.into(), ty, None);
        self.inputs.push(id);
        id
    }

    /// Adds a constant.
    pub fn add_constant(&mut self, name: impl Into<String>, tensor: Tensor) -> ValueId {
        self.add_value(name.into(), tensor.ty().clone(), Some(tensor))
    }

    /// Adds a constant that a node computes.
    pub fn add_computed(&mut self, name: impl Into<String>, tensor: Tensor) -> ValueId {
        self.computable_bytes = self.computable_bytes.map(|bytes| bytes.saturating_sub(tensor.bytes().len()));
        self.add_constant(name, tensor)
    }

    /// Adds the value that a node about to be inserted computes.
    pub fn add_value(&mut self, name: String, ty: TensorType, constant: Option<Tensor>) -> ValueId {
        self.values.push(Value { name, ty, constant, integers: None });
        ValueId(self.values.len() - 1)
    }

    /// Remembers what a constant was dequantized from.
    pub fn remember(&mut self, id: ValueId, integers: Integers) {
        self.values[id.0].integers = Some(integers);
    }

    /// Gives a value its name in the model.
    pub fn rename(&mut self, id: ValueId, name: impl Into<String>) {
        self.values[id.0].name = name.into();
    }

    /// Makes `op` of `inputs` at the end of the graph, or its results now when they are constant.
    pub fn push(&mut self, op: Op, inputs: &[ValueId], origin: &[String]) -> Result<Vec<ValueId>> {
        self.insert(self.nodes.len(), op, inputs, origin)
    }

    /// As [`Graph::push`], before the node at `index`.
    pub fn insert(&mut self, index: usize, op: Op, inputs: &[ValueId], origin: &[String]) -> Result<Vec<ValueId>> {
        let types: Vec<&TensorType> = inputs.iter().map(|&id| self.ty(id)).collect();
        let output_types = op.rules().infer(&types)?;
        if let Some(ty) = output_types.iter().find(|ty| checked_bytes(&ty.shape, ty.elem).is_none()) {
            return Err(Refusal::new(
                format!("the output would be {ty}, which takes more bytes than there are addresses"),
                "fix the sizes in the exported model, or those given in `dims`",
            ));
        }
        let name = origin.last().cloned().unwrap_or_else(|| op.name().to_owned());
        if let Some(results) = self.fold(&op, inputs, &output_types) {
            let integers = inputs.first().and_then(|&id| self.value(id).integers.as_ref()?.moved(&op));
            let ids: Vec<ValueId> = results.into_iter().map(|tensor| self.add_computed(name.clone(), tensor)).collect();
            self.values[ids[0].0].integers = integers;
            return Ok(ids);
        }
        let outputs: Vec<_> = output_types.into_iter().map(|ty| self.add_value(name.clone(), ty, None)).collect();
        let node = Node { op, inputs: inputs.to_vec(), outputs: outputs.clone(), origin: origin.to_vec() };
        self.nodes.insert(index, node);
        Ok(outputs)
    }

    /// As [`Graph::insert`], of an operator that is known to take its inputs, with one result.
    pub fn insert_one(&mut self, index: usize, op: Op, inputs: &[ValueId], origin: &[String]) -> ValueId {
        let name = op.name();
        match self.insert(index, op, inputs, origin) {
            Ok(outputs) => outputs[0],
            Err(refusal) => {
                panic!("internal error: a pass made an impossible {name}: {}; please report this model", refusal.message)
            }
        }
    }

    fn fold(&self, op: &Op, inputs: &[ValueId], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        // All that there is to know of a value without elements is its type. An output is still a node's, by way of a copy.
        if outputs.iter().all(|ty| ty.elements() == 0) && !matches!(op, Op::Copy(_)) {
            return outputs.iter().map(|ty| Tensor::new(ty.clone(), Vec::new())).collect();
        }
        let constants = inputs.iter().map(|&id| self.constant(id)).collect::<Option<Vec<&Tensor>>>()?;
        let bytes = outputs.iter().map(TensorType::bytes).fold(0, usize::saturating_add);
        let types = Types { inputs: &self.types(inputs), outputs: &outputs.iter().collect::<Vec<_>>() };
        if self.computable_bytes.is_some_and(|most| bytes > most) || op.rules().macs(types) > MOST_FOLDED_MACS {
            return None;
        }
        op.rules().fold(&constants, outputs)
    }

    /// The index of the node that computes `id`, if one does.
    pub fn producer(&self, id: ValueId) -> Option<usize> {
        self.nodes.iter().position(|node| node.outputs.contains(&id))
    }

    /// The indices of the nodes that read `id`, each once.
    pub fn readers(&self, id: ValueId) -> Vec<usize> {
        (0..self.nodes.len()).filter(|&index| self.nodes[index].inputs.contains(&id)).collect()
    }

    /// How often `id` is read, by nodes and as an output of the graph.
    pub fn uses(&self, id: ValueId) -> usize {
        let by_nodes: usize = self.nodes.iter().map(|node| count(&node.inputs, id)).sum();
        by_nodes + count(&self.outputs, id)
    }

    /// `id`, or a copy of it, that can become an output of the graph: a value of its own that a node computes, so that it has its own
    /// place in memory.
    pub fn own_output(&mut self, id: ValueId) -> ValueId {
        if self.producer(id).is_some() && !self.outputs.contains(&id) {
            return id;
        }
        self.insert_one(self.nodes.len(), Copy {}.into(), &[id], &["output".to_owned()])
    }

    /// Makes everything that read `old` read `new`, or a copy of it where that has to be a value of its own.
    pub fn replace(&mut self, old: ValueId, new: ValueId) {
        for node in &mut self.nodes {
            node.inputs.iter_mut().filter(|id| **id == old).for_each(|id| *id = new);
        }
        if self.outputs.contains(&old) {
            let new = self.own_output(new);
            let name = self.value(old).name.clone();
            self.rename(new, name);
            self.outputs.iter_mut().filter(|id| **id == old).for_each(|id| *id = new);
        }
    }

    /// Computes the only output of the node at `index` by `op` of `inputs` instead, and drops what is unused then.
    pub fn rewrite(&mut self, index: usize, op: Op, inputs: &[ValueId], origin: &[String]) {
        let old = self.nodes[index].outputs[0];
        let new = self.insert_one(index, op, inputs, origin);
        let name = self.value(old).name.clone();
        self.rename(new, name);
        self.replace(old, new);
        self.drop_unused();
    }

    /// Removes nodes whose results nobody reads.
    pub fn drop_unused(&mut self) {
        let mut needed: HashSet<ValueId> = self.outputs.iter().copied().collect();
        let mut keep = vec![false; self.nodes.len()];
        for (node, keep) in self.nodes.iter().zip(&mut keep).rev() {
            *keep = node.outputs.iter().any(|id| needed.contains(id));
            if *keep {
                needed.extend(&node.inputs);
            }
        }
        let mut keep = keep.into_iter();
        self.nodes.retain(|_| keep.next().expect("one flag a node"));
    }
}

fn count(ids: &[ValueId], id: ValueId) -> usize {
    ids.iter().filter(|&&other| other == id).count()
}

/// One line a node, for tests and for reading: `%1 f32[1, 4] = Softmax { axis: 1 } (%0)`.
///
/// Values are numbered as they appear, so that the text does not depend on what was there before.
impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let computed = self.nodes.iter().flat_map(|node| &node.outputs);
        let numbers: HashMap<ValueId, usize> = self.inputs.iter().chain(computed).copied().zip(0..).collect();
        let operand = |id: &ValueId| match (self.constant(*id), numbers.get(id)) {
            (Some(tensor), _) => format!("const {}", tensor.ty()),
            (None, Some(number)) => format!("%{number}"),
            (None, None) => format!("undefined `{}`", self.value(*id).name),
        };
        let list = |ids: &[ValueId]| ids.iter().map(operand).collect::<Vec<_>>().join(", ");
        for id in &self.inputs {
            writeln!(f, "input {} {} `{}`", operand(id), self.ty(*id), self.value(*id).name)?;
        }
        for node in &self.nodes {
            let results: Vec<_> = node.outputs.iter().map(|id| format!("{} {}", operand(id), self.ty(*id))).collect();
            writeln!(f, "{} = {} ({})", results.join(", "), node.op, list(&node.inputs))?;
        }
        for id in &self.outputs {
            writeln!(f, "output {} `{}`", operand(id), self.value(*id).name)?;
        }
        for State { input, output, .. } in &self.states {
            let (input, output) = (self.inputs[*input], self.outputs[*output]);
            writeln!(f, "state {} ← {}", operand(&input), operand(&output))?;
        }
        Ok(())
    }
}
