//! A case: a model and its inputs in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use crate::draft::Drawn;

/// A case in a folder.
#[derive(Clone, Debug)]
pub struct Case {
    /// The name of its folder.
    pub name: String,
    folder: PathBuf,
    /// How many inputs a run is given.
    pub inputs: usize,
}

impl Case {
    /// Writes a case into `folder/name`.
    pub fn write(folder: &Path, name: &str, drawn: &Drawn) -> Self {
        let case = Self { name: name.to_owned(), folder: folder.join(name), inputs: drawn.inputs.len() };
        fs::create_dir_all(&case.folder).expect("target can be written to");
        case.save("model.onnx", &drawn.model);
        for (index, input) in drawn.inputs.iter().enumerate() {
            case.save(&format!("input_{index}.bin"), input);
        }
        case
    }

    fn save(&self, file: &str, bytes: &[u8]) {
        fs::write(self.path(file), bytes).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    /// Where a file of this case lies.
    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.join(file)
    }

    /// The bytes of a file of this case, if it is there.
    pub fn read(&self, file: &str) -> Option<Vec<u8>> {
        fs::read(self.path(file)).ok()
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What was drawn, as it lies in the folder.
    pub fn drawn(&self) -> Drawn {
        let read = |file: String| self.read(&file).unwrap_or_else(|| panic!("{} has no {file}", self.name));
        let inputs = (0..self.inputs).map(|index| read(format!("input_{index}.bin"))).collect();
        Drawn { model: read("model.onnx".to_owned()), inputs }
    }
}
