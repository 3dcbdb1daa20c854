//! Quantized depthwise layers: eight channels at a time, line by line.
//!
//! The lines are gathered as in the portable form, but as pairs of elements that lie under neighbouring taps, and in memory of their own,
//! as eight channels need more than scratch has. A pair is multiplied at once.

use core::arch::x86_64::*;
use core::array;
use core::cell::Cell;
use core::mem::MaybeUninit;

use super::{add_products, vector};
use crate::quantized::Quantized;
use crate::quantized::depthwise::{Constants, Image};
use crate::quantized::finish::Finish;
use crate::quantized::lines::Ring;
use crate::tile::chunk;
use crate::{Load, Number};

/// How many channels are computed at once.
const CHANNELS: usize = 8;

/// The most pairs of elements that the lines under way may have: 24 KB on the stack, which computers have.
const MAX_PAIRS: usize = 768;

/// The most pairs of taps that a kernel may have.
const MAX_TAPS: usize = 64;

/// For each of eight channels an element and the one under the next tap.
type Pairs = [[i16; 2]; CHANNELS];

/// The weights of two neighbouring taps, and where the elements under them lie.
#[derive(Clone, Copy)]
struct Tap<'a> {
    /// Under the first output of a line and those that follow.
    pairs: &'a [Cell<Pairs>],
    weights: __m256i,
}

/// Computes an image, if its lines are short enough and its kernel is small enough.
#[inline(always)]
pub(crate) fn image<X: Load<Value: Quantized>, F: Finish>(image: &Image<X, F>) -> bool {
    let lines = image.lines;
    let (len, taps) = (lines.span(0) * lines.pitch(), lines.kernel[0] * lines.kernel[1].div_ceil(2));
    if len > MAX_PAIRS || taps > MAX_TAPS {
        return false;
    }
    let mut memory = [const { MaybeUninit::<Pairs>::uninit() }; MAX_PAIRS];
    let places = memory.get_mut(..len).unwrap_or_default();
    places.iter_mut().for_each(|pairs| _ = pairs.write([[0; 2]; CHANNELS]));
    // SAFETY: all of these have just been written, and a cell is nothing but what it holds.
    let places = unsafe { &*(&raw const *places as *const [Cell<Pairs>]) };
    for first in (0..image.depthwise.input[2]).step_by(CHANNELS) {
        Channels { image, first }.run(places);
    }
    true
}

/// Eight neighbouring channels of an image, or those that are left.
struct Channels<'a, X, F: Finish> {
    image: &'a Image<'a, X, F>,
    first: usize,
}

impl<X: Load<Value: Quantized>, F: Finish> Channels<'_, X, F> {
    #[inline(always)]
    fn run(&self, places: &[Cell<Pairs>]) {
        let lines = self.image.lines;
        let constants: [Constants; CHANNELS] =
            array::from_fn(|channel| self.image.constants(self.first + channel).unwrap_or_default());
        let starts = vector(constants.map(|channel| channel.bias));
        let multipliers = vector(constants.map(|channel| channel.multiplier));
        let mut taps = [Tap { pairs: places, weights: vector([0; 8]) }; MAX_TAPS];
        let row = lines.kernel[1].div_ceil(2);
        for (number, tap) in taps.iter_mut().take(lines.kernel[0] * row).enumerate() {
            tap.weights = vector(constants.map(|channel| channel.pair(number / row, number % row, lines)));
        }
        let mut ring = Ring::new(lines, places);
        for line in 0..lines.output[0] {
            ring.fill(line, |line, place| self.gather(line, place));
            for (number, tap) in taps.iter_mut().take(lines.kernel[0] * row).enumerate() {
                tap.pairs = ring.under(number / row).get(number % row * 2 * lines.dilations[1]..).unwrap_or_default();
            }
            let y = self.image.y.get(line * lines.y_steps[0] + self.first..).unwrap_or_default();
            match (lines.kernel[0] * row, taps.first_chunk::<6>()) {
                (6, Some(taps)) => self.line(*taps, starts, multipliers, y),
                (count, _) => self.line(taps.get(..count).unwrap_or_default(), starts, multipliers, y),
            }
            ring.advance();
        }
    }

    /// Computes a line of outputs, of which `y` begins with the first.
    #[inline(always)]
    fn line<'a>(&self, taps: impl AsRef<[Tap<'a>]>, starts: __m256i, multipliers: __m256i, y: &[Cell<F::Output>]) {
        let Image { lines, finish, depthwise, .. } = *self.image;
        let channels = (depthwise.input[2] - self.first).min(CHANNELS);
        let pairs = lines.output[1].saturating_sub(1) * lines.strides[1] + 1;
        if taps.as_ref().iter().any(|tap| tap.pairs.len() < pairs) {
            return;
        }
        for output in 0..lines.output[1] {
            let mut sums = starts;
            for tap in taps.as_ref() {
                // SAFETY: none of these outputs is behind the last, and a tap has as many pairs as that takes.
                let pairs = unsafe { tap.pairs.get_unchecked(output * lines.strides[1]) };
                sums = add_products(sums, halves(pairs.get()), tap.weights);
            }
            let elements = finish.eight(sums, multipliers);
            let y = y.get(output * lines.y_steps[1]..).unwrap_or_default();
            match y.first_chunk::<CHANNELS>() {
                Some(y) if channels == CHANNELS => y.iter().zip(elements).for_each(|(y, element)| y.set(element)),
                _ => y.iter().take(channels).zip(elements).for_each(|(y, element)| y.set(element)),
            }
        }
    }

    /// Gathers a line of the input, with its padding; or padding alone.
    #[inline(always)]
    fn gather(&self, line: Option<usize>, places: &[Cell<Pairs>]) {
        let Image { lines, x, x_zero, .. } = *self.image;
        // SAFETY: the processor has AVX2.
        let padding = unsafe { _mm_set1_epi16(x_zero) };
        let Some(line) = line else { return places.iter().for_each(|place| place.set(pairs(padding, padding))) };
        let x = x.get(line * lines.x_steps[0] + self.first..).unwrap_or_default();
        let element = |place: usize| match place.wrapping_sub(lines.padding[1]) {
            element if element < lines.input[1] => {
                let from = element * lines.x_steps[1];
                match chunk::<X, CHANNELS>(x, from) {
                    Some(x) => load(x),
                    None => load_some(x.get(from..).unwrap_or_default()),
                }
            }
            _ => padding,
        };
        let mut next = element(0);
        for (number, place) in places.iter().enumerate() {
            let first = if lines.dilations[1] == 1 { next } else { element(number) };
            next = element(number + lines.dilations[1]);
            place.set(pairs(first, next));
        }
    }
}

/// Less than eight elements as halfwords. What is not there is zero, and belongs to no channel.
#[cold]
#[inline(never)]
fn load_some<X: Load<Value: Quantized>>(x: &[X]) -> __m128i {
    let halves: [i16; CHANNELS] = array::from_fn(|channel| x.get(channel).map_or(0, |x| x.load().to_i16()));
    // SAFETY: both are 16 bytes, of which any are valid.
    unsafe { core::mem::transmute::<[i16; CHANNELS], __m128i>(halves) }
}

/// Eight elements as halfwords.
#[inline(always)]
fn load<X: Load<Value: Quantized>>(x: &[X; CHANNELS]) -> __m128i {
    let signed = X::Value::LOWEST < X::Value::ZERO;
    // SAFETY: the processor has AVX2; as many bytes are loaded as there are.
    unsafe {
        match (size_of::<X>(), signed) {
            (1, true) => _mm_cvtepi8_epi16(_mm_loadl_epi64(x.as_ptr().cast())),
            (1, false) => _mm_cvtepu8_epi16(_mm_loadl_epi64(x.as_ptr().cast())),
            _ => core::mem::transmute::<[i16; CHANNELS], __m128i>(x.each_ref().map(|x| x.load().to_i16())),
        }
    }
}

/// Pairs of the halfwords of `a` and `b`.
#[inline(always)]
fn pairs(a: __m128i, b: __m128i) -> Pairs {
    // SAFETY: the processor has AVX2; both are 32 bytes, of which any are valid.
    unsafe { core::mem::transmute(_mm256_set_m128i(_mm_unpackhi_epi16(a, b), _mm_unpacklo_epi16(a, b))) }
}

#[inline(always)]
fn halves(pairs: Pairs) -> __m256i {
    // SAFETY: both are 32 bytes, of which any are valid.
    unsafe { core::mem::transmute(pairs) }
}
