//! The rows of a search in the order of the values at a path: the walks over the indexes of its
//! tables, merged.

use super::doc_address::DocAddress;
use super::doc_id::ReadResult;
use super::opened::Opened;
use super::partition_matches::PartitionMatches;
use super::pending_filter::PendingFilter;
use super::postings::PostingReader;
use super::rows::Rows;
use super::value_cursor::{ValueBounds, ValueCursor};
use super::wanted_rows::{Among, FEW_ROWS, RowFilter};
use crate::error::Result;
use crate::index::gin::{Direction, GinIndex};
use crate::syntax::SortKey;
use roaring::RoaringBitmap;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// Rows of several tables that have the same value, in the order of the tables.
#[derive(Default)]
pub struct TiedRows {
    /// The value as keys hold it; none for rows that have none.
    pub value: Option<Vec<u8>>,
    partitions: VecDeque<(usize, RoaringBitmap)>,
    /// The least doc ID in the first of them that is still to come.
    next: u32,
}

impl TiedRows {
    /// All rows, those too that were taken from the first table.
    pub fn iter(&self) -> impl Iterator<Item = DocAddress> {
        self.partitions.iter().flat_map(|(partition, rows)| {
            rows.iter().map(move |doc_id| DocAddress::new(*partition, doc_id))
        })
    }

    /// Takes the next row.
    pub fn next(&mut self) -> Option<DocAddress> {
        loop {
            let (partition, rows) = self.partitions.front()?;
            let next = rows.range(self.next..).next();
            let address = next.map(|doc_id| DocAddress::new(*partition, doc_id));
            match next.map(|doc_id| doc_id.checked_add(1)) {
                Some(Some(behind)) => self.next = behind,
                _ => {
                    self.partitions.pop_front();
                    self.next = 0;
                }
            }
            if address.is_some() {
                return address;
            }
        }
    }
}

/// A walk over the values at a path, in all tables of a search at once.
pub struct IndexOrderMerge {
    direction: Direction,
    partitions: Vec<PartitionWalk>,
    /// The next value of each table. The one that comes first is on top.
    heads: BinaryHeap<Head>,
    /// Tables whose next value has still to be read.
    to_read: Vec<usize>,
}

/// The value that comes next in a table. Rows that have no value at the path come last; their head
/// is none.
struct Head {
    value: Option<Vec<u8>>,
    partition: usize,
    direction: Direction,
}

impl Ord for Head {
    /// What comes first is the greatest, because a `BinaryHeap` has the greatest on top.
    fn cmp(&self, other: &Self) -> Ordering {
        let order = match (&self.value, &other.value) {
            (Some(a), Some(b)) if self.direction == Direction::Descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        };
        order.then(self.partition.cmp(&other.partition)).reverse()
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

impl IndexOrderMerge {
    /// Starts before the first value. There is a reader for each table, whose filter lets the path's
    /// pending entries through.
    pub fn new(readers: &[PostingReader<'_>], sort: &SortKey) -> Result<IndexOrderMerge> {
        let direction = if sort.descending { Direction::Descending } else { Direction::Ascending };
        let walk = |reader| PartitionWalk::new(reader, &sort.path, direction);
        let partitions: Vec<_> = readers.iter().map(walk).collect::<Result<_>>()?;
        let heads = BinaryHeap::with_capacity(partitions.len());
        Ok(IndexOrderMerge {
            direction,
            to_read: (0..partitions.len()).collect(),
            partitions,
            heads,
        })
    }

    /// The rows that have the next value, and whether the value is truncated, so that the rows may
    /// have different ones; none at the end.
    pub fn next(
        &mut self,
        matches: &[PartitionMatches],
        opened: &mut Opened,
    ) -> Result<Option<(TiedRows, bool)>> {
        let direction = self.direction;
        for partition in std::mem::take(&mut self.to_read) {
            let matches = &matches[partition];
            let index = opened.index(partition, &matches.table)?;
            let head = self.partitions[partition].next(matches, index);
            if let Some(value) = head.map_err(|error| error.under_widest_map(index))? {
                self.heads.push(Head { value, partition, direction });
            }
        }
        let Some(Head { value, partition, .. }) = self.heads.pop() else { return Ok(None) };
        self.to_read.push(partition);
        while let Some(head) = self.heads.peek().filter(|head| head.value == value) {
            self.to_read.push(head.partition);
            self.heads.pop();
        }
        let is_truncated = self.partitions[partition].is_truncated;
        let rows =
            |&partition: &usize| (partition, std::mem::take(&mut self.partitions[partition].found));
        let partitions = self.to_read.iter().map(rows).collect();
        Ok(Some((TiedRows { value, partitions, next: 0 }, is_truncated)))
    }
}

/// The walk in one table.
struct PartitionWalk {
    /// None behind the last value.
    cursor: Option<ValueCursor>,
    /// The rows that were met with a value. A row counts with the first of its values.
    seen: RoaringBitmap,
    /// The rows of the value that was found last.
    found: RoaringBitmap,
    /// Whether that value is truncated.
    is_truncated: bool,
}

impl PartitionWalk {
    fn new(reader: &PostingReader<'_>, path: &str, direction: Direction) -> Result<PartitionWalk> {
        let cursor = ValueCursor::new(reader, path, ValueBounds::default(), direction)?;
        let (seen, found) = (RoaringBitmap::new(), RoaringBitmap::new());
        Ok(PartitionWalk { cursor: Some(cursor), seen, found, is_truncated: false })
    }

    /// Finds the rows that come next. Returns their value, and none for the rows that have no
    /// value, which come once, after all others.
    fn next(
        &mut self,
        matches: &PartitionMatches,
        index: &GinIndex,
    ) -> ReadResult<Option<Option<Vec<u8>>>> {
        let Some(cursor) = &mut self.cursor else { return Ok(None) };
        let filter = RowFilter {
            among: matches.candidates.as_ref().map(Among::from),
            except: Some(&self.seen),
        };
        if let Some(next) = cursor.next(index, filter)? {
            // A union copies what was seen before.
            match next.rows.len() <= FEW_ROWS {
                true => self.seen.extend(&next.rows),
                false => self.seen |= &next.rows,
            }
            (self.found, self.is_truncated) = (next.rows, next.is_truncated);
            return Ok(Some(Some(next.stored)));
        }
        self.cursor = None;
        self.is_truncated = false;
        self.found = match &matches.candidates {
            Some(candidates) => {
                let mut left = candidates.clone();
                left.subtract(&Rows::Compressed(std::mem::take(&mut self.seen)))?;
                left.bitmap()
            }
            None => {
                let filter = PendingFilter::none();
                let (doc_ids, blocks) = (matches.doc_ids, matches.blocks);
                PostingReader::new(index, doc_ids, blocks, &filter)?.all()?.bitmap() - &self.seen
            }
        };
        Ok((!self.found.is_empty()).then_some(None))
    }
}
