//! Properties that hold for all texts.

use super::parse::by_grammar;
use super::*;
use crate::pattern::{Glob, Regexp};
use cpu_time::ThreadTime;
use proptest::prelude::*;
use std::time::Duration;

/// Each text repeats something that is expensive for some way of parsing.
#[test]
fn time_grows_with_length_alone() {
    let shapes: &[(&str, &str)] = &[
        ("a ", "a"),
        ("a", ""),
        ("a AND ", "a"),
        ("a:b OR ", "c"),
        ("(a) ", "a"),
        ("(", ""),
        (")", ""),
        ("\"", ""),
        ("\\", ""),
        ("\\\\\" ", "\""),
        ("/", ""),
        ("/a", ""),
        ("\\/ ", "/"),
        ("/*", ""),
        ("/* */", "a"),
        ("*", ""),
        ("*a", ""),
        ("~ ", ""),
        ("^", ""),
        ("[", ""),
        ("[a TO b] ", "a"),
        ("[\"a\\\" ", "\""),
        ("{!", ""),
        ("{!a", "}"),
        ("{!a TO b] ", "a"),
        ("{!a TO b=] ", "a"),
        ("{!a=\"", "}"),
        ("{!a=\"\" ", "}"),
        ("{!term f=x}a ", "b"),
        ("a{!", "}"),
        ("f:", "a"),
        ("f:{", ""),
        ("f:{a ", ""),
        ("f:{a:b} ", "a"),
        ("f:{a:[1 TO 2]} ", "a"),
        ("f:{a:[1 TO 2] ", "}"),
        ("f:{a TO b} ", "f:{a:b}"),
        ("+", "a"),
        ("filter(a) ", "a"),
        ("\t", "a"),
    ];
    let time = |unit: &str, end: &str, bytes: usize| {
        let query = format!("b {}{end}", unit.repeat(bytes / unit.len()));
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let start = ThreadTime::now(); // whatever else the machine does
            let _ = super::parse::by_grammar(&query);
            best = best.min(start.elapsed());
        }
        best
    };
    for (unit, end) in shapes {
        let (short, long) = (time(unit, end, 4 << 10), time(unit, end, 64 << 10));
        // Sixteen times the length; a quadratic part would make it 256 times the time.
        let limit = short * 64 + Duration::from_millis(40);
        assert!(long < limit, "{unit:?} … {end:?}: {short:?} for 4 KiB, {long:?} for 64 KiB");
    }
}

/// Which queries the fast reader reads, and which it leaves to the grammar.
#[test]
fn canonical_forms_are_simple() {
    for text in [
        "a",
        "*",
        "*:*",
        "a:1",
        "a.b:x",
        "a:*",
        "a:x*",
        "a:?x*y",
        "a:\"x y\"",
        "a\\-b:c-d/e",
        "\"\\\\\\\"\"",
        "größe:\"数据\"",
        "a:[1 TO *}",
        "a:[2024-01-01T00:00:00Z TO NOW-1DAY/DAY]",
        "[\"a b\" TO c]",
        "a:[* TO *]",
        "+a:1 +b:2 -c:*",
        "a:1 b:2 c",
        "+(a:1 b:2) -(c:3 +(d:* e))",
        "+a",
        "-a",
        "\\AND:b",
        "ANDY OR*",
        "a:x\\**",
        "**",
    ] {
        assert_eq!(simple::parse_simple(text), by_grammar(text).ok(), "{text}");
        assert!(simple::parse_simple(text).is_some(), "{text}");
    }
    for text in [
        "",
        " a",
        "a ",
        "a  b",
        "a AND b",
        "NOT a",
        "a:(b c)",
        "a^2",
        "a~1",
        "a:/x/",
        "filter(a)",
        "{!term f=x}y",
        "_query_:\"a\"",
        "a:\"b",
        "(a",
        "a)",
        "()",
        "a:",
        "a:[1 TO 2",
        "a:[TO TO 2]",
        "+ a",
        "a:b:c",
        "a\\",
        "/* */a",
        "*:a",
        "\\_val_:x",
        "a && b",
        "AND",
        "a*:b",
        "a:-b",
        "a:\\u00",
        "a:\"\"~2",
        "[\"\" TO a]",
        "a:NOW-1WEEK",
        "\"now -1DAY\"",
        "a:[* TO now]",
    ] {
        assert_eq!(simple::parse_simple(text), None, "{text}");
    }
}

fn occur() -> impl Strategy<Value = Occur> {
    prop_oneof![Just(Occur::Should), Just(Occur::Must), Just(Occur::MustNot)]
}

/// Texts of characters that are special somewhere, and of others.
fn value() -> impl Strategy<Value = String> {
    let words = prop_oneof![
        Just("AND"),
        Just("OR"),
        Just("NOT"),
        Just("TO"),
        Just("*"),
        Just("filter"),
        Just("NOW")
    ];
    prop_oneof![
        4 => "[a-z0-9]{1,4}",
        4 => "[-+&|!(){}\\[\\]^\"~*?:\\\\/ <>=.,@#'\t\n\u{3000}a\u{0}é💡]{0,5}",
        1 => words.prop_map(str::to_string),
    ]
}

fn non_empty() -> impl Strategy<Value = String> {
    value().prop_filter("not empty", |text| !text.is_empty())
}

fn bound() -> impl Strategy<Value = Bound> {
    prop_oneof![
        Just(Bound::Open),
        non_empty().prop_map(Bound::Inclusive),
        non_empty().prop_map(Bound::Exclusive),
    ]
}

/// A pattern with a wildcard, which is neither a prefix nor a lone star.
fn pattern() -> impl Strategy<Value = Vec<Glob>> {
    let char =
        value().prop_filter_map("a character", |text| text.chars().next()).prop_map(Glob::Char);
    proptest::collection::vec(
        prop_oneof![2 => char, 1 => Just(Glob::One), 1 => Just(Glob::Any)],
        1..5,
    )
    .prop_filter("a wildcard", |globs| {
        match globs.iter().position(|g| !matches!(g, Glob::Char(_))) {
            None => false,
            Some(first) => globs[first] == Glob::One || first + 1 < globs.len(),
        }
    })
}

fn leaf_query() -> impl Strategy<Value = LeafQuery> {
    prop_oneof![
        4 => value().prop_map(LeafQuery::Equal),
        1 => non_empty().prop_map(LeafQuery::Prefix),
        1 => pattern().prop_map(LeafQuery::Wildcard),
        1 => "[a-c.|*+()]{1,6}".prop_filter_map("an expression", |source| {
            Some(source).filter(|s| !s.starts_with('*')).and_then(|s| Regexp::parse(&s, 0).ok()).map(LeafQuery::Regexp)
        }),
        1 => (non_empty(), 0u8..3).prop_map(|(text, edits)| LeafQuery::Fuzzy(text, edits)),
        2 => (bound(), bound())
            .prop_filter("an end", |(a, b)| (a, b) != (&Bound::Open, &Bound::Open))
            .prop_map(|(lower, upper)| LeafQuery::Range { lower, upper }),
        1 => Just(LeafQuery::Exists),
    ]
}

fn tree() -> impl Strategy<Value = Ast> {
    let path = proptest::option::of(non_empty()).prop_filter("no magic field", |path| {
        !matches!(path.as_deref(), Some("_query_" | "_val_"))
    });
    let leaf = prop_oneof![
        1 => Just(Ast::All),
        9 => (path, leaf_query()).prop_map(|(path, query)| Ast::Condition { path, query }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let clauses = proptest::collection::vec((occur(), inner.clone()), 1..4)
            .prop_filter("more than one optional clause", |list| {
                list.len() > 1 || list[0].0 != Occur::Should
            });
        let boosted = |boost: fn(Box<Ast>, f32) -> Ast| {
            (inner.clone(), 0u16..1000)
                .prop_map(move |(ast, by)| boost(Box::new(ast), f32::from(by) / 8.0))
        };
        let object_path = non_empty()
            .prop_filter("no magic field", |path| !matches!(path.as_str(), "_query_" | "_val_"));
        prop_oneof![
            4 => clauses.prop_map(Ast::Boolean),
            2 => (object_path, inner.clone())
                .prop_map(|(path, ast)| Ast::Object { path, query: Box::new(ast) }),
            1 => boosted(Ast::Boost),
            1 => boosted(Ast::Constant),
            1 => inner.prop_map(|ast| Ast::Filter(Box::new(ast))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn canonical_form_reads_back(ast in tree()) {
        prop_assert_eq!(parse(&ast.to_string()), Ok(ast));
    }

    #[test]
    fn simple_queries_read_as_the_grammar_has_them(ast in tree()) {
        let text = ast.to_string();
        if let Some(simple) = simple::parse_simple(&text) {
            prop_assert_eq!(&simple, &ast);
            prop_assert_eq!(by_grammar(&text), Ok(simple));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
        let _ = parse(&text);
        let _ = parse_sort(&text);
    }

    #[test]
    fn token_soup_reads_as_its_canonical_form_does(
        tokens in proptest::collection::vec(
            proptest::sample::select(vec![
                "a", "b", "f:", "*", "?", "\"", "\\", "(", ")", "[", "]", "{", "}", "{!", "{!term f=x}", " TO ", "AND",
                "OR", "NOT", "&&", "||", "!", "+", "-", "~", "^", "^2", "~1", "/", "/*", "*/", ":", "=", " ", " ", " ",
                "filter(", "_query_:", "\\u0041", "\t", "é", "f:{", "f:[a TO b]", "f:{", "a:1", "}",
            ]),
            0..14,
        )
    ) {
        let text = tokens.concat();
        if let Some(simple) = simple::parse_simple(&text) {
            prop_assert_eq!(by_grammar(&text), Ok(simple), "{}", text);
        }
        match parse(&text) {
            Ok(ast) => prop_assert_eq!(parse(&ast.to_string()), Ok(ast)),
            Err(error) => if let Some(position) = error.position {
                prop_assert!(text.is_char_boundary(position), "{} at {}", error, position);
            },
        }
    }
}
