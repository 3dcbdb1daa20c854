//! A recurrent layer gives the same bits whether its weights are packed while compiling, packed at run time, or all of its inputs are constant.

use model_runtime::{Model, Tensor, include_model};
use model_tests::models::{LSTM_LENGTHS, lstm_tensors};

include_model!("models/lstm.onnx");
include_model!("models/lstm_inputs.onnx");
include_model!("models/lstm_constant.onnx");

/// The bytes of all outputs for the tensors that the model takes as inputs.
fn outputs(model: &mut dyn Model) -> Vec<Vec<u8>> {
    let signature = model.signature();
    let floats = lstm_tensors();
    let input = |input: &Tensor| match floats.iter().find(|(name, ..)| *name == input.name) {
        Some((.., elements)) => elements.iter().flat_map(|element| element.to_le_bytes()).collect(),
        None => LSTM_LENGTHS.iter().flat_map(|length| length.to_le_bytes()).collect(),
    };
    let inputs: Vec<Vec<u8>> = signature.inputs.iter().map(input).collect();
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let mut outputs: Vec<Vec<u8>> = signature.outputs.iter().map(|output| vec![0; output.bytes()]).collect();
    let mut places: Vec<&mut [u8]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    model.run_bytes(&inputs, &mut places).expect("the lengths are those of the signature");
    outputs
}

#[test]
fn packed_unpacked_and_constant_layers_give_the_same_bits() {
    let packed = outputs(&mut lstm::Model::new());
    assert_eq!(packed, outputs(&mut lstm_inputs::Model::new()));
    assert_eq!(packed, outputs(&mut lstm_constant::Model::new()));
}

#[test]
fn a_run_starts_from_the_initial_state() {
    let mut model = lstm::Model::new();
    let first = outputs(&mut model);
    assert_eq!(first, outputs(&mut model));
}
