//! `cargo xtask zoo`: real models of other people against their recorded outputs, with what each costs.

use crate::command::{self, cargo};
use anyhow::Result;
use std::path::absolute;

pub(crate) const USAGE: &str = "[FOLDER]
      compile and run the models of tests/zoo.txt, which lie in FOLDER (default: $MODEL_ZOO, or ../shared/models)";

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let mut test = cargo();
    test.args(["test", "--quiet", "--package", "model-tests", "--test", "zoo"]);
    if let Some(folder) = arguments.first() {
        test.env("MODEL_ZOO", absolute(folder)?);
    }
    command::run(&mut test)
}
