use model_runtime::include_model;

include_model!("models/wake.onnx");

fn main() {
    let mut model = wake::Model::new();
    model.input_mut()[0] = 1.0;
    let scores = model.run_in_place();
    println!("{:?} {}", scores, wake::RAM_BYTES);
}
