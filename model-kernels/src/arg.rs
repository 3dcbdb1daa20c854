//! `ArgMax`, `ArgMin`, `Hardmax`: <https://onnx.ai/onnx/operators/onnx__ArgMax.html>

use core::cell::Cell;

use crate::grid::lane;
use crate::load::Load;
use crate::number::Number;

/// The index of the greatest or least element in each lane along an axis. Which one, is the method.
///
/// NaN is not chosen, unless it comes first. An empty lane gives 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arg {
    /// The product of the dimensions before the axis.
    pub outer: usize,
    /// The size of the axis.
    pub len: usize,
    /// The product of the dimensions behind the axis.
    pub inner: usize,
    /// Whether the last of equal elements is chosen, else the first.
    pub last: bool,
}

impl Arg {
    /// `ArgMax`: y = the index of the greatest.
    #[inline(always)]
    pub fn max<X: Load<Value: Number>>(self, x: &[X], y: &[Cell<i64>]) {
        self.run(x, y, |a, b| a > b);
    }

    /// `ArgMin`: y = the index of the least.
    #[inline(always)]
    pub fn min<X: Load<Value: Number>>(self, x: &[X], y: &[Cell<i64>]) {
        self.run(x, y, |a, b| a < b);
    }

    /// `Hardmax`: y = 1 at the chosen greatest, else 0. `y` may be the same place as `x`.
    #[inline(always)]
    pub fn hardmax<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>]) {
        for outer in 0..self.outer {
            for inner in 0..self.inner {
                let start = self.start(outer, inner);
                let best = self.find(x, start, |a, b| a > b);
                for (i, y) in lane(y, start, self.len, self.inner).enumerate() {
                    y.set(if i == best { T::ONE } else { T::ZERO });
                }
            }
        }
    }

    #[inline(always)]
    fn run<X: Load<Value: Number>>(self, x: &[X], y: &[Cell<i64>], better: impl Fn(X::Value, X::Value) -> bool) {
        for outer in 0..self.outer {
            for inner in 0..self.inner {
                if let Some(y) = y.get(outer * self.inner + inner) {
                    y.set(self.find(x, self.start(outer, inner), &better) as i64);
                }
            }
        }
    }

    #[inline(always)]
    fn start(self, outer: usize, inner: usize) -> usize {
        outer * self.len * self.inner + inner
    }

    /// The index of the element than which none is better, in the lane that begins at `start`.
    #[inline(always)]
    fn find<X: Load<Value: Number>>(self, x: &[X], start: usize, better: impl Fn(X::Value, X::Value) -> bool) -> usize {
        let mut lane = lane(x, start, self.len, self.inner).map(Load::load).enumerate();
        let Some((mut index, mut best)) = lane.next() else { return 0 };
        for (i, x) in lane {
            if better(x, best) || self.last && x == best {
                (index, best) = (i, x);
            }
        }
        index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const X: [i8; 12] = [3, 1, 3, -7, -7, 0, 2, 2, 2, 5, -6, 4];

    fn run(arg: Arg, run: impl Fn(Arg, &[Cell<i64>])) -> [i64; 4] {
        let y = [-1; 4].map(Cell::new);
        run(arg, &y);
        y.map(Cell::into_inner)
    }

    #[test]
    fn the_first_or_the_last_of_the_best() {
        let rows = Arg { outer: 4, len: 3, inner: 1, last: false };
        assert_eq!(run(rows, |arg, y| arg.max(&X, y)), [0, 2, 0, 0]);
        assert_eq!(run(rows, |arg, y| arg.min(&X, y)), [1, 0, 0, 1]);
        let last = Arg { last: true, ..rows };
        assert_eq!(run(last, |arg, y| arg.max(&X, y)), [2, 2, 2, 0]);
        assert_eq!(run(last, |arg, y| arg.min(&X, y)), [1, 1, 2, 1]);
        let columns = Arg { outer: 2, len: 3, inner: 2, last: false };
        assert_eq!(run(columns, |arg, y| arg.max(&X, y)), [0, 0, 0, 1]);
    }

    #[test]
    fn nan_is_chosen_only_at_the_first_place() {
        let rows = Arg { outer: 2, len: 3, inner: 1, last: false };
        assert_eq!(run(rows, |arg, y| arg.max(&[f32::NAN, 1.0, 2.0, 1.0, f32::NAN, 2.0], y)), [0, 2, -1, -1]);
    }

    #[test]
    fn hardmax_in_place() {
        let x = X.map(Cell::new);
        Arg { outer: 2, len: 2, inner: 3, last: false }.hardmax(&x, &x);
        assert_eq!(x.map(Cell::into_inner), [1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0, 1]);
    }
}
