//! What stands for a type that a compile error left unknown.

use core::ops::{Deref, DerefMut};
use core::slice;

/// An input or output of unknown type: as most are `f32`, it can be used as a slice of these, so that the error that left the type
/// unknown is the only one that the user sees. Nothing with it ever runs.
#[derive(Debug)]
pub struct Unknown(());

impl Deref for Unknown {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &[]
    }
}

impl DerefMut for Unknown {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut []
    }
}

impl<'a> IntoIterator for &'a Unknown {
    type Item = &'a f32;
    type IntoIter = slice::Iter<'a, f32>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
