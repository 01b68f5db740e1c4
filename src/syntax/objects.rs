//! `path:{…}`: clauses that one and the same object meets.
//!
//! Solr has no such form. It reads `{` as the opening of a range, and what it reads as a range stays
//! one. Solr refuses most texts that are meant as clauses, since no range has a colon and a bracket
//! in this place: `items:{a:[1 TO 2]}` would be a range from `a:[1` to 2 with a stray brace behind
//! it. But whether a brace is stray is known only at the end of the query. So such a range is
//! *doubtful*: it is one if the whole query is one of Solr's, and clauses otherwise.

use super::ast::{Ast, LeafQuery};
use super::grammar::{LuceneParser, Rule};
use pest::Parser;
use pest::iterators::Pair;
use std::cell::Cell;
use std::fmt::{self, Formatter};

/// What is known of the braces of a query, those of nested query strings included.
#[derive(Default)]
pub(super) struct Braces {
    /// Whether doubtful ranges are read as the clauses of an object.
    pub are_objects: bool,
    /// Whether there was a doubtful range.
    pub has_doubtful: Cell<bool>,
    /// Whether there were clauses of an object, which Solr refuses.
    pub has_object: Cell<bool>,
}

impl Braces {
    /// Whether a range in braces, which Solr's grammar reads, is to be read as clauses.
    pub fn is_object(&self, range: &Pair<'_, Rule>) -> bool {
        let is_doubtful = range.as_str().starts_with('{') && has_opening(range);
        self.has_doubtful.set(self.has_doubtful.get() || is_doubtful);
        is_doubtful && self.are_objects
    }
}

/// Whether a bound of a range has an opening bracket that is neither escaped nor in quotes.
fn has_opening(range: &Pair<'_, Rule>) -> bool {
    let bounds = range.clone().into_inner().filter(|part| part.as_rule() == Rule::bound);
    let mut bare = bounds.flat_map(Pair::into_inner).filter(|b| b.as_rule() == Rule::bound_bare);
    bare.any(|bound| {
        let mut chars = bound.as_str().chars();
        std::iter::from_fn(|| match chars.next()? {
            '\\' => chars.next().map(|_| false),
            c => Some(matches!(c, '[' | '{' | '(')),
        })
        .any(|is_opening| is_opening)
    })
}

/// Writes the clauses of an object in braces. Where Solr would read them as a range, parentheses
/// with a space behind each stand around them: no range goes on in this way.
pub(super) fn write_in_braces(f: &mut Formatter<'_>, query: &Ast) -> fmt::Result {
    let text = query.to_string();
    let braces = format!("{{{text}}}");
    let is_range = match LuceneParser::parse(Rule::range, &braces) {
        Err(_) => false,
        // If it ends where a range does with which the clauses begin, a brace is left behind it.
        Ok(mut found) => found.next().is_none_or(|found| {
            let end = first_range(query).and_then(|first| Some(braces.find(&first)? + first.len()));
            end.is_none_or(|end| end > found.as_str().len())
        }),
    };
    match is_range {
        true => write!(f, "{{( ( {text} ) )}}"),
        false => f.write_str(&braces),
    }
}

/// The text of the first condition if it is a range.
fn first_range(mut query: &Ast) -> Option<String> {
    loop {
        query = match query {
            Ast::Boolean(clauses) => &clauses.first()?.1,
            Ast::Boost(inner, _) | Ast::Constant(inner, _) => inner,
            Ast::Object { query, .. } => query,
            Ast::Condition { query: LeafQuery::Range { .. }, .. } => {
                return Some(query.to_string());
            }
            Ast::All | Ast::Condition { .. } | Ast::Filter(_) => return None,
        }
    }
}
