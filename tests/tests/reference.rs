//! The reference evaluation gives the bits of the compiled models.

use std::path::Path;

use model_compiler::graph::Graph;
use model_compiler::onnx::{self, Source};
use model_compiler::tensor::Tensor;
use model_compiler::ty::{ElemType, TensorType};
use model_compiler::{Options, import, passes, reference};
use model_runtime::{Model, include_model};

/// The next of numbers that look random.
fn next(state: &mut u32) -> u32 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    *state >> 8
}

/// A tensor of small numbers.
fn random(ty: &TensorType, state: &mut u32) -> Tensor {
    let bytes = (0..ty.elements()).flat_map(|_| {
        let number = next(state) % 256;
        match ty.elem {
            ElemType::F32 => ((number as f32 - 128.0) / 32.0).to_le_bytes().to_vec(),
            ElemType::Bool => vec![(number & 1) as u8],
            elem => [vec![number as u8], vec![0; elem.size() - 1]].concat(),
        }
    });
    Tensor::new(ty.clone(), bytes.collect::<Vec<u8>>()).expect("as many elements as the type has")
}

/// Runs the compiled model and the graph of its file on the same numbers.
fn compare(file: &str, model: &mut dyn Model) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let source = Source::new(file, std::fs::read(path).expect("the models are there"));
    let parsed = onnx::parse(&source).expect("the macro takes it");
    let mut graph: Graph = import::graph(&parsed, &Options::new("model")).expect("the macro takes it");
    passes::run(&mut graph);
    for seed in 0..4 {
        let mut state = seed;
        let inputs: Vec<Tensor> = graph.types(&graph.inputs).into_iter().map(|ty| random(ty, &mut state)).collect();
        let given: Vec<&[u8]> = inputs.iter().map(|input| &input.bytes()[..]).collect();
        given.iter().enumerate().for_each(|(index, bytes)| model.input_bytes(index).unwrap().copy_from_slice(bytes));
        model.run_in_place();
        let outputs = reference::outputs(&graph, &inputs).unwrap_or_else(|node| panic!("{file}: {} is not computed", node.op));
        for (index, output) in outputs.iter().enumerate() {
            assert_eq!(model.output_bytes(index).unwrap(), &output.bytes()[..], "{file}, output {index}, seed {seed}\n{graph}");
        }
    }
}

macro_rules! compare {
    ($($test:ident $file:literal,)*) => { $(
        #[test]
        fn $test() {
            include_model!($file, name = model);
            compare($file, &mut model::Model::new());
        }
    )* };
}

compare! {
    two_graphs_of_which_one_runs "models/branch.onnx",
    rows_of_layers "models/cascade.onnx",
    steps_of_rows "models/cascade_steps.onnx",
    trees_and_scores "models/classifier.onnx",
    an_image "models/image.onnx",
    integers "models/integers.onnx",
    a_recurrent_layer "models/lstm.onnx",
    quantized_layers "models/quantized.onnx",
    runs_of_a_graph "models/repeat.onnx",
    a_residual "models/residual.onnx",
}
