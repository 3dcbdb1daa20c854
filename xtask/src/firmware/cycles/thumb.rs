//! What one instruction of Armv7E-M costs on a Cortex-M4. Encodings are those of the Armv7-M Architecture Reference Manual, chapters A5 and A6.

/// An instruction's size and time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cost {
    pub(super) bytes: u64,
    /// Of its own, where nothing overlaps and control does not jump.
    pub(super) cycles: u64,
    /// Whether it moves one word or less, and so overlaps with its like.
    pub(super) transfer: Option<Transfer>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Transfer {
    Load,
    Store,
}

impl Transfer {
    fn new(loads: bool) -> Self {
        if loads { Transfer::Load } else { Transfer::Store }
    }

    fn cycles(self) -> u64 {
        match self {
            Transfer::Load => 2,
            Transfer::Store => 1,
        }
    }
}

/// The cost of the instruction that begins with these halfwords.
pub(super) fn cost([first, second]: [u16; 2]) -> Cost {
    let (bytes, transfer, cycles) = match first >> 11 {
        0b11101.. => (4, wide_transfer(first, second), wide(first, second)),
        _ => (2, narrow_transfer(first), narrow(first)),
    };
    Cost { bytes, cycles: transfer.map_or(cycles, Transfer::cycles), transfer }
}

/// Of one halfword.
fn narrow_transfer(code: u16) -> Option<Transfer> {
    match code >> 11 {
        // LDR (literal)
        0b01001 => Some(Transfer::Load),
        // By register: three kinds of stores, then the loads
        0b01010 | 0b01011 => Some(Transfer::new(code >> 9 & 7 >= 3)),
        // By constant: bit 11 tells loads
        0b01100..=0b10011 => Some(Transfer::new(code >> 11 & 1 == 1)),
        _ => None,
    }
}

fn narrow(code: u16) -> u64 {
    match code {
        // PUSH, POP
        _ if code & 0xf600 == 0xb400 => 1 + ones(code & 0x1ff),
        // STM, LDM
        _ if code & 0xf000 == 0xc000 => 1 + ones(code & 0xff),
        _ => 1,
    }
}

/// Of two halfwords.
fn wide_transfer(first: u16, second: u16) -> Option<Transfer> {
    let loads = first >> 4 & 1 == 1;
    match first {
        // Of the core's registers
        _ if first & 0xfe00 == 0xf800 => Some(Transfer::new(loads)),
        // VLDR, VSTR of one word
        _ if first & 0xff20 == 0xed00 && second & 0xf00 == 0xa00 => Some(Transfer::new(loads)),
        _ => None,
    }
}

fn wide(first: u16, second: u16) -> u64 {
    let words = u64::from(second & 0xff);
    match first {
        // LDM, STM, PUSH, POP
        _ if first & 0xfe40 == 0xe800 => 1 + ones(second),
        // TBB, TBH, and exclusive loads and stores
        _ if first & 0xffe0 == 0xe840 || first & 0xffe0 == 0xe8c0 => 2,
        // LDRD, STRD
        _ if first & 0xfe40 == 0xe840 => 3,
        // VMOV between two registers of the core and the others
        _ if first & 0xffe0 == 0xec40 => 2,
        // VLDR, VSTR of two words
        _ if first & 0xff20 == 0xed00 => 3,
        // VLDM, VSTM, VPUSH, VPOP
        _ if first & 0xfe00 == 0xec00 => 1 + words,
        _ if first & 0xff00 == 0xee00 && second & 0x0e10 == 0x0a00 => float(first, second),
        // SDIV, UDIV
        _ if first & 0xffd0 == 0xfb90 && second & 0xf0f0 == 0xf0f0 => 7,
        _ => 1,
    }
}

/// Of the floating-point unit, on its registers.
fn float(first: u16, second: u16) -> u64 {
    // Bit 6 is part of a register's number.
    match first >> 4 & 0b1011 {
        // VMLA and VMLS, VNMLA and VNMLS, VFNMA and VFNMS, VFMA and VFMS
        0b0000 | 0b0001 | 0b1001 | 0b1010 => 3,
        // VDIV
        0b1000 => 14,
        // VSQRT
        0b1011 if first & 15 == 1 && second & 0xc0 == 0xc0 => 14,
        _ => 1,
    }
}

fn ones(registers: u16) -> u64 {
    registers.count_ones().into()
}

#[cfg(test)]
mod tests {
    use super::{Transfer, cost};

    /// As an assembler encodes them.
    #[test]
    fn instructions_have_their_costs() {
        use Transfer::{Load, Store};
        let cases: &[(&str, &[u16], u64, Option<Transfer>)] = &[
            ("ldr r0, [pc, #8]", &[0x4802], 2, Some(Load)),
            ("ldr r0, [r1, #4]", &[0x6848], 2, Some(Load)),
            ("ldrsb r0, [r1, r2]", &[0x5688], 2, Some(Load)),
            ("ldrh r0, [r1, #6]", &[0x88c8], 2, Some(Load)),
            ("ldrb r0, [r1]", &[0x7808], 2, Some(Load)),
            ("ldr r0, [sp, #8]", &[0x9802], 2, Some(Load)),
            ("ldr.w r10, [r1, #400]", &[0xf8d1, 0xa190], 2, Some(Load)),
            ("ldrsh r9, [r1], #2", &[0xf931, 0x9b02], 2, Some(Load)),
            ("vldr s5, [r0, #12]", &[0xedd0, 0x2a03], 2, Some(Load)),
            ("str r0, [r1, r2]", &[0x5088], 1, Some(Store)),
            ("strb r0, [r1, #3]", &[0x70c8], 1, Some(Store)),
            ("strh.w r10, [r1, #4]!", &[0xf821, 0xaf04], 1, Some(Store)),
            ("vstr s17, [r0]", &[0xedc0, 0x8a00], 1, Some(Store)),
            ("push {r4, r5, lr}", &[0xb530], 4, None),
            ("pop {r4, pc}", &[0xbd10], 3, None),
            ("ldmia r1!, {r2, r3, r4}", &[0xc91c], 4, None),
            ("stmdb sp!, {r8, r9, r10}", &[0xe92d, 0x0700], 4, None),
            ("pop.w {r8, r9, pc}", &[0xe8bd, 0x8300], 4, None),
            ("ldrd r2, r3, [r0, #8]", &[0xe9d0, 0x2302], 3, None),
            ("strd r2, r3, [r0], #8", &[0xe8e0, 0x2302], 3, None),
            ("ldrex r0, [r1]", &[0xe851, 0x0f00], 2, None),
            ("tbb [pc, r0]", &[0xe8df, 0xf000], 2, None),
            ("tbh [pc, r0, lsl #1]", &[0xe8df, 0xf010], 2, None),
            ("vldr d3, [r0]", &[0xed90, 0x3b00], 3, None),
            ("vldmia r0!, {s16-s19}", &[0xecb0, 0x8a04], 5, None),
            ("vpush {d8-d9}", &[0xed2d, 0x8b04], 5, None),
            ("vmov r0, r1, s4, s5", &[0xec51, 0x0a12], 2, None),
            ("vmov s0, r3", &[0xee00, 0x3a10], 1, None),
            ("vmrs APSR_nzcv, fpscr", &[0xeef1, 0xfa10], 1, None),
            ("vadd.f32 s0, s1, s31", &[0xee30, 0x0aaf], 1, None),
            ("vmul.f32 s31, s1, s2", &[0xee60, 0xfa81], 1, None),
            ("vmla.f32 s31, s1, s2", &[0xee40, 0xfa81], 3, None),
            ("vmls.f32 s0, s1, s2", &[0xee00, 0x0ac1], 3, None),
            ("vnmls.f32 s0, s1, s2", &[0xee10, 0x0a81], 3, None),
            ("vfma.f32 s0, s1, s2", &[0xeea0, 0x0a81], 3, None),
            ("vfnma.f32 s0, s1, s2", &[0xee90, 0x0ac1], 3, None),
            ("vdiv.f32 s0, s1, s2", &[0xee80, 0x0a81], 14, None),
            ("vsqrt.f32 s3, s2", &[0xeef1, 0x1ac1], 14, None),
            ("vneg.f32 s3, s2", &[0xeef1, 0x1a41], 1, None),
            ("vmov.f32 s3, #1.0", &[0xeef7, 0x1a00], 1, None),
            ("vcvt.f32.s32 s3, s2", &[0xeef8, 0x1ac1], 1, None),
            ("sdiv r0, r1, r2", &[0xfb91, 0xf0f2], 7, None),
            ("udiv r0, r1, r2", &[0xfbb1, 0xf0f2], 7, None),
            ("smull r0, r1, r2, r3", &[0xfb82, 0x0103], 1, None),
            ("smlad r0, r1, r2, r3", &[0xfb21, 0x3002], 1, None),
            ("mla r0, r1, r2, r3", &[0xfb01, 0x3002], 1, None),
            ("adds r0, r1, r2", &[0x1888], 1, None),
            ("movw r0, #1000", &[0xf240, 0x30e8], 1, None),
            ("bl .", &[0xf7ff, 0xfffe], 1, None),
            ("bx lr", &[0x4770], 1, None),
            ("b.w .", &[0xf7ff, 0xbffe], 1, None),
            ("beq.n .", &[0xd0fe], 1, None),
            ("cbz r0, .+8", &[0xb110], 1, None),
            ("it eq", &[0xbf08], 1, None),
        ];
        for &(text, code, cycles, transfer) in cases {
            let cost = cost([code[0], code.get(1).copied().unwrap_or(0)]);
            assert_eq!((cost.bytes, cost.cycles, cost.transfer), (2 * code.len() as u64, cycles, transfer), "{text}");
        }
    }
}
