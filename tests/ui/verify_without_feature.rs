use model_runtime::include_model;

include_model!("../models/softmax.onnx", name = good, verify = "golden.npz");

fn main() {
    let mut model = good::Model::new();
    let scores: &[f32; 3] = model.run(&[1.0, 2.0]);
    println!("{}", scores[2]);
}
