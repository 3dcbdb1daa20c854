//! The order in which each target reads the weights of linear layers.

use crate::quantized::tile::OUTPUTS;

/// Four bytes of packed weights, which lie as processors load them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(4))]
pub struct Quad(pub [i8; 4]);

/// In which order a layer's weights are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// For the DSP instructions of Armv7E-M and Armv8-M.
    Dsp,
    /// For all other targets, the host among them.
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

/// What packing a linear layer asks of it.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// In the order that the layer names.
    pub weights: &'a [i8],
    /// As the layer is given it; zeros if empty.
    pub bias: &'a [i32],
    /// The greatest magnitude of an element that it reads: 128 of `i8`, 255 of `u8`, 32768 of `i16` and `u16`.
    pub x_limit: i32,
}

/// Packs a layer of `groups` times `outputs` sums of `depth` products, of which `index(output, k)` is the place of a weight.
pub(crate) fn pack(
    layer: Layer,
    groups: usize,
    outputs: usize,
    depth: usize,
    packing: Packing,
    index: impl Fn(usize, usize) -> usize + Copy,
) -> impl Iterator<Item = Quad> {
    let weight = move |group: usize, output: usize, k: usize| match output < outputs {
        true => layer.weights.get(index(group * outputs + output, k)).copied().unwrap_or_default(),
        false => 0,
    };
    let _ = packing;
    (0..groups).flat_map(move |group| {
        (0..outputs.div_ceil(OUTPUTS)).flat_map(move |block| {
            (0..depth).map(move |k| Quad(core::array::from_fn(|lane| weight(group, block * OUTPUTS + lane, k))))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_picks_the_portable_packing() {
        assert_eq!(pick(&1, &2), &2);
    }
}
