//! Instructions of Armv6-M, Armv7-M and Armv7E-M: those that lower the stack pointer or go elsewhere. Names and encodings are those of
//! the Armv7-M Architecture Reference Manual, chapter A7.

use std::collections::HashMap;

use super::Effect;

/// The effects of the instructions in `code`, which lies at `start`; `is_data` tells where constants stand between them.
pub(super) fn effects(start: u64, code: &[u8], is_data: &dyn Fn(u64) -> bool) -> Vec<Effect> {
    let halfword = |at: usize| Some(u16::from_le_bytes([*code.get(at)?, *code.get(at + 1)?]));
    let word = |at: usize| Some(u32::from(halfword(at)?) | u32::from(halfword(at + 2)?) << 16);
    let mut effects = Vec::new();
    // What the registers were last given from a constant, as a frame too large for one instruction is.
    let mut constants: HashMap<u32, u32> = HashMap::new();
    let mut at = 0;
    while let Some(first) = halfword(at) {
        let address = start + at as u64;
        if is_data(address) {
            effects.extend(word(at).filter(|_| address.is_multiple_of(4)).map(|word| Effect::Name(word.into())));
            at += 2;
            continue;
        }
        if first >> 11 < 0b11101 {
            if first & 0xf800 == 0x4800 {
                // LDR (literal), from an address that is a multiple of four
                let place = (address + 4) / 4 * 4 + u64::from(first & 0xff) * 4 - start;
                constants.extend(word(place as usize).map(|word| (u32::from(first >> 8 & 7), word)));
            }
            effects.extend(narrow(first, address, &constants));
            at += 2;
            continue;
        }
        let Some(second) = halfword(at + 2) else { break };
        let (register, half) = (u32::from(second >> 8 & 15), u32::from(first & 15) << 12 | imm12(first, second));
        match first & 0xfbf0 {
            // MOVW, MOVT
            0xf240 => drop(constants.insert(register, half)),
            0xf2c0 => effects.extend(constants.get(&register).map(|low| Effect::Name(u64::from(half << 16 | low & 0xffff)))),
            _ => {}
        }
        effects.extend(wide(first, second, address));
        at += 4;
    }
    effects
}

/// The effect of an instruction of one halfword.
fn narrow(code: u16, address: u64, constants: &HashMap<u32, u32>) -> Option<Effect> {
    let register = u32::from(code >> 3 & 15);
    match code {
        // PUSH
        _ if code & 0xfe00 == 0xb400 => Some(Effect::Grow(4 * u64::from((code & 0x1ff).count_ones()))),
        // SUB (SP minus immediate)
        _ if code & 0xff80 == 0xb080 => Some(Effect::Grow(4 * u64::from(code & 0x7f))),
        // ADD (SP plus register)
        _ if code & 0xff87 == 0x4485 => match constants.get(&register).map(|&word| word.cast_signed()) {
            Some(added) if added < 0 => Some(Effect::Grow(added.unsigned_abs().into())),
            Some(_) => None,
            None => Some(Effect::Unknown("a frame of unknown size")),
        },
        // BLX (register)
        _ if code & 0xff87 == 0x4780 => Some(Effect::GoByAddress),
        // B
        _ if code & 0xf800 == 0xe000 => Some(go(address, sign_extended(u32::from(code & 0x7ff) << 1, 12))),
        // B (conditional), but for UDF and SVC
        _ if code & 0xf000 == 0xd000 && code >> 9 != 0b110_1111 => {
            Some(go(address, sign_extended(u32::from(code & 0xff) << 1, 9)))
        }
        _ => None,
    }
}

/// The effect of an instruction of two halfwords.
fn wide(first: u16, second: u16, address: u64) -> Option<Effect> {
    let (a, b) = (u32::from(first), u32::from(second));
    let imm12 = imm12(first, second);
    match (first, second) {
        // STMDB SP!, PUSH
        (0xe92d, _) => Some(Effect::Grow(4 * u64::from(second.count_ones()))),
        // STR (immediate), before indexed with writeback
        (0xf84d, _) if second & 0xf00 == 0xd00 => Some(Effect::Grow(u64::from(second & 0xff))),
        // STRD (immediate), likewise
        (0xe96d, _) => Some(Effect::Grow(4 * u64::from(second & 0xff))),
        // VPUSH
        _ if first & 0xffbf == 0xed2d && second & 0xe00 == 0xa00 => Some(Effect::Grow(4 * u64::from(second & 0xff))),
        // SUB (SP minus immediate), a modified constant or twelve bits
        _ if first & 0xfbef == 0xf1ad && second & 0x8f00 == 0xd00 => Some(Effect::Grow(modified(imm12).into())),
        _ if first & 0xfbff == 0xf2ad && second & 0x8f00 == 0xd00 => Some(Effect::Grow(imm12.into())),
        // SUB (SP minus register)
        (0xebad, _) if second & 0xf00 == 0xd00 => Some(Effect::Unknown("a frame of unknown size")),
        // BL, and B of 24 bits
        _ if first & 0xf800 == 0xf000 && second & 0x9000 == 0x9000 => {
            let sign = a >> 10 & 1;
            let [i1, i2] = [b >> 13 & 1, b >> 11 & 1].map(|j| 1 ^ j ^ sign);
            let offset = sign << 24 | i1 << 23 | i2 << 22 | (a & 0x3ff) << 12 | (b & 0x7ff) << 1;
            Some(go(address, sign_extended(offset, 25)))
        }
        // B (conditional), but for the instructions that take its place where the condition is none
        _ if first & 0xf800 == 0xf000 && second & 0xd000 == 0x8000 && a >> 7 & 7 != 7 => {
            let offset = (a >> 10 & 1) << 20 | (b >> 11 & 1) << 19 | (b >> 13 & 1) << 18 | (a & 0x3f) << 12 | (b & 0x7ff) << 1;
            Some(go(address, sign_extended(offset, 21)))
        }
        _ => None,
    }
}

/// Where a jump by `offset` leads: the processor counts from two instructions on.
fn go(address: u64, offset: i64) -> Effect {
    Effect::Go(address.wrapping_add(4).wrapping_add_signed(offset))
}

fn sign_extended(value: u32, bits: u32) -> i64 {
    i64::from((value << (32 - bits)).cast_signed() >> (32 - bits))
}

/// The twelve bits that instructions with a constant scatter over their halfwords.
fn imm12(first: u16, second: u16) -> u32 {
    let (a, b) = (u32::from(first), u32::from(second));
    (a >> 10 & 1) << 11 | (b >> 12 & 7) << 8 | b & 0xff
}

/// `ThumbExpandImm`: a byte repeated or rotated.
fn modified(imm12: u32) -> u32 {
    let byte = imm12 & 0xff;
    match imm12 >> 8 {
        0 => byte,
        1 => byte << 16 | byte,
        2 => byte << 24 | byte << 8,
        3 => byte * 0x0101_0101,
        _ => (byte | 0x80).rotate_right(imm12 >> 7),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As an assembler encodes them, at address 0x100.
    #[test]
    fn instructions_have_their_effects() {
        let cases: &[(&str, &[u16], &[Effect])] = &[
            ("push {r4, r5, r6, r7, lr}", &[0xb5f0], &[Effect::Grow(20)]),
            ("sub sp, #24", &[0xb086], &[Effect::Grow(24)]),
            ("add sp, #24", &[0xb006], &[]),
            ("stmdb sp!, {r8, r9, sl, fp}", &[0xe92d, 0x0f00], &[Effect::Grow(16)]),
            ("str.w fp, [sp, #-4]!", &[0xf84d, 0xbd04], &[Effect::Grow(4)]),
            ("strd r0, r1, [sp, #-8]!", &[0xe96d, 0x0102], &[Effect::Grow(8)]),
            ("vpush {d8-d13}", &[0xed2d, 0x8b0c], &[Effect::Grow(48)]),
            ("sub.w sp, sp, #4096", &[0xf5ad, 0x5d80], &[Effect::Grow(4096)]),
            ("subw sp, sp, #1044", &[0xf2ad, 0x4d14], &[Effect::Grow(1044)]),
            (
                "ldr r7, [pc, #0]; add sp, r7; .word -1024",
                &[0x4f00, 0x44bd, 0xfc00, 0xffff],
                &[Effect::Grow(1024), Effect::Name(0xffff_fc00)],
            ),
            ("movw r0, #4661; movt r0, #8192", &[0xf241, 0x2035, 0xf2c2, 0x0000], &[Effect::Name(0x2000_1235)]),
            ("add sp, r6", &[0x44b5], &[Effect::Unknown("a frame of unknown size")]),
            ("blx r3", &[0x4798], &[Effect::GoByAddress]),
            ("bx lr", &[0x4770], &[]),
            ("bx r3", &[0x4718], &[]),
            ("bl 0x200", &[0xf000, 0xf87e], &[Effect::Go(0x200)]),
            ("b.w 0x0", &[0xf7ff, 0xbf7e], &[Effect::Go(0)]),
            ("b 0x100", &[0xe7fe], &[Effect::Go(0x100)]),
            ("beq.n 0x110", &[0xd006], &[Effect::Go(0x110)]),
            ("beq.w 0x200", &[0xf000, 0x807e], &[Effect::Go(0x200)]),
            ("udf #0", &[0xde00], &[]),
        ];
        for (text, code, expected) in cases {
            let bytes: Vec<u8> = code.iter().flat_map(|halfword| halfword.to_le_bytes()).collect();
            assert_eq!(effects(0x100, &bytes, &|address| address >= 0x104 && text.contains(".word")), *expected, "{text}");
        }
    }
}
