use model_runtime::include_model;

include_model!("models/unknown_attribute.onnx");

fn main() {
    let mut model = unknown_attribute::Model::new();
    let scores: &unknown_attribute::Output = model.run(&[1.0, 2.0, 3.0, 4.0]);
    println!("{}", scores[0]);
}
