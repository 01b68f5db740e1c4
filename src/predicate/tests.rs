//! Queries as predicates: their JSON paths, limits and notices.

use super::*;
use crate::syntax::parse;

const NOW: &str = "2024-03-31T12:00:00Z";

fn lowered(query: &str) -> Lowered {
    parse(query)
        .and_then(|ast| lower(&ast, NOW.parse().unwrap()))
        .unwrap_or_else(|error| panic!("{query}: {error}"))
}

/// Query, canonical form, JSON path.
const SAID: &[(&str, &str, &str)] = &[
    ("*:*", "*:*", "$"),
    ("", "-*:*", "$ ? (1 == 0)"),
    ("-*:*", "-*:*", "$ ? (1 == 0)"),
    ("a.b:x", "a.b:x", r#"$ ? (exists($."a"."b" ? (@ == "x")))"#),
    ("a:5.0", "a:5.0", r#"$ ? (exists($."a" ? (@ == "5.0" || @ == 5)))"#),
    ("a:1e400", "a:1e400", r#"$ ? (exists($."a" ? (@ == "1e400" || @ == 1e400)))"#),
    ("a:1e999999", "a:1e999999", r#"$ ? (exists($."a" ? (@ == "1e999999")))"#),
    ("a:true", "a:true", r#"$ ? (exists($."a" ? (@ == "true" || @ == true)))"#),
    ("a:TRUE", "a:TRUE", r#"$ ? (exists($."a" ? (@ == "TRUE")))"#),
    (r#"a\"b:"c\\d\"e""#, r#"a\"b:"c\\d\"e""#, r#"$ ? (exists($."a\"b" ? (@ == "c\\d\"e")))"#),
    ("a..b:x", "a..b:x", r#"$ ? (exists($."a".""."b" ? (@ == "x")))"#),
    ("x", "x", r#"$ ? (exists($.** ? (@ == "x")))"#),
    ("a:x*", "a:x*", r#"$ ? (exists($."a" ? (@ starts with "x")))"#),
    ("a:x?.*", r"a:x?.*", r#"$ ? (exists($."a" ? (@ like_regex "^x.\\..*$" flag "s")))"#),
    (
        "a:/x[^\\]y]{2}/",
        "a:/x[^\\]y]{2}/",
        r#"$ ? (exists($."a" ? (@ like_regex "^(?:x(?:[^\\]y]){2,2})$" flag "s")))"#,
    ),
    (
        "a:/<8-12>/",
        "a:/<8-12>/",
        r#"$ ? (exists($."a" ? (@ like_regex "^(?:(?:0)*(?:(?:[8-9])|1(?:[0-2])))$" flag "s")))"#,
    ),
    ("a:x~0", "a:x~0", r#"$ ? (exists($."a" ? (@ == "x")))"#),
    (
        "a:*",
        "a:*",
        r#"$ ? (exists($."a".** ? (@.type() == "string" || @.type() == "number" || @.type() == "boolean")))"#,
    ),
    (
        "a:[1 TO 5}",
        "a:[1 TO 5}",
        r#"$ ? (exists($."a" ? ((@ >= 1 && @ < 5) || (@ >= "1" && @ < "5"))))"#,
    ),
    ("a:{1 TO b]", "a:{1 TO b]", r#"$ ? (exists($."a" ? ((@ > "1" && @ <= "b"))))"#),
    ("a:[* TO -5]", "a:[* TO -5]", r#"$ ? (exists($."a" ? ((@ <= -5) || (@ <= "-5"))))"#),
    (
        "a:[false TO *]",
        "a:[false TO *]",
        r#"$ ? (exists($."a" ? ((@ >= "false") || (@ >= false))))"#,
    ),
    ("a:x b:y", "a:x b:y", r#"$ ? (exists($."a" ? (@ == "x")) || exists($."b" ? (@ == "y")))"#),
    (
        "a:x AND b:y OR c:z",
        "+a:x +b:y c:z",
        r#"$ ? (exists($."a" ? (@ == "x")) && exists($."b" ? (@ == "y")))"#,
    ),
    ("-a:x", "-a:x", r#"$ ? (!exists($."a" ? (@ == "x")))"#),
    ("a:x -b:y", "a:x -b:y", r#"$ ? (exists($."a" ? (@ == "x")) && !exists($."b" ? (@ == "y")))"#),
    (
        "-a:x -b:y",
        "-a:x -b:y",
        r#"$ ? (!exists($."a" ? (@ == "x")) && !exists($."b" ? (@ == "y")))"#,
    ),
    (
        "a:x -(b:y +c:z -d:w)",
        "a:x -(b:y +c:z -d:w)",
        r#"$ ? (exists($."a" ? (@ == "x")) && (!exists($."c" ? (@ == "z")) || exists($."d" ? (@ == "w"))))"#,
    ),
    ("a:x (-b:y)", "a:x (-b:y)", r#"$ ? (exists($."a" ? (@ == "x")))"#),
    ("+(-b:y)", "+(-b:y)", "$ ? (1 == 0)"),
    ("(-b:y)", "-b:y", r#"$ ? (!exists($."b" ? (@ == "y")))"#),
    ("(-b:y)^2", "(-b:y)^2", "$ ? (1 == 0)"),
    ("filter(b:y)", "filter(b:y)", r#"$ ? (exists($."b" ? (@ == "y")))"#),
    ("filter(-b:y)", "filter(-b:y)", "$ ? (1 == 0)"),
    ("-filter(-b:y)", "-filter(-b:y)", "$"),
    ("filter((-a:x -b:y)^2)", "filter((-a:x -b:y)^2)", "$ ? (1 == 0)"),
    ("filter(-b:y -b:y)", "filter(-b:y -b:y)", "$ ? (1 == 0)"),
    (
        "filter(-a:x -b:y)",
        "filter(-a:x -b:y)",
        r#"$ ? (!exists($."a" ? (@ == "x")) && !exists($."b" ? (@ == "y")))"#,
    ),
    (
        "a:x -(b:y +c:z -d:w)",
        "a:x -(b:y +c:z -d:w)",
        r#"$ ? (exists($."a" ? (@ == "x")) && (!exists($."c" ? (@ == "z")) || exists($."d" ? (@ == "w"))))"#,
    ),
    ("+a:x filter(-b:y)^2", "+a:x filter(-b:y)^2", r#"$ ? (exists($."a" ? (@ == "x")))"#),
    (
        "a:x +(b:y c:z)",
        "a:x +(b:y c:z)",
        r#"$ ? (exists($."b" ? (@ == "y")) || exists($."c" ? (@ == "z")))"#,
    ),
    ("a:x^2 *:*", "a:x^2 *:*", "$"),
    ("+a:x +*:*", "+a:x +*:*", r#"$ ? (exists($."a" ? (@ == "x")))"#),
    ("-(-a:x)", "-(-a:x)", "$"),
];

#[test]
fn canonical_form_and_json_path() {
    for (query, canonical, path) in SAID {
        assert_eq!(parse(query).map(|ast| ast.to_string()).as_deref(), Ok(*canonical), "{query}");
        assert_eq!(lowered(query).predicate.jsonpath().as_deref(), Ok(*path), "{query}");
    }
}

#[test]
fn what_json_path_cannot_say_is_refused() {
    for (query, what) in [
        ("a:x~1", "a fuzzy term"),
        ("a:NOW", "a date, which is compared as an instant"),
        ("a:[2021-02-23T19:18:04Z TO *]", "a date, which is compared as an instant"),
        ("a:2021-02-23", "a date, which is compared as an instant"),
        ("a:[* TO 2021-02}", "a date, which is compared as an instant"),
        ("a:[1e999999 TO *]", "a number outside the range of numeric"),
        ("a:\\u0000", "a NUL character"),
        ("a:[b TO c\\u0000]", "a NUL character"),
        ("a\\u0000b:c", "a NUL character"),
        ("a:/#/", "the empty regular expression (#)"),
        ("a:/~x/", "the regular expression operators ~ and &"),
        ("a:/x(y&z)/", "the regular expression operators ~ and &"),
        ("a:/(x{20}){20}/", "a regular expression with more than 255 repetitions"),
        ("b:c -a:x~1", "a fuzzy term"),
    ] {
        let refused = lowered(query).predicate.jsonpath().expect_err(query);
        assert_eq!(refused.to_string(), format!("SQL/JSON path cannot express {what}"), "{query}");
    }
}

#[test]
fn a_path_over_ten_thousand_clauses_is_balanced() {
    let query: String = (0..10_000).map(|n| format!("a:{n} ")).collect();
    let path = lowered(&query).predicate.jsonpath().unwrap();
    let deepest = path.chars().fold((0i32, 0), |(depth, most), c| match c {
        '(' => (depth + 1, most.max(depth + 1)),
        ')' => (depth - 1, most),
        _ => (depth, most),
    });
    assert!(deepest.1 < 20, "{}", deepest.1);
}

#[test]
fn patterns_have_limits() {
    let kind = |query: &str| {
        parse(query)
            .and_then(|ast| lower(&ast, NOW.parse().unwrap()))
            .map(drop)
            .map_err(|error| error.kind)
    };
    let wide = ('\u{4e00}'..'\u{9000}').collect::<String>();
    let many = |unit: &'static str| (0..).map(move |n: u32| unit.replace('N', &n.to_string()));
    for (query, what) in [
        ("/((a{1000}){1000}){1000}/".to_string(), "a huge regular expression"),
        ("/~(((a{1000}){1000}){1000})/".to_string(), "a huge complement"),
        ("/~((){2000000000})/".to_string(), "repetitions of nothing"),
        ("/~(.*a.{20})/".to_string(), "an exponential complement"),
        (format!("/~({wide})/"), "a wide complement"),
        (many("/[^a]{200}N/ ").take(2_000).collect(), "many of them"),
    ] {
        assert_eq!(kind(&query), Err(crate::syntax::ParseErrorKind::TooComplex), "{what}");
    }
    for (query, what) in [
        (
            many("a*N*b ").take(crate::syntax::MAX_CONDITIONS).collect(),
            "as many wildcards as leaves",
        ),
        (many("aN~ ").take(2_000).collect(), "fuzzy terms"),
        ("/[^a]{20}/ ".repeat(2_000), "one expression again and again"),
        (format!("*{}b*", "a?".repeat(500_000)), "a long wildcard"),
    ] {
        assert_eq!(kind(&query), Ok(()), "{what}");
    }
}

#[test]
fn a_path_of_any_length_needs_no_stack() {
    let path = "a.".repeat(30_000) + "a";
    let document = serde_json::json!({ &path: 1 });
    let matches = |query: &str| lowered(query).predicate.matches(&document);
    let small = std::thread::Builder::new().stack_size(256 << 10);
    let found = std::thread::scope(|scope| {
        let run = || (matches(&format!("{path}:1")), matches(&format!("{path}.b:1")));
        small.spawn_scoped(scope, run).unwrap().join().unwrap()
    });
    assert_eq!(found, (true, false));
}

#[test]
fn notices() {
    for (query, notice) in
        [("b (-a:x)", "(-a:x) matches nothing"), ("+(-a -b)", "(-a -b) matches nothing")]
    {
        let notices = lowered(query).notices;
        assert!(notices.len() == 1 && notices[0].contains(notice), "{query}: {notices:?}");
    }
    for query in ["-a", "(-a)", "a -b", "f:\\-5", ""] {
        assert_eq!(lowered(query).notices, Vec::<String>::new(), "{query}");
    }
}
