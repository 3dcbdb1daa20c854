//! `cargo xtask bless`: makes what the tests compare with anew; the difference is reviewed like code.

use crate::command::{self, cargo};
use anyhow::Result;

pub(crate) const USAGE: &str = "
      writes the stored models and the expected messages of the tests anew";

/// The tests themselves write, where these variables tell them to.
pub(crate) fn run(_: &[String]) -> Result<()> {
    let mut models = cargo();
    command::run(models.args(["test", "--quiet", "--package", "model-tests", "--test", "models"]).env("BLESS", "1"))?;
    command::run(cargo().args(["test", "--quiet", "--package", "model-ui-tests"]).env("TRYBUILD", "overwrite"))
}
