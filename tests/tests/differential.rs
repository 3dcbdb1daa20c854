//! Models on which compiler and ONNX Runtime once disagreed: `tests/differential/kept/README.md`. Each module has a test of its own, which `verify` writes.

use model_runtime::include_model;

include_model!("../differential/kept/sum_of_itself/model.onnx", name = sum_of_itself, verify = "golden.npz");
include_model!("../differential/kept/float_bias/model.onnx", name = float_bias, verify = "golden.npz", tolerance = 1e-6);
