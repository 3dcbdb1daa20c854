use model_runtime::include_model;

include_model!("models/unsupported_value.onnx");

fn main() {
    let mut model = unsupported_value::Model::new();
    let scores: &unsupported_value::Output = model.run(&[1.0, 2.0, 3.0, 4.0]);
    println!("{}", scores[0]);
}
