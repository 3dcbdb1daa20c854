//! `GRU`: <https://onnx.ai/onnx/operators/onnx__GRU.html>

use super::{Moment, Recurrent, Sequence, Unit, part, sum};
use crate::float::Float;
use crate::{Accumulate, Load};

struct Gru<F, G> {
    linear_before_reset: bool,
    f: F,
    g: G,
}

impl Recurrent {
    /// Hₜ = (1 − zₜ) ⊙ hₜ + zₜ ⊙ Hₜ₋₁, where
    ///
    /// - zₜ = f(Xₜ · Wzᵀ + Hₜ₋₁ · Rzᵀ + bias)
    /// - rₜ = f(Xₜ · Wrᵀ + Hₜ₋₁ · Rrᵀ + bias)
    /// - hₜ = g(Xₜ · Whᵀ + (rₜ ⊙ Hₜ₋₁) · Rhᵀ + bias), or
    ///   g(Xₜ · Whᵀ + Wbh + rₜ ⊙ (Hₜ₋₁ · Rhᵀ + Rbh)) if `linear_before_reset`
    ///
    /// The bias of a direction is `[Wbz + Rbz, Wbr + Rbr, Wbh + Rbh]`, or `[Wbz + Rbz, Wbr + Rbr, Wbh, Rbh]` if
    /// `linear_before_reset`.
    #[inline(always)]
    pub fn gru<T, X, W, B, L>(
        self,
        sequence: Sequence<T, X, W, B, L>,
        linear_before_reset: bool,
        f: impl Fn(T) -> T,
        g: impl Fn(T) -> T,
    ) where
        T: Accumulate + Float,
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
        L: Load<Value = i32>,
    {
        self.run(&sequence, &Gru { linear_before_reset, f, g });
    }
}

impl<T: Accumulate + Float, F: Fn(T) -> T, G: Fn(T) -> T> Unit<T> for Gru<F, G> {
    #[inline(always)]
    fn advance<X, W, B>(&self, moment: Moment<T, X, W, B>)
    where
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
    {
        let Moment { layer: Recurrent { inputs, hidden, .. }, x, weights, bias, h, scratch, .. } = moment;
        let (of_inputs, of_state) = weights.split_at_checked(3 * hidden * inputs).unwrap_or_default();
        let (of_two_gates, of_last) = of_state.split_at_checked(2 * hidden * hidden).unwrap_or_default();
        let (gates, reset) = scratch.split_at_checked(3 * hidden).unwrap_or_default();
        let (two_gates, last) = gates.split_at_checked(2 * hidden).unwrap_or_default();
        let (z, r) = two_gates.split_at_checked(hidden).unwrap_or_default();
        let reset = reset.get(..hidden).unwrap_or_default();
        sum(x, of_inputs, bias, gates);
        sum(h, of_two_gates, two_gates, two_gates);
        for gate in two_gates {
            gate.set((self.f)(gate.get()));
        }
        if self.linear_before_reset {
            sum(h, of_last, part(bias, 3, hidden), reset);
            for ((last, r), reset) in last.iter().zip(r).zip(reset) {
                last.set(last.get() + r.get() * reset.get());
            }
        } else {
            for ((reset, r), h) in reset.iter().zip(r).zip(h) {
                reset.set(r.get() * h.get());
            }
            sum(reset, of_last, last, last);
        }
        for ((h, z), last) in h.iter().zip(z).zip(last) {
            let z = z.get();
            h.set((T::ONE - z) * (self.g)(last.get()) + z * h.get());
        }
    }

    #[inline(always)]
    fn bias(&self, layer: Recurrent) -> usize {
        if self.linear_before_reset { 4 * layer.hidden } else { 3 * layer.hidden }
    }
}
