//! `cargo xtask bless`: makes what the tests compare with anew; the difference is reviewed like code.

use crate::command::{self, cargo};
use anyhow::Result;

pub(crate) const USAGE: &str = "
      write the stored models, and the graphs, expansions and messages that tests expect, anew";

/// The tests themselves write, where these variables tell them to.
pub(crate) fn run(_: &[String]) -> Result<()> {
    // The models come first, as the macro includes them while the others are compiled.
    for test in ["models", "passes", "expand"] {
        let mut tests = cargo();
        command::run(tests.args(["test", "--quiet", "--package", "model-tests", "--test", test]).env("BLESS", "1"))?;
    }
    command::run(cargo().args(["test", "--quiet", "--package", "model-ui-tests"]).env("TRYBUILD", "overwrite"))
}
