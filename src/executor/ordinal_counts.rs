//! How many of some rows have each value at a path, by ordinal.

use super::domain::PartRows;
use super::listed_ordinals::{Grouped, Listed, count_each, within};
use super::ordinals::Ordinals;
use crate::document::{NUMBER, STRING};
use crate::error::Result;
use crate::index::gin::Direction;
use crate::{interrupts, memory};
use roaring::RoaringBitmap;
use std::ops::{ControlFlow, Range};
use std::rc::Rc;

/// Ordinals that are looked at together.
const TOGETHER: usize = 64;

/// How many rows have each value. No row has two.
pub struct OrdinalCounts {
    ordinals: Rc<Ordinals>,
    counts: Counts,
}

enum Counts {
    /// All rows count.
    All,
    /// By ordinal plus one. The place 0 is that of rows without a value.
    Each(Vec<u32>),
    /// There are more than twice as many values as rows.
    Listed(Listed),
}

/// What statistics need to know of some numbers: each is an integer × 10000^weight.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moments {
    pub weight: i64,
    pub sum: i128,
    /// The sum of the squares, whose weight is twice the other.
    pub squares: i128,
}

impl OrdinalCounts {
    /// Counts rows. Of all rows, those that are hidden are left out.
    pub fn of(
        ordinals: Rc<Ordinals>,
        rows: &PartRows,
        hidden: Option<&RoaringBitmap>,
    ) -> Result<OrdinalCounts> {
        let counts = match rows {
            PartRows::All(_) => {
                let hidden = hidden.into_iter().flatten();
                let mut hidden = hidden.filter_map(|row| ordinals.of_row(row)).peekable();
                match hidden.peek() {
                    None => Counts::All,
                    Some(_) => {
                        let mut counts = Vec::new();
                        memory::reserve(&mut counts, ordinals.len() + 1)?;
                        counts.push(0);
                        counts.extend_from_slice(ordinals.counts());
                        for ordinal in hidden {
                            interrupts::spend(1);
                            if let Some(count) = counts.get_mut(ordinal as usize + 1) {
                                *count = count.saturating_sub(1);
                            }
                        }
                        Counts::Each(counts)
                    }
                }
            }
            PartRows::Some(rows) if (rows.len() as usize) < ordinals.len() / 2 => {
                Counts::Listed(Listed::of(&ordinals, rows)?)
            }
            PartRows::Some(rows) => Counts::Each(count_each(&ordinals, rows)?),
            PartRows::Elsewhere { .. } => Counts::Listed(Listed::none()),
        };
        Ok(OrdinalCounts { ordinals, counts })
    }

    /// The values.
    pub fn ordinals(&self) -> &Ordinals {
        &self.ordinals
    }

    fn grouped(&self) -> Grouped<'_> {
        match &self.counts {
            Counts::All => Grouped::Each(self.ordinals.counts()),
            Counts::Each(counts) => Grouped::Each(counts.get(1..).unwrap_or_default()),
            Counts::Listed(listed) => listed.grouped(self.ordinals.len()),
        }
    }

    /// Calls `visit` with the ordinals of a range that some row has, and how many, until it breaks.
    #[inline]
    pub fn each<B>(
        &self,
        range: Range<usize>,
        direction: Direction,
        mut visit: impl FnMut(usize, u64) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        if range.is_empty() {
            return ControlFlow::Continue(());
        }
        match self.grouped() {
            Grouped::Each(counts) => {
                let (start, counts) = (range.start, counts.get(range).unwrap_or_default());
                let take = |(number, counts): (usize, &[u32])| {
                    interrupts::spend(counts.len());
                    let first = start + number * TOGETHER;
                    each_filled(counts, direction, &mut |at, count| visit(first + at, count))
                };
                let mut chunks = counts.chunks(TOGETHER).enumerate();
                match direction {
                    Direction::Ascending => chunks.try_for_each(take),
                    Direction::Descending => chunks.rev().try_for_each(take),
                }
            }
            Grouped::Sorted(ordinals) => {
                let mut same = within(ordinals, &range).chunk_by(|a, b| a == b);
                let take = |same: &[u32]| {
                    interrupts::spend(1);
                    same.first().map_or(ControlFlow::Continue(()), |at| {
                        visit(*at as usize, same.len() as u64)
                    })
                };
                match direction {
                    Direction::Ascending => same.try_for_each(take),
                    Direction::Descending => same.rev().try_for_each(take),
                }
            }
        }
    }

    /// How many rows have a value of a range.
    pub fn sum(&self, range: Range<usize>) -> u64 {
        match &self.counts {
            Counts::Listed(listed) if !listed.is_grouped() => listed.within(range).count() as u64,
            _ => match self.grouped() {
                Grouped::Each(counts) => {
                    counts.get(range).unwrap_or_default().iter().map(|n| u64::from(*n)).sum()
                }
                Grouped::Sorted(ordinals) => within(ordinals, &range).len() as u64,
            },
        }
    }

    /// Adds to each of some intervals how many rows have a value from one of these ordinals up to
    /// but not including the next.
    pub fn add_between(&self, edges: &[usize], sums: &mut [u64]) -> Result<()> {
        let Counts::Listed(listed) = &self.counts else {
            for (sum, edges) in sums.iter_mut().zip(edges.windows(2)) {
                if let [from, below] = edges {
                    interrupts::spend(below - from);
                    *sum += self.sum(*from..*below);
                }
            }
            return Ok(());
        };
        let counts = listed.count_between(edges)?;
        for (sum, count) in sums.iter_mut().zip(counts.iter().skip(1)) {
            *sum += count;
        }
        Ok(())
    }

    /// How many values of a range some row has.
    pub fn distinct(&self, range: Range<usize>) -> u64 {
        match self.grouped() {
            Grouped::Each(counts) => {
                let counts = counts.get(range).unwrap_or_default().iter();
                counts.map(|count| u64::from(*count > 0)).sum()
            }
            Grouped::Sorted(ordinals) => {
                within(ordinals, &range).chunk_by(|a, b| a == b).count() as u64
            }
        }
    }

    /// The first and the last ordinal of a range that some row has.
    pub fn ends(&self, range: Range<usize>) -> Option<(usize, usize)> {
        if let Counts::Listed(listed) = &self.counts
            && !listed.is_grouped()
        {
            return listed.ends(&range);
        }
        let end = |direction| {
            let found = self.each(range.clone(), direction, |at, _| ControlFlow::Break(at));
            found.break_value()
        };
        end(Direction::Ascending).zip(end(Direction::Descending))
    }

    /// The ordinals of a range that some row has.
    pub fn those_within(&self, range: Range<usize>) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        if let Counts::Listed(listed) = &self.counts
            && !listed.is_grouped()
        {
            memory::reserve(&mut found, listed.within(range.clone()).count())?;
            found.extend(listed.within(range));
            interrupts::sort_unstable(&mut found);
            found.dedup();
            return Ok(found);
        }
        memory::reserve(&mut found, range.len())?;
        let _ = self.each(range, Direction::Ascending, |at, _| {
            found.push(at);
            ControlFlow::<()>::Continue(())
        });
        Ok(found)
    }

    /// The ordinal of the number that comes at this rank, counted from 1, if all rows' numbers are
    /// put in order.
    pub fn number_at_rank(&self, rank: u64) -> Option<usize> {
        self.grouped();
        let mut before = 0;
        let mut numbers = self.ordinals.of_type(NUMBER);
        // Most of the way in long steps.
        while numbers.len() > TOGETHER {
            let sum = self.sum(numbers.start..numbers.start + TOGETHER);
            if before + sum >= rank {
                break;
            }
            (before, numbers.start) = (before + sum, numbers.start + TOGETHER);
        }
        let found = self.each(numbers, Direction::Ascending, |at, count| {
            before += count;
            if before >= rank { ControlFlow::Break(at) } else { ControlFlow::Continue(()) }
        });
        found.break_value()
    }

    /// The sums of the numbers; none where they are no integers of a moderate size.
    pub fn moments(&self) -> Option<Moments> {
        let integers = self.ordinals.integers()?;
        let numbers = self.ordinals.of_type(NUMBER);
        let (first, mut sum, mut squares) = (numbers.start, 0, 0);
        let _ = self.each(numbers, Direction::Ascending, |at, count| {
            let integer = integers.integers.get(at - first).copied().unwrap_or(0);
            let (integer, count) = (i128::from(integer), i128::from(count));
            sum += integer * count;
            squares += integer * integer * count;
            ControlFlow::<()>::Continue(())
        });
        Some(Moments { weight: integers.weight, sum, squares })
    }

    /// Calls `visit` with the seconds of instants `…T…Z` in order, each with how many rows have it,
    /// until it breaks.
    pub fn each_second(&self, mut visit: impl FnMut(i64, u64) -> ControlFlow<()>) -> Result<()> {
        let (seconds, strings) = (self.ordinals.seconds()?, self.ordinals.of_type(STRING));
        let _ = self.each(strings, Direction::Ascending, |at, count| match seconds.get(at) {
            Some(&second) if second != super::ordinal_numbers::NO_INSTANT => visit(second, count),
            _ => ControlFlow::Continue(()),
        });
        Ok(())
    }
}

/// Calls `visit` with the places and counts of at most 64 that are above 0, until it breaks. Which
/// those are is found out first, so that the processor does not guess at each of them.
#[inline]
fn each_filled<B>(
    counts: &[u32],
    direction: Direction,
    visit: &mut impl FnMut(usize, u64) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let mut filled = 0u64;
    for (at, count) in counts.iter().enumerate() {
        filled |= u64::from(*count > 0) << at;
    }
    while filled != 0 {
        let at = match direction {
            Direction::Ascending => filled.trailing_zeros(),
            Direction::Descending => 63 - filled.leading_zeros(),
        } as usize;
        filled &= !(1 << at);
        visit(at, counts.get(at).map_or(0, |count| u64::from(*count)))?;
    }
    ControlFlow::Continue(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The same of rows that are listed, be they many or few, before they are put together by
        /// value and afterwards, and of those that are counted at once.
        #[test]
        fn counts_rows(
            values in 1usize..600,
            numbers in proptest::collection::vec(0usize..600, 0..700),
            taken in 1usize..200,
            mut edges in proptest::collection::vec(0usize..600, 0..12),
            range in (0usize..600, 0usize..600),
        ) {
            let stored: Vec<Vec<u8>> = (0..values as u32).map(|n| [&[STRING][..], &n.to_be_bytes()].concat()).collect();
            let numbers: Vec<u32> = numbers.iter().map(|number| (number % (values + 1)) as u32).collect();
            let rows: RoaringBitmap = (0..numbers.len() as u32).step_by(taken).collect();
            let mut expected = vec![0u64; values];
            rows.iter().filter_map(|row| numbers[row as usize].checked_sub(1)).for_each(|at| expected[at as usize] += 1);
            edges.iter_mut().for_each(|edge| *edge %= values + 1);
            edges.sort_unstable();
            let range = range.0 % values..(range.1 % values).max(range.0 % values);
            let filled: Vec<usize> = range.clone().filter(|at| expected[*at] > 0).collect();
            let ends = filled.first().copied().zip(filled.last().copied());
            let sum: u64 = expected[range.clone()].iter().sum();
            let between: Vec<u64> = edges.windows(2).map(|edges| expected[edges[0]..edges[1]].iter().sum()).collect();

            let ordinals = Rc::new(Ordinals::made_of(&stored, numbers));
            let counts = |counts| OrdinalCounts { ordinals: Rc::clone(&ordinals), counts };
            let listed = || Counts::Listed(Listed::of(&ordinals, &rows).unwrap());
            let counted = counts(listed());
            // In every order: some of these put the rows together by value.
            for counted in [&counts(listed()), &counted, &counted, &counts(Counts::Each(count_each(&ordinals, &rows).unwrap()))] {
                prop_assert_eq!(counted.ends(range.clone()), ends);
                prop_assert_eq!(counted.sum(range.clone()), sum);
                prop_assert_eq!(counted.those_within(range.clone()).unwrap(), filled.clone());
                let mut sums = vec![0; edges.len().saturating_sub(1)];
                counted.add_between(&edges, &mut sums).unwrap();
                prop_assert_eq!(&sums, &between);
                prop_assert_eq!(counted.distinct(range.clone()), filled.len() as u64);
                for direction in [Direction::Ascending, Direction::Descending] {
                    let mut found = Vec::new();
                    let _ = counted.each(range.clone(), direction, |at, count| {
                        found.push((at, count));
                        ControlFlow::<()>::Continue(())
                    });
                    if direction == Direction::Descending {
                        found.reverse();
                    }
                    let expected: Vec<(usize, u64)> = filled.iter().map(|at| (*at, expected[*at])).collect();
                    prop_assert_eq!(found, expected);
                }
            }
        }
    }
}
