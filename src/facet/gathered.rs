//! What one server knows of the matches of a query, in a form that adds up with what others know:
//! how many of them have each value, as a tree of the buckets that a request asks for.
//!
//! Written as bytes, a list is its length and its items, and a number has eight bytes.

use super::sum::Sum;
use crate::document::Decimal;
use crate::error::{Error, Result};
use crate::executor::{Instants, Totals};
use crate::memory;
use chrono::{DateTime, Utc};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// How deep the buckets of a request lie in each other at most: as deep as its JSON may be nested.
const MAX_DEPTH: usize = 64;

/// The way from some documents to a part of them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Those that have a value at a path.
    Value(String, Vec<u8>),
    /// Those that satisfy the predicate of this number.
    Predicate(u64),
    /// Those that have any value at a path.
    Having(String),
    /// Those that have none.
    Missing(String),
}

/// A path, and which of its values: from the first bytes up to but not including the second.
pub type Interval = (String, Vec<u8>, Vec<u8>);
/// Values in their order, each with how many documents have it.
pub type Counts = Vec<(Vec<u8>, u64)>;

/// What is known of some documents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gathered {
    /// How many there are.
    pub count: u64,
    pub values: BTreeMap<Interval, Counts>,
    pub totals: BTreeMap<String, Totals>,
    /// The first and the last instant at a path.
    pub instants: BTreeMap<String, Instants>,
    /// What is known of parts of them.
    pub inner: BTreeMap<Step, Gathered>,
}

impl Gathered {
    /// Adds what another server knows of its documents.
    pub fn add(&mut self, other: Gathered) -> Result<()> {
        memory::check();
        self.count += other.count;
        for (interval, counts) in other.values {
            let known = self.values.entry(interval).or_default();
            *known = merge(std::mem::take(known), counts)?;
        }
        for (path, totals) in other.totals {
            let known = self.totals.remove(&path).unwrap_or_default();
            self.totals.insert(path, add_totals(known, totals));
        }
        for (path, ends) in other.instants {
            let known = self.instants.entry(path).or_default();
            *known = match (*known, ends) {
                (Some((first, last)), Some((other_first, other_last))) => {
                    Some((first.min(other_first), last.max(other_last)))
                }
                (known, ends) => known.or(ends),
            };
        }
        for (step, inner) in other.inner {
            self.inner.entry(step).or_default().add(inner)?;
        }
        Ok(())
    }

    /// As bytes.
    pub fn write(&self, out: &mut Vec<u8>) -> Result<()> {
        write_number(out, self.count)?;
        write_number(out, self.values.len() as u64)?;
        for ((path, from, below), counts) in &self.values {
            for bytes in [path.as_bytes(), from, below] {
                write_bytes(out, bytes)?;
            }
            write_number(out, counts.len() as u64)?;
            for (value, count) in counts {
                write_bytes(out, value)?;
                write_number(out, *count)?;
            }
        }
        write_number(out, self.totals.len() as u64)?;
        for (path, totals) in &self.totals {
            write_bytes(out, path.as_bytes())?;
            write_number(out, totals.values)?;
            write_number(out, totals.numbers)?;
            let (least, greatest) = totals.ends.clone().unwrap_or_default();
            let (sum, squares) = (totals.sum.to_string(), totals.squares.to_string());
            for bytes in [&least[..], &greatest, sum.as_bytes(), squares.as_bytes()] {
                write_bytes(out, bytes)?;
            }
        }
        write_number(out, self.instants.len() as u64)?;
        for (path, ends) in &self.instants {
            write_bytes(out, path.as_bytes())?;
            write_number(out, u64::from(ends.is_some()))?;
            for instant in ends.iter().flat_map(|(first, last)| [first, last]) {
                write_number(out, instant.timestamp() as u64)?;
                write_number(out, u64::from(instant.timestamp_subsec_nanos()))?;
            }
        }
        write_number(out, self.inner.len() as u64)?;
        for (step, inner) in &self.inner {
            let number = match step {
                Step::Predicate(number) => *number,
                _ => 0,
            };
            let (kind, path, value): (u64, &str, &[u8]) = match step {
                Step::Value(path, value) => (0, path, value),
                Step::Predicate(_) => (1, "", &[]),
                Step::Having(path) => (2, path, &[]),
                Step::Missing(path) => (3, path, &[]),
            };
            write_number(out, kind)?;
            write_number(out, number)?;
            write_bytes(out, path.as_bytes())?;
            write_bytes(out, value)?;
            inner.write(out)?;
        }
        Ok(())
    }

    /// From bytes that `write` has made.
    pub fn read(bytes: &[u8]) -> Result<Gathered> {
        let mut reader = Reader(bytes);
        let gathered = reader.gathered(MAX_DEPTH).filter(|_| reader.0.is_empty());
        gathered.ok_or(Error::ShardAnswer)
    }
}

fn add_totals(a: Totals, b: Totals) -> Totals {
    let sum = |a: &Decimal, b: &Decimal| {
        let mut sum = Sum::default();
        sum.add_decimal(a);
        sum.add_decimal(b);
        sum.decimal()
    };
    let ends = match (a.ends, b.ends) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    };
    Totals {
        values: a.values + b.values,
        numbers: a.numbers + b.numbers,
        ends,
        sum: sum(&a.sum, &b.sum),
        squares: sum(&a.squares, &b.squares),
    }
}

fn merge(a: Counts, b: Counts) -> Result<Counts> {
    if a.is_empty() {
        return Ok(b);
    }
    let mut merged = Vec::new();
    memory::reserve(&mut merged, a.len() + b.len())?;
    let (mut a, mut b) = (a.into_iter().peekable(), b.into_iter().peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (Some((left, _)), Some((right, _))) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return Ok(merged),
        };
        let left = if order.is_le() { a.next() } else { None };
        let right = if order.is_ge() { b.next() } else { None };
        let more = right.as_ref().map_or(0, |(_, count)| *count);
        merged.extend(match left {
            Some((value, count)) => Some((value, count + more)),
            None => right,
        });
    }
}

fn write_number(out: &mut Vec<u8>, number: u64) -> Result<()> {
    memory::reserve(out, size_of::<u64>())?;
    out.extend_from_slice(&number.to_le_bytes());
    Ok(())
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result<()> {
    write_number(out, bytes.len() as u64)?;
    memory::reserve(out, bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}

/// Reads from the front of some bytes; none where they end too early.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn number(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u64::from_le_bytes(*number))
    }

    fn bytes(&mut self) -> Option<&'b [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<String> {
        Some(std::str::from_utf8(self.bytes()?).ok()?.to_string())
    }

    fn decimal(&mut self) -> Option<Decimal> {
        Decimal::parse(std::str::from_utf8(self.bytes()?).ok()?)
    }

    fn instant(&mut self) -> Option<DateTime<Utc>> {
        let (seconds, nanoseconds) = (self.number()? as i64, self.number()?);
        DateTime::from_timestamp(seconds, u32::try_from(nanoseconds).ok()?)
    }

    fn gathered(&mut self, depth: usize) -> Option<Gathered> {
        let depth = depth.checked_sub(1)?;
        let mut found = Gathered { count: self.number()?, ..Gathered::default() };
        for _ in 0..self.number()? {
            let interval = (self.text()?, self.bytes()?.to_vec(), self.bytes()?.to_vec());
            let mut counts = Vec::new();
            for _ in 0..self.number()? {
                counts.push((self.bytes()?.to_vec(), self.number()?));
            }
            found.values.insert(interval, counts);
        }
        for _ in 0..self.number()? {
            let (path, values, numbers) = (self.text()?, self.number()?, self.number()?);
            let (least, greatest) = (self.bytes()?.to_vec(), self.bytes()?.to_vec());
            // A value has its type in front, so it is not empty.
            let ends = (!least.is_empty()).then_some((least, greatest));
            let (sum, squares) = (self.decimal()?, self.decimal()?);
            found.totals.insert(path, Totals { values, numbers, ends, sum, squares });
        }
        for _ in 0..self.number()? {
            let path = self.text()?;
            let ends = match self.number()? {
                0 => None,
                _ => Some((self.instant()?, self.instant()?)),
            };
            found.instants.insert(path, ends);
        }
        for _ in 0..self.number()? {
            memory::check();
            let (kind, number, path) = (self.number()?, self.number()?, self.text()?);
            let value = self.bytes()?.to_vec();
            let step = match kind {
                0 => Step::Value(path, value),
                1 => Step::Predicate(number),
                2 => Step::Having(path),
                3 => Step::Missing(path),
                _ => return None,
            };
            found.inner.insert(step, self.gathered(depth)?);
        }
        Some(found)
    }
}

// These run in a server, as they ask for interrupts.
#[pgrx::pg_schema]
#[cfg(any(test, feature = "pg_test"))]
mod tests {
    use super::*;

    fn gathered(values: &[(&str, u64)]) -> Gathered {
        let counts = values.iter().map(|(value, count)| (value.as_bytes().to_vec(), *count));
        let mut found = Gathered { count: 7, ..Gathered::default() };
        let everything = ("a.b".to_string(), Vec::new(), vec![u8::MAX]);
        found.values.insert(everything, counts.collect());
        let ends = Some((b"\x01a".to_vec(), b"\x01z".to_vec()));
        let number = |text: &str| Decimal::parse(text).unwrap();
        let (sum, squares) = (number("0.1"), number("1e40"));
        found.totals.insert("t".into(), Totals { values: 3, numbers: 2, ends, sum, squares });
        found.instants.insert("i".into(), DateTime::from_timestamp(-5, 3).map(|at| (at, at)));
        found.instants.insert("none".into(), None);
        found
    }

    #[pgrx::pg_test]
    fn what_was_gathered_adds_up() {
        let mut all = gathered(&[("a", 1), ("c", 2)]);
        all.inner.insert(Step::Predicate(3), gathered(&[("x", 5)]));
        all.add(gathered(&[("b", 4), ("c", 3), ("d", 1)])).unwrap();
        let counts = all.values.values().next().unwrap();
        let counts: Vec<_> = counts.iter().map(|(value, count)| (value[0], *count)).collect();
        assert_eq!(counts, [(b'a', 1), (b'b', 4), (b'c', 5), (b'd', 1)]);
        assert_eq!((all.count, all.totals["t"].sum.to_string()), (14, "0.2".to_string()));
        assert_eq!(all.inner.len(), 1);
    }

    #[pgrx::pg_test]
    fn bytes_are_read_as_they_were_written() {
        let mut all = gathered(&[("a", 1)]);
        for step in [Step::Value("p".into(), b"v".to_vec()), Step::Having("p".into())] {
            all.inner.insert(step, gathered(&[]));
        }
        all.inner.insert(Step::Missing("p".into()), gathered(&[("x", 5)]));
        let mut bytes = Vec::new();
        all.write(&mut bytes).unwrap();
        assert_eq!(Gathered::read(&bytes).unwrap(), all);
        for length in 0..bytes.len() {
            assert!(Gathered::read(&bytes[..length]).is_err());
        }
        bytes.push(0);
        assert!(Gathered::read(&bytes).is_err());
    }
}
