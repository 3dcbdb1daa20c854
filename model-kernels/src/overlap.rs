//! By how much a kernel's output may overtake its input in memory.

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

impl Overlap {
    /// Input and output must be disjoint.
    pub const NONE: Self = Self { forward: None, backward: None };
}
