//! Micro-kernels for particular processors, in assembly or intrinsic functions, where the compiler's own code costs far more.
//!
//! - `vfp.rs`: Arm's scalar floating-point unit, on Cortex-M4F and M7. LLVM loads one element an instruction there, and often
//!   keeps sums in memory; `vldmia` loads up to sixteen, and a tile of sums stays in registers at every optimization level.
//! - `dsp.rs`: the DSP instructions of Cortex-M4 and M7, which multiply two pairs of 16 bits at once. LLVM does not find them,
//!   and spills where all registers are needed.
//! - `dsp_depthwise.rs`: the same for depthwise layers, line by line.
//! - `order.rs`: no instruction at all, but an order for those around it.
//! - `thumb.rs`: Armv6-M, where only an addition reaches all registers.
//! - `avx2.rs`: the vectors of x86-64, if the crate is compiled for a processor with AVX2. LLVM does not see that neighbouring products of
//!   halfwords can be added at once, and keeps too few sums under way.

#[cfg(avx2)]
pub(crate) mod avx2;
#[cfg(dsp)]
pub(crate) mod dsp;
#[cfg(dsp)]
pub(crate) mod dsp_depthwise;
pub(crate) mod order;
#[cfg(thumbv6m)]
pub(crate) mod thumb;
#[cfg(all(target_arch = "arm", target_abi = "eabihf"))]
pub(crate) mod vfp;
