use model_runtime::include_model;

include_model!("models/good.onnx", inputs = { features: [1, -1e39] });

fn main() {
    let mut model = good::Model::new();
    let scores: &[f32; 3] = model.run();
    println!("{}", scores[2]);
}
