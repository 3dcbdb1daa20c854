//! Computes layers of random shapes and reports what each gives, to be compared with the host.
#![no_std]
#![no_main]

use bench::layers::{COUNT, Layer, Memory};

static mut MEMORY: Memory = Memory::new();

#[bench::entry]
fn main() -> ! {
    // SAFETY: the program starts here and names the memory nowhere else.
    let memory = unsafe { &mut *&raw mut MEMORY };
    bench::report_each(COUNT, |number| Layer::new(number).hash(number, memory))
}
