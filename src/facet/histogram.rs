//! How many documents have an instant or a number in each of some intervals that follow each other.

use super::sum::Sum;
use crate::document::{Decimal, NUMBER, read_ordered, write_ordered};
use crate::error::{Error, Result};
use crate::executor::{Domain, Group, ReadResult, Span, ValueSource};
use crate::index::gin::Direction;
use crate::predicate::{Limit, Predicate, Test, Value as QueryValue};
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;

/// Buckets that a histogram has at most.
pub const MAX_BUCKETS: usize = 100_000;

/// The values at a path from one edge up to but not including the next, as conditions.
pub fn buckets_between<T>(
    path: &str,
    edges: &[T],
    value: impl Fn(&T) -> QueryValue,
) -> Vec<Predicate> {
    let limit = |edge: &T, inclusive| Some(Limit { value: value(edge), inclusive });
    let bucket = |pair: &[T]| {
        let (lower, upper) = (limit(pair.first()?, true), limit(pair.get(1)?, false));
        let test = Test::Range { lower, upper };
        Some(Predicate::Condition { path: Some(path.to_string()), test })
    };
    edges.windows(2).filter_map(bucket).collect()
}

/// How many matches satisfy each of some conditions.
pub fn counts(source: &mut dyn ValueSource, conditions: &[Predicate]) -> ReadResult<Vec<u64>> {
    let matches = source.matches();
    let count = |condition| {
        crate::memory::check();
        source.count(condition, &matches)
    };
    conditions.iter().map(count).collect()
}

/// An instant as a value of a query.
pub fn instant_value(instant: &DateTime<Utc>) -> QueryValue {
    QueryValue::of_instant(*instant)
}

/// The least and the greatest number at a path.
pub fn number_extremes(
    source: &mut dyn ValueSource,
    path: &str,
    within: &Domain,
) -> ReadResult<Option<(Decimal, Decimal)>> {
    let mut ends = Vec::new();
    for direction in [Direction::Ascending, Direction::Descending] {
        let span = Span::of_type(NUMBER, direction);
        source.each_value(path, &span, within, false, &mut |group: Group<'_>| {
            let number = group.value.strip_prefix(&[NUMBER]).and_then(read_ordered);
            ends.extend(number.and_then(|number| number.decimal()));
            Ok(ControlFlow::Break(()))
        })?;
    }
    Ok(<[Decimal; 2]>::try_from(ends).ok().map(|[least, greatest]| (least, greatest)))
}

/// The edges of intervals of numbers: the first one is the greatest that is not above `from`, and
/// the last one is above `to`. `first` is that first one.
pub fn number_edges(first: Decimal, to: &Decimal, step: &Decimal) -> Result<Vec<Decimal>> {
    let mut bytes: Vec<u8> = Vec::new();
    write_ordered(step, &mut bytes);
    let step = read_ordered(&bytes);
    let (mut sum, mut edges) = (Sum::default(), vec![first.clone()]);
    sum.add_decimal(&first);
    while edges.last().is_some_and(|last| last <= to) {
        if edges.len() > MAX_BUCKETS {
            return Err(too_many());
        }
        crate::memory::check();
        if let Some(step) = &step {
            sum.add(step, 1);
        }
        edges.push(sum.decimal());
    }
    Ok(edges)
}

/// The error that there would be too many buckets.
pub fn too_many() -> Error {
    let problem = format!("the histogram would have more than {MAX_BUCKETS} buckets");
    Error::RequestTooLarge { problem }
}
