//! `cargo xtask panics`: that no model brings along what panics, allocates or writes floats as text, on any kind of chip and at any level
//! of optimization.

use crate::command;
use crate::firmware::elf::{self, Program, is_forbidden};
use crate::firmware::toolchain::Toolchain;
use crate::firmware::{TARGET_FOLDER, TARGETS};
use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const USAGE: &str = "[--target TARGET] [--opt 3|s|z] [MODEL.onnx]...
      links one program for each kind of Cortex-M and level (or those given) that holds the models of tests/zoo.txt and tests/models, or those
      given; fails where it holds a function that panics, allocates or formats floats, and names the model and the calls";

const LEVELS: [&str; 3] = ["3", "s", "z"];

/// A model, and what the macro is told beside its path.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) arguments: String,
}

pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let (mut targets, mut levels, mut entries) = (TARGETS[..2].to_vec(), LEVELS.to_vec(), Vec::new());
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("`{word}` needs a value"));
        match word.as_str() {
            "--target" => targets = vec![value()?],
            "--opt" => levels = vec![value()?],
            path => entries.push(Entry::new(std::path::absolute(path)?, String::new())?),
        }
    }
    if entries.is_empty() {
        entries = all()?;
    }
    hold(&entries, &targets, &levels)
}

/// What takes little time: all models on one chip at the highest level, and those of the tests everywhere.
pub(crate) fn check() -> Result<()> {
    hold(&all()?, &TARGETS[..1], &["3"])?;
    hold(&own()?, &TARGETS[..2], &LEVELS)
}

/// Links the models for each target and level, and fails where one of the programs holds what no firmware may.
fn hold(entries: &[Entry], targets: &[&str], levels: &[&str]) -> Result<()> {
    let mut faults = 0;
    for (target, level) in targets.iter().flat_map(|target| levels.iter().map(move |level| (*target, *level))) {
        let found = forbidden(&link(entries, target, level)?, entries);
        println!("{target}, opt-level {level}: {} models, {} forbidden functions", entries.len(), found.len());
        found.iter().for_each(|fault| println!("  {fault}"));
        faults += found.len();
    }
    match faults {
        0 => Ok(()),
        _ => bail!("{faults} functions that no firmware may hold"),
    }
}

/// Those of the tests.
fn own() -> Result<Vec<Entry>> {
    let names = ["several", "image", "residual", "cascade", "lstm", "elements", "integers", "quantized", "softmax"];
    let path = |name| command::root().join(format!("tests/models/{name}.onnx"));
    names.into_iter().map(|name| Entry::new(path(name), String::new())).collect()
}

/// The models that are there: those of the tests, and of the zoo where it is at hand.
fn all() -> Result<Vec<Entry>> {
    let zoo = command::zoo();
    let mut entries = own()?;
    match zoo.is_dir() {
        true => entries.extend(self::zoo(&zoo)?),
        false => println!("without the zoo, as {} is no folder", zoo.display()),
    }
    Ok(entries)
}

/// The models of the zoo that lie in `folder`, by the names of `tests/zoo.txt`: their folders', with `_stream` where state is tied.
pub(crate) fn zoo(folder: &Path) -> Result<Vec<Entry>> {
    let list = fs::read_to_string(command::root().join("tests/zoo.txt"))?;
    let entry = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [model, file, _, _, arguments @ ..] = &words[..] else { bail!("zoo.txt: `{line}` has fewer than four words") };
        let tied = arguments.iter().any(|argument| argument.starts_with("state:"));
        let name = format!("{model}{}", if tied { "_stream" } else { "" });
        Ok(Entry { name, path: folder.join(model).join(file), arguments: maps(arguments)? })
    };
    list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(entry).collect()
}

/// `dims:input=1,512` as the macro takes it: `dims = { "input": [1, 512] }`.
fn maps(words: &[&str]) -> Result<String> {
    let mut maps: BTreeMap<&str, String> = BTreeMap::new();
    for word in words {
        let parts = word.split_once(':').and_then(|(argument, entry)| Some((argument, entry.rsplit_once('=')?)));
        let (argument, (key, value)) = parts.with_context(|| format!("zoo.txt: `{word}` is no argument"))?;
        let value = if value.contains(',') { format!("[{value}]") } else { value.to_owned() };
        write!(maps.entry(argument).or_default(), "{key:?}: {value}, ")?;
    }
    Ok(maps.iter().map(|(argument, entries)| format!("{argument} = {{ {entries} }}, ")).collect())
}

impl Entry {
    fn new(path: PathBuf, arguments: String) -> Result<Self> {
        let stem = path.file_stem().with_context(|| format!("{} is no file", path.display()))?;
        Ok(Self { name: stem.to_string_lossy().replace(['-', '.'], "_"), path, arguments })
    }

    /// The model, and a function that runs it.
    fn source(&self) -> String {
        let Self { name, path, arguments } = self;
        format!(
            "model_runtime::include_model!({path:?}, name = {name}, {arguments});\n#[inline(never)]\nfn run_{name}() {{\n    \
             static mut MODEL: {name}::Model = {name}::Model::new();\n    \
             // SAFETY: the program is never run.\n    \
             let model = core::hint::black_box(unsafe {{ &mut *&raw mut MODEL }});\n    \
             let _ = core::hint::black_box(model.run_in_place());\n}}\n"
        )
    }
}

/// Links all models for `target`.
fn link(entries: &[Entry], target: &str, level: &str) -> Result<Program> {
    let list = command::root().join(TARGET_FOLDER).join("every.rs");
    let models: String = entries.iter().map(Entry::source).collect();
    let calls: String = entries.iter().map(|entry| format!("    run_{}();\n", entry.name)).collect();
    let source = format!("{models}fn run_all() {{\n{calls}}}\n");
    if fs::read_to_string(&list).is_ok_and(|there| there == source) {
        return build(&list, target, level);
    }
    fs::create_dir_all(command::root().join(TARGET_FOLDER))?;
    fs::write(&list, source)?;
    build(&list, target, level)
}

fn build(list: &Path, target: &str, level: &str) -> Result<Program> {
    let mut build = Toolchain::find(target)?.build("xtask/bench/Cargo.toml", &["every"], level);
    command::run(build.env("MODELS", list))?;
    elf::read(&command::root().join(TARGET_FOLDER).join(target).join("release/every"))
}

/// Each function that must not be there, with the model and the calls that lead to it.
fn forbidden(program: &Program, entries: &[Entry]) -> Vec<String> {
    let mut names: Vec<&str> =
        program.functions.iter().map(|(name, _)| name.as_str()).filter(|name| is_forbidden(name)).collect();
    names.sort_unstable();
    names.dedup();
    let fault = |name: &str| {
        let path = |entry: &Entry| program.calls.path(|begin| begin == format!("every::run_{}", entry.name), |end| end == name);
        let path = entries.iter().find_map(path);
        path.map_or_else(|| name.to_owned(), |path| path.join("\n    → "))
    };
    names.into_iter().map(fault).collect()
}

#[cfg(test)]
mod tests {
    use super::maps;

    #[test]
    fn arguments_are_written_as_the_macro_takes_them() {
        let words = ["dims:input=1,512", "dims:batch=1", "inputs:sr=16000"];
        let expected = "dims = { \"input\": [1,512], \"batch\": 1,  }, inputs = { \"sr\": 16000,  }, ";
        assert_eq!(maps(&words).unwrap(), expected);
    }
}
