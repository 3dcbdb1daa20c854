//! The model's working memory: one block of bytes in which every value has a place that is fixed while compiling.
//!
//! A [`Place`] carries its element type, offset and length in its type, so that reaching it is a constant address: bounds and
//! alignment are asserted in a `const`, and nothing can fail at run time. Places are seen as `[Cell<T>]`, as a step's input and
//! output may share bytes; what a step may not share is asserted, also in a `const`, by [`check_plan`].

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
            let (one, other) = (&spans[a], &spans[b]);
            let meet = one.first <= other.last && other.first <= one.last;
            let share = one.start < other.end && other.start < one.end;
            let allowed = one.may_overlap(other) || other.may_overlap(one);
            assert!(!meet || !share || allowed, "two values that are alive at one step share memory");
            b += 1;
        }
        a += 1;
    }
}

#[cfg(test)]
mod tests {
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
}
