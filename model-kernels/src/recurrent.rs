//! `RNN`, `GRU`, `LSTM`: layers that carry a state along a sequence.
//!
//! A layer walks over the steps of its sequences and calls a unit at each, which advances the state. The units are told in
//! [`rnn`], [`gru`] and [`lstm`].

pub mod gru;
pub mod lstm;
pub mod rnn;
#[cfg(test)]
mod tests;

use core::cell::Cell;
use core::ops::Range;

use crate::float::Float;
use crate::overlap::{Overlap, Step};
use crate::tile::{self, Blocks, OUTPUTS, Tile, blocks, in_order};
use crate::{Accumulate, Load};

/// One direction of a recurrent layer.
///
/// Each gate of a unit starts from its bias and is summed in the order of the inputs and then of the hidden state; products and
/// sums round separately, and so does, in `f16` and `bf16`, the sum over the inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recurrent {
    /// Steps of a sequence.
    pub steps: usize,
    /// Sequences that are walked over side by side.
    pub batch: usize,
    /// Elements of the input at one step of one sequence.
    pub inputs: usize,
    /// Elements of the hidden state of one sequence.
    pub hidden: usize,
    /// Gates of a unit: 1 of [`rnn`], 3 of [`gru`], 4 of [`lstm`].
    pub gates: usize,
    /// Directions of the layer: 1 or 2.
    pub directions: usize,
    /// Which of them this is.
    pub direction: usize,
    /// Walk from the last step to the first.
    pub reverse: bool,
    /// The weights are in the order of [`Recurrent::pack_order`]; else they are packed into scratch first.
    pub packed: bool,
}

/// The operands of a layer, of all its directions.
#[derive(Debug)]
pub struct Sequence<'a, T: Copy, X, W, B, L> {
    /// `[steps][batch][inputs]`
    pub x: &'a [X],
    /// `[directions][gates · hidden][inputs + hidden]`: the weights of the inputs and, behind them, of the hidden state.
    pub weights: &'a [W],
    /// For each direction, as its unit tells; zeros if empty.
    pub bias: &'a [B],
    /// How many steps each sequence has; all of them if empty. The rest of `y` is zero.
    pub lengths: &'a [L],
    /// The hidden state after each step, `[steps][directions][batch][hidden]`; it is not noted if empty.
    pub y: &'a [Cell<T>],
    /// The hidden state, `[directions][batch][hidden]`: before the run the initial one, then the last.
    pub h: &'a [Cell<T>],
    /// [`Recurrent::scratch`] elements.
    pub scratch: &'a [Cell<T>],
}

/// What a unit is given to advance the state of one sequence by one step.
pub(crate) struct Moment<'a, T, X, W, B> {
    layer: Recurrent,
    /// The input.
    x: &'a [X],
    /// The packed weights of the direction.
    weights: &'a [W],
    /// The bias of the direction.
    bias: &'a [B],
    /// The hidden state.
    h: &'a [Cell<T>],
    /// Places for the gates, and what else the unit needs.
    scratch: &'a [Cell<T>],
    /// Which state of `[directions][batch]` it is.
    place: usize,
}

/// What happens in one step of one sequence.
pub(crate) trait Unit<T> {
    /// Advances the state.
    fn advance<X, W, B>(&self, moment: Moment<T, X, W, B>)
    where
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>;

    /// How many elements the bias of a direction has.
    fn bias(&self, layer: Recurrent) -> usize;
}

impl Recurrent {
    /// Packs the weights if they are not, and walks over the sequences.
    #[inline(always)]
    fn run<T, X, W, B, L>(self, sequence: &Sequence<T, X, W, B, L>, unit: &impl Unit<T>)
    where
        T: Accumulate + Float,
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
        L: Load<Value = i32>,
    {
        let weights = part(sequence.weights, self.direction, self.weights());
        if self.packed {
            self.walk(sequence, weights, sequence.scratch, unit);
        } else {
            let (weights, scratch) = tile::pack(self.pack_order(), weights, sequence.scratch);
            self.walk(sequence, weights, scratch, unit);
        }
    }

    /// Walks over the sequences with the packed weights of the direction.
    #[inline(always)]
    fn walk<T, X, V, W, B, L>(self, sequence: &Sequence<T, X, V, B, L>, weights: &[W], scratch: &[Cell<T>], unit: &impl Unit<T>)
    where
        T: Accumulate + Float,
        X: Load<Value = T>,
        W: Load<Value = T>,
        B: Load<Value = T>,
        L: Load<Value = i32>,
    {
        let &Sequence { x, bias, lengths, y, h, .. } = sequence;
        let bias = part(bias, self.direction, unit.bias(self));
        for step in in_order(self.steps, self.reverse) {
            for row in in_order(self.batch, self.reverse) {
                let x = part(x, step * self.batch + row, self.inputs);
                let y = part(y, (step * self.directions + self.direction) * self.batch + row, self.hidden);
                let place = self.direction * self.batch + row;
                let h = part(h, place, self.hidden);
                let ended = lengths.get(row).is_some_and(|length| usize::try_from(length.load()).unwrap_or(0) <= step);
                if ended {
                    crate::fill(y, T::ZERO);
                    continue;
                }
                unit.advance(Moment { layer: self, x, weights, bias, h, scratch, place });
                for (y, h) in y.iter().zip(h) {
                    y.set(h.get());
                }
            }
        }
    }

    /// The weights of a direction.
    const fn weights(self) -> usize {
        self.gates * self.hidden * (self.inputs + self.hidden)
    }

    /// How many elements of scratch a run needs: the gates of one step, in a [`gru`] as many elements again as the state has, and
    /// weights that are not packed.
    pub const fn scratch(self) -> usize {
        let gates = if self.gates == 3 { 4 } else { self.gates };
        let weights = if self.packed { 0 } else { self.weights() };
        gates * self.hidden + weights
    }

    /// The order of packed weights of one direction, as indices into `[gates · hidden][inputs + hidden]`: those of the inputs, then
    /// those of the hidden state, where the last gate of a [`gru`] comes by itself, as it waits for the others.
    pub fn pack_order(self) -> impl Iterator<Item = usize> {
        let (inputs, depth, outputs) = (self.inputs, self.inputs + self.hidden, self.gates * self.hidden);
        let first = if self.gates == 3 { 2 * self.hidden } else { outputs };
        let parts = [(0..outputs, 0..inputs), (0..first, inputs..depth), (first..outputs, inputs..depth)];
        parts.into_iter().flat_map(move |(outputs, inputs)| matrix_order(outputs, inputs, depth))
    }

    /// By how much `y` may overtake `x`.
    pub fn overlap(self, element_size: usize) -> Overlap {
        if self.directions > 1 {
            return Overlap::NONE;
        }
        let step = |row: usize| Step {
            read: row * self.inputs..(row + 1) * self.inputs,
            write: row * self.hidden..(row + 1) * self.hidden,
        };
        let either = Overlap::of_steps((0..self.steps * self.batch).map(step), element_size);
        if self.reverse { Overlap { forward: None, ..either } } else { Overlap { backward: None, ..either } }
    }

    /// Multiply-accumulates of a run, those within the units apart.
    pub const fn macs(self) -> u64 {
        self.steps as u64 * self.batch as u64 * self.weights() as u64
    }
}

/// The packed order of a part of a matrix whose rows have `depth` elements.
fn matrix_order(outputs: Range<usize>, inputs: Range<usize>, depth: usize) -> impl Iterator<Item = usize> {
    blocks(outputs.len(), OUTPUTS).flat_map(move |block| {
        let (first, inputs) = (outputs.start, inputs.clone());
        inputs.flat_map(move |input| block.clone().map(move |output| (first + output) * depth + input))
    })
}

/// Part `index` of those of `len` elements; empty where there is no such part.
#[inline(always)]
fn part<T>(from: &[T], index: usize, len: usize) -> &[T] {
    from.get(index * len..(index + 1) * len).unwrap_or_default()
}

/// `y = bias + Σ inputs · weights`, where `bias` may be `y` itself.
#[inline(always)]
fn sum<T, X, W, B>(inputs: &[X], weights: &[W], bias: &[B], y: &[Cell<T>])
where
    T: Accumulate,
    X: Load<Value = T>,
    W: Load<Value = T>,
    B: Load<Value = T>,
{
    let inputs = inputs.as_chunks::<1>().0;
    Tile { inputs, weights, bias, y, stride: 0, activation: &|sum| sum }.all::<OUTPUTS>(y.len(), false);
}
