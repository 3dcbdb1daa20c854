//! The harness around the model that the build script includes.
#![no_std]
#![no_main]

use bench::Subject;
use core::slice;
use model_runtime::Signature;

include!(concat!(env!("OUT_DIR"), "/model.rs"));

struct Measured(&'static mut model::Model);

impl Subject for Measured {
    type Outputs<'a> = [&'a [u8]; 1];

    fn signature(&self) -> &'static Signature {
        core::hint::black_box(&model::SIGNATURE)
    }

    fn input(&mut self, _: usize) -> &mut [u8] {
        let input = self.0.input_mut();
        // SAFETY: an array of numbers, which has no padding and may hold any bytes.
        unsafe { slice::from_raw_parts_mut((&raw mut *input).cast(), size_of_val(input)) }
    }

    #[inline(never)]
    fn run(&mut self) -> [&[u8]; 1] {
        let output = self.0.run_in_place();
        // SAFETY: an array of numbers, which has no padding.
        [unsafe { slice::from_raw_parts((&raw const *output).cast(), size_of_val(output)) }]
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut MODEL: model::Model = model::Model::new();
    bench::measure(&mut Measured(MODEL))
}
