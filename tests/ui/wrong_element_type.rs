use model_runtime::include_model;

include_model!("models/good.onnx");

fn main() {
    let features: [i8; 2] = [0; 2];
    let mut model = good::Model::new();
    println!("{}", model.run(&features)[0]);
}
