use model_runtime::include_model;

include_model!("models/side_file_outside.onnx", name = model);

fn main() {
    let mut model = model::Model::new();
    let sum: &[f32; 4] = model.run(&[0.0; 4]);
    println!("{}", sum[3]);
}
