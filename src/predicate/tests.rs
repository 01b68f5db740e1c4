//! What queries mean: as tables, and by asking the same question in two ways.

use super::*;
use crate::syntax::parse;
use serde_json::Value as Json;

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
fn notices_are_few() {
    let query = "a:>5 ".repeat(1_000) + &"(-b) ".repeat(1_000);
    let notices = lowered(&query).notices;
    assert_eq!(notices.len(), 8, "{notices:?}");
    assert!(notices[3].contains("997 more"), "{notices:?}");
}

#[test]
fn notices() {
    for (query, notice) in [
        ("b (-a:x)", "(-a:x) matches nothing"),
        ("+(-a -b)", "(-a -b) matches nothing"),
        ("f:>5", "f:>5 looks for the text \">5\"; to compare numbers write f:{5 TO *]."),
        ("f:<=5.5", "f:[* TO 5.5]"),
    ] {
        let notices = lowered(query).notices;
        assert!(notices.len() == 1 && notices[0].contains(notice), "{query}: {notices:?}");
    }
    for query in ["-a", "(-a)", "a -b", "f:>x", "f:\\-5", ""] {
        assert_eq!(lowered(query).notices, Vec::<String>::new(), "{query}");
    }
}

fn document() -> Json {
    serde_json::from_str(
        r#"{
            "s": "Text", "n": 5, "d": 5.50, "t": true, "f": false, "z": null, "e": "", "o": {}, "l": [],
            "big": 9007199254740993, "huge": 1e300, "neg": -7.25, "u": "naïve 💡", "nl": "a\nb",
            "a": [{"b": 1, "c": "x"}, {"b": 9, "c": ["y", ["z"]]}],
            "k.dotted": "v", "k": {"more.dots": {"deep": "w"}},
            "iso": "2024-03-31T11:00:00.000Z", "ms": 1711882800000, "num": "5", "star": "te*t"
        }"#,
    )
    .unwrap()
}

#[test]
fn matches_documents() {
    let document = document();
    for (query, expected) in [
        // Equality
        ("s:Text", true),
        ("s:text", false),
        ("s:Tex", false),
        ("e:\"\"", true),
        ("n:5", true),
        ("n:5.0", true),
        ("n:5e0", true),
        ("n:\"5\"", true),
        ("n:6", false),
        ("num:5", true),
        ("num:5.0", false),
        ("d:5.5", true),
        ("t:true", true),
        ("t:TRUE", false),
        ("f:false", true),
        ("big:9007199254740993", true),
        ("big:9007199254740992", false),
        ("huge:1e300", true),
        ("huge:10e299", true),
        ("neg:\\-7.25", true),
        ("u:naïve\\ 💡", true),
        ("star:te\\*t", true),
        // Paths
        ("a.b:1", true),
        ("a.c:y", true),
        ("a.c:z", true),
        ("k.dotted:v", true),
        ("k\\.dotted:v", true),
        ("k.more.dots.deep:w", true),
        ("missing:v", false),
        // Any leaf
        ("Text", true),
        ("w", true),
        ("9", true),
        ("dotted", false),
        // Existence
        ("s:*", true),
        ("z:*", false),
        ("o:*", false),
        ("l:*", false),
        ("a:*", true),
        ("k:*", true),
        ("k.more:*", true),
        ("k.mor:*", false),
        ("s:[* TO *]", true),
        // Patterns look at strings alone
        ("s:T*", true),
        ("s:?ext", true),
        ("s:/T[aeiou]xt/", true),
        ("s:/Tex/", false),
        ("n:5*", false),
        ("n:?", false),
        ("t:t*", false),
        ("nl:a?b", true),
        ("nl:/a.b/", true),
        ("u:*💡", true),
        ("s:/~(Te.*)/", false),
        ("s:/T.*&~(.*y)/", true),
        ("num:/<3-7>/", true),
        ("s:Tetx~1", true),
        ("s:Tezz~1", false),
        ("s:Tezz~", true),
        ("n:5~1", false),
        // Ranges, in the leaf's own type
        ("n:[5 TO 5]", true),
        ("n:{5 TO *]", false),
        ("n:[10 TO 40]", false),
        ("num:[10 TO 6]", true),
        ("s:[S TO U]", true),
        ("s:[a TO z]", false),
        ("t:[false TO true}", false),
        ("t:{false TO true]", true),
        ("neg:[-8 TO -7}", true),
        ("n:[a TO z]", false),
        ("u:[naj TO nb]", true),
        // One element must satisfy both ends
        ("a.b:[2 TO 8]", false),
        ("a.b:[1 TO 8]", true),
        // Dates
        ("iso:\"2024-03-31T11:00:00Z\"", true),
        ("iso:NOW-1HOUR", true),
        ("iso:[NOW-1DAY TO NOW]", true),
        ("iso:[NOW TO *]", false),
        ("ms:[NOW-1DAY TO NOW]", true),
        ("ms:NOW-1HOUR", true),
        ("s:[NOW TO *]", false),
        ("s:[* TO NOW]", false),
        ("s:[2024-03-31T11:00:00Z TO *]", true),
        // Boolean rules
        ("+s:Text n:6", true),
        ("s:Text AND n:6", false),
        ("s:Text AND n:5 OR n:6", true),
        ("-missing:v", true),
        ("-s:Text", false),
        ("s:Text -n:5", false),
        ("-n:[2 TO 8] ", false),
        ("*:* -missing:*", true),
        ("+(-missing:v)", false),
    ] {
        assert_eq!(lowered(query).predicate.matches(&document), expected, "{query}");
    }
}

mod by_leaves {
    //! The matcher's ways through a document against what the predicate means: a condition on the set of all its leaves.

    use super::*;
    use crate::document::{Scratch, walk};
    use crate::matcher::match_once;
    use proptest::prelude::*;

    fn document() -> impl Strategy<Value = Json> {
        let leaf =
            prop_oneof![Just(Json::Null), "[xy]".prop_map(Json::from), (0..3).prop_map(Json::from)];
        leaf.prop_recursive(5, 60, 6, |inner| {
            let key = "[ab.]{0,3}|k[0-9]{1,2}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::hash_map(key, inner, 0..40)
                    .prop_map(|members| Json::Object(members.into_iter().collect())),
            ]
        })
    }

    fn predicate() -> impl Strategy<Value = Predicate> {
        let path = prop::option::weighted(0.9, "[ab.]{0,4}|k1(\\.[ab]?)?");
        let leaf = (path, "[xy0-2]|\\*").prop_map(|(path, value)| {
            let test = match value.as_str() {
                "*" => Test::Exists,
                value => Test::Equal(Value::read(value, Default::default())),
            };
            Predicate::Condition { path, test }
        });
        leaf.prop_recursive(4, 20, 5, |inner| {
            let parts = prop::collection::vec(inner.clone(), 0..5);
            prop_oneof![
                parts.clone().prop_map(Predicate::And),
                parts.prop_map(Predicate::Or),
                inner.prop_map(|part| Predicate::Not(Box::new(part))),
            ]
        })
    }

    fn query() -> impl Strategy<Value = String> {
        let path = "|([ab.]{1,4}|k1(\\.[ab]?)?|a\\\\\\.b):";
        let value = "[xy0-2]|\\*|\"[xy0-2]?\"|[xy]\\*|[?x]\\*[?y]|\\[[01*] TO [12*]\\}|\\{[*x] TO [xy]\\]|[x]~1|/[xy]/";
        let leaf = prop_oneof![
            9 => (path, value).prop_map(|(path, value)| path + &value),
            1 => Just("*:*".to_string()),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            let clause = ("[-+]?", inner, any::<bool>());
            prop::collection::vec(clause, 1..5).prop_map(|clauses| {
                let clause = |(occur, query, is_group): (String, String, bool)| {
                    let is_group = is_group || query.contains(' ') || query.starts_with(['+', '-']);
                    if is_group { format!("{occur}({query})") } else { occur + &query }
                };
                clauses.into_iter().map(clause).collect::<Vec<_>>().join(" ")
            })
        })
    }

    /// Most of what `query` makes is simple, or the test next to it would say nothing.
    #[test]
    fn simple_queries_are_asked_directly() {
        let doc = serde_json::json!({"a": ["x", {"b": 2}], "k1": {"a.b": true}});
        for (query, answer) in [
            ("a:x", true),
            ("a:y", false),
            ("+a:x +a.b:2 -k1.a.b:false", true),
            ("+a:y +a.b:[1 TO *] k1:*", false),
            ("-a:x", false),
            ("-a:y -k1:z*", true),
            ("a:x (-a:y)", true),
            ("+(-a:y)", false),
            ("(-a:y)", true),
            ("a:y k1.a:* (a:z a.b:2)", true),
            ("?*:x 2", true),
        ] {
            let asked = match_once(query, NOW.parse().unwrap(), &doc);
            assert_eq!(asked.unwrap_or(answer), answer, "{query}");
            assert_eq!(asked.is_none(), query.starts_with('?'), "{query}");
        }
    }

    fn holds(predicate: &Predicate, doc: &Json) -> bool {
        match predicate {
            Predicate::All => true,
            Predicate::None => false,
            Predicate::And(parts) => parts.iter().all(|part| holds(part, doc)),
            Predicate::Or(parts) => parts.iter().any(|part| holds(part, doc)),
            Predicate::Not(part) => !holds(part, doc),
            Predicate::Condition { path: wanted, test } => {
                let (mut found, mut scratch) = (false, Scratch::new());
                walk(doc, &mut |path, leaf| {
                    let below = |wanted: &str| {
                        *test == Test::Exists
                            && path.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.'))
                    };
                    let is_there =
                        wanted.as_deref().is_none_or(|wanted| path == wanted || below(wanted));
                    found |= is_there
                        && leaf.scalar(&mut scratch).is_some_and(|leaf| test.accepts(&leaf));
                });
                found
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn matches_by_its_leaves(doc in document(), predicate in predicate()) {
            let holds = holds(&predicate, &doc);
            prop_assert_eq!(predicate.matches(&doc), holds, "{:?} {}", predicate, doc);
        }

        #[test]
        fn queries_asked_directly_answer_as_prepared_ones(doc in document(), query in query()) {
            let predicate = lowered(&query).predicate;
            if let Some(answer) = match_once(&query, NOW.parse().unwrap(), &doc) {
                prop_assert_eq!(answer, holds(&predicate, &doc), "{} {}", query, doc);
            }
        }
    }
}
