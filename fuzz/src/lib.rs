//! What is fuzzed. Each target is a function of bytes that panics where something is wrong.
//!
//! Two things call them: the programs in `targets`, under `cargo fuzz run --features libfuzzer TARGET`, and the test `kept`, which
//! `cargo test` runs for a bounded time over the inputs in `corpus` and changes of them that are the same each time.

mod choices;
mod layers;
mod models;

pub use layers::layers;
pub use models::{compile, decode, structured};

/// A function of bytes, and its name, which is that of its folder in `corpus`.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 4] = [("decode", decode), ("compile", compile), ("structured", structured), ("layers", layers)];
