//! One operand of a query: a value, a pattern, a range or a group, and the field before it.

use super::ast::{Ast, Bound, LeafQuery};
use super::context::{Context, Field};
use super::date_math::{self, ValueKind};
use super::escape::{between_quotes, unescape, unescape_globs};
use super::grammar::Rule;
use super::limits::check_path;
use crate::parse_error::ParseError;
use crate::pattern::Regexp;
use pest::iterators::Pair;
use std::borrow::Cow;

/// What a clause consists of.
pub(super) enum Operand {
    /// A query that is read completely; none if it has no clauses.
    Query(Option<Ast>),
    /// The beginning of a group. Its clauses follow in the text.
    Opens {
        /// What holds for the clauses of the group.
        context: Context,
        /// What encloses them.
        kind: GroupKind,
        /// Where the opening parenthesis or brace stands in the clause.
        at: usize,
    },
}

/// What encloses the clauses of a group.
pub(super) enum GroupKind {
    /// Parentheses, or nothing around the whole query.
    Plain,
    /// `filter(…)`
    Filter,
    /// `path:{…}`, with the path.
    Object(String),
}

/// Reads a field, if there is one, and what follows it.
pub(super) fn operand(pair: Pair<'_, Rule>, context: &Context) -> Result<Operand, ParseError> {
    let mut context = Cow::Borrowed(context);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::field => context.to_mut().field = Some(field(part)?),
            rule @ (Rule::group | Rule::filter) => {
                let kind = if rule == Rule::filter { GroupKind::Filter } else { GroupKind::Plain };
                let at = part.as_span().end() - 1;
                return Ok(Operand::Opens { context: context.into_owned(), kind, at });
            }
            Rule::object => return object(part, &context),
            Rule::range if context.braces.is_object(&part) => return object(part, &context),
            Rule::local_params => return local_params(part, &context).map(Operand::Query),
            Rule::range => return range(part, &context).map(Operand::Query),
            Rule::phrase | Rule::bare => return single(part, &context).map(Operand::Query),
            _ => {}
        }
    }
    Ok(Operand::Query(None))
}

fn field(pair: Pair<'_, Rule>) -> Result<Field, ParseError> {
    match pair.as_str() {
        "*" => Ok(Field::Any),
        name => {
            let path = unescape(name, pair.as_span().start())?;
            check_path(&path)?;
            Ok(Field::Path(path))
        }
    }
}

/// Opens the group of an object's clauses.
fn object(pair: Pair<'_, Rule>, context: &Context) -> Result<Operand, ParseError> {
    let at = pair.as_span().start();
    let (path, context) = context.object(at)?;
    Ok(Operand::Opens { context, kind: GroupKind::Object(path), at })
}

/// Reads a query string that begins with local parameters, and the boost behind it.
fn local_params(pair: Pair<'_, Rule>, context: &Context) -> Result<Option<Ast>, ParseError> {
    let mut inner = pair.into_inner();
    let found = match inner.next() {
        Some(text) => {
            let at = text.as_span().start();
            context.read_query(text.as_str()).map_err(|error| error.shifted_by(at))?
        }
        None => None,
    };
    inner.try_fold(found, boost)
}

/// `^2` or `^=2` (Solr's `handleBoost`; Lucene's `BoostQuery` takes no negative number).
pub(super) fn boost(query: Option<Ast>, pair: Pair<'_, Rule>) -> Result<Option<Ast>, ParseError> {
    if pair.as_rule() != Rule::boost {
        return Ok(query);
    }
    let Some(query) = query.map(Box::new) else { return Ok(None) };
    let number = pair.as_str().strip_prefix('^').unwrap_or_default();
    let (constant, digits) = match number.strip_prefix('=') {
        Some(digits) => (true, digits),
        None => (false, number),
    };
    let by = digits.parse::<f32>().ok().filter(|by| by.is_finite() && by.is_sign_positive());
    match by {
        Some(by) if constant => Ok(Some(Ast::Constant(query, by))),
        Some(by) => Ok(Some(Ast::Boost(query, by))),
        None => Err(ParseError::syntax(
            pair.as_span().start(),
            "a boost must be a finite number of 0 or more",
        )),
    }
}

fn range(pair: Pair<'_, Rule>, context: &Context) -> Result<Option<Ast>, ParseError> {
    let (mut bounds, mut inclusive, mut boosts) = (Vec::new(), Vec::new(), None);
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::opening | Rule::closing => inclusive.push(matches!(part.as_str(), "[" | "]")),
            Rule::bound => bounds.push(bound(part)?),
            Rule::boost => boosts = Some(part),
            _ => {}
        }
    }
    let mut ends = bounds.into_iter().zip(inclusive).map(|(text, inclusive)| match text {
        None => Bound::Open,
        Some(text) if inclusive => Bound::Inclusive(text),
        Some(text) => Bound::Exclusive(text),
    });
    let mut next_end = || ends.next().unwrap_or(Bound::Open);
    let query = match (next_end(), next_end()) {
        (Bound::Open, Bound::Open) => LeafQuery::Exists,
        (lower, upper) => LeafQuery::Range { lower, upper },
    };
    boosts.into_iter().try_fold(context.condition(query)?, boost)
}

/// The text of a bound; none for an open bound.
fn bound(pair: Pair<'_, Rule>) -> Result<Option<String>, ParseError> {
    let (text, at) = (pair.as_str(), pair.as_span().start());
    let is_quoted = pair.into_inner().any(|inner| inner.as_rule() == Rule::bound_quoted);
    let text = match text {
        "*" => return Ok(None),
        _ if is_quoted => unescape(between_quotes(text), at + 1)?,
        _ => unescape(text, at)?,
    };
    date_math::check(&text, ValueKind::Bound, at)?;
    Ok(Some(text))
}

/// Reads a single value or pattern (Solr's `handleBareTokenQuery` and `handleQuotedTerm`).
fn single(pair: Pair<'_, Rule>, context: &Context) -> Result<Option<Ast>, ParseError> {
    let parts: Vec<_> = pair.into_inner().collect();
    let fuzzy = parts.iter().find(|part| part.as_rule() == Rule::fuzzy);
    let Some(token) = parts.first() else { return Ok(None) };
    let (text, at) = (token.as_str(), token.as_span().start());
    let query = match token.as_rule() {
        Rule::any if matches!(context.field, None | Some(Field::Any)) => context.all()?,
        Rule::any => context.condition(LeafQuery::Exists)?,
        Rule::prefix => {
            let start = unescape(text.strip_suffix('*').unwrap_or(text), at)?;
            context.condition(LeafQuery::Prefix(start))?
        }
        Rule::wildcard => context.condition(LeafQuery::Wildcard(unescape_globs(text)))?,
        Rule::regexp => {
            let regexp = Regexp::parse(between_quotes(text), at + 1)?;
            context.condition(LeafQuery::Regexp(regexp))?
        }
        Rule::quoted => field_query(unescape(between_quotes(text), at + 1)?, at, context)?,
        _ => {
            let value = unescape(text, at)?;
            if fuzzy.is_none() {
                check_word(text, at, context)?;
            }
            match fuzzy {
                Some(fuzzy) => {
                    let edits = edits(fuzzy, value.chars().count())?;
                    context.condition(LeafQuery::Fuzzy(value, edits))?
                }
                None => field_query(value, at, context)?,
            }
        }
    };
    parts.into_iter().filter(|part| part.as_rule() == Rule::boost).try_fold(query, boost)
}

/// Refuses the bare word `TO` among the clauses of an object: `f:{a b TO c}` is meant as a range.
pub(super) fn check_word(word: &str, at: usize, context: &Context) -> Result<(), ParseError> {
    if word != "TO" || !context.is_in_object() || context.field.is_some() {
        return Ok(());
    }
    Err(ParseError::syntax(at, "TO among the clauses of an object").with_hint(
        "Put an end of a range that has spaces in it in quotes, or escape the word as \\TO.",
    ))
}

/// A value must be equal, unless the field is one of Solr's magic fields
/// (`SolrQueryParserBase.MagicFieldName`).
pub(super) fn field_query(
    value: String,
    at: usize,
    context: &Context,
) -> Result<Option<Ast>, ParseError> {
    match &context.field {
        Some(Field::Path(path)) if path == "_query_" => {
            let nested = context.nested(at)?;
            nested.read_query(&value).map_err(|error| error.within("in the nested query", at))
        }
        Some(Field::Path(path)) if path == "_val_" => {
            Err(ParseError::unsupported(at, "function queries (_val_) are not supported"))
        }
        _ => {
            date_math::check(&value, ValueKind::Value, at)?;
            context.condition(LeafQuery::Equal(value))
        }
    }
}

/// The number of edits behind `~`, which may also be written as a similarity below 1 (Lucene's
/// `FuzzyQuery.floatToEdits`).
fn edits(pair: &Pair<'_, Rule>, length: usize) -> Result<u8, ParseError> {
    let number = pair.as_str().trim_start_matches('~');
    let number: f32 = if number.is_empty() { 2.0 } else { number.parse().unwrap_or(2.0) };
    // Solr's check takes every number beyond the range of an integer for a fraction
    // (`handleBareTokenQuery`).
    if number >= 1.0 && number != (number as i32) as f32 {
        return Err(ParseError::syntax(
            pair.as_span().start(),
            "fractions of an edit are not possible",
        )
        .with_hint("Write ~1 or ~2, or a similarity between 0 and 1."));
    }
    Ok(match number {
        n if n >= 1.0 => n.min(2.0) as u8,
        0.0 => 0,
        n => ((1.0 - f64::from(n)) * length as f64).min(2.0) as u8,
    })
}
