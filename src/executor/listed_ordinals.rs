//! The ordinals of some rows, one by one, where there are more values than rows. Who asks how many
//! lie between some values, or which are the ends, needs no count for each value: that would take
//! longer than one look at each row.

use super::ordinals::Ordinals;
use super::row_bits::{ROWS_TOGETHER, each_rows};
use crate::error::Result;
use crate::{interrupts, memory};
use roaring::RoaringBitmap;
use std::cell::{Cell, OnceCell};
use std::ops::Range;

/// For so few rows beside the number of values, the ordinals of the rows are sorted.
const VALUES_PER_ROW: usize = 16;
/// For so few rows beside the number of values, the interval of each is searched for.
const VALUES_PER_SEARCH: usize = 64;

/// The ordinals of some rows as the rows come. They are put together by value when somebody asks
/// for that.
pub struct Listed {
    ordinals: Vec<u32>,
    /// The least and the greatest of them.
    ends: Option<(u32, u32)>,
    /// Whether they are put together by sorting them, or else by a count for each value.
    is_few: bool,
    /// Room for `grouped`, which was asked for but not touched.
    room: Cell<Vec<u32>>,
    grouped: OnceCell<Vec<u32>>,
}

/// How many rows have each value, as it is known.
pub enum Grouped<'c> {
    /// By ordinal.
    Each(&'c [u32]),
    /// The ordinals of the rows, in order.
    Sorted(&'c [u32]),
}

impl Listed {
    pub fn none() -> Listed {
        let (ordinals, room) = (Vec::new(), Cell::new(Vec::new()));
        Listed { ordinals, ends: None, is_few: true, room, grouped: OnceCell::new() }
    }

    pub fn of(ordinals: &Ordinals, rows: &RoaringBitmap) -> Result<Listed> {
        let count = rows.len() as usize;
        let is_few = count < ordinals.len() / VALUES_PER_ROW;
        let (mut listed, mut room) = (Vec::new(), Vec::new());
        memory::reserve(&mut listed, count)?;
        memory::reserve(&mut room, if is_few { count } else { ordinals.len() })?;
        let (numbers, mut first, mut last) = (ordinals.rows(), u32::MAX, 0);
        each_rows(rows, |rows| {
            // Without a branch: what has no value is written, too, and then written over.
            let (mut found, mut count) = ([0; ROWS_TOGETHER], 0);
            for row in rows {
                let number = numbers.get(*row as usize).copied().unwrap_or(0);
                if let Some(place) = found.get_mut(count) {
                    *place = number.wrapping_sub(1);
                }
                count += usize::from(number > 0);
            }
            let found = found.get(..count).unwrap_or_default();
            first = found.iter().copied().fold(first, u32::min);
            last = found.iter().copied().fold(last, u32::max);
            listed.extend_from_slice(found);
        })?;
        let (room, grouped) = (Cell::new(room), OnceCell::new());
        let ends = (!listed.is_empty()).then_some((first, last));
        Ok(Listed { ordinals: listed, ends, is_few, room, grouped })
    }

    /// Whether they were put together by value.
    pub fn is_grouped(&self) -> bool {
        self.grouped.get().is_some()
    }

    /// The least and the greatest of those that lie in a range.
    pub fn ends(&self, range: &Range<usize>) -> Option<(usize, usize)> {
        let (first, last) = self.ends?;
        if range.contains(&(first as usize)) && range.contains(&(last as usize)) {
            return Some((first as usize, last as usize));
        }
        if range.end <= first as usize || range.start > last as usize {
            return None;
        }
        let widen = |ends: Option<(usize, usize)>, at: usize| match ends {
            Some((first, last)) => Some((first.min(at), last.max(at))),
            None => Some((at, at)),
        };
        self.within(range.clone()).fold(None, widen)
    }

    /// Those that lie in a range, as the rows come.
    pub fn within(&self, range: Range<usize>) -> impl Iterator<Item = usize> {
        interrupts::spend(self.ordinals.len() / ROWS_TOGETHER);
        let ordinals = self.ordinals.iter().map(|ordinal| *ordinal as usize);
        ordinals.filter(move |ordinal| range.contains(ordinal))
    }

    /// How many rows have a value below the first of some ordinals, from there to the next, and so
    /// on, and behind the last one.
    pub fn count_between(&self, edges: &[usize]) -> Result<Vec<u64>> {
        let mut counts = Vec::new();
        memory::reserve(&mut counts, edges.len() + 1)?;
        counts.resize(edges.len() + 1, 0u64);
        let mut add = |number: usize| {
            if let Some(count) = counts.get_mut(number) {
                *count += 1;
            }
        };
        let last = edges.last().copied().unwrap_or(0);
        let is_few = self.ordinals.len() < last / VALUES_PER_SEARCH;
        if is_few || u16::try_from(edges.len()).is_err() {
            for ordinal in &self.ordinals {
                interrupts::spend(1);
                add(edges.partition_point(|edge| *edge <= *ordinal as usize));
            }
            return Ok(counts);
        }
        // By ordinal: how many edges are not above it.
        let mut table = Vec::new();
        memory::reserve(&mut table, last)?;
        for (number, below) in (0u16..).zip(edges) {
            interrupts::spend(below.saturating_sub(table.len()) / ROWS_TOGETHER);
            table.resize(*below, number);
        }
        for ordinals in self.ordinals.chunks(ROWS_TOGETHER) {
            interrupts::spend(ordinals.len());
            for ordinal in ordinals {
                let number = table.get(*ordinal as usize).copied();
                add(number.map_or(edges.len(), usize::from));
            }
        }
        Ok(counts)
    }

    /// What was listed, put together by value. There are so many values.
    pub fn grouped(&self, values: usize) -> Grouped<'_> {
        let grouped = self.grouped.get_or_init(|| {
            let mut grouped = self.room.take();
            if self.is_few {
                grouped.extend_from_slice(&self.ordinals);
                interrupts::sort_unstable(&mut grouped);
                return grouped;
            }
            grouped.resize(values, 0);
            for ordinals in self.ordinals.chunks(ROWS_TOGETHER) {
                interrupts::spend(ordinals.len());
                for ordinal in ordinals {
                    if let Some(count) = grouped.get_mut(*ordinal as usize) {
                        *count += 1;
                    }
                }
            }
            grouped
        });
        if self.is_few { Grouped::Sorted(grouped) } else { Grouped::Each(grouped) }
    }
}

/// Those of some ordinals, which are in order, that lie in a range.
pub fn within<'o>(ordinals: &'o [u32], range: &Range<usize>) -> &'o [u32] {
    let behind = |end: usize| ordinals.partition_point(|at| (*at as usize) < end);
    ordinals.get(behind(range.start)..behind(range.end)).unwrap_or_default()
}

/// Counts some rows by ordinal plus one.
pub fn count_each(ordinals: &Ordinals, rows: &RoaringBitmap) -> Result<Vec<u32>> {
    // The place 0 takes the rows without a value, so that no branch is needed.
    let (mut counts, numbers) = (Vec::new(), ordinals.rows());
    memory::reserve(&mut counts, ordinals.len() + 1)?;
    counts.resize(ordinals.len() + 1, 0u32);
    each_rows(rows, |rows| {
        for row in rows {
            let number = numbers.get(*row as usize).copied().unwrap_or(0);
            if let Some(count) = counts.get_mut(number as usize) {
                *count += 1;
            }
        }
    })?;
    Ok(counts)
}
