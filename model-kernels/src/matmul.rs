//! `MatMul` of two tensors known only at run time: <https://onnx.ai/onnx/operators/onnx__MatMul.html>

use core::cell::Cell;

use crate::tile::{Blocks, OUTPUTS, activate, chunk};
use crate::{Accumulate, Load};

/// `y[…][r][o] = activation(Σₖ a[…][r][k] · b[…][k][o])` for each index of the batch dimensions `…`.
///
/// Each output is summed from zero in the order of `k`; products and sums round separately. The rows of `a`, `b` and `y`
/// are contiguous. A batch stride of 0 broadcasts an operand along that dimension; `y` is contiguous.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MatMul {
    /// The batch dimensions after broadcasting, outermost first; those not needed are 1.
    pub batch: [usize; 4],
    /// From one matrix of `a` to the next along each batch dimension.
    pub a_strides: [usize; 4],
    /// From one matrix of `b` to the next along each batch dimension.
    pub b_strides: [usize; 4],
    /// Rows of `a` and `y`.
    pub rows: usize,
    /// Columns of `a` and rows of `b`.
    pub depth: usize,
    /// Columns of `b` and `y`.
    pub columns: usize,
}

impl MatMul {
    /// Computes `y`; `scratch` has [`MatMul::scratch`] elements.
    #[inline(always)]
    pub fn run<T, A, B>(self, a: &[A], b: &[B], y: &[Cell<T>], scratch: &[Cell<T>], activation: impl Fn(T) -> T)
    where
        T: Accumulate,
        A: Load<Value = T>,
        B: Load<Value = T>,
    {
        let matrices: usize = self.batch.iter().product();
        let mut index = [0; 4];
        for matrix in 0..matrices {
            let a = a.get(offset(index, self.a_strides)..).unwrap_or_default();
            let b = b.get(offset(index, self.b_strides)..).unwrap_or_default();
            let y = y.get(matrix * self.rows * self.columns..).unwrap_or_default();
            Matrix { matmul: self, a, b, y, scratch, activation: &activation }.all::<OUTPUTS>(self.columns, false);
            for axis in (0..4).rev() {
                index[axis] += 1;
                if index[axis] < self.batch[axis] {
                    break;
                }
                index[axis] = 0;
            }
        }
    }

    /// How many elements of scratch [`MatMul::run`] needs.
    pub const fn scratch(self) -> usize {
        OUTPUTS * self.depth
    }

    /// Multiply-accumulates of a run.
    pub const fn macs(self) -> u64 {
        let [a, b, c, d] = self.batch;
        (a * b * c * d) as u64 * self.rows as u64 * self.depth as u64 * self.columns as u64
    }
}

/// Where the matrix at `index` of the batch dimensions begins.
#[inline(always)]
fn offset(index: [usize; 4], strides: [usize; 4]) -> usize {
    let mut offset = 0;
    for axis in 0..4 {
        offset += index[axis] * strides[axis];
    }
    offset
}

/// One product of two matrices, of which neighbouring columns are one block.
struct Matrix<'a, T, A, B, C> {
    matmul: MatMul,
    a: &'a [A],
    b: &'a [B],
    y: &'a [Cell<T>],
    scratch: &'a [Cell<T>],
    activation: &'a C,
}

impl<T, A, B, C> Blocks for Matrix<'_, T, A, B, C>
where
    T: Accumulate,
    A: Load<Value = T>,
    B: Load<Value = T>,
    C: Fn(T) -> T,
{
    /// Packs columns of `b` and then takes them as a dense layer's weights for each row of `a`.
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let MatMul { rows, depth, columns, .. } = self.matmul;
        let weights = self.scratch.get(..depth * N).unwrap_or_default().as_chunks::<N>().0;
        for (k, weights) in weights.iter().enumerate() {
            let b = chunk::<B, N>(self.b, k * columns + first);
            for (weight, b) in weights.iter().zip(b.into_iter().flatten()) {
                weight.set(b.load());
            }
        }
        for row in 0..rows {
            let a = self.a.get(row * depth..(row + 1) * depth).unwrap_or_default();
            let Some(y) = chunk::<Cell<T>, N>(self.y, row * columns + first) else { continue };
            T::tile::<A, Cell<T>, Cell<T>, 1, N>(a.as_chunks().0, weights, None, y, 0);
            activate(y, self.activation);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, numbers, values};
    use std::vec::Vec;

    #[test]
    fn equals_the_formula() {
        // 2×1×3 matrices of 4×5 elements times 1×3×3 matrices of 5×11.
        let case =
            MatMul { batch: [1, 2, 3, 3], a_strides: [0, 60, 0, 20], b_strides: [0, 0, 165, 55], rows: 4, depth: 5, columns: 11 };
        let (a, b) = (numbers(2 * 3 * 20, 1), numbers(9 * 55, 2));
        let mut expected = Vec::new();
        for matrix in 0..18 {
            let (i, j, k) = (matrix / 9, matrix / 3 % 3, matrix % 3);
            for (row, column) in (0..44).map(|index| (index / 11, index % 11)) {
                let mut sum = 0.0;
                for depth in 0..5 {
                    let a = a[(i * 3 + k) * 20 + row * 5 + depth];
                    sum += a * b[(j * 3 + k) * 55 + depth * 11 + column];
                }
                expected.push(sum);
            }
        }
        let y = cells(&numbers(18 * 44, 3));
        case.run(&a, &b, &y, &cells(&numbers(case.scratch(), 4)), |sum| sum);
        assert_eq!(values(&y), expected);
        assert_eq!(case.macs(), 18 * 220);
    }
}
