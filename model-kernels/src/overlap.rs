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
    /// Run from first to last, the kernel is right when `output == input`, though it may not be at the distances around that.
    pub in_place: bool,
}

/// One step of a kernel: the elements it reads, from the first to the last, and those it then writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) read: Range<usize>,
    pub(crate) write: Range<usize>,
}

impl Overlap {
    /// Input and output must be disjoint.
    pub const NONE: Self = Self { forward: None, backward: None, in_place: false };

    /// The least distances for a kernel that does `steps`, or the same steps in reverse order when it runs backward.
    ///
    /// What a step writes must not reach what is still to be read. Forward, all that earlier steps wrote ends at or before the
    /// start of a read; backward, a write starts at or after the end of all that earlier steps are yet to read.
    pub(crate) fn of_steps(steps: impl Iterator<Item = Step>, element_size: usize) -> Self {
        let (mut forward, mut backward) = (isize::MIN, isize::MIN);
        let (mut read_end, mut written_end) = (0, 0);
        for Step { read, write } in steps {
            if !read.is_empty() && written_end > 0 {
                forward = forward.max(written_end - read.start as isize);
            }
            if read_end > 0 {
                backward = backward.max(read_end - write.start as isize);
            }
            read_end = read_end.max(read.end as isize);
            written_end = written_end.max(write.end as isize);
        }
        let bytes = |elements: isize| Some(elements * element_size as isize);
        // Where one lies wholly before the other they are disjoint, and no order can harm.
        let (forward, backward) = (bytes(forward.max(-read_end)), bytes(backward.max(-written_end)));
        Self { forward, backward, ..Self::NONE }
    }
}
