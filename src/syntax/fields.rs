//! The `fl` argument: `user.id, event.*`, as Solr's field list (org.apache.solr.search.
//! SolrReturnFields).

use super::diagnosis::syntax_error;
use super::escape::{between_quotes, unescape, unescape_globs};
use super::grammar::{LuceneParser, Rule};
use super::limits::MAX_FIELDS_BYTES;
use super::sort::solr_meaning;
use crate::parse_error::ParseError;
use crate::pattern::Glob;
use pest::Parser;
use pest::iterators::Pair;

/// Reads a field list: paths with commas or spaces between them, in which `*` and `?` are
/// wildcards. In a path, commas, spaces, quotes and wildcards are escaped with a backslash, or the
/// path is put in double quotes. None stands for all fields: a blank list, or one that has `*`.
///
/// # Errors
/// `Syntax`, `Unsupported` for what else Solr takes there, and `TooComplex` beyond the limit.
pub fn parse_fields(text: &str) -> Result<Option<Vec<Vec<Glob>>>, ParseError> {
    if text.len() > MAX_FIELDS_BYTES {
        return Err(ParseError::too_large(format!(
            "the field list is longer than {MAX_FIELDS_BYTES} bytes"
        )));
    }
    let list =
        LuceneParser::parse(Rule::fields, text).map_err(|error| syntax_error(text, &error))?;
    let names = list.flatten().filter(|pair| pair.as_rule() == Rule::list_field);
    let patterns: Vec<Vec<Glob>> =
        names.flat_map(Pair::into_inner).map(pattern).collect::<Result<_, _>>()?;
    let is_all = patterns.is_empty() || patterns.iter().any(|pattern| pattern == &[Glob::Any]);
    Ok((!is_all).then_some(patterns))
}

fn pattern(name: Pair<'_, Rule>) -> Result<Vec<Glob>, ParseError> {
    let (text, at) = (name.as_str(), name.as_span().start());
    let characters = |path: String| path.chars().map(Glob::Char).collect();
    if name.as_rule() == Rule::quoted {
        return unescape(between_quotes(text), at + 1).map(characters);
    }
    if let Some(meaning) = meaning(text) {
        return Err(ParseError::unsupported(at, format!("in a field list, {meaning}")).with_hint(
            "Name paths, with * and ? as wildcards. A path that looks like something else is put \
             in double quotes.",
        ));
    }
    let globs = unescape_globs(text);
    match globs.iter().all(|glob| matches!(glob, Glob::Char(_))) {
        // As in queries, only a text without wildcards has codes such as \u00e9.
        true => unescape(text, at).map(characters),
        false => Ok(globs),
    }
}

/// What the text means in Solr, or what its writer may think it means, if it is not a field.
fn meaning(text: &str) -> Option<String> {
    if text.starts_with('[') {
        let name = text.trim_start_matches('[').split(']').next().unwrap_or_default();
        return Some(format!("the transformer [{name}] is not supported"));
    }
    if text.starts_with('-') {
        return Some("leaving paths out is not supported".to_string());
    }
    if let Some(meaning) = solr_meaning(text) {
        return Some(meaning);
    }
    let mut is_escaped = false;
    let colon = text.chars().any(|c| {
        let is_colon = c == ':' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_colon
    });
    colon.then(|| "another name for a path (name:path) is not supported".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse_error::ParseErrorKind;

    fn read(text: &str) -> Option<Vec<String>> {
        let write = |glob: &Glob| match glob {
            Glob::Char(c) => c.to_string(),
            Glob::One => "<one>".into(),
            Glob::Any => "<any>".into(),
        };
        let patterns = parse_fields(text).unwrap()?;
        Some(patterns.iter().map(|pattern| pattern.iter().map(write).collect()).collect())
    }

    #[test]
    fn reads_as_solr_does() {
        for (text, expected) in [
            ("a,b.c d", vec!["a", "b.c", "d"]),
            (" , a ,, b\t,", vec!["a", "b"]),
            ("a*, *.id ?x", vec!["a<any>", "<any>.id", "<one>x"]),
            (r#""a b","c\"*" d\,e f\* g\:h \u00e9"#, vec!["a b", "c\"*", "d,e", "f*", "g:h", "é"]),
            ("scores _version_ a-b 1a a[0]", vec!["scores", "_version_", "a-b", "1a", "a[0]"]),
            (r#""score" """#, vec!["score", ""]),
        ] {
            assert_eq!(
                read(text),
                Some(expected.iter().map(ToString::to_string).collect()),
                "{text}"
            );
        }
        for all in ["", "  ", ",", "*", "a, *", "* b*"] {
            assert_eq!(read(all), None, "{all}");
        }
    }

    #[test]
    fn refuses_what_means_something_else() {
        for (text, message, at) in [
            ("a, score", "score", 3),
            ("[explain style=nl]", "[explain]", 0),
            ("[docid]", "[docid]", 0),
            ("id:a", "name:path", 0),
            ("a sum(b,c)", "sum()", 2),
            ("x:sum(b,c)", "x:sum()", 0),
            ("{!func}a", "a query", 0),
            ("$p", "parameter", 0),
            ("1.5", "the constant 1.5", 0),
            ("-a", "leaving paths out", 0),
            ("_docid_", "_docid_", 0),
        ] {
            let error = parse_fields(text).unwrap_err();
            assert_eq!(
                (error.kind, error.position),
                (ParseErrorKind::Unsupported, Some(at)),
                "{text}"
            );
            assert!(error.message.contains(message), "{text}: {}", error.message);
        }
        for (text, kind) in [
            ("\"a", ParseErrorKind::Syntax),
            ("a\"b", ParseErrorKind::Syntax),
            ("a\\", ParseErrorKind::Syntax),
            (r"\u00g0", ParseErrorKind::Syntax),
            (&"a,".repeat(10_000), ParseErrorKind::TooComplex),
        ] {
            assert_eq!(parse_fields(text).unwrap_err().kind, kind, "{text:.9}");
        }
    }
}
