use model_runtime::include_model;

include_model!("models/state.onnx", state = { sums: sum_next, left: nothing, right: left_next, window: left_next }, state_init = { x: 1 });

fn main() {
    let mut model = state::Model::new();
    model.reset();
}
