//! Runs firmware in QEMU so that its clock advances by one nanosecond an instruction, and reads the lines it prints.

use crate::command;
use crate::firmware::TARGETS;
use anyhow::{Context, Result, bail, ensure};
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// Longer than any model takes; a firmware that hangs ends here.
const LIMIT: Duration = Duration::from_secs(600);

/// The emulator of one target's board.
#[derive(Debug)]
pub(crate) struct Qemu {
    program: &'static str,
    /// What makes it that board.
    machine: &'static [&'static str],
    /// Where the board has memory that the firmware does not use.
    inputs: u32,
    /// A plugin with its arguments.
    plugin: Option<String>,
}

const M4: Qemu = Qemu { program: "qemu-system-arm", machine: &["-machine", "mps2-an386"], inputs: 0x2100_0000, plugin: None };

/// A Cortex-M3, which executes the instructions of a Cortex-M0.
const M3: Qemu = Qemu { machine: &["-machine", "mps2-an385"], ..M4 };

const RISCV: Qemu =
    Qemu { program: "qemu-system-riscv32", machine: &["-machine", "virt", "-bios", "none"], inputs: 0x8400_0000, plugin: None };

/// A line `name hexadecimal` of the firmware.
#[derive(Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Qemu {
    /// The emulator for `target`, or an error that says how to get it.
    pub(crate) fn find(target: &str) -> Result<Qemu> {
        let (qemu, package) = match target {
            "thumbv7em-none-eabihf" | "thumbv7em-none-eabi" => (M4, "qemu-system-arm"),
            "thumbv6m-none-eabi" | "thumbv7m-none-eabi" => (M3, "qemu-system-arm"),
            "riscv32imac-unknown-none-elf" | "riscv32imc-unknown-none-elf" => (RISCV, "qemu-system-misc"),
            _ => bail!("no emulated board for `{target}`; there is one for {}", TARGETS.join(", ")),
        };
        if command::find_program(qemu.program).is_none() {
            bail!(
                "no emulator: `{}` is not in the search path; to install it on Debian:\n    apt-get install {package}",
                qemu.program
            );
        }
        Ok(qemu)
    }

    /// The first number of the emulator's version.
    pub(crate) fn release(&self) -> Result<u32> {
        let text = command::output(Command::new(self.program).arg("--version"))?;
        let release = text.split_whitespace().find_map(|word| word.split_once('.')?.0.parse().ok());
        release.with_context(|| format!("`{} --version` tells no version", self.program))
    }

    /// The emulator with a plugin, given as its option `-plugin` takes it.
    pub(crate) fn with_plugin(self, plugin: String) -> Qemu {
        Qemu { plugin: Some(plugin), ..self }
    }

    /// Runs `program` and returns what it printed. `inputs` lie in the board's memory behind a word that is 1; without
    /// inputs that word is zero.
    pub(crate) fn run(&self, program: &Path, inputs: &[u8]) -> Result<Vec<Line>> {
        let mut command = Command::new(self.program);
        command.args(self.machine).args(["-icount", "shift=0"]);
        command.args(["-chardev", "stdio,id=host", "-semihosting-config", "enable=on,target=native,chardev=host"]);
        command.args(["-display", "none", "-monitor", "none", "-serial", "none", "-kernel"]).arg(program);
        command.args(self.plugin.iter().flat_map(|plugin| ["-plugin", plugin]));
        if !inputs.is_empty() {
            let path = program.with_extension("input");
            std::fs::write(&path, [&1u32.to_le_bytes(), inputs].concat())?;
            // A comma separates the options of a device; doubled it stands for itself.
            let file = path.display().to_string().replace(',', ",,");
            command.args(["-device", &format!("loader,file={file},addr={:#x},force-raw=on", self.inputs)]);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let (status, text) = finish(child.with_context(|| format!("cannot start {}", self.program))?)?;
        match status.code() {
            Some(0) => text.lines().map(Line::parse).collect(),
            Some(101) => bail!("the firmware panicked"),
            Some(102) => bail!("the firmware faulted: it ran out of stack, or reached memory the board does not have"),
            _ => {
                bail!("the emulator ended with {status}, as it does when a stack overflows, after the firmware printed:\n{text}")
            }
        }
    }
}

/// Waits for the emulator and collects what the firmware prints.
fn finish(mut child: Child) -> Result<(ExitStatus, String)> {
    let mut output = child.stdout.take().context("the emulator has no output")?;
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        output.read_to_string(&mut text).map(|_| text)
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > LIMIT {
            child.kill()?;
            bail!("the firmware ran for {} seconds without an end", LIMIT.as_secs());
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let text = reader.join().ok().context("reading the firmware's output panicked")??;
    Ok((status, text))
}

impl Line {
    fn parse(text: &str) -> Result<Line> {
        let (name, digits) = text.split_once(' ').with_context(|| format!("the firmware printed `{text}`"))?;
        ensure!(digits.is_ascii() && digits.len() % 2 == 0, "the firmware printed `{text}`");
        let bytes: Result<Vec<u8>, _> =
            (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16)).collect();
        Ok(Line { name: name.to_owned(), bytes: bytes.with_context(|| format!("the firmware printed `{text}`"))? })
    }

    /// The bytes as a number, the highest first.
    pub(crate) fn number(&self) -> u64 {
        self.bytes.iter().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    #[test]
    fn a_line_is_a_name_and_bytes() {
        let line = Line::parse("instructions 0001e240").expect("the line is well formed");
        assert_eq!(line, Line { name: "instructions".to_owned(), bytes: vec![0, 1, 0xe2, 0x40] });
        assert_eq!(line.number(), 123_456);
        for text in ["instructions", "instructions 123", "instructions 12xy"] {
            assert!(Line::parse(text).is_err(), "{text}");
        }
    }
}
