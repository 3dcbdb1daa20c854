//! Measures one model on an emulated chip and tells the host: instructions a run, stack, outputs.
//!
//! Two programs share this: `model` holds the model that is measured, `baseline` an empty one, so that the difference of their sizes is
//! the model's. A third, `layers`, computes single layers. Therefore nothing here depends on the model's types, and nothing formats or panics.
#![no_std]

mod chip;
mod clock;
mod input;
pub mod layers;
mod report;
mod stack;

use core::hint::black_box;
use core::panic::PanicInfo;
use model_runtime::{Budgets, Model};
use semihosting::process::exit;

pub use chip::entry;

/// Runs `model` three times, for its outputs, its stack and its instructions, and ends the program. Passes `budgets` on to the host.
pub fn measure(model: &mut impl Model, budgets: Budgets) -> ! {
    chip::start_clock();
    report::number("clock", clock::check());
    // The optimizer must not know the signature: then the code that reads it is the same in every firmware.
    let signature = black_box(model.signature());
    report::number("arena", signature.ram_bytes as u32);
    report::number("weights", signature.weight_bytes as u32);
    report::number("macs", signature.macs as u32);
    let inputs: usize = signature.inputs.iter().map(|tensor| tensor.bytes()).sum();
    report::number("inputs", inputs as u32);
    // The compiler holds the model to the others. The optimizer must not know these, as with the signature.
    let Budgets { stack, code, .. } = black_box(budgets);
    for (name, budget) in [("stack_budget", stack), ("code_budget", code)] {
        report::bytes(name, &budget.unwrap_or(u64::MAX).to_be_bytes());
    }

    fill(model);
    run(model);
    for (index, tensor) in signature.outputs.iter().enumerate() {
        report::bytes(input::kind(tensor.elem), model.output_bytes(index).unwrap_or_default());
    }
    fill(model);
    report::number("stack", stack::peak(|| run(model)));
    fill(model);
    report::number("instructions", clock::instructions(|| run(model)));
    exit(0)
}

/// Tells the host what `work` makes of each number below `count`, and ends the program.
pub fn report_each(count: u32, mut work: impl FnMut(u32) -> u32) -> ! {
    chip::start_clock();
    (0..count).for_each(|number| report::number("layer", work(number)));
    exit(0)
}

/// Fills the inputs, which a run may have overwritten.
fn fill(model: &mut impl Model) {
    let mut offset = 0;
    for (index, tensor) in black_box(model.signature()).inputs.iter().enumerate() {
        // The optimizer must not know the length: then the code that fills is the same in every firmware.
        let bytes = black_box(model.input_bytes(index).unwrap_or_default());
        if input::is_given() {
            input::copy(bytes, offset);
        } else {
            input::pattern(bytes, tensor.elem);
        }
        offset += bytes.len();
    }
}

/// Never inlined, so that the model is in the firmware once.
#[inline(never)]
fn run(model: &mut impl Model) {
    model.run_in_place();
}

/// Ends the program with a code the host knows. Never inlined, so that a program without its symbol cannot panic.
#[panic_handler]
#[inline(never)]
fn panic(_: &PanicInfo) -> ! {
    exit(101)
}
