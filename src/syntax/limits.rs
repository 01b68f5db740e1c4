//! The limits of a query, checked before anything is spent on what goes beyond them.

use crate::parse_error::ParseError;
use std::borrow::Cow;
use std::cell::Cell;

/// The longest query, in bytes: 1 MB. The time to read a query grows with its length.
pub const MAX_QUERY_BYTES: usize = 1 << 20;
/// How many groups may be within each other, those of nested query strings included. The tree is
/// walked recursively later, and this depth fits into the stack of every server process.
pub const MAX_GROUP_DEPTH: usize = 256;
/// How many conditions (values, patterns and ranges) one query may have. More of them belong into a
/// table that is joined.
pub const MAX_CONDITIONS: usize = 1 << 14;
/// The longest path, in bytes: 64 kB, far longer than the paths of real documents.
pub const MAX_PATH_BYTES: usize = 1 << 16;
/// The longest sort order, in bytes: 256 kB, enough for the most paths it may have.
pub(super) const MAX_SORT_BYTES: usize = 1 << 18;
/// How many paths a sort order may have. One value per path is read from each document.
pub(super) const MAX_SORT_KEYS: usize = 1 << 8;
/// The longest field list, in bytes: 16 kB. Each character takes a bit for every character of every
/// key of a document.
pub(super) const MAX_FIELDS_BYTES: usize = 1 << 14;
/// How many query strings may be within each other. Each level reads the text of the inner ones
/// again, so this limit also bounds the time.
const MAX_NESTED_QUERIES: usize = 16;

fn too_long(message: String) -> ParseError {
    ParseError::too_large(message).with_hint("Split it, or join with a table of the values.")
}

fn too_many_conditions() -> ParseError {
    too_long(format!("the query has more than {MAX_CONDITIONS} clauses"))
}

pub(super) fn check_length(text: &str) -> Result<(), ParseError> {
    match text.len() {
        0..=MAX_QUERY_BYTES => Ok(()),
        _ => Err(too_long(format!("the query is longer than {MAX_QUERY_BYTES} bytes"))),
    }
}

/// What the conditions of a query may still use, those of nested query strings included.
pub(super) struct Allowance {
    /// How many conditions may still follow.
    conditions: Cell<usize>,
    /// How many bytes their paths may still have. A path may stand before a whole group once, but
    /// each condition of the group holds a copy of it.
    path_bytes: Cell<usize>,
}

impl Default for Allowance {
    fn default() -> Self {
        Allowance {
            conditions: Cell::new(MAX_CONDITIONS),
            path_bytes: Cell::new(16 * MAX_QUERY_BYTES),
        }
    }
}

impl Allowance {
    /// Takes one condition and the bytes of its path from what is left.
    pub(super) fn take(&self, path_bytes: usize) -> Result<(), ParseError> {
        let conditions = self.conditions.get().checked_sub(1).ok_or_else(too_many_conditions)?;
        self.conditions.set(conditions);
        let path_bytes = self
            .path_bytes
            .get()
            .checked_sub(path_bytes)
            .ok_or_else(|| too_long("the paths of all clauses are too long together".into()))?;
        self.path_bytes.set(path_bytes);
        Ok(())
    }
}

/// Checks the number of words in a row, which are read before they become conditions.
pub(super) fn check_words(words: usize) -> Result<(), ParseError> {
    match words {
        0..=MAX_CONDITIONS => Ok(()),
        _ => Err(too_many_conditions()),
    }
}

/// Checks the length of a path of a query, of a sort order, or of a store's identity.
///
/// # Errors
/// `TooComplex` beyond the limit.
pub fn check_path(path: &str) -> Result<(), ParseError> {
    check_path_len(path.len())
}

pub(super) fn check_path_len(bytes: usize) -> Result<(), ParseError> {
    match bytes {
        0..=MAX_PATH_BYTES => Ok(()),
        _ => Err(ParseError::too_large(format!("a path is longer than {MAX_PATH_BYTES} bytes"))),
    }
}

/// Returns the depth of a group that is within `depth` others. `at` is its position.
pub(super) fn deeper(depth: usize, at: usize) -> Result<usize, ParseError> {
    match depth {
        0..MAX_GROUP_DEPTH => Ok(depth + 1),
        _ => Err(ParseError::too_complex(
            at,
            format!("the query is nested more than {MAX_GROUP_DEPTH} deep"),
        )),
    }
}

/// Returns the number of nested query strings if it is not too large. `at` is the position of the
/// innermost one.
pub(super) fn check_nested_queries(nested: usize, at: usize) -> Result<usize, ParseError> {
    match nested {
        0..=MAX_NESTED_QUERIES => Ok(nested),
        _ => Err(ParseError::too_complex(
            at,
            format!("more than {MAX_NESTED_QUERIES} query strings within each other"),
        )),
    }
}

/// Escapes the `!` of each `{!` behind the last closing brace, and returns the positions of the
/// backslashes. There `{!` can begin only a range, and no local parameters. Without the escape the
/// grammar would search for a closing brace from each `{!` to the end of the text, which would take
/// quadratic time.
pub(super) fn escape_dangling_parameters(
    text: &str,
    last_brace: usize,
) -> (Cow<'_, str>, Vec<usize>) {
    let (head, tail) = text.split_at(last_brace);
    let mut inserted = Vec::new();
    for (at, _) in tail.match_indices("{!") {
        inserted.push(last_brace + at + 1 + inserted.len());
    }
    if inserted.is_empty() {
        return (Cow::Borrowed(text), inserted);
    }
    (Cow::Owned(format!("{head}{}", tail.replace("{!", "{\\!"))), inserted)
}
