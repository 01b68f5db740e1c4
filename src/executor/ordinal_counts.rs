//! How many of some rows have each value at a path, by ordinal.

use super::domain::PartRows;
use super::ordinals::Ordinals;
use crate::document::{NUMBER, STRING};
use crate::error::Result;
use crate::index::gin::Direction;
use crate::{interrupts, memory};
use roaring::RoaringBitmap;
use std::ops::{ControlFlow, Range};
use std::rc::Rc;

/// For so few rows beside the number of values, the ordinals of the rows are sorted.
const VALUES_PER_ROW: usize = 16;
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
    /// Ordinals with their counts above 0, in order.
    Some(Vec<(u32, u32)>),
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
            PartRows::Some(rows) if (rows.len() as usize) < ordinals.len() / VALUES_PER_ROW => {
                let mut found = Vec::new();
                memory::reserve(&mut found, rows.len() as usize)?;
                found.extend(rows.iter().filter_map(|row| ordinals.of_row(row)));
                found.sort_unstable();
                let mut counts: Vec<(u32, u32)> = Vec::new();
                memory::reserve(&mut counts, found.len())?;
                for ordinal in found {
                    match counts.last_mut() {
                        Some((last, count)) if *last == ordinal => *count += 1,
                        _ => counts.push((ordinal, 1)),
                    }
                }
                Counts::Some(counts)
            }
            PartRows::Some(rows) => Counts::Each(count_each(&ordinals, rows)?),
            PartRows::Elsewhere { .. } => Counts::Some(Vec::new()),
        };
        Ok(OrdinalCounts { ordinals, counts })
    }

    /// The values.
    pub fn ordinals(&self) -> &Ordinals {
        &self.ordinals
    }

    /// By ordinal; none if only those above 0 are listed.
    fn dense(&self) -> std::result::Result<&[u32], &[(u32, u32)]> {
        match &self.counts {
            Counts::All => Ok(self.ordinals.counts()),
            Counts::Each(counts) => Ok(counts.get(1..).unwrap_or_default()),
            Counts::Some(counts) => Err(counts),
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
        match self.dense() {
            Ok(counts) => {
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
            Err(counts) => {
                let behind = |end: usize| counts.partition_point(|(at, _)| (*at as usize) < end);
                let counts = counts.get(behind(range.start)..behind(range.end));
                let mut counts = counts.unwrap_or_default().iter();
                let take = |(at, count): &(u32, u32)| {
                    interrupts::spend(1);
                    visit(*at as usize, u64::from(*count))
                };
                match direction {
                    Direction::Ascending => counts.try_for_each(take),
                    Direction::Descending => counts.rev().try_for_each(take),
                }
            }
        }
    }

    /// How many rows have a value of a range.
    pub fn sum(&self, range: Range<usize>) -> u64 {
        match self.dense() {
            Ok(counts) => counts.get(range).unwrap_or_default().iter().map(|n| u64::from(*n)).sum(),
            Err(_) => {
                let mut sum = 0;
                let _ = self.each(range, Direction::Ascending, |_, count| {
                    sum += count;
                    ControlFlow::<()>::Continue(())
                });
                sum
            }
        }
    }

    /// How many values of a range some row has.
    pub fn distinct(&self, range: Range<usize>) -> u64 {
        match self.dense() {
            Ok(counts) => {
                let counts = counts.get(range).unwrap_or_default().iter();
                counts.map(|count| u64::from(*count > 0)).sum()
            }
            Err(counts) => {
                let is_within = |(at, _): &&(u32, u32)| range.contains(&(*at as usize));
                counts.iter().filter(is_within).count() as u64
            }
        }
    }

    /// The first ordinal that some row has.
    pub fn end(&self, direction: Direction) -> Option<usize> {
        let all = 0..self.ordinals.len();
        self.each(all, direction, |at, _| ControlFlow::Break(at)).break_value()
    }

    /// The ordinal of the number that comes at this rank, counted from 1, if all rows' numbers are
    /// put in order.
    pub fn number_at_rank(&self, rank: u64) -> Option<usize> {
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
            Some(&second) if second != super::ordinals::NO_INSTANT => visit(second, count),
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

/// Counts some rows by ordinal plus one.
fn count_each(ordinals: &Ordinals, rows: &RoaringBitmap) -> Result<Vec<u32>> {
    // The place 0 takes the rows without a value, so that no branch is needed.
    let (mut counts, numbers) = (Vec::new(), ordinals.rows());
    memory::reserve(&mut counts, ordinals.len() + 1)?;
    counts.resize(ordinals.len() + 1, 0u32);
    let (mut buffer, mut left) = ([0u32; 512], rows.iter());
    loop {
        interrupts::spend(buffer.len());
        let mut filled = 0;
        for (place, row) in buffer.iter_mut().zip(left.by_ref()) {
            (*place, filled) = (row, filled + 1);
        }
        if filled == 0 {
            break;
        }
        for row in buffer.iter().take(filled) {
            let number = numbers.get(*row as usize).copied().unwrap_or(0);
            if let Some(count) = counts.get_mut(number as usize) {
                *count += 1;
            }
        }
    }
    Ok(counts)
}
