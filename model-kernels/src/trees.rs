//! `TreeEnsemble`: <https://onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsemble.html>

use core::cell::Cell;

use crate::load::Load;
use crate::number::Number;

/// Of the leaves that a row of features comes to, one in each of many trees: their sum, or the least or greatest of them.
///
/// A node has a feature, a threshold, and two places: that of the node to go to where the feature is not above the threshold, and that where it
/// is. A leaf has the feature [`LEAF`], and in the two places the first of its weights and their number. NaN is above every threshold, but for
/// a feature with the bit [`NAN_HOLDS`] below it. Weights are added in the order of the trees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trees {
    /// How many features a row has.
    pub features: usize,
    /// How many results are made of a row.
    pub targets: usize,
    /// The most nodes on the way to a leaf.
    pub depth: usize,
    /// What is made of the leaves.
    pub aggregate: Aggregate,
}

/// The feature of a leaf.
pub const LEAF: u16 = u16::MAX;

/// Set in the feature of a node for which NaN is below the threshold.
pub const NAN_HOLDS: u16 = 1 << 15;

/// What is made of the leaves of all trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Aggregate {
    Sum,
    Least,
    Greatest,
}

/// The constant data of the trees.
#[derive(Clone, Copy, Debug)]
pub struct TreeTables<'a, T> {
    /// The feature of each node.
    pub features: &'a [u16],
    /// The threshold of each node.
    pub thresholds: &'a [T],
    /// The two places of each node.
    pub places: &'a [u16],
    /// The root of each tree.
    pub roots: &'a [u16],
    /// The target of each weight.
    pub targets: &'a [u16],
    /// What a leaf gives to a target.
    pub weights: &'a [T],
    /// What each result begins with.
    pub base: &'a [T],
}

impl Trees {
    /// Computes the results of each row of `x`.
    #[inline(always)]
    pub fn run<X: Load<Value = T>, T: Number>(self, x: &[X], tables: TreeTables<T>, y: &[Cell<T>]) {
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
    fn tree<X: Load<Value = T>, T: Number>(self, x: &[X], tables: TreeTables<T>, root: u16, y: &[Cell<T>]) {
        let mut node = usize::from(root);
        for _ in 0..=self.depth {
            let (Some(&feature), Some(&threshold)) = (tables.features.get(node), tables.thresholds.get(node)) else { return };
            let place = |side: usize| tables.places.get(node * 2 + side).copied().map_or(0, usize::from);
            if feature == LEAF {
                let entries = tables.targets.iter().zip(tables.weights).skip(place(0)).take(place(1));
                for (&target, &weight) in entries {
                    if let Some(y) = y.get(usize::from(target)) {
                        y.set(self.aggregated(y.get(), weight));
                    }
                }
                return;
            }
            let Some(value) = x.get(usize::from(feature & !NAN_HOLDS)).map(Load::load) else { return };
            let holds = value <= threshold || (value.is_nan() && feature & NAN_HOLDS != 0);
            node = place(usize::from(!holds));
        }
    }

    #[inline(always)]
    fn aggregated<T: Number>(self, so_far: T, weight: T) -> T {
        match self.aggregate {
            Aggregate::Sum => so_far.add(weight),
            Aggregate::Least if weight < so_far => weight,
            Aggregate::Greatest if weight > so_far => weight,
            _ => so_far,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tree 0: x₁ ≤ 2 ? [10 to target 0] : (x₀ ≤ 5 or NaN ? [20 to 0, 1 to 1] : [2 to 1]); tree 1: a leaf of 0.5 to target 1.
    const TABLES: TreeTables<f32> = TreeTables {
        features: &[1, LEAF, NAN_HOLDS, LEAF, LEAF, LEAF],
        thresholds: &[2.0, 0.0, 5.0, 0.0, 0.0, 0.0],
        places: &[1, 2, 0, 1, 3, 4, 1, 2, 3, 1, 4, 1],
        roots: &[0, 5],
        targets: &[0, 0, 1, 1, 1],
        weights: &[10.0, 20.0, 1.0, 2.0, 0.5],
        base: &[100.0, 0.0],
    };

    const TREES: Trees = Trees { features: 2, targets: 2, depth: 2, aggregate: Aggregate::Sum };

    #[test]
    fn leaves_are_added_to_their_targets() {
        let y = [0.0; 10].map(Cell::new);
        TREES.run(&[9.0f32, 2.0, 5.0, 3.0, 6.0, 3.0, f32::NAN, 3.0, 6.0, f32::NAN], TABLES, &y);
        assert_eq!(y.map(Cell::into_inner), [110.0, 0.5, 120.0, 1.5, 100.0, 2.5, 120.0, 1.5, 100.0, 2.5]);
    }

    #[test]
    fn the_least_and_the_greatest_leaf() {
        let second = |aggregate, base| {
            let y = [0.0; 4].map(Cell::new);
            let tables = TreeTables { base: &[0.0, base], ..TABLES };
            Trees { aggregate, ..TREES }.run(&[5.0f32, 3.0, 9.0, 2.0], tables, &y);
            [y[1].get(), y[3].get()]
        };
        assert_eq!(second(Aggregate::Least, f32::INFINITY), [0.5, 0.5]);
        assert_eq!(second(Aggregate::Greatest, f32::NEG_INFINITY), [1.0, 0.5]);
    }

    #[test]
    fn a_circle_ends() {
        let tables = TreeTables { places: &[0, 0], roots: &[0], ..TABLES };
        let y = [0.0; 2].map(Cell::new);
        TREES.run(&[0.0f32, 0.0], tables, &y);
        assert_eq!(y.map(Cell::into_inner), [100.0, 0.0]);
    }
}
