//! By how much a kernel's output may overtake its input in memory.

use core::ops::Range;

/// Which placements of an output over an input are safe, told by the kernel from the order in which it reads and writes.
///
/// Distances are in bytes between the first bytes of the two. `None` means that no overlap is safe in that direction.
/// An elementwise kernel with elements of one size has `forward: Some(0)` and `backward: Some(0)`: it works in place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Run from first to last, the kernel is right when `output + forward <= input`.
    pub forward: Option<isize>,
    /// Run from last to first, the kernel is right when `output >= input + backward`.
    pub backward: Option<isize>,
}

/// One step of a kernel: the elements it reads, from the first to the last, and those it then writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) read: Range<usize>,
    pub(crate) write: Range<usize>,
}

impl Overlap {
    /// Input and output must be disjoint.
    pub const NONE: Self = Self { forward: None, backward: None };

    /// The least distances for a kernel that does `steps`, or the same steps in reverse order when it runs backward.
    ///
    /// What a step writes must not reach what a later step reads: forward, the end of everything written so far lies at
    /// or before the start of the next read; backward, the start of everything written lies at or after its end.
    pub(crate) fn of_steps(steps: impl DoubleEndedIterator<Item = Step> + Clone, element_size: usize) -> Self {
        let (mut forward, mut written_end) = (isize::MIN, isize::MIN);
        let mut read_end = 0;
        for Step { read, write } in steps.clone() {
            if !read.is_empty() {
                forward = forward.max(written_end.saturating_sub_unsigned(read.start));
                read_end = read_end.max(read.end as isize);
            }
            written_end = written_end.max(write.end as isize);
        }
        let mut backward = -written_end.max(0);
        let mut written_start = isize::MAX;
        for Step { read, write } in steps.rev() {
            if !read.is_empty() {
                backward = backward.max((read.end as isize).saturating_sub(written_start));
            }
            written_start = written_start.min(write.start as isize);
        }
        let bytes = |elements: isize| Some(elements * element_size as isize);
        // Where one lies wholly before the other they are disjoint, and no order can harm.
        Self { forward: bytes(forward.max(-read_end)), backward: bytes(backward) }
    }
}
