model_runtime::include_model!(wake.onnx);

fn main() {}
