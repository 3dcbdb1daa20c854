//! The gathered inputs of a tile as halfwords.

use core::cell::Cell;
use core::marker::PhantomData;

use super::widen;
use crate::conv::Part;
use crate::quantized::Quantized;
use crate::quantized::pack::PIXELS;
use crate::rounding::multiple_up;
use crate::{Load, Number};

/// The inputs of two pixels: for each four k and each of two halves a word of each pixel. Where `P` is 1, the second is not looked at.
///
/// Elements of one byte are widened four at a time where they lie, if all runs of them are so long (`direct`); else they are staged
/// behind the words and widened together.
pub(crate) struct Patch<'a, X, const P: usize> {
    words: &'a [Cell<u32>],
    /// The same memory.
    halves: &'a [Cell<i16>],
    /// Of each pixel as many bytes as it has halves.
    stage: &'a [Cell<u8>],
    direct: bool,
    element: PhantomData<X>,
}

impl<'a, X: Load<Value: Quantized>, const P: usize> Patch<'a, X, P> {
    /// A patch of `groups` of `depth` products in `scratch`; the number of neighbours in memory is always a multiple of `run`.
    #[inline(always)]
    pub(crate) fn new(scratch: &'a [Cell<i16>], groups: usize, depth: usize, run: usize) -> Self {
        let elements = PIXELS * groups * multiple_up::<4>(depth);
        // SAFETY: both types are plain integers in cells, of which any bits are valid.
        let (before, words, _) = unsafe { scratch.align_to::<Cell<u32>>() };
        let words = words.get(..elements / 2).unwrap_or_default();
        let (halves, stage) = scratch.get(before.len()..).and_then(|from| from.split_at_checked(elements)).unwrap_or_default();
        // SAFETY: as above; bytes need no alignment.
        let (_, stage, _) = unsafe { stage.align_to::<Cell<u8>>() };
        Self { words, halves, stage, direct: run.is_multiple_of(4), element: PhantomData }
    }

    /// The words of group number `group` of `fours`.
    #[inline(always)]
    pub(super) fn group(&self, group: usize, fours: usize) -> &'a [Cell<u32>] {
        self.words.get(group * 2 * PIXELS * fours..(group + 1) * 2 * PIXELS * fours).unwrap_or_default()
    }

    /// Sets all inputs of pixel number `to`.
    #[inline(always)]
    pub(crate) fn fill(&self, to: usize, padding: i16) {
        if size_of::<X>() == 1 && !self.direct {
            let stage = self.stage.get(to * (self.halves.len() / PIXELS)..).unwrap_or_default();
            return stage.iter().take(self.halves.len() / PIXELS).for_each(|byte| byte.set(padding as u8));
        }
        let words = self.words.get(to..).unwrap_or_default();
        let count = self.words.len() / (2 * PIXELS);
        if count > 0 && to < PIXELS {
            let padding = padding as u16 as u32;
            // SAFETY: there are `count` times two words, two apart. `Cell` allows the writing.
            unsafe { widen::fill(padding | padding << 16, words.as_ptr().cast_mut().cast(), count, 4 * PIXELS) }
        }
    }

    /// Sets inputs of pixel number `to`.
    #[inline(always)]
    pub(crate) fn put(&self, to: usize, part: Part, x: &[X]) {
        if size_of::<X>() != 1 {
            let halves = part.rows(x).flat_map(|(k, x)| x.iter().enumerate().map(move |(i, x)| (k + i, x.load().to_i16())));
            return halves.for_each(|(k, x)| self.put_half(to, k, x));
        }
        let Some(x) = within(part, x) else { return };
        match self.direct {
            true => widen_rows::<X>(x, part, self.words.get(part.k / 2 * PIXELS + to..).unwrap_or_default()),
            false => copy_rows(x, part, self.stage.get(to * (self.halves.len() / PIXELS) + part.k..).unwrap_or_default()),
        }
    }

    /// Sets inputs of both pixels, of which the second's are `apart` elements behind the first's.
    #[inline(always)]
    pub(crate) fn put_two(&self, part: Part, x: &[X], apart: usize) {
        let second = Part { from: part.from + apart, ..part };
        if size_of::<X>() == 1 && self.direct {
            let (Some(x), Some(second)) = (within(part, x), within(second, x)) else { return };
            return widen_two::<X, _>([x, second], part, self.words.get(part.k / 2 * PIXELS..).unwrap_or_default());
        }
        self.put(0, part, x);
        self.put(1, second, x);
    }

    #[inline(always)]
    fn put_half(&self, to: usize, k: usize, value: i16) {
        let half = (k / 4 * 4 + k % 2 * 2) * PIXELS + 2 * to + k / 2 % 2;
        if let Some(place) = self.halves.get(half) {
            place.set(value);
        }
    }

    /// Widens what was staged.
    #[inline(always)]
    pub(crate) fn finish(&self) {
        if size_of::<X>() != 1 || self.direct {
            return;
        }
        let bytes = self.halves.len() / PIXELS;
        let Some((first, second)) = self.stage.split_at_checked(bytes) else { return };
        let part = Part { k: 0, from: 0, len: bytes, rows: 1, k_step: 0, x_step: 0 };
        widen_two::<X, _>([first, second], part, self.words);
    }
}

/// The elements of `x` from the first to the last of a part, if it has any.
#[inline(always)]
fn within<X>(part: Part, x: &[X]) -> Option<&[X]> {
    let last = part.rows.checked_sub(1)? * part.x_step;
    x.get(part.from..part.from + last + part.len).filter(|x| !x.is_empty())
}

/// Copies rows of elements of one byte.
#[inline(always)]
fn copy_rows<X>(x: &[X], part: Part, to: &[Cell<u8>]) {
    let Part { len, rows, k_step, x_step, .. } = part;
    let enough = x.len() >= (rows - 1) * x_step + len && to.len() >= (rows - 1) * k_step + len;
    if size_of::<X>() == 1 && len > 0 && enough {
        let gaps = [x_step, k_step].map(|step| step.wrapping_sub(len));
        // SAFETY: the last row ends within `x` and `to`, and there is one. `Cell` allows the writing.
        unsafe { widen::copy(x.as_ptr().cast(), to.as_ptr().cast_mut().cast(), len, rows, gaps[0], gaps[1]) }
    }
}

/// Widens rows of elements to the words of one pixel.
#[inline(always)]
fn widen_rows<X: Load<Value: Quantized>>(x: &[X], part: Part, words: &[Cell<u32>]) {
    let Part { len, rows, k_step, x_step, .. } = part;
    let count = len / 4;
    let enough = x.len() >= (rows - 1) * x_step + len && words.len() >= ((rows - 1) * k_step + len) / 2 * PIXELS - (PIXELS - 1);
    if size_of::<X>() != 1 || count == 0 || !enough {
        return;
    }
    let widen = if X::Value::LOWEST < X::Value::ZERO { widen::one_i8 } else { widen::one_u8 };
    let (x_gap, gap) = (x_step.wrapping_sub(4 * count), k_step.wrapping_sub(4 * count).wrapping_mul(2 * PIXELS));
    // SAFETY: the last row ends within `x` and `words`, of which a product takes one, and there is one. `Cell` allows the
    // writing.
    unsafe { widen(x.as_ptr().cast(), words.as_ptr().cast_mut().cast(), count, 4 * PIXELS, rows, x_gap, gap) }
}

/// Widens rows of elements of two pixels, which follow one another in `words`.
#[inline(always)]
fn widen_two<X: Load<Value: Quantized>, B>([x, second]: [&[B]; 2], part: Part, words: &[Cell<u32>]) {
    let Part { len, rows, x_step, .. } = part;
    let (count, whole) = (len / 4, (rows - 1) * x_step + len);
    let enough = x.len() >= whole && second.len() >= whole && words.len() >= rows * len;
    if size_of::<B>() != 1 || count == 0 || !enough {
        return;
    }
    let widen = if X::Value::LOWEST < X::Value::ZERO { widen::two_i8 } else { widen::two_u8 };
    // SAFETY: the last row ends within `x`, `second` and `words`, of which a product takes one, and there is one. `Cell` allows
    // the writing.
    unsafe {
        let words = words.as_ptr().cast_mut().cast();
        widen(x.as_ptr().cast(), second.as_ptr().cast(), words, count, rows, x_step.wrapping_sub(4 * count));
    }
}
