//! Times the models that the build script includes. For each line `NAME MILLISECONDS` of standard input it runs that model for so long,
//! and prints the median and the least time of a run in nanoseconds; for `NAME outputs` it prints the bytes of the outputs.

use model_runtime::{Elem, Model, Signature, Tensor};
use std::io::{self, BufRead, Write};
use std::time::{Duration, Instant};

include!(concat!(env!("OUT_DIR"), "/models.rs"));

/// A shorter time is lost in that of reading the clock.
const SHORTEST: Duration = Duration::from_micros(20);

fn main() -> io::Result<()> {
    let mut models = models();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let wrong = || io::Error::other(format!("`{line}` is not the name of a model and a number"));
        let (name, milliseconds) = line.split_once(' ').ok_or_else(wrong)?;
        let model = models.iter_mut().find(|model| model.signature().name == name).ok_or_else(wrong)?;
        let mut operands = Operands::new(model.signature());
        if milliseconds == "outputs" {
            operands.run(model.as_mut());
            println!("{:?}", operands.outputs);
        } else {
            let milliseconds = milliseconds.parse().map_err(|_| wrong())?;
            let (median, least) = time(model.as_mut(), &mut operands, Duration::from_millis(milliseconds));
            println!("{median} {least}");
        }
        io::stdout().flush()?;
    }
    Ok(())
}

/// The bytes of a model's inputs and outputs.
struct Operands {
    inputs: Vec<Vec<u8>>,
    outputs: Vec<Vec<u8>>,
}

impl Operands {
    fn new(signature: &Signature) -> Self {
        let outputs = signature.outputs.iter().map(|tensor| vec![0; tensor.bytes()]).collect();
        Self { inputs: signature.inputs.iter().map(pattern).collect(), outputs }
    }

    fn run(&mut self, model: &mut dyn Model) {
        let inputs: Vec<&[u8]> = self.inputs.iter().map(Vec::as_slice).collect();
        let mut outputs: Vec<&mut [u8]> = self.outputs.iter_mut().map(Vec::as_mut_slice).collect();
        model.run_bytes(&inputs, &mut outputs).expect("the lengths are the model's own");
    }
}

/// The median and the least of samples of a run's time, in nanoseconds.
fn time(model: &mut dyn Model, operands: &mut Operands, total: Duration) -> (f64, f64) {
    let inputs: Vec<&[u8]> = operands.inputs.iter().map(Vec::as_slice).collect();
    let mut outputs: Vec<&mut [u8]> = operands.outputs.iter_mut().map(Vec::as_mut_slice).collect();
    let mut run = |turns: u32| {
        let start = Instant::now();
        for _ in 0..turns {
            model.run_bytes(&inputs, &mut outputs).expect("the lengths are the model's own");
        }
        start.elapsed()
    };
    let mut turns = 1;
    while run(turns) < SHORTEST {
        turns *= 2;
    }
    let start = Instant::now();
    let mut samples = Vec::new();
    while start.elapsed() < total {
        samples.push(run(turns).as_nanos() as f64 / f64::from(turns));
    }
    samples.sort_by(f64::total_cmp);
    (samples[samples.len() / 2], samples[0])
}

/// Element i is 37 i + 11, wrapped to -128..128; floats are that divided by 128.
fn pattern(tensor: &Tensor) -> Vec<u8> {
    let value = |i: usize| (i as i8).wrapping_mul(37).wrapping_add(11);
    (0..tensor.elements())
        .flat_map(|i| match tensor.elem {
            Elem::F32 => (f32::from(value(i)) / 128.0).to_le_bytes().to_vec(),
            elem => i64::from(value(i)).to_le_bytes()[..elem.size()].to_vec(),
        })
        .collect()
}
