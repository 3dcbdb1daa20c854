use model_runtime::include_model;

include_model!("../models/residual.onnx", weights = 0x80);

fn main() {
    let mut model = residual::Model::new();
    const { assert!(residual::RAM_BYTES > 100) };
    let scores: &[f32; 3] = model.run(&[[0.0; 6]; 2]);
    println!("{}", scores[2]);
}
