use model_runtime::include_model;

include_model!("models/open_dimensions.onnx", name = model, dims = { time: 49, "mel.bins": 40, time: 50 });

fn main() {
    let mut model = model::Model::new();
    let y = model.run(&[[0.0; 40]; 49]);
    println!("{}", y.len());
}
