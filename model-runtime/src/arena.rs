//! The model's working memory: one block of bytes in which every value has a place that is fixed while compiling.
//!
//! A [`Place`] carries its element type, offset and length in its type, so that reaching it is a constant address: bounds and
//! alignment are asserted in a `const`, and nothing can fail at run time. Places are seen as `[Cell<T>]`, as a step's input and
//! output may share bytes; what a step may not share is asserted, also in a `const`, by [`check_plan`].
//!
//! What must hold for `unsafe` here to be sound, and what sees to it:
//!
//! - a place lies within the arena and is aligned for its elements: `assert_inside`, in each method;
//! - any bytes are valid elements, and any elements leave initialized bytes: [`Plain`], which only numbers and arrays of them are;
//! - nothing is written while a reference to it is alive: places are cells of one exclusive borrow, or borrow the arena themselves;
//! - an arena within a place is as aligned as an arena: the assertion in `within`;
//! - what `push` moves lies within the place and moves to lower addresses: it is the end of the place's own slice.
//!
//! The tests hold each to bytes that are read and moved in plain Rust; `cargo xtask miri` runs them under Miri.

use core::cell::Cell;
use core::marker::PhantomData;

use crate::plain::Plain;

/// Working memory of `BYTES` bytes, all zero at first, so that a model in a `static` lies in `.bss`.
#[repr(C, align(8))]
pub struct Arena<const BYTES: usize>([u8; BYTES]);

/// Where a value of `LEN` elements `T` lies: from byte `OFFSET` on.
#[derive(Debug)]
pub struct Place<T, const OFFSET: usize, const LEN: usize>(PhantomData<T>);

/// The arena while steps run: hands out places, which may overlap, as slices of cells.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a, const BYTES: usize>(&'a Cell<[u8; BYTES]>);

impl<const BYTES: usize> Arena<BYTES> {
    /// Zeroed memory.
    #[allow(clippy::new_without_default, reason = "a model is made in a const, where Default cannot be called")]
    pub const fn new() -> Self {
        Self([0; BYTES])
    }

    /// The places, for the steps of a run.
    #[inline(always)]
    pub fn places(&mut self) -> Places<'_, BYTES> {
        Places(Cell::from_mut(&mut self.0))
    }

    /// The elements at a place, seen as the nested array `A` of as many.
    #[inline(always)]
    pub fn get<A: Plain, T: Plain, const OFFSET: usize, const LEN: usize>(&self, _place: Place<T, OFFSET, LEN>) -> &A {
        const { assert_inside::<T>(OFFSET, LEN, BYTES) };
        const { assert!(size_of::<A>() == LEN * size_of::<T>() && align_of::<A>() == align_of::<T>()) };
        // SAFETY: `assert_inside` holds the place within the arena and aligned for `T`, whose size and alignment `A` shares; all
        // bytes are initialized and every bit pattern is a valid `A`, as it is `Plain`. The result borrows `self`.
        unsafe { &*self.0.as_ptr().add(OFFSET).cast::<A>() }
    }

    /// The elements at a place, to be written.
    #[inline(always)]
    pub fn get_mut<A: Plain, T: Plain, const OFFSET: usize, const LEN: usize>(
        &mut self,
        _place: Place<T, OFFSET, LEN>,
    ) -> &mut A {
        const { assert_inside::<T>(OFFSET, LEN, BYTES) };
        const { assert!(size_of::<A>() == LEN * size_of::<T>() && align_of::<A>() == align_of::<T>()) };
        // SAFETY: as in `get`; the result borrows `self` exclusively, and any `A` written leaves initialized bytes, as a `Plain`
        // type has no padding.
        unsafe { &mut *self.0.as_mut_ptr().add(OFFSET).cast::<A>() }
    }
}

impl<'a, const BYTES: usize> Places<'a, BYTES> {
    /// The elements at a place.
    #[inline(always)]
    pub fn at<T: Plain, const OFFSET: usize, const LEN: usize>(self, _place: Place<T, OFFSET, LEN>) -> &'a [Cell<T>; LEN] {
        const { assert_inside::<T>(OFFSET, LEN, BYTES) };
        // SAFETY: `assert_inside` holds the place within the arena and aligned for `T`; all bytes are initialized, every bit
        // pattern is a valid `T`, and any `T` leaves initialized bytes, as it is `Plain`. Overlapping places alias only as cells
        // of one exclusive borrow, which are not `Sync`, so that no access is concurrent.
        unsafe { &*self.0.as_ptr().cast::<u8>().add(OFFSET).cast::<[Cell<T>; LEN]>() }
    }
}

impl<'a, const BYTES: usize> Places<'a, BYTES> {
    /// The places of an arena that lies in a place of this one.
    #[inline(always)]
    pub fn within<const OFFSET: usize, const LEN: usize>(self, place: Place<u8, OFFSET, LEN>) -> Places<'a, LEN> {
        const { assert!(OFFSET.is_multiple_of(8), "an arena is aligned for every element type") };
        let cells: &[Cell<u8>; LEN] = self.at(place);
        // SAFETY: an array of cells and a cell of an array are the same bytes; the assertion holds them aligned as an arena is.
        Places(unsafe { &*core::ptr::from_ref(cells).cast::<Cell<[u8; LEN]>>() })
    }

    /// Makes room for a row of `len` elements at the end of a place, moving the others down by as many; gives the room.
    #[inline(always)]
    pub fn push<T: Plain, const OFFSET: usize, const LEN: usize>(
        self,
        place: Place<T, OFFSET, LEN>,
        len: usize,
    ) -> &'a [Cell<T>] {
        let cells = self.at(place);
        let kept = LEN.saturating_sub(len);
        if kept > 0 {
            let (from, to, bytes) = (cells.as_ptr().wrapping_add(LEN - kept), cells.as_ptr().cast_mut(), kept * size_of::<T>());
            // SAFETY: `at` gives `LEN` elements, of which the last `kept` are moved to the first `kept`; as cells they may be
            // written, and plain elements are bytes. The arena begins with a word.
            unsafe {
                match OFFSET.is_multiple_of(4) && bytes.is_multiple_of(4) && (len * size_of::<T>()).is_multiple_of(4) {
                    true => move_down(from.cast::<u32>(), to.cast(), bytes / 4),
                    false => move_down(from.cast::<u8>(), to.cast(), bytes),
                }
            }
        }
        cells.get(kept..).unwrap_or_default()
    }
}

/// Moves numbers to lower addresses, one by one: `core::ptr::copy` would bring a function that is larger than this by a kilobyte.
///
/// # Safety
/// As many can be read from `from` on, and written from `to` on, which is not above `from`.
#[inline(never)]
unsafe fn move_down<T>(from: *const T, to: *mut T, count: usize) {
    for index in 0..count {
        // SAFETY: there are `count`.
        unsafe { to.add(index).write(from.add(index).read()) }
        // Keeps LLVM from making a call of that function of the loop.
        core::hint::black_box(());
    }
}

/// That `LEN` elements `T` from byte `OFFSET` on lie within an arena of `BYTES` bytes (aligned to 8) and are aligned.
const fn assert_inside<T>(offset: usize, len: usize, bytes: usize) {
    assert!(align_of::<T>() <= 8 && offset.is_multiple_of(align_of::<T>()), "the place is not aligned for its elements");
    let size = len.checked_mul(size_of::<T>());
    let end = match size {
        Some(size) => offset.checked_add(size),
        None => None,
    };
    assert!(matches!(end, Some(end) if end <= bytes), "the place does not lie within the arena");
}

impl<T, const OFFSET: usize, const LEN: usize> Place<T, OFFSET, LEN> {
    /// The place.
    #[allow(clippy::new_without_default, reason = "places are constants, where Default cannot be called")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }

    /// The place's bytes, alive from step `first`, which writes them, to step `last`, which reads them last.
    pub const fn alive(self, first: usize, last: usize) -> Span {
        Span { start: OFFSET, end: OFFSET + LEN * size_of::<T>(), first, last, over: [None; MAX_OVER], backward: None }
    }
}

impl<T, const OFFSET: usize, const LEN: usize> Clone for Place<T, OFFSET, LEN> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T, const OFFSET: usize, const LEN: usize> Copy for Place<T, OFFSET, LEN> {}

/// How many inputs one output can overlap.
const MAX_OVER: usize = 6;

/// Bytes of the arena and the steps during which they are alive.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    start: usize,
    end: usize,
    first: usize,
    last: usize,
    /// Bytes of the inputs that this may overlap, by leave of the kernel's order of reading and writing.
    over: [Option<(usize, usize)>; MAX_OVER],
    backward: Option<bool>,
}

impl Span {
    /// The same, with leave to overlap `input`, which dies at the step that writes this: the kernel runs from first to last, and
    /// this begins at least `distance` bytes before `input`.
    pub const fn forward_over(self, input: Span, distance: isize) -> Self {
        assert!(self.start as isize + distance <= input.start as isize, "the output overtakes what is still to be read");
        self.over(input, false)
    }

    /// The same for a kernel that runs from last to first: this begins at least `distance` bytes after `input`.
    pub const fn backward_over(self, input: Span, distance: isize) -> Self {
        assert!(self.start as isize >= input.start as isize + distance, "the output overtakes what is still to be read");
        self.over(input, true)
    }

    /// The same for a kernel that works in place and nowhere near: it runs from first to last, and this begins just `distance`
    /// bytes before `input`.
    pub const fn exactly_over(self, input: Span, distance: isize) -> Self {
        assert!(self.start as isize + distance == input.start as isize, "the output does not lie just where the kernel wants it");
        self.over(input, false)
    }

    const fn over(mut self, input: Span, backward: bool) -> Self {
        assert!(input.last == self.first, "only an input that dies at the step may be overlapped");
        assert!(!matches!(self.backward, Some(other) if other != backward), "a kernel runs in one direction");
        self.backward = Some(backward);
        let mut index = 0;
        while self.over[index].is_some() {
            index += 1;
        }
        self.over[index] = Some((input.start, input.end));
        self
    }

    const fn may_overlap(&self, input: &Span) -> bool {
        let mut index = 0;
        while index < MAX_OVER {
            if matches!(self.over[index], Some((start, end)) if start == input.start && end == input.end && self.first == input.last)
            {
                return true;
            }
            index += 1;
        }
        false
    }
}

/// Proves a memory plan: no two values that are alive at one step share a byte, unless one is computed over the other by leave of
/// its kernel. Called in a `const`, it stops the build where that does not hold.
pub const fn check_plan(spans: &[Span]) {
    let mut a = 0;
    while a < spans.len() {
        let mut b = a + 1;
        while b < spans.len() {
            assert!(!collide(&spans[a], &spans[b]), "two values that are alive at one step share memory");
            b += 1;
        }
        a += 1;
    }
}

/// Whether two values share a byte at a step at which both are alive, and neither is computed over the other.
const fn collide(one: &Span, other: &Span) -> bool {
    let meet = one.first <= other.last && other.first <= one.last;
    let share = one.start < other.end && other.start < one.end;
    meet && share && !one.may_overlap(other) && !other.may_overlap(one)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;

    const A: Place<f32, 0, 4> = Place::new();
    const B: Place<f32, 16, 4> = Place::new();
    const BYTES: Place<u8, 0, 32> = Place::new();

    #[test]
    fn places_lie_where_they_say() {
        let mut arena = Arena::<32>::new();
        arena.places().at(B)[1].set(1.0);
        assert_eq!(arena.get::<[f32; 4], _, _, _>(B), &[0.0, 1.0, 0.0, 0.0]);
        assert_eq!(arena.get::<[[f32; 2]; 2], _, _, _>(A), &[[0.0; 2]; 2]);
        arena.get_mut::<[f32; 4], _, _, _>(A)[0] = f32::from_bits(0x0403_0201);
        assert_eq!(arena.places().at(BYTES)[3].get(), 4);
    }

    #[test]
    fn disjoint_and_successive_values_pass() {
        check_plan(&[A.alive(0, 1), B.alive(1, 2), A.alive(2, 3)]);
    }

    #[test]
    #[should_panic(expected = "share memory")]
    fn shared_memory_is_found() {
        check_plan(&[A.alive(0, 1), A.alive(1, 2)]);
    }

    #[test]
    fn an_output_may_lie_over_its_input() {
        check_plan(&[A.alive(0, 1), A.alive(1, 2).forward_over(A.alive(0, 1), 0)]);
        check_plan(&[A.alive(0, 1), B.alive(1, 2).backward_over(A.alive(0, 1), 8)]);
    }

    #[test]
    #[should_panic(expected = "overtakes")]
    fn an_output_that_overtakes_is_found() {
        let _ = B.alive(1, 2).forward_over(B.alive(0, 1), 4);
    }

    #[test]
    fn an_output_may_lie_just_where_its_input_does() {
        check_plan(&[A.alive(0, 1), A.alive(1, 2).exactly_over(A.alive(0, 1), 0)]);
        check_plan(&[B.alive(0, 1), A.alive(1, 2).exactly_over(B.alive(0, 1), 16)]);
    }

    #[test]
    #[should_panic(expected = "just where")]
    fn an_output_that_lies_elsewhere_is_found() {
        let _ = A.alive(1, 2).exactly_over(B.alive(0, 1), 0);
    }

    #[test]
    #[should_panic(expected = "dies at the step")]
    fn an_input_that_lives_on_is_not_overlapped() {
        let _ = A.alive(1, 2).forward_over(A.alive(0, 2), 0);
    }

    /// Each byte of an arena is its own number.
    fn numbered<const BYTES: usize>() -> Arena<BYTES> {
        let mut arena = Arena::new();
        arena.0.iter_mut().zip(1..).for_each(|(byte, number)| *byte = number);
        arena
    }

    #[test]
    fn places_of_every_type_hold_the_bytes_that_lie_there() {
        let mut arena = numbered::<40>();
        assert_eq!(*arena.get::<[u8; 3], u8, 37, 3>(Place::new()), [38, 39, 40]);
        assert_eq!(*arena.get::<[[i16; 1]; 2], i16, 2, 2>(Place::new()), [[0x0403], [0x0605]]);
        assert_eq!(*arena.get::<[u32; 1], u32, 36, 1>(Place::new()), [0x2827_2625]);
        assert_eq!(*arena.get::<[i64; 1], i64, 32, 1>(Place::new()), [0x2827_2625_2423_2221]);
        assert_eq!(*arena.get::<[f64; 0], f64, 40, 0>(Place::new()), []);
        arena.get_mut::<[u64; 2], u64, 8, 2>(Place::new())[1] = u64::MAX;
        let expected: [u8; 40] = core::array::from_fn(|index| if (16..24).contains(&index) { 0xff } else { index as u8 + 1 });
        assert_eq!(arena.0, expected);
    }

    #[test]
    fn overlapping_places_see_one_another_through_cells() {
        let mut arena = numbered::<16>();
        let places = arena.places();
        let (words, bytes) = (places.at::<u32, 4, 2>(Place::new()), places.at::<u8, 6, 4>(Place::new()));
        words[0].set(0xaabb_ccdd);
        assert_eq!([bytes[0].get(), bytes[1].get()], [0xbb, 0xaa]);
        bytes[2].set(7);
        assert_eq!(words[1].get(), 0x0c0b_0a07);
    }

    #[test]
    fn an_arena_within_a_place_has_places_of_its_own() {
        let mut arena = numbered::<32>();
        let inner = arena.places().within::<8, 16>(Place::new());
        inner.at::<u64, 8, 1>(Place::new())[0].set(0);
        assert_eq!(inner.at::<u8, 0, 2>(Place::new())[1].get(), 10);
        assert_eq!(arena.0[15..25], [16, 0, 0, 0, 0, 0, 0, 0, 0, 25]);
    }

    /// Pushes rows of every length into a place of `LEN` elements from `OFFSET` on.
    fn check_push<T: Plain + PartialEq + core::fmt::Debug, const OFFSET: usize, const LEN: usize>() {
        for len in 0..=LEN + 2 {
            let mut arena = numbered::<48>();
            let (places, place) = (arena.places(), Place::<T, OFFSET, LEN>::new());
            let elements = || places.at(place).iter().map(Cell::get).collect::<Vec<T>>();
            let (before, kept) = (elements(), LEN.saturating_sub(len));
            assert_eq!(places.push(place, len).len(), len.min(LEN));
            assert_eq!(elements()[..kept], before[LEN - kept..], "a row of {len} at {OFFSET}");
            let end = OFFSET + LEN * size_of::<T>();
            let mut around = (0..48).filter(|byte| !(OFFSET..end).contains(byte));
            assert!(around.all(|byte| usize::from(arena.0[byte]) == byte + 1), "a row of {len} at {OFFSET}");
        }
    }

    #[test]
    fn rows_are_pushed_into_places_of_any_alignment() {
        check_push::<u8, 0, 8>();
        check_push::<u8, 1, 7>();
        check_push::<u8, 3, 12>();
        check_push::<i16, 2, 5>();
        check_push::<i16, 4, 8>();
        check_push::<f32, 4, 6>();
        check_push::<u64, 8, 5>();
        check_push::<u8, 5, 0>();
    }

    /// All pairs of small spans, against bytes and steps that are looked at one by one.
    #[test]
    fn spans_collide_where_a_byte_is_shared_at_a_step() {
        let ranges: Vec<(usize, usize)> = (0..3).flat_map(|start| (start..3).map(move |end| (start, end))).collect();
        let span = |(start, last_byte), (first, last)| Span {
            start,
            end: last_byte + 1,
            first,
            last,
            over: [None; MAX_OVER],
            backward: None,
        };
        let spans: Vec<Span> = ranges.iter().flat_map(|&bytes| ranges.iter().map(move |&steps| span(bytes, steps))).collect();
        for (one, other) in spans.iter().flat_map(|one| spans.iter().map(move |other| (one, other))) {
            let takes =
                |span: &Span, byte, step| (span.start..span.end).contains(&byte) && (span.first..=span.last).contains(&step);
            let shared = (0..3).any(|byte| (0..3).any(|step| takes(one, byte, step) && takes(other, byte, step)));
            assert_eq!(collide(one, other), shared, "{one:?} {other:?}");
        }
    }

    #[test]
    #[should_panic(expected = "does not lie within")]
    fn a_place_whose_end_wraps_is_not_inside() {
        assert_inside::<u32>(8, usize::MAX / 4, 64);
    }

    #[test]
    #[should_panic(expected = "does not lie within")]
    fn a_place_of_more_bytes_than_addresses_is_not_inside() {
        assert_inside::<u64>(0, usize::MAX / 4, usize::MAX);
    }

    #[test]
    #[should_panic(expected = "not aligned")]
    fn a_place_that_is_not_aligned_is_refused() {
        assert_inside::<u16>(3, 1, 64);
    }
}
