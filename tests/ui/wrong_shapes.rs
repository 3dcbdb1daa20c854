use model_runtime::include_model;

include_model!("models/wrong_shapes.onnx");

fn main() {
    let mut model = wrong_shapes::Model::new();
    let scores: &wrong_shapes::Output = model.run(&[1.0, 2.0, 3.0, 4.0]);
    println!("{}", scores[0]);
}
