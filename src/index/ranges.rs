//! The ranges of the index in which the values lie that can pass a test.

use super::key::{self, MAX_VALUE};
use super::string_code::{self, Unpacked, end_of_prefix};
use crate::document::{BOOLEAN, NUMBER, STRING, Scalar, Span, unordered_instant};
use crate::predicate::{Limit, Test, Value};

/// A range of stored values, each with its type in front: `from` is in it, `below` is not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct KeyRange {
    /// The first bytes of the range.
    pub from: Vec<u8>,
    /// The first bytes behind the range.
    pub below: Vec<u8>,
    /// Whether some values in the range do not pass, so that each of them must be tested.
    pub recheck: bool,
}

impl KeyRange {
    /// Whether a stored value lies in the range.
    pub fn contains(&self, value: &[u8]) -> bool {
        self.from.as_slice() <= value && value < self.below.as_slice()
    }

    /// The only value in the range, if there can be no more than one.
    pub fn point(&self) -> Option<&[u8]> {
        let (last, rest) = self.below.split_last()?;
        (*last == 0 && rest == self.from).then_some(&self.from)
    }

    fn point_at(value: &[u8]) -> KeyRange {
        let from = key::stored_value(value).to_vec();
        KeyRange { recheck: key::is_truncated_value(&from), below: successor(&from), from }
    }

    /// The range of a span of values.
    fn of_span(span: Span<Vec<u8>>) -> KeyRange {
        match span.end {
            None => KeyRange::point_at(&span.first),
            Some(end) => KeyRange { from: span.first, below: end, recheck: false },
        }
    }

    /// The strings that begin with `start`.
    fn strings(start: &[u8]) -> KeyRange {
        let typed = [&[STRING], start].concat();
        let from = key::stored_value(&typed).to_vec();
        let below = end_of_prefix(&from);
        KeyRange { recheck: start.len() > MAX_VALUE, from, below }
    }

    /// The ranges of stored forms, packed and plain, for a range of values.
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

/// Where instants are looked for that are not written `…T…Z` (see `key`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstantSearch {
    /// Among the second keys of instants.
    ByKey,
    /// Among the strings that begin with a date near the instant.
    ByText,
}

/// The ranges of stored values that hold every value that passes the test. They are in order and do
/// not overlap.
pub fn ranges(test: &Test, instants: InstantSearch) -> Vec<KeyRange> {
    let mut ranges: Vec<KeyRange> =
        value_ranges(test, instants).into_iter().flat_map(KeyRange::in_stored_forms).collect();
    ranges.sort_by(|a, b| a.from.cmp(&b.from));
    ranges
}

/// Whether all of these ranges hold one and the same value, in one form or another, and nothing
/// else.
pub fn is_one_value(ranges: &[KeyRange]) -> bool {
    let value = |range: &KeyRange| {
        range.point().map(|stored| string_code::unpack(stored, &mut Unpacked::new()).to_vec())
    };
    let mut values = ranges.iter().map(value);
    values.next().flatten().is_some_and(|first| values.all(|other| other.as_ref() == Some(&first)))
}

/// The ranges of values, before they are packed.
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
    ranges.extend(number(value).map(KeyRange::of_span));
    let text = KeyRange::point_at(&Scalar::String(&value.text).to_bytes());
    match text_of_instants(value, by) {
        // Strings that are no instants may begin in the same way, so each one is tested.
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
    if by == InstantSearch::ByKey {
        ranges.extend(instants(value).map(KeyRange::of_span));
    }
    ranges
}

/// The number that a value stands for, or the numbers of a partial date, which are short.
fn number(value: &Value) -> Option<Span<Vec<u8>>> {
    value.ordered.as_ref().map(|span| span.map(|number| Scalar::Number(number).to_bytes()))
}

/// The instants that a value stands for, as their keys hold them.
fn instants(value: &Value) -> Option<Span<Vec<u8>>> {
    value.instants.map(|span| span.map(|instant| key::instant(*instant)))
}

fn between(lower: Option<&Limit>, upper: Option<&Limit>, by: InstantSearch) -> Vec<KeyRange> {
    // If one end is a text and no instant, the second keys of instants cannot say on which side of
    // it they are.
    let mut limits = lower.into_iter().chain(upper);
    let by = match limits.all(|limit| limit.value.instants.is_some()) {
        true => by,
        false => InstantSearch::ByText,
    };
    // A calculated value that is no instant is a number, which no string compares with.
    let has_text = |value: &Value| !value.is_calculated || value.instants.is_some();
    let text = |value: &Value| {
        has_text(value).then(|| Span::single(Scalar::String(&value.text).to_bytes()))
    };
    let boolean = |value: &Value| value.boolean.map(|b| Span::single(Scalar::Bool(b).to_bytes()));
    let mut texts = range(STRING, lower, upper, text);
    if let Some(range) = &mut texts {
        widen_to_instants(range, lower, upper, by);
    }
    let instants = match by {
        InstantSearch::ByKey => range(key::INSTANT, lower, upper, instants),
        InstantSearch::ByText => None,
    };
    [range(NUMBER, lower, upper, number), texts, range(BOOLEAN, lower, upper, boolean), instants]
        .into_iter()
        .flatten()
        .filter(|range| range.from < range.below)
        .collect()
}

/// The range of values of one type. None if an end of it has no value of that type.
fn range(
    kind: u8,
    lower: Option<&Limit>,
    upper: Option<&Limit>,
    read: impl Fn(&Value) -> Option<Span<Vec<u8>>>,
) -> Option<KeyRange> {
    // A stored value that is truncated where the limit is may lie on either side of it, so it is
    // tested.
    let mut recheck = false;
    let mut end = |limit: &Limit, is_behind: bool| {
        // The first value behind a span is at the same place as one that is in front of it.
        let (value, is_behind) = match read(&limit.value)? {
            Span { end: Some(end), .. } if is_behind => (end, false),
            Span { first, .. } => (first, is_behind),
        };
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

/// Widens a range of strings so that it holds all strings that are instants within the limits.
/// Strings that are instants compare as instants with a limit that is one. If the limit is date
/// math, all other strings are ruled out, and every instant begins with a digit.
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

/// The first and the last prefix of strings that may be a value's instant. Strings `…T…Z` begin
/// with its second; within that, a string with a fraction comes before the Z of one without.
fn text_of_instants(value: &Value, by: InstantSearch) -> Option<[KeyRange; 2]> {
    let ends = match by {
        InstantSearch::ByKey => value.instant_seconds(),
        InstantSearch::ByText => value.instant_dates(),
    };
    ends.map(|ends| ends.map(|start| KeyRange::strings(start.as_bytes())))
}

/// The first byte string behind `bytes`.
fn successor(bytes: &[u8]) -> Vec<u8> {
    [bytes, &[0]].concat()
}
