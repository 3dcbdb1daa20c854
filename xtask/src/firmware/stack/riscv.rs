//! Instructions of RV32IMAC: those that lower the stack pointer or go elsewhere. Names and encodings are those of the RISC-V Instruction
//! Set Manual, volume I.

use super::Effect;

/// The register of the return address.
const RA: u32 = 1;
/// The register of the stack pointer.
const SP: u32 = 2;

/// The effects of the instructions in `code`, which lies at `start`; `is_data` tells where constants stand between them.
pub(super) fn effects(start: u64, code: &[u8], is_data: &dyn Fn(u64) -> bool) -> Vec<Effect> {
    let halfword = |at: usize| Some(u32::from(u16::from_le_bytes([*code.get(at)?, *code.get(at + 1)?])));
    let mut effects = Vec::new();
    // The register that the last AUIPC wrote, and what it wrote.
    let mut upper = (0, 0);
    let mut at = 0;
    while let Some(first) = halfword(at) {
        let address = start + at as u64;
        if is_data(address) {
            at += 2;
            continue;
        }
        if first & 3 != 3 {
            effects.extend(compressed(first, address));
            at += 2;
            continue;
        }
        let Some(second) = halfword(at + 2) else { break };
        let code = second << 16 | first;
        if code & 0x7f == 0x17 {
            upper = (destination(code), address.wrapping_add_signed(sign_extended(code & 0xffff_f000, 32)));
        }
        effects.extend(full(code, address, upper));
        at += 4;
    }
    effects
}

/// The effect of an instruction of one halfword.
fn compressed(code: u32, address: u64) -> Option<Effect> {
    let bit = |from: u32, to: u32| (code >> from & 1) << to;
    let shrink = |change: i64| (change < 0).then(|| Effect::Grow(change.unsigned_abs()));
    match code & 0xe003 {
        // C.ADDI16SP
        0x6001 if destination(code) == SP => {
            shrink(sign_extended(bit(12, 9) | bit(6, 4) | bit(5, 6) | bit(4, 8) | bit(3, 7) | bit(2, 5), 10))
        }
        // C.ADDI
        0x0001 if destination(code) == SP => shrink(sign_extended(bit(12, 5) | code >> 2 & 31, 6)),
        // C.JAL, C.J
        0x2001 | 0xa001 => {
            let high = bit(12, 11) | bit(11, 4) | bit(10, 9) | bit(9, 8) | bit(8, 10);
            let offset = high | bit(7, 6) | bit(6, 7) | bit(5, 3) | bit(4, 2) | bit(3, 1) | bit(2, 5);
            Some(Effect::Go(address.wrapping_add_signed(sign_extended(offset, 12))))
        }
        // C.JALR
        0x8002 if code & 0xf07f == 0x9002 && destination(code) != 0 => Some(Effect::GoByAddress),
        _ => None,
    }
}

/// The effect of an instruction of two halfwords; `upper` is what an AUIPC before it wrote, and where.
fn full(code: u32, address: u64, upper: (u32, u64)) -> Option<Effect> {
    let (to, from) = (destination(code), code >> 15 & 31);
    let immediate = sign_extended(code >> 20, 12);
    let bits = |from: u32, count: u32, to: u32| (code >> from & ((1 << count) - 1)) << to;
    match code & 0x7f {
        // ADDI
        0x13 if to == SP && from == SP && immediate < 0 => Some(Effect::Grow(immediate.unsigned_abs())),
        // ADDI behind an AUIPC
        0x13 if from == upper.0 && from != 0 => Some(Effect::Name(upper.1.wrapping_add_signed(immediate))),
        // ADD, SUB
        0x33 if to == SP => Some(Effect::Unknown("a frame of unknown size")),
        // JAL
        0x6f => {
            let offset = bits(31, 1, 20) | bits(12, 8, 12) | bits(20, 1, 11) | bits(21, 10, 1);
            Some(Effect::Go(address.wrapping_add_signed(sign_extended(offset, 21))))
        }
        // JALR behind an AUIPC
        0x67 if from == upper.0 => Some(Effect::Go(upper.1.wrapping_add_signed(immediate))),
        0x67 if to == RA => Some(Effect::GoByAddress),
        _ => None,
    }
}

fn destination(code: u32) -> u32 {
    code >> 7 & 31
}

fn sign_extended(value: u32, bits: u32) -> i64 {
    i64::from((value << (32 - bits)).cast_signed() >> (32 - bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an assembler encodes them, at address 0x100.
    #[test]
    fn instructions_have_their_effects() {
        let cases: &[(&str, &[u16], &[Effect])] = &[
            ("addi sp, sp, -64", &[0x7139], &[Effect::Grow(64)]),
            ("addi sp, sp, 64", &[0x6121], &[]),
            ("addi sp, sp, -16", &[0x1141], &[Effect::Grow(16)]),
            ("addi sp, sp, -2032", &[0x0113, 0x8101], &[Effect::Grow(2032)]),
            ("sub sp, sp, a0", &[0x0133, 0x40a1], &[Effect::Unknown("a frame of unknown size")]),
            ("jal 0x200", &[0x00ef, 0x1000], &[Effect::Go(0x200)]),
            ("auipc ra, 1; jalr 8(ra)", &[0x1097, 0x0000, 0x80e7, 0x0080], &[Effect::Go(0x1108)]),
            ("jalr a0", &[0x9502], &[Effect::GoByAddress]),
            ("ret", &[0x8082], &[]),
            ("j 0x100", &[0xa001], &[Effect::Go(0x100)]),
        ];
        for (text, code, expected) in cases {
            let bytes: Vec<u8> = code.iter().flat_map(|halfword| halfword.to_le_bytes()).collect();
            assert_eq!(effects(0x100, &bytes, &|_| false), *expected, "{text}");
        }
    }
}
