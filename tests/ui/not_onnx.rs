use model_runtime::include_model;

include_model!("models/not_onnx.onnx");

/// As generic code runs any model.
fn run_any(model: &mut impl model_runtime::Model) -> usize {
    model.signature().ram_bytes
}

fn main() {
    let mut model = not_onnx::Model::new();
    let scores: &not_onnx::Output = model.run(&[1.0, 2.0, 3.0, 4.0]);
    println!("{}", run_any(&mut model));
    println!("{}", scores[0]);
}
