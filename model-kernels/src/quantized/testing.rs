//! What the tests of quantized layers share: a layer's constants, and the formula of requantization.

use std::vec::Vec;

use crate::Requantize;
use crate::quantized::Quantized;
use crate::quantized::pack::Layer;
use crate::testing::integers;

pub(crate) const REQUANTIZE: Requantize = Requantize { left: 0, shift: 33, zero: 7, low: -90, high: 120 };

pub(crate) fn weights(len: usize) -> Vec<i8> {
    integers(len, 2, [-128, 127])
}

pub(crate) fn bias(len: usize) -> Vec<i32> {
    integers(len, 4, [-9999, 9999])
}

pub(crate) fn multipliers(len: usize) -> Vec<i32> {
    integers(len, 5, [10_000_000, 60_000_000])
}

/// A layer that reads elements `X`.
pub(crate) fn layer<'a, X>(weights: &'a [i8], bias: &'a [i32], multipliers: &'a [i32]) -> Layer<'a> {
    Layer { weights, bias, multipliers, x_limit: if size_of::<X>() == 1 { 255 } else { 1 << 15 } }
}

/// The elements for sums of `outputs` channels.
pub(crate) fn apply<Y: Quantized>(sums: &[i64], outputs: usize) -> Vec<Y> {
    let multipliers = multipliers(outputs);
    let Requantize { shift, zero, low, high, .. } = REQUANTIZE;
    let element = |(index, sum): (usize, &i64)| {
        let product = i128::from(*sum) * i128::from(multipliers[index % outputs]);
        let scaled = (product + (1 << (shift - 1))) >> shift;
        Y::saturate((scaled as i32 + zero).clamp(low, high))
    };
    sums.iter().enumerate().map(element).collect()
}
