//! The wake word on a bare Cortex-M4F: listens to the recording that is compiled in, as it would to a microphone's buffers, and reports
//! to the host what it detects and what that costs.
#![no_std]
#![no_main]

use core::panic::PanicInfo;
use cortex_m::Peripherals;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::{ExceptionFrame, STACK_PAINT_VALUE, entry, exception};
use semihosting::process::exit;
use semihosting::sys::arm_compat::sys_writec;
use wake::Wake;

static RECORDING: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/recording.pcm"));

/// Samples in a microphone's buffer: 20 ms.
const BUFFER: usize = 320;

/// The system timer counts down through so many ticks.
const TICKS: u32 = 1 << 24;

#[entry]
fn main() -> ! {
    static mut WAKE: Wake = Wake::new();

    let Some(mut peripherals) = Peripherals::take() else { exit(1) };
    peripherals.SYST.set_clock_source(SystClkSource::Core);
    peripherals.SYST.set_reload(TICKS - 1);
    peripherals.SYST.clear_current();
    peripherals.SYST.enable_counter();

    let mut ticks = 0;
    for bytes in RECORDING.chunks(2 * BUFFER) {
        let mut buffer = [0; BUFFER];
        for (sample, bytes) in buffer.iter_mut().zip(bytes.as_chunks().0) {
            *sample = i16::from_le_bytes(*bytes);
        }
        let samples = buffer.get(..bytes.len() / 2).unwrap_or_default();
        let start = SYST::get_current();
        let mut detected = None;
        WAKE.push(samples, |score| detected = score.detected.then_some(score).or(detected));
        ticks += start.wrapping_sub(SYST::get_current()) % TICKS;
        if let Some(score) = detected {
            report("detected", &[score.end as u32, score.smoothed.to_bits()]);
        }
    }
    report("samples", &[(RECORDING.len() / 2) as u32]);
    report("ticks", &[ticks]);
    report("stack", &[stack()]);
    exit(0)
}

/// The bytes of stack that have been used, down to the lowest word that is no longer what the startup code painted it with.
fn stack() -> u32 {
    unsafe extern "C" {
        static _stack_start: u32;
        static _stack_end: u32;
    }
    let (mut lowest, top) = (&raw const _stack_end, &raw const _stack_start);
    // SAFETY: from the end of the static data to the top of the stack there is memory, and it is aligned to words.
    while lowest < top && unsafe { lowest.read_volatile() } == STACK_PAINT_VALUE {
        lowest = lowest.wrapping_add(1);
    }
    (top.addr() - lowest.addr()) as u32
}

/// Prints a name and numbers in hexadecimal, without the code that formats for people.
fn report(name: &str, numbers: &[u32]) {
    name.bytes().for_each(sys_writec);
    sys_writec(b' ');
    for number in numbers {
        for shift in (0..32).step_by(4).rev() {
            let digit = (number >> shift) as u8 & 15;
            sys_writec(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
    }
    sys_writec(b'\n');
}

/// Ends the program with a code the host knows. Never inlined, so that a program without its symbol cannot panic.
#[panic_handler]
#[inline(never)]
fn panic(_: &PanicInfo) -> ! {
    exit(101)
}

/// Ends the program when the processor faults, as on a stack overflow.
#[exception]
unsafe fn HardFault(_: &ExceptionFrame) -> ! {
    exit(102)
}
