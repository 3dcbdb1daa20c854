use model_runtime::include_model;

include_model!("models/good.onnx");

fn main() {
    let features: good::Input = [0.0; 3];
    let mut model = good::Model::new();
    println!("{}", model.run(&features)[0]);
}
