//! Where messages are made, for `cargo xtask messages`, which holds that tests see all of them.

use std::fs::OpenOptions;
use std::io::Write;
use std::panic::Location;

/// Names the file to which places are written.
const VARIABLE: &str = "MESSAGES_SEEN";

/// Writes down the place of a message: where the function was called that called this.
#[track_caller]
pub(crate) fn seen() {
    let Some(path) = std::env::var_os(VARIABLE) else { return };
    let place = Location::caller();
    let line = format!("{}:{}:{}\n", place.file().replace('\\', "/"), place.line(), place.column());
    // One write a line, as tests run side by side.
    let written = OpenOptions::new().append(true).create(true).open(path).and_then(|mut file| file.write_all(line.as_bytes()));
    written.expect("the file of the variable can be written");
}
