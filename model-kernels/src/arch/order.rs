//! Where straight-line code may not be put into another order.

/// Takes no instruction, but ends on Arm a block of those among which LLVM looks for an order. In a long one it would compute one sum after
/// another, for which registers do not suffice, instead of all of them input by input.
#[inline(always)]
pub fn in_order() {
    // SAFETY: nothing is done; the label leads to what stands behind.
    #[cfg(target_arch = "arm")]
    unsafe {
        core::arch::asm!("/* {} */", label {}, options(nostack, preserves_flags))
    }
}
