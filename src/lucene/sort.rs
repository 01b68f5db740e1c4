//! The `sort` argument: `path asc, other.path desc`.

use super::diagnosis::syntax_error;
use super::error::Error;
use super::escape::unescape;
use super::operand::between_quotes;
use super::parse::{LuceneParser, Rule};
use pest::Parser;

/// One path to sort by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    pub path: String,
    pub descending: bool,
}

/// Reads a sort order; a blank text is none. A path's commas, spaces and quotes are escaped with a backslash, or the path
/// is put in double quotes.
pub fn parse_sort(text: &str) -> Result<Vec<SortKey>, Error> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let sort = LuceneParser::parse(Rule::sort, text).map_err(|error| syntax_error(text, &error))?;
    sort.flatten().filter(|pair| pair.as_rule() == Rule::sort_key).map(sort_key).collect()
}

fn sort_key(pair: pest::iterators::Pair<'_, Rule>) -> Result<SortKey, Error> {
    let mut key = SortKey { path: String::new(), descending: false };
    for part in pair.into_inner() {
        let (text, at) = (part.as_str(), part.as_span().start());
        match part.as_rule() {
            Rule::quoted => key.path = unescape(between_quotes(text), at + 1)?,
            Rule::descending => key.descending = true,
            Rule::ascending => {}
            _ if text == "score" => {
                return Err(Error::unsupported(
                    at,
                    "sorting by score is not supported: there is no score",
                )
                .with_hint("Sort by a path; a path that is named score is written \"score\"."));
            }
            _ => key.path = unescape(text, at)?,
        }
    }
    Ok(key)
}
