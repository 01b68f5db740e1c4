//! Where in the order of values those lie that pass a test.

use super::key::{self, MAX_VALUE};
use super::string_code::{self, Unpacked, end_of_prefix};
use crate::document::{BOOLEAN, NUMBER, STRING, Scalar, unordered_instant};
use crate::interrupts;
use crate::pattern::{DeadPrefix, Table};
use crate::predicate::{Limit, Predicate, Test, Value};
use std::cell::{Cell, OnceCell};
use std::collections::HashMap;

/// What is known of a document from its keys. In order, so that the smaller of two decides a conjunction, the greater a
/// disjunction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ternary {
    No,
    Maybe,
    Yes,
}

/// Values, type in front: from one on, up to another that is none of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyRange {
    pub from: Vec<u8>,
    pub below: Vec<u8>,
    /// Whether not every value within passes, so that each must be asked.
    pub recheck: bool,
}

impl KeyRange {
    pub fn contains(&self, value: &[u8]) -> bool {
        self.from.as_slice() <= value && value < self.below.as_slice()
    }

    /// The one value that it holds, if that is clear.
    pub fn point(&self) -> Option<&[u8]> {
        let (last, rest) = self.below.split_last()?;
        (*last == 0 && rest == self.from).then_some(&self.from)
    }

    fn point_at(value: &[u8]) -> KeyRange {
        let from = key::stored_value(value).to_vec();
        KeyRange { recheck: key::is_truncated_value(&from), below: successor(&from), from }
    }

    /// Strings that begin so.
    fn strings(start: &[u8]) -> KeyRange {
        let typed = [&[STRING], start].concat();
        let from = key::stored_value(&typed).to_vec();
        let below = end_of_prefix(&from);
        KeyRange { recheck: start.len() > MAX_VALUE, from, below }
    }

    /// The ranges in which keys hold these values.
    fn in_stored_forms(self) -> impl Iterator<Item = KeyRange> {
        let ranges = match self.point() {
            Some(value) => string_code::forms(value)
                .into_iter()
                .map(|form| (form.clone(), successor(&form)))
                .collect(),
            None => string_code::intervals(&self.from, &self.below),
        };
        ranges.into_iter().map(move |(from, below)| KeyRange { from, below, recheck: self.recheck })
    }
}

/// Where instants are found that are not written `…T…Z` (see `key`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InstantSearch {
    /// By keys of their own.
    ByKey,
    /// Among the texts of about their time.
    ByText,
}

/// Spans of stored values, in order and apart from each other, which hold every value that passes the test.
fn ranges(test: &Test, instants: InstantSearch) -> Vec<KeyRange> {
    let mut ranges: Vec<KeyRange> =
        value_ranges(test, instants).into_iter().flat_map(KeyRange::in_stored_forms).collect();
    ranges.sort_by(|a, b| a.from.cmp(&b.from));
    ranges
}

/// Whether all of these ranges hold one value and no other.
pub fn is_one_value(ranges: &[KeyRange]) -> bool {
    let value = |range: &KeyRange| {
        range.point().map(|stored| string_code::unpack(stored, &mut Unpacked::new()).to_vec())
    };
    let mut values = ranges.iter().map(value);
    values.next().flatten().is_some_and(|first| values.all(|other| other.as_ref() == Some(&first)))
}

/// The same of values as they are.
fn value_ranges(test: &Test, instants: InstantSearch) -> Vec<KeyRange> {
    let rechecked =
        |start: &str| vec![KeyRange { recheck: true, ..KeyRange::strings(start.as_bytes()) }];
    match test {
        Test::Equal(value) => equal(value, instants),
        Test::Range { lower, upper } => between(lower.as_ref(), upper.as_ref(), instants),
        Test::Prefix(start) => vec![KeyRange::strings(start.as_bytes())],
        Test::Wildcard(wildcard) => rechecked(&wildcard.literal_prefix()),
        Test::Regexp(regexp) => rechecked(&regexp.literal_prefix()),
        Test::Fuzzy(fuzzy) if fuzzy.edits() == 0 => {
            vec![KeyRange::point_at(&Scalar::String(fuzzy.text()).to_bytes())]
        }
        Test::Fuzzy(_) => rechecked(""),
        Test::Exists => {
            vec![KeyRange { from: vec![NUMBER], below: vec![BOOLEAN + 1], recheck: false }]
        }
    }
}

fn equal(value: &Value, by: InstantSearch) -> Vec<KeyRange> {
    let mut ranges = Vec::new();
    if let Some(ordered) = &value.ordered {
        ranges.push(KeyRange::point_at(&Scalar::Number(ordered).to_bytes()));
    }
    let text = KeyRange::point_at(&Scalar::String(&value.text).to_bytes());
    match text_of_instants(value, by) {
        // Other strings may begin as the instant's do, too.
        Some([first, last]) => {
            let instants = KeyRange { from: first.from, below: last.below, recheck: true };
            let has_key = by == InstantSearch::ByKey && unordered_instant(&value.text).is_some();
            if !has_key && !instants.contains(&text.from) {
                ranges.push(text);
            }
            ranges.push(instants);
        }
        None => ranges.push(text),
    }
    if let Some(boolean) = value.boolean {
        ranges.push(KeyRange::point_at(&Scalar::Bool(boolean).to_bytes()));
    }
    if let (Some(instant), InstantSearch::ByKey) = (value.instant, by) {
        ranges.push(KeyRange::point_at(&key::instant(instant)));
    }
    ranges
}

fn between(lower: Option<&Limit>, upper: Option<&Limit>, by: InstantSearch) -> Vec<KeyRange> {
    // With an end that is a text, no key of an instant says enough.
    let mut limits = lower.into_iter().chain(upper);
    let by = match limits.all(|limit| limit.value.instant.is_some()) {
        true => by,
        false => InstantSearch::ByText,
    };
    let number = |value: &Value| value.ordered.as_deref().map(|n| Scalar::Number(n).to_bytes());
    let text = |value: &Value| Some(Scalar::String(&value.text).to_bytes());
    let boolean = |value: &Value| value.boolean.map(|b| Scalar::Bool(b).to_bytes());
    let mut texts = range(STRING, lower, upper, text);
    if let Some(range) = &mut texts {
        widen_to_instants(range, lower, upper, by);
    }
    let instants = match by {
        InstantSearch::ByKey => {
            range(key::INSTANT, lower, upper, |value| value.instant.map(key::instant))
        }
        InstantSearch::ByText => None,
    };
    [range(NUMBER, lower, upper, number), texts, range(BOOLEAN, lower, upper, boolean), instants]
        .into_iter()
        .flatten()
        .filter(|range| range.from < range.below)
        .collect()
}

/// The range of one type; none if an end is no value of the type.
fn range(
    kind: u8,
    lower: Option<&Limit>,
    upper: Option<&Limit>,
    read: impl Fn(&Value) -> Option<Vec<u8>>,
) -> Option<KeyRange> {
    // A stored value that is cut where the limit is may lie on either side of it, and is asked.
    let mut recheck = false;
    let mut end = |limit: &Limit, is_behind: bool| {
        let value = read(&limit.value)?;
        let is_truncated = key::is_truncated_value(&value);
        recheck |= is_truncated;
        Some((key::stored_value(&value).to_vec(), is_truncated, is_behind))
    };
    let from = match lower {
        None => vec![kind],
        Some(limit) => match end(limit, !limit.inclusive)? {
            (value, false, true) => successor(&value),
            (value, ..) => value,
        },
    };
    let below = match upper {
        None => vec![kind + 1],
        Some(limit) => match end(limit, limit.inclusive)? {
            (value, false, false) => value,
            (value, ..) => successor(&value),
        },
    };
    Some(KeyRange { from, below, recheck })
}

/// Strings that are instants compare as such with a limit that is one. Where it is date math, no other strings do, and they all begin
/// with a digit.
fn widen_to_instants(
    range: &mut KeyRange,
    lower: Option<&Limit>,
    upper: Option<&Limit>,
    by: InstantSearch,
) {
    if let Some(limit) = lower
        && let Some([first, _]) = text_of_instants(&limit.value, by)
    {
        range.recheck = true;
        range.from = match limit.value.is_calculated {
            true => first.from,
            false => std::mem::take(&mut range.from).min(first.from),
        };
    }
    if let Some(limit) = upper
        && let Some([_, last]) = text_of_instants(&limit.value, by)
    {
        range.recheck = true;
        range.below = match limit.value.is_calculated {
            true => last.below,
            false => std::mem::take(&mut range.below).max(last.below),
        };
    }
    if lower.into_iter().chain(upper).any(|limit| limit.value.is_calculated) {
        range.from = std::mem::take(&mut range.from).max(vec![STRING, b'0']);
        range.below = std::mem::take(&mut range.below).min(vec![STRING, b'9' + 1]);
    }
}

/// The strings with which the first and the last texts begin that may be those of a value's instant. Texts `…T…Z` have its second;
/// within it, a fraction comes before the Z that ends one without.
fn text_of_instants(value: &Value, by: InstantSearch) -> Option<[KeyRange; 2]> {
    let ends = match by {
        InstantSearch::ByKey => value.instant_second().map(|second| [second.clone(), second]),
        InstantSearch::ByText => value.instant_dates(),
    };
    ends.map(|ends| ends.map(|start| KeyRange::strings(start.as_bytes())))
}

/// The first byte string behind this one.
fn successor(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[0]].concat()
}

/// One test or several, made ready to ask stored values whether one of them passes.
#[derive(Debug, Clone)]
pub struct LeafProbe {
    pub ranges: Vec<KeyRange>,
    /// All with these ranges.
    tests: Vec<Test>,
    /// How many texts were asked, and what asks further ones, once they are many.
    tested: Cell<usize>,
    union: OnceCell<UnitedTests>,
    /// Whether instants are found by keys of their own, so that their texts say nothing more.
    has_instant_keys: bool,
}

/// Several tests, as far as possible as one.
#[derive(Debug, Clone)]
struct UnitedTests {
    /// The wildcards that end in a star, without it.
    prefixes: Option<Table>,
    full: Option<Table>,
    others: Vec<Test>,
}

/// From so many texts on it is worth its making.
const UNITE_AFTER_TEXTS: usize = 1_000;

/// The probes of alternatives, those of patterns together that have to look at each of the same values: they are then read once.
pub fn combine_patterns<'l>(
    probes: impl IntoIterator<Item = (Option<&'l str>, LeafProbe)>,
) -> Vec<(Option<&'l str>, LeafProbe)> {
    let mut united: Vec<(Option<&str>, LeafProbe)> = Vec::new();
    let mut known: HashMap<(Option<&str>, Vec<KeyRange>), usize> = HashMap::new();
    for (path, probe) in probes {
        interrupts::spend(1);
        if probe.is_of_patterns() {
            let at = *known.entry((path, probe.ranges.clone())).or_insert(united.len());
            if let Some((_, known)) = united.get_mut(at) {
                known.tests.extend(probe.tests);
                continue;
            }
        }
        united.push((path, probe));
    }
    united
}

impl UnitedTests {
    fn new(tests: &[Test]) -> UnitedTests {
        let (mut prefixes, mut full, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for test in tests {
            let pattern = match test {
                Test::Wildcard(wildcard) => wildcard.simple_pattern(),
                _ => None,
            };
            match pattern {
                Some((pattern, true)) => prefixes.push((pattern, test)),
                Some((pattern, false)) => full.push((pattern, test)),
                None => others.push(test.clone()),
            }
        }
        let mut table_of = |list: Vec<(String, &Test)>| {
            let patterns = list.iter().map(|(pattern, _)| pattern.clone());
            let table = if list.len() > 1 { Table::of_any(patterns) } else { None };
            if table.is_none() {
                others.extend(list.into_iter().map(|(_, test)| test.clone()));
            }
            table
        };
        let (prefixes, full) = (table_of(prefixes), table_of(full));
        UnitedTests { prefixes, full, others }
    }
}

impl LeafProbe {
    /// For an index of which this version has entered all documents.
    pub fn new(test: &Test) -> LeafProbe {
        LeafProbe::with_instants(test, InstantSearch::ByKey)
    }

    /// For an index that may have entries of earlier versions.
    pub fn for_any_version(test: &Test) -> LeafProbe {
        LeafProbe::with_instants(test, InstantSearch::ByText)
    }

    fn with_instants(test: &Test, instants: InstantSearch) -> LeafProbe {
        let ranges = ranges(test, instants);
        let has_instant_keys = ranges.iter().any(|range| range.from.first() == Some(&key::INSTANT));
        let (tests, tested, union) = (vec![test.clone()], Cell::new(0), OnceCell::new());
        LeafProbe { ranges, tests, tested, union, has_instant_keys }
    }

    /// Whether it asks for keys that versions before 0.5.0 did not write.
    pub fn has_instant_keys(&self) -> bool {
        self.has_instant_keys
    }

    fn is_of_patterns(&self) -> bool {
        let is_pattern =
            |test: &Test| matches!(test, Test::Wildcard(_) | Test::Regexp(_) | Test::Fuzzy(_));
        !self.has_instant_keys && self.tests.iter().all(is_pattern)
    }

    /// What is asked of a document, where the values are those at a path.
    pub fn predicate(&self, path: Option<&str>) -> Predicate {
        let leaf = |test: &Test| Predicate::Condition {
            path: path.map(str::to_string),
            test: test.clone(),
        };
        Predicate::any_of(self.tests.iter().map(leaf))
    }

    /// Whether a stored value passes.
    pub fn test(&self, value: &[u8]) -> Ternary {
        match self.ranges.iter().find(|range| range.contains(value)) {
            None => Ternary::No,
            Some(range) if range.recheck => self.recheck(value),
            Some(_) => Ternary::Yes,
        }
    }

    /// Whether a stored value passes that lies in a range where each must be asked.
    pub fn recheck(&self, stored: &[u8]) -> Ternary {
        self.test_value(string_code::unpack(stored, &mut Unpacked::new())).unwrap_or(Ternary::No)
    }

    /// The same; where it can be seen that no value passes that begins as this one does, with the first place behind those.
    pub fn recheck_or_seek(&self, stored: &[u8]) -> Result<Ternary, Vec<u8>> {
        let mut scratch = Unpacked::new();
        let value = string_code::unpack(stored, &mut scratch);
        self.test_value(value).map_err(|DeadPrefix(length)| {
            string_code::behind(stored, &value[..value.len().min(length)])
        })
    }

    fn test_value(&self, value: &[u8]) -> Result<Ternary, DeadPrefix> {
        let Some((kind, bytes)) = value.split_first() else { return Ok(Ternary::No) };
        if key::is_truncated_value(value) {
            return Ok(self.test_truncated(bytes));
        }
        let accepts = |scalar: Scalar<'_>| self.tests.iter().any(|test| test.accepts(&scalar));
        let passes = match *kind {
            NUMBER => accepts(Scalar::Number(bytes)),
            BOOLEAN => accepts(Scalar::Bool(bytes == [1])),
            _ => match std::str::from_utf8(bytes) {
                Ok(text) if self.has_instant_keys && unordered_instant(text).is_some() => false,
                Ok(text) => {
                    self.test_text(text).map_err(|DeadPrefix(length)| DeadPrefix(1 + length))?
                }
                Err(_) => return Ok(Ternary::Maybe),
            },
        };
        Ok(if passes { Ternary::Yes } else { Ternary::No })
    }

    /// Whether a string passes one of the tests; where none lets pass what begins as it does, how far that can be seen.
    fn test_text(&self, text: &str) -> Result<bool, DeadPrefix> {
        self.tested.set(self.tested.get() + 1);
        let is_many = self.tests.len() > 1 && self.tested.get() > UNITE_AFTER_TEXTS;
        let union = is_many.then(|| self.union.get_or_init(|| UnitedTests::new(&self.tests)));
        let prefixes = union.and_then(|union| union.prefixes.as_ref());
        let full = union.and_then(|union| union.full.as_ref());
        let answers = prefixes
            .map(|table| table.begins(text))
            .into_iter()
            .chain(full.map(|table| table.check(text)));
        let tests = union.map_or(&self.tests, |union| &union.others);
        let mut dead = Some(0);
        for answer in answers.chain(tests.iter().map(|test| test.check(text))) {
            interrupts::spend(1);
            match answer {
                Ok(true) => return Ok(true),
                Ok(false) => dead = None,
                Err(DeadPrefix(length)) => dead = dead.map(|longest: usize| longest.max(length)),
            }
        }
        dead.map_or(Ok(false), |length| Err(DeadPrefix(length)))
    }

    /// Of a cut value only the first bytes are known.
    fn test_truncated(&self, bytes: &[u8]) -> Ternary {
        let is_ruled_out = |test: &Test| match test {
            // A character has at most four bytes.
            Test::Fuzzy(fuzzy) => {
                (fuzzy.text().chars().count() + usize::from(fuzzy.edits())) * 4 < bytes.len()
            }
            Test::Wildcard(wildcard) => !wildcard.could_start(bytes),
            Test::Regexp(regexp) => !regexp.could_start(bytes),
            _ => false,
        };
        if self.tests.iter().all(is_ruled_out) { Ternary::No } else { Ternary::Maybe }
    }
}

#[cfg(test)]
mod tests {
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
        "\"9999-12-31T23:59:59-12:00\"",
        "\"0000-01-01T00:00:00+12:00\"",
    ];

    /// The index's answer for a stored value is the matcher's for the value, or it is not sure.
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
        let tests =
            ["a:*x*", "a:*y*", "a:/.*z/", "a:x~1", "a:x*y", "a:xy*z", "a:x*", "a:1"].map(test);
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
        // The same by one table.
        for (_, probe) in &probes {
            probe.tested.set(UNITE_AFTER_TEXTS);
        }
        for (text, expected) in [
            ("ax", true),
            ("bé", false),
            ("byé", true),
            ("zé\nz", true),
            ("xb", true),
            ("ba", false),
        ] {
            assert_eq!(holds(text), expected, "{text} among many");
        }
        assert!(
            probes
                .iter()
                .any(|(_, probe)| probe.union.get().is_some_and(|union| union.prefixes.is_some()))
        );
        // What both tables see to lead nowhere, their union leaps over.
        let tests = ["a:/b[cd]e.*/", "a:/b[cd]ef/"].map(test);
        let probes = combine_patterns(tests.iter().map(|test| (None, LeafProbe::new(test))));
        assert_eq!(probes.len(), 1, "{probes:?}");
        assert_eq!(probes[0].1.test_text("bxe"), Err(DeadPrefix(2)));
    }

    #[test]
    fn spans_are_in_order_and_apart() {
        for query in QUERIES {
            for ranges in [
                LeafProbe::new(&test(query)).ranges,
                LeafProbe::for_any_version(&test(query)).ranges,
            ] {
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
}
