//! `RNN`: <https://onnx.ai/onnx/operators/onnx__RNN.html>

use super::{Moment, Recurrent, Sequence, Unit, sum};
use crate::float::Float;
use crate::{Accumulate, Load};

struct Rnn<F> {
    activation: F,
}

impl Recurrent {
    /// Hₜ = f(Xₜ · Wᵀ + Hₜ₋₁ · Rᵀ + bias), with the bias `Wb + Rb`.
    #[inline(always)]
    pub fn rnn<T, X, W, B, L>(self, sequence: Sequence<T, X, W, B, L>, activation: impl Fn(T) -> T)
    where
        T: Accumulate + Float,
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
        L: Load<Value = i32>,
    {
        self.run(&sequence, &Rnn { activation });
    }
}

impl<T: Accumulate + Float, F: Fn(T) -> T> Unit<T> for Rnn<F> {
    #[inline(always)]
    fn advance<X, W, B>(&self, moment: Moment<T, X, W, B>)
    where
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
    {
        let Moment { layer, x, weights, bias, h, scratch, .. } = moment;
        let (of_inputs, of_state) = weights.split_at_checked(layer.hidden * layer.inputs).unwrap_or_default();
        let gate = scratch.get(..layer.hidden).unwrap_or_default();
        sum(x, of_inputs, bias, gate);
        sum(h, of_state, gate, gate);
        for (h, gate) in h.iter().zip(gate) {
            h.set((self.activation)(gate.get()));
        }
    }

    #[inline(always)]
    fn bias(&self, layer: Recurrent) -> usize {
        layer.hidden
    }
}
