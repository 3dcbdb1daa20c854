use model_runtime::include_model;

include_model!("models/missing_side_file.onnx", name = model);

fn main() {
    let mut model = model::Model::new();
    let sum: &[f32; 4] = model.run(&[0.0; 4]);
    println!("{}", sum[3]);
}
