use model_runtime::include_model;

include_model!("models/state.onnx", state = { window: sum_next });

fn main() {
    let mut model = state::Model::new();
    model.reset();
}
