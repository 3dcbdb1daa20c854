//! What the model is given: bytes of the host, or else a fixed pattern.

use crate::chip::HOST;
use core::hint::black_box;
use core::ptr::{read_volatile, with_exposed_provenance};
use model_runtime::{Elem, half::f16};

/// Whether the host gave inputs: then the emulator has put them into a part of the board's memory before the start, a word that is not
/// zero, and then one input after another.
pub(crate) fn is_given() -> bool {
    // SAFETY: the board has memory there, which the program does not use otherwise.
    unsafe { read_volatile(with_exposed_provenance::<u32>(HOST)) != 0 }
}

/// Copies from the host's inputs, of which `offset` bytes were read before.
#[inline(never)]
pub(crate) fn copy(bytes: &mut [u8], offset: usize) {
    for (i, byte) in bytes.iter_mut().enumerate() {
        // SAFETY: as in `is_given`; reading past its end is a fault, which the host reports.
        *byte = unsafe { read_volatile(with_exposed_provenance(HOST + 4 + offset + i)) };
    }
}

/// Element i is 37 i + 11, wrapped to -128..128; floats are that divided by 128.
#[inline(never)]
pub(crate) fn pattern(bytes: &mut [u8], elem: Elem) {
    // The optimizer must not know the type: then this code is the same in every firmware.
    let elem = black_box(elem);
    for (i, element) in bytes.chunks_mut(elem.size().max(1)).enumerate() {
        let value = (i as i8).wrapping_mul(37).wrapping_add(11);
        let float = f32::from(value) / 128.0;
        let encoded = match elem {
            Elem::F16 => u64::from(f16::from_f32(float).to_bits()),
            Elem::BF16 => u64::from(float.to_bits() >> 16),
            Elem::F32 => u64::from(float.to_bits()),
            Elem::F64 => f64::from(float).to_bits(),
            Elem::Bool => u64::from(value & 1 == 1),
            _ => i64::from(value) as u64,
        };
        element.iter_mut().zip(encoded.to_le_bytes()).for_each(|(to, from)| *to = from);
    }
}

/// The name under which the host decodes elements.
pub(crate) fn kind(elem: Elem) -> &'static str {
    match elem {
        Elem::Bool => "bool",
        Elem::I8 => "i8",
        Elem::I16 => "i16",
        Elem::I32 => "i32",
        Elem::I64 => "i64",
        Elem::U8 => "u8",
        Elem::U16 => "u16",
        Elem::U32 => "u32",
        Elem::U64 => "u64",
        Elem::F16 => "f16",
        Elem::BF16 => "bf16",
        Elem::F32 => "f32",
        Elem::F64 => "f64",
    }
}
