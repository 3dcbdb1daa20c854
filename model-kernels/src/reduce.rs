//! The reductions: <https://onnx.ai/onnx/operators/onnx__ReduceSum.html> and its like.

use core::cell::Cell;

use crate::float::{Float, exp, log, sqrt};
use crate::grid::{Indices, index, lane, position, row_stride, rows};
use crate::load::Load;
use crate::number::Number;
use crate::overlap::{Overlap, Step};
use crate::scalar;

/// For each index of the kept dimensions, what is left of all elements along the reduced ones. What, is the method.
///
/// Elements are taken in row-major order of the reduced dimensions. Sums are kept in the element's type, of `f16` and `bf16` in `f32`;
/// integers wrap around.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reduce<const K: usize, const R: usize> {
    /// The sizes of the dimensions that stay, which are those of the output.
    pub kept: [usize; K],
    /// Their distances in the input.
    pub kept_strides: [usize; K],
    /// The sizes of the dimensions that go.
    pub reduced: [usize; R],
    /// Their distances in the input.
    pub reduced_strides: [usize; R],
}

impl<const K: usize, const R: usize> Reduce<K, R> {
    /// `ReduceSum`: Σ x; 0 of nothing.
    #[inline(always)]
    pub fn sum<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>]) {
        self.fold(x, y, T::Sum::ZERO, |sum, x| sum.add(x.widen()), T::narrow);
    }

    /// `ReduceMean`: Σ x / count, truncated for integers; of nothing NaN, or 0 for integers.
    #[inline(always)]
    pub fn mean<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>]) {
        let count = T::Sum::from_usize(self.reduced.iter().product());
        self.fold(x, y, T::Sum::ZERO, |sum, x| sum.add(x.widen()), |sum| T::narrow(sum.div(count)));
    }

    /// `ReduceProd`: Π x; 1 of nothing.
    #[inline(always)]
    pub fn product<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>]) {
        self.fold(x, y, T::Sum::ONE, |product, x| product.mul(x.widen()), T::narrow);
    }

    /// `ReduceMax`: the greatest, NaN if one is; of nothing minus infinity, or the lowest integer.
    #[inline(always)]
    pub fn max<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>]) {
        self.fold(x, y, T::LOWEST, scalar::max, |max| max);
    }

    /// `ReduceMin`: the least, NaN if one is; of nothing infinity, or the highest integer.
    #[inline(always)]
    pub fn min<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>]) {
        self.fold(x, y, T::HIGHEST, scalar::min, |min| min);
    }

    /// `ReduceMax` of booleans: whether one is true.
    #[inline(always)]
    pub fn any<X: Load<Value = u8>>(self, x: &[X], y: &[Cell<u8>]) {
        self.fold(x, y, 0, scalar::or, |any| any);
    }

    /// `ReduceMin` of booleans: whether all are true.
    #[inline(always)]
    pub fn all<X: Load<Value = u8>>(self, x: &[X], y: &[Cell<u8>]) {
        self.fold(x, y, 1, scalar::and, |all| all);
    }

    /// `ReduceL1`: Σ |x|; 0 of nothing.
    #[inline(always)]
    pub fn l1<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>]) {
        self.fold(x, y, T::Sum::ZERO, |sum, x| sum.add(x.abs().widen()), T::narrow);
    }

    /// `ReduceL2`: √ Σ x²; 0 of nothing.
    #[inline(always)]
    pub fn l2<X: Load<Value = T>, T: Float<Sum: Float>>(self, x: &[X], y: &[Cell<T>]) {
        self.fold(x, y, T::Sum::ZERO, |sum, x| sum + x.widen() * x.widen(), |sum| T::narrow(sqrt(sum)));
    }

    /// `ReduceSumSquare`: Σ x²; 0 of nothing.
    #[inline(always)]
    pub fn sum_square<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>]) {
        self.fold(x, y, T::Sum::ZERO, |sum, x| sum.add(x.widen().mul(x.widen())), T::narrow);
    }

    /// `ReduceLogSum`: log Σ x; minus infinity of nothing.
    #[inline(always)]
    pub fn log_sum<X: Load<Value = T>, T: Float<Sum: Float>>(self, x: &[X], y: &[Cell<T>]) {
        self.fold(x, y, T::Sum::ZERO, |sum, x| sum + x.widen(), |sum| T::narrow(log(sum)));
    }

    /// `ReduceLogSumExp`: max + log Σ exp(x − max), where only a finite maximum is subtracted; minus infinity of nothing.
    ///
    /// Output and input must be disjoint or the same place.
    #[inline(always)]
    pub fn log_sum_exp<X: Load<Value = T>, T: Float<Sum: Float>>(self, x: &[X], y: &[Cell<T>]) {
        for (kept, y) in Indices::new(self.kept).zip(y) {
            let start = position(0, kept, self.kept_strides);
            let max = self.lane(x, start, T::LOWEST, scalar::max).widen();
            let finite = max > T::Sum::LOWEST && max < T::Sum::HIGHEST;
            let shift = if finite { max } else { T::Sum::ZERO };
            let sum = self.lane(x, start, T::Sum::ZERO, |sum, x| sum + exp(x.widen() - shift));
            y.set(T::narrow(shift + log(sum)));
        }
    }

    /// y = finish(step(… step(first, x₀) …, xₙ)): a reduction by any rule.
    #[inline(always)]
    pub fn fold<X: Load, A: Copy, T>(
        self,
        x: &[X],
        y: &[Cell<T>],
        first: A,
        step: impl Fn(A, X::Value) -> A,
        finish: impl Fn(A) -> T,
    ) {
        for (kept, y) in Indices::new(self.kept).zip(y) {
            let start = position(0, kept, self.kept_strides);
            y.set(finish(self.lane(x, start, first, &step)));
        }
    }

    /// Folds the elements of the reduced dimensions that begin at `start`.
    #[inline(always)]
    fn lane<X: Load, A>(self, x: &[X], start: usize, first: A, step: impl Fn(A, X::Value) -> A) -> A {
        let (len, rows) = rows(self.reduced);
        let stride = row_stride(self.reduced_strides);
        let mut folded = first;
        for index in rows {
            let start = position(start, index, self.reduced_strides);
            for x in lane(x, start, len, stride) {
                folded = step(folded, x.load());
            }
        }
        folded
    }

    /// How far the output may overtake the input, given the bytes of an element.
    pub fn overlap(self, element_size: usize) -> Overlap {
        let last: usize =
            self.reduced.iter().zip(self.reduced_strides).map(|(size, stride)| size.saturating_sub(1) * stride).sum();
        let steps = (0..self.kept.iter().product()).map(|n| {
            let start = position(0, index(self.kept, n), self.kept_strides);
            Step { read: start..start + last + 1, write: n..n + 1 }
        });
        Overlap { backward: None, ..Overlap::of_steps(steps, element_size) }
    }
}

#[cfg(test)]
mod tests {
    use half::f16;

    use super::*;
    use crate::testing::check_overlap;

    const X: [f32; 12] = [0.5, -1.5, 3.25, 2.5, 1.0, -2.0, 0.75, 1.0, 2.0, -0.125, 4.0, 0.5];
    /// Of a 2 × 3 × 2 tensor the middle dimension stays.
    const MIDDLE: Reduce<1, 2> = Reduce { kept: [3], kept_strides: [2], reduced: [2, 2], reduced_strides: [6, 1] };

    const NOTHING: Reduce<1, 1> = Reduce { kept: [1], kept_strides: [1], reduced: [0], reduced_strides: [1] };

    /// A reduction of f32, its name, and its formula over the elements in f64.
    type Case = (&'static str, fn(&[f32], &[Cell<f32>]), fn(&[f64]) -> f64);

    const CASES: &[Case] = &[
        ("sum", |x, y| MIDDLE.sum(x, y), |x| x.iter().sum()),
        ("mean", |x, y| MIDDLE.mean(x, y), |x| x.iter().sum::<f64>() / 4.0),
        ("product", |x, y| MIDDLE.product(x, y), |x| x.iter().product()),
        ("max", |x, y| MIDDLE.max(x, y), |x| x.iter().fold(f64::MIN, |a, &b| a.max(b))),
        ("min", |x, y| MIDDLE.min(x, y), |x| x.iter().fold(f64::MAX, |a, &b| a.min(b))),
        ("l1", |x, y| MIDDLE.l1(x, y), |x| x.iter().map(|x| x.abs()).sum()),
        ("l2", |x, y| MIDDLE.l2(x, y), |x| x.iter().map(|x| x * x).sum::<f64>().sqrt()),
        ("sum_square", |x, y| MIDDLE.sum_square(x, y), |x| x.iter().map(|x| x * x).sum()),
        ("log_sum", |x, y| MIDDLE.log_sum(x, y), |x| x.iter().sum::<f64>().ln()),
        ("log_sum_exp", |x, y| MIDDLE.log_sum_exp(x, y), |x| x.iter().map(|x| x.exp()).sum::<f64>().ln()),
    ];

    #[test]
    fn every_reduction_is_its_formula() {
        for (name, run, formula) in CASES {
            let y = [0.0; 3].map(Cell::new);
            run(&X, &y);
            for (kept, y) in y.iter().enumerate() {
                let expected = formula(&[0, 1, 6, 7].map(|i| f64::from(X[i + 2 * kept])));
                let error = (f64::from(y.get()) - expected).abs();
                assert!(error <= 3e-7 * expected.abs(), "{name}[{kept}]: {y:?}, not {expected}");
            }
        }
    }

    #[test]
    fn integers_wrap_and_truncate() {
        let all = Reduce { kept: [], kept_strides: [], reduced: [3], reduced_strides: [1] };
        let y = [0i8].map(Cell::new);
        all.sum(&[100i8, 100, 1], &y);
        assert_eq!(y[0].get(), -55);
        all.mean(&[-1i8, -2, -2], &y);
        assert_eq!(y[0].get(), -1);
        all.l1(&[-1i8, 2, -3], &y);
        assert_eq!(y[0].get(), 6);
    }

    #[test]
    fn booleans_are_written_as_0_or_1() {
        let rows = Reduce { kept: [2], kept_strides: [2], reduced: [2], reduced_strides: [1] };
        let y = [9, 9].map(Cell::new);
        rows.any(&[0u8, 0, 2, 0], &y);
        assert_eq!(y.each_ref().map(Cell::get), [0, 1]);
        rows.all(&[2u8, 1, 2, 0], &y);
        assert_eq!(y.map(Cell::into_inner), [1, 0]);
    }

    #[test]
    fn nothing_gives_the_identity() {
        let run = |run: fn(&[f32], &[Cell<f32>])| {
            let y = [9.0].map(Cell::new);
            run(&[], &y);
            y[0].get()
        };
        assert_eq!(run(|x, y| NOTHING.sum(x, y)), 0.0);
        assert_eq!(run(|x, y| NOTHING.product(x, y)), 1.0);
        assert_eq!(run(|x, y| NOTHING.max(x, y)), f32::NEG_INFINITY);
        assert_eq!(run(|x, y| NOTHING.min(x, y)), f32::INFINITY);
        assert_eq!(run(|x, y| NOTHING.log_sum_exp(x, y)), f32::NEG_INFINITY);
        assert!(run(|x, y| NOTHING.mean(x, y)).is_nan());
    }

    #[test]
    fn large_exponents_and_long_sums_keep_their_accuracy() {
        let all = Reduce { kept: [], kept_strides: [], reduced: [4096], reduced_strides: [1] };
        let y = [0.0].map(Cell::new);
        all.log_sum_exp(&[1000.0f32; 4096], &y);
        assert_eq!(y[0].get(), 1000.0 + 4096f32.ln());
        let y = [f16::ZERO].map(Cell::new);
        all.sum(&[f16::ONE; 4096], &y);
        assert_eq!(y[0].get(), f16::from_f32(4096.0));
    }

    #[test]
    fn overlap_is_exact() {
        let rows = Reduce { kept: [3], kept_strides: [4], reduced: [4], reduced_strides: [1] };
        let columns = Reduce { kept: [4], kept_strides: [1], reduced: [3], reduced_strides: [4] };
        check_overlap([12, 3], rows.overlap(4), |_, x, y| rows.sum(x, y));
        check_overlap([12, 4], columns.overlap(4), |_, x, y| columns.sum(x, y));
    }
}
