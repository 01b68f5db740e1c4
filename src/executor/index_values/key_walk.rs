//! A walk over the keys of a path in all tables of a store at once, in the order of the values.

use super::part::PartValues;
use crate::error::Result;
use crate::executor::doc_id::ReadResult;
use crate::executor::domain::{Domain, PartRows, RowCounter};
use crate::executor::value_cursor::{ValueBounds, ValueCursor};
use crate::executor::wanted_rows::RowFilter;
use crate::index::gin::{Direction, GinIndex};
use roaring::RoaringBitmap;
use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// What was found of a value.
pub(super) enum Found {
    Count(u64),
    Rows(Domain),
}

/// The next value of one table.
pub(super) struct Head {
    pub(super) stored: Vec<u8>,
    pub(super) part: usize,
    pub(super) count: u64,
    pub(super) rows: RoaringBitmap,
    pub(super) direction: Direction,
}

impl Ord for Head {
    /// What comes first is the greatest, because a `BinaryHeap` has the greatest on top.
    fn cmp(&self, other: &Head) -> Ordering {
        let order = match self.direction {
            Direction::Ascending => self.stored.cmp(&other.stored),
            Direction::Descending => other.stored.cmp(&self.stored),
        };
        order.then(self.part.cmp(&other.part)).reverse()
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

/// A walk over the keys of a path in all tables at once.
pub(super) struct KeyWalk<'w> {
    pub(super) parts: Vec<PartWalk<'w>>,
    pub(super) heads: BinaryHeap<Head>,
    pub(super) with_rows: bool,
    pub(super) direction: Direction,
}

pub(super) struct PartWalk<'w> {
    pub(super) index: &'w GinIndex,
    pub(super) keys: &'w Cell<u64>,
    pub(super) cursor: ValueCursor,
    pub(super) filter: RowFilter<'w>,
    pub(super) counter: RowCounter<'w>,
}

impl<'w> KeyWalk<'w> {
    pub(super) fn new(
        parts: &'w [PartValues<'_>],
        path: &str,
        bounds: ValueBounds<'_>,
        direction: Direction,
        within: &'w Domain,
        with_rows: bool,
    ) -> ReadResult<KeyWalk<'w>> {
        let walk = |(part, rows): (&'w PartValues<'_>, &'w PartRows)| {
            Ok(PartWalk {
                index: part.reader.index,
                keys: &part.keys,
                cursor: ValueCursor::new(&part.reader, path, bounds, direction)?,
                filter: part.filter(rows),
                counter: part.counter(rows),
            })
        };
        let parts: Vec<_> = parts.iter().zip(&within.parts).map(walk).collect::<Result<_>>()?;
        let mut walk = KeyWalk { parts, heads: BinaryHeap::new(), with_rows, direction };
        if walk.parts.len() > 1 {
            for part in 0..walk.parts.len() {
                let head = walk.head(part, Vec::new())?;
                walk.heads.extend(head);
            }
        }
        Ok(walk)
    }

    /// Reads the next value of a table. `stored` is room for it.
    pub(super) fn head(&mut self, part: usize, mut stored: Vec<u8>) -> ReadResult<Option<Head>> {
        let direction = self.direction;
        let Some(walk) = self.parts.get_mut(part) else { return Ok(None) };
        let PartWalk { index, keys, cursor, filter, counter } = walk;
        keys.set(keys.get() + 1);
        if self.with_rows {
            return Ok(cursor.next(index, *filter)?.map(|next| Head {
                stored: next.stored,
                part,
                count: 0,
                rows: next.rows,
                direction,
            }));
        }
        let count = cursor.next_count(index, *filter, counter, &mut stored)?;
        let rows = RoaringBitmap::new();
        Ok(count.map(|count| Head { stored, part, count, rows, direction }))
    }

    /// Finds the next value, which `stored` becomes.
    pub(super) fn next(&mut self, stored: &mut Vec<u8>) -> ReadResult<Option<Found>> {
        let tables = self.parts.len();
        if tables == 1 {
            let Some(head) = self.head(0, std::mem::take(stored))? else { return Ok(None) };
            *stored = head.stored;
            return Ok(Some(match self.with_rows {
                true => Found::Rows(Domain { parts: vec![PartRows::of(head.rows)] }),
                false => Found::Count(head.count),
            }));
        }
        let Some(first) = self.heads.pop() else { return Ok(None) };
        stored.clone_from(&first.stored);
        let mut rows = match self.with_rows {
            true => vec![RoaringBitmap::new(); tables],
            false => Vec::new(),
        };
        let (mut count, mut next) = (0, Some(first));
        while let Some(head) = next {
            count += head.count;
            if let Some(rows) = rows.get_mut(head.part) {
                *rows = head.rows;
            }
            let following = self.head(head.part, head.stored)?;
            self.heads.extend(following);
            let is_same = self.heads.peek().is_some_and(|head| head.stored == *stored);
            next = if is_same { self.heads.pop() } else { None };
        }
        Ok(Some(match self.with_rows {
            true => Found::Rows(Domain { parts: rows.into_iter().map(PartRows::of).collect() }),
            false => Found::Count(count),
        }))
    }
}
