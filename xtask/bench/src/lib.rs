//! Measures one model on an emulated Cortex-M and tells the host: instructions a run, stack, outputs.
//!
//! Two programs share this library: `model` holds the model that is measured, `baseline` an empty one, so that the difference of
//! their sizes is the model's. Therefore nothing here depends on the model's types, and nothing formats or panics.
#![no_std]

mod clock;
mod input;
mod report;
mod stack;

use core::hint::black_box;
use core::panic::PanicInfo;
use cortex_m_rt::{ExceptionFrame, exception};
use model_runtime::Signature;
use semihosting::process::exit;

/// A model whose inputs and outputs are seen as bytes.
pub trait Subject {
    /// The bytes of each output.
    type Outputs<'a>: IntoIterator<Item = &'a [u8]>
    where
        Self: 'a;

    /// What the model takes and yields.
    fn signature(&self) -> &'static Signature;

    /// The place of an input.
    fn input(&mut self, index: usize) -> &mut [u8];

    /// Runs the model on what lies in the inputs' places. It should not be inlined, as it is called more than once.
    fn run(&mut self) -> Self::Outputs<'_>;
}

/// Runs `subject` three times, for its outputs, its stack and its instructions, and ends the program.
pub fn measure(subject: &mut impl Subject) -> ! {
    clock::start();
    report::number("clock", clock::check());
    let signature = subject.signature();
    report::number("arena", signature.ram_bytes as u32);
    report::number("weights", signature.weight_bytes as u32);
    report::number("macs", signature.macs as u32);

    let inputs: usize = signature.inputs.iter().map(|tensor| tensor.bytes()).sum();
    report::number("inputs", inputs as u32);

    fill(subject);
    for (bytes, tensor) in subject.run().into_iter().zip(signature.outputs) {
        report::bytes(input::kind(tensor.elem), bytes);
    }
    fill(subject);
    report::number("stack", stack::peak(|| drop(subject.run())));
    fill(subject);
    report::number("instructions", clock::instructions(|| drop(subject.run())));
    exit(0)
}

/// Fills the inputs, which a run may have overwritten.
fn fill(subject: &mut impl Subject) {
    let mut offset = 0;
    for (index, tensor) in subject.signature().inputs.iter().enumerate() {
        // The optimizer must not know the length: then the code that fills is the same in every firmware.
        let bytes = black_box(subject.input(index));
        if input::is_given() {
            input::copy(bytes, offset);
        } else {
            input::pattern(bytes, tensor.elem);
        }
        offset += bytes.len();
    }
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
