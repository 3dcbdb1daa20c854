//! What a kernel reads elements from: constant data or a place in the arena.

use core::cell::Cell;

/// Something that holds one element: a constant (`T`) or a place in the arena (`Cell<T>`).
///
/// It is sealed, as micro-kernels rely on it that in memory there is nothing but the element.
pub trait Load: sealed::Sealed {
    /// The element.
    type Value: Copy;

    /// Reads the element.
    fn load(&self) -> Self::Value;
}

mod sealed {
    pub trait Sealed {}
}

impl<T: Copy> sealed::Sealed for Cell<T> {}

impl<T: Copy> Load for Cell<T> {
    type Value = T;

    #[inline(always)]
    fn load(&self) -> T {
        self.get()
    }
}

/// `constants! { f32 }` makes an `f32` in constant data a thing to load an `f32` from.
macro_rules! constants {
    ($($ty:ty)*) => { $(
        impl sealed::Sealed for $ty {}

        impl Load for $ty {
            type Value = $ty;

            #[inline(always)]
            fn load(&self) -> $ty {
                *self
            }
        }
    )* };
}

constants! { i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 half::f16 half::bf16 }
