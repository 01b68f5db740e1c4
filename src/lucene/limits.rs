//! What is refused before it can cost anything.

use super::ast::Ast;
use super::diagnosis::syntax_error;
use super::error::{Error, ErrorKind};
use super::parse::{LuceneParser, Rule};
use pest::Parser;
use std::borrow::Cow;

/// Longest query, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// Groups within groups, nested query strings' included.
pub const MAX_DEPTH: usize = 256;
/// Values, patterns and ranges in one query.
pub const MAX_LEAVES: usize = 1 << 14;
/// Query strings within query strings. Each is read anew, so that this bounds the time, too.
const MAX_NESTED_QUERIES: usize = 16;

fn too_long(message: String) -> Error {
    let hint = Some("Split it, or join with a table of the values.".into());
    Error { kind: ErrorKind::TooComplex, message, position: None, hint }
}

fn too_many_leaves() -> Error {
    too_long(format!("the query has more than {MAX_LEAVES} clauses"))
}

pub(super) fn check_length(text: &str) -> Result<(), Error> {
    match text.len() {
        0..=MAX_BYTES => Ok(()),
        _ => Err(too_long(format!("the query is longer than {MAX_BYTES} bytes"))),
    }
}

pub(super) fn check_leaves(ast: &Ast) -> Result<(), Error> {
    match ast.leaf_count() {
        0..=MAX_LEAVES => Ok(()),
        _ => Err(too_many_leaves()),
    }
}

/// Gives back the number, if it is not too large; `at` is the place of the innermost of the query strings.
pub(super) fn check_nested_queries(nested: usize, at: usize) -> Result<usize, Error> {
    match nested {
        0..=MAX_NESTED_QUERIES => Ok(nested),
        _ => Err(Error::too_complex(
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

/// Refuses what would nest too deeply, before the recursive rules see it, and what is certain to have too many clauses.
pub(super) fn check_depth(text: &str, outer: usize) -> Result<(), Error> {
    // Most texts are too short and have too few parentheses, so that there is no need to read them twice.
    let parentheses = text.bytes().filter(|&byte| byte == b'(').count();
    if text.len() <= 4 * MAX_LEAVES && outer + parentheses <= MAX_DEPTH {
        return Ok(());
    }
    unclosed(text, outer).map(drop)
}

/// The place of the innermost parenthesis that is never closed.
pub(super) fn unclosed(text: &str, outer: usize) -> Result<Option<usize>, Error> {
    let mut open = Vec::new();
    let mut words = 0;
    let tokens = LuceneParser::parse(Rule::nesting, text)
        .map_err(|error| syntax_error(text, &error))?
        .flatten();
    for token in tokens {
        match token.as_rule() {
            Rule::open => open.push(token.as_span().end() - 1),
            Rule::close => drop(open.pop()),
            Rule::word => words += 1,
            _ => {}
        }
        // A clause takes four words at most: AND NOT field:value.
        if words > 4 * MAX_LEAVES {
            return Err(too_many_leaves());
        }
        if outer + open.len() > MAX_DEPTH {
            return Err(Error::too_complex(
                token.as_span().start(),
                format!("the query is nested more than {MAX_DEPTH} deep"),
            ));
        }
    }
    Ok(open.pop())
}
