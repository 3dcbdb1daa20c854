//! `zoo.txt`: the models and how exactly each must be met.

/// A line of the manifest.
#[derive(Debug)]
pub struct Entry {
    /// The folder of the model and its samples; also the name of its module.
    pub name: &'static str,
    /// The model's file in it.
    pub file: &'static str,
    /// How far a float output may be off, as a part of the recorded output's largest magnitude; `None` where no step may compute with
    /// floats.
    pub float: Option<f64>,
    /// How far an integer output may be off.
    pub steps: f64,
    /// The sizes of open dimensions.
    pub dims: Vec<(&'static str, usize)>,
}

/// The lines of the manifest that are no comments.
pub fn read() -> Vec<Entry> {
    include_str!("../../zoo.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(entry).collect()
}

fn entry(line: &'static str) -> Entry {
    let words: Vec<&'static str> = line.split_whitespace().collect();
    let [name, file, float, steps, dims @ ..] = &words[..] else { panic!("zoo.txt: `{line}` has fewer than four words") };
    let number = |word: &str| word.parse().unwrap_or_else(|_| panic!("zoo.txt: `{word}` in `{line}` is no number"));
    let dim = |word: &&'static str| {
        let (name, size) = word.split_once('=').unwrap_or_else(|| panic!("zoo.txt: `{word}` in `{line}` is no size"));
        (name, size.parse().unwrap_or_else(|_| panic!("zoo.txt: `{word}` in `{line}` is no size")))
    };
    let float = (*float != "none").then(|| number(float));
    Entry { name, file, float, steps: number(steps), dims: dims.iter().map(dim).collect() }
}
