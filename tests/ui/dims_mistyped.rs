use model_runtime::include_model;

include_model!("models/open_dimensions.onnx", dims = { sequnce: 3 });

fn main() {
    let mut model = open_dimensions::Model::new();
    let scores: &open_dimensions::Output = model.run(&[1.0, 2.0, 3.0, 4.0]);
    println!("{}", scores[0]);
}
