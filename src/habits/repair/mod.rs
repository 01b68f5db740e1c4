//! What a query that is refused was probably meant to be.
//!
//! Each repair changes the text at the mistake. A text that is still refused is no repair, so every
//! one that is suggested can be run.

mod brackets;
mod ends;
mod paths;
mod values;

use super::clauses::Typed;
use super::lexer::Kind;
use super::objects::{in_braces, list_in_braces, object, selector, without_braces};
use super::rewrite;
use crate::syntax::{self, ParseError, ParseErrorKind};
use brackets::{brackets_of_values, expression, list_in_brackets, range_ends};
use ends::{
    backslash, closing_parenthesis, closing_quote, escaped_quote, extra_parenthesis, operators,
    whole_text,
};
use paths::{bracketed_keys, date_math, quoted_field, wildcard_path};
use values::{colons, missing_value, signed_value, slashes};

/// How many repairs are suggested.
const MOST: usize = 3;

/// Beyond so many bytes nothing is suggested. Each repair is parsed.
const MAX_BYTES: usize = 2 << 10;

type Repair = fn(&str, &ParseError) -> Option<String>;

/// The most likely repairs first.
const REPAIRS: &[Repair] = &[
    list_in_braces,
    bracketed_keys,
    quoted_field,
    wildcard_path,
    expression,
    range_ends,
    list_in_brackets,
    brackets_of_values,
    slashes,
    signed_value,
    missing_value,
    operators,
    closing_quote,
    closing_parenthesis,
    colons,
    escaped_quote,
    extra_parenthesis,
    backslash,
    without_braces,
];

/// The same error, with the repairs in its hint.
pub fn with_repairs(text: &str, mut error: ParseError) -> ParseError {
    let repairs = repairs(text, &error);
    if repairs.is_empty() {
        return error;
    }
    // The parser's hint is about a part of the text.
    let hint = error.hint.take().filter(|_| whole(text).is_none());
    let others = hint.map_or(String::new(), |hint| format!(" {hint}"));
    error.hint = Some(format!("Did you mean {}?{others}", repairs.join(", or ")));
    error
}

/// Queries that were probably meant by a text that is refused.
pub fn repairs(text: &str, error: &ParseError) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let is_readable = text.len() <= MAX_BYTES && !text.trim().is_empty() && !text.starts_with("{!");
    if error.kind != ParseErrorKind::Syntax || !is_readable {
        return found;
    }
    // All other repairs would look for the text itself.
    if error.message.contains("is not valid date math") {
        let query = date_math(text, error);
        return query.and_then(|query| parsed(meant(query))).into_iter().collect();
    }
    if let Some(query) = whole(text) {
        return vec![query];
    }
    let mut add = |repaired: String| {
        // A repair may show another habit, which its suggestion shows no more.
        let repaired = meant(repaired);
        let is_new = !repaired.trim().is_empty()
            && repaired != text
            && !found.contains(&repaired)
            && super::excerpt(&repaired) == repaired;
        if is_new && found.len() < MOST && syntax::parse(&repaired).is_ok() {
            found.push(repaired);
        }
    };
    let has_stray = Typed::read(text)
        .is_some_and(|typed| typed.tokens.iter().any(|token| token.kind == Kind::Stray));
    let rewritten = rewrite(text);
    let is_object = text.contains("{$") || text.contains("{ $");
    if let Some(rewritten) = rewritten.as_ref().filter(|_| !has_stray && !is_object) {
        add(rewritten.clone());
    }
    for repair in REPAIRS {
        let Some(once) = repair(text, error) else { continue };
        match syntax::parse(&once) {
            Ok(_) => add(once),
            // The same mistake, or a second one, somewhere else
            Err(error) => {
                REPAIRS.iter().filter_map(|again| again(&once, &error)).for_each(&mut add)
            }
        }
    }
    // Both a habit and a mistake
    if found.is_empty()
        && let Some(rewritten) = rewritten
        && let Err(error) = syntax::parse(&rewritten)
    {
        let repairs: Vec<String> = REPAIRS.iter().filter_map(|r| r(&rewritten, &error)).collect();
        repairs.into_iter().filter_map(parsed).take(MOST).for_each(|r| found.push(r));
    }
    if found.is_empty() {
        found.extend(whole_text(text).and_then(parsed));
    }
    found
}

/// The query of a text that is in another form as a whole. Repairs of its parts would keep the rest
/// of that form.
fn whole(text: &str) -> Option<String> {
    let query = object(text).or_else(|| selector(text)).or_else(|| in_braces(text))?;
    parsed(meant(query))
}

/// The query without the habits that it shows.
fn meant(query: String) -> String {
    rewrite(&query).filter(|meant| syntax::parse(meant).is_ok()).unwrap_or(query)
}

/// The query, if it is one.
fn parsed(query: String) -> Option<String> {
    syntax::parse(&query).is_ok().then_some(query)
}

/// Splits a text at the mistake.
fn split<'t>(text: &'t str, error: &ParseError) -> Option<(&'t str, &'t str)> {
    text.split_at_checked(error.position?.min(text.len()))
}

/// Replaces a part of a text.
fn replaced(text: &str, start: usize, end: usize, with: &str) -> Option<String> {
    Some(format!("{}{with}{}", text.get(..start)?, text.get(end..)?))
}
