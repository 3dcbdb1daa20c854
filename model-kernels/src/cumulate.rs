//! `CumSum`, `CumProd`: <https://onnx.ai/onnx/operators/onnx__CumSum.html>

use core::cell::Cell;

use crate::load::Load;
use crate::number::Number;
use crate::overlap::{Overlap, Step};

/// Running sums or products in each lane along an axis: `y[j] = x[0] + … + x[j]`.
///
/// They are kept in the element's type, of `f16` and `bf16` in `f32`; integers wrap around.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cumulate {
    /// The product of the dimensions before the axis.
    pub outer: usize,
    /// The size of the axis.
    pub len: usize,
    /// The product of the dimensions behind the axis.
    pub inner: usize,
    /// Whether an element's own value is left out.
    pub exclusive: bool,
    /// Whether it goes from the last element to the first.
    pub reverse: bool,
}

impl Cumulate {
    /// `CumSum`
    #[inline(always)]
    pub fn sum<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>]) {
        self.run(x, y, T::Sum::ZERO, |sum, x| sum.add(x));
    }

    /// `CumProd`
    #[inline(always)]
    pub fn product<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>]) {
        self.run(x, y, T::Sum::ONE, |product, x| product.mul(x));
    }

    #[inline(always)]
    fn run<X: Load<Value = T>, T: Number>(
        self,
        x: &[X],
        y: &[Cell<T>],
        first: T::Sum,
        combine: impl Fn(T::Sum, T::Sum) -> T::Sum,
    ) {
        for outer in 0..self.outer {
            for inner in 0..self.inner {
                let mut total = first;
                for j in 0..self.len {
                    let place = self.place(outer, inner, j);
                    let (Some(x), Some(y)) = (x.get(place), y.get(place)) else { continue };
                    let next = combine(total, x.load().widen());
                    y.set(T::narrow(if self.exclusive { total } else { next }));
                    total = next;
                }
            }
        }
    }

    /// Where element `j` of a lane lies, counted in the order in which it is summed.
    #[inline(always)]
    fn place(self, outer: usize, inner: usize, j: usize) -> usize {
        let j = if self.reverse { self.len - 1 - j } else { j };
        (outer * self.len + j) * self.inner + inner
    }

    /// How far the output may overtake the input, given the bytes of an element.
    pub fn overlap(self, element_size: usize) -> Overlap {
        let lanes = (0..self.outer).flat_map(|outer| (0..self.inner).map(move |inner| (outer, inner)));
        let places = lanes.flat_map(|(outer, inner)| (0..self.len).map(move |j| self.place(outer, inner, j)));
        let steps = places.map(|place| Step { read: place..place + 1, write: place..place + 1 });
        Overlap { backward: None, in_place: true, ..Overlap::of_steps(steps, element_size) }
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use half::bf16;

    use super::*;
    use crate::testing::check_overlap;

    fn sums(kernel: Cumulate) -> [i32; 6] {
        let y = [0; 6].map(Cell::new);
        kernel.sum(&[1, 2, 3, 4, 5, 6], &y);
        y.map(Cell::into_inner)
    }

    #[test]
    fn sums_along_an_axis_either_way() {
        let row = Cumulate { outer: 2, len: 3, inner: 1, exclusive: false, reverse: false };
        assert_eq!(sums(row), [1, 3, 6, 4, 9, 15]);
        assert_eq!(sums(Cumulate { exclusive: true, ..row }), [0, 1, 3, 0, 4, 9]);
        assert_eq!(sums(Cumulate { reverse: true, ..row }), [6, 5, 3, 15, 11, 6]);
        assert_eq!(sums(Cumulate { exclusive: true, reverse: true, ..row }), [5, 3, 0, 11, 6, 0]);
        assert_eq!(sums(Cumulate { outer: 1, len: 3, inner: 2, ..row }), [1, 2, 4, 6, 9, 12]);
        let y = [0; 6].map(Cell::new);
        row.product(&[1, 2, 3, 4, 5, 6], &y);
        assert_eq!(y.map(Cell::into_inner), [1, 2, 6, 4, 20, 120]);
    }

    #[test]
    fn sums_of_bf16_do_not_stall() {
        let y: Vec<_> = (0..1024).map(|_| Cell::new(bf16::ZERO)).collect();
        Cumulate { outer: 1, len: 1024, inner: 1, exclusive: false, reverse: false }.sum(&[bf16::ONE; 1024], &y);
        assert_eq!(y[1023].get(), bf16::from_f32(1024.0));
    }

    #[test]
    fn overlap_is_exact() {
        for (outer, len, inner, reverse) in [(3, 4, 1, false), (1, 3, 4, false), (1, 12, 1, true), (2, 3, 2, true)] {
            let kernel = Cumulate { outer, len, inner, exclusive: false, reverse };
            check_overlap([12, 12], kernel.overlap(4), |_, x, y| kernel.sum(x, y));
            let x: [i32; 12] = core::array::from_fn(|i| i as i32 + 1);
            let (apart, in_place) = ([0; 12].map(Cell::new), x.map(Cell::new));
            kernel.sum(&in_place, &apart);
            kernel.sum(&in_place, &in_place);
            assert_eq!(in_place, apart, "{kernel:?}");
        }
    }
}
