//! Trees as a file lists them: by `TreeEnsemble`, or by the lists of nodes of the classifier and the regressor that were before it.

use std::collections::HashMap;

use crate::diagnostic::{Refusal, Result};
use crate::ops::resize::real;
use crate::reader::{NodeReader, unsupported_attribute};
use crate::scalar::Scalar;
use crate::tensor::Tensor;
use crate::ty::ElemType;

/// Trees whose nodes refer to each other by their places.
#[derive(Clone, Debug, PartialEq)]
pub struct Forest {
    /// The nodes.
    pub items: Vec<Item>,
    /// The node that each tree begins with.
    pub roots: Vec<usize>,
}

/// A node of a tree.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// What is given to targets.
    Leaf(Vec<(i64, f64)>),
    /// Two ways on.
    Branch(Branch),
}

/// A node with two ways on.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The feature that is looked at.
    pub feature: i64,
    /// What it is asked.
    pub test: Test,
    /// Whether NaN goes the first way.
    pub nan_holds: bool,
    /// The node to go to where the test holds, and that where it does not.
    pub next: [usize; 2],
}

/// What a node asks a feature.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Whether it is not above a threshold.
    LessOrEqual(f64),
    /// Whether it is below a threshold.
    Less(f64),
    /// Whether it is one of these numbers, which ascend.
    Member(Vec<f64>),
}

/// What leaves give to targets, a line for each leaf and target.
pub struct Leaves {
    pub trees: Vec<i64>,
    pub nodes: Vec<i64>,
    pub targets: Vec<i64>,
    pub weights: Vec<f64>,
}

/// The tests by their names in the lists of nodes; `TreeEnsemble` numbers them in this order.
const MODES: [&str; 7] = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ", "BRANCH_MEMBER"];

/// The number of the last of them, which alone has several numbers.
const MEMBER: usize = 6;

const CHECK: &str = "export the model again, or check it with `onnx.checker`";

impl Branch {
    /// The branch whose test is number `mode` of the modes; a test that is the opposite of another goes the other's ways.
    fn new(mode: usize, mut values: Vec<f64>, feature: i64, nan_holds: bool, next: [usize; 2]) -> Self {
        let threshold = values.first().copied().unwrap_or(f64::NAN);
        let [then, otherwise] = next;
        let opposite = [otherwise, then];
        values.sort_by(f64::total_cmp);
        let (test, nan_holds, next) = match mode {
            0 => (Test::LessOrEqual(threshold), nan_holds, next),
            1 => (Test::Less(threshold), nan_holds, next),
            2 => (Test::Less(threshold), !nan_holds, opposite),
            3 => (Test::LessOrEqual(threshold), !nan_holds, opposite),
            // NaN is unlike every number.
            5 => (Test::Member(values), false, opposite),
            _ => (Test::Member(values), nan_holds, next),
        };
        Self { feature, test, nan_holds, next }
    }
}

/// The numbers of an attribute that is a list of floats, or a tensor of them.
pub fn numbers(node: &NodeReader, list: &'static str, tensor: &'static str) -> Result<Option<Vec<f64>>> {
    let floats = node.floats(list)?.filter(|floats| !floats.is_empty());
    match floats {
        Some(floats) => Ok(Some(floats.into_iter().map(f64::from).collect())),
        None => tensor_numbers(node, tensor),
    }
}

fn tensor_numbers(node: &NodeReader, name: &'static str) -> Result<Option<Vec<f64>>> {
    let Some(tensor) = node.tensor(name)? else { return Ok(None) };
    let number = |scalar| match scalar {
        Scalar::F16(x) => Some(f64::from(x)),
        Scalar::F32(x) => Some(f64::from(x)),
        Scalar::F64(x) => Some(x),
        _ => None,
    };
    let numbers: Option<Vec<f64>> = Scalar::all(&tensor).into_iter().map(number).collect();
    numbers.map(Some).ok_or_else(|| unsupported_attribute(name, &tensor.ty().to_string(), "tensors of f16, f32 or f64"))
}

fn ints(node: &NodeReader, name: &'static str) -> Result<Vec<i64>> {
    Ok(node.ints(name)?.unwrap_or_default())
}

/// The flags of nodes that NaN goes the first way of; there may be none.
fn flags(node: &NodeReader, len: usize) -> Result<Vec<i64>> {
    let flags = node.ints("nodes_missing_value_tracks_true")?.filter(|flags| !flags.is_empty());
    Ok(flags.unwrap_or_else(|| vec![0; len]))
}

fn expect_lens(lens: &[usize]) -> Result<()> {
    match lens.iter().all(|&len| len == lens[0] && len > 0) {
        true => Ok(()),
        false => Err(Refusal::new("the lists of nodes have different lengths, or none has any", CHECK)),
    }
}

impl Forest {
    /// Reads the lists of nodes, in which each has a tree and a number in it, and is a leaf or not.
    pub fn of_lists(node: &NodeReader, leaves: &Leaves) -> Result<Self> {
        for name in ["nodes_hitrates", "nodes_hitrates_as_tensor"] {
            node.ignore(name);
        }
        let (trees, numbers_in_tree, features) =
            (ints(node, "nodes_treeids")?, ints(node, "nodes_nodeids")?, ints(node, "nodes_featureids")?);
        let values = numbers(node, "nodes_values", "nodes_values_as_tensor")?.unwrap_or_default();
        let modes = node.words("nodes_modes")?.unwrap_or_default();
        let next = [ints(node, "nodes_truenodeids")?, ints(node, "nodes_falsenodeids")?];
        let nan_holds = flags(node, trees.len())?;
        let lens = [&trees, &numbers_in_tree, &features, &next[0], &next[1], &nan_holds].map(Vec::len);
        expect_lens(&[&lens[..], &[values.len(), modes.len()]].concat())?;

        let ids: Vec<(i64, i64)> = trees.iter().copied().zip(numbers_in_tree).collect();
        let places: HashMap<(i64, i64), usize> = ids.iter().copied().zip(0..).collect();
        let place = |tree: i64, number: i64| {
            let place = places.get(&(tree, number)).copied();
            place.ok_or_else(|| Refusal::new(format!("a node of tree {tree} leads to node {number}, which is not there"), CHECK))
        };
        let mut by_leaf: HashMap<(i64, i64), Vec<(i64, f64)>> = HashMap::new();
        let lines = leaves.trees.iter().zip(&leaves.nodes).zip(leaves.targets.iter().zip(&leaves.weights));
        for ((&tree, &leaf), (&target, &weight)) in lines {
            by_leaf.entry((tree, leaf)).or_default().push((target, weight));
        }
        let mut items = Vec::new();
        let mut is_root = vec![true; ids.len()];
        for (index, id) in ids.iter().enumerate() {
            if modes[index] == "LEAF" {
                items.push(Item::Leaf(by_leaf.remove(id).unwrap_or_default()));
                continue;
            }
            let mode = MODES[..MEMBER].iter().position(|mode| *mode == modes[index]);
            let mode = mode.ok_or_else(|| {
                unsupported_attribute("nodes_modes", &format!("`{}` of a node", modes[index]), &MODES[..MEMBER].join(", "))
            })?;
            let next = [place(id.0, next[0][index])?, place(id.0, next[1][index])?];
            next.iter().for_each(|&next| is_root[next] = false);
            items.push(Item::Branch(Branch::new(mode, vec![values[index]], features[index], nan_holds[index] != 0, next)));
        }
        let roots = (0..ids.len()).filter(|&index| is_root[index]).collect();
        Ok(Self { items, roots })
    }

    /// Reads a `TreeEnsemble`, in which the nodes with two ways on and the leaves are counted apart.
    ///
    /// <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html>
    pub fn of_ensemble(node: &NodeReader) -> Result<Self> {
        node.ignore("nodes_hitrates");
        let features = ints(node, "nodes_featureids")?;
        let modes = node.tensor("nodes_modes")?.as_ref().and_then(Tensor::to_ints).unwrap_or_default();
        let splits = tensor_numbers(node, "nodes_splits")?.unwrap_or_default();
        let next = [ints(node, "nodes_truenodeids")?, ints(node, "nodes_falsenodeids")?];
        let are_leaves = [ints(node, "nodes_trueleafs")?, ints(node, "nodes_falseleafs")?];
        let nan_holds = flags(node, features.len())?;
        let lens = [&features, &modes, &next[0], &next[1], &are_leaves[0], &are_leaves[1], &nan_holds].map(Vec::len);
        expect_lens(&[&lens[..], &[splits.len()]].concat())?;
        let (targets, weights) = (ints(node, "leaf_targetids")?, tensor_numbers(node, "leaf_weights")?.unwrap_or_default());
        expect_lens(&[targets.len(), weights.len()])?;

        let (branches, leaves) = (features.len(), targets.len());
        let place = |number: i64, is_leaf: bool| {
            let (first, count, kind) = if is_leaf { (branches, leaves, "leaf") } else { (0, branches, "node") };
            let place = usize::try_from(number).ok().filter(|&place| place < count);
            place
                .map(|place| first + place)
                .ok_or_else(|| Refusal::new(format!("a tree leads to {kind} {number}; there are {count}"), CHECK))
        };
        let members = tensor_numbers(node, "membership_values")?.unwrap_or_default();
        // Each set ends with NaN.
        let mut sets = members.split(|member| member.is_nan()).map(<[f64]>::to_vec);
        let mut items = Vec::new();
        for index in 0..branches {
            let mode = usize::try_from(modes[index]).ok().filter(|&mode| mode <= MEMBER);
            let mode = mode.ok_or_else(|| unsupported_attribute("nodes_modes", &modes[index].to_string(), "0 to 6"))?;
            let values = if mode == MEMBER { sets.next().unwrap_or_default() } else { vec![splits[index]] };
            let way = |side: usize| place(next[side][index], are_leaves[side][index] != 0);
            items.push(Item::Branch(Branch::new(mode, values, features[index], nan_holds[index] != 0, [way(0)?, way(1)?])));
        }
        items.extend(targets.into_iter().zip(weights).map(|leaf| Item::Leaf(vec![leaf])));
        let roots = ints(node, "tree_roots")?.into_iter().map(|root| place(root, false)).collect::<Result<_>>()?;
        Ok(Self { items, roots })
    }

    /// Drops what adds nothing to a sum.
    pub fn without_zeros(&mut self) {
        self.leaves().for_each(|leaf| leaf.retain(|(_, weight)| *weight != 0.0));
    }

    /// Divides what the leaves give by the number of trees.
    pub fn average(&mut self) {
        let trees = real(self.roots.len());
        self.leaves().flatten().for_each(|(_, weight)| *weight /= trees);
    }

    fn leaves(&mut self) -> impl Iterator<Item = &mut Vec<(i64, f64)>> {
        self.items.iter_mut().filter_map(|item| if let Item::Leaf(leaf) = item { Some(leaf) } else { None })
    }

    /// The most comparisons with a threshold on the way from a root to a leaf. Each branch must be on just one such way.
    pub fn depth(&self) -> Result<usize> {
        let no_trees = || Refusal::new("the nodes are no trees: one is reached on two ways, or on none", CHECK);
        let mut open: Vec<(usize, usize)> = self.roots.iter().map(|&root| (root, 0)).collect();
        let mut is_reached = vec![false; self.items.len()];
        let mut most = 0;
        while let Some((index, depth)) = open.pop() {
            let Item::Branch(Branch { test, next, .. }) = &self.items[index] else {
                (is_reached[index], most) = (true, most.max(depth));
                continue;
            };
            if std::mem::replace(&mut is_reached[index], true) {
                return Err(no_trees());
            }
            let comparisons = if let Test::Member(members) = test { members.len() + 1 } else { 1 };
            open.extend(next.iter().map(|&next| (next, depth + comparisons)));
        }
        let all = is_reached.iter().zip(&self.items).all(|(reached, item)| *reached || matches!(item, Item::Leaf(_)));
        if all { Ok(most) } else { Err(no_trees()) }
    }
}

/// The greatest number below `number` of those that `elem` holds; below the least there is none, which NaN is.
pub fn below(number: f64, elem: ElemType) -> f64 {
    if number == f64::NEG_INFINITY {
        return f64::NAN;
    }
    match elem {
        ElemType::F64 => number.next_down(),
        _ => f64::from(crate::kernels::cast::<f64, f32>(number).next_down()),
    }
}
