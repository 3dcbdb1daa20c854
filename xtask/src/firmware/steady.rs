//! That time does not depend on data: how many instructions a firmware takes for inputs that are as different as can be.

use crate::command;
use crate::firmware::model::{self, Report};
use crate::firmware::qemu::Qemu;
use crate::firmware::{DEFAULT_TARGET, Options, TARGET_FOLDER, grouped};
use anyhow::{Result, ensure};
use std::path::Path;

/// Random inputs, beside constant and extreme ones.
const RANDOM: u32 = 3;

/// Builds the firmware of an integer model and holds it to one time for every input; says how far times are apart.
pub(crate) fn hold(model: &Path, target: &str, arguments: &str) -> Result<String> {
    let (model, target, arguments) = (model.to_owned(), target.to_owned(), arguments.to_owned());
    let options = Options { model, target, arguments, ..Options::default() };
    let bytes = model::input_bytes(&options)?;
    spread(&options.target, usize::try_from(bytes)?)
}

/// The same of the firmware for `target` that was built last, whose model takes inputs of so many bytes. A Cortex-M4 has to take the same
/// number of instructions, other chips within a hundredth, as they multiply and shift by loops.
pub(crate) fn spread(target: &str, bytes: usize) -> Result<String> {
    let qemu = Qemu::find(target)?;
    let program = command::root().join(TARGET_FOLDER).join(target).join("release/model");
    let mut counts = Vec::new();
    for input in inputs(bytes) {
        counts.push(Report::read(&qemu.run(&program, &input)?).instructions);
    }
    let (least, most) = counts.iter().fold((u64::MAX, 0), |(least, most), &count| (least.min(count), most.max(count)));
    let allowed = if target == DEFAULT_TARGET { 0 } else { most / 100 };
    ensure!(most - least <= allowed, "{target}: {counts:?} instructions for constant, extreme and random inputs");
    let percent = (most - least) as f64 / most.max(1) as f64 * 100.0;
    Ok(format!("{target}: {} to {} instructions, {percent:.4} % apart", grouped(least), grouped(most)))
}

/// Inputs of so many bytes: constant, of the least and greatest elements, both in turn, and random.
fn inputs(bytes: usize) -> Vec<Vec<u8>> {
    let constant = [0, 0x7f, 0x80, 0xff].map(|byte| vec![byte; bytes]);
    let in_turn = (0..bytes).map(|index| if index % 2 == 0 { 0x80 } else { 0x7f }).collect();
    let random = (1..=RANDOM).map(|seed| {
        let numbers = (0..bytes).scan(seed, |state, _| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Some((*state >> 24) as u8)
        });
        numbers.collect()
    });
    constant.into_iter().chain([in_turn]).chain(random).collect()
}
