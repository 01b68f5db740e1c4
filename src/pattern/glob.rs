//! The parts that wildcard patterns are made of.

use crate::interrupts;

/// One part of a wildcard pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Glob {
    /// The character itself.
    Char(char),
    /// `?`: one character.
    One,
    /// `*`: any number of characters.
    Any,
}

/// The rest of the text behind the pattern, if the text begins with it. The pattern has no star.
pub(super) fn strip_globs<'a>(globs: &[Glob], text: &'a str) -> Option<&'a str> {
    interrupts::spend(1 + globs.len() / 16);
    let mut chars = text.chars();
    let fits = globs.iter().all(|glob| match (glob, chars.next()) {
        (Glob::Char(expected), Some(found)) => *expected == found,
        (_, found) => found.is_some(),
    });
    fits.then_some(chars.as_str())
}
