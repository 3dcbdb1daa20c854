use model_runtime::include_model;

include_model!("models/good.onnx", verify_at = build, tolerance = 1e-3, tolerance = 2, verify_at = test);

fn main() {
    let mut model = good::Model::new();
    let scores: &[f32; 3] = model.run(&[1.0, 2.0]);
    println!("{}", scores[2]);
}
