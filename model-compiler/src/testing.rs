//! Models of one node for the unit tests of readers, and graphs for those of passes.

use prost::Message;

use crate::Options;
use crate::graph::{Graph, ValueId};
use crate::import;
use crate::onnx::proto::{self, AttributeType, DataType};
use crate::onnx::{self, Source};
use crate::reference;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};
use crate::verify::verify;

/// A model of one node in the making: its inputs `x0`, `x1`, … and outputs `y0`, `y1`, ….
#[derive(Clone, Debug)]
pub(crate) struct OneNode {
    node: proto::Node,
    opset: i64,
    inputs: Vec<proto::ValueInfo>,
    initializers: Vec<proto::Tensor>,
}

impl OneNode {
    /// A node with one output, its domain before the operator's name where that is not the default one: `ai.onnx.ml::Scaler`.
    pub(crate) fn new(op_type: &str, opset: i64) -> Self {
        let (domain, op_type) = op_type.split_once("::").unwrap_or(("", op_type));
        let (domain, op_type) = (domain.into(), op_type.into());
        let node = proto::Node { op_type, domain, output: vec!["y0".into()], ..Default::default() };
        Self { node, opset, inputs: Vec::new(), initializers: Vec::new() }
    }

    /// One more input, given at run time.
    pub(crate) fn input(mut self, elem: ElemType, shape: &[usize]) -> Self {
        let size = |&size: &usize| proto::Dimension { value: Some(size.try_into().unwrap()), ..Default::default() };
        let shape = proto::TensorShape { dim: shape.iter().map(size).collect() };
        let ty = proto::TensorType { elem_type: data_type(elem), shape: Some(shape) };
        let ty = proto::Type { tensor: Some(ty), ..Default::default() };
        self.inputs.push(proto::ValueInfo { name: self.next_input(), r#type: Some(ty) });
        self.node.input.push(self.next_input());
        self
    }

    /// One more input of `f32`, given at run time.
    pub(crate) fn floats(self, shape: &[usize]) -> Self {
        self.input(ElemType::F32, shape)
    }

    /// One more input, an initializer.
    pub(crate) fn constant(mut self, tensor: &Tensor) -> Self {
        self.initializers.push(stored(self.next_input(), tensor));
        self.node.input.push(self.next_input());
        self
    }

    /// One more input, an initializer of one dimension.
    pub(crate) fn constant_ints(self, values: &[i64]) -> Self {
        self.constant(&Tensor::from_vec([values.len()], values))
    }

    /// One more input, omitted.
    pub(crate) fn omitted(mut self) -> Self {
        self.node.input.push(String::new());
        self
    }

    /// With so many outputs.
    pub(crate) fn outputs(mut self, count: usize) -> Self {
        self.node.output = (0..count).map(|index| format!("y{index}")).collect();
        self
    }

    /// With an attribute of one integer.
    pub(crate) fn int(self, name: &str, value: i64) -> Self {
        self.attribute(name, AttributeType::Int, proto::Attribute { i: value, ..Default::default() })
    }

    /// With an attribute of integers.
    pub(crate) fn ints(self, name: &str, values: &[i64]) -> Self {
        self.attribute(name, AttributeType::Ints, proto::Attribute { ints: values.to_vec(), ..Default::default() })
    }

    /// With an attribute of one float.
    pub(crate) fn float(self, name: &str, value: f32) -> Self {
        self.attribute(name, AttributeType::Float, proto::Attribute { f: value, ..Default::default() })
    }

    /// With an attribute of floats.
    pub(crate) fn float_list(self, name: &str, values: &[f32]) -> Self {
        self.attribute(name, AttributeType::Floats, proto::Attribute { floats: values.to_vec(), ..Default::default() })
    }

    /// With an attribute of words.
    pub(crate) fn words(self, name: &str, words: &[&'static str]) -> Self {
        let strings = words.iter().map(|&word| word.into()).collect();
        self.attribute(name, AttributeType::Strings, proto::Attribute { strings, ..Default::default() })
    }

    /// With an attribute of a word.
    pub(crate) fn word(self, name: &str, word: &'static str) -> Self {
        self.attribute(name, AttributeType::String, proto::Attribute { s: word.into(), ..Default::default() })
    }

    /// With an attribute of floats.
    pub(crate) fn floats_attribute(self, name: &str, values: &[f32]) -> Self {
        self.attribute(name, AttributeType::Floats, proto::Attribute { floats: values.to_vec(), ..Default::default() })
    }

    /// With an attribute of a tensor.
    pub(crate) fn tensor(self, name: &str, tensor: &Tensor) -> Self {
        let t = Some(stored(name.into(), tensor));
        self.attribute(name, AttributeType::Tensor, proto::Attribute { t, ..Default::default() })
    }

    fn attribute(mut self, name: &str, kind: AttributeType, value: proto::Attribute) -> Self {
        self.node.attribute.push(proto::Attribute { name: name.into(), r#type: kind.into(), ..value });
        self
    }

    fn next_input(&self) -> String {
        format!("x{}", self.node.input.len())
    }

    /// The imported graph, or the faults as they are printed.
    pub(crate) fn import(&self) -> Result<Graph, String> {
        let output = |name: &String| proto::ValueInfo { name: name.clone(), r#type: None };
        let graph = proto::Graph {
            node: vec![self.node.clone()],
            initializer: self.initializers.clone(),
            input: self.inputs.clone(),
            output: self.node.output.iter().map(output).collect(),
            ..Default::default()
        };
        let opset_import = vec![proto::OperatorSet { domain: self.node.domain.clone(), version: self.opset }];
        let model = proto::Model { ir_version: 8, graph: Some(graph), opset_import, ..Default::default() };
        let source = Source::new("test.onnx", model.encode_to_vec());
        let model = onnx::parse(&source).map_err(|faults| faults.to_string())?;
        let graph = import::graph(&model, &Options::new("test")).map_err(|faults| faults.to_string())?;
        verify(&graph, "import");
        Ok(graph)
    }

    /// The imported graph as text.
    pub(crate) fn text(&self) -> String {
        self.import().unwrap_or_else(|faults| panic!("{self:?} is refused: {faults}")).to_string()
    }

    /// The results of a node whose inputs are constants.
    pub(crate) fn results(&self) -> Vec<Tensor> {
        run(&self.import().unwrap_or_else(|faults| panic!("{self:?} is refused: {faults}")), &[])
    }

    /// The only result, as integers.
    pub(crate) fn result_ints(&self) -> Vec<i64> {
        self.results()[0].to_ints().expect("integers")
    }

    /// The types of the outputs, as they are printed.
    pub(crate) fn types(&self) -> Vec<String> {
        let graph = self.import().unwrap_or_else(|faults| panic!("{self:?} is refused: {faults}"));
        graph.outputs.iter().map(|&id| graph.ty(id).to_string()).collect()
    }

    /// Asserts that the import refuses the node with a message that contains `message`, and a help that contains `help`.
    pub(crate) fn refused(&self, message: &str, help: &str) {
        match self.import() {
            Ok(graph) => panic!("{self:?} is taken:\n{graph}"),
            Err(faults) => {
                let (found, advice) = faults.split_once("= help: ").expect("every fault has a help");
                assert!(found.contains(message), "`{message}` is missing in:\n{faults}");
                assert!(advice.contains(help), "`{help}` is missing in:\n{faults}");
            }
        }
    }
}

fn data_type(elem: ElemType) -> i32 {
    let is = |&number: &i32| DataType::from_number(number).and_then(ElemType::from_onnx) == Some(elem);
    (1..).find(is).expect("every element type has a number")
}

fn stored(name: String, tensor: &Tensor) -> proto::Tensor {
    let TensorType { elem, shape } = tensor.ty();
    let dims = shape.iter().map(|&size| size.try_into().unwrap()).collect();
    proto::Tensor { name, dims, data_type: data_type(*elem), raw_data: Some(tensor.bytes().clone()), ..Default::default() }
}

/// The graph with one input, `x`, and the output that `make` makes of it, `y`.
pub(crate) fn graph(elem: ElemType, shape: &[usize], make: impl FnOnce(&mut Graph, ValueId) -> ValueId) -> Graph {
    let mut graph = Graph::default();
    let input = graph.add_input("x", TensorType::new(elem, shape));
    let output = make(&mut graph, input);
    graph.rename(output, "y");
    graph.outputs.push(output);
    graph
}

/// The text of a graph after a pass, which is verified.
pub(crate) fn after(pass: impl FnOnce(&mut Graph), mut graph: Graph) -> String {
    verify(&graph, "the test");
    pass(&mut graph);
    verify(&graph, "the pass");
    graph.to_string()
}

/// The outputs of a graph for its inputs.
pub(crate) fn run(graph: &Graph, inputs: &[&Tensor]) -> Vec<Tensor> {
    let inputs: Vec<Tensor> = inputs.iter().copied().cloned().collect();
    reference::outputs(graph, &inputs).unwrap_or_else(|node| panic!("{} cannot be evaluated", node.op))
}
