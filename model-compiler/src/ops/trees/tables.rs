//! Trees as a file lists them, made the tables that the kernel walks.

use std::collections::HashMap;

use crate::diagnostic::{Refusal, Result};
use crate::kernels::{self, LEAF, NAN_HOLDS, TreeTest};
use crate::reader::{NodeReader, unsupported_attribute};

/// See [`kernels::TreeTables`]; with the most nodes on the way to a leaf, and the test of every node.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs, reason = "the kernel's documentation says it")]
pub struct Tables {
    pub features: Vec<u16>,
    pub thresholds: Vec<f32>,
    pub places: Vec<u16>,
    pub roots: Vec<u16>,
    pub targets: Vec<u16>,
    pub weights: Vec<f32>,
    pub base: Vec<f32>,
    pub depth: usize,
    pub test: TreeTest,
}

/// What leaves add to targets, a line for each leaf and target.
pub struct Leaves {
    pub trees: Vec<i64>,
    pub nodes: Vec<i64>,
    pub targets: Vec<i64>,
    pub weights: Vec<f32>,
}

/// The nodes as the file lists them.
struct Nodes {
    /// Tree and number of each.
    ids: Vec<(i64, i64)>,
    features: Vec<i64>,
    values: Vec<f32>,
    modes: Vec<String>,
    /// Where to go when the test holds, and when not.
    next: [Vec<i64>; 2],
    nan_holds: Vec<i64>,
}

const CHECK: &str = "export the model again, or check it with `onnx.checker`";

impl Nodes {
    fn read(node: &NodeReader) -> Result<Self> {
        node.ignore("nodes_hitrates");
        let ints = |name| Ok::<_, Refusal>(node.ints(name)?.unwrap_or_default());
        let trees = ints("nodes_treeids")?;
        let len = trees.len();
        let nodes = Self {
            ids: trees.into_iter().zip(ints("nodes_nodeids")?).collect(),
            features: ints("nodes_featureids")?,
            values: node.floats("nodes_values")?.unwrap_or_default(),
            modes: node.words("nodes_modes")?.unwrap_or_default(),
            next: [ints("nodes_truenodeids")?, ints("nodes_falsenodeids")?],
            nan_holds: node
                .ints("nodes_missing_value_tracks_true")?
                .filter(|flags| !flags.is_empty())
                .unwrap_or_else(|| vec![0; len]),
        };
        let lens = [
            nodes.ids.len(),
            nodes.features.len(),
            nodes.values.len(),
            nodes.modes.len(),
            nodes.next[0].len(),
            nodes.next[1].len(),
            nodes.nan_holds.len(),
        ];
        if len == 0 || lens != [len; 7] {
            return Err(Refusal::new("the lists of nodes have different lengths, or none has any", CHECK));
        }
        Ok(nodes)
    }

    /// The one test of all nodes.
    fn test(&self) -> Result<TreeTest> {
        let mut tests = self.modes.iter().filter(|mode| *mode != "LEAF");
        let Some(first) = tests.next() else { return Ok(TreeTest::LessOrEqual) };
        let other = tests.find(|mode| *mode != first);
        let test = match first.as_str() {
            "BRANCH_LEQ" => Some(TreeTest::LessOrEqual),
            "BRANCH_LT" => Some(TreeTest::Less),
            "BRANCH_GTE" => Some(TreeTest::GreaterOrEqual),
            "BRANCH_GT" => Some(TreeTest::Greater),
            _ => None,
        };
        match (test, other) {
            (Some(test), None) => Ok(test),
            (Some(_), Some(other)) => Err(Refusal::new(
                format!("attribute `nodes_modes` holds `{first}` and `{other}`; supported is one of them for all nodes"),
                "train the trees without categorical features",
            )),
            (None, _) => Err(Refusal::new(
                format!("attribute `nodes_modes` holds `{first}`; supported: BRANCH_LEQ, BRANCH_LT, BRANCH_GTE, BRANCH_GT"),
                "export the model with a supported mode; train the trees without categorical features",
            )),
        }
    }
}

/// A number that tables can hold.
fn small(number: usize) -> Result<u16> {
    u16::try_from(number).ok().filter(|&number| number < NAN_HOLDS).map_or_else(|| wide(number), Ok)
}

fn wide(number: usize) -> Result<u16> {
    u16::try_from(number).ok().filter(|&number| number < u16::MAX).ok_or_else(|| {
        Refusal::new(
            "the trees have more than 65534 nodes or weights",
            "train fewer or shallower trees (`n_estimators`, `max_depth`)",
        )
    })
}

impl Tables {
    /// Reads the trees of a node, whose leaves add to `targets` sums.
    pub fn read(node: &NodeReader, leaves: &Leaves, targets: usize) -> Result<Self> {
        let base = node.floats("base_values")?.filter(|base| !base.is_empty()).unwrap_or_else(|| vec![0.0; targets]);
        if base.len() != targets {
            return Err(unsupported_attribute(
                "base_values",
                &format!("of {} numbers", base.len()),
                &format!("{targets} numbers"),
            ));
        }
        let nodes = Nodes::read(node)?;
        let places: HashMap<(i64, i64), usize> = nodes.ids.iter().copied().zip(0..).collect();
        let mut tables = Self {
            features: Vec::new(),
            thresholds: nodes.values.clone(),
            places: Vec::new(),
            roots: nodes.roots(&places)?,
            targets: Vec::new(),
            weights: Vec::new(),
            base,
            depth: 0,
            test: nodes.test()?,
        };
        let mut by_leaf: HashMap<(i64, i64), Vec<(i64, f32)>> = HashMap::new();
        let lines = leaves.trees.iter().zip(&leaves.nodes).zip(leaves.targets.iter().zip(&leaves.weights));
        for ((&tree, &leaf), (&target, &weight)) in lines {
            by_leaf.entry((tree, leaf)).or_default().push((target, weight));
        }
        for index in 0..nodes.ids.len() {
            if nodes.modes[index] == "LEAF" {
                tables.leaf(by_leaf.get(&nodes.ids[index]).map_or(&[], Vec::as_slice))?;
                continue;
            }
            let feature = usize::try_from(nodes.features[index]).map_or_else(|_| small(usize::MAX), small)?;
            tables.features.push(if nodes.nan_holds[index] != 0 { feature | NAN_HOLDS } else { feature });
            for next in &nodes.next {
                tables.places.push(nodes.place(&places, nodes.ids[index].0, next[index])?);
            }
        }
        tables.depth = tables
            .find_depth()
            .ok_or_else(|| Refusal::new("the nodes are no trees: one is reached on two ways, or on none", CHECK))?;
        Ok(tables)
    }

    /// A leaf, without what it does not change.
    fn leaf(&mut self, weights: &[(i64, f32)]) -> Result<()> {
        let first = self.weights.len();
        for &(target, weight) in weights.iter().filter(|(_, weight)| *weight != 0.0) {
            let place = usize::try_from(target).ok().filter(|&target| target < self.base.len());
            let place = place.ok_or_else(|| {
                Refusal::new(format!("a leaf adds to target {target}; there are {} targets", self.base.len()), CHECK)
            })?;
            self.targets.push(wide(place)?);
            self.weights.push(weight);
        }
        self.features.push(LEAF);
        self.places.extend([wide(first)?, wide(self.weights.len() - first)?]);
        Ok(())
    }

    /// The most nodes on the way from a root to a leaf; `None` where not every node is on just one such way.
    fn find_depth(&self) -> Option<usize> {
        let mut level: Vec<u16> = self.roots.clone();
        let mut seen = 0;
        for depth in 0..=self.features.len() {
            seen += level.len();
            level.retain(|&node| self.features[usize::from(node)] != LEAF);
            if level.is_empty() || seen > self.features.len() {
                return (seen == self.features.len()).then_some(depth);
            }
            level = level.iter().flat_map(|&node| [0, 1].map(|side| self.places[usize::from(node) * 2 + side])).collect();
        }
        None
    }

    /// Divides what the leaves add by the number of trees.
    pub fn average(&mut self) {
        let trees = crate::ops::resize::real(self.roots.len());
        for weight in &mut self.weights {
            *weight = kernels::cast(f64::from(*weight) / trees);
        }
    }

    /// How many features the nodes look at, at least.
    pub fn features_used(&self) -> usize {
        let branches = self.features.iter().filter(|&&feature| feature != LEAF);
        branches.map(|&feature| usize::from(feature & !NAN_HOLDS) + 1).max().unwrap_or(0)
    }

    /// The tables as the kernel takes them.
    pub fn borrowed(&self) -> kernels::TreeTables<'_> {
        let Self { features, thresholds, places, roots, targets, weights, base, .. } = self;
        kernels::TreeTables { features, thresholds, places, roots, targets, weights, base }
    }
}

impl Nodes {
    fn place(&self, places: &HashMap<(i64, i64), usize>, tree: i64, number: i64) -> Result<u16> {
        let place = places.get(&(tree, number)).copied();
        let place = place
            .ok_or_else(|| Refusal::new(format!("a node of tree {tree} leads to node {number}, which is not there"), CHECK))?;
        wide(place)
    }

    /// In each tree the node to which no other leads, in the order of the file.
    fn roots(&self, places: &HashMap<(i64, i64), usize>) -> Result<Vec<u16>> {
        let mut is_root = vec![true; self.ids.len()];
        for index in (0..self.ids.len()).filter(|&index| self.modes[index] != "LEAF") {
            for next in &self.next {
                is_root[usize::from(self.place(places, self.ids[index].0, next[index])?)] = false;
            }
        }
        (0..self.ids.len()).filter(|&index| is_root[index]).map(wide).collect()
    }
}
