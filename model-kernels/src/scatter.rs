//! `ScatterElements`, `ScatterND`: <https://onnx.ai/onnx/operators/onnx__ScatterND.html>

use core::cell::Cell;

use crate::load::Load;
use crate::overlap::Overlap;

/// `y = data`, and then for each j in order `y[indices[j], i] = combine(y[indices[j], i], updates[j, i])`.
///
/// What an index out of range names is not written. `y` may be the same place as `data`, but must be disjoint from indices and updates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scatter {
    /// How many slices there are to write to.
    pub slices: usize,
    /// How many elements a slice has.
    pub inner: usize,
}

impl Scatter {
    /// Copies `data` to `y` and combines it with the updates.
    #[inline(always)]
    pub fn run<D, I, U, T>(self, data: &[D], indices: &[I], updates: &[U], y: &[Cell<T>], combine: impl Fn(T, T) -> T)
    where
        D: Load<Value = T>,
        I: Load<Value: Into<i64>>,
        U: Load<Value = T>,
        T: Copy,
    {
        for (data, y) in data.iter().zip(y) {
            y.set(data.load());
        }
        for (j, index) in indices.iter().enumerate() {
            let index = usize::try_from(index.load().into()).ok().filter(|&index| index < self.slices);
            let Some(index) = index else { continue };
            let y = y.get(index * self.inner..).unwrap_or(&[]);
            let updates = updates.get(j * self.inner..).unwrap_or(&[]);
            for (y, update) in y.iter().zip(updates).take(self.inner) {
                y.set(combine(y.get(), update.load()));
            }
        }
    }

    /// How far the output may overtake the data: both go from first to last, element for element.
    pub fn overlap(self) -> Overlap {
        Overlap { forward: Some(0), ..Overlap::NONE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::check_overlap;

    #[test]
    fn updates_are_applied_in_order() {
        let scatter = Scatter { slices: 3, inner: 2 };
        let y = [0; 6].map(Cell::new);
        scatter.run(&[1, 2, 3, 4, 5, 6], &[2i64, 0, 2], &[10, 20, 30, 40, 50, 60], &y, |_, update| update);
        assert_eq!(y.each_ref().map(Cell::get), [30, 40, 3, 4, 50, 60]);
        scatter.run(&[1, 2, 3, 4, 5, 6], &[2i32, 0, 2], &[10, 20, 30, 40, 50, 60], &y, |a, b| a + b);
        assert_eq!(y.map(Cell::into_inner), [31, 42, 3, 4, 65, 86]);
    }

    #[test]
    fn what_lies_outside_is_left_alone() {
        let y = [0; 2].map(Cell::new);
        Scatter { slices: 2, inner: 1 }.run(&[1, 2], &[i64::MIN, -1, 2, i64::MAX], &[7; 4], &y, |_, update| update);
        assert_eq!(y.map(Cell::into_inner), [1, 2]);
    }

    #[test]
    fn overlap_is_exact() {
        let scatter = Scatter { slices: 4, inner: 3 };
        check_overlap([12, 12], scatter.overlap(), |_, x, y| {
            scatter.run(x, &[3i64, 0], &[1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0], y, |a, b| a + b);
        });
    }
}
