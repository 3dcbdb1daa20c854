//! `TreeEnsemble`: <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html>

use core::cell::Cell;

use crate::load::Load;

/// Sums of the leaves that a row of features comes to, one in each of many trees.
///
/// A node has a feature, a threshold, and two places: that of the node to go to where the test holds, and that where it does not. A leaf
/// has the feature [`LEAF`], and in the two places the first of its weights and their number. A feature with the bit [`NAN_HOLDS`]
/// takes NaN as if the test held. Weights are added in the order of the trees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trees {
    /// How many features a row has.
    pub features: usize,
    /// How many sums are made of a row.
    pub targets: usize,
    /// The most nodes on the way to a leaf.
    pub depth: usize,
    /// The test of every node.
    pub test: TreeTest,
}

/// The feature of a leaf.
pub const LEAF: u16 = u16::MAX;

/// Set in the feature of a node whose test holds for NaN.
pub const NAN_HOLDS: u16 = 1 << 15;

/// How a feature is compared with a threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum TreeTest {
    LessOrEqual,
    Less,
    GreaterOrEqual,
    Greater,
}

/// The constant data of the trees.
#[derive(Clone, Copy, Debug)]
pub struct TreeTables<'a> {
    /// The feature of each node.
    pub features: &'a [u16],
    /// The threshold of each node.
    pub thresholds: &'a [f32],
    /// The two places of each node.
    pub places: &'a [u16],
    /// The root of each tree.
    pub roots: &'a [u16],
    /// The target of each weight.
    pub targets: &'a [u16],
    /// What a leaf adds to a target.
    pub weights: &'a [f32],
    /// What each sum begins with.
    pub base: &'a [f32],
}

impl Trees {
    /// Adds up the leaves for each row of `x`.
    #[inline(always)]
    pub fn run<X: Load<Value = f32>>(self, x: &[X], tables: TreeTables, y: &[Cell<f32>]) {
        let rows = y.len().checked_div(self.targets).unwrap_or(0);
        for row in 0..rows {
            let x = x.get(row * self.features..).unwrap_or(&[]);
            let y = y.get(row * self.targets..).unwrap_or(&[]);
            for (y, base) in y.iter().zip(tables.base) {
                y.set(*base);
            }
            for root in tables.roots {
                self.tree(x, tables, *root, y);
            }
        }
    }

    #[inline(always)]
    fn tree<X: Load<Value = f32>>(self, x: &[X], tables: TreeTables, root: u16, y: &[Cell<f32>]) {
        let mut node = usize::from(root);
        for _ in 0..=self.depth {
            let (Some(&feature), Some(&threshold)) = (tables.features.get(node), tables.thresholds.get(node)) else { return };
            let place = |side: usize| tables.places.get(node * 2 + side).copied().map_or(0, usize::from);
            if feature == LEAF {
                let entries = tables.targets.iter().zip(tables.weights).skip(place(0)).take(place(1));
                for (&target, weight) in entries {
                    if let Some(y) = y.get(usize::from(target)) {
                        y.set(y.get() + weight);
                    }
                }
                return;
            }
            let value = x.get(usize::from(feature & !NAN_HOLDS)).map_or(f32::NAN, Load::load);
            let holds = match self.test {
                TreeTest::LessOrEqual => value <= threshold,
                TreeTest::Less => value < threshold,
                TreeTest::GreaterOrEqual => value >= threshold,
                TreeTest::Greater => value > threshold,
            };
            let holds = holds || (value.is_nan() && feature & NAN_HOLDS != 0);
            node = place(usize::from(!holds));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tree 0: x₁ ≤ 2 ? [10 to target 0] : (x₀ ≤ 5 or NaN ? [20 to 0, 1 to 1] : [2 to 1]); tree 1: a leaf of 0.5 to target 1.
    const TABLES: TreeTables = TreeTables {
        features: &[1, LEAF, NAN_HOLDS, LEAF, LEAF, LEAF],
        thresholds: &[2.0, 0.0, 5.0, 0.0, 0.0, 0.0],
        places: &[1, 2, 0, 1, 3, 4, 1, 2, 3, 1, 4, 1],
        roots: &[0, 5],
        targets: &[0, 0, 1, 1, 1],
        weights: &[10.0, 20.0, 1.0, 2.0, 0.5],
        base: &[100.0, 0.0],
    };

    #[test]
    fn leaves_are_added_to_their_targets() {
        let trees = Trees { features: 2, targets: 2, depth: 2, test: TreeTest::LessOrEqual };
        let y = [0.0; 8].map(Cell::new);
        trees.run(&[9.0f32, 2.0, 5.0, 3.0, 6.0, 3.0, f32::NAN, 3.0], TABLES, &y);
        assert_eq!(y.map(Cell::into_inner), [110.0, 0.5, 120.0, 1.5, 100.0, 2.5, 120.0, 1.5]);
    }

    #[test]
    fn the_other_tests() {
        let first = |test| {
            let y = [0.0; 2].map(Cell::new);
            Trees { features: 2, targets: 2, depth: 2, test }.run(&[9.0f32, 2.0], TABLES, &y);
            y[0].get() == 110.0
        };
        let tests = [TreeTest::LessOrEqual, TreeTest::Less, TreeTest::GreaterOrEqual, TreeTest::Greater];
        assert_eq!(tests.map(first), [true, false, true, false]);
    }

    #[test]
    fn a_circle_ends() {
        let tables = TreeTables { places: &[0, 0], roots: &[0], ..TABLES };
        let y = [0.0; 2].map(Cell::new);
        Trees { features: 2, targets: 2, depth: 2, test: TreeTest::Less }.run(&[0.0f32, 0.0], tables, &y);
        assert_eq!(y.map(Cell::into_inner), [100.0, 0.0]);
    }
}
