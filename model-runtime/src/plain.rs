//! Element types and nested arrays of them: what may lie in the arena.

/// Types without padding for which every bit pattern is valid.
///
/// # Safety
/// Implementors have no padding and no invalid bit pattern.
pub unsafe trait Plain: Copy + 'static {}

/// `plain! { f32 }` declares an element type plain.
macro_rules! plain {
    ($($ty:ty)*) => { $(
        // SAFETY: a number without padding; every bit pattern is one.
        unsafe impl Plain for $ty {}
    )* };
}

plain! { i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 model_kernels::half::f16 model_kernels::half::bf16 }

// SAFETY: four bytes without padding, of which every pattern is valid.
unsafe impl Plain for model_kernels::Quad {}

// SAFETY: an array has no padding between elements, and is valid when they are.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}
