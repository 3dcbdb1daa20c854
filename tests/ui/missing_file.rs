use model_runtime::include_model;

include_model!("models/wake.onnx");

fn main() {
    let mut model = wake::Model::new();
    model.input_mut()[0] = 1.0;
    let scores = model.run(&[[0.0f32; 10]; 49], &[7i64]);
    println!("{} {:?} {}", scores[0][1] > 0.5, model.run_in_place(), wake::RAM_BYTES);
}
