//! A walk over the values at one path in their order, each with the rows that have it.
//!
//! Sorting, facets, statistics and suggestions need values in order. The index has them: the keys
//! of a path's values are neighbours, in the order of the values.

use super::doc_id::{DocIdMap, ReadError, ReadResult};
use super::domain::RowCounter;
use super::postings::PostingReader;
use super::wanted_rows::{RowFilter, WantedRows, wanted_rows};
use crate::error::Result;
use crate::index::gin::{Direction, Entries, GinIndex, PendingEntries};
use crate::index::key::{self, PathHash};
use crate::index::string_code::{Unpacked, unpack};
use roaring::RoaringBitmap;
use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::rc::Rc;

/// A place in the walk. It holds no lock and nothing else of the server's between two calls, so it
/// can be kept for as long as the snapshot sees the same rows.
///
/// A row comes once for each value that it has at the path. Values that begin with the same
/// [`key::MAX_VALUE`] bytes come as one, which is marked as truncated. The keys of instants, which
/// exist beside those of the strings that name them, are left out.
pub struct ValueCursor {
    doc_ids: DocIdMap,
    /// The number of blocks that the table had when the query began.
    blocks: u32,
    direction: Direction,
    /// The keys of the tree that lie within the bounds: `from` ≤ key < `below`.
    from: Vec<u8>,
    below: Vec<u8>,
    /// None behind the last of them.
    entries: Option<Entries>,
    /// The next value of the tree with rows that the filter lets through.
    tree: Option<KeyRows>,
    pending: PendingCursor,
}

/// A key, and the rows that have it.
type KeyRows = (Vec<u8>, RoaringBitmap);

/// The values that are walked over: `from` ≤ value < `below`, in the form in which keys hold them
/// (`index::string_code`). Without a bound, the walk starts or ends with the path's values.
#[derive(Debug, Clone, Copy, Default)]
pub struct ValueBounds<'v> {
    pub from: Option<&'v [u8]>,
    pub below: Option<&'v [u8]>,
}

/// A value, and the rows that have it.
#[derive(Debug, Clone, PartialEq)]
pub struct ValueRows {
    /// In the form in which keys hold it (`index::string_code`).
    pub stored: Vec<u8>,
    /// Whether the index holds only the beginning of the value, so that the rows may have different
    /// values.
    pub is_truncated: bool,
    pub rows: RoaringBitmap,
}

impl ValueCursor {
    /// Whether the keys of a path are in the order of its values, and hold no other path's values.
    /// They are not if some strings are stored as versions before 0.4.0 stored them.
    pub fn is_ordered(reader: &PostingReader<'_>, path: &str) -> Result<bool> {
        Ok(!reader.path_hash_collides(path)? && !reader.has_legacy_strings(path)?)
    }

    /// Starts before the first value or, descending, behind the last one. The path's pending
    /// entries must have passed the reader's filter.
    pub fn new(
        reader: &PostingReader<'_>,
        path: &str,
        bounds: ValueBounds<'_>,
        direction: Direction,
    ) -> Result<ValueCursor> {
        let hash = PathHash::of(path);
        let (first, end) = key::values(hash);
        ValueCursor::within(reader, hash, (first, end), bounds, direction)
    }

    /// The same for the second keys of instants at the path.
    pub fn of_instants(
        reader: &PostingReader<'_>,
        path: &str,
        direction: Direction,
    ) -> Result<ValueCursor> {
        let hash = PathHash::of(path);
        let keys = key::instants(hash);
        ValueCursor::within(reader, hash, keys, ValueBounds::default(), direction)
    }

    fn within(
        reader: &PostingReader<'_>,
        hash: PathHash,
        (first, end): (Vec<u8>, Vec<u8>),
        bounds: ValueBounds<'_>,
        direction: Direction,
    ) -> Result<ValueCursor> {
        let bound = |stored: Option<&[u8]>| stored.map(|stored| key::value(hash, stored));
        let from = bound(bounds.from).map_or(first.clone(), |from| from.max(first));
        let below = bound(bounds.below).map_or(end.clone(), |below| below.min(end));
        let below = below.max(from.clone());
        let entries = match direction {
            Direction::Ascending => Entries::ascending(reader.index, &from)?,
            Direction::Descending => Entries::descending(reader.index, Some(&below))?,
        };
        Ok(ValueCursor {
            doc_ids: reader.doc_ids,
            blocks: reader.blocks,
            direction,
            pending: PendingCursor {
                entries: Rc::clone(&reader.pending),
                from: from.clone(),
                below: below.clone(),
                next: None,
            },
            from,
            below,
            entries: Some(entries),
            tree: None,
        })
    }

    /// The next value that wanted rows have; none at the end. `index` is the reader's, opened again
    /// perhaps. Rows that a filter once kept out must be kept out by all later ones.
    pub fn next(
        &mut self,
        index: &GinIndex,
        filter: RowFilter<'_>,
    ) -> ReadResult<Option<ValueRows>> {
        loop {
            if self.tree.is_none() {
                self.tree = self.next_of_tree(index, filter)?;
            }
            let pending = self.pending.peek(self.direction);
            let order = match (&self.tree, pending, self.direction) {
                (None, None, _) => return Ok(None),
                (Some(_), None, _) => Ordering::Less,
                (None, Some(_), _) => Ordering::Greater,
                (Some((tree, _)), Some(pending), Direction::Ascending) => tree[..].cmp(pending),
                (Some((tree, _)), Some(pending), Direction::Descending) => pending.cmp(&tree[..]),
            };
            let tree = if order.is_le() { self.tree.take() } else { None };
            let pending = if order.is_ge() { self.next_pending(filter)? } else { None };
            let (key, mut rows) = match (tree, pending) {
                (Some((key, rows)), Some((_, more))) => (key, rows | more),
                (tree, pending) => tree.or(pending).unwrap_or_default(),
            };
            // The filter may have changed since the tree was read.
            filter.apply(&mut rows)?;
            if let Some(stored) = key::value_of(&key)
                && !rows.is_empty()
            {
                let is_truncated = key::is_truncated_value(unpack(stored, &mut Unpacked::new()));
                return Ok(Some(ValueRows { stored: stored.to_vec(), is_truncated, rows }));
            }
        }
    }

    /// The next key of the tree that wanted rows have.
    fn next_of_tree(
        &mut self,
        index: &GinIndex,
        filter: RowFilter<'_>,
    ) -> ReadResult<Option<KeyRows>> {
        let Some(entries) = &mut self.entries else { return Ok(None) };
        while let Some(entry) = entries.next(index)? {
            if entry.key < self.from.as_slice() || entry.key >= self.below.as_slice() {
                break;
            }
            let found = wanted_rows(&entry.postings, self.doc_ids, self.blocks, filter)?;
            if !found.is_empty() {
                return Ok(Some((entry.key.to_vec(), found)));
            }
        }
        self.entries = None;
        Ok(None)
    }

    /// The next value that wanted rows have, and how many; none at the end. The counter counts the
    /// rows that the filter lets through. `stored` becomes the value. Counting takes a fraction of
    /// the time that the sets of rows would take.
    pub fn next_count(
        &mut self,
        index: &GinIndex,
        filter: RowFilter<'_>,
        counter: &mut RowCounter<'_>,
        stored: &mut Vec<u8>,
    ) -> ReadResult<Option<u64>> {
        while self.tree.is_none()
            && let Some(entries) = &mut self.entries
        {
            let entry = entries.next(index)?.filter(|entry| {
                entry.key >= self.from.as_slice() && entry.key < self.below.as_slice()
            });
            let Some(entry) = entry else {
                self.entries = None;
                break;
            };
            let pending = self.pending.peek(self.direction);
            let comes_first = pending.is_none_or(|pending| match self.direction {
                Direction::Ascending => entry.key < pending,
                Direction::Descending => entry.key > pending,
            });
            if comes_first {
                let count = counter.count(&entry.postings)?;
                if let Some(value) = key::value_of(entry.key)
                    && count > 0
                {
                    stored.clear();
                    stored.extend_from_slice(value);
                    return Ok(Some(count));
                }
                continue;
            }
            // A row may be both pending and in the tree.
            let rows = wanted_rows(&entry.postings, self.doc_ids, self.blocks, filter)?;
            if !rows.is_empty() {
                self.tree = Some((entry.key.to_vec(), rows));
            }
        }
        let Some(next) = self.next(index, filter)? else { return Ok(None) };
        *stored = next.stored;
        Ok(Some(next.rows.len()))
    }

    /// Visits all values that are still to come and that wanted rows have, with how many, until the
    /// visitor breaks. As `next_count`, but faster.
    pub fn each_count(
        &mut self,
        index: &GinIndex,
        filter: RowFilter<'_>,
        counter: &mut RowCounter<'_>,
        visit: &mut impl FnMut(&[u8], u64) -> ReadResult<ControlFlow<()>>,
    ) -> ReadResult<()> {
        let mut is_over = false;
        if self.direction == Direction::Ascending
            && self.tree.is_none()
            && let Some(mut entries) = self.entries.take()
        {
            let below = self.below.clone();
            entries.each_below(index, &below, &mut |key, postings| {
                let count = loop {
                    let pending = self.pending.peek(Direction::Ascending);
                    match pending.map_or(Ordering::Greater, |pending| pending.cmp(key)) {
                        Ordering::Greater => break counter.count(postings)?,
                        Ordering::Equal => {
                            // A row may be both pending and in the tree.
                            let rows = wanted_rows(postings, self.doc_ids, self.blocks, filter)?;
                            let pending = self.next_pending(filter)?;
                            let union = pending.map(|(_, more)| rows.union_len(&more));
                            break union.unwrap_or(rows.len());
                        }
                        Ordering::Less => {
                            let Some((pending, rows)) = self.next_pending(filter)? else {
                                continue;
                            };
                            if let Some(stored) = key::value_of(&pending)
                                && !rows.is_empty()
                                && visit(stored, rows.len())?.is_break()
                            {
                                is_over = true;
                                return Ok(ControlFlow::Break(()));
                            }
                        }
                    }
                };
                let flow = match key::value_of(key) {
                    Some(stored) if count > 0 => visit(stored, count)?,
                    _ => ControlFlow::Continue(()),
                };
                is_over = flow.is_break();
                Ok::<_, ReadError>(flow)
            })?;
        }
        let mut stored = Vec::new();
        while !is_over && let Some(count) = self.next_count(index, filter, counter, &mut stored)? {
            is_over = visit(&stored, count)?.is_break();
        }
        Ok(())
    }

    /// Takes the next pending key.
    fn next_pending(&mut self, filter: RowFilter<'_>) -> ReadResult<Option<KeyRows>> {
        let Some(key) = self.pending.peek(self.direction).map(<[u8]>::to_vec) else {
            return Ok(None);
        };
        let mut rows = WantedRows::new(self.doc_ids, self.blocks, filter);
        let tids = self.pending.entries.get(&key);
        tids.into_iter().flatten().for_each(|tid| rows.push(*tid));
        let rows = rows.finish()?;
        self.pending.advance(&key, self.direction);
        Ok(Some((key, rows)))
    }
}

/// The pending keys that are still to come: `from` ≤ key < `below`.
struct PendingCursor {
    entries: Rc<PendingEntries>,
    from: Vec<u8>,
    below: Vec<u8>,
    /// The key that comes next, if that is known.
    next: Option<Option<Vec<u8>>>,
}

impl PendingCursor {
    fn peek(&mut self, direction: Direction) -> Option<&[u8]> {
        let PendingCursor { entries, from, below, next } = self;
        let find = || {
            let mut entries = entries.range(from.as_slice()..below.as_slice());
            let found = match direction {
                Direction::Ascending => entries.next(),
                Direction::Descending => entries.next_back(),
            };
            found.map(|(key, _)| key.to_vec())
        };
        next.get_or_insert_with(find).as_deref()
    }

    /// Goes on behind the key that comes next.
    fn advance(&mut self, key: &[u8], direction: Direction) {
        self.next = None;
        match direction {
            // No key lies between this one and the same with a byte of zero appended.
            Direction::Ascending => self.from = [key, &[0]].concat(),
            Direction::Descending => self.below = key.to_vec(),
        }
    }
}
