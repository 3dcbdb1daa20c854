//! The project's own commands, run as `cargo xtask COMMAND`; without a command it lists them.

mod bench;
mod bless;
mod check;
mod command;
mod conformance;
mod differential;
mod firmware;
mod messages;
mod miri;
mod operators;
mod python;
mod timing;
mod zoo;

use anyhow::{Result, bail};
use firmware::panics;
use std::process::ExitCode;

/// One command of `cargo xtask`.
struct Command {
    name: &'static str,
    usage: &'static str,
    run: fn(&[String]) -> Result<()>,
}

const COMMANDS: &[Command] = &[
    Command { name: "bench", usage: bench::USAGE, run: bench::run },
    Command { name: "bless", usage: bless::USAGE, run: bless::run },
    Command { name: "check", usage: check::USAGE, run: check::run },
    Command { name: "conformance", usage: conformance::USAGE, run: conformance::run },
    Command { name: "differential", usage: differential::USAGE, run: differential::run },
    Command { name: "firmware", usage: firmware::USAGE, run: firmware::run },
    Command { name: "messages", usage: messages::USAGE, run: messages::run },
    Command { name: "miri", usage: miri::USAGE, run: miri::run },
    Command { name: "operators", usage: operators::USAGE, run: operators::run },
    Command { name: "panics", usage: panics::USAGE, run: panics::run },
    Command { name: "timing", usage: timing::USAGE, run: timing::run },
    Command { name: "zoo", usage: zoo::USAGE, run: zoo::run },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        println!("usage:");
        for command in COMMANDS {
            println!("  cargo xtask {} {}", command.name, command.usage);
        }
        return Ok(());
    };
    match COMMANDS.iter().find(|command| command.name == name) {
        Some(command) => (command.run)(rest),
        None => bail!("unknown command `{name}`; `cargo xtask` lists the commands"),
    }
}
