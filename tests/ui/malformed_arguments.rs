use model_runtime::include_model;

include_model!("models/good.onnx", dims = [1], io quantized, name = detector ram = 1 KiB, name = "q");

fn main() {
    let mut model = detector::Model::new();
    let scores: &[f32; 3] = model.run(&[1.0, 2.0]);
    println!("{}", scores[2]);
}
