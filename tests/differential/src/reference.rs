//! The processes that compute with ONNX Runtime what models yield: `reference.py` says what they are asked.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use crate::cases::Case;

/// How often each model is computed with its floats moved.
const VARIANTS: usize = 8;
/// How often where a difference was found.
pub const MANY_VARIANTS: usize = 200;

/// As many processes as are asked at the same time.
pub struct References {
    python: PathBuf,
    idle: Mutex<Vec<Process>>,
}

struct Process {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl References {
    /// The interpreter has ONNX Runtime.
    pub fn new(python: PathBuf) -> Self {
        Self { python, idle: Mutex::new(Vec::new()) }
    }

    /// The types of the outputs, which lie in files then; or why there is no reference.
    pub fn compute(&self, case: &Case) -> Result<Vec<String>, String> {
        self.compute_with(case, VARIANTS)
    }

    /// The same with so many variants.
    pub fn compute_with(&self, case: &Case, variants: usize) -> Result<Vec<String>, String> {
        let types = self.ask("reference", case, variants)?;
        Ok(types.split(';').map(str::to_owned).collect())
    }

    /// Writes each value of the graph into a file.
    pub fn write_values(&self, case: &Case) -> Result<(), String> {
        self.ask("values", case, 0).map(drop)
    }

    /// Writes what a kept case consists of.
    pub fn store(&self, case: &Case) -> Result<(), String> {
        self.ask("store", case, 0).map(drop)
    }

    fn ask(&self, word: &str, case: &Case, variants: usize) -> Result<String, String> {
        let idle = self.idle.lock().expect("no thread panics").pop();
        let mut process = idle.unwrap_or_else(|| Process::start(&self.python));
        let question = format!("{word}\t{}\t{variants}", case.folder().display());
        let mut answer = String::new();
        let asked = writeln!(process.questions, "{question}").and_then(|()| process.answers.read_line(&mut answer));
        if asked.is_err() || answer.is_empty() {
            // It is not asked again; the next question starts another.
            return Err("ONNX Runtime ends".to_owned());
        }
        self.idle.lock().expect("no thread panics").push(process);
        let (end, rest) = answer.trim_end().split_once(' ').unwrap_or((answer.trim_end(), ""));
        if end == "ok" { Ok(rest.to_owned()) } else { Err(rest.to_owned()) }
    }
}

impl Process {
    fn start(python: &PathBuf) -> Self {
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/reference.py")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", python.display()));
        let questions = child.stdin.take().expect("it was asked for");
        let answers = BufReader::new(child.stdout.take().expect("it was asked for"));
        Self { child, questions, answers }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
