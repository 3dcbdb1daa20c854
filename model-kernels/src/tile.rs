//! The micro-kernel of all linear layers: a tile of sums over packed weights.

use core::cell::Cell;
use core::ops::Range;

use crate::accumulate::{Accumulate, Taps};
use crate::{Load, Number};

/// How many pixels a tile has: their inputs are gathered side by side, so that each weight is read once for all of them.
pub(crate) const PIXELS: usize = 2;

/// How many outputs a tile has.
pub(crate) const OUTPUTS: usize = 8;

/// Work on a number of neighbouring things, done in blocks whose sizes are known to the compiler.
pub(crate) trait Blocks {
    /// Does the `N` things from `first` on.
    fn block<const N: usize>(&self, first: usize);

    /// Does all of `count` things in blocks of `MAX`, a power of two up to 16, and at most one each of 8, 4, 2 and 1 for what remains.
    #[inline(always)]
    fn all<const MAX: usize>(&self, count: usize, backward: bool) {
        if backward {
            self.rest::<MAX>(count, true);
        }
        for block in in_order(count / MAX, backward) {
            self.block::<MAX>(block * MAX);
        }
        if !backward {
            self.rest::<MAX>(count, false);
        }
    }

    /// Does what blocks of `MAX` leave.
    #[inline(always)]
    fn rest<const MAX: usize>(&self, count: usize, backward: bool) {
        for size in in_order(4, !backward) {
            match 1 << size {
                8 if MAX > 8 && count & 8 != 0 => self.block::<8>(count & !15),
                4 if MAX > 4 && count & 4 != 0 => self.block::<4>(count & !7),
                2 if MAX > 2 && count & 2 != 0 => self.block::<2>(count & !3),
                1 if MAX > 1 && count & 1 != 0 => self.block::<1>(count & !1),
                _ => {}
            }
        }
    }
}

/// The blocks of [`Blocks::all`], from the first to the last.
pub(crate) fn blocks(count: usize, max: usize) -> impl DoubleEndedIterator<Item = Range<usize>> + Clone {
    let rest = [8, 4, 2, 1].into_iter().filter(move |size| *size < max && count & size != 0);
    let rest = rest.map(move |size| (count & !(2 * size - 1), size));
    let whole = (0..count / max).map(move |block| (block * max, max));
    whole.chain(rest).map(|(first, size)| first..first + size)
}

/// The numbers below `count`, from first to last, or from last to first if `backward`.
#[inline(always)]
pub(crate) fn in_order(count: usize, backward: bool) -> impl Iterator<Item = usize> {
    (0..count).map(move |step| if backward { count - 1 - step } else { step })
}

/// Packs weights that are known only at run time into the front of `scratch`, in the `pack_order` of their layer. Gives the packed
/// weights and the rest of `scratch`.
#[inline(always)]
pub(crate) fn pack<'a, T: Copy, W: Load<Value = T>>(
    order: impl Iterator<Item = usize>,
    weights: &[W],
    scratch: &'a [Cell<T>],
) -> (&'a [Cell<T>], &'a [Cell<T>]) {
    let (packed, rest) = scratch.split_at_checked(weights.len()).unwrap_or_default();
    for (packed, index) in packed.iter().zip(order) {
        if let Some(weight) = weights.get(index) {
            packed.set(weight.load());
        }
    }
    (packed, rest)
}

/// [`Accumulate::tile`] of any type on any target.
#[inline(always)]
pub(crate) fn tile<T, X, W, B, const P: usize, const N: usize>(
    inputs: &[[X; P]],
    weights: &[[W; N]],
    bias: Option<&[B; N]>,
    y: &[Cell<T>],
    stride: usize,
) where
    T: Accumulate,
    X: Load<Value = T>,
    W: Load<Value = T>,
    B: Load<Value = T>,
{
    let mut sums = [starts::<T, B, N>(bias); P];
    for (inputs, weights) in inputs.iter().zip(weights) {
        for (sums, input) in sums.iter_mut().zip(inputs) {
            let input = input.load().widen();
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = sum.add(weight.load().widen().mul(input));
            }
        }
    }
    for (pixel, sums) in sums.iter().enumerate() {
        if let Some(y) = y.get(pixel * stride..).and_then(|y| y.first_chunk::<N>()) {
            for (y, sum) in y.iter().zip(sums) {
                y.set(T::narrow(*sum));
            }
        }
    }
}

/// What sums start from: their biases, or zero.
#[inline(always)]
fn starts<T: Accumulate, B: Load<Value = T>, const N: usize>(bias: Option<&[B; N]>) -> [T::Sum; N] {
    let mut starts = [T::Sum::ZERO; N];
    if let Some(bias) = bias {
        for (start, bias) in starts.iter_mut().zip(bias) {
            *start = bias.load().widen();
        }
    }
    starts
}

/// [`Accumulate::taps`] of any type on any target.
#[inline(always)]
pub(crate) fn taps<T, X, W, B, const N: usize>(taps: Taps, x: &[X], weights: &[W], bias: Option<&[B; N]>, y: &[Cell<T>; N])
where
    T: Accumulate,
    X: Load<Value = T>,
    W: Load<Value = T>,
    B: Load<Value = T>,
{
    let mut sums = starts::<T, B, N>(bias);
    for row in 0..taps.rows {
        for column in 0..taps.columns {
            let at = |steps: [usize; 2]| row * steps[0] + column * steps[1];
            let x = chunk::<X, N>(x, at(taps.x_steps));
            let weights = chunk::<W, N>(weights, at(taps.weight_steps));
            if let (Some(x), Some(weights)) = (x, weights) {
                for (sum, (x, weight)) in sums.iter_mut().zip(x.iter().zip(weights)) {
                    *sum = sum.add(weight.load().widen().mul(x.load().widen()));
                }
            }
        }
    }
    for (y, sum) in y.iter().zip(&sums) {
        y.set(T::narrow(*sum));
    }
}

/// `N` elements from `first` on, if there are that many.
#[inline(always)]
pub(crate) fn chunk<B, const N: usize>(from: &[B], first: usize) -> Option<&[B; N]> {
    from.get(first..first + N).and_then(|from| from.first_chunk())
}

/// Applies `activation` to the finished sums in `y`.
#[inline(always)]
pub(crate) fn activate<T: Copy>(y: &[Cell<T>], activation: &impl Fn(T) -> T) {
    for y in y {
        y.set(activation(y.get()));
    }
}

/// A dense layer at `P` pixels: `y[p][o] = activation(bias[o] + Σ inputs[k][p] · weights[k][o])`.
pub(crate) struct Tile<'a, T, X, W, B, A, const P: usize> {
    /// The gathered inputs.
    pub(crate) inputs: &'a [[X; P]],
    /// Packed: for each of the blocks of outputs, `[k][o]`.
    pub(crate) weights: &'a [W],
    /// Zeros if empty.
    pub(crate) bias: &'a [B],
    /// The outputs of all pixels.
    pub(crate) y: &'a [Cell<T>],
    /// From one pixel to the next in `y`.
    pub(crate) stride: usize,
    /// Applied to each finished sum.
    pub(crate) activation: &'a A,
}

impl<T, X, W, B, A, const P: usize> Blocks for Tile<'_, T, X, W, B, A, P>
where
    T: Accumulate,
    X: Load<Value = T>,
    W: Load<Value = T>,
    B: Load<Value = T>,
    A: Fn(T) -> T,
{
    #[cfg(avx2)]
    #[inline(always)]
    fn all<const MAX: usize>(&self, count: usize, _: bool) {
        let done = T::blocks(count, self.inputs, self.weights, self.bias, self.y, self.stride);
        for pixel in 0..P {
            let first = pixel * self.stride;
            activate(self.y.get(first..first + done * OUTPUTS).unwrap_or_default(), self.activation);
        }
        for block in done..count / MAX {
            self.block::<MAX>(block * MAX);
        }
        self.rest::<MAX>(count, false);
    }

    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let depth = self.inputs.len();
        let weights = self.weights.get(first * depth..(first + N) * depth).unwrap_or_default();
        let y = self.y.get(first..first + (P - 1) * self.stride + N).unwrap_or_default();
        T::tile::<X, W, B, P, N>(self.inputs, weights.as_chunks().0, chunk(self.bias, first), y, self.stride);
        for pixel in 0..P {
            activate(y.get(pixel * self.stride..pixel * self.stride + N).unwrap_or_default(), self.activation);
        }
    }
}
