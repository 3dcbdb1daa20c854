//! `TopK`: <https://onnx.ai/onnx/operators/onnx__TopK.html>

use core::cell::Cell;

use crate::grid::lane;
use crate::load::Load;
use crate::number::Number;

/// The greatest or least elements of each lane along an axis in their order, and where they stand.
///
/// Of equal elements the one with the lesser index comes first. NaN counts as greater than all. There is no scratch: the lane is searched
/// once for each result. Output and input must be disjoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TopK {
    /// The product of the dimensions before the axis.
    pub outer: usize,
    /// The size of the axis.
    pub len: usize,
    /// The product of the dimensions behind the axis.
    pub inner: usize,
    /// How many elements are wanted.
    pub k: usize,
    /// Whether the greatest are, else the least.
    pub largest: bool,
}

impl TopK {
    /// Finds the elements and their indices.
    #[inline(always)]
    pub fn run<X: Load<Value = T>, T: Number>(self, x: &[X], values: &[Cell<T>], indices: &[Cell<i64>]) {
        for outer in 0..self.outer {
            for inner in 0..self.inner {
                let from = outer * self.len * self.inner + inner;
                let to = outer * self.k * self.inner + inner;
                let results = lane(values, to, self.k, self.inner).zip(lane(indices, to, self.k, self.inner));
                let mut last = None;
                for (value, index) in results {
                    let Some((best, place)) = self.next(lane(x, from, self.len, self.inner), last) else { break };
                    value.set(best);
                    index.set(place as i64);
                    last = Some((best, place));
                }
            }
        }
    }

    /// The first of all elements that come behind `last`.
    #[inline(always)]
    fn next<'a, X: Load<Value = T> + 'a, T: Number>(
        self,
        lane: impl Iterator<Item = &'a X>,
        last: Option<(T, usize)>,
    ) -> Option<(T, usize)> {
        let mut best = None;
        for (place, x) in lane.enumerate() {
            let candidate = (x.load(), place);
            let is_left = last.is_none_or(|last| self.before(last, candidate));
            if is_left && best.is_none_or(|best| self.before(candidate, best)) {
                best = Some(candidate);
            }
        }
        best
    }

    /// Whether element `a` comes before element `b`.
    #[inline(always)]
    fn before<T: Number>(self, (a, place): (T, usize), (b, other): (T, usize)) -> bool {
        let (greater, lesser) = match (a.is_nan(), b.is_nan()) {
            (false, false) => (a > b, a < b),
            (nan, other_nan) => (nan && !other_nan, other_nan && !nan),
        };
        let (better, worse) = if self.largest { (greater, lesser) } else { (lesser, greater) };
        better || !worse && place < other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T: Number + Load<Value = T>>(kernel: TopK, x: &[T]) -> ([T; 4], [i64; 4]) {
        let (values, indices) = ([T::ZERO; 4].map(Cell::new), [-1; 4].map(Cell::new));
        kernel.run(x, &values, &indices);
        (values.map(Cell::into_inner), indices.map(Cell::into_inner))
    }

    #[test]
    fn the_best_of_each_lane_in_order() {
        let x = [3, 1, 3, -7, 5, 0, 2, 9];
        let rows = TopK { outer: 2, len: 4, inner: 1, k: 2, largest: true };
        assert_eq!(run(rows, &x), ([3, 3, 9, 5], [0, 2, 3, 0]));
        assert_eq!(run(TopK { largest: false, ..rows }, &x), ([-7, 1, 0, 2], [3, 1, 1, 2]));
        let columns = TopK { outer: 1, len: 4, inner: 2, k: 2, largest: true };
        assert_eq!(run(columns, &x), ([5, 9, 3, 1], [2, 3, 0, 0]));
    }

    #[test]
    fn nan_is_the_greatest_and_too_many_are_left_alone() {
        let x = [1.0, f32::NAN, 2.0];
        let (values, indices) = run(TopK { outer: 1, len: 3, inner: 1, k: 4, largest: true }, &x);
        assert!(values[0].is_nan());
        assert_eq!((&values[1..], indices), (&[2.0, 1.0, 0.0][..], [1, 2, 0, -1]));
        assert_eq!(run(TopK { outer: 1, len: 3, inner: 1, k: 4, largest: false }, &x).1, [0, 2, 1, -1]);
    }
}
