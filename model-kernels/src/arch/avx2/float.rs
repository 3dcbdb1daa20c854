//! Linear layers of `f32`: several blocks of eight outputs at once, as a sum that is a single vector would wait for itself.
//!
//! Products and sums round apart, and each output is summed in the order of the portable form, so the bits are the same.

use core::arch::x86_64::*;
use core::array;
use core::cell::Cell;

use crate::Load;
use crate::accumulate::Taps;
use crate::tile::{Blocks, OUTPUTS, chunk};

/// Whole blocks of outputs at `P` pixels, of which neighbours are one tile.
struct Tiles<'a, X, W, B, const P: usize> {
    inputs: &'a [[X; P]],
    /// Packed: for each block `[k][o]`.
    weights: &'a [W],
    bias: &'a [B],
    y: &'a [Cell<f32>],
    stride: usize,
}

/// `y[p · stride + o] = bias[o] + Σ inputs[k][p] · weights[k][o]` for the `o` of as many whole blocks as `outputs` has; no bias is zero.
/// Returns the number of blocks, or none if an operand is too short.
#[inline(always)]
pub(crate) fn blocks<X, W, B, const P: usize>(
    outputs: usize,
    inputs: &[[X; P]],
    weights: &[W],
    bias: &[B],
    y: &[Cell<f32>],
    stride: usize,
) -> usize
where
    X: Load<Value = f32>,
    W: Load<Value = f32>,
    B: Load<Value = f32>,
{
    let blocks = outputs / OUTPUTS;
    let len = blocks * OUTPUTS;
    let enough = weights.len() >= len * inputs.len() && y.len() >= (P - 1) * stride + len;
    if !enough || (!bias.is_empty() && bias.len() < len) {
        return 0;
    }
    let tiles = Tiles { inputs, weights, bias, y, stride };
    match P {
        1 => tiles.all::<8>(blocks, false),
        _ => tiles.all::<4>(blocks, false),
    }
    blocks
}

impl<X, W, B, const P: usize> Blocks for Tiles<'_, X, W, B, P>
where
    X: Load<Value = f32>,
    W: Load<Value = f32>,
    B: Load<Value = f32>,
{
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let (depth, first) = (self.inputs.len(), first * OUTPUTS);
        let mut sums = [[vector([0.0; OUTPUTS]); N]; P];
        for block in 0..N {
            if let Some(bias) = chunk::<B, OUTPUTS>(self.bias, first + block * OUTPUTS) {
                let start = vector(bias.each_ref().map(Load::load));
                sums.iter_mut().for_each(|sums| sums[block] = start);
            }
        }
        // SAFETY: `blocks` has seen that there are the weights of these blocks.
        let weights = unsafe { self.weights.as_ptr().add(first * depth) };
        for (k, inputs) in self.inputs.iter().enumerate() {
            for block in 0..N {
                // SAFETY: the processor has AVX2; the weights are there, and in memory they are nothing but numbers.
                let weights = unsafe { _mm256_loadu_ps(weights.add((block * depth + k) * OUTPUTS).cast()) };
                for pixel in 0..P {
                    sums[pixel][block] = add_products(sums[pixel][block], vector([inputs[pixel].load(); OUTPUTS]), weights);
                }
            }
        }
        for (pixel, block) in (0..P).flat_map(|pixel| (0..N).map(move |block| (pixel, block))) {
            if let Some(y) = chunk::<_, OUTPUTS>(self.y, pixel * self.stride + first + block * OUTPUTS) {
                store(y, sums[pixel][block]);
            }
        }
    }
}

/// `y[c] = bias[c] + Σ x[tap + c] · weights[tap + c]`, summed in the order of `taps`, for `N` vectors of channels; no bias is zero.
/// Returns whether `x` and `weights` reach to the last tap, without which nothing is done.
#[inline(always)]
pub(crate) fn taps<X, W, B, const N: usize>(taps: Taps, x: &[X], weights: &[W], bias: Option<&[B]>, y: &[Cell<f32>]) -> bool
where
    X: Load<Value = f32>,
    W: Load<Value = f32>,
    B: Load<Value = f32>,
{
    let channels = N * OUTPUTS;
    if x.len() < taps.span(taps.x_steps, channels) || weights.len() < taps.span(taps.weight_steps, channels) {
        return false;
    }
    let starts = bias.unwrap_or_default().as_chunks::<OUTPUTS>().0;
    let mut sums: [__m256; N] =
        array::from_fn(|block| starts.get(block).map_or(vector([0.0; OUTPUTS]), |bias| vector(bias.each_ref().map(Load::load))));
    for row in 0..taps.rows {
        for column in 0..taps.columns {
            let at = |steps: [usize; 2]| row * steps[0] + column * steps[1];
            for block in 0..N {
                // SAFETY: the processor has AVX2; no tap is behind the last, and in memory there is nothing but numbers.
                unsafe {
                    let x = _mm256_loadu_ps(x.as_ptr().add(at(taps.x_steps) + block * OUTPUTS).cast());
                    let weights = _mm256_loadu_ps(weights.as_ptr().add(at(taps.weight_steps) + block * OUTPUTS).cast());
                    sums[block] = add_products(sums[block], x, weights);
                }
            }
        }
    }
    for (y, sums) in y.as_chunks::<OUTPUTS>().0.iter().zip(sums) {
        store(y, sums);
    }
    true
}

/// Sets inputs of both pixels of a tile, side by side.
#[inline(always)]
pub(crate) fn interleave<X: Load>(a: &[X], b: &[X], places: &[[Cell<X::Value>; 2]]) {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    let (places, rest) = places.as_chunks::<8>();
    for ((a, b), places) in a.iter().zip(b).zip(places) {
        if size_of::<X>() == 4 {
            // SAFETY: the processor has AVX2. In memory there are eight times four bytes of `a` and of `b`, and places for both, as `Load` is
            // its element; `Cell` allows the writing.
            unsafe {
                let [a, b] = [a, b].map(|from| _mm256_loadu_ps(from.as_ptr().cast()));
                let [low, high] = [_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b)];
                let to = places.as_ptr().cast_mut().cast::<f32>();
                _mm256_storeu_ps(to, _mm256_permute2f128_ps::<0x20>(low, high));
                _mm256_storeu_ps(to.add(8), _mm256_permute2f128_ps::<0x31>(low, high));
            }
        } else {
            places.iter().zip(a.iter().zip(b)).for_each(|(places, (a, b))| set_two(places, a, b));
        }
    }
    rest.iter().zip(a_rest.iter().zip(b_rest)).for_each(|(places, (a, b))| set_two(places, a, b));
}

#[inline(always)]
fn set_two<X: Load>([first, second]: &[Cell<X::Value>; 2], a: &X, b: &X) {
    first.set(a.load());
    second.set(b.load());
}

/// Adds products to sums. Both are rounded.
#[inline(always)]
fn add_products(sums: __m256, a: __m256, b: __m256) -> __m256 {
    // SAFETY: the processor has AVX2.
    unsafe { _mm256_add_ps(sums, _mm256_mul_ps(b, a)) }
}

#[inline(always)]
fn vector(numbers: [f32; OUTPUTS]) -> __m256 {
    // SAFETY: both are 32 bytes, of which any are valid.
    unsafe { core::mem::transmute(numbers) }
}

#[inline(always)]
fn store(y: &[Cell<f32>; OUTPUTS], vector: __m256) {
    // SAFETY: both are 32 bytes, of which any are valid.
    let numbers: [f32; OUTPUTS] = unsafe { core::mem::transmute(vector) };
    y.iter().zip(numbers).for_each(|(y, number)| y.set(number));
}
