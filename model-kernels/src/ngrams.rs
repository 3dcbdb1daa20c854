//! `TfIdfVectorizer`: <https://onnx.ai/onnx/operators/onnx__TfIdfVectorizer.html>

use core::cell::Cell;

use crate::Load;

/// How often each of a list of n-grams stands in each row of `x`.
///
/// The elements of an n-gram may be up to `skips` others apart, all of them equally far; those of one element are counted once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NGrams {
    /// Rows of `x` and of the result.
    pub rows: usize,
    /// Elements of a row of `x`.
    pub columns: usize,
    /// Elements of a row of the result.
    pub outputs: usize,
    /// The most elements between two of an n-gram.
    pub skips: usize,
}

impl NGrams {
    /// Counts the n-grams, of which `grams` has three numbers each: the first of its elements in `pool`, how many it has, and where it
    /// is counted in a row of `y`.
    #[inline(always)]
    pub fn run<T, X, P, G>(self, x: &[X], pool: &[P], grams: &[G], y: &[Cell<f32>])
    where
        T: Copy + PartialEq,
        X: Load<Value = T>,
        P: Load<Value = T>,
        G: Load<Value = i32>,
    {
        for row in 0..self.rows {
            let x = x.get(row * self.columns..(row + 1) * self.columns).unwrap_or_default();
            let y = y.get(row * self.outputs..(row + 1) * self.outputs).unwrap_or_default();
            y.iter().for_each(|y| y.set(0.0));
            for gram in grams.as_chunks::<3>().0 {
                let [first, len, index] = [&gram[0], &gram[1], &gram[2]].map(|number| number.load() as usize);
                let elements = pool.get(first..first + len).unwrap_or_default();
                if let Some(y) = y.get(index) {
                    y.set(y.get() + self.count(x, elements) as f32);
                }
            }
        }
    }

    /// How often `elements` stand in `x`.
    #[inline(always)]
    fn count<T, X, P>(self, x: &[X], elements: &[P]) -> usize
    where
        T: Copy + PartialEq,
        X: Load<Value = T>,
        P: Load<Value = T>,
    {
        let farthest = if elements.len() > 1 { self.skips + 1 } else { 1 };
        let places = (1..=farthest).flat_map(|distance| (0..x.len()).map(move |start| (distance, start)));
        let stands = |&(distance, start): &(usize, usize)| {
            let mut found = x.iter().skip(start).step_by(distance.max(1));
            !elements.is_empty() && elements.iter().all(|element| found.next().is_some_and(|x| x.load() == element.load()))
        };
        places.filter(stands).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, values};

    #[test]
    fn grams_are_counted() {
        let kernel = NGrams { rows: 2, columns: 4, outputs: 3, skips: 0 };
        // 5 is counted at 2, the pair (5, 7) at 0.
        let (pool, grams) = ([5i64, 5, 7], [0, 1, 2, 1, 2, 0]);
        let x = [5i64, 7, 5, 7, 5, 5, 0, 7];
        let counts = |kernel: NGrams| {
            let y = cells(&[9.0f32; 6]);
            kernel.run(&x, &pool, &grams, &y);
            values(&y)
        };
        assert_eq!(counts(kernel), [2.0, 0.0, 2.0, 0.0, 0.0, 2.0]);
        // With two elements between, the first and the last of the first row fit, and those of the second.
        assert_eq!(counts(NGrams { skips: 2, ..kernel }), [3.0, 0.0, 2.0, 2.0, 0.0, 2.0]);
    }
}
