//! One loop for all elementwise operators, chains of them, and broadcasting: <https://onnx.ai/onnx/repo-docs/Broadcasting.html>

use core::cell::Cell;

use crate::grid::{position, row_stride, rows};
use crate::load::Load;
use crate::overlap::Overlap;

/// `y[i] = f(a[i], b[i], …)` for each index of the shape, in row-major order.
///
/// Each operand is a slice with its stride in every dimension of the output; stride 0 repeats it along a dimension:
///
/// ```
/// # use core::cell::Cell;
/// # use model_kernels as rt;
/// # let (a, bias, y) = ([1.0; 6], [0.5, 1.5, 2.5], [0.0; 6].map(Cell::new));
/// rt::Elementwise { shape: [2, 3] }.run(((&a, [3, 1]), (&bias, [0, 1])), &y, |(a, b)| rt::relu(rt::add(a, b)));
/// rt::Elementwise { shape: [6] }.run((&y, [1]), &y, rt::exp);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Elementwise<const R: usize> {
    /// The output's shape.
    pub shape: [usize; R],
}

impl<const R: usize> Elementwise<R> {
    /// Applies `f` to the operands' elements.
    #[inline(always)]
    pub fn run<O: Operands<R>, T>(self, operands: O, y: &[Cell<T>], f: impl Fn(<O::Row as Row>::Values) -> T) {
        let (len, rows) = rows(self.shape);
        for (row, index) in rows.enumerate() {
            let y = y.get(row * len..).and_then(|y| y.get(..len));
            let (Some(y), Some(operands)) = (y, operands.row(index, len)) else { return };
            for (i, y) in y.iter().enumerate() {
                if let Some(values) = operands.load(i) {
                    y.set(f(values));
                }
            }
        }
    }

    /// How far the output may overtake an operand with these strides, given the bytes of an element of each.
    ///
    /// Only an operand that is read as densely as the output is written may overlap it.
    pub fn overlap(self, strides: [usize; R], operand_bytes: usize, output_bytes: usize) -> Overlap {
        let mut dense = 1;
        for d in (0..R).rev() {
            if self.shape[d] != 1 && strides[d] != dense {
                return Overlap::NONE;
            }
            dense *= self.shape[d];
        }
        let growth = output_bytes as isize - operand_bytes as isize;
        let steps_before_a_read = if growth > 0 { dense.saturating_sub(1) } else { 1 };
        Overlap { forward: Some(growth * steps_before_a_read as isize), ..Overlap::NONE }
    }
}

/// The operands of an [`Elementwise`]: `(slice or array, strides)`, or a tuple of two to six such pairs.
pub trait Operands<const R: usize>: Copy {
    /// One row of each.
    type Row: Row;

    /// The row of `len` elements that begins at `index`, if there are as many.
    fn row(self, index: [usize; R], len: usize) -> Option<Self::Row>;
}

/// One row of operands.
pub trait Row: Copy {
    /// An element of each.
    type Values;

    /// The elements at place `i` of the row.
    fn load(self, i: usize) -> Option<Self::Values>;
}

impl<'a, X: Load, const R: usize> Operands<R> for (&'a [X], [usize; R]) {
    type Row = (&'a [X], usize);

    #[inline(always)]
    fn row(self, index: [usize; R], len: usize) -> Option<Self::Row> {
        let (places, strides) = self;
        let stride = row_stride(strides);
        let places = places.get(position(0, index, strides)..)?;
        // The exact length lets rustc see that no place of the row lies outside.
        let places = places.get(..len.checked_sub(1)? * stride + 1)?;
        Some((places, stride))
    }
}

impl<'a, X: Load, const N: usize, const R: usize> Operands<R> for (&'a [X; N], [usize; R]) {
    type Row = (&'a [X], usize);

    #[inline(always)]
    fn row(self, index: [usize; R], len: usize) -> Option<Self::Row> {
        (self.0.as_slice(), self.1).row(index, len)
    }
}

impl<X: Load> Row for (&[X], usize) {
    type Values = X::Value;

    #[inline(always)]
    fn load(self, i: usize) -> Option<X::Value> {
        let (places, stride) = self;
        Some(places.get(i * stride)?.load())
    }
}

/// `operands! { A a B b }` makes a pair of operands operands.
macro_rules! operands {
    ($($ty:ident $name:ident)*) => {
        impl<$($ty: Operands<R>,)* const R: usize> Operands<R> for ($($ty,)*) {
            type Row = ($($ty::Row,)*);

            #[inline(always)]
            fn row(self, index: [usize; R], len: usize) -> Option<Self::Row> {
                let ($($name,)*) = self;
                Some(($($name.row(index, len)?,)*))
            }
        }

        impl<$($ty: Row,)*> Row for ($($ty,)*) {
            type Values = ($($ty::Values,)*);

            #[inline(always)]
            fn load(self, i: usize) -> Option<Self::Values> {
                let ($($name,)*) = self;
                Some(($($name.load(i)?,)*))
            }
        }
    };
}

operands! { A a B b }
operands! { A a B b C c }
operands! { A a B b C c D d }
operands! { A a B b C c D d E e }
operands! { A a B b C c D d E e F f }

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;
    use crate::testing::check_overlap;

    /// y of a 2 × 3 × 4 shape that holds each operand's position in decimal digits.
    fn positions(a: [usize; 3], b: [usize; 3]) -> Vec<i32> {
        let x: Vec<i32> = (0..24).collect();
        let y = [0; 24].map(Cell::new);
        Elementwise { shape: [2, 3, 4] }.run(((&*x, a), (&*x, b)), &y, |(a, b)| 100 * a + b);
        y.iter().map(Cell::get).collect()
    }

    #[test]
    fn operands_are_read_by_their_strides() {
        for (a, b) in [
            ([12, 4, 1], [12, 4, 1]),
            ([12, 4, 1], [0, 0, 1]),
            ([0, 4, 0], [1, 2, 6]),
            ([0, 0, 0], [12, 4, 1]),
            ([3, 1, 0], [0, 1, 3]),
        ] {
            let mut expected = Vec::new();
            for i in 0..2 {
                for j in 0..3 {
                    for k in 0..4 {
                        let at = |strides: [usize; 3]| (i * strides[0] + j * strides[1] + k * strides[2]) as i32;
                        expected.push(100 * at(a) + at(b));
                    }
                }
            }
            assert_eq!(positions(a, b), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn scalars_arrays_and_six_operands() {
        let y = [0; 1].map(Cell::new);
        Elementwise { shape: [] }.run((&[7], []), &y, |a| a + 1);
        assert_eq!(y[0].get(), 8);
        let x = |digit| ([digit; 1], [0]);
        let x = [1, 2, 3, 4, 5, 6].map(x);
        let [a, b, c, d, e, f] = &x;
        let operands = ((&a.0, a.1), (&b.0, b.1), (&c.0, c.1), (&d.0, d.1), (&e.0, e.1), (&f.0, f.1));
        Elementwise { shape: [1] }.run(operands, &y, |(a, b, c, d, e, f)| a + 10 * (b + 10 * (c + 10 * (d + 10 * (e + 10 * f)))));
        assert_eq!(y[0].get(), 654321);
    }

    #[test]
    fn what_lies_outside_is_left_alone() {
        let y = [0; 4].map(Cell::new);
        Elementwise { shape: [2, 2] }.run((&[1, 2, 3], [2, 1]), &y, |a| a);
        assert_eq!(y.map(Cell::into_inner), [1, 2, 0, 0]);
        Elementwise { shape: [0] }.run((&[1], [1]), &[], |a: i32| a);
    }

    #[test]
    fn overlap_is_exact() {
        let kernel = Elementwise { shape: [2, 8] };
        check_overlap([16, 16], kernel.overlap([8, 1], 4, 4), |_, x, y| kernel.run((x, [8, 1]), y, |x| x + 3.0));
        // Growing elements: element 15 of 4 bytes is written at 60 when element 15 of 1 byte is still to be read.
        assert_eq!(kernel.overlap([8, 1], 1, 4).forward, Some(45));
        assert_eq!(kernel.overlap([8, 1], 4, 1).forward, Some(-3));
        assert_eq!(kernel.overlap([0, 1], 4, 4), Overlap::NONE);
        assert_eq!(Elementwise { shape: [1, 8] }.overlap([0, 1], 4, 4).forward, Some(0));
    }
}
