//! Constant data: bytes of the model reinterpreted as elements, while compiling.

use crate::plain::Plain;

/// Compilation stops here for big-endian targets: constant data and `run_bytes` are little-endian.
#[cfg(target_endian = "big")]
compile_error!("model-runtime supports little-endian targets only");

/// The elements whose little-endian bytes these are. It is called in the initializer of a `static`, so that the firmware holds the
/// data once, aligned, in read-only memory; a length that does not fit is a compile error.
pub const fn weights<A: Plain, const BYTES: usize>(bytes: &[u8; BYTES]) -> A {
    const { assert!(size_of::<A>() == BYTES, "the bytes are as many as the elements take") };
    // SAFETY: the assertion holds the sizes equal, the read is unaligned by intent, and every bit pattern is a valid `A`, as it is
    // `Plain`.
    unsafe { bytes.as_ptr().cast::<A>().read_unaligned() }
}

/// The bytes of elements, in memory order.
pub fn bytes_of<A: Plain>(elements: &A) -> &[u8] {
    // SAFETY: a `Plain` type has no padding, so all of its bytes are initialized; the result borrows the elements.
    unsafe { core::slice::from_raw_parts(core::ptr::from_ref(elements).cast(), size_of::<A>()) }
}

/// The bytes of elements, in memory order, to be written.
pub fn bytes_of_mut<A: Plain>(elements: &mut A) -> &mut [u8] {
    // SAFETY: as in `bytes_of`; the borrow is exclusive and any bytes written are a valid `A`, as it is `Plain`.
    unsafe { core::slice::from_raw_parts_mut(core::ptr::from_mut(elements).cast(), size_of::<A>()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_elements() {
        static FLOATS: [f32; 2] = weights(b"\x00\x00\x80\x3f\x00\x00\x00\xc0");
        assert_eq!(FLOATS, [1.0, -2.0]);
        assert_eq!(bytes_of(&FLOATS), b"\x00\x00\x80\x3f\x00\x00\x00\xc0");
        let mut nested = [[0u16; 2]; 1];
        bytes_of_mut(&mut nested)[2] = 7;
        assert_eq!(nested, [[0, 7]]);
    }
}
