use model_runtime::include_model;

include_model!("models/not_onnx.onnx");

fn main() {
    let mut model = not_onnx::Model::new();
    let scores: &not_onnx::Output = model.run(&[1.0, 2.0, 3.0, 4.0]);
    println!("{}", scores[0]);
}
