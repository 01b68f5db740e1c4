//! A simple query that was read once, for a query that is asked again of other documents, among
//! many other queries. It lies in two pieces that are read from their beginning, the text and the
//! clauses one behind the other, so that ten thousand of them come from memory ahead of their use.
//! A [`Matcher`] is several times as large.
//!
//! [`Matcher`]: super::Matcher

use super::direct::{
    ClauseResult, ClauseResults, MAX_DIRECT_QUERY_BYTES, any_leaf, is_dated, is_within,
};
use crate::document::{Container, Leaf, ShortNumber, is_plain_instant};
use crate::predicate::UnreadValue;
use crate::syntax::{ClauseBuilder, Occur, SimpleTest, read_simple};
use chrono::{DateTime, Utc};
use std::cmp::Ordering;

/// A simple query, ready for any document.
#[derive(Debug)]
pub struct SimpleMatcher<N> {
    /// The query, and behind it those of its paths and values that have escapes in the query.
    texts: Box<str>,
    query_length: u16,
    clauses: Box<[Clause<N>]>,
}

#[derive(Debug)]
struct Clause<N> {
    occur: Occur,
    kind: ClauseKind<N>,
}

#[derive(Debug)]
enum ClauseKind<N> {
    All,
    Condition {
        path: Option<Part>,
        test: Test<N>,
    },
    /// The clauses behind it, so many, are its own.
    Group(u16),
}

#[derive(Debug)]
enum Test<N> {
    Exists,
    Equal(KeptValue<N>),
    Prefix(Part),
    /// The lower and the upper bound.
    Range([Option<KeptValue<N>>; 2]),
}

/// A part of the texts, from a place to another.
#[derive(Debug, Clone, Copy)]
struct Part(u16, u16);

impl Part {
    #[inline]
    fn of(self, texts: &str) -> &str {
        texts.get(usize::from(self.0)..usize::from(self.1)).unwrap_or_default()
    }
}

/// A value that compares as [`UnreadValue`] does. What most values are is read already.
#[derive(Debug)]
struct KeptValue<N> {
    text: Part,
    /// Whether the value is in the range that it is a bound of.
    is_inclusive: bool,
    kind: ValueKind<N>,
}

#[derive(Debug)]
enum ValueKind<N> {
    /// Text alone.
    Text,
    /// Text that is a number, and no instant.
    Number(ShortNumber),
    /// An instant, whose text compares with others of its form as the instants do, in
    /// milliseconds since the epoch.
    PlainInstant(ShortNumber),
    /// Anything else.
    Other(Box<UnreadValue<Box<str>, N>>),
}

impl<N: Fn() -> DateTime<Utc> + Copy> KeptValue<N> {
    fn new(text: &str, part: Part, is_beside_date: bool, now: N) -> KeptValue<N> {
        let value = UnreadValue::bound(Box::from(text), is_beside_date, now);
        let is_other = is_beside_date || matches!(text, "true" | "false");
        let number = value.number();
        let short = number.as_ref().and_then(ShortNumber::of);
        let kind = match (short, is_plain_instant(text)) {
            (Some(milliseconds), true) if !is_other => ValueKind::PlainInstant(milliseconds),
            _ if is_other || value.is_instant() => ValueKind::Other(value.into()),
            (Some(number), _) => ValueKind::Number(number),
            (None, _) if number.is_some() => ValueKind::Other(value.into()),
            (None, _) => ValueKind::Text,
        };
        KeptValue { text: part, is_inclusive: true, kind }
    }
}

impl<N: Fn() -> DateTime<Utc>> KeptValue<N> {
    #[inline]
    fn compare(&self, texts: &str, leaf: Leaf<'_>) -> Option<Ordering> {
        match (&self.kind, leaf) {
            (ValueKind::Other(value), leaf) => value.compare(leaf),
            (ValueKind::PlainInstant(_), Leaf::String(text)) if !is_plain_instant(text) => {
                // This value needs no time in place of NOW.
                UnreadValue::new(self.text.of(texts), DateTime::default).compare(leaf)
            }
            (_, Leaf::String(text)) => Some(text.as_bytes().cmp(self.text.of(texts).as_bytes())),
            (ValueKind::Number(value) | ValueKind::PlainInstant(value), Leaf::Number(number)) => {
                number.compare(value.parts())
            }
            (ValueKind::Text, Leaf::Number(_)) | (_, Leaf::Bool(_)) => None,
        }
    }

    #[inline]
    fn equals(&self, texts: &str, leaf: Leaf<'_>) -> bool {
        match (&self.kind, leaf) {
            (ValueKind::Other(value), leaf) => value.equals(leaf),
            (ValueKind::Text | ValueKind::Number(_), Leaf::String(text)) => {
                text == self.text.of(texts)
            }
            (_, leaf) => self.compare(texts, leaf) == Some(Ordering::Equal),
        }
    }

    fn bytes(&self) -> usize {
        match &self.kind {
            ValueKind::Text | ValueKind::Number(_) | ValueKind::PlainInstant(_) => 0,
            ValueKind::Other(value) => size_of_val(&**value),
        }
    }
}

struct Reader<N> {
    now: N,
    texts: String,
}

impl<N: Fn() -> DateTime<Utc> + Copy> Reader<N> {
    /// Where the texts have this one. What the query has without escapes is not added again.
    fn part(&mut self, text: &str) -> Option<Part> {
        let from = match self.texts.find(text) {
            Some(from) => from,
            None => {
                self.texts.push_str(text);
                self.texts.len() - text.len()
            }
        };
        Some(Part(from.try_into().ok()?, (from + text.len()).try_into().ok()?))
    }

    fn value(&mut self, text: &str, is_beside_date: bool) -> Option<KeptValue<N>> {
        Some(KeptValue::new(text, self.part(text)?, is_beside_date, self.now))
    }
}

impl<N: Fn() -> DateTime<Utc> + Copy> ClauseBuilder for Reader<N> {
    /// A clause, and behind it those that are its own.
    type Query = Vec<Clause<N>>;
    type Clauses = Vec<Clause<N>>;

    fn all(&mut self) -> Vec<Clause<N>> {
        vec![Clause { occur: Occur::Should, kind: ClauseKind::All }]
    }

    fn condition(&mut self, path: Option<&str>, test: SimpleTest<'_>) -> Option<Vec<Clause<N>>> {
        let path = match path {
            Some(path) => Some(self.part(path)?),
            None => None,
        };
        let test = match test {
            SimpleTest::Exists => Test::Exists,
            SimpleTest::Equal(text) => Test::Equal(self.value(&text, false)?),
            SimpleTest::Prefix(prefix) => Test::Prefix(self.part(&prefix)?),
            SimpleTest::Wildcard(_) => return None,
            SimpleTest::Range(bounds) => {
                let is_dated = is_dated(&bounds);
                let [lower, upper] = bounds.map(|end| {
                    end.map(|(text, is_inclusive)| {
                        Some(KeptValue { is_inclusive, ..self.value(text, is_dated)? })
                    })
                });
                // A bound that is not kept is none, and one that is open is none within.
                let kept = |end: Option<Option<_>>| end.map_or(Some(None), |end| end.map(Some));
                Test::Range([kept(lower)?, kept(upper)?])
            }
        };
        let kind = ClauseKind::Condition { path, test };
        Some(vec![Clause { occur: Occur::Should, kind }])
    }

    fn add(&mut self, clauses: &mut Vec<Clause<N>>, occur: Occur, mut query: Vec<Clause<N>>) {
        if let Some(first) = query.first_mut() {
            first.occur = occur;
        }
        clauses.append(&mut query);
    }

    fn group(&mut self, mut clauses: Vec<Clause<N>>) -> Vec<Clause<N>> {
        // A query has at most so many bytes, and so fewer clauses.
        let count = clauses.len().try_into().unwrap_or(u16::MAX);
        clauses.insert(0, Clause { occur: Occur::Should, kind: ClauseKind::Group(count) });
        clauses
    }

    fn decided(&self, _: &Vec<Clause<N>>, _: Occur) -> Option<Vec<Clause<N>>> {
        None
    }
}

impl<N: Fn() -> DateTime<Utc> + Copy> SimpleMatcher<N> {
    /// Reads a query. None if it is too long, is not one that [`read_simple`] reads, or has
    /// wildcards. The value of `NOW` is kept with it.
    pub fn new(query: &str, now: N) -> Option<SimpleMatcher<N>> {
        if query.len() > MAX_DIRECT_QUERY_BYTES {
            return None;
        }
        let mut reader = Reader { now, texts: query.to_string() };
        let clauses = read_simple(query, &mut reader)?.into();
        let query_length = query.len().try_into().ok()?;
        Some(SimpleMatcher { texts: reader.texts.into(), query_length, clauses })
    }

    /// The query as it was written.
    #[inline]
    pub fn query(&self) -> &[u8] {
        let texts = self.texts.as_bytes();
        texts.get(..self.query_length.into()).unwrap_or(texts)
    }

    /// Whether the document matches.
    #[inline]
    pub fn matches<'a>(&self, document: impl Container<'a>) -> bool {
        match &*self.clauses {
            [Clause { kind: ClauseKind::Condition { path, test }, .. }] => {
                self.is_met(*path, test, document)
            }
            clauses => match clauses.split_first() {
                Some((first, own)) => self.evaluate(first, own, document).is_match(),
                None => true,
            },
        }
    }

    /// A clause and its own.
    fn evaluate<'a>(
        &self,
        clause: &Clause<N>,
        mut own: &[Clause<N>],
        document: impl Container<'a>,
    ) -> ClauseResult {
        match &clause.kind {
            ClauseKind::All => ClauseResult::Plain(true),
            ClauseKind::Condition { path, test } => {
                ClauseResult::Plain(self.is_met(*path, test, document))
            }
            ClauseKind::Group(_) => {
                let mut results = ClauseResults::default();
                while let Some((clause, rest)) = own.split_first() {
                    let count = match clause.kind {
                        ClauseKind::Group(count) => usize::from(count).min(rest.len()),
                        _ => 0,
                    };
                    let (inner, rest) = rest.split_at(count);
                    own = rest;
                    let result = match results.is_decided(clause.occur) {
                        true => ClauseResult::Plain(false),
                        false => self.evaluate(clause, inner, document),
                    };
                    results.add(clause.occur, result);
                }
                results.result()
            }
        }
    }

    #[inline]
    fn is_met<'a>(&self, path: Option<Part>, test: &Test<N>, document: impl Container<'a>) -> bool {
        let texts = &*self.texts;
        let path = path.map(|path| path.of(texts));
        match test {
            Test::Exists => any_leaf(document, path, true, |_| true),
            Test::Equal(value) => any_leaf(document, path, false, |leaf| value.equals(texts, leaf)),
            Test::Prefix(prefix) => {
                let starts = |text: &str| text.starts_with(prefix.of(texts));
                let satisfies = |leaf: Leaf<'_>| matches!(leaf, Leaf::String(text) if starts(text));
                any_leaf(document, path, false, satisfies)
            }
            Test::Range(bounds) => any_leaf(document, path, false, |leaf| {
                is_within(bounds, |value| (value.compare(texts, leaf), value.is_inclusive))
            }),
        }
    }

    /// About how many bytes of memory it takes.
    pub fn bytes(&self) -> usize {
        let value_bytes = |clause: &Clause<N>| match &clause.kind {
            ClauseKind::Condition { test: Test::Equal(value), .. } => value.bytes(),
            ClauseKind::Condition { test: Test::Range(bounds), .. } => {
                bounds.iter().flatten().map(KeptValue::bytes).sum()
            }
            _ => 0,
        };
        let values: usize = self.clauses.iter().map(value_bytes).sum();
        self.texts.len() + size_of_val(&*self.clauses) + values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Number;

    #[test]
    fn a_clause_fits_into_one_line_of_the_cache() {
        assert!(size_of::<Clause<fn() -> DateTime<Utc>>>() <= 64);
    }

    #[test]
    fn kept_values_compare_as_unread_ones() {
        let now = || "2024-03-31T13:14:15.678Z".parse().unwrap_or_default();
        let texts = [
            "",
            "x",
            "true",
            "false",
            "0",
            "-0",
            "7",
            "07",
            "7.0",
            "-7.25",
            "7e2",
            ".5",
            "1e-400",
            "123456789012345678901234567890.5",
            "NaN",
            "2024",
            "2024-03-31",
            "2024-03",
            "2024-03/MONTH+30DAYS",
            "2024-03-31T13:14",
            "2024-03-31T13:14:15Z",
            "2024-03-31T13:14:15.000Z",
            "2024-03-31T13:14:15.678Z",
            "2024-03-31T15:14:15+02:00",
            "2024-02-30T13:14:15Z",
            "1711890855000",
            "é",
        ];
        for text in texts {
            for is_beside_date in [false, true] {
                let part = Part(0, text.len() as u16);
                let kept = KeptValue::new(text, part, is_beside_date, now);
                let unread = UnreadValue::bound(text, is_beside_date, now);
                let strings = texts.map(Leaf::String);
                let numbers = texts.map(|text| Leaf::Number(Number::Text(text)));
                let booleans = [true, false].map(Leaf::Bool);
                for leaf in strings.into_iter().chain(numbers).chain(booleans) {
                    let shown = || (text, leaf.scalar(&mut Default::default()).map(|_| ()));
                    assert_eq!(kept.compare(text, leaf), unread.compare(leaf), "{:?}", shown());
                    assert_eq!(kept.equals(text, leaf), unread.equals(leaf), "{:?}", shown());
                }
            }
        }
    }
}
