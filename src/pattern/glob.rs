//! The parts that wildcard patterns are made of.

use crate::interrupts;

/// One place of a wildcard pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Glob {
    /// This very character.
    Char(char),
    /// `?`
    One,
    /// `*`
    Any,
}

/// What follows the pattern where it stands at the beginning of the text.
pub(super) fn strip_globs<'a>(globs: &[Glob], text: &'a str) -> Option<&'a str> {
    interrupts::spend(1 + globs.len() / 16);
    let mut chars = text.chars();
    let fits = globs.iter().all(|glob| match (glob, chars.next()) {
        (Glob::Char(expected), Some(found)) => *expected == found,
        (_, found) => found.is_some(),
    });
    fits.then_some(chars.as_str())
}
