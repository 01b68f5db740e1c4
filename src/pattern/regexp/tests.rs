//! Expressions against their definition.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Where a match of the node can end that begins at `from`: by the operators' definitions, text by
/// text.
fn ends(node: &RegexpNode, text: &[char], from: usize) -> BTreeSet<usize> {
    let any = from..=text.len();
    let one = |fits: bool| BTreeSet::from_iter(fits.then_some(from + 1));
    let next = text.get(from);
    match node {
        RegexpNode::Empty => BTreeSet::from([from]),
        RegexpNode::Nothing => BTreeSet::new(),
        RegexpNode::AnyChar => one(next.is_some()),
        RegexpNode::AnyString => any.collect(),
        RegexpNode::Literal(literal) => {
            let literal: Vec<char> = literal.chars().collect();
            BTreeSet::from_iter(text[from..].starts_with(&literal).then(|| from + literal.len()))
        }
        RegexpNode::Class { negated, items } => one(next.is_some_and(|c| {
            items.iter().any(|(first, last)| (first..=last).contains(&c)) != *negated
        })),
        RegexpNode::Concat(parts) => parts.iter().fold(BTreeSet::from([from]), |froms, part| {
            froms.into_iter().flat_map(|from| ends(part, text, from)).collect()
        }),
        RegexpNode::Union(branches) => {
            branches.iter().flat_map(|branch| ends(branch, text, from)).collect()
        }
        RegexpNode::Intersection(operands) => any
            .filter(|end| operands.iter().all(|operand| ends(operand, text, from).contains(end)))
            .collect(),
        RegexpNode::Complement(operand) => {
            let ends = ends(operand, text, from);
            any.filter(|end| !ends.contains(end)).collect()
        }
        RegexpNode::Repeat { node, min, max } => {
            // More repetitions than characters end nowhere else.
            let last = max.unwrap_or(u32::MAX).min(min + text.len() as u32);
            let mut froms = BTreeSet::from([from]);
            let mut found = BTreeSet::new();
            for count in 0..=last {
                if count >= *min {
                    found.extend(&froms);
                }
                froms = froms.into_iter().flat_map(|from| ends(node, text, from)).collect();
            }
            found
        }
    }
}

fn expression() -> impl Strategy<Value = String> {
    let atom = proptest::sample::select(vec![
        "a", "b", "é", ".", "@", "#", "()", "[ab]", "[^a]", "\"ab\"", "<1-2>", "[a-é]",
    ]);
    atom.prop_map(str::to_string).prop_recursive(4, 12, 3, |inner| {
        let suffix = proptest::sample::select(vec!["?", "*", "+", "{2}", "{1,}", "{0,2}", "{0}"]);
        let both = (inner.clone(), inner.clone());
        prop_oneof![
            2 => both.clone().prop_map(|(a, b)| format!("({a})({b})")),
            1 => both.clone().prop_map(|(a, b)| format!("({a}|{b})")),
            1 => both.prop_map(|(a, b)| format!("({a}&{b})")),
            1 => (inner.clone(), suffix).prop_map(|(a, suffix)| format!("({a}){suffix}")),
            1 => inner.prop_map(|a| format!("~({a})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn match_by_definition(expression in expression(), text in "[abcé12]{0,6}", more in "[abcé12]{0,4}") {
        let regexp = Regexp::parse(&expression, 0).unwrap().compile().unwrap();
        let chars: Vec<char> = text.chars().collect();
        let expected = ends(regexp.tree(), &chars, 0).contains(&chars.len());
        prop_assert_eq!(regexp.is_match(&text), expected);
        // Each kind of program can take whatever has neither operator.
        let automaton = Automaton::new(regexp.tree()).unwrap();
        prop_assert_eq!(automaton.check(&text) == Ok(true), expected);
        if let Some(pattern) = regexp.pattern() {
            let regex = regex::Regex::new(&format!("(?s){pattern}")).unwrap();
            prop_assert_eq!(regex.is_match(&text), expected);
            let unanchored = regex_syntax::unanchored(regexp.tree()).unwrap();
            let lazy = LazyDfa::new(dfa::large_nfa(&unanchored).unwrap()).unwrap();
            prop_assert_eq!(lazy.check(&text) == Ok(true), expected);
            if expected {
                prop_assert!((0..=text.len()).all(|end| lazy.could_start(&text.as_bytes()[..end])));
            }
        }
        for checked in [regexp.check(&text), automaton.check(&text)] {
            if let Err(DeadPrefix(length)) = checked
                && let Some(start) = text.get(..length)
            {
                let other: Vec<char> = start.chars().chain(more.chars()).collect();
                prop_assert!(!ends(regexp.tree(), &other, 0).contains(&other.len()));
            }
        }
        if expected {
            prop_assert!(text.starts_with(&regexp.literal_prefix()));
            for end in 0..=text.len() {
                let prefix = &text.as_bytes()[..end];
                prop_assert!(regexp.could_start(prefix) && automaton.could_start(prefix));
            }
        }
    }

    #[test]
    fn intervals_hold_their_numbers(
        a in 0u32..3000, b in 0u32..3000, number in 0u32..3200, zeros in 0usize..4, digits in 0usize..6,
    ) {
        let (min, max) = (a.min(b), a.max(b));
        let text = format!("{}{number}", "0".repeat(zeros));
        let digits = Some(digits).filter(|digits| *digits >= max.to_string().len());
        let source = match digits {
            Some(digits) => format!("<{min:0digits$}-{max:0digits$}>"),
            None => format!("<0{min:04}-{max}>"),
        };
        let expected = (min..=max).contains(&number) && digits.is_none_or(|digits| text.len() == digits);
        prop_assert_eq!(Regexp::parse(&source, 0).unwrap().compile().unwrap().is_match(&text), expected, "{} {}", source, text);
    }
}

#[test]
fn match_whole_values() {
    for (expression, value, expected) in [
        ("ab", "ab", true),
        ("ab", "abc", false),
        ("a.c", "a\nc", true),
        ("@", "anything", true),
        ("a@", "b", false),
        ("\"a.b\"", "a.b", true),
        ("\"a.b\"", "axb", false),
        ("#", "", false),
        ("a|#", "a", true),
        ("()", "", true),
        ("a()b", "ab", true),
        ("[^a-c]", "d", true),
        ("[^a-c]", "b", false),
        ("[\\]\\-x]+", "]-x", true),
        ("[a-]", "a", false),
        ("*a", "*a", true),
        ("a{2,3}", "aaaa", false),
        ("a{3,2}", "aaa", false),
        ("(ab)+c?", "ababc", true),
        ("a**", "aaa", true),
        ("\\d", "d", true),
        ("^a$", "^a$", true),
        ("<", "<", false),
        // Complement binds tightest, and intersection looser than a sequence.
        ("~a", "b", true),
        ("~a", "", true),
        ("~a", "a", false),
        ("~ab", "bb", true),
        ("~ab", "ab", false),
        ("~(ab)", "ab", false),
        ("~a+", "a", false),
        ("~a+", "ab", true),
        ("~~a", "a", true),
        ("~#", "anything", true),
        ("~@", "", false),
        ("~", "", false),
        ("x(~y)z", "xz", true),
        ("x(~y)z", "xyz", false),
        ("x(~y)z", "xyyz", true),
        ("[~&]+", "~&", true),
        ("\\~\\&", "~&", true),
        ("a.*&.*b", "a💡b", true),
        ("a.*&.*b", "ab\n", false),
        ("a|b&c", "a", true),
        ("a|b&c", "b", false),
        ("(.{2}&~(ab))*c", "aabac", true),
        ("(.{2}&~(ab))*c", "aaabc", false),
        ("[^a]*&~(.*b.*)", "çd", true),
        ("[^a]*&~(.*b.*)", "cbd", false),
        ("&a", "&a", true),
        ("&a", "&", false),
        ("a&", "a", false),
        ("a&&b", "a", false),
        ("~(a{1000})", "a", true),
        // Numeric intervals
        ("<1-9>", "5", true),
        ("<1-9>", "0", false),
        ("<1-9>", "05", false),
        ("<1-10>", "005", true),
        ("<1-10>", "10", true),
        ("<1-10>", "11", false),
        ("<10-1>", "7", true),
        ("<0-10>", "", false),
        ("<0-10>", "000", true),
        ("<01-99>", "7", false),
        ("<01-99>", "07", true),
        ("<008-100>", "009", true),
        ("<8-8>", "8", true),
        ("<8-08>", "008", true),
        ("x<1995-2012>y", "x2009y", true),
        ("x<1995-2012>y", "x2013y", false),
        ("<0-2147483647>", "2147483647", true),
        ("<0-2147483647>", "2147483648", false),
        ("<0-2147483648>", "1", false),
        ("<1-2-3>", "1", false),
        ("<-5>", "5", false),
        ("<1->", "1", false),
        ("<name>", "name", false),
        ("a>", "a>", true),
        ("|a", "|a", true),
    ] {
        match Regexp::parse(expression, 0).and_then(|regexp| regexp.compile()) {
            Ok(regexp) => assert_eq!(regexp.is_match(value), expected, "/{expression}/ {value}"),
            Err(_) => assert!(!expected, "/{expression}/ is refused"),
        }
    }
}

#[test]
fn know_how_their_matches_begin() {
    for (expression, literal, possible, impossible) in [
        ("te.t", "te", "tex", "tx"),
        ("\"te\"(s|x)t", "te", "tex", "tet"),
        ("(foam|foal)s?", "foa", "foam", "foo"),
        ("a+b", "a", "aab", "ac"),
        ("a{1}b*", "a", "abb", "aaa"),
        ("a?b", "", "b", "c"),
        ("a{0}[\\]]x", "]x", "]x", "a"),
        ("<195-197>", "19", "196", "198"),
        ("@", "", "x", ""),
        ("~(a.*)", "", "b", "a"),
        ("foo.*&.*b&fo@", "foo", "foob", "fx"),
        ("x(~y)z", "x", "xy", "y"),
        ("[é💡]x", "", "é", "ê"),
    ] {
        let regexp = Regexp::parse(expression, 0).unwrap().compile().unwrap();
        assert_eq!(regexp.literal_prefix(), literal, "{expression}");
        for end in 0..=possible.len() {
            assert!(regexp.could_start(&possible.as_bytes()[..end]), "{expression} {possible}");
        }
        assert!(
            impossible.is_empty() || !regexp.could_start(impossible.as_bytes()),
            "{expression} {impossible}"
        );
    }
}
