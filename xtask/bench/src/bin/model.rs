//! The harness around the model that the build script includes.
#![no_std]
#![no_main]

include!(concat!(env!("OUT_DIR"), "/model.rs"));

static mut MODEL: model::Model = model::Model::new();

#[bench::entry]
fn main() -> ! {
    // SAFETY: the program starts here and names the model nowhere else.
    bench::measure(unsafe { &mut *&raw mut MODEL }, model::BUDGETS)
}
