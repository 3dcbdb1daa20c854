//! Choices that bytes make.

/// The bytes that are left; past their end all are zero.
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether all bytes are used up.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn byte(&mut self) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        (*first).into()
    }

    /// A number below `limit`, which is not zero; one byte decides where it can.
    pub fn below(&mut self, limit: usize) -> usize {
        let number = if limit > 256 { self.byte() << 8 | self.byte() } else { self.byte() };
        number % limit
    }

    /// A number from 1 to `most`.
    pub fn upto(&mut self, most: usize) -> usize {
        self.below(most) + 1
    }

    /// One of `all`, if there is any.
    pub fn one_of<'b, T>(&mut self, all: &'b [T]) -> Option<&'b T> {
        let index = self.below(all.len().max(1));
        all.get(index)
    }
}
