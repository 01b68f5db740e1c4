//! The `sort` argument: `path asc, other.path desc`.

use super::diagnosis::syntax_error;
use super::escape::{between_quotes, unescape};
use super::grammar::{LuceneParser, Rule};
use super::limits::{MAX_SORT_BYTES, MAX_SORT_KEYS, check_path};
use crate::interrupts;
use crate::parse_error::ParseError;
use pest::Parser;
use pest::iterators::Pair;
use std::fmt::{self, Display, Formatter};

/// One path to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    /// The path whose values are compared.
    pub path: String,
    /// Whether large values come first.
    pub descending: bool,
    /// Whether a document with several values is sorted by its largest value instead of its
    /// smallest.
    pub largest: bool,
}

/// Writes the key as `parse_sort` reads it. `field(path,…)` is written only where the selector
/// differs from the default of the direction.
impl Display for SortKey {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| !c.is_whitespace() && !matches!(c, ',' | '"' | '\\' | '(' | ')');
        let path = match self.path.as_str() {
            path if !path.is_empty()
                && path.chars().all(is_plain)
                && solr_meaning(path).is_none() =>
            {
                path.to_string()
            }
            _ => format!("\"{}\"", self.path.replace('\\', "\\\\").replace('"', "\\\"")),
        };
        let direction = if self.descending { "desc" } else { "asc" };
        match (self.largest == self.descending, self.largest) {
            (true, _) => write!(f, "{path} {direction}"),
            (false, true) => write!(f, "field({path},max) {direction}"),
            (false, false) => write!(f, "field({path},min) {direction}"),
        }
    }
}

/// Reads a sort order; a blank text has no keys. In a path, commas, spaces and quotes are escaped
/// with a backslash, or the path is put in double quotes. `field(path,min)` and `field(path,max)`
/// choose between several values, as in Solr.
///
/// # Errors
/// `Syntax`, `Unsupported` for Solr's other ways to sort, and `TooComplex` beyond the limits.
pub fn parse_sort(text: &str) -> Result<Vec<SortKey>, ParseError> {
    check_sort_length(text)?;
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let (mut keys, mut at) = (Vec::new(), 0);
    loop {
        interrupts::check();
        let here = |error: ParseError| error.shifted_by(at);
        let rest = text.get(at..).unwrap_or_default();
        let step = LuceneParser::parse(Rule::sort_step, rest)
            .map_err(|error| here(syntax_error(rest, &error)))?;
        let mut next = None;
        for part in step {
            match part.as_rule() {
                Rule::sort_key if keys.len() == MAX_SORT_KEYS => return Err(too_many_keys()),
                Rule::sort_key => keys.push(sort_key(part).map_err(here)?),
                Rule::sort_comma => next = Some(at + part.as_span().end()),
                _ => {}
            }
        }
        match next {
            Some(next) => at = next,
            None => return Ok(keys),
        }
    }
}

fn too_many_keys() -> ParseError {
    ParseError::too_large(format!("the sort order has more than {MAX_SORT_KEYS} paths"))
}

/// Checks the length before the text is read, since reading takes time.
fn check_sort_length(text: &str) -> Result<(), ParseError> {
    match text.len() {
        0..=MAX_SORT_BYTES => Ok(()),
        _ => Err(ParseError::too_large(format!(
            "the sort order is longer than {MAX_SORT_BYTES} bytes"
        ))),
    }
}

fn sort_key(pair: Pair<'_, Rule>) -> Result<SortKey, ParseError> {
    let (mut path, mut descending, mut largest) = (String::new(), false, None);
    for part in pair.into_inner() {
        let (text, at) = (part.as_str(), part.as_span().start());
        match part.as_rule() {
            Rule::selected => {
                for part in part.into_inner() {
                    match part.as_rule() {
                        Rule::smallest => largest = Some(false),
                        Rule::largest => largest = Some(true),
                        _ => path = sort_path(&part)?,
                    }
                }
            }
            Rule::descending => descending = true,
            Rule::ascending => {}
            Rule::quoted => path = sort_path(&part)?,
            _ => match solr_meaning(text) {
                Some(meaning) => return Err(refusal(meaning, text, at)),
                None => path = sort_path(&part)?,
            },
        }
    }
    check_path(&path)?;
    Ok(SortKey { path, descending, largest: largest.unwrap_or(descending) })
}

fn sort_path(pair: &Pair<'_, Rule>) -> Result<String, ParseError> {
    let (text, at) = (pair.as_str(), pair.as_span().start());
    match pair.as_rule() {
        Rule::quoted => unescape(between_quotes(text), at + 1),
        _ => unescape(text, at),
    }
}

/// What the text means in Solr if Solr does not take it for a field
/// (org.apache.solr.search.SortSpecParsing, FunctionQParser).
pub(super) fn solr_meaning(text: &str) -> Option<String> {
    let is_number = || {
        text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
            && text.ends_with(|c: char| c.is_ascii_digit() || c == '.')
            && text.parse::<f64>().is_ok()
    };
    Some(match text {
        "score" => "score is not supported: there is no score".to_string(),
        "_docid_" => "_docid_ is not supported: documents have no numbers of their own".to_string(),
        _ if text.starts_with("{!") => "a query is not supported".to_string(),
        _ if text.starts_with('$') => "a parameter of the request is not supported".to_string(),
        _ if is_number() => format!("the constant {text} is not supported"),
        _ => match text.split_once('(') {
            Some((name, _)) if !name.contains('\\') => {
                format!("the function {name}() is not supported")
            }
            _ => return None,
        },
    })
}

/// The error for a text that is not a path in Solr.
fn refusal(meaning: String, text: &str, at: usize) -> ParseError {
    if text.starts_with("field(") {
        return ParseError::syntax(at, "field() takes a path, and min or max")
            .with_hint("Write field(path,min) or field(path,max).");
    }
    ParseError::unsupported(at, format!("sorting by {meaning}")).with_hint(
        "Sort by a path, or by field(path,min) or field(path,max) where there are several values. \
         A path that looks like something else is put in double quotes.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_error::ParseErrorKind;

    #[test]
    fn sort_orders() {
        let select =
            |path: &str, descending, largest| SortKey { path: path.into(), descending, largest };
        let key = |path: &str, descending| select(path, descending, descending);
        for (text, keys) in [
            ("", vec![]),
            ("  ", vec![]),
            ("a.b", vec![key("a.b", false)]),
            ("a asc, b.c DESC", vec![key("a", false), key("b.c", true)]),
            ("asc desc", vec![key("asc", true)]),
            ("desc,asc", vec![key("desc", false), key("asc", false)]),
            ("\"a, b\" desc , a\\,b", vec![key("a, b", true), key("a,b", false)]),
            ("\"score\" desc", vec![key("score", true)]),
            ("field(a,min)", vec![key("a", false)]),
            ("field(a,max) asc", vec![select("a", false, true)]),
            ("field( a.b , MIN ) desc, c", vec![select("a.b", true, false), key("c", false)]),
            ("field(\"a, (b)\",max)", vec![select("a, (b)", false, true)]),
            ("field(a) desc", vec![key("a", true)]),
            ("\"sub(0,n)\", \"1\"", vec![key("sub(0,n)", false), key("1", false)]),
            ("sub\\(0\\,n\\)", vec![key("sub(0,n)", false)]),
            ("-n, n:asc, 1a", vec![key("-n", false), key("n:asc", false), key("1a", false)]),
        ] {
            assert_eq!(parse_sort(text).as_ref(), Ok(&keys), "{text}");
            let written: Vec<String> = keys.iter().map(SortKey::to_string).collect();
            assert_eq!(parse_sort(&written.join(", ")), Ok(keys), "{text} as {written:?}");
        }
        for (text, position) in [("a up", 2), ("a,", 2), ("a desc b", 7), (", a", 0)] {
            let error = parse_sort(text).expect_err(text);
            assert_eq!(
                (error.kind, error.position),
                (ParseErrorKind::Syntax, Some(position)),
                "{text}: {error}"
            );
        }
        for (text, name) in [
            ("a, score desc", "score"),
            ("_docid_ asc", "_docid_"),
            ("sub(0,n) asc", "sub()"),
            ("a, div(sum(a,b),2)", "div()"),
            ("if(exists(a),1,0) desc, b", "if()"),
            ("query($q) desc", "query()"),
            ("$by asc", "parameter"),
            ("{!func}sub(0,n) asc", "query"),
            ("1 asc", "constant 1"),
            ("-1.5e3", "constant -1.5e3"),
            ("sub(0,\"n) asc", "sub()"),
        ] {
            let error = parse_sort(text).expect_err(text);
            assert_eq!(error.kind, ParseErrorKind::Unsupported, "{text}: {error}");
            assert!(error.message.contains(name), "{text}: {error}");
        }
        for text in
            ["field(a,median)", "field()", "field(a,min", "field(a,min,max) asc", "field(a b)"]
        {
            assert_eq!(parse_sort(text).expect_err(text).kind, ParseErrorKind::Syntax, "{text}");
        }
    }
}
