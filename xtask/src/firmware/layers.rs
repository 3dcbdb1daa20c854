//! Holds the micro-kernels in assembly to the portable forms: layers of random shapes on the emulated chip and on the host.

use crate::command;
use crate::firmware::TARGET_FOLDER;
use crate::firmware::qemu::Qemu;
use crate::firmware::toolchain::Toolchain;
use anyhow::{Result, ensure};

#[path = "../../bench/src/layers.rs"]
mod random;

use random::{COUNT, Layer, Memory};

/// Fails for the first layer whose outputs differ by a bit between the chip of `target` and the host.
pub(crate) fn compare(target: &str, level: &str) -> Result<()> {
    let mut build = Toolchain::find(target)?.build("xtask/bench/Cargo.toml", &["layers"], level);
    println!("{}", command::show(&build));
    command::run(&mut build)?;
    let program = command::root().join(TARGET_FOLDER).join(target).join("release/layers");
    let lines = Qemu::find(target)?.run(&program, &[])?;
    ensure!(lines.len() == COUNT as usize, "the firmware reported {} of {COUNT} layers", lines.len());
    let mut memory = Box::new(Memory::new());
    for (number, line) in (0..COUNT).zip(lines) {
        let layer = Layer::new(number);
        let (found, expected) = (line.number(), layer.hash(number, &mut memory));
        ensure!(found == u64::from(expected), "layer {number} differs between the chip and the host: {layer:?}");
    }
    println!("  {COUNT} layers of random shapes give the host's bits, in floats and quantized");
    Ok(())
}
