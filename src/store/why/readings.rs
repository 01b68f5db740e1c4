//! The same condition for values of another type: what a value may have been meant to be.

use crate::pattern::Glob;
use crate::syntax::{Bound, LeafQuery};
use chrono::{DateTime, SecondsFormat};

/// The most digits of a number that a pattern stands for.
const MAX_DIGITS: usize = 15;

/// Reads a value as one of another type, if it is one.
type Read = fn(&str) -> Option<String>;

/// Other conditions at a path that may be meant, each with what it takes the values there to be.
pub(super) fn readings(path: &str, query: &LeafQuery) -> Vec<(String, LeafQuery)> {
    let why = |what: &str| format!("the values at {path} are {what}");
    let instants: [(&str, Read); 4] = [
        ("instants as texts, and not milliseconds since 1970", milliseconds_as_text),
        ("instants as texts, and not seconds since 1970", seconds_as_text),
        ("milliseconds since 1970, and not seconds", seconds_as_milliseconds),
        ("seconds since 1970, and not milliseconds", milliseconds_as_seconds),
    ];
    let instants =
        instants.into_iter().filter_map(|(what, read)| Some((what, read_as(query, read)?)));
    let years = year(query).map(|query| ("instants", query));
    let slashes =
        slashes(query).into_iter().map(|query| ("texts with slashes, and not words", query));
    let booleans = boolean(query).map(|query| ("booleans", query));
    let numbers =
        numbers(query).into_iter().map(|query| ("numbers, and patterns find texts", query));
    instants
        .chain(years)
        .chain(slashes)
        .chain(booleans)
        .chain(numbers)
        .map(|(what, query)| (why(what), query))
        .collect()
}

/// The condition with other values; none if one of them cannot be read so.
fn read_as(query: &LeafQuery, read: Read) -> Option<LeafQuery> {
    let bound = |bound: &Bound| match bound {
        Bound::Open => Some(Bound::Open),
        Bound::Inclusive(text) => read(text).map(Bound::Inclusive),
        Bound::Exclusive(text) => read(text).map(Bound::Exclusive),
    };
    match query {
        LeafQuery::Equal(text) => read(text).map(LeafQuery::Equal),
        LeafQuery::Range { lower, upper } => {
            Some(LeafQuery::Range { lower: bound(lower)?, upper: bound(upper)? })
        }
        _ => None,
    }
}

fn milliseconds_as_text(text: &str) -> Option<String> {
    // Smaller numbers are rarely meant to be instants.
    let milliseconds = text.parse().ok().filter(|milliseconds| *milliseconds > 1_000_000_000)?;
    let instant = DateTime::from_timestamp_millis(milliseconds)?;
    Some(instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Seconds since 1970, from the year 1973 on: smaller numbers are rarely meant to be instants.
fn seconds(text: &str) -> Option<i64> {
    text.parse().ok().filter(|seconds| (100_000_000..100_000_000_000).contains(seconds))
}

fn seconds_as_text(text: &str) -> Option<String> {
    let instant = DateTime::from_timestamp(seconds(text)?, 0)?;
    Some(instant.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn seconds_as_milliseconds(text: &str) -> Option<String> {
    Some((seconds(text)? * 1_000).to_string())
}

fn milliseconds_as_seconds(text: &str) -> Option<String> {
    let milliseconds: i64 = text.parse().ok()?;
    let seconds = seconds(&(milliseconds / 1_000).to_string())?;
    (milliseconds % 1_000 == 0).then(|| seconds.to_string())
}

/// A year alone, which is a number: all its instants.
fn year(query: &LeafQuery) -> Option<LeafQuery> {
    let LeafQuery::Equal(text) = query else { return None };
    let year = text.parse::<u32>().ok().filter(|year| (1900..2200).contains(year))?;
    Some(LeafQuery::Range {
        lower: Bound::Inclusive(format!("{year}-01-01")),
        upper: Bound::Exclusive(format!("{}-01-01", year + 1)),
    })
}

/// An expression without operators, which is a text between slashes: that text, or its beginning.
fn slashes(query: &LeafQuery) -> Vec<LeafQuery> {
    let LeafQuery::Regexp(regexp) = query else { return Vec::new() };
    let source = regexp.source();
    let is_plain = source.chars().all(|c| c.is_alphanumeric() || "_-".contains(c));
    if !is_plain || source.is_empty() {
        return Vec::new();
    }
    let text = format!("/{source}/");
    vec![LeafQuery::Equal(text.clone()), LeafQuery::Prefix(text)]
}

/// What other languages call true and false.
fn boolean(query: &LeafQuery) -> Option<LeafQuery> {
    let LeafQuery::Equal(text) = query else { return None };
    let value = match text.to_lowercase().as_str() {
        "1" | "yes" | "y" | "on" | "t" | "true" => "true",
        "0" | "no" | "n" | "off" | "f" | "false" => "false",
        _ => return None,
    };
    (text != value).then(|| LeafQuery::Equal(value.to_string()))
}

/// The numbers that begin with the digits of a pattern: `4??` is from 400 to 499, and `4*` has a
/// range for each number of digits.
fn numbers(query: &LeafQuery) -> Vec<LeafQuery> {
    let (digits, rest): (String, &[Glob]) = match query {
        LeafQuery::Prefix(text) => (text.clone(), &[Glob::Any]),
        LeafQuery::Wildcard(globs) => {
            let digits: String = globs
                .iter()
                .map_while(|glob| match glob {
                    Glob::Char(c) => Some(*c),
                    _ => None,
                })
                .collect();
            let rest = globs.get(digits.chars().count()..).unwrap_or_default();
            (digits, rest)
        }
        _ => return Vec::new(),
    };
    let is_number = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    let Some(first) = digits.parse::<u64>().ok().filter(|_| is_number) else { return Vec::new() };
    let most = MAX_DIGITS.saturating_sub(digits.len());
    let behind = match rest {
        [Glob::Any] => 0..=most,
        _ if rest.len() <= most && rest.iter().all(|glob| matches!(glob, Glob::One)) => {
            rest.len()..=rest.len()
        }
        _ => return Vec::new(),
    };
    behind
        .filter_map(|zeros| {
            let scale = 10_u64.checked_pow(u32::try_from(zeros).ok()?)?;
            let lower = Bound::Inclusive(first.checked_mul(scale)?.to_string());
            let upper = Bound::Exclusive((first + 1).checked_mul(scale)?.to_string());
            Some(LeafQuery::Range { lower, upper })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{Ast, parse};

    fn read(text: &str) -> Vec<String> {
        let Ok(Ast::Condition { query, .. }) = parse(text) else { panic!("{text}") };
        let condition = |query| Ast::Condition { path: Some("a".to_string()), query };
        readings("a", &query).into_iter().map(|(_, query)| condition(query).to_string()).collect()
    }

    #[test]
    fn values_are_read_as_other_types() {
        assert_eq!(
            read("a:1763805600"),
            ["a:\"1970-01-21T09:56:45.600Z\"", "a:\"2025-11-22T10:00:00Z\"", "a:1763805600000"]
        );
        assert_eq!(read("a:1763805600000"), ["a:\"2025-11-22T10:00:00Z\"", "a:1763805600"]);
        assert_eq!(
            read("a:[1763805600 TO *]").last().map(String::as_str),
            Some("a:[1763805600000 TO *]")
        );
        assert_eq!(read("a:2026"), ["a:[2026-01-01 TO 2027-01-01}"]);
        assert_eq!(read("a:/docs/"), ["a:\"/docs/\"", "a:\\/docs\\/*"]);
        assert_eq!(read("a:yes"), ["a:true"]);
        assert_eq!(read("a:F"), ["a:false"]);
        assert_eq!(read("a:4??"), ["a:[400 TO 500}"]);
        assert_eq!(
            read("a:12*").get(..2),
            Some(&["a:[12 TO 13}", "a:[120 TO 130}"].map(String::from)[..])
        );
        for none in ["a:true", "a:x", "a:0*", "a:4?5", "a:\\-1*", "a:99999999999999999999*", "a:*"]
        {
            assert_eq!(read(none), [""; 0], "{none}");
        }
    }
}
