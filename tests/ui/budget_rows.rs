use model_runtime::include_model;

include_model!("../models/cascade.onnx", ram = 2 KiB, macs = 100_000);

fn main() {
    let mut model = cascade::Model::new();
    println!("{}", model.run(&[[0.0; 9]; 25])[23]);
}
