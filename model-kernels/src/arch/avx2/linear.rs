//! The micro-kernel of quantized linear layers: two pixels by four blocks of outputs, or one by eight.
//!
//! The weights of four `k` and of the four outputs of a block are 16 bytes. They are transposed, so that each output has its four side
//! by side, and widened to halfwords; their products with the inputs at these `k` make two sums for each output, which are added in the end.

use core::arch::x86_64::*;
use core::array;
use core::cell::Cell;
use core::marker::PhantomData;

use super::add_products;
use crate::conv::Part;
use crate::quantized::Quantized;
use crate::quantized::finish::Finish;
use crate::quantized::pack::{OUTPUTS, Quad};
use crate::rounding::{multiple_up, quotient_up};
use crate::tile::{Blocks, chunk};
use crate::{Load, Number};

/// The gathered inputs of `P` pixels, `[pixel][k]`, where each group of channels begins at a multiple of four and is filled up with
/// zeros.
pub(crate) struct Patch<'a, X, const P: usize> {
    inputs: &'a [Cell<i16>],
    groups: usize,
    depth: usize,
    element: PhantomData<X>,
}

impl<'a, X: Load<Value: Quantized>, const P: usize> Patch<'a, X, P> {
    /// A patch of `groups` of `depth` products in `scratch`.
    #[inline(always)]
    pub(crate) fn new(scratch: &'a [Cell<i16>], groups: usize, depth: usize, _: usize) -> Self {
        let inputs = scratch.get(..P * groups * multiple_up::<4>(depth)).unwrap_or_default();
        Self { inputs, groups, depth, element: PhantomData }
    }

    /// The inputs of pixel number `to`.
    #[inline(always)]
    fn pixel(&self, to: usize) -> &'a [Cell<i16>] {
        let len = self.groups * multiple_up::<4>(self.depth);
        self.inputs.get(to * len..(to + 1) * len).unwrap_or_default()
    }

    /// Sets all inputs of pixel number `to`.
    #[inline(always)]
    pub(crate) fn fill(&self, to: usize, padding: i16) {
        self.pixel(to).iter().for_each(|input| input.set(padding));
    }

    /// Sets inputs of pixel number `to`.
    #[inline(always)]
    pub(crate) fn put(&self, to: usize, part: Part, x: &[X]) {
        let inputs = self.pixel(to);
        for (k, x) in part.rows(x) {
            widen(x, inputs.get(k..k + x.len()).unwrap_or_default());
        }
    }

    /// Sets inputs of two pixels, of which the second's are `apart` elements behind the first's. They have no padding: all inputs of
    /// each are set, in their order. So a short row may bring along what stands behind it, which takes one step.
    #[inline(always)]
    pub(crate) fn put_two(&self, part: Part, x: &[X], apart: usize) {
        for to in 0..P {
            let (inputs, first) = (self.pixel(to), part.from + to * apart);
            for row in 0..part.rows {
                let (from, k) = (first + row * part.x_step, part.k + row * part.k_step);
                let short = match part.len {
                    ..=8 => copy_chunk::<X, 8>(x, from, inputs, k),
                    9..=16 => copy_chunk::<X, 16>(x, from, inputs, k),
                    _ => false,
                };
                if !short {
                    let x = x.get(from..from + part.len).unwrap_or_default();
                    widen(x, inputs.get(k..k + part.len).unwrap_or_default());
                }
            }
        }
    }

    /// Fills up the inputs of each group with zeros.
    #[inline(always)]
    pub(crate) fn finish(&self) {
        let group = multiple_up::<4>(self.depth);
        for first in (0..self.inputs.len()).step_by(group.max(1)) {
            let behind = self.inputs.get(first + self.depth..first + group).unwrap_or_default();
            behind.iter().for_each(|input| input.set(0));
        }
    }
}

/// Copies `N` elements from `from` on to the places from `to` on, if there are so many of both.
#[inline(always)]
fn copy_chunk<X: Load<Value: Quantized>, const N: usize>(x: &[X], from: usize, places: &[Cell<i16>], to: usize) -> bool {
    let (Some(x), Some(places)) = (chunk::<X, N>(x, from), chunk(places, to)) else { return false };
    copy(x, places);
    true
}

/// Copies elements to their places; what is read at once is written at once, so that it takes one instruction each.
#[inline(always)]
fn widen<X: Load<Value: Quantized>>(x: &[X], places: &[Cell<i16>]) {
    let ((x, x_rest), (places, rest)) = (x.as_chunks::<16>(), places.as_chunks::<16>());
    for (x, places) in x.iter().zip(places) {
        copy(x, places);
    }
    let ((x, x_rest), (places, rest)) = (x_rest.as_chunks::<4>(), rest.as_chunks::<4>());
    for (x, places) in x.iter().zip(places) {
        copy(x, places);
    }
    for (x, place) in x_rest.iter().zip(rest) {
        place.set(x.load().to_i16());
    }
}

#[inline(always)]
fn copy<X: Load<Value: Quantized>, const N: usize>(x: &[X; N], places: &[Cell<i16>; N]) {
    let x = x.each_ref().map(|x| x.load().to_i16());
    for (place, x) in places.iter().zip(x) {
        place.set(x);
    }
}

/// A layer without its input: in each group of channels, `outputs` sums of `depth` products.
#[derive(Clone, Copy)]
pub(crate) struct Layer<'a, F> {
    packed: &'a [Quad],
    depth: usize,
    outputs: usize,
    finish: F,
}

impl<'a, F: Finish> Layer<'a, F> {
    /// A layer of outputs with `depth` products each.
    #[inline(always)]
    pub(crate) fn new(packed: &'a [Quad], depth: usize, outputs: usize, finish: F) -> Self {
        Self { packed, depth, outputs, finish }
    }

    /// Computes the outputs of group number `group` at all pixels of a patch; `stride` is from one pixel to the next in `y`.
    #[inline(always)]
    pub(crate) fn run<X: Load<Value: Quantized>, const P: usize>(
        self,
        patch: &Patch<'_, X, P>,
        group: usize,
        y: &[Cell<F::Output>],
        stride: usize,
    ) {
        let depth = multiple_up::<4>(self.depth);
        let mut inputs: [&[Cell<i16>]; P] = [&[]; P];
        for pixel in 0..P {
            inputs[pixel] = patch.pixel(pixel).get(group * depth..(group + 1) * depth).unwrap_or_default();
        }
        Tiles { layer: self, inputs, group, y, stride }.all::<4>(quotient_up::<OUTPUTS>(self.outputs), false);
    }

    /// Computes a layer of one row, whose inputs are read where they lie.
    #[inline(always)]
    pub(crate) fn row<X: Load<Value: Quantized>>(self, x: &[X], y: &[Cell<F::Output>]) {
        let tiles = Tiles { layer: self, inputs: [x.get(..self.depth).unwrap_or_default()], group: 0, y, stride: 0 };
        tiles.all::<8>(quotient_up::<OUTPUTS>(self.outputs), false);
    }
}

/// The operands of a group of channels at `P` pixels, of which neighbouring blocks of outputs are one tile.
struct Tiles<'a, X, F: Finish, const P: usize> {
    layer: Layer<'a, F>,
    /// Of the group, at each pixel.
    inputs: [&'a [X]; P],
    group: usize,
    y: &'a [Cell<F::Output>],
    stride: usize,
}

impl<X: Load<Value: Quantized>, F: Finish, const P: usize> Blocks for Tiles<'_, X, F, P> {
    #[inline(always)]
    fn block<const N: usize>(&self, first: usize) {
        let Layer { packed, depth, outputs, finish } = self.layer;
        let quads = depth + 2 * OUTPUTS;
        let block = self.group * quotient_up::<OUTPUTS>(outputs) + first;
        let Some(packed) = packed.get(block * quads..(block + N) * quads) else { return };
        let sums = sums::<X, P, N>(self.inputs, packed, depth);
        for pair in 0..N.div_ceil(2) {
            let [a, b] = [2 * pair, (2 * pair + 1).min(N - 1)];
            let constants = |from: usize| join(chunk(packed, a * quads + from), chunk(packed, b * quads + from));
            let (starts, multipliers) = (constants(0), constants(quads - OUTPUTS));
            for pixel in 0..P {
                let sums = add_pairs(sums[pixel][a], sums[pixel][b], starts);
                let elements = finish.eight(sums, multipliers);
                let from = pixel * self.stride + (first + 2 * pair) * OUTPUTS;
                let len = (outputs - (first + 2 * pair) * OUTPUTS).min((1 + b - a) * OUTPUTS);
                let y = self.y.get(from..from + len).unwrap_or_default();
                match y.first_chunk::<8>() {
                    Some(y) => y.iter().zip(elements).for_each(|(y, element)| y.set(element)),
                    None => y.iter().zip(elements).for_each(|(y, element)| y.set(element)),
                }
            }
        }
    }
}

/// Two sums for each of the four outputs of `N` blocks of a layer with `depth` products, whose constants are `packed`.
#[inline(always)]
fn sums<X: Load<Value: Quantized>, const P: usize, const N: usize>(
    inputs: [&[X]; P],
    packed: &[Quad],
    depth: usize,
) -> [[__m256i; N]; P] {
    // SAFETY: the processor has AVX2.
    let mut sums = [[unsafe { _mm256_setzero_si256() }; N]; P];
    let quads = depth + 2 * OUTPUTS;
    if packed.len() < N * quads || inputs.iter().any(|inputs| inputs.len() > multiple_up::<4>(depth)) {
        return sums;
    }
    let mut add = |number: usize, inputs: [__m256i; P]| {
        for block in 0..N {
            // SAFETY: `number` is less than that of all four `k`, and behind the weights of each block there are the multipliers, which
            // the last four may take in, as their inputs are zeros.
            let weights = transpose(unsafe { &*packed.as_ptr().add(block * quads + OUTPUTS + 4 * number).cast() });
            for pixel in 0..P {
                sums[pixel][block] = add_products(sums[pixel][block], inputs[pixel], weights);
            }
        }
    };
    let inputs = inputs.map(|inputs| inputs.as_chunks::<4>());
    let whole = inputs.iter().map(|(fours, _)| fours.len()).min().unwrap_or_default();
    for number in 0..whole {
        // SAFETY: no pixel has less.
        add(number, inputs.map(|(fours, _)| load_four_times(unsafe { fours.get_unchecked(number) })));
    }
    if inputs.iter().any(|(_, rest)| !rest.is_empty()) {
        let rest = |rest: &[X]| four_times(array::from_fn(|k| rest.get(k).map_or(0, |x| x.load().to_i16())));
        add(whole, inputs.map(|(_, inputs)| rest(inputs)));
    }
    sums
}

/// Four halfwords, four times.
#[inline(always)]
fn four_times([a, b, c, d]: [i16; 4]) -> __m256i {
    // SAFETY: the processor has AVX2.
    unsafe { _mm256_setr_epi16(a, b, c, d, a, b, c, d, a, b, c, d, a, b, c, d) }
}

/// The same of inputs, in one or two instructions.
#[inline(always)]
fn load_four_times<X: Load<Value: Quantized>>(inputs: &[X; 4]) -> __m256i {
    let signed = X::Value::LOWEST < X::Value::ZERO;
    let from = inputs.as_ptr();
    // SAFETY: the processor has AVX2; as many bytes are loaded as there are.
    unsafe {
        match (size_of::<X>(), signed) {
            (1, true) => _mm256_cvtepi8_epi16(_mm_set1_epi32(from.cast::<i32>().read_unaligned())),
            (1, false) => _mm256_cvtepu8_epi16(_mm_set1_epi32(from.cast::<i32>().read_unaligned())),
            (2, true) => _mm256_set1_epi64x(from.cast::<i64>().read_unaligned()),
            _ => four_times(inputs.each_ref().map(|x| x.load().to_i16())),
        }
    }
}

/// The weights of four outputs as halfwords, the four of each side by side.
#[inline(always)]
fn transpose(quads: &[Quad; 4]) -> __m256i {
    // SAFETY: the processor has AVX2; 16 bytes are loaded, which need not be aligned.
    unsafe {
        let order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        _mm256_cvtepi8_epi16(_mm_shuffle_epi8(_mm_loadu_si128(quads.as_ptr().cast()), order))
    }
}

/// The words of `a` and then of `b`.
#[inline(always)]
fn join(a: Option<&[Quad; 4]>, b: Option<&[Quad; 4]>) -> __m256i {
    let zeros = [Quad([0; 4]); 4];
    let [a, b] = [a, b].map(|quads| quads.unwrap_or(&zeros).as_ptr());
    // SAFETY: the processor has AVX2; 16 bytes are loaded of each, which need not be aligned.
    unsafe { _mm256_loadu2_m128i(b.cast(), a.cast()) }
}

/// The sums of neighbours, of `a` and then of `b`, each added to what it starts from.
#[inline(always)]
fn add_pairs(a: __m256i, b: __m256i, starts: __m256i) -> __m256i {
    // SAFETY: the processor has AVX2.
    unsafe { _mm256_add_epi32(_mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_hadd_epi32(a, b)), starts) }
}
