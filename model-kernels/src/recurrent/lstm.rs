//! `LSTM`: <https://onnx.ai/onnx/operators/onnx__LSTM.html>

use core::cell::Cell;

use super::{Moment, Recurrent, Sequence, Unit, part, sum};
use crate::float::Float;
use crate::{Accumulate, Load};

/// What an `LSTM` has beside its gates and its hidden state.
#[derive(Debug)]
pub struct Memory<'a, T: Copy, P> {
    /// The cell state, `[directions][batch][hidden]`: before the run the initial one, then the last.
    pub c: &'a [Cell<T>],
    /// How the gates look at the cell state, `[directions][3 · hidden]`; not at all if empty.
    pub peepholes: &'a [P],
    /// Whether the forget gate is one less the input gate.
    pub input_forget: bool,
}

struct Lstm<'a, T: Copy, P, F, G, H> {
    memory: Memory<'a, T, P>,
    f: F,
    g: G,
    h: H,
}

impl Recurrent {
    /// Hₜ = oₜ ⊙ h(Cₜ) with Cₜ = fₜ ⊙ Cₜ₋₁ + iₜ ⊙ cₜ, where
    ///
    /// - iₜ = f(Xₜ · Wiᵀ + Hₜ₋₁ · Riᵀ + Pi ⊙ Cₜ₋₁ + bias)
    /// - fₜ = f(Xₜ · Wfᵀ + Hₜ₋₁ · Rfᵀ + Pf ⊙ Cₜ₋₁ + bias), or 1 − iₜ if `input_forget`
    /// - cₜ = g(Xₜ · Wcᵀ + Hₜ₋₁ · Rcᵀ + bias)
    /// - oₜ = f(Xₜ · Woᵀ + Hₜ₋₁ · Roᵀ + Po ⊙ Cₜ + bias)
    ///
    /// The bias of a direction is `Wb + Rb`. Gates stand in the order i, o, f, c.
    #[inline(always)]
    pub fn lstm<T, X, W, B, L, P>(
        self,
        sequence: Sequence<T, X, W, B, L>,
        memory: Memory<T, P>,
        f: impl Fn(T) -> T,
        g: impl Fn(T) -> T,
        h: impl Fn(T) -> T,
    ) where
        T: Accumulate + Float,
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
        L: Load<Value = i32>,
        P: Load<Value = T>,
    {
        self.run(&sequence, &Lstm { memory, f, g, h });
    }
}

impl<T, P, F, G, H> Unit<T> for Lstm<'_, T, P, F, G, H>
where
    T: Accumulate + Float,
    P: Load<Value = T>,
    F: Fn(T) -> T,
    G: Fn(T) -> T,
    H: Fn(T) -> T,
{
    #[inline(always)]
    fn advance<X, W, B>(&self, moment: Moment<T, X, W, B>)
    where
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
    {
        let Moment { layer: Recurrent { inputs, hidden, direction, .. }, x, weights, bias, h, scratch, place } = moment;
        let (of_inputs, of_state) = weights.split_at_checked(4 * hidden * inputs).unwrap_or_default();
        let gates = scratch.get(..4 * hidden).unwrap_or_default();
        sum(x, of_inputs, bias, gates);
        sum(h, of_state, gates, gates);
        let peepholes = part(self.memory.peepholes, direction, 3 * hidden);
        let [i, o, forget, cell] = [0, 1, 2, 3].map(|gate| part(gates, gate, hidden));
        let c = part(self.memory.c, place, hidden);
        let places = i.iter().zip(o).zip(forget).zip(cell).zip(c).zip(h).enumerate();
        for (k, (((((i, o), forget), cell), c), h)) in places {
            let peep = |gate: usize, sum: T, c: T| match peepholes.get(gate * hidden + k) {
                Some(weight) => sum + weight.load() * c,
                None => sum,
            };
            let before = c.get();
            let i = (self.f)(peep(0, i.get(), before));
            let forget = if self.memory.input_forget { T::ONE - i } else { (self.f)(peep(2, forget.get(), before)) };
            let now = forget * before + i * (self.g)(cell.get());
            let o = (self.f)(peep(1, o.get(), now));
            c.set(now);
            h.set(o * (self.h)(now));
        }
    }

    #[inline(always)]
    fn bias(&self, layer: Recurrent) -> usize {
        4 * layer.hidden
    }
}
