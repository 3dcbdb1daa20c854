//! The element types of linear kernels, and how each of them sums products.

use core::cell::Cell;

#[cfg(avx2)]
use crate::arch::avx2;
#[cfg(all(target_arch = "arm", target_abi = "eabihf"))]
use crate::arch::vfp;
use crate::{Load, Number, tile};

/// An element type of linear layers.
///
/// Products and sums round separately, in the type's [`Sum`](Number::Sum). Integers wrap around.
pub trait Accumulate: Number {
    /// `y[p · stride + o] = bias[o] + Σ inputs[k][p] · weights[k][o]`, summed in the order of `k`; no bias is zero.
    ///
    /// Nothing is written if `y` is too short.
    #[inline(always)]
    fn tile<X, W, B, const P: usize, const N: usize>(
        inputs: &[[X; P]],
        weights: &[[W; N]],
        bias: Option<&[B; N]>,
        y: &[Cell<Self>],
        stride: usize,
    ) where
        X: Load<Value = Self>,
        W: Load<Value = Self>,
        B: Load<Value = Self>,
    {
        tile::tile(inputs, weights, bias, y, stride);
    }

    /// [`Accumulate::tile`] for as many blocks of eight of the `outputs`, from the first on, as are returned: all whole ones, where it is
    /// faster to compute several at once.
    #[inline(always)]
    fn blocks<X, W, B, const P: usize>(
        _outputs: usize,
        _inputs: &[[X; P]],
        _weights: &[W],
        _bias: &[B],
        _y: &[Cell<Self>],
        _stride: usize,
    ) -> usize
    where
        X: Load<Value = Self>,
        W: Load<Value = Self>,
        B: Load<Value = Self>,
    {
        0
    }

    /// `y[c] = bias[c] + Σ x[tap + c] · weights[tap + c]`, summed in the order of `taps`; no bias is zero.
    ///
    /// `x` and `weights` begin with the first tap and reach to the last; what is written where they are shorter is left open.
    #[inline(always)]
    fn taps<X, W, B, const N: usize>(taps: Taps, x: &[X], weights: &[W], bias: Option<&[B; N]>, y: &[Cell<Self>; N])
    where
        X: Load<Value = Self>,
        W: Load<Value = Self>,
        B: Load<Value = Self>,
    {
        tile::taps(taps, x, weights, bias, y);
    }
}

/// The part of a window that lies within the input, as a depthwise layer walks over it: elements from one tap to the next.
#[derive(Clone, Copy)]
pub struct Taps {
    /// Rows of taps.
    pub(crate) rows: usize,
    /// Taps in a row.
    pub(crate) columns: usize,
    /// From one tap of `x` to the next, down and to the right.
    pub(crate) x_steps: [usize; 2],
    /// From one tap of the weights to the next, down and to the right.
    pub(crate) weight_steps: [usize; 2],
}

impl Taps {
    /// How many elements there are from the first tap to the end of `channels` of the last.
    #[inline(always)]
    pub(crate) fn span(self, steps: [usize; 2], channels: usize) -> usize {
        self.rows.saturating_sub(1) * steps[0] + self.columns.saturating_sub(1) * steps[1] + channels
    }
}

/// `portable! { f64 }` lets `f64` sum products as every target can.
macro_rules! portable {
    ($($ty:ty)*) => { $( impl Accumulate for $ty {} )* };
}

portable! { f64 half::f16 half::bf16 i8 i16 i32 i64 u8 u16 u32 u64 }

impl Accumulate for f32 {
    #[cfg(all(target_arch = "arm", target_abi = "eabihf"))]
    #[inline(always)]
    fn tile<X, W, B, const P: usize, const N: usize>(
        inputs: &[[X; P]],
        weights: &[[W; N]],
        bias: Option<&[B; N]>,
        y: &[Cell<Self>],
        stride: usize,
    ) where
        X: Load<Value = Self>,
        W: Load<Value = Self>,
        B: Load<Value = Self>,
    {
        let slice = bias.map(|bias| bias.as_slice());
        match (P, N) {
            (2, 8) => vfp::tile_2x8(inputs.as_flattened(), weights.as_flattened(), slice, y, stride),
            (1, 8) => vfp::tile_1x8(inputs.as_flattened(), weights.as_flattened(), slice, y),
            _ => tile::tile(inputs, weights, bias, y, stride),
        }
    }

    #[cfg(all(target_arch = "arm", target_abi = "eabihf"))]
    #[inline(always)]
    fn taps<X, W, B, const N: usize>(taps: Taps, x: &[X], weights: &[W], bias: Option<&[B; N]>, y: &[Cell<Self>; N])
    where
        X: Load<Value = Self>,
        W: Load<Value = Self>,
        B: Load<Value = Self>,
    {
        let slice = bias.map(|bias| bias.as_slice());
        match N {
            16 => vfp::taps_16(taps, x, weights, slice, y),
            8 => vfp::taps_8(taps, x, weights, slice, y),
            _ => tile::taps(taps, x, weights, bias, y),
        }
    }

    #[cfg(avx2)]
    #[inline(always)]
    fn blocks<X, W, B, const P: usize>(
        outputs: usize,
        inputs: &[[X; P]],
        weights: &[W],
        bias: &[B],
        y: &[Cell<Self>],
        stride: usize,
    ) -> usize
    where
        X: Load<Value = Self>,
        W: Load<Value = Self>,
        B: Load<Value = Self>,
    {
        avx2::float::blocks(outputs, inputs, weights, bias, y, stride)
    }

    #[cfg(avx2)]
    #[inline(always)]
    fn taps<X, W, B, const N: usize>(taps: Taps, x: &[X], weights: &[W], bias: Option<&[B; N]>, y: &[Cell<Self>; N])
    where
        X: Load<Value = Self>,
        W: Load<Value = Self>,
        B: Load<Value = Self>,
    {
        let slice = bias.map(|bias| bias.as_slice());
        let done = match N {
            16 => avx2::float::taps::<X, W, B, 2>(taps, x, weights, slice, y),
            8 => avx2::float::taps::<X, W, B, 1>(taps, x, weights, slice, y),
            _ => false,
        };
        if !done {
            tile::taps(taps, x, weights, bias, y);
        }
    }
}
