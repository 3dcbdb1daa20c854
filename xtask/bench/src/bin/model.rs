//! The harness around the model that the build script includes.
#![no_std]
#![no_main]

include!(concat!(env!("OUT_DIR"), "/model.rs"));

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut MODEL: model::Model = model::Model::new();
    bench::measure(MODEL)
}
