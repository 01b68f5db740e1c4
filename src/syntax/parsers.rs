//! The query parsers that local parameters choose (Solr's `QParserPlugin.standardPlugins`).

use super::ast::{Ast, LeafQuery, Occur};
use super::context::Context;
use super::date_math::{self, ValueKind};
use super::limits::check_path;
use super::local_params::LocalParams;
use crate::parse_error::ParseError;
use crate::pattern::{Regexp, to_lucene_8};

/// The methods that `{!terms method=…}` accepts (`TermsQParserPlugin.Method`). All of them find the
/// same documents.
const METHODS: [&str; 6] = [
    "termsFilter",
    "booleanQuery",
    "automaton",
    "docValuesTermsFilter",
    "docValuesTermsFilterTopLevel",
    "docValuesTermsFilterPerSegment",
];

/// Reads a query string that begins with local parameters.
pub(super) fn query(text: &str, context: &Context) -> Result<Option<Ast>, ParseError> {
    if context.is_in_object() {
        return Err(ParseError::unsupported(
            0,
            "local parameters within the braces of an object are not supported",
        )
        .with_hint("Write the clause in the standard form, such as path:{sku:\"a b\"}."));
    }
    let params = LocalParams::parse(text)?;
    let context = context.nested(0)?;
    let behind = || text.get(params.length..).unwrap_or_default();
    let value = params.get("v").unwrap_or_else(behind);
    let within = |error: ParseError| match params.get("v") {
        Some(_) => error.within("in the parameter v", 0),
        None => error.shifted_by(params.length),
    };
    match params.get("type").unwrap_or("lucene") {
        "lucene" => {
            let default_field = params.get("df").map(str::to_string);
            if default_field.as_deref().is_some_and(str::is_empty) {
                return Err(ParseError::syntax(0, "the default field (df) has no name"));
            }
            default_field.as_deref().map_or(Ok(()), check_path)?;
            let mut inner = context;
            inner.default_field = default_field;
            inner.all_required =
                params.get("q.op").is_some_and(|op| op.eq_ignore_ascii_case("and"));
            inner.split_words = params.get("sow").is_some_and(|sow| sow == "true");
            inner.read_lucene(value).map_err(within)
        }
        // In a field that is not tokenized, all three search for exactly this value.
        "term" | "field" | "raw" => equal(&context, field(&params)?, value),
        "terms" => terms(&context, &params, value),
        "prefix" => {
            let query = if value.is_empty() {
                LeafQuery::Exists
            } else {
                LeafQuery::Prefix(value.to_string())
            };
            context.condition_at(Some(field(&params)?), query)
        }
        "regexp" => regexp(&context, &params, value),
        "bool" => boolean(&context, &params),
        "boost" => boost(&context, &params, value).map_err(within),
        join @ ("parent" | "child") => Err(ParseError::unsupported(
            0,
            format!("the query parser \"{join}\" is not supported"),
        )
        .with_hint(
            "A document holds its objects itself. For those in which one object meets several \
             clauses, write path:{sku:gift AND quantity:[2 TO *]}.",
        )),
        other => Err(ParseError::unsupported(
            0,
            format!("the query parser \"{other}\" is not supported"),
        )
        .with_hint(
            "The parsers are lucene, term, terms, prefix, regexp, field, raw, bool and boost.",
        )),
    }
}

/// `{!regexp f=path flags=i}…`: a regular expression in the syntax of Lucene 9. Solr has no parser
/// of this name. Between slashes it gives a meaning of its own to all that would be new: `\d` is the
/// letter d, `(?i)` a text, and an i behind the slash a word of its own.
fn regexp(
    context: &Context,
    params: &LocalParams,
    pattern: &str,
) -> Result<Option<Ast>, ParseError> {
    let ignore_case = match params.get("flags") {
        None | Some("") => false,
        Some("i") => true,
        Some(other) => {
            return Err(ParseError::syntax(
                0,
                format!("there is no flag \"{other}\" of {{!regexp}}"),
            )
            .with_hint("The flag i ignores case."));
        }
    };
    let path = field(params)?;
    let regexp = to_lucene_8(pattern, ignore_case)
        .and_then(|source| Regexp::parse(&source, 0))
        .map_err(|error| error.within("in the regular expression", 0))?;
    context.condition_at(Some(path), LeafQuery::Regexp(regexp))
}

/// The parameter `f`.
fn field(params: &LocalParams) -> Result<String, ParseError> {
    let path = params.get("f").filter(|path| !path.is_empty()).ok_or_else(|| {
        ParseError::syntax(0, "the local parameters name no field")
            .with_hint("Write it as {!term f=path}value.")
    })?;
    check_path(path)?;
    Ok(path.to_string())
}

/// A condition on a text that is taken literally. A text that looks like wrong date math would be
/// refused as an equal value, so it becomes a fuzzy term of 0 edits.
fn equal(context: &Context, path: String, value: &str) -> Result<Option<Ast>, ParseError> {
    let query = match date_math::is_bad(value, ValueKind::Value) {
        true => LeafQuery::Fuzzy(value.to_string(), 0),
        false => LeafQuery::Equal(value.to_string()),
    };
    context.condition_at(Some(path), query)
}

/// `{!terms f=path}a,b`: any of the values (`TermsQParserPlugin`).
fn terms(context: &Context, params: &LocalParams, values: &str) -> Result<Option<Ast>, ParseError> {
    let path = field(params)?;
    if let Some(method) = params.get("method").filter(|method| !METHODS.contains(method)) {
        return Err(ParseError::syntax(
            0,
            format!("there is no method \"{method}\" of {{!terms}}"),
        )
        .with_hint("Leave it out: all methods find the same documents."));
    }
    // White space is that of Java's `trim` and `\s`. If the separator is empty, each character is a
    // value, and so is the empty text at the end.
    let values: Box<dyn Iterator<Item = &str>> = match params.get("separator").unwrap_or(",") {
        " " => Box::new(
            values
                .trim_matches(|c| c <= ' ')
                .split([' ', '\t', '\n', '\u{b}', '\u{c}', '\r'])
                .filter(|value| !value.is_empty()),
        ),
        _ if values.is_empty() => Box::new(std::iter::empty()),
        "" => Box::new(values.split("").skip(1)),
        separator => Box::new(values.split(separator)),
    };
    let mut any = Vec::new();
    for value in values {
        any.extend(equal(context, path.clone(), value)?.map(|query| (Occur::Should, query)));
    }
    Ok(Some(together(any)))
}

/// `{!bool must=a should=b}` (`BoolQParserPlugin` and its base `FiltersQParser`). The text behind
/// the parameters is not read.
fn boolean(context: &Context, params: &LocalParams) -> Result<Option<Ast>, ParseError> {
    check_default_parser(params)?;
    let excluded: Vec<&str> =
        params.get("excludeTags").map_or(vec![], |tags| tags.split(',').collect());
    let mut clauses = Vec::new();
    for (name, occur) in [
        ("must", Occur::Must),
        ("must_not", Occur::MustNot),
        ("filter", Occur::Must),
        ("should", Occur::Should),
    ] {
        for text in params.all(name) {
            let within = |error: ParseError| error.within(&format!("in the parameter {name}"), 0);
            let own = match text.starts_with("{!") {
                true => LocalParams::parse(text).map_err(within)?,
                false => LocalParams::default(),
            };
            if own.get("tag").is_some_and(|tags| tags.split(',').any(|tag| excluded.contains(&tag)))
            {
                continue;
            }
            let query = context.read_query(text).map_err(within)?.ok_or_else(|| {
                ParseError::syntax(0, format!("the parameter {name} has no query in it"))
            })?;
            let is_filter = name == "filter" && own.get("cache") != Some("false");
            clauses.push(match is_filter {
                true => (occur, Ast::Filter(Box::new(query))),
                false => (occur, query),
            });
        }
    }
    Ok(Some(together(clauses)))
}

/// `{!boost b=function}query`: a boost does not change which documents match
/// (`BoostQParserPlugin`).
fn boost(context: &Context, params: &LocalParams, value: &str) -> Result<Option<Ast>, ParseError> {
    check_default_parser(params)?;
    let query = context.read_query(value)?;
    match (params.get("b"), query) {
        (None, query) => Ok(query),
        (Some(_), Some(query)) => Ok(Some(together(vec![(Occur::Should, query)]))),
        (Some(_), None) => Err(ParseError::syntax(0, "there is no query to boost")),
    }
}

/// Checks `defType`: the parser of the inner query strings that do not name one themselves.
fn check_default_parser(params: &LocalParams) -> Result<(), ParseError> {
    match params.get("defType") {
        None | Some("lucene") => Ok(()),
        Some(other) => Err(ParseError::unsupported(
            0,
            format!("the default parser \"{other}\" is not supported"),
        )
        .with_hint("Write {!parser …} before each query string.")),
    }
}

/// The clauses as one query. A clause that consists of prohibited clauses only matches nothing,
/// even if it is the only clause: Solr's `QueryUtils.makeQueryable` is applied only to the whole
/// query.
fn together(mut clauses: Vec<(Occur, Ast)>) -> Ast {
    match clauses.pop() {
        None => Ast::nothing(),
        Some((Occur::Should, only)) if clauses.is_empty() => match &only {
            Ast::Boolean(inner) if inner.iter().all(|(occur, _)| *occur == Occur::MustNot) => {
                Ast::nothing()
            }
            _ => only,
        },
        Some(last) => {
            clauses.push(last);
            Ast::Boolean(clauses)
        }
    }
}
