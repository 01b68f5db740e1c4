//! What is refused before it can cost anything.

use crate::parse_error::ParseError;
use std::borrow::Cow;
use std::cell::Cell;

/// Longest query, in bytes.
pub const MAX_QUERY_BYTES: usize = 1 << 20;
/// Groups within groups, nested query strings' included.
pub const MAX_GROUP_DEPTH: usize = 256;
/// Values, patterns and ranges in one query.
pub const MAX_CONDITIONS: usize = 1 << 14;
/// Longest path, in bytes.
pub const MAX_PATH_BYTES: usize = 1 << 16;
/// Longest sort order, in bytes, and the most paths it may have.
pub(super) const MAX_SORT_BYTES: usize = 1 << 18;
pub(super) const MAX_SORT_KEYS: usize = 1 << 8;
/// Query strings within query strings. Each is read anew, so that this bounds the time, too.
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

/// What the conditions of a query may still take, nested query strings' included.
pub(super) struct Allowance {
    conditions: Cell<usize>,
    /// A path stands before a whole group, and each leaf of it has it.
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
    /// Takes one leaf with its path from what is left.
    pub(super) fn take(&self, path: Option<&str>) -> Result<(), ParseError> {
        let conditions = self.conditions.get().checked_sub(1).ok_or_else(too_many_conditions)?;
        self.conditions.set(conditions);
        let length = path.map_or(0, str::len);
        let path_bytes = self
            .path_bytes
            .get()
            .checked_sub(length)
            .ok_or_else(|| too_long("the paths of all clauses are too long together".into()))?;
        self.path_bytes.set(path_bytes);
        Ok(())
    }
}

/// Words in a row are read before it is known what they are.
pub(super) fn check_words(words: usize) -> Result<(), ParseError> {
    match words {
        0..=MAX_CONDITIONS => Ok(()),
        _ => Err(too_many_conditions()),
    }
}

/// A path of a query, of a sort order, or of a store's identity.
///
/// # Errors
/// `TooComplex` past the limit.
pub fn check_path(path: &str) -> Result<(), ParseError> {
    match path.len() {
        0..=MAX_PATH_BYTES => Ok(()),
        _ => Err(ParseError::too_large(format!("a path is longer than {MAX_PATH_BYTES} bytes"))),
    }
}

/// Gives back the depth of a group within so many others; `at` is its place.
pub(super) fn deeper(depth: usize, at: usize) -> Result<usize, ParseError> {
    match depth {
        0..MAX_GROUP_DEPTH => Ok(depth + 1),
        _ => Err(ParseError::too_complex(
            at,
            format!("the query is nested more than {MAX_GROUP_DEPTH} deep"),
        )),
    }
}

/// Gives back the number, if it is not too large; `at` is the place of the innermost of the query strings.
pub(super) fn check_nested_queries(nested: usize, at: usize) -> Result<usize, ParseError> {
    match nested {
        0..=MAX_NESTED_QUERIES => Ok(nested),
        _ => Err(ParseError::too_complex(
            at,
            format!("more than {MAX_NESTED_QUERIES} query strings within each other"),
        )),
    }
}

/// Behind the last closing brace `{!` cannot begin local parameters but only a range. Escaping its `!` says so to the
/// grammar, which would otherwise look for the brace from each of them to the end. Gives the places of the backslashes.
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
