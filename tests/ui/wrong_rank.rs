use model_runtime::include_model;

include_model!("models/open_dimensions.onnx", name = model, dims = { x: [1, 49] });

fn main() {
    let mut model = model::Model::new();
    let y = model.run(&[[[0.0f32; 40]; 49]; 1]);
    println!("{}", y.len());
}
