//! Texts that are date math, that are meant as such, and that are none.

use super::*;
use crate::syntax::{ParseErrorKind, parse};

/// Text, and the hint's repair; none where it names the units alone.
const BAD: &[(&str, Option<&str>)] = &[
    ("NOW-1WEEK", Some("NOW-7DAYS")),
    ("NOW-7days", Some("NOW-7DAYS")),
    ("NOW-7d/d", Some("NOW-7DAYS/DAY")),
    ("NOW-5m", Some("NOW-5MINUTES")),
    ("NOW-5M", Some("NOW-5MONTHS")),
    ("NOW/week", None),
    ("NOW/1DAY", Some("NOW/DAY")),
    ("NOW+DAY", Some("NOW+1DAY")),
    ("NOW - 1 DAY", Some("NOW-1DAY")),
    ("NOW 1DAY", None),
    ("NOW7DAYS", None),
    ("NOW-", None),
    ("NOW+1", None),
    ("NOW-1.5DAYS", None),
    ("NOW-1DAY/", None),
    ("NOW-99999999999DAYS", None),
    ("NOW+999999999YEARS", None),
    ("NOW-1CENTURY", None),
    ("NOW-1Ä", None),
    ("now-7DAYS", Some("NOW-7DAYS")),
    ("Now/day", Some("NOW/DAY")),
    ("now-7", None),
    ("2024-01-01T00:00:00Z+1WEEK", Some("2024-01-01T00:00:00Z+7DAYS")),
    ("2024-01-01T00:00:00Zé", None),
    ("2024-01-01T00:00:00Z/", None),
    ("2024-01-01T00:00:00+02:00-1day", Some("2024-01-01T00:00:00+02:00-1DAY")),
    ("2024-01-01T00:00:00-1Day", Some("2024-01-01T00:00:00-1DAY")),
    ("2024-01-01 00:00:00/day", Some("2024-01-01 00:00:00/DAY")),
    ("2024-01-01/day", Some("2024-01-01/DAY")),
    ("2024-01-01-1WEEK", Some("2024-01-01-7DAYS")),
    ("2024-01-01T10:00+10d", Some("2024-01-01T10:00+10DAYS")),
];

#[test]
fn bad_date_math_is_refused_with_its_repair() {
    for (text, repair) in BAD {
        for query in [
            format!("a:\"{text}\""),
            format!("\"{text}\""),
            format!("a:[\"{text}\" TO *]"),
            format!("a:{{* TO \"{text}\"}}"),
            format!("b:c AND -(a:x a:\"{text}\")"),
        ] {
            let error = parse(&query).expect_err(&query);
            assert_eq!(error.kind, ParseErrorKind::Syntax, "{query}");
            let at = query.find(text).unwrap_or_default();
            let position = error.position.unwrap_or_default();
            assert!(position == at || position + 1 == at, "{query}: {position}");
            let hint = error.hint.unwrap_or_default();
            assert!(hint.contains("YEAR, MONTH, DAY"), "{query}: {hint}");
            let expected = repair.map_or("Units".into(), |repair| format!("Write {repair}. "));
            assert!(hint.starts_with(&expected), "{query}: {hint}");
        }
        let text_itself = format!("{{!term f=a}}{text}");
        let canonical = parse(&text_itself).expect(&text_itself);
        assert_eq!(parse(&canonical.to_string()).as_ref(), Ok(&canonical), "{text}");
    }
}

#[test]
fn words_are_no_date_math() {
    for text in [
        "NOW",
        "NOW-1DAY/DAY",
        "NOWHERE",
        "NOW_1",
        "nowhere",
        "now",
        "now-playing",
        "now-or-never",
        "now/here",
        "NOW or never",
        "no",
        "2024-01-01T00:00:00Z",
        "2024-01-01T00:00:00+01:00",
        "2024-01-01T00:00:00+01:00+1DAY",
        "2024-01-01T00:00:00Z INFO started",
        "2024-01-01T00:00:00",
        "2024-01-01/file.gz",
        "2024-01-01",
        "2024-01/YEAR+6MONTHS",
        "2024-01-01-1DAY",
        "2024-01-3d",
        "2024-1d",
        "2024-02-30",
        "2024-13",
        "2024-01-01-1",
        "2024-01-A",
        "2024/05",
        "2024-11-22 INFO started",
        "2024-01-01T00:00:00/a.log",
        "2024-01-01T00:00:0éZ",
        "Zürich",
        "",
    ] {
        assert!(!is_bad(text, ValueKind::Value), "{text}");
    }
    assert!(parse("a:[* TO now]").is_err());
    assert!(parse("a:[\"NOW or never\" TO *]").is_err());
    assert!(parse("a:[NOWAK TO nowicki]").is_ok());
    assert!(parse("a:[2024-01/day TO *]").is_err());
    assert!(parse("a:[2024-01-A TO 2024-01-Z]").is_ok());
}

#[test]
fn long_texts_are_shown_in_part() {
    let text = format!("NOW-1{}", "é".repeat(100_000));
    let error = parse(&format!("a:{text}")).expect_err("no unit has that name");
    assert!(error.message.len() + error.hint.map_or(0, |hint| hint.len()) < 1000);
}
