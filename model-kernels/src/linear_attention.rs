//! `LinearAttention`: <https://onnx.ai/onnx/operators/onnx__LinearAttention.html>

use core::cell::Cell;

use crate::Load;

/// For each head a state `S` of `key_size` rows and `value_size` columns, which each position advances before it is read:
///
/// ```text
/// S ← factor · S        v ← rate · (v − Sᵀ · k)        S ← S + k ⊗ v        y = scale · Sᵀ · q
/// ```
///
/// Without factors or rates their step is left out. Several heads of queries may read one state. Each sum is taken in the order of the rows, product
/// and sum rounded apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinearAttention {
    /// Sequences that are walked over side by side.
    pub batch: usize,
    /// Positions of a sequence.
    pub positions: usize,
    /// States of a sequence: heads of keys and values.
    pub heads: usize,
    /// Heads of queries that read one state.
    pub queries: usize,
    /// Elements of a key and of a query.
    pub key_size: usize,
    /// Elements of a value.
    pub value_size: usize,
    /// Factors of a state at one position: none, one for all rows, or one for each.
    pub factors: usize,
    /// Rates of a position: none, one for all heads, or one for each.
    pub rates: usize,
    /// What results are multiplied by.
    pub scale: f32,
}

/// The operands.
#[derive(Debug)]
pub struct Positions<'a, Q, K, V, F, R> {
    /// `[batch][positions][heads · queries][key_size]`
    pub queries: &'a [Q],
    /// `[batch][positions][heads][key_size]`
    pub keys: &'a [K],
    /// `[batch][positions][heads][value_size]`
    pub values: &'a [V],
    /// `[batch][positions][heads][factors]`
    pub factors: &'a [F],
    /// `[batch][positions][rates]`
    pub rates: &'a [R],
    /// `[batch][positions][heads · queries][value_size]`
    pub y: &'a [Cell<f32>],
    /// `[batch][heads][key_size][value_size]`: before the run the initial states, then the last.
    pub states: &'a [Cell<f32>],
}

/// What one head does at one position.
struct Moment<'a, Q, K, V, F> {
    queries: &'a [Q],
    key: &'a [K],
    value: &'a [V],
    factors: &'a [F],
    rate: Option<f32>,
    y: &'a [Cell<f32>],
    state: &'a [Cell<f32>],
}

impl LinearAttention {
    /// Walks over the positions.
    #[inline(always)]
    pub fn run<Q, K, V, F, R>(self, operands: Positions<Q, K, V, F, R>)
    where
        Q: Load<Value = f32>,
        K: Load<Value = f32>,
        V: Load<Value = f32>,
        F: Load<Value = f32>,
        R: Load<Value = f32>,
    {
        let Positions { queries, keys, values, factors, rates, y, states } = operands;
        for place in 0..self.batch * self.positions {
            for head in 0..self.heads {
                let index = place * self.heads + head;
                let rate = rates.get(place * self.rates + if self.rates > 1 { head } else { 0 });
                self.advance(Moment {
                    queries: part(queries, index, self.queries * self.key_size),
                    key: part(keys, index, self.key_size),
                    value: part(values, index, self.value_size),
                    factors: part(factors, index, self.factors),
                    rate: rate.map(Load::load).filter(|_| self.rates > 0),
                    y: part(y, index, self.queries * self.value_size),
                    state: part(states, place / self.positions.max(1) * self.heads + head, self.key_size * self.value_size),
                });
            }
        }
    }

    /// Advances and reads the state column by column, as no column depends on another.
    #[inline(always)]
    fn advance<Q, K, V, F>(self, moment: Moment<Q, K, V, F>)
    where
        Q: Load<Value = f32>,
        K: Load<Value = f32>,
        V: Load<Value = f32>,
        F: Load<Value = f32>,
    {
        let Moment { queries, key, value, factors, rate, y, state } = moment;
        for (column, value) in value.iter().enumerate() {
            let rows = || state.iter().skip(column).step_by(self.value_size.max(1));
            for (row, place) in rows().enumerate().filter(|_| self.factors > 0) {
                let factor = factors.get(if self.factors > 1 { row } else { 0 });
                place.set(place.get() * factor.map_or(1.0, Load::load));
            }
            let mut value = value.load();
            if let Some(rate) = rate {
                let sum = rows().zip(key).fold(0.0, |sum, (place, key)| sum + place.get() * key.load());
                value = rate * (value - sum);
            }
            for (place, key) in rows().zip(key) {
                place.set(place.get() + key.load() * value);
            }
            for query in 0..self.queries {
                let sum = rows().zip(part(queries, query, self.key_size));
                let sum = sum.fold(0.0, |sum, (place, query)| sum + query.load() * place.get());
                if let Some(y) = y.get(query * self.value_size + column) {
                    y.set(self.scale * sum);
                }
            }
        }
    }

    /// Multiply-accumulates of a run.
    pub fn macs(self) -> u64 {
        let passes = usize::from(self.factors > 0) + usize::from(self.rates > 0) + 1 + self.queries;
        (self.batch * self.positions * self.heads * self.key_size * self.value_size * passes) as u64
    }
}

/// Part number `index` of `len` elements.
#[inline(always)]
fn part<T>(elements: &[T], index: usize, len: usize) -> &[T] {
    elements.get(index * len..(index + 1) * len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cells, values};
    use std::vec;

    /// Two positions of one head, with keys of two elements and values of one.
    const ONE: LinearAttention = LinearAttention {
        batch: 1,
        positions: 2,
        heads: 1,
        queries: 1,
        key_size: 2,
        value_size: 1,
        factors: 0,
        rates: 0,
        scale: 0.5,
    };

    /// `y` and the last states, from states of one.
    fn run(kernel: LinearAttention, factors: &[f32], rates: &[f32]) -> (vec::Vec<f32>, vec::Vec<f32>) {
        let (y, states) = (cells(&[0.0; 4][..2 * kernel.queries]), cells(&[1.0; 2]));
        let queries = [1.0f32, 2.0, 4.0, 8.0, 1.0, 0.0, 0.0, 1.0];
        let (keys, values_of) = ([1.0f32, 0.0, 1.0, 1.0], [3.0f32, 5.0]);
        let queries = &queries[..4 * kernel.queries];
        kernel.run(Positions { queries, keys: &keys, values: &values_of, factors, rates, y: &y, states: &states });
        (values(&y), values(&states))
    }

    #[test]
    fn each_rule() {
        // The state becomes (4, 1), then (9, 6).
        assert_eq!(run(ONE, &[], &[]), (vec![3.0, 42.0], vec![9.0, 6.0]));
        // Halved before each position: (3.5, 0.5), then (6.75, 5.25); by rows: (3.5, 1), then (6.75, 6).
        assert_eq!(run(LinearAttention { factors: 1, ..ONE }, &[0.5, 0.5], &[]).1, [6.75, 5.25]);
        assert_eq!(run(LinearAttention { factors: 2, ..ONE }, &[0.5, 1.0, 0.5, 1.0], &[]).1, [6.75, 6.0]);
        // The key finds 1, so half of 2 is added: (2, 1); then it finds 3, and half of 2 is added again.
        assert_eq!(run(LinearAttention { rates: 1, ..ONE }, &[], &[0.5, 0.5]), (vec![2.0, 14.0], vec![3.0, 2.0]));
        // Two queries read one state.
        assert_eq!(run(LinearAttention { queries: 2, ..ONE }, &[], &[]).0, [3.0, 12.0, 4.5, 3.0]);
    }
}
