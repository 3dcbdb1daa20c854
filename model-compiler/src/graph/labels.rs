//! What the columns of a classifier's probabilities are called.

/// The classes, one for each column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    /// By number.
    Numbers(Vec<i64>),
    /// By name.
    Words(Vec<String>),
}

impl Labels {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Words(words) => words.len(),
        }
    }
}
