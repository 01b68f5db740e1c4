//! Stored values answer as the matcher does, one by one and by ranges.

use super::*;
use crate::predicate::lower;
use crate::syntax::parse;
use proptest::prelude::*;

fn test(query: &str) -> Test {
    let now = "2024-03-31T12:00:00Z".parse().unwrap();
    match lower(&parse(query).unwrap(), now).unwrap().predicate {
        Predicate::Condition { test, .. } => test,
        other => panic!("{query} is {other:?}"),
    }
}

const QUERIES: &[&str] = &[
    "a:1",
    "a:1.0",
    "a:x",
    "a:true",
    "a:2024-03-31T12\\:00\\:00Z",
    "a:[1 TO 5]",
    "a:{1 TO 5}",
    "a:[a TO b}",
    "a:{x TO *]",
    "a:[* TO 2]",
    "a:[false TO true}",
    "a:[NOW-1DAY TO NOW]",
    "a:{NOW TO *}",
    "a:[* TO NOW}",
    "a:[2024-03-31T11:00:00.5Z TO x]",
    "a:[0 TO 2024-03-31T11:00:00.5Z}",
    "a:[NOW-1DAY TO *]",
    "a:[NOW-1DAY TO x]",
    "a:[2024-03-30T00:00:00Z TO NOW/DAY+1MILLI}",
    "a:[NOW-200000YEARS TO NOW+200000YEARS]",
    "a:NOW",
    "a:NOW/DAY",
    "a:\"2024-03-31T14:00:00+02:00\"",
    "a:{2024-03-31T14\\:00\\:00+02\\:00 TO *]",
    "a:[* TO \"2024-03-31 12:00:00+00\"]",
    "a:2024-03",
    "a:2024-03-31",
    "a:\"2024-03-31T12:00\"",
    "a:\"2024-03-31 12\"",
    "a:\"2024-03-31T12:00:00\"",
    "a:\"2024-03-31+02:00\"",
    "a:\"2024-03-31T14:00+0200\"",
    "a:2024-03-31/MONTH+30DAYS",
    "a:2024-02-30",
    "a:2024",
    "a:[2024-03-31 TO 2024-03-31]",
    "a:{2024-03 TO *]",
    "a:{2023-01 TO 2024-03-31T12:00}",
    "a:[* TO 2024-03-31}",
    "a:[* TO 2024-03-31]",
    "a:[\"2024-03-31 12:00\" TO x]",
    "a:[2023 TO 2024]",
    "a:[2023 TO 2024-03]",
    "a:{2023 TO NOW]",
    "a:x*",
    "a:x?y*",
    "a:*y",
    "a:/x[yz]+/",
    "a:xyz~1",
    "a:[1e999999 TO *]",
    "a:[-1 TO 1e-999999]",
];

const VALUES: &[&str] = &[
    "1",
    "1.0",
    "5",
    "-1",
    "0",
    "2",
    "4.99",
    "1e300",
    "1711886400000",
    "true",
    "false",
    "\"1\"",
    "\"x\"",
    "\"xy\"",
    "\"xyz\"",
    "\"a\"",
    "\"b\"",
    "\"\"",
    "\"2024-03-31T12:00:00Z\"",
    "\"2024-03-31T12:00:00.000Z\"",
    "\"2024-03-31T11:00:00.25Z\"",
    "\"2024-03-31T11:00:00.75Z\"",
    "\"2024-03-31T12:00:00.001Z\"",
    "\"2024-03-31T12:00:00x\"",
    "\"2023-01-01T00:00:00Z\"",
    "\"NOW\"",
    "\"Z\"",
    "\"unknown\"",
    "\"2024-03-31T14:00:00+02:00\"",
    "\"2024-03-31T12:00:00.000+00:00\"",
    "\"2024-03-31 12:00:00+00\"",
    "\"2024-03-31 12:00:00Z\"",
    "\"2024-03-31T00:00:00+00\"",
    "\"2024-03-30T13:00:00-2359\"",
    "\"2024-04-01T10:59:00.5+23:59\"",
    "\"2024-03-31T12:00:00\"",
    "\"2024-03-31T12:00\"",
    "\"2024-03-31\"",
    "\"2024-03-30\"",
    "\"2024-03\"",
    "\"2024-02-30\"",
    "\"2024\"",
    "2024",
    "1709251200000",
    "1711843199999.9999999",
    "1711843200000",
    "1711929599999",
    "1711929600000",
    "\"2024-03-01T00:00:00Z\"",
    "\"2024-03-31T23:59:59.999999999Z\"",
    "\"2024-04-01T00:00:00Z\"",
    "\"2024-03-31T12:00:59.999+00:00\"",
    "\"2024-03-31T12:01:00Z\"",
    "\"2024-01-01T00:00:00Z\"",
    "\"2023-12-31T23:00:00-01:00\"",
    "\"9999-12-31T23:59:59-12:00\"",
    "\"0000-01-01T00:00:00+12:00\"",
];

/// The index's answer for a stored value is the matcher's answer for the value, or `Maybe`.
fn agrees(query: &str, json: &str) {
    let value: serde_json::Value = serde_json::from_str(json).unwrap();
    let test = test(query);
    let predicate = Predicate::Condition { path: Some("a".into()), test: test.clone() };
    let expected = predicate.matches(&serde_json::json!({ "a": value }));
    let mut scratch = crate::document::Scratch::new();
    crate::document::walk(&value, &mut |_, leaf| {
        let scalar = leaf.scalar(&mut scratch).unwrap();
        let bytes = scalar.to_bytes();
        let instant = match scalar {
            Scalar::String(text) => unordered_instant(text).map(key::instant),
            _ => None,
        };
        let (by_key, by_text) = (LeafProbe::new(&test), LeafProbe::for_any_version(&test));
        let value = by_key.test(key::stored_value(&bytes));
        let instant = instant.map_or(Ternary::No, |instant| by_key.test(&instant));
        if by_key.has_instant_keys {
            assert!(value.min(instant) == Ternary::No, "{query} {json} is counted twice");
        }
        for found in [value.max(instant), by_text.test(key::stored_value(&bytes))] {
            match found {
                Ternary::Maybe => assert!(key::is_truncated_value(&bytes), "{query} {json}"),
                found => assert_eq!(found == Ternary::Yes, expected, "{query} {json}"),
            }
        }
    });
}

#[test]
fn stored_values_answer_as_the_matcher_does() {
    for query in QUERIES {
        for value in VALUES {
            agrees(query, value);
        }
    }
}

#[test]
fn alternatives_that_look_at_the_same_values_are_asked_together() {
    let tests = ["a:*x*", "a:*y*", "a:/.*z/", "a:x~1", "a:x*y", "a:xy*z", "a:x*", "a:1"].map(test);
    let probes = combine_patterns(tests.iter().map(|test| (Some("a"), LeafProbe::new(test))));
    assert_eq!(probes.len(), 5, "{probes:?}");
    let holds = |text: &str| {
        let value = Scalar::String(text).to_bytes();
        probes.iter().any(|(_, probe)| probe.test(key::stored_value(&value)) == Ternary::Yes)
    };
    for (text, expected) in
        [("ax", true), ("by", true), ("zz", true), ("xb", true), ("b", true), ("ba", false)]
    {
        assert_eq!(holds(text), expected, "{text}");
    }
    // The same, tested by one automaton.
    for (_, probe) in &probes {
        probe.tested.set(UNITE_AFTER_TEXTS);
    }
    for (text, expected) in
        [("ax", true), ("bé", false), ("byé", true), ("zé\nz", true), ("xb", true), ("ba", false)]
    {
        assert_eq!(holds(text), expected, "{text} among many");
    }
    assert!(
        probes
            .iter()
            .any(|(_, probe)| probe.union.get().is_some_and(|union| union.prefixes.is_some()))
    );
    // If both patterns rule a beginning out, so does their automaton.
    let tests = ["a:/b[cd]e.*/", "a:/b[cd]ef/"].map(test);
    let probes = combine_patterns(tests.iter().map(|test| (None, LeafProbe::new(test))));
    assert_eq!(probes.len(), 1, "{probes:?}");
    assert_eq!(probes[0].1.test_text("bxe"), Err(DeadPrefix(2)));
}

#[test]
fn spans_are_in_order_and_apart() {
    for query in QUERIES {
        for ranges in
            [LeafProbe::new(&test(query)).ranges, LeafProbe::for_any_version(&test(query)).ranges]
        {
            assert!(ranges.iter().all(|range| range.from < range.below), "{query} {ranges:?}");
            assert!(
                ranges.windows(2).all(|pair| pair[0].below <= pair[1].from),
                "{query} {ranges:?}"
            );
        }
    }
}

proptest! {
    #[test]
    fn long_texts_are_not_told_apart_wrongly(same in 250usize..260, a in "[xyé]{0,8}", b in "[xyé]{0,8}", form in 0..6) {
        let start = "x".repeat(same);
        let text = format!("{start}{a}");
        let query = match form {
            0 => format!("a:{start}{b}"),
            1 => format!("a:[{start}{b} TO *]"),
            2 => format!("a:{{* TO {start}{b}}}"),
            3 => format!("a:{{{start}{b} TO {start}y}}"),
            4 => format!("a:{start}{b}*"),
            _ => format!("a:x*{b}"),
        };
        agrees(&query, &serde_json::Value::from(text).to_string());
    }
}
