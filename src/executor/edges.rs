//! Edges of intervals that follow each other, and how many values lie between them.

use super::instants::{SECOND_LENGTH, is_ordered_instant};
use super::ordinal_counts::OrdinalCounts;
use super::value_span::Span;
use crate::document::{Decimal, NUMBER, STRING, write_ordered};
use crate::error::Result;
use crate::index::gin::Direction;
use crate::index::key;
use crate::predicate::{Limit, Value};
use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use std::cell::OnceCell;
use std::ops::ControlFlow;

/// An edge of an interval.
#[derive(Debug, Clone, PartialEq, PartialOrd)]
pub enum Edge {
    Number(Decimal),
    Instant(DateTime<Utc>),
}

impl Edge {
    /// The edge as an end of a range.
    pub fn limit(&self, inclusive: bool) -> Limit {
        let value = match self {
            Edge::Number(number) => Value::of_number(number.clone()),
            Edge::Instant(instant) => Value::of_instant(*instant),
        };
        Limit { value, inclusive }
    }

    /// The edge as a number: instants are milliseconds since the epoch.
    fn number(&self) -> Option<Vec<u8>> {
        let mut bytes = vec![NUMBER];
        match self {
            Edge::Number(number) => write_ordered(number, &mut bytes),
            Edge::Instant(instant) if instant.timestamp_subsec_nanos() == 0 => {
                write_ordered(&Decimal::from_i64(instant.timestamp_millis()), &mut bytes);
            }
            Edge::Instant(_) => {
                write_ordered(&self.limit(true).value.number?.first, &mut bytes);
            }
        }
        Some(bytes)
    }

    /// Whether the edge is a number, or lies on a second in a year of four digits.
    fn is_comparable(&self) -> bool {
        match self {
            Edge::Number(_) => true,
            Edge::Instant(instant) => {
                instant.timestamp_subsec_nanos() == 0 && (0..=9_999).contains(&instant.year())
            }
        }
    }

    /// The edge as a string `…T…Z`, up to the second; none for a number.
    fn second(&self) -> Option<Vec<u8>> {
        let Edge::Instant(instant) = self else { return None };
        let text = instant.to_rfc3339_opts(SecondsFormat::Secs, true);
        Some([&[STRING], text.as_bytes()].concat())
    }

    /// The edge as a second key of instants; none for a number.
    fn second_key(&self) -> Option<Vec<u8>> {
        match self {
            Edge::Instant(instant) => Some(key::instant(*instant)),
            Edge::Number(_) => None,
        }
    }
}

/// The part of an instant as a string, its type in front, that is compared.
const COMPARED: usize = SECOND_LENGTH;

/// Counts values, which come in ascending order, by the interval in which they lie.
pub struct EdgeCounts<'e> {
    edges: &'e [Edge],
    /// The edges as values: as numbers, and once somebody needs them as strings and second keys.
    numbers: Vec<Vec<u8>>,
    seconds: OnceCell<Vec<Vec<u8>>>,
    instants: OnceCell<Vec<Vec<u8>>>,
    /// The next edge.
    next: usize,
    counts: Vec<u64>,
}

impl EdgeCounts<'_> {
    /// None if the edges cannot be compared with values byte by byte.
    pub fn new(edges: &[Edge]) -> Option<EdgeCounts<'_>> {
        if edges.is_empty() || !edges.iter().all(Edge::is_comparable) {
            return None;
        }
        let numbers = edges.iter().map(Edge::number).collect::<Option<_>>()?;
        let (seconds, instants) = (OnceCell::new(), OnceCell::new());
        let counts = vec![0; edges.len().saturating_sub(1)];
        Some(EdgeCounts { edges, numbers, seconds, instants, next: 0, counts })
    }

    fn seconds(&self) -> &[Vec<u8>] {
        self.seconds.get_or_init(|| self.edges.iter().filter_map(Edge::second).collect())
    }

    fn second_keys(&self) -> &[Vec<u8>] {
        self.instants.get_or_init(|| self.edges.iter().filter_map(Edge::second_key).collect())
    }

    /// Where the values lie that are counted.
    pub fn spans(&self) -> Vec<Span> {
        let span = |edges: &[Vec<u8>]| {
            let (from, below) = (edges.first()?.clone(), edges.last()?.clone());
            Some(Span::new(from, below, Direction::Ascending))
        };
        // Within a second, a string with a fraction comes before the one without.
        let seconds = span(self.seconds()).map(|mut span| {
            span.from.truncate(COMPARED);
            span.below.truncate(COMPARED);
            span
        });
        span(&self.numbers).into_iter().chain(seconds).collect()
    }

    /// To be called before values of another kind come.
    pub fn rewind(&mut self) {
        self.next = 0;
    }

    /// Takes a value, its type in front, that so many documents have.
    #[inline]
    pub fn add(&mut self, value: &[u8], count: u64) -> ControlFlow<()> {
        let (edges, value) = match value.first() {
            Some(&NUMBER) => (self.numbers.as_slice(), value),
            Some(&STRING) if is_ordered_instant(value) => {
                (self.seconds(), value.get(..COMPARED).unwrap_or(value))
            }
            Some(&key::INSTANT) => (self.second_keys(), value),
            _ => return ControlFlow::Continue(()),
        };
        let compared = |edge: &[u8]| match edge.first() {
            Some(&STRING) => edge.get(..COMPARED).unwrap_or(edge) <= value,
            _ => edge <= value,
        };
        let (count_edges, mut next) = (edges.len(), self.next);
        while edges.get(next).is_some_and(|edge| compared(edge)) {
            next += 1;
        }
        self.next = next;
        if next == count_edges {
            return ControlFlow::Break(());
        }
        if let Some(count_of) = self.next.checked_sub(1).and_then(|at| self.counts.get_mut(at)) {
            *count_of += count;
        }
        ControlFlow::Continue(())
    }

    /// How many intervals there are.
    pub fn intervals(&self) -> usize {
        self.counts.len()
    }

    /// Adds what `count` finds between two numbers, for each interval.
    pub fn add_numbers(
        &mut self,
        count: &mut impl FnMut(&[u8], &[u8]) -> Result<u64>,
    ) -> Result<()> {
        for (sum, edges) in self.counts.iter_mut().zip(self.numbers.windows(2)) {
            if let [from, below] = edges {
                *sum += count(from, below)?;
            }
        }
        Ok(())
    }

    /// Takes all values at a path, which were counted by ordinals. Returns whether there may be
    /// instants beside those that were taken.
    pub fn add_counts(&mut self, counted: &OrdinalCounts) -> Result<bool> {
        let ordinals = counted.ordinals();
        counted.add_between(&ordinals.first_behind_each(&self.numbers), &mut self.counts)?;
        // Instants as seconds since 1970.
        let second = |edge: &Edge| match edge {
            Edge::Instant(instant) => Some(instant.timestamp()),
            Edge::Number(_) => None,
        };
        let edges: Vec<i64> = self.edges.iter().filter_map(second).collect();
        let mut next = 0;
        if edges.is_empty() {
            return Ok(false);
        }
        if let Some(ends) = ordinals.first_at_seconds(&edges)? {
            counted.add_between(&ends, &mut self.counts)?;
            return Ok(false);
        }
        let counts = &mut self.counts;
        counted.each_second(|second, count| {
            while edges.get(next).is_some_and(|edge| *edge <= second) {
                next += 1;
            }
            if next == edges.len() {
                return ControlFlow::Break(());
            }
            if let Some(sum) = next.checked_sub(1).and_then(|at| counts.get_mut(at)) {
                *sum += count;
            }
            ControlFlow::Continue(())
        })?;
        Ok(true)
    }

    pub fn into_counts(self) -> Vec<u64> {
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Scalar, instant};

    #[test]
    fn counts_by_interval() {
        let edge = |text: &str| Edge::Instant(instant(text).unwrap());
        let edges = ["2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", "2024-01-04T00:00:00Z"];
        let edges = edges.map(edge);
        let mut counts = EdgeCounts::new(&edges).unwrap();
        let string = |text: &str| Scalar::String(text).to_bytes();
        for (text, breaks) in [
            ("2023-12-31T23:59:59.9Z", false),
            ("2024-01-01T00:00:00.5Z", false),
            ("2024-01-01T00:00:00Z", false),
            ("2024-01-01T00:00:00Zebra", false),
            ("2024-01-02T00:00:00.1Z", false),
            ("2024-01-03T05:00:00Z", false),
            ("2024-01-04T00:00:00.1Z", true),
        ] {
            assert_eq!(counts.add(&string(text), 1).is_break(), breaks, "{text}");
        }
        assert_eq!(counts.into_counts(), [2, 2]);
        let edges = [0, 10, 20].map(|n| Edge::Number(Decimal::from_i64(n)));
        let mut counts = EdgeCounts::new(&edges).unwrap();
        for n in [-1, 0, 9, 10, 19] {
            let number = Edge::Number(Decimal::from_i64(n)).number().unwrap();
            assert!(counts.add(&number, 3).is_continue());
        }
        assert_eq!(counts.into_counts(), [6, 6]);
    }
}
