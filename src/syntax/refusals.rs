//! What the query language refuses, as tables: mistakes with their place, what Solr has and this has
//! not, and what is too large.

use super::*;

/// Query, place, message.
const REFUSED: &[(&str, usize, &str)] = &[
    (" ", 1, "expected a clause, found the end"),
    ("a AND", 5, "expected a clause, found the end"),
    ("AND a", 0, "expected a clause, found \"AND\""),
    ("a AND AND b", 6, "expected a clause, found \"AND\""),
    ("NOT NOT a", 4, "expected a clause, found \"NOT\""),
    ("a --b", 3, "expected a clause, found \"-\""),
    ("()", 1, "expected a clause, found \")\""),
    ("(a b", 0, "a parenthesis that is never closed"),
    ("é (a", 3, "a parenthesis that is never closed"),
    ("a)", 1, "a parenthesis that was never opened"),
    ("f:", 2, "expected a clause, found the end"),
    (":v", 0, "expected a clause, found \":\""),
    ("f:g:v", 3, "expected a clause or the end, found \":\""),
    ("AND:v", 0, "expected a clause, found \"AND\""),
    ("f:\"abc", 2, "a quote that is never closed, or stands inside a value"),
    ("f:/abc", 2, "a regular expression that is never closed"),
    ("//", 0, "a regular expression that is never closed"),
    ("a\\", 1, "a backslash with nothing to escape"),
    ("f:[1 5]", 5, "expected TO, found \"5\""),
    ("f:[1 TO 5", 9, "expected \"]\" or \"}\", found the end"),
    ("f:[TO TO]", 8, "expected a bound, found \"]\""),
    ("f:[\"a\\\\\" TO \"b\"]", 13, "expected TO, found \"b\""),
    ("a^", 2, "expected a number, found the end"),
    ("a^ 2", 2, "expected a number, found \"2\""),
    ("a^-1", 1, "a boost must be a finite number of 0 or more"),
    ("a~1.5", 1, "fractions of an edit are not possible"),
    ("a~99999999999", 1, "fractions of an edit are not possible"),
    ("\\u12", 0, "\\u must be followed by four hexadecimal digits"),
    ("f:\"\\uzzzz\"", 3, "\\u must be followed by four hexadecimal digits"),
    ("f:/a(b/", 6, "expected \")\" in the regular expression"),
    ("f:/a{x}/", 5, "expected a count in the regular expression"),
    ("f:/[b-a]/", 7, "a range of characters from a later to an earlier one"),
    ("f:/<a>/", 6, "there is no automaton named \"a\""),
    ("f:/<1-/", 6, "expected \">\" in the regular expression"),
    ("f:/<1-x>/", 8, "expected an interval such as <1-99>"),
    ("f:/a&/", 5, "the regular expression ends too early"),
    ("f:/a)/", 4, "a closing parenthesis without an opening one in the regular expression"),
    ("{!term}a", 0, "the local parameters name no field"),
    ("{!lucene df=''}a", 0, "the default field (df) has no name"),
    ("{!term f=x", 9, "local parameters without a closing \"}\""),
    ("f:[1 TO\t2]", 5, "expected TO, found \"TO\""),
    ("a {!=b}", 2, "a brace without the path of an object before it"),
    (
        "_query_:\"(\"",
        8,
        "in the nested query: a parenthesis that is never closed (at byte 1 of it)",
    ),
    (
        "_query_:\"a AND\" b",
        8,
        "in the nested query: expected a clause, found the end (at byte 6 of it)",
    ),
];

#[test]
fn refuses_with_the_place() {
    for (query, position, message) in REFUSED {
        let error = parse(query).expect_err(query);
        assert_eq!(error.kind, ParseErrorKind::Syntax, "{query}");
        assert_eq!(
            (error.position, error.message.as_str()),
            (Some(*position), *message),
            "{query}"
        );
    }
}

#[test]
fn refuses_by_name_what_solr_has_and_this_has_not() {
    for (query, name) in [
        ("{!func}add(1,2)", "\"func\""),
        ("{!dismax qf=a}b", "\"dismax\""),
        ("a {!frange l=1}b", "\"frange\""),
        ("{!parent which=a:b}c:d", "\"parent\""),
        ("{!child of=a:b}c:d", "\"child\""),
        ("_val_:\"add(1,2)\"", "_val_"),
        ("{!lucene v=$qq}", "$name"),
    ] {
        let error = parse(query).expect_err(query);
        assert_eq!(error.kind, ParseErrorKind::Unsupported, "{query}: {error}");
        assert!(error.message.contains(name), "{query}: {error}");
    }
}

#[test]
fn limits() {
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(parse(&nested(MAX_GROUP_DEPTH)).map(|ast| ast.to_string()), Ok("a".into()));
    let not_nested = format!("\"{}\" {}", "(".repeat(300), "/* ".repeat(300));
    assert!(parse(&not_nested).is_ok());
    let inside = |depth: usize| format!("{}a", "{!lucene}".repeat(depth));
    assert!(parse(&inside(16)).is_ok());
    for (query, what) in [
        (nested(MAX_GROUP_DEPTH + 1), "one group too many"),
        (nested(10_000), "ten thousand groups"),
        ("(".repeat(MAX_QUERY_BYTES), "a megabyte of parentheses"),
        ("filter(".repeat(1000), "filters"),
        (
            format!("{}_query_:\"{}\"{}", "(".repeat(200), nested(100), ")".repeat(200)),
            "a nested query's groups",
        ),
        (inside(17), "query strings"),
        (format!("{}a{}", "f:{".repeat(257), "}".repeat(257)), "objects"),
        (format!("{}a{}", "f:{(".repeat(129), ")}".repeat(129)), "objects and groups"),
        (format!("{}f:{{(", "f:{a:[1 TO 2] ".repeat(300)), "objects that begin like ranges"),
        (format!("{}:{{{}:v}}", "a".repeat(40_000), "b".repeat(40_000)), "a path within an object"),
        (
            format!("{}:{{{}}}", "a".repeat(60_000), "b:c ".repeat(1_000)),
            "an object's path for each clause",
        ),
        (inside(MAX_QUERY_BYTES / 9), "a megabyte of query strings"),
        ("a".repeat(MAX_QUERY_BYTES + 1), "a byte too many"),
        ("a ".repeat(MAX_CONDITIONS + 1), "a clause too many"),
        (format!("/{}/", "(".repeat(10_000)), "a regular expression's groups"),
        (format!("/{}a/", "~".repeat(10_000)), "complements"),
        (format!("/a{}/", "*".repeat(10_000)), "repetitions"),
        (format!("{}:v", "a.".repeat(MAX_PATH_BYTES / 2 + 1)), "a path"),
        (format!("{{!term f={}}}v", "a".repeat(MAX_PATH_BYTES + 1)), "a parameter's path"),
        (format!("{}:({})", "a".repeat(60_000), "b ".repeat(1_000)), "a path for each clause"),
        ("\"\" ".repeat(MAX_CONDITIONS + 1), "quotes"),
        ("a(".repeat(1000), "groups that are not closed"),
    ] {
        assert_eq!(
            parse(&query).map_err(|error| error.kind),
            Err(ParseErrorKind::TooComplex),
            "{what}"
        );
    }
    let path = "a.".repeat(MAX_PATH_BYTES / 2);
    assert!(parse(&format!("{path}:v")).is_ok());
    for (sort, what) in [
        ("a".repeat(MAX_PATH_BYTES + 1), "a path"),
        ("a,".repeat(1_000) + "a", "paths"),
        (" ".repeat(MAX_QUERY_BYTES), "white space"),
    ] {
        assert_eq!(parse_sort(&sort).unwrap_err().kind, ParseErrorKind::TooComplex, "{what}");
    }
}
