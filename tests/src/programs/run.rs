//! Runs the cases of one crate: reads `input_K.bin` beside each model, and writes `computed_FORM_K.bin`.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use model_runtime::Model;

/// The stack on which models are made, which in a debug build pass through it.
const STACK: usize = 1 << 28;

/// One form of a case.
pub struct Case {
    pub name: &'static str,
    pub form: &'static str,
    pub inputs: usize,
    pub model: fn() -> Box<dyn Model>,
}

/// Runs each of the cases, whatever becomes of the ones before.
pub fn all(cases: &'static [Case]) {
    let folder = std::env::args().nth(1).expect("the folder of the cases is given");
    let run_all = move || {
        for case in cases {
            match catch_unwind(AssertUnwindSafe(|| run(Path::new(&folder), case))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => eprintln!("{} ({}): {error}", case.name, case.form),
                Err(_) => eprintln!("{} ({}) panics", case.name, case.form),
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(run_all).expect("threads can be made");
    thread.join().expect("panics are caught");
}

fn run(folder: &Path, case: &Case) -> io::Result<()> {
    let folder = folder.join(case.name);
    let inputs = (0..case.inputs).map(|index| fs::read(folder.join(format!("input_{index}.bin"))));
    let inputs: Vec<Vec<u8>> = inputs.collect::<io::Result<_>>()?;
    let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
    let mut model = (case.model)();
    let mut outputs: Vec<Vec<u8>> = model.signature().outputs.iter().map(|output| vec![0; output.bytes()]).collect();
    let mut places: Vec<&mut [u8]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
    model.run_bytes(&inputs, &mut places).map_err(io::Error::other)?;
    for (index, output) in outputs.iter().enumerate() {
        fs::write(folder.join(format!("computed_{}_{index}.bin", case.form)), output)?;
    }
    Ok(())
}
