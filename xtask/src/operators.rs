//! `cargo xtask operators`: the table of operators in the documentation.

use crate::command::{self, cargo};
use anyhow::Result;

pub(crate) const USAGE: &str = "
      write docs/operators.md anew from the compiler's own tables; `cargo test` fails where it is stale";

/// The test itself writes, where the variable tells it to.
pub(crate) fn run(_: &[String]) -> Result<()> {
    command::run(cargo().args(["test", "--quiet", "--package", "model-tests", "--test", "operators"]).env("BLESS", "1"))
}
