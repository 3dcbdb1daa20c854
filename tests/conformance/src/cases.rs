//! The cases as `cases.py` has written them.

use std::fs;
use std::path::Path;

/// One case of the suite.
#[derive(Clone, Debug)]
pub struct Case {
    /// Its name, which is that of its folder.
    pub name: String,
    /// What it asks of a compiler beside its operator.
    pub class: String,
    /// How far a float may be off, as a part of what was recorded.
    pub relative: f64,
    /// How far a float may be off besides.
    pub absolute: f64,
    /// The types of what a run is given; `-` for what is no tensor of a type that this compiler has.
    pub inputs: Vec<String>,
    /// The types of what was recorded.
    pub outputs: Vec<String>,
}

/// The lines of `cases.tsv`.
pub fn read(folder: &Path) -> Vec<Case> {
    let path = folder.join("cases.tsv");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().map(case).collect()
}

fn case(line: &str) -> Case {
    let columns: Vec<&str> = line.split('\t').collect();
    let [name, class, relative, absolute, inputs, outputs] = columns[..] else {
        panic!("cases.tsv: `{line}` has not six columns")
    };
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("cases.tsv: `{text}` in `{line}` is no number"));
    let types = |text: &str| text.split(';').filter(|ty| !ty.is_empty()).map(str::to_owned).collect();
    Case {
        name: name.to_owned(),
        class: class.to_owned(),
        relative: number(relative),
        absolute: number(absolute),
        inputs: types(inputs),
        outputs: types(outputs),
    }
}

impl Case {
    /// Whether all that a run is given and yields can be written as bytes.
    pub fn is_tensors(&self) -> bool {
        self.inputs.iter().chain(&self.outputs).all(|ty| ty != "-")
    }

    /// The recorded bytes of output `index`.
    pub fn recorded(&self, folder: &Path, index: usize) -> Vec<u8> {
        let path = folder.join(&self.name).join(format!("output_{index}.bin"));
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}
