use model_runtime::include_model;

include_model!("models/state.onnx", state = { sum: sum_next }, state_init = { sum: [1, 2] });

fn main() {
    let mut model = state::Model::new();
    model.reset();
}
