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
