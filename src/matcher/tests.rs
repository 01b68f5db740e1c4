//! Which documents match which queries: as a table, and by the matcher and by a direct definition.

use super::*;
use crate::predicate::{Lowered, Value, lower};
use crate::syntax::parse;
use serde_json::Value as Json;

const NOW: &str = "2024-03-31T12:00:00Z";

fn lowered(query: &str) -> Lowered {
    parse(query)
        .and_then(|ast| lower(&ast, NOW.parse().unwrap()))
        .unwrap_or_else(|error| panic!("{query}: {error}"))
}

fn document() -> Json {
    serde_json::from_str(
        r#"{
            "s": "Text", "n": 5, "d": 5.50, "t": true, "f": false, "z": null, "e": "", "o": {}, "l": [],
            "big": 9007199254740993, "huge": 1e300, "neg": -7.25, "u": "naïve 💡", "nl": "a\nb",
            "a": [{"b": 1, "c": "x"}, {"b": 9, "c": ["y", ["z"]]}],
            "k.dotted": "v", "k": {"more.dots": {"deep": "w"}},
            "iso": "2024-03-31T11:00:00.000Z", "ms": 1711882800000, "day": "2024-03-31", "year": 2024, "num": "5", "star": "te*t"
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
        // Dates in part are all of their instants, also as milliseconds, and a text as ever.
        ("iso:2024-03", true),
        ("iso:2024-03-31", true),
        ("iso:2024-03-30", false),
        ("iso:\"2024-03-31T11:00\"", true),
        ("iso:\"2024-03-31 11:00\"", true),
        ("iso:\"2024-03-31T11:00:00\"", true),
        ("iso:\"2024-03-31T10:59:59\"", false),
        ("iso:\"2024-03-31T12:00+01:00\"", true),
        ("iso:\"2024-03-31T12:00+0200\"", false),
        ("iso:\"2024-03-31+12:00\"", true),
        ("iso:\"2024-03-31+13:00\"", false),
        ("iso:[2024-03 TO 2024-03]", true),
        ("iso:{2024-03 TO *]", false),
        ("iso:[* TO 2024-03}", false),
        ("iso:{2024-02 TO 2024-04}", true),
        ("iso:2024-03-30/MONTH+30DAYS+11HOURS", true),
        ("ms:2024-03", true),
        ("ms:2024-04", false),
        ("ms:\"2024-03-31T11:00\"", true),
        ("ms:[2024-03-31 TO 2024-03-31]", true),
        ("ms:{2024-03-31 TO *]", false),
        ("day:2024-03-31", true),
        ("day:2024-03", false),
        ("day:[2024-03-01 TO 2024-03-31]", true),
        ("day:[2024-03-31/DAY TO *]", false),
        // A bare number is a number, but beside a date it is a year.
        ("iso:2024", false),
        ("ms:2024", false),
        ("year:2024", true),
        ("year:[2024 TO 2024]", true),
        ("year:2024-03", false),
        ("ms:[2024 TO 2024]", false),
        ("ms:[2024 TO 2024-03]", true),
        ("ms:[2025 TO NOW+10YEARS]", false),
        ("iso:[2023-06 TO 2024]", true),
        ("iso:[2023-06 TO 2024}", false),
        // Days that do not exist are text.
        ("iso:[2024-02-30 TO 2024-03-31T23]", true),
        ("iso:2024-03-32", false),
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
        let directly = match_once(query, Scope::Patterns, || NOW.parse().unwrap(), &document);
        assert_eq!(directly.unwrap_or(expected), expected, "{query} directly");
        let kept = SimpleMatcher::new(query, || NOW.parse().unwrap());
        let kept = kept.map(|kept| kept.matches(&document));
        assert_eq!(kept.unwrap_or(expected), expected, "{query} kept");
    }
}

mod by_leaves {
    //! The matcher's ways through a document against what the predicate means: a condition on the
    //! set of all its leaves.

    use super::*;
    use crate::document::{Scratch, walk};
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
                inner.clone().prop_map(|part| Predicate::Not(Box::new(part))),
                ("[ab.]{0,4}|k1", inner).prop_map(|(path, inner)| {
                    Predicate::Object(ObjectCondition::in_document(path, inner).into())
                }),
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
            let asked = match_once(query, Scope::Patterns, || NOW.parse().unwrap(), &doc);
            assert_eq!(asked.unwrap_or(answer), answer, "{query}");
            assert_eq!(asked.is_none(), query.starts_with('?'), "{query}");
        }
    }

    fn any_leaf() -> Predicate {
        Predicate::Condition { path: None, test: Test::Exists }
    }

    /// The objects at a path; none for the objects here.
    fn objects_at<'d>(value: &'d Json, path: Option<&str>) -> Vec<&'d Json> {
        match (value, path) {
            (Json::Array(elements), _) => {
                elements.iter().flat_map(|element| objects_at(element, path)).collect()
            }
            (Json::Object(_), None) => vec![value],
            (Json::Object(members), Some(path)) => {
                let on = |(key, member): (&String, &'d Json)| {
                    let is_end = path == key.as_str();
                    let further = path.strip_prefix(&format!("{key}."));
                    let mut found = further.map_or(vec![], |path| objects_at(member, Some(path)));
                    found.extend(is_end.then(|| objects_at(member, None)).into_iter().flatten());
                    found
                };
                members.iter().flat_map(on).collect()
            }
            _ => vec![],
        }
    }

    fn holds(predicate: &Predicate, doc: &Json) -> bool {
        match predicate {
            Predicate::All => true,
            Predicate::None => false,
            Predicate::And(parts) => parts.iter().all(|part| holds(part, doc)),
            Predicate::Or(parts) => parts.iter().any(|part| holds(part, doc)),
            Predicate::Not(part) => !holds(part, doc),
            Predicate::Object(object) => objects_at(doc, Some(&object.path))
                .into_iter()
                .any(|found| holds(&object.inner, found) && holds(&any_leaf(), found)),
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

        /// What the index asks for is true of every document that matches.
        #[test]
        fn objects_match_only_where_the_document_does(doc in document(), path in "[ab.]{0,4}|k1", inner in predicate()) {
            let object = ObjectCondition::in_document(path, inner);
            let necessary = object.necessary.clone();
            if Predicate::Object(object.into()).matches(&doc) {
                prop_assert!(holds(&necessary, &doc), "{:?} {}", necessary, doc);
            }
            prop_assert!(!necessary.holds_without_leaves(), "{:?}", necessary);
        }

        #[test]
        fn queries_asked_directly_answer_as_prepared_ones(doc in document(), query in query()) {
            let predicate = lowered(&query).predicate;
            if let Some(answer) = match_once(&query, Scope::Patterns, || NOW.parse().unwrap(), &doc) {
                prop_assert_eq!(answer, holds(&predicate, &doc), "{} {}", query, doc);
            }
        }

        #[test]
        fn kept_queries_answer_as_prepared_ones(docs in prop::collection::vec(document(), 1..4), query in query()) {
            let predicate = lowered(&query).predicate;
            if let Some(kept) = SimpleMatcher::new(&query, || NOW.parse().unwrap()) {
                for doc in &docs {
                    prop_assert_eq!(kept.matches(doc), holds(&predicate, doc), "{} {}", query, doc);
                }
            }
        }
    }
}
