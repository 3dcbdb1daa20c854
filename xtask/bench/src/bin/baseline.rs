//! The harness around a model that does nothing: what this program takes is the harness's own.
#![no_std]
#![no_main]

use core::hint::black_box;
use model_runtime::{Budgets, Elem, Model, Signature, Tensor};

struct Nothing([u8; 4]);

const TENSOR: Tensor = Tensor { name: "nothing", elem: Elem::F32, shape: &[1] };

const SIGNATURE: Signature =
    Signature { name: "nothing", inputs: &[TENSOR], outputs: &[TENSOR], ram_bytes: 4, weight_bytes: 0, macs: 0 };

impl Model for Nothing {
    fn signature(&self) -> &'static Signature {
        &SIGNATURE
    }

    fn input_bytes(&mut self, index: usize) -> Option<&mut [u8]> {
        (index == 0).then_some(&mut self.0)
    }

    fn run_in_place(&mut self) {
        black_box(&mut self.0);
    }

    fn output_bytes(&self, index: usize) -> Option<&[u8]> {
        (index == 0).then_some(&self.0)
    }
}

static mut NOTHING: Nothing = Nothing([0; 4]);

#[bench::entry]
fn main() -> ! {
    // SAFETY: the program starts here and names the model nowhere else.
    bench::measure(unsafe { &mut *&raw mut NOTHING }, Budgets::NONE)
}
