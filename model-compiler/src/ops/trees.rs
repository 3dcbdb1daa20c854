//! `TreeEnsemble`, and `TreeEnsembleRegressor` and `TreeEnsembleClassifier` before it: tables of nodes that a loop walks.
//!
//! <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html>

mod forest;
mod tables;

use proc_macro2::TokenStream;
use quote::quote;

use self::forest::{Forest, Leaves, numbers};
use self::tables::Tables;
use super::concat::Concat;
use super::elementwise::{self, Elementwise, Expr, converted};
use super::ml::{POST_TRANSFORMS, label_of, labels, transformed, transformed_by};
use super::{expect_elem, mapped};
use crate::diagnostic::{Refusal, Result};
use crate::emit::Lower;
use crate::graph::ValueId;
use crate::kernels::{self, Aggregate};
use crate::op::{LATEST, OpDef, Operator, reference_only};
use crate::reader::{NodeReader, unsupported_attribute};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::{ElemType, TensorType};

/// What ONNX calls this family.
pub const DEFS: &[OpDef] = &[
    OpDef { name: "ai.onnx.ml::TreeEnsemble", opset: 5..=LATEST, read: read_ensemble },
    OpDef { name: "ai.onnx.ml::TreeEnsembleRegressor", opset: 1..=LATEST, read: read_regressor },
    OpDef { name: "ai.onnx.ml::TreeEnsembleClassifier", opset: 1..=LATEST, read: read_classifier },
];

/// For each row of the input what the leaves that it comes to give to targets.
#[derive(Clone, Debug, PartialEq)]
pub struct Trees {
    /// How many targets there are.
    pub targets: usize,
    /// What is made of the leaves.
    pub aggregate: Aggregate,
    /// The nodes and leaves.
    pub tables: Tables,
}

/// The names of `aggregate_function`; `TreeEnsemble` numbers them in this order.
const AGGREGATES: [&str; 4] = ["AVERAGE", "SUM", "MIN", "MAX"];

fn read_ensemble(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let elem = node.ty(node.input(0)?).elem;
    let targets = targets(node)?;
    let aggregate = numbered(node, "aggregate_function", 1, &AGGREGATES)?;
    let transform = numbered(node, "post_transform", 0, &POST_TRANSFORMS)?;
    let forest = Forest::of_ensemble(node)?;
    let results = aggregated(node, &forest, targets, aggregate, None)?;
    let results = transformed_by(node, results, transform)?;
    Ok(vec![converted(node, results, elem)?])
}

/// The name that an attribute is the number of.
fn numbered(node: &NodeReader, name: &'static str, default: i64, names: &[&'static str]) -> Result<&'static str> {
    let number = node.int(name, default)?;
    let found = usize::try_from(number).ok().and_then(|number| names.get(number).copied());
    found.ok_or_else(|| unsupported_attribute(name, &number.to_string(), &format!("0 to {}", names.len() - 1)))
}

fn targets(node: &NodeReader) -> Result<usize> {
    let targets = node.int("n_targets", 1)?;
    let count = usize::try_from(targets).ok().filter(|count| (1..1 << 15).contains(count));
    count.ok_or_else(|| unsupported_attribute("n_targets", &targets.to_string(), "1 to 32767"))
}

fn read_regressor(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let targets = targets(node)?;
    let aggregate = node.word("aggregate_function", &["SUM", "AVERAGE", "MIN", "MAX"])?;
    let leaves = Leaves {
        trees: node.ints("target_treeids")?.unwrap_or_default(),
        nodes: node.ints("target_nodeids")?.unwrap_or_default(),
        targets: node.ints("target_ids")?.unwrap_or_default(),
        weights: numbers(node, "target_weights", "target_weights_as_tensor")?.unwrap_or_default(),
    };
    let forest = Forest::of_lists(node, &leaves)?;
    let base = base(node, targets)?;
    let results = aggregated(node, &forest, targets, aggregate, base)?;
    let results = converted(node, results, ElemType::F32)?;
    Ok(vec![transformed(node, results)?])
}

/// What each of `targets` sums begins with, if the node says so.
fn base(node: &NodeReader, targets: usize) -> Result<Option<Vec<f64>>> {
    let base = numbers(node, "base_values", "base_values_as_tensor")?;
    match base {
        Some(base) if base.len() != targets => {
            Err(unsupported_attribute("base_values", &format!("of {} numbers", base.len()), &format!("{targets} numbers")))
        }
        base => Ok(base),
    }
}

fn read_classifier(node: &mut NodeReader) -> Result<Vec<ValueId>> {
    let labels = labels(node, "classlabels_int64s")?;
    let mut leaves = Leaves {
        trees: node.ints("class_treeids")?.unwrap_or_default(),
        nodes: node.ints("class_nodeids")?.unwrap_or_default(),
        targets: node.ints("class_ids")?.unwrap_or_default(),
        weights: numbers(node, "class_weights", "class_weights_as_tensor")?.unwrap_or_default(),
    };
    let one_class = leaves.targets.windows(2).all(|pair| pair[0] == pair[1]);
    let is_one = labels.len() == 2 && one_class;
    if is_one {
        // Weights of one class only are those of the second.
        leaves.targets.fill(0);
    }
    let targets = if is_one { 1 } else { labels.len() };
    let forest = Forest::of_lists(node, &leaves)?;
    let base = base(node, targets)?;
    let sums = aggregated(node, &forest, targets, "SUM", base)?;
    let sums = converted(node, sums, ElemType::F32)?;
    if is_one {
        let positive = leaves.weights.iter().all(|&weight| weight >= 0.0);
        return of_two(node, sums, positive, &labels);
    }
    let label = label_of(node, sums, &labels)?;
    Ok(vec![label, transformed(node, sums)?])
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
    let is_logistic = node.word("post_transform", &POST_TRANSFORMS)? == "LOGISTIC";
    let scores = if positive && is_logistic { both } else { transformed(node, both)? };
    Ok(vec![label, scores])
}

/// What the leaves of each row make together, and `base` with it: in `f64` where the features are, else in `f32`.
fn aggregated(
    node: &mut NodeReader,
    forest: &Forest,
    targets: usize,
    aggregate: &str,
    base: Option<Vec<f64>>,
) -> Result<ValueId> {
    let x = node.input(0)?;
    let elem = if node.ty(x).elem == ElemType::F64 { ElemType::F64 } else { ElemType::F32 };
    let x = converted(node, x, elem)?;
    let x = if let [features] = node.ty(x).shape[..] { node.reshape(x, [1, features])? } else { x };
    let mut forest = forest.clone();
    let aggregate = match aggregate {
        "MIN" => Aggregate::Least,
        "MAX" => Aggregate::Greatest,
        word => {
            forest.without_zeros();
            if word == "AVERAGE" {
                forest.average();
            }
            let tables = Tables::new(&forest, base.unwrap_or_else(|| vec![0.0; targets]), elem)?;
            return node.push(Trees { targets, aggregate: Aggregate::Sum, tables }, &[x]);
        }
    };
    if targets > 1 {
        // Some row might come to no leaf of a target.
        return Err(unsupported_attribute("n_targets", &targets.to_string(), "1 with `MIN` and `MAX`"));
    }
    let none = if aggregate == Aggregate::Least { f64::INFINITY } else { f64::NEG_INFINITY };
    let tables = Tables::new(&forest, vec![none], elem)?;
    let found = node.push(Trees { targets, aggregate, tables }, &[x])?;
    let Some(base) = base else { return Ok(found) };
    let base = node.add_constant(Scalar::tensor(elem, [1], &[Scalar::of(base[0], elem)]));
    elementwise::push(node, "add", &[found, base])
}

impl Trees {
    fn kernel(&self, input: &TensorType) -> kernels::Trees {
        let Self { targets, aggregate, ref tables } = *self;
        kernels::Trees { features: input.shape[1], targets, depth: tables.depth, aggregate }
    }
}

impl Operator for Trees {
    fn infer(&self, inputs: &[&TensorType]) -> Result<Vec<TensorType>> {
        expect_elem("X", inputs[0], &[ElemType::F32, ElemType::F64])?;
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
        let run = || mapped::<f32>(inputs[0], &outputs[0], |x, y| self.tables.run(kernel, x, y));
        (outputs[0].elem == ElemType::F32).then(|| vec![run()])
    }

    fn show(&self) -> String {
        let Tables { features, roots, depth, .. } = &self.tables;
        format!("Trees {} of {} nodes up to {depth} deep", roots.len(), features.len())
    }

    fn lower(&self, cx: &Lower) -> TokenStream {
        let kernel = self.kernel(cx.input_ty(0));
        let aggregate = quote::format_ident!("{}", format!("{:?}", kernel.aggregate));
        let [features, targets, depth] =
            [kernel.features, kernel.targets, kernel.depth].map(proc_macro2::Literal::usize_unsuffixed);
        let numbers = |name: &str, numbers: &[u16]| cx.constant(name, Tensor::from_vec([numbers.len()], numbers));
        let elem = cx.input_ty(0).elem;
        let reals = |name: &str, reals: &[f64]| {
            let scalars: Vec<Scalar> = reals.iter().map(|&real| Scalar::of(real, elem)).collect();
            cx.constant(name, Scalar::tensor(elem, [reals.len()], &scalars))
        };
        let tables = &self.tables;
        let node_features = numbers("features", &tables.features);
        let thresholds = reals("thresholds", &tables.thresholds);
        let places = numbers("places", &tables.places);
        let roots = numbers("roots", &tables.roots);
        let leaf_targets = numbers("targets", &tables.targets);
        let weights = reals("leaves", &tables.weights);
        let base = reals("base", &tables.base);
        let (x, y) = (cx.input(0), cx.output(0));
        quote! {
            rt::Trees { features: #features, targets: #targets, depth: #depth, aggregate: rt::Aggregate::#aggregate }.run(
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
        let least = regressor().word("aggregate_function", "MIN").floats_attribute("base_values", &[100.0]);
        assert_eq!(least.results()[0].to_vec::<f32>(), [100.5, 100.5]);
        let greatest = || regressor().word("aggregate_function", "MAX");
        assert_eq!(greatest().results()[0].to_vec::<f32>(), [10.0, 20.0]);
        greatest().int("n_targets", 2).refused("`n_targets` is 2; supported: 1 with `MIN` and `MAX`", "supported value");
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
        let strange = trees("TreeEnsembleRegressor", &["LEAF", "BRANCH_MEMBER", "LEAF", "LEAF"], 2);
        strange.refused("`nodes_modes` is `BRANCH_MEMBER` of a node; supported: BRANCH_LEQ, BRANCH_LT", "supported");
        let lost = trees("TreeEnsembleRegressor", &MODES, 7);
        lost.refused("a node of tree 0 leads to node 7, which is not there", "onnx.checker");
        trees("TreeEnsembleRegressor", &MODES, 0).refused("the nodes are no trees", "onnx.checker");
        let few = OneNode::new("ai.onnx.ml::TreeEnsembleRegressor", 3).floats(&[1, 1]);
        few.refused("the lists of nodes have different lengths, or none has any", "onnx.checker");
    }

    /// Each test of the feature 1, NaN and others around it, with and without the flag by which NaN holds.
    #[test]
    fn every_test_holds_where_it_should() {
        let features = [0.5f32, 1.0f32.next_down(), 1.0, 1.0f32.next_up(), f32::NEG_INFINITY, f32::NAN];
        let x = Tensor::from_vec([6, 1], &features);
        let ensemble = |mode: u8, flag: i64| {
            let node = OneNode::new("ai.onnx.ml::TreeEnsemble", 5).constant(&x);
            let node = node.tensor("nodes_modes", &Tensor::from_vec([1], &[mode]));
            let node = node.tensor("nodes_splits", &Tensor::from_vec([1], &[1.0f32])).ints("nodes_featureids", &[0]);
            let node = node.ints("nodes_truenodeids", &[1]).ints("nodes_falsenodeids", &[0]).ints("tree_roots", &[0]);
            let node = node.ints("nodes_trueleafs", &[1]).ints("nodes_falseleafs", &[1]).ints("leaf_targetids", &[0, 0]);
            let node = node.tensor("leaf_weights", &Tensor::from_vec([2], &[0.0f32, 1.0]));
            let node = node.tensor("membership_values", &Tensor::from_vec([4], &[1.0f32.next_up(), 0.5, 1.0, f32::NAN]));
            node.ints("nodes_missing_value_tracks_true", &[flag])
        };
        type Holds = fn(f32) -> bool;
        let tests: [Holds; 7] = [
            |x| x <= 1.0,
            |x| x < 1.0,
            |x| x >= 1.0,
            |x| x > 1.0,
            |x| x == 1.0,
            |x| x != 1.0,
            |x| [0.5, 1.0, 1.0f32.next_up()].contains(&x),
        ];
        for (mode, holds) in tests.into_iter().enumerate() {
            for flag in [false, true] {
                let expected = features.map(|x| f32::from(u8::from(holds(x) || (flag && x.is_nan()))));
                let found = ensemble(u8::try_from(mode).unwrap(), flag.into()).results()[0].to_vec::<f32>();
                assert_eq!(found, expected, "test {mode} with the flag {flag}");
            }
        }
        ensemble(7, 0).refused("attribute `nodes_modes` is 7; supported: 0 to 6", "supported value");
        ensemble(0, 0).int("aggregate_function", 4).refused("`aggregate_function` is 4; supported: 0 to 3", "supported value");
        ensemble(0, 0).int("n_targets", 0).refused("`n_targets` is 0; supported: 1 to 32767", "supported value");
    }

    /// One node, which looks at a feature and leads to leaf 0 or another.
    #[test]
    fn ensembles_that_are_none() {
        let one = Tensor::from_vec([1], &[1.0f32]);
        let ensemble = |feature: i64, other: i64, splits: &Tensor| {
            let node = OneNode::new("ai.onnx.ml::TreeEnsemble", 5).input(ElemType::F64, &[3, 2]);
            let node = node.tensor("nodes_modes", &Tensor::from_vec([1], &[0u8])).tensor("nodes_splits", splits);
            let node = node.ints("nodes_featureids", &[feature]).ints("nodes_truenodeids", &[0]);
            let node = node.ints("nodes_falsenodeids", &[other]).ints("tree_roots", &[0]).ints("nodes_trueleafs", &[1]);
            let node = node.ints("nodes_falseleafs", &[1]).ints("leaf_targetids", &[0]);
            node.tensor("leaf_weights", &one)
        };
        assert_eq!(ensemble(1, 0, &one).types(), ["f64[3, 1]"]);
        ensemble(1, 1, &one).refused("a tree leads to leaf 1; there are 1", "onnx.checker");
        ensemble(40_000, 0, &one).refused("a node looks at feature 40000; supported are features 0 to 32767", "before the trees");
        let integers = Tensor::from_vec([1], &[1i64]);
        ensemble(0, 0, &integers).refused("`nodes_splits` is i64[1]; supported: tensors of f16, f32 or f64", "supported value");
    }
}
