//! Runs the models that `models.rs` includes. `zoo` prints a line of costs for each; `zoo NAME` reads samples from standard input,
//! the bytes of all inputs one sample after another, and writes the bytes of all outputs.
#![deny(warnings)]

mod models;

use model_runtime::Tensor;
use std::io::{self, Read, Write};

fn main() -> io::Result<()> {
    match std::env::args().nth(1) {
        Some(name) => run(&name),
        None => list(),
    }
}

fn list() -> io::Result<()> {
    for model in models::all() {
        let signature = model.signature();
        let (ram, weights, macs) = (signature.ram_bytes, signature.weight_bytes, signature.macs);
        writeln!(io::stdout(), "{} {ram} {weights} {macs}", signature.name)?;
    }
    Ok(())
}

fn run(name: &str) -> io::Result<()> {
    let model = models::all().into_iter().find(|model| model.signature().name == name);
    let mut model = model.ok_or_else(|| io::Error::other("there is no such model"))?;
    let signature = model.signature();
    let mut samples = Vec::new();
    io::stdin().read_to_end(&mut samples)?;
    for sample in samples.chunks(signature.inputs.iter().map(Tensor::bytes).sum()) {
        let mut rest = sample;
        let inputs = signature.inputs.iter().map(|tensor| rest.split_off(..tensor.bytes()).unwrap_or_default());
        let inputs: Vec<&[u8]> = inputs.collect();
        let mut outputs: Vec<Vec<u8>> = signature.outputs.iter().map(|tensor| vec![0; tensor.bytes()]).collect();
        let mut places: Vec<&mut [u8]> = outputs.iter_mut().map(Vec::as_mut_slice).collect();
        model.run_bytes(&inputs, &mut places).map_err(io::Error::other)?;
        io::stdout().write_all(&outputs.concat())?;
    }
    Ok(())
}
