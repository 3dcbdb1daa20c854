//! All models in one program, which is linked to see what is in it, and never run. The host writes the list: `include_model!` of each, and
//! the function `run_all`, which runs each in a function of its name.
#![no_std]
#![no_main]

include!(env!("MODELS"));

#[bench::entry]
fn main() -> ! {
    run_all();
    loop {}
}
