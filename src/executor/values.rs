//! What facets and statistics need to know of the documents that match a query: the values at a
//! path in their order, each with the number of documents that have it or with those documents
//! themselves.

use super::doc_id::ReadResult;
use super::domain::Domain;
use super::edges::Edge;
use super::instants::text_of;
use super::ordinal_counts::OrdinalCounts;
use super::ordinal_numbers::NO_INSTANT;
use super::read_stats::ReadStats;
use super::value_span::Span;
use crate::document::{
    Decimal, NUMBER, OrderedNumber, STRING, instant, read_ordered, write_ordered,
};
use crate::error::Result;
use crate::index::gin::Direction;
use crate::predicate::{Predicate, Test};
use crate::{interrupts, memory};
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::rc::Rc;

/// A value, with its type in front, and the documents that have it.
pub struct Group<'v> {
    pub value: &'v [u8],
    /// How many documents there are, at least one.
    pub count: u64,
    /// The documents, if they were asked for.
    pub rows: Option<Domain>,
}

/// How many values there are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Each counts once for each document that has it.
    pub values: u64,
    /// Different ones.
    pub distinct: u64,
}

/// The numbers and the ends of some values. Each counts once for each document that has it.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    pub values: u64,
    /// How many of the values are numbers.
    pub numbers: u64,
    /// The least value and the greatest.
    pub ends: Option<(Vec<u8>, Vec<u8>)>,
    pub sum: Decimal,
    /// The sum of the squares of the numbers.
    pub squares: Decimal,
}

impl Default for Totals {
    fn default() -> Totals {
        let zero = || Decimal::from_i64(0);
        Totals { values: 0, numbers: 0, ends: None, sum: zero(), squares: zero() }
    }
}

/// Takes values until it breaks.
pub type Visit<'v> = dyn FnMut(Group<'_>) -> ReadResult<ControlFlow<()>> + 'v;

/// The matches of a query, and what is at their paths. All numbers are exact, under the snapshot of
/// the query.
pub trait ValueSource {
    /// The documents that match the query.
    fn matches(&self) -> Domain;

    /// All documents of the store.
    fn everything(&mut self) -> ReadResult<Domain>;

    /// Those of some documents that satisfy a predicate.
    fn matching(&mut self, predicate: &Predicate, within: &Domain) -> ReadResult<Domain>;

    /// How many of some documents satisfy a predicate.
    fn count(&mut self, predicate: &Predicate, within: &Domain) -> ReadResult<u64> {
        Ok(self.matching(predicate, within)?.len())
    }

    /// Those of some documents that have a value at exactly this path.
    fn having(&mut self, path: &str, within: &Domain) -> ReadResult<Domain>;

    /// How many of some documents have a value at exactly this path.
    fn count_having(&mut self, path: &str, within: &Domain) -> ReadResult<u64> {
        Ok(self.having(path, within)?.len())
    }

    /// How many of some documents have a value of a type at exactly this path.
    fn count_type(&mut self, path: &str, tag: u8, within: &Domain) -> ReadResult<u64> {
        let (span, mut rows) = (Span::of_type(tag, Direction::Ascending), within.none());
        self.each_value(path, &span, within, true, &mut |group: Group<'_>| {
            group.rows.iter().for_each(|more| rows.add(more));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(rows.len())
    }

    /// How many values of a span there are at a path among some documents; a document counts once
    /// for each value that it has.
    fn tally(&mut self, path: &str, span: &Span, within: &Domain) -> ReadResult<Tally> {
        tally_each(self, path, span, within)
    }

    /// Those of some documents that are not among others of them.
    fn without(&mut self, within: &Domain, others: &Domain) -> ReadResult<Domain>;

    /// Visits the values at a path that some documents have. A document comes once for each value
    /// that it has.
    fn each_value(
        &mut self,
        path: &str,
        span: &Span,
        within: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<()>;

    /// The first and the last of the instants at a path that some documents have: of the strings
    /// that are instants, and of the numbers, which are milliseconds since the epoch.
    fn instants(
        &mut self,
        path: &str,
        within: &Domain,
    ) -> ReadResult<Option<(DateTime<Utc>, DateTime<Utc>)>> {
        let mut found = number_instants(self, path, within)?;
        let span = strings_of_instants(Direction::Ascending);
        self.each_value(path, &span, within, false, &mut |group: Group<'_>| {
            found = widen(found, text_of(group.value).and_then(instant));
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// How many of some documents have a value at a path from one edge up to but not including the
    /// next.
    fn counts_between(
        &mut self,
        path: &str,
        edges: &[Edge],
        within: &Domain,
    ) -> ReadResult<Vec<u64>> {
        count_each(self, path, edges, within)
    }

    /// How many of some documents have each value at a path, if that is known by ordinals. No
    /// document has two values, and no value is longer than the index keeps.
    fn counted(&mut self, _path: &str, _within: &Domain) -> ReadResult<Option<Rc<OrdinalCounts>>> {
        Ok(None)
    }

    /// The totals of the values at a path that some documents have, if no more than these are known.
    fn totals(&mut self, _path: &str, _within: &Domain) -> ReadResult<Option<Totals>> {
        Ok(None)
    }

    /// The paths that begin with a prefix, and perhaps some at which no document has a value. None
    /// if they are not known without reading all documents.
    fn paths(&mut self, _prefix: &str) -> ReadResult<Option<BTreeSet<String>>> {
        Ok(None)
    }

    /// Whether it is known that no document has two different values at a path.
    fn has_single_values(&mut self, _path: &str) -> ReadResult<bool> {
        Ok(false)
    }

    /// What was read so far.
    fn stats(&self) -> ReadStats;

    /// How the values at each path were read, and how often.
    fn ways(&self) -> Ways;
}

/// How the values at each path were read, and how often.
pub type Ways = BTreeMap<String, BTreeMap<&'static str, u64>>;

/// The first instant and the last one, if there is any.
pub type Instants = Option<(DateTime<Utc>, DateTime<Utc>)>;

/// How many of some documents have a value from one edge up to but not including the next.
pub fn between(path: &str, from: &Edge, below: &Edge) -> Predicate {
    let test = Test::Range { lower: Some(from.limit(true)), upper: Some(below.limit(false)) };
    Predicate::Condition { path: Some(path.to_string()), test }
}

/// Counts the documents of each interval by itself.
pub fn count_each<S: ValueSource + ?Sized>(
    source: &mut S,
    path: &str,
    edges: &[Edge],
    within: &Domain,
) -> ReadResult<Vec<u64>> {
    let mut counts = Vec::with_capacity(edges.len());
    for pair in edges.windows(2) {
        let [from, below] = pair else { continue };
        memory::check();
        counts.push(source.count(&between(path, from, below), within)?);
    }
    Ok(counts)
}

/// Counts the values one by one.
pub fn tally_each<S: ValueSource + ?Sized>(
    source: &mut S,
    path: &str,
    span: &Span,
    within: &Domain,
) -> ReadResult<Tally> {
    let mut tally = Tally::default();
    source.each_value(path, span, within, false, &mut |group: Group<'_>| {
        tally.distinct += 1;
        tally.values += group.count;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(tally)
}

/// The strings among which instants are: they begin with a digit.
pub fn strings_of_instants(direction: Direction) -> Span {
    Span::new(vec![STRING, b'0'], vec![STRING, b'9' + 1], direction)
}

/// Takes one more instant.
pub fn widen(found: Instants, more: Option<DateTime<Utc>>) -> Instants {
    match (found, more) {
        (found, None) => found,
        (None, Some(more)) => Some((more, more)),
        (Some((first, last)), Some(more)) => Some((first.min(more), last.max(more))),
    }
}

/// Milliseconds since the epoch that PostgreSQL has a timestamp for and `DateTime` an instant: from
/// 4714 BC to the year 262,000.
pub const MILLISECONDS: (i64, i64) = (-210_866_803_200_000, 8_205_000_000_000_000);

/// The first and the last of the numbers at a path that are instants.
pub fn number_instants<S: ValueSource + ?Sized>(
    source: &mut S,
    path: &str,
    within: &Domain,
) -> ReadResult<Instants> {
    let mut found = None;
    for direction in [Direction::Ascending, Direction::Descending] {
        let (from, below) = number_bounds();
        let span = Span::new(from, below, direction);
        source.each_value(path, &span, within, false, &mut |group: Group<'_>| {
            let number = group.value.strip_prefix(&[NUMBER]).and_then(read_ordered);
            found = widen(found, number.and_then(|number| instant_of_milliseconds(&number)));
            Ok(ControlFlow::Break(()))
        })?;
    }
    Ok(found)
}

/// The numbers between which those that are instants lie.
fn number_bounds() -> (Vec<u8>, Vec<u8>) {
    let number = |milliseconds: i64| {
        let mut bytes = vec![NUMBER];
        write_ordered(&Decimal::from_i64(milliseconds), &mut bytes);
        bytes
    };
    (number(MILLISECONDS.0), number(MILLISECONDS.1))
}

/// The instants of values that were counted by ordinals. None if some string is no instant `…T…Z`,
/// so that the instants among the strings may have another order than the strings.
pub fn counted_instants(counted: &OrdinalCounts) -> Result<Option<Instants>> {
    let ordinals = counted.ordinals();
    if ordinals.first_at_seconds(&[])?.is_none() {
        return Ok(None);
    }
    let mut found = None;
    let (from, below) = number_bounds();
    let numbers = ordinals.first_behind(&from)..ordinals.first_behind(&below);
    if let Some((first, last)) = counted.ends(numbers) {
        for at in [first, last] {
            let number = ordinals.number(at);
            found = widen(found, number.as_ref().and_then(instant_of_milliseconds));
        }
    }
    // Within a second, a string with a fraction comes before the one without.
    if let Some((first, last)) = counted.ends(ordinals.of_type(STRING)) {
        for at in [first, last] {
            let second = ordinals.seconds()?.get(at).copied().unwrap_or(NO_INSTANT);
            let ends = ordinals.first_at_seconds(&[second, second.saturating_add(1)])?;
            let Some(&[from, below]) = ends.as_deref() else { continue };
            for at in counted.those_within(from..below)? {
                interrupts::spend(1);
                found = widen(found, text_of(&ordinals.value(at)).and_then(instant));
            }
        }
    }
    Ok(Some(found))
}

/// The instant of a number of milliseconds, to the nanosecond.
fn instant_of_milliseconds(number: &OrderedNumber) -> Option<DateTime<Utc>> {
    // Of the digits behind the point, two of base 10000 reach beyond nanoseconds.
    let mut nanoseconds = 0i128;
    for at in 0..=number.weight + 2 {
        let digit = number.digits.get(usize::try_from(at).ok()?).copied().unwrap_or(0);
        nanoseconds = nanoseconds * 10_000 + i128::from(digit);
    }
    for _ in number.weight + 2..-1 {
        nanoseconds /= 10_000;
    }
    // Milliseconds with eight decimals, of which six are nanoseconds.
    let nanoseconds = nanoseconds / 100 * if number.negative { -1 } else { 1 };
    let seconds = i64::try_from(nanoseconds.div_euclid(1_000_000_000)).ok()?;
    DateTime::from_timestamp(seconds, nanoseconds.rem_euclid(1_000_000_000) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_instants() {
        for (milliseconds, text) in [
            ("0", "1970-01-01T00:00:00Z"),
            ("1612497996500", "2021-02-05T04:06:36.5Z"),
            ("1612497996000.000001", "2021-02-05T04:06:36.000000001Z"),
            ("-0.1", "1969-12-31T23:59:59.9999Z"),
            ("10000", "1970-01-01T00:00:10Z"),
            ("-210866803200000", "-4713-11-24T00:00:00Z"),
        ] {
            let mut bytes: Vec<u8> = Vec::new();
            write_ordered(&Decimal::parse(milliseconds).unwrap(), &mut bytes);
            let found = read_ordered(&bytes).as_ref().and_then(instant_of_milliseconds);
            let expected = instant(text).or_else(|| text.parse::<DateTime<Utc>>().ok());
            assert_eq!(found, expected, "{milliseconds}");
        }
    }
}
