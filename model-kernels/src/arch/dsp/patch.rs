//! The gathered inputs of a tile as halfwords.

use core::cell::Cell;

use super::widen;
use crate::quantized::Quantized;
use crate::{Load, Number};

/// The inputs of `P` pixels: for each four k and each of two halves a word of each pixel.
///
/// Elements of one byte are widened four at a time where they lie, if all runs of them are so long (`direct`); else they are staged
/// behind the words and widened together.
#[derive(Clone, Copy)]
pub(crate) struct Patch<'a, const P: usize> {
    words: &'a [Cell<u32>],
    /// The same memory.
    halves: &'a [Cell<i16>],
    /// Of each pixel as many bytes as it has halves.
    stage: &'a [Cell<u8>],
    direct: bool,
    /// How many products an output has.
    depth: usize,
}

impl<'a, const P: usize> Patch<'a, P> {
    /// A patch of `groups` of `depth` products in `scratch`; the number of neighbours in memory is always a multiple of `run`.
    #[inline(always)]
    pub(crate) fn new(scratch: &'a [Cell<i16>], groups: usize, depth: usize, run: usize) -> Self {
        let elements = P * groups * depth.next_multiple_of(4);
        // SAFETY: both types are plain integers in cells, of which any bits are valid.
        let (before, words, _) = unsafe { scratch.align_to::<Cell<u32>>() };
        let words = words.get(..elements / 2).unwrap_or_default();
        let (halves, stage) = scratch.get(before.len()..).and_then(|from| from.split_at_checked(elements)).unwrap_or_default();
        // SAFETY: as above; bytes need no alignment.
        let (_, stage, _) = unsafe { stage.align_to::<Cell<u8>>() };
        Self { words, halves, stage, direct: run.is_multiple_of(4), depth }
    }

    /// The words of group number `group` of `fours`.
    #[inline(always)]
    pub(super) fn group(self, group: usize, fours: usize) -> &'a [Cell<u32>] {
        self.words.get(group * 2 * P * fours..(group + 1) * 2 * P * fours).unwrap_or_default()
    }

    /// Where the first inputs go.
    #[inline(always)]
    pub(crate) fn cursor(self) -> Cursor<'a, P> {
        Cursor { patch: self, at: 0, left: self.depth }
    }

    /// Widens what was staged.
    #[inline(always)]
    pub(crate) fn finish<X: Load<Value: Quantized>>(self) {
        if size_of::<X>() != 1 || self.direct {
            return;
        }
        let bytes = self.halves.len() / P;
        let Some((first, second)) = self.stage.split_at_checked(bytes) else { return };
        match P {
            1 => widen_one::<X, _>(first, self.words, 1),
            _ => widen_two::<X, _>([first, second], self.words),
        }
    }
}

/// Fills in the inputs of a patch, run by run.
pub(crate) struct Cursor<'a, const P: usize> {
    patch: Patch<'a, P>,
    /// The next k, where each group of channels has a multiple of four.
    at: usize,
    /// How many k the group is yet to get.
    left: usize,
}

impl<const P: usize> Cursor<'_, P> {
    /// Takes the next inputs of pixel number `to`.
    #[inline(always)]
    pub(crate) fn one<X: Load<Value: Quantized>>(&mut self, to: usize, x: &[X]) {
        let at = self.advance(x.len());
        if size_of::<X>() != 1 {
            return x.iter().enumerate().for_each(|(i, x)| self.put(to, at + i, x.load().to_i16()));
        }
        match self.patch.direct {
            true => widen_one::<X, _>(x, self.words(at, x.len()).get(to..).unwrap_or_default(), P),
            false => copy(x, self.stage(to, at, x.len())),
        }
    }

    /// Takes `padding` for the next `len` inputs of pixel number `to`.
    #[inline(always)]
    pub(crate) fn pad(&mut self, to: usize, len: usize, padding: i16) {
        if len == 0 {
            return;
        }
        let at = self.advance(len);
        for k in at..at + len {
            self.put(to, k, padding);
            if let Some(byte) = self.stage(to, k, 1).first() {
                byte.set(padding as u8);
            }
        }
    }

    /// Takes the next inputs of both pixels.
    #[inline(always)]
    pub(crate) fn two<X: Load<Value: Quantized>>(&mut self, x: [&[X]; 2]) {
        if size_of::<X>() == 1 && self.patch.direct {
            let at = self.advance(x[0].len());
            return widen_two::<X, _>(x, self.words(at, x[0].len()));
        }
        let Cursor { patch, at, left } = *self;
        self.one(0, x[0]);
        Cursor { patch, at, left }.one(1, x[1]);
    }

    /// Steps over the next `len`. Gives where they begin.
    #[inline(always)]
    fn advance(&mut self, len: usize) -> usize {
        let at = self.at;
        self.at += len;
        self.left = self.left.wrapping_sub(len);
        if self.left == 0 {
            self.at = self.at.next_multiple_of(4);
            self.left = self.patch.depth;
        }
        at
    }

    /// The words of `len` inputs from `at` on, both multiples of four.
    #[inline(always)]
    fn words(&self, at: usize, len: usize) -> &[Cell<u32>] {
        self.patch.words.get(at / 2 * P..(at + len) / 2 * P).unwrap_or_default()
    }

    /// Where `len` inputs of a pixel are staged.
    #[inline(always)]
    fn stage(&self, to: usize, at: usize, len: usize) -> &[Cell<u8>] {
        let first = to * (self.patch.halves.len() / P) + at;
        self.patch.stage.get(first..first + len).unwrap_or_default()
    }

    #[inline(always)]
    fn put(&self, to: usize, k: usize, value: i16) {
        let half = k / 4 * 4 * P + k % 2 * 2 * P + 2 * to + k / 2 % 2;
        if let Some(place) = self.patch.halves.get(half) {
            place.set(value);
        }
    }
}

/// Copies elements of one byte.
#[inline(always)]
fn copy<X>(x: &[X], to: &[Cell<u8>]) {
    if size_of::<X>() == 1 && !x.is_empty() && x.len() == to.len() {
        // SAFETY: as many bytes are there to be read and to be written, one or more. `Cell` allows the writing.
        unsafe { widen::copy(x.as_ptr().cast(), to.as_ptr().cast_mut().cast(), x.len()) }
    }
}

/// Widens elements of the kind of `X` to every `step`th of `words`.
#[inline(always)]
fn widen_one<X: Load<Value: Quantized>, B>(x: &[B], words: &[Cell<u32>], step: usize) {
    let count = (x.len() / 4).min(words.len().div_ceil(step) / 2);
    if count == 0 || size_of::<B>() != 1 {
        return;
    }
    let widen = if X::Value::LOWEST < X::Value::ZERO { widen::one_i8 } else { widen::one_u8 };
    // SAFETY: there are `count` fours of bytes and twice as many words, `step` apart. `Cell` allows the writing.
    unsafe { widen(x.as_ptr().cast(), words.as_ptr().cast_mut().cast(), count, 4 * step) }
}

/// Widens elements of the kind of `X`, of two pixels, to `words`.
#[inline(always)]
fn widen_two<X: Load<Value: Quantized>, B>([x, second]: [&[B]; 2], words: &[Cell<u32>]) {
    let count = (x.len().min(second.len()) / 4).min(words.len() / 4);
    if count == 0 || size_of::<B>() != 1 {
        return;
    }
    let widen = if X::Value::LOWEST < X::Value::ZERO { widen::two_i8 } else { widen::two_u8 };
    // SAFETY: there are `count` fours of bytes of each pixel and four times as many words. `Cell` allows the writing.
    unsafe { widen(x.as_ptr().cast(), second.as_ptr().cast(), words.as_ptr().cast_mut().cast(), count) }
}
