use model_runtime::include_model;

include_model!("models/good.onnx");
include_model!("models/good.onnx");

fn main() {
    let mut model = good::Model::new();
    println!("{}", model.run(&[1.0, 2.0])[0]);
}
