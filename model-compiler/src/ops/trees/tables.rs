//! Trees made the tables that the kernel walks, whose every node asks whether a feature is above a threshold.

use super::forest::{Branch, Forest, Item, Test, below};
use crate::diagnostic::{Refusal, Result};
use crate::kernels::{self, LEAF, NAN_HOLDS};
use crate::ty::ElemType;

/// See [`kernels::TreeTables`]; with the most nodes on the way to a leaf.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the kernel's documentation says it")]
pub struct Tables {
    pub features: Vec<u16>,
    pub thresholds: Vec<f64>,
    pub places: Vec<u16>,
    pub roots: Vec<u16>,
    pub targets: Vec<u16>,
    pub weights: Vec<f64>,
    pub base: Vec<f64>,
    pub depth: usize,
}

/// The feature that a node looks at.
fn feature(number: i64, nan_holds: bool) -> Result<u16> {
    let feature = u16::try_from(number).ok().filter(|&feature| feature < NAN_HOLDS);
    let feature = feature.ok_or_else(|| {
        Refusal::new(
            format!("a node looks at feature {number}; supported are features 0 to {}", NAN_HOLDS - 1),
            "choose features before the trees, or check the model with `onnx.checker`",
        )
    })?;
    Ok(if nan_holds { feature | NAN_HOLDS } else { feature })
}

/// The number of a node or weight.
fn place(number: usize) -> Result<u16> {
    u16::try_from(number).ok().filter(|&number| number < u16::MAX).ok_or_else(|| {
        Refusal::new(
            "the trees have more than 65534 nodes or weights",
            "train fewer or shallower trees (`n_estimators`, `max_depth`)",
        )
    })
}

impl Tables {
    /// The tables of trees that compare elements of type `elem`; results begin with `base`.
    pub fn new(forest: &Forest, base: Vec<f64>, elem: ElemType) -> Result<Self> {
        let depth = forest.depth()?;
        let roots = forest.roots.iter().map(|&root| place(root)).collect::<Result<_>>()?;
        let (features, places) = (Vec::new(), Vec::new());
        let (thresholds, targets, weights) = (Vec::new(), Vec::new(), Vec::new());
        let mut tables = Self { features, thresholds, places, roots, targets, weights, base, depth };
        // Some branches are several nodes here, of which all but the first come behind.
        let mut behind: Vec<(u16, f64, [usize; 2])> = Vec::new();
        for item in &forest.items {
            match item {
                Item::Leaf(weights) => tables.leaf(weights)?,
                Item::Branch(branch) => {
                    let (feature, threshold, next) = first_node(branch, elem, forest.items.len(), &mut behind)?;
                    tables.node(feature, threshold, next)?;
                }
            }
        }
        for (feature, threshold, next) in behind {
            tables.node(feature, threshold, next)?;
        }
        Ok(tables)
    }

    fn node(&mut self, feature: u16, threshold: f64, next: [usize; 2]) -> Result<()> {
        self.features.push(feature);
        self.thresholds.push(threshold);
        self.places.extend([place(next[0])?, place(next[1])?]);
        Ok(())
    }

    fn leaf(&mut self, weights: &[(i64, f64)]) -> Result<()> {
        let first = self.weights.len();
        for &(number, weight) in weights {
            let target = usize::try_from(number).ok().filter(|&target| target < self.base.len());
            let target = target.ok_or_else(|| {
                Refusal::new(
                    format!("a leaf gives to target {number}; there are {} targets", self.base.len()),
                    "export the model again, or check it with `onnx.checker`",
                )
            })?;
            self.targets.push(place(target)?);
            self.weights.push(weight);
        }
        self.node(LEAF, 0.0, [first, self.weights.len() - first])
    }

    /// How many features the nodes look at, at least.
    pub fn features_used(&self) -> usize {
        let branches = self.features.iter().filter(|&&feature| feature != LEAF);
        branches.map(|&feature| usize::from(feature & !NAN_HOLDS) + 1).max().unwrap_or(0)
    }

    /// What the kernel returns for rows of `x`.
    pub fn run(&self, kernel: kernels::Trees, x: &[f32], y: &[std::cell::Cell<f32>]) {
        let floats = |numbers: &[f64]| numbers.iter().map(|&number| kernels::cast(number)).collect::<Vec<f32>>();
        let [thresholds, weights, base] = [&self.thresholds, &self.weights, &self.base].map(|numbers| floats(numbers));
        let Self { features, places, roots, targets, .. } = self;
        let (thresholds, weights, base) = (&thresholds[..], &weights[..], &base[..]);
        kernel.run(x, kernels::TreeTables { features, thresholds, places, roots, targets, weights, base }, y);
    }
}

/// The node that a branch begins with; those that follow it are added to `behind`, which come behind `items` others.
///
/// Below a threshold is what is not above the number before it. Of numbers that ascend, each is asked for once what is below is ruled out.
fn first_node(
    branch: &Branch,
    elem: ElemType,
    items: usize,
    behind: &mut Vec<(u16, f64, [usize; 2])>,
) -> Result<(u16, f64, [usize; 2])> {
    let Branch { feature: number, test, nan_holds, next } = branch;
    let first = feature(*number, *nan_holds)?;
    let [then, otherwise] = *next;
    let members = match test {
        Test::LessOrEqual(threshold) => return Ok((first, *threshold, *next)),
        Test::Less(threshold) => return Ok((first, below(*threshold, elem), *next)),
        Test::Member(members) if members.is_empty() => return Ok((first, f64::NAN, *next)),
        Test::Member(members) => members,
    };
    let later = feature(*number, false)?;
    let start = items + behind.len();
    // The place of the node that asks for the lower bound of a member, and of that for its upper bound, which is the first node for member 0.
    let (lower, upper) = (|member: usize| start + 2 * member, |member: usize| start + 2 * member - 1);
    let after = |member: usize| if member + 1 < members.len() { upper(member + 1) } else { otherwise };
    for (index, &member) in members.iter().enumerate() {
        if index > 0 {
            behind.push((later, member, [lower(index), after(index)]));
        }
        behind.push((later, below(member, elem), [otherwise, then]));
    }
    Ok((first, members[0], [lower(0), after(0)]))
}
