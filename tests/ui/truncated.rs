use model_runtime::include_model;

include_model!("models/truncated.onnx");

fn main() {
    let mut model = truncated::Model::new();
    let scores: &truncated::Output = model.run(&[1.0, 2.0, 3.0, 4.0]);
    println!("{} {}", scores[0], scores.len());
    scores.iter().for_each(|score: &f32| println!("{score}"));
}
