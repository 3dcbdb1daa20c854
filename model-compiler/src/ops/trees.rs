//! `TreeEnsembleRegressor`, `TreeEnsembleClassifier`: tables of nodes that a loop walks.
//!
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleClassifier.html>

mod tables;

use proc_macro2::TokenStream;
use quote::quote;

use self::tables::{Leaves, Tables};
use super::concat::Concat;
use super::elementwise::{Elementwise, Expr, converted};
use super::ml::{label_of, labels, transformed};
use super::{expect_elem, mapped};
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::kernels;
use crate::op::{LATEST, OpDef, Operator, reference_only};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "ai.onnx.ml::TreeEnsembleRegressor", opset: 1..=LATEST, read: read_regressor },
    OpDef { name: "ai.onnx.ml::TreeEnsembleClassifier", opset: 1..=LATEST, read: read_classifier },
];

/// For each row of the input the sums of the leaves that it comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Trees {
    /// How many sums there are.
    pub targets: usize,
    /// The nodes and leaves.
    pub tables: Tables,
}

fn read_regressor(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let targets = node.int("n_targets", 1)?;
    let count = usize::try_from(targets).ok().filter(|count| (1..1 << 15).contains(count));
    let count = count.ok_or_else(|| unsupported_attribute("n_targets", &targets.to_string(), "1 to 32767"))?;
    let average = node.word("aggregate_function", &["SUM", "AVERAGE", "MIN", "MAX"])?;
    let leaves = Leaves {
        trees: node.ints("target_treeids")?.unwrap_or_default(),
        nodes: node.ints("target_nodeids")?.unwrap_or_default(),
        targets: node.ints("target_ids")?.unwrap_or_default(),
        weights: node.floats("target_weights")?.unwrap_or_default(),
    };
    let mut tables = Tables::read(node, &leaves, count)?;
    match average {
        "SUM" => {}
        "AVERAGE" => tables.average(),
        other => return Err(unsupported_attribute("aggregate_function", &format!("`{other}`"), "`SUM`, `AVERAGE`")),
    }
    let sums = push(node, count, tables)?;
    Ok(vec![transformed(node, sums)?])
}

fn read_classifier(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let labels = labels(node, "classlabels_int64s")?;
    let mut leaves = Leaves {
        trees: node.ints("class_treeids")?.unwrap_or_default(),
        nodes: node.ints("class_nodeids")?.unwrap_or_default(),
        targets: node.ints("class_ids")?.unwrap_or_default(),
        weights: node.floats("class_weights")?.unwrap_or_default(),
    };
    let one_class = leaves.targets.windows(2).all(|pair| pair[0] == pair[1]);
    if labels.len() == 2 && one_class {
        // Weights of one class only are those of the second.
        leaves.targets.fill(0);
        let positive = leaves.weights.iter().all(|&weight| weight >= 0.0);
        let tables = Tables::read(node, &leaves, 1)?;
        let second = push(node, 1, tables)?;
        return of_two(node, second, positive, &labels);
    }
    let tables = Tables::read(node, &leaves, labels.len())?;
    let scores = push(node, labels.len(), tables)?;
    let label = label_of(node, scores, &labels)?;
    Ok(vec![label, transformed(node, scores)?])
}

/// The outputs of a classifier with one score: a share of the second class, or above zero where that is more likely.
fn of_two(node: &mut NodeReader, second: ValueId, positive: bool, labels: &[i64]) -> Result<Vec<ValueId>> {
    let first = match positive {
        true => Expr::call("sub", [Expr::number(1.0, ElemType::F32), Expr::Input(0)]),
        false => Expr::call("neg", [Expr::Input(0)]),
    };
    let first = node.push(Elementwise { expr: first }, &[second])?;
    let both = node.push(Concat { axis: 1 }, &[first, second])?;
    let label = label_of(node, both, labels)?;
    // Shares are probabilities already.
    let is_logistic = node.word("post_transform", &["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"])? == "LOGISTIC";
    let scores = if positive && is_logistic { both } else { transformed(node, both)? };
    Ok(vec![label, scores])
}

fn push(node: &mut NodeReader, targets: usize, tables: Tables) -> Result<ValueId> {
    let x = node.input(0)?;
    let x = converted(node, x, ElemType::F32)?;
    let shape = node.ty(x).shape.clone();
    let x = if let [features] = shape[..] { node.reshape(x, [1, features])? } else { x };
    node.push(Trees { targets, tables }, &[x])
}

impl Trees {
    fn kernel(&self, input: &TensorType) -> kernels::Trees {
        let Tables { depth, test, .. } = self.tables;
        kernels::Trees { features: input.shape[1], targets: self.targets, depth, test }
    }
}

impl Operator for Trees {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("X", inputs[0], &[ElemType::F32])?;
        let most = self.tables.features_used();
        match inputs[0].shape[..] {
            [rows, features] if features >= most => Ok(vec![inputs[0].with_shape([rows, self.targets])]),
            _ => Err(Refusal::new(
                format!("the input is {}; expected rows of at least {most} features", inputs[0]),
                "fix the shape of the input to [rows, features]",
            )),
        }
    }

    fn evaluate(&self, inputs: &[&Tensor], outputs: &[TensorType]) -> Option<Vec<Tensor>> {
        reference_only!();
        let kernel = self.kernel(inputs[0].ty());
        Some(vec![mapped::<f32>(inputs[0], &outputs[0], |x, y| kernel.run(x, self.tables.borrowed(), y))])
    }

    fn show(&self) -> String {
        let Tables { features, roots, depth, .. } = &self.tables;
        format!("Trees {} of {} nodes up to {depth} deep", roots.len(), features.len())
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        fn table<T: crate::tensor::Element>(cx: &Lower, name: &str, elements: &[T]) -> TokenStream {
            cx.constant(name, Tensor::from_vec([elements.len()], elements))
        }
        let kernel = self.kernel(cx.input_ty(0));
        let test = quote::format_ident!("{}", format!("{:?}", kernel.test));
        let [features, targets, depth] =
            [kernel.features, kernel.targets, kernel.depth].map(proc_macro2::Literal::usize_unsuffixed);
        let tables = &self.tables;
        let node_features = table(cx, "features", &tables.features);
        let thresholds = table(cx, "thresholds", &tables.thresholds);
        let places = table(cx, "places", &tables.places);
        let roots = table(cx, "roots", &tables.roots);
        let leaf_targets = table(cx, "targets", &tables.targets);
        let weights = table(cx, "leaves", &tables.weights);
        let base = table(cx, "base", &tables.base);
        let (x, y) = (cx.input(0), cx.output(0));
        quote! {
            rt::Trees { features: #features, targets: #targets, depth: #depth, test: rt::TreeTest::#test }.run(
                #x,
                rt::TreeTables {
                    features: #node_features,
                    thresholds: #thresholds,
                    places: #places,
                    roots: #roots,
                    targets: #leaf_targets,
                    weights: #weights,
                    base: #base,
                },
                #y,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::OneNode;

    const MODES: [&str; 4] = ["LEAF", "BRANCH_LEQ", "LEAF", "LEAF"];

    /// Tree 0: x₀ ≤ 1 ? a : b; tree 1: the leaf c. Nodes are listed in no order.
    fn trees(op: &str, modes: &[&'static str], otherwise: i64) -> OneNode {
        let x = Tensor::from_vec([2, 1], &[1.0f32, 2.0]);
        let node = OneNode::new(&format!("ai.onnx.ml::{op}"), 3).constant(&x);
        let node = node.ints("nodes_treeids", &[0, 0, 0, 1]).ints("nodes_nodeids", &[2, 0, 1, 0]);
        let node = node.ints("nodes_featureids", &[0; 4]).floats_attribute("nodes_values", &[0.0, 1.0, 0.0, 0.0]);
        let node = node.ints("nodes_truenodeids", &[0, 1, 0, 0]).ints("nodes_falsenodeids", &[0, otherwise, 0, 0]);
        node.words("nodes_modes", modes)
    }

    fn node(op: &str) -> OneNode {
        trees(op, &MODES, 2)
    }

    fn regressor() -> OneNode {
        let node = node("TreeEnsembleRegressor").ints("target_treeids", &[0, 0, 1]).ints("target_nodeids", &[1, 2, 0]);
        node.ints("target_ids", &[0, 0, 0]).floats_attribute("target_weights", &[10.0, 20.0, 0.5])
    }

    #[test]
    fn sums_and_means_of_trees() {
        assert_eq!(regressor().results()[0].to_vec::<f32>(), [10.5, 20.5]);
        let base = regressor().floats_attribute("base_values", &[100.0]);
        assert_eq!(base.results()[0].to_vec::<f32>(), [110.5, 120.5]);
        let mean = regressor().word("aggregate_function", "AVERAGE");
        assert_eq!(mean.results()[0].to_vec::<f32>(), [5.25, 10.25]);
        regressor()
            .word("aggregate_function", "MIN")
            .refused("`aggregate_function` is `MIN`; supported: `SUM`", "supported value");
    }

    fn classifier(classes: &[i64], weights: &[f32]) -> OneNode {
        let node = node("TreeEnsembleClassifier").outputs(2).ints("class_treeids", &[0, 0, 1]).ints("class_nodeids", &[1, 2, 0]);
        node.ints("class_ids", classes).floats_attribute("class_weights", weights)
    }

    #[test]
    fn scores_and_labels() {
        let results = classifier(&[0, 1, 2], &[1.0, 1.0, 0.5]).ints("classlabels_int64s", &[5, 6, 7]).results();
        assert_eq!(results[0].to_ints(), Some(vec![5, 6]));
        assert_eq!(results[1].to_vec::<f32>(), [1.0, 0.0, 0.5, 0.0, 1.0, 0.5]);
        let two = |weights: &[f32]| classifier(&[1, 1, 1], weights).ints("classlabels_int64s", &[0, 1]).results();
        assert_eq!(two(&[0.25, 0.75, 0.0])[1].to_vec::<f32>(), [0.75, 0.25, 0.25, 0.75]);
        assert_eq!(two(&[-2.0, 3.0, 0.0])[1].to_vec::<f32>(), [2.0, -2.0, -3.0, 3.0]);
        assert_eq!(two(&[-2.0, 3.0, 0.0])[0].to_ints(), Some(vec![0, 1]));
        classifier(&[0, 1, 2], &[1.0; 3]).refused("the class labels are strings", "integer labels");
    }

    #[test]
    fn refusals() {
        let mixed = trees("TreeEnsembleRegressor", &["LEAF", "BRANCH_EQ", "LEAF", "LEAF"], 2);
        mixed.refused("attribute `nodes_modes` holds `BRANCH_EQ`", "supported");
        let lost = trees("TreeEnsembleRegressor", &MODES, 7);
        lost.refused("a node of tree 0 leads to node 7, which is not there", "onnx.checker");
        trees("TreeEnsembleRegressor", &MODES, 0).refused("the nodes are no trees", "onnx.checker");
        let few = OneNode::new("ai.onnx.ml::TreeEnsembleRegressor", 3).floats(&[1, 1]);
        few.refused("the lists of nodes have different lengths, or none has any", "onnx.checker");
    }
}
