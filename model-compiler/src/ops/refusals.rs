//! Refusals of operators for which their own tests have no case.

use crate::ops::integer::Integer;
use crate::tensor::Tensor;
use crate::testing::OneNode;
use crate::ty::{ElemType, TensorType};

/// A node that is refused, and words of the message.
type Case = (OneNode, &'static str);

fn hold(cases: Vec<Case>) {
    for (node, message) in cases {
        node.refused(message, "");
    }
}

/// One number as a constant without axes.
fn number(value: i64) -> Tensor {
    Tensor::from_vec([], &[value])
}

fn node(op: &str, opset: i64) -> OneNode {
    OneNode::new(op, opset)
}

#[test]
fn shapes_that_do_not_fit() {
    hold(vec![
        (node("Concat", 13).floats(&[2]), "attribute `axis` is missing"),
        (
            node("Concat", 13).floats(&[2, 3]).floats(&[3, 4]).int("axis", 0),
            "f32[2, 3] and f32[3, 4] cannot be joined along axis 0",
        ),
        (node("MatMul", 13).floats(&[2, 3]).floats(&[4, 2]), "f32[2, 3] cannot be multiplied by f32[4, 2]"),
        (node("Gemm", 13).floats(&[2, 3, 4]).floats(&[4, 2]), "`A` is f32[2, 3, 4]; expected a matrix"),
        (node("Transpose", 13).floats(&[2, 3]).ints("perm", &[0, 0]), "attribute `perm` is [0, 0]; expected each of the 2 axes"),
        (node("Einsum", 13).word("equation", "->"), "the equation `->` does not fit the inputs"),
        (node("LRN", 13).floats(&[3]).int("size", 3), "the input is f32[3]; expected batch, channels and more"),
        (
            node("BatchNormalization", 15)
                .floats(&[4])
                .floats(&[1])
                .floats(&[1])
                .floats(&[1])
                .floats(&[1])
                .int("training_mode", 1)
                .outputs(3),
            "the input f32[4] has no axis of channels",
        ),
        (node("AffineGrid", 20).floats(&[1, 2, 3]).constant_ints(&[4]), "`size` is [4]; expected 4 or 5 numbers"),
        (
            node("Attention", 23).floats(&[1, 1, 4, 8]).floats(&[1, 1, 6, 8]).floats(&[1, 1, 6, 8]).floats(&[3, 6]),
            "`attn_mask` is f32[3, 6]; expected what broadcasts to 4 queries and 6 keys",
        ),
        (
            node("ai.onnx.preview::FlexAttention", 1)
                .floats(&[2, 4, 24])
                .floats(&[2, 6, 8])
                .floats(&[2, 6, 8])
                .int("q_num_heads", 3)
                .int("kv_num_heads", 1),
            "expected 4 dimensions",
        ),
    ]);
}

#[test]
fn windows_that_do_not_fit() {
    let conv = |image: &[usize]| node("Conv", 11).floats(image).floats(&[3, 2, 3, 3]);
    let unpool = |indices: &[usize]| node("MaxUnpool", 11).floats(&[1, 1, 2, 2]).input(ElemType::I64, indices);
    hold(vec![
        (conv(&[1, 2, 5, 5]).floats(&[4]), "the bias is f32[4]; expected one element for each of the 3 outputs"),
        (conv(&[1, 2, 2, 2]), "the kernel [3, 3] with dilations [1, 1] does not fit into the padded image of [2, 2]"),
        (
            conv(&[1, 2, 5, 5]).ints("kernel_shape", &[2, 2]),
            "attribute `kernel_shape` is [2, 2], but the weights are for a kernel of [3, 3]",
        ),
        (node("MaxPool", 12).floats(&[1, 1, 2, 2]).ints("kernel_shape", &[5, 5]), "does not fit into the padded image"),
        (unpool(&[1, 1, 2, 3]).ints("kernel_shape", &[2, 2]), "expected an index for each element"),
    ]);
}

#[test]
fn constants_of_the_wrong_kind() {
    let resize = |sizes: &[i64]| node("Resize", 13).floats(&[1, 1, 4, 4]).omitted().omitted().constant_ints(sizes);
    let floats = Tensor::from_vec([1], &[2.0f32]);
    let mel = |low: &Tensor| {
        let node = node("MelWeightMatrix", 17).constant(&number(3)).constant(&number(16)).constant(&number(8192));
        node.constant(low).constant(&Tensor::from_vec([], &[4096.0f32]))
    };
    let stft = node("STFT", 17).floats(&[1, 6, 1]).constant(&number(2));
    hold(vec![
        (node("Reshape", 13).floats(&[4]).constant(&floats), "input `shape` is f32[1]; expected integers"),
        (node("CumSum", 14).floats(&[4]).constant_ints(&[0, 1]), "input `axis` is [0, 1]; expected one number"),
        (node("Range", 11).constant_ints(&[0, 1]).constant(&number(4)).constant(&number(1)), "input `start` has not one element"),
        (node("DFT", 17).floats(&[1, 4, 1]).constant_ints(&[2, 2]), "is [2, 2]; expected one number"),
        (stft.input(ElemType::F64, &[2]), "the window is f64[2] and the signal f32[1, 6, 1]"),
        (mel(&Tensor::from_vec([2], &[0.0f32, 1.0])), "has not one element"),
        (resize(&[2, 2]), "input `sizes` is [2, 2]; expected 4 numbers"),
        (
            resize(&[1, 1, 2, 2]).word("coordinate_transformation_mode", "tf_crop_and_resize"),
            "input `roi` is []; expected 8 numbers",
        ),
        (node("Softmax", 13).floats(&[4]).float("axis", 1.0), "attribute `axis` is of type float; expected int"),
    ]);
}

#[test]
fn classical_models_that_do_not_fit() {
    let ml = |op: &str| node(&format!("ai.onnx.ml::{op}"), 3);
    hold(vec![
        (ml("ArrayFeatureExtractor").floats(&[]).constant_ints(&[0]), "the input has no axis"),
        (ml("Scaler").floats(&[]), "the input has no axis"),
        (ml("Imputer").floats(&[2, 3]).ints("imputed_value_int64s", &[1]), "the imputed values are not of the input's type, f32"),
        (
            ml("LinearRegressor").floats(&[1, 3]).float_list("coefficients", &[1.0, 2.0]),
            "2 coefficients and 1 intercepts do not make 1 scores",
        ),
        (
            node("TfIdfVectorizer", 9)
                .input(ElemType::I32, &[4])
                .ints("pool_int64s", &[1 << 40])
                .ints("ngram_counts", &[0])
                .ints("ngram_indexes", &[0])
                .int("min_gram_length", 1)
                .int("max_gram_length", 1)
                .int("max_skip_count", 0)
                .word("mode", "TF"),
            "the n-grams hold numbers that `X` cannot",
        ),
    ]);
}

/// A regressor of one tree: a test of feature 1 that leads to two leaves, of which one gives to `target`.
fn tree(features: usize, modes: &[&'static str], target: i64) -> OneNode {
    let node = node("ai.onnx.ml::TreeEnsembleRegressor", 3).floats(&[1, features]);
    let node = node.ints("nodes_treeids", &[0; 3]).ints("nodes_nodeids", &[0, 1, 2]).ints("nodes_featureids", &[1, 0, 0]);
    let node = node.float_list("nodes_values", &[0.5, 0.0, 0.0]).words("nodes_modes", modes);
    let node = node.ints("nodes_truenodeids", &[1, 0, 0]).ints("nodes_falsenodeids", &[2, 0, 0]);
    let node = node.ints("target_treeids", &[0]).ints("target_nodeids", &[1]).ints("target_ids", &[target]);
    node.float_list("target_weights", &[1.0]).int("n_targets", 1)
}

#[test]
fn trees_that_are_none() {
    let leaves = ["BRANCH_LEQ", "LEAF", "LEAF"];
    let many = 70_000;
    let numbers: Vec<i64> = (0..many).collect();
    let zeros = vec![0; numbers.len()];
    let forest = node("ai.onnx.ml::TreeEnsembleRegressor", 3).floats(&[1, 1]);
    let forest = forest.ints("nodes_treeids", &numbers).ints("nodes_nodeids", &zeros).ints("nodes_featureids", &zeros);
    let forest = forest.float_list("nodes_values", &vec![0.0; numbers.len()]).words("nodes_modes", &vec!["LEAF"; numbers.len()]);
    let forest = forest.ints("nodes_truenodeids", &zeros).ints("nodes_falsenodeids", &zeros);
    let forest = forest.ints("target_treeids", &numbers).ints("target_nodeids", &zeros).ints("target_ids", &zeros);
    hold(vec![
        (tree(1, &leaves, 0), "the input is f32[1, 1]; expected rows of at least 2 features"),
        (tree(2, &leaves, 1), "a leaf gives to target 1; there are 1 targets"),
        (tree(2, &["BRANCH_LEQ", "BRANCH_LT", "LEAF"], 0), "the nodes are no trees"),
        (
            forest.float_list("target_weights", &vec![1.0; numbers.len()]).int("n_targets", 1),
            "the trees have more than 65534 nodes or weights",
        ),
    ]);
}

/// A pass would be wrong that made such a layer.
#[test]
fn layers_of_integers_have_a_bias_for_each_output() {
    let ty = |elem, shape: &[usize]| TensorType::new(elem, shape);
    let (x, weights, bias) = (ty(ElemType::I8, &[1, 4]), ty(ElemType::I8, &[4, 2]), ty(ElemType::I32, &[3]));
    let refusal = Integer::SUMS.expect(&[&x, &weights, &bias], 2).unwrap_err();
    assert_eq!(refusal.message, "bias or multipliers do not fit the layer");
}
