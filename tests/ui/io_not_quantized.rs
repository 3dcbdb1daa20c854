use model_runtime::include_model;

include_model!("models/good.onnx", io = quantized);

fn main() {
    let mut model = good::Model::new();
    let scores = model.run(&[1i8, 2]);
    println!("{}", scores[2]);
}
