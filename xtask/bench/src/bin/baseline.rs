//! The harness around a model that does nothing: what this program takes is the harness's own.
#![no_std]
#![no_main]

use bench::Subject;
use core::hint::black_box;
use model_runtime::{Elem, Signature, Tensor};

struct Nothing([u8; 4]);

const TENSOR: Tensor = Tensor { name: "nothing", elem: Elem::F32, shape: &[1] };

const SIGNATURE: Signature =
    Signature { name: "nothing", inputs: &[TENSOR], outputs: &[TENSOR], ram_bytes: 4, weight_bytes: 0, macs: 0 };

impl Subject for Nothing {
    type Outputs<'a> = [&'a [u8]; 1];

    fn signature(&self) -> &'static Signature {
        black_box(&SIGNATURE)
    }

    fn input(&mut self, _: usize) -> &mut [u8] {
        &mut self.0
    }

    #[inline(never)]
    fn run(&mut self) -> [&[u8]; 1] {
        [black_box(&self.0)]
    }
}

#[cortex_m_rt::entry]
fn main() -> ! {
    static mut NOTHING: Nothing = Nothing([0; 4]);
    bench::measure(NOTHING)
}
