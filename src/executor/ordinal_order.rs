//! A window of some rows in the order of the values at a path, by the ordinals of these.
//!
//! A walk over the index (`index_order`) reads each value before the window. Ordinals know which
//! rows have which value, in the order of the values, so where many rows match, the window is found
//! by looking one after the other up among the matches. Where few match, these are counted by value,
//! roughly, in one pass over them, which says between which values the window lies. A second pass
//! takes the rows that have those, and only they are sorted.

use super::ordinals::Ordinals;
use super::rows::Rows;
use crate::error::Result;
use crate::{interrupts, memory};
use std::ops::Range;

/// Values are counted together in so many groups of neighbours, at most.
const GROUPS: usize = 1 << 12;

/// Nanoseconds that it takes to look up a row among others that are there as bits, or compressed, and
/// to see twice which ordinal a row has. What matters are their ratios.
const BIT_COST: u64 = 6;
const COMPRESSED_COST: u64 = 25;
const ORDINAL_COST: u64 = 4;

/// Nanoseconds that it takes to find a window that ends at `end` among so many of all documents, and
/// whether it is quicker to look up rows among the matches, in the order of their values.
pub fn cost(rows: &Rows, hits: u64, documents: u64, end: u64) -> (u64, bool) {
    let each = if matches!(rows, Rows::Plain(_)) { BIT_COST } else { COMPRESSED_COST };
    let looked_up = (end.saturating_mul(documents) / hits.max(1)).min(documents);
    let (by_value, by_rank) = (looked_up.saturating_mul(each), hits.saturating_mul(ORDINAL_COST));
    (by_value.min(by_rank), by_value < by_rank)
}

/// The rows with these numbers, found by looking up rows in the order of their values. What holds
/// below of their order holds here.
pub fn window_by_value(
    ordinals: &Ordinals,
    rows: &Rows,
    descending: bool,
    window: Range<u64>,
) -> Result<Vec<u32>> {
    let (mut found, mut passed, by_value) = (Vec::new(), 0u64, ordinals.by_value()?);
    memory::reserve(&mut found, window.end.saturating_sub(window.start).min(rows.len()) as usize)?;
    // Whether the window goes on.
    let mut take = |row: u32| {
        if passed >= window.start && passed < window.end {
            found.push(row);
        }
        passed += 1;
        passed < window.end
    };
    let mut take_all =
        |rows_of_value: &[u32]| rows_of_value.iter().all(|row| !rows.contains(*row) || take(*row));
    let mut goes_on = window.start < window.end;
    if goes_on && descending {
        let mut left = by_value;
        goes_on = ordinals.counts().iter().rev().all(|count| {
            let (before, of_value) = left.split_at(left.len().saturating_sub(*count as usize));
            left = before;
            of_value.chunks(GROUPS).all(|rows| {
                interrupts::spend(rows.len());
                take_all(rows)
            })
        });
    } else if goes_on {
        goes_on = by_value.chunks(GROUPS).all(|rows| {
            interrupts::spend(rows.len());
            take_all(rows)
        });
    }
    if goes_on {
        let numbers = ordinals.rows();
        let has_value = |row: u32| numbers.get(row as usize).is_some_and(|number| *number > 0);
        for row in rows.iter_from(0) {
            interrupts::spend(1);
            if !has_value(row) && !take(row) {
                break;
            }
        }
    }
    Ok(found)
}

/// The rows with these numbers, in order, found by the ordinals of all matches. Rows with the same
/// value are in the order of their doc IDs; those without a value come last in either direction. None
/// if more than `max_rows` rows would have to be sorted.
pub fn window_by_rank(
    ordinals: &Ordinals,
    rows: &Rows,
    descending: bool,
    window: Range<u64>,
    max_rows: usize,
) -> Result<Option<Vec<u32>>> {
    // The number of a row's value in the order that is wanted.
    let (numbers, values) = (ordinals.rows(), ordinals.len() as u32);
    let rank = |row: u32| {
        let number = numbers.get(row as usize).copied().unwrap_or(0);
        if descending { values - number.min(values) } else { number.wrapping_sub(1).min(values) }
    };
    let mut shift = 0;
    while values as usize >> shift >= GROUPS {
        shift += 1;
    }
    let mut counts = [0u32; GROUPS];
    rows.each_together(|rows| {
        for row in rows {
            if let Some(count) = counts.get_mut((rank(*row) >> shift) as usize) {
                *count += 1;
            }
        }
    })?;
    // The groups that have rows of the window, and how many rows come before these groups.
    let (mut groups, mut before, mut passed, mut taken) = (0..0, 0, 0u64, 0);
    for (group, count) in (0u32..).zip(counts) {
        let next = passed + u64::from(count);
        if next > window.start && passed < window.end {
            if groups.is_empty() {
                (groups.start, before) = (group, passed);
            }
            groups.end = group + 1;
            taken += count as usize;
        }
        passed = next;
    }
    if taken > max_rows {
        return Ok(None);
    }
    let mut sorted: Vec<u64> = Vec::new();
    memory::reserve(&mut sorted, taken)?;
    rows.each_together(|rows| {
        for row in rows {
            let rank = rank(*row);
            if groups.contains(&(rank >> shift)) {
                sorted.push(u64::from(rank) << 32 | u64::from(*row));
            }
        }
    })?;
    interrupts::sort_unstable(&mut sorted);
    let place = |number: u64| (number.saturating_sub(before) as usize).min(sorted.len());
    let found = sorted.get(place(window.start)..place(window.end)).unwrap_or_default();
    // The low half is the row.
    Ok(Some(found.iter().map(|row| *row as u32).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::NUMBER;
    use crate::executor::bits::Bits;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the number of values, of rows without one, and of rows with the same.
        #[test]
        fn is_the_window_of_all_rows_in_order(
            values in prop_oneof![1u32..4, 1_000u32..20_000],
            seed in any::<u32>(),
            chosen in proptest::collection::btree_set(0u32..9_000, 0..600),
            window in (0u64..700, 0u64..80).prop_map(|(start, rows)| start..start + rows),
            (descending, plain) in any::<(bool, bool)>(),
            max_rows in prop_oneof![Just(usize::MAX), 0usize..300],
        ) {
            let stored = |value: u32| [&[NUMBER][..], &value.to_be_bytes()].concat();
            let stored: Vec<_> = (0..values).map(stored).collect();
            // The last rows are behind the end of the list.
            let number = |row: u32| row.wrapping_mul(2_654_435_761).wrapping_add(seed) % (values + 1);
            let ordinals = Ordinals::made_of(&stored, (0..8_000).map(number).collect());
            let value = |row: u32| if row < 8_000 { number(row).checked_sub(1) } else { None };
            let mut expected: Vec<u32> = chosen.iter().copied().collect();
            expected.sort_by_key(|row| {
                let value = value(*row).map(i64::from);
                (value.is_none(), value.map(|value| if descending { -value } else { value }), *row)
            });
            let start = (window.start as usize).min(expected.len());
            let end = (window.end as usize).min(expected.len());
            let mut rows = Bits::default();
            chosen.iter().for_each(|row| rows.insert(*row));
            let rows = if plain { Rows::Plain(rows) } else { Rows::Compressed(rows.bitmap()) };
            let by_rank =
                window_by_rank(&ordinals, &rows, descending, window.clone(), max_rows).unwrap();
            match by_rank {
                Some(found) => prop_assert_eq!(&found[..], &expected[start..end]),
                None => prop_assert!(max_rows < expected.len()),
            }
            let by_value = window_by_value(&ordinals, &rows, descending, window).unwrap();
            prop_assert_eq!(&by_value[..], &expected[start..end]);
        }
    }
}
