use model_runtime::include_model;

include_model!("models/unsupported_operators.onnx");

fn main() {
    let mut model = unsupported_operators::Model::new();
    let scores: &unsupported_operators::Output = model.run(&[1.0, 2.0, 3.0, 4.0]);
    println!("{}", scores[0]);
}
