//! The constants of a quantized linear layer, in the order in which each target reads them.
//!
//! All of a layer is one sequence, by groups and by blocks of four outputs: what the block's sums start from, four words; its
//! weights; and the multipliers of its outputs, four words. Outputs that the last block lacks have zeros. [`Packing::Portable`]
//! has for each `k` the weights of the four outputs. [`Packing::Dsp`] begins with a quad that names one of two forms, in which the
//! weights of four `k` are four quads, and the depth is a multiple of four:
//!
//! - plain: for each of the outputs its weights at 4i, 4i + 1, 4i + 2 and 4i + 3;
//! - mixed: pairs of outputs share their halfwords, `w[o] + 256 · w[o + 1]`. The halfwords of the first and of the second pair of
//!   outputs at 4i and 4i + 2, then those at 4i + 1 and 4i + 3. The sums that start are `bias[o] + 256 · bias[o + 1]` of both
//!   pairs, and then `bias[o]` of both.

use crate::rounding::multiple_up;

/// How many pixels a tile has: their inputs are gathered side by side, so that each weight is read once for all of them.
pub(crate) const PIXELS: usize = 2;

/// How many outputs a tile has.
pub(crate) const OUTPUTS: usize = 4;

/// How many elements of scratch a tile needs: its inputs, where each group of channels has a multiple of four; half as many where
/// they are staged as bytes, as some target does where runs of neighbours in the input are not multiples of four; and one by which all is
/// moved to the start of a word.
pub(crate) const fn scratch(groups: usize, depth: usize, run: usize) -> usize {
    let inputs = PIXELS * groups * multiple_up::<4>(depth);
    if run.is_multiple_of(4) { inputs + 1 } else { inputs + inputs / 2 + 1 }
}

/// Four bytes of packed constants, which lie as processors load them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(4))]
pub struct Quad(pub [i8; 4]);

impl Quad {
    pub(crate) const fn of(word: i32) -> Self {
        let [a, b, c, d] = word.to_le_bytes();
        Self([a as i8, b as i8, c as i8, d as i8])
    }

    /// The four bytes as one number, the lowest first.
    #[inline(always)]
    pub(crate) fn word(self) -> i32 {
        i32::from_le_bytes(self.0.map(|byte| byte as u8))
    }
}

/// For which targets a layer's constants are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// Those with the DSP instructions of Armv7E-M.
    Dsp,
    /// All others, the host among them.
    Portable,
}

impl Packing {
    /// What the target of this build reads.
    pub const NATIVE: Self = if cfg!(dsp) { Self::Dsp } else { Self::Portable };
}

/// The one of two packings of constant data that the target reads; the other does not reach the firmware.
pub const fn pick<'a, T: ?Sized>(dsp: &'a T, portable: &'a T) -> &'a T {
    match Packing::NATIVE {
        Packing::Dsp => dsp,
        Packing::Portable => portable,
    }
}

/// The constants of a quantized linear layer.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// In the order that the layer names.
    pub weights: &'a [i8],
    /// One for each output, with the zero point of the input folded in; or none, for zeros.
    pub bias: &'a [i32],
    /// One for each output, or one for all, or none for a layer that gives its sums.
    pub multipliers: &'a [i32],
    /// The greatest magnitude of an element that it reads: 128 of `i8`, 255 of `u8`, 32768 of `i16` and `u16`.
    pub x_limit: u32,
}

impl Layer<'_> {
    pub(crate) fn bias(self, output: usize) -> i32 {
        self.bias.get(output).copied().unwrap_or_default()
    }

    pub(crate) fn multiplier(self, output: usize) -> i32 {
        let index = if self.multipliers.len() == 1 { 0 } else { output };
        self.multipliers.get(index).copied().unwrap_or_default()
    }
}

/// The order of a block's weights.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Portable,
    Plain,
    Mixed,
}

/// What the first quad of a layer in the mixed form begins with; in the plain form it is zero.
pub(crate) const MIXED: i8 = 1;

/// `groups` times `outputs` sums of `depth` products, of which `index(output, k)` is the place of a weight.
#[derive(Clone, Copy)]
pub(crate) struct Packer<'a, I> {
    pub(crate) layer: Layer<'a>,
    pub(crate) groups: usize,
    pub(crate) outputs: usize,
    pub(crate) depth: usize,
    pub(crate) index: I,
}

impl<'a, I: Fn(usize, usize) -> usize + Copy + 'a> Packer<'a, I> {
    pub(crate) fn pack(self, packing: Packing) -> impl Iterator<Item = Quad> + use<'a, I> {
        let form = match packing {
            Packing::Portable => Form::Portable,
            Packing::Dsp if self.is_mixed() => Form::Mixed,
            Packing::Dsp => Form::Plain,
        };
        let name = (packing == Packing::Dsp).then_some(Quad([if form == Form::Mixed { MIXED } else { 0 }, 0, 0, 0]));
        let blocks = move |group| (0..self.outputs).step_by(OUTPUTS).map(move |block| (group, block));
        name.into_iter().chain((0..self.groups).flat_map(blocks).flat_map(move |block| self.block(block, form)))
    }

    /// A block of outputs of a group.
    fn block(self, block: (usize, usize), form: Form) -> impl Iterator<Item = Quad> + use<'a, I> {
        let bias = [0, 1, 2, 3].map(|lane| self.bias(block, lane));
        let start = match form {
            Form::Mixed => [mix(bias[0], bias[1]), mix(bias[2], bias[3]), bias[0], bias[2]],
            _ => bias,
        };
        let quads = if form == Form::Portable { self.depth } else { multiple_up::<4>(self.depth) };
        let multipliers = [0, 1, 2, 3].map(|lane| self.multiplier(block, lane));
        let weights = (0..quads).map(move |quad| self.quad(block, quad, form));
        start.into_iter().map(Quad::of).chain(weights).chain(multipliers.into_iter().map(Quad::of))
    }

    fn quad(self, block: (usize, usize), quad: usize, form: Form) -> Quad {
        let (first, rest) = (quad / 4 * 4, quad % 4);
        match form {
            Form::Portable => Quad([0, 1, 2, 3].map(|lane| self.weight(block, lane, quad))),
            Form::Plain => Quad([0, 1, 2, 3].map(|k| self.weight(block, rest, first + k))),
            Form::Mixed => {
                let [low, high] = [first + rest / 2, first + rest / 2 + 2].map(|k| self.mixed(block, rest % 2, k));
                Quad::of(low & 0xffff | high << 16)
            }
        }
    }

    /// The weights of a pair of outputs as one number.
    fn mixed(self, block: (usize, usize), pair: usize, k: usize) -> i32 {
        mix(self.weight(block, 2 * pair, k).into(), self.weight(block, 2 * pair + 1, k).into())
    }

    /// Whether the mixed form is exact: all halfwords hold their two weights, and the odd outputs' sums, which are computed 256-fold,
    /// do not overflow.
    fn is_mixed(self) -> bool {
        let blocks = (0..self.groups).flat_map(|group| (0..self.outputs).step_by(OUTPUTS).map(move |block| (group, block)));
        blocks.flat_map(|block| [(block, 0), (block, 1)]).all(|(block, pair)| {
            let weights = || (0..self.depth).map(|k| u64::from(self.weight(block, 2 * pair + 1, k).unsigned_abs()));
            let bias = u64::from(self.bias(block, 2 * pair + 1).unsigned_abs());
            let fits = (0..self.depth).all(|k| i16::try_from(self.mixed(block, pair, k)).is_ok());
            fits && bias + weights().sum::<u64>() * u64::from(self.layer.x_limit) < 1 << 23
        })
    }

    fn weight(self, block: (usize, usize), lane: usize, k: usize) -> i8 {
        let place = self.output(block, lane).filter(|_| k < self.depth).map(|output| (self.index)(output, k));
        place.and_then(|place| self.layer.weights.get(place)).copied().unwrap_or_default()
    }

    fn bias(self, block: (usize, usize), lane: usize) -> i32 {
        self.output(block, lane).map_or(0, |output| self.layer.bias(output))
    }

    fn multiplier(self, block: (usize, usize), lane: usize) -> i32 {
        self.output(block, lane).map_or(0, |output| self.layer.multiplier(output))
    }

    /// The number of an output among those of all groups, if there is one at `lane` of the block.
    fn output(self, (group, block): (usize, usize), lane: usize) -> Option<usize> {
        (block + lane < self.outputs).then_some(group * self.outputs + block + lane)
    }
}

fn mix(low: i32, high: i32) -> i32 {
    low.wrapping_add(high.wrapping_mul(256))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn the_host_picks_the_portable_packing() {
        assert_eq!(pick(&1, &2), &2);
    }

    const BIAS: [i32; 3] = [1000, -2000, 3000];

    fn pack(weights: &[i8], bias: &[i32], packing: Packing) -> Vec<Quad> {
        let layer = Layer { weights, bias, multipliers: &[7], x_limit: 128 };
        let (outputs, depth) = (3, weights.len() / 3);
        Packer { layer, groups: 1, outputs, depth, index: |output, k| output * depth + k }.pack(packing).collect()
    }

    #[test]
    fn portable_weights_lie_by_k() {
        let quads = pack(&[1, 2, 3, 4, 5, 6], &BIAS, Packing::Portable);
        let expected = [1000, -2000, 3000, 0].map(Quad::of).into_iter().chain([Quad([1, 3, 5, 0]), Quad([2, 4, 6, 0])]);
        assert_eq!(quads, expected.chain([7, 7, 7, 0].map(Quad::of)).collect::<Vec<_>>());
    }

    #[test]
    fn mixed_weights_share_halfwords() {
        let quads = pack(&[1, -2, 3, 4, 5, 6], &BIAS, Packing::Dsp);
        assert_eq!(quads[0].0[0], MIXED);
        assert_eq!(quads[1..5], [1000 - 512_000, 3000, 1000, 3000].map(Quad::of));
        // A depth of two is one group of four: k = 0 and 2, then k = 1 and 3.
        let halves = [1 + 256 * 3, 5, -2 + 256 * 4, 6].map(|half: i32| Quad::of(half & 0xffff));
        assert_eq!(quads[5..9], halves);
        assert_eq!(quads[9..], [7, 7, 7, 0].map(Quad::of));
    }

    #[test]
    fn what_cannot_be_mixed_is_plain() {
        // The sum -128 · 256 - 1 is no i16; a bias of 2^23 cannot be multiplied by 256; both can stand at even outputs.
        for (weights, bias) in [([-1, 0, -128, 1, 5, 6], BIAS), ([1, 2, 3, 4, 5, 6], [0, 1 << 23, 0])] {
            let quads = pack(&weights, &bias, Packing::Dsp);
            assert_eq!(quads[..4], [Quad([0; 4]), Quad::of(bias[0]), Quad::of(bias[1]), Quad::of(bias[2])]);
            assert_eq!(
                quads[5..9],
                [[0, 1], [2, 3], [4, 5], [6, 7]].map(|[a, b]| {
                    let weight = |i: usize| weights.get(i).copied().unwrap_or_default();
                    Quad([weight(a), weight(b), 0, 0])
                })
            );
        }
        assert_eq!(pack(&[-128, 0, 3, 1, 5, 6], &[1 << 23, 0, 0], Packing::Dsp)[0].0[0], MIXED);
    }
}
