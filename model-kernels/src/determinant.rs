//! `Det`: <https://onnx.ai/onnx/operators/onnx__Det.html>

use core::cell::Cell;

use crate::load::Load;
use crate::number::Number;

/// `y[i] = det(x[i])` of square matrices, by elimination: the product of what stands on the diagonal, with its sign changed by each exchange of
/// rows.
///
/// In each column the row with the greatest element becomes the one that the others are freed by. `f16` and `bf16` are computed in `f32`. A
/// matrix without elements has the determinant 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Determinant {
    /// How many matrices there are.
    pub count: usize,
    /// How many rows and columns each has.
    pub size: usize,
}

impl Determinant {
    /// Computes `y`; `scratch` has the elements of one matrix.
    #[inline(always)]
    pub fn run<X: Load<Value = T>, T: Number>(self, x: &[X], y: &[Cell<T>], scratch: &[Cell<T::Sum>]) {
        let elements = self.size * self.size;
        for (matrix, y) in y.iter().take(self.count).enumerate() {
            let x = x.get(matrix * elements..).unwrap_or_default();
            for (x, copy) in x.iter().zip(scratch) {
                copy.set(x.load().widen());
            }
            y.set(T::narrow(self.eliminated(scratch)));
        }
    }

    /// The determinant of a matrix, which becomes an upper triangle.
    #[inline(always)]
    fn eliminated<S: Number>(self, matrix: &[Cell<S>]) -> S {
        let at = |row: usize, column: usize| matrix.get(row * self.size + column);
        let value = |row: usize, column: usize| at(row, column).map_or(S::ZERO, Cell::get);
        let mut product = S::ONE;
        for column in 0..self.size {
            let mut greatest = column;
            for row in column + 1..self.size {
                if value(row, column).abs() > value(greatest, column).abs() {
                    greatest = row;
                }
            }
            if greatest != column {
                product = product.neg();
                for place in column..self.size {
                    if let (Some(upper), Some(lower)) = (at(column, place), at(greatest, place)) {
                        upper.swap(lower);
                    }
                }
            }
            let pivot = value(column, column);
            product = product.mul(pivot);
            if pivot == S::ZERO {
                // All below is zero as well, so that there is nothing to eliminate.
                continue;
            }
            for row in column + 1..self.size {
                let share = value(row, column).div(pivot);
                for place in column..self.size {
                    if let Some(element) = at(row, place) {
                        element.set(element.get().sub(share.mul(value(column, place))));
                    }
                }
            }
        }
        product
    }

    /// How many elements of scratch a run needs.
    pub const fn scratch(self) -> usize {
        self.size * self.size
    }

    /// Multiply-accumulates of a run.
    pub const fn macs(self) -> u64 {
        let (mut total, mut rest) = (0, self.size as u64);
        while rest > 1 {
            rest -= 1;
            total += rest * (rest + 1);
        }
        total * self.count as u64
    }
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use half::f16;

    use super::*;
    use crate::testing::{cells, numbers, values};

    /// The definition: the sum over the first row of each element times the determinant of what is left without its row and column.
    fn formula(matrix: &[f32], size: usize) -> f64 {
        if size == 0 {
            return 1.0;
        }
        let minor = |column: usize| -> Vec<f32> {
            let kept = (size..size * size).filter(|index| index % size != column);
            kept.map(|index| matrix[index]).collect()
        };
        let sign = |column: usize| if column.is_multiple_of(2) { 1.0 } else { -1.0 };
        (0..size).map(|column| sign(column) * f64::from(matrix[column]) * formula(&minor(column), size - 1)).sum()
    }

    #[test]
    fn equals_the_formula() {
        for size in 0..6 {
            let kernel = Determinant { count: 3, size };
            let x = numbers(3 * size * size, 1);
            let (y, scratch) = (cells(&[9.0; 3]), cells(&numbers(kernel.scratch(), 2)));
            kernel.run(&x, &y, &scratch);
            for (matrix, y) in values(&y).into_iter().enumerate() {
                let expected = formula(&x[matrix * size * size..][..size * size], size);
                let scale = expected.abs().max(1.0);
                assert!((f64::from(y) - expected).abs() < 1e-4 * scale, "{size}: {y}, not {expected}");
            }
        }
    }

    #[test]
    fn rows_are_exchanged_and_columns_may_vanish() {
        let determinant = |x: &[f32; 9]| {
            let y = [Cell::new(0.0)];
            Determinant { count: 1, size: 3 }.run(x, &y, &cells(&[0.0; 9]));
            y[0].get()
        };
        assert_eq!(determinant(&[0.0, 2.0, 0.0, 0.0, 0.0, 3.0, 4.0, 0.0, 0.0]), 24.0);
        assert_eq!(determinant(&[0.0, 2.0, 1.0, 0.0, 5.0, 3.0, 0.0, 7.0, 9.0]), 0.0);
    }

    #[test]
    fn halves_are_computed_in_floats() {
        let x = [60000.0, 2.0, 40000.0, 2.0].map(f16::from_f32);
        let y = [Cell::new(f16::ZERO)];
        Determinant { count: 1, size: 2 }.run(&x, &y, &[const { Cell::new(0.0f32) }; 4]);
        assert_eq!(y[0].get(), f16::from_f32(40000.0));
    }
}
