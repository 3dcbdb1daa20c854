use model_runtime::include_model;

include_model!("models/several_faults.onnx", name = model);

fn main() {
    let mut model = model::Model::new();
    let outputs = model.run(&[0.0; 4]);
    println!("{} {}", outputs.y[3], outputs.z[7]);
}
