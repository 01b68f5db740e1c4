//! How many documents have an instant or a number in each of some intervals that follow each other.

use super::sum::Sum;
use crate::document::{Decimal, NUMBER, read_ordered, write_ordered};
use crate::error::{Error, Result};
use crate::executor::{Domain, Group, ReadResult, Span, ValueSource};
use crate::index::gin::Direction;
use std::ops::ControlFlow;

/// Buckets that a histogram has at most.
pub const MAX_BUCKETS: usize = 100_000;

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
/// the last one is above `to`. `first` is that first one, and `step` is above 0. Too many are refused
/// before any is calculated: the edges of a tiny step have many digits.
pub fn number_edges(first: Decimal, to: &Decimal, step: &Decimal) -> Result<Vec<Decimal>> {
    if Sum::of_steps(&first, step, MAX_BUCKETS as u64) <= *to {
        return Err(too_many());
    }
    let mut bytes: Vec<u8> = Vec::new();
    write_ordered(step, &mut bytes);
    let step = read_ordered(&bytes);
    let (mut sum, mut edges) = (Sum::default(), vec![first.clone()]);
    sum.add_decimal(&first);
    while edges.len() <= MAX_BUCKETS && edges.last().is_some_and(|last| last <= to) {
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
