//! `zoo.txt`: the models and how exactly each must be met.

use model_compiler::{Dim, Elements, Options};

/// A line of the manifest.
#[derive(Debug)]
pub struct Entry {
    /// The name of its module: its folder's, with `_stream` where it has state.
    pub name: String,
    /// The folder of the model and its samples.
    pub folder: &'static str,
    /// The model's file in it.
    pub file: &'static str,
    /// How far a float output may be off, as a part of the recorded output's largest magnitude; `None` where no step may compute with
    /// floats.
    pub float: Option<f64>,
    /// How far an integer output may be off.
    pub steps: f64,
    /// The macro's arguments.
    pub options: Options,
}

/// The lines of the manifest that are no comments.
pub fn read() -> Vec<Entry> {
    include_str!("../../zoo.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(entry).collect()
}

fn entry(line: &'static str) -> Entry {
    let words: Vec<&'static str> = line.split_whitespace().collect();
    let [folder, file, float, steps, arguments @ ..] = &words[..] else { panic!("zoo.txt: `{line}` has fewer than four words") };
    let number = |word: &str| word.parse().unwrap_or_else(|_| panic!("zoo.txt: `{word}` in `{line}` is no number"));
    let float = (*float != "none").then(|| number(float));
    let mut options = Options::new(folder);
    for word in arguments {
        argument(&mut options, word).unwrap_or_else(|| panic!("zoo.txt: `{word}` in `{line}` is no argument"));
    }
    let name = if options.state.is_empty() { (*folder).to_owned() } else { format!("{folder}_stream") };
    Entry { name, folder, file, float, steps: number(steps), options }
}

/// Takes an entry of an argument that is a map: `dims:batch=1`, `dims:input=1,576`, `inputs:sr=16000`, `state:h=hn`, `state_init:h=-128`.
fn argument(options: &mut Options, word: &str) -> Option<()> {
    let (argument, entry) = word.split_once(':')?;
    let (key, value) = entry.rsplit_once('=')?;
    let key = key.to_owned();
    match argument {
        "dims" => {
            let sizes: Vec<usize> = value.split(',').map(|size| size.parse().ok()).collect::<Option<_>>()?;
            let dim = if value.contains(',') { Dim::Shape(sizes) } else { Dim::Size(sizes[0]) };
            options.dims.push((key, dim));
        }
        "inputs" => options.inputs.push((key, Elements::All(value.to_owned()))),
        "state" => options.state.push((key, value.to_owned())),
        "state_init" => options.state_init.push((key, Elements::All(value.to_owned()))),
        _ => return None,
    }
    Some(())
}

impl Entry {
    /// The arguments as the macro takes them.
    pub fn arguments(&self) -> String {
        let Options { dims, inputs, state, state_init, .. } = &self.options;
        let (dims, inputs, state, state_init) = (map(dims), map(inputs), map(state), map(state_init));
        let name = &self.name;
        format!(
            "name = {name}, dims = {{ {dims} }}, inputs = {{ {inputs} }}, state = {{ {state} }}, state_init = {{ {state_init} }}"
        )
    }
}

/// `"batch": 1, "input": [1, 576], `
fn map(entries: &[(String, impl std::fmt::Display)]) -> String {
    entries.iter().map(|(key, value)| format!("{key:?}: {value}, ")).collect()
}
