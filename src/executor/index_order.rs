//! The rows of a search in the order of the values at a path, as the indexes of its parts have them: merged.

use super::block_set::BlockSet;
use super::opened::Opened;
use super::postings::{PendingFilter, PostingReader};
use super::search::PartitionMatches;
use super::sorted_rows::work_mem;
use super::tid_bitmap::{Collector, DocIdMap};
use crate::error::Result;
use crate::index::gin::{Entries, GinIndex, Tid};
use crate::index::key::{self, PathHash};
use crate::index::string_code::{Unpacked, unpack};
use crate::syntax::SortKey;
use roaring::RoaringBitmap;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// Rows of some parts, in the order of the tables.
#[derive(Default)]
pub struct Group {
    parts: VecDeque<(usize, RoaringBitmap)>,
    /// The least number in the first part that comes next.
    next: u32,
}

impl Group {
    /// All rows, those too that were taken.
    pub fn iter(&self) -> impl Iterator<Item = (usize, u32)> {
        self.parts.iter().flat_map(|(part, rows)| rows.iter().map(move |number| (*part, number)))
    }

    /// Takes the next row.
    pub fn next(&mut self) -> Option<(usize, u32)> {
        loop {
            let (part, rows) = self.parts.front()?;
            let found = rows.range(self.next..).next().map(|number| (*part, number));
            match found.map(|(_, number)| number.checked_add(1)) {
                Some(Some(behind)) => self.next = behind,
                _ => {
                    self.parts.pop_front();
                    self.next = 0;
                }
            }
            if found.is_some() {
                return found;
            }
        }
    }
}

/// A walk through the values at a path, in all parts at once.
pub struct IndexOrderMerge {
    descending: bool,
    parts: Vec<ValueCursor>,
    /// The next value of each part, the first of all on top.
    heads: BinaryHeap<Head>,
    /// Parts whose next value has still to be looked for.
    idle: Vec<usize>,
}

/// The value that a part comes to next; none, behind all values, for its rows that have none.
struct Head {
    value: Option<Vec<u8>>,
    part: usize,
    descending: bool,
}

impl Ord for Head {
    /// The greatest comes first in a heap.
    fn cmp(&self, other: &Self) -> Ordering {
        let order = match (&self.value, &other.value) {
            (Some(a), Some(b)) if self.descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        };
        order.then(self.part.cmp(&other.part)).reverse()
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
    pub fn new(rows: &[PartitionMatches], sort: &SortKey) -> Result<IndexOrderMerge> {
        let parts: Vec<_> =
            rows.iter().map(|rows| ValueCursor::new(rows, sort)).collect::<Result<_>>()?;
        let (descending, heads) = (sort.descending, BinaryHeap::with_capacity(parts.len()));
        Ok(IndexOrderMerge { descending, idle: (0..parts.len()).collect(), parts, heads })
    }

    /// The rows that have the next value, and whether that may be the same only as far as the index keeps it; none at the end.
    pub fn next(
        &mut self,
        rows: &[PartitionMatches],
        opened: &mut Opened,
    ) -> Result<Option<(Group, bool)>> {
        let descending = self.descending;
        for part in std::mem::take(&mut self.idle) {
            let index = opened.index(part, &rows[part].part)?;
            if let Some(value) = self.parts[part].find(&rows[part], index)? {
                self.heads.push(Head { value, part, descending });
            }
        }
        let Some(Head { value, part, .. }) = self.heads.pop() else { return Ok(None) };
        self.idle.push(part);
        while let Some(head) = self.heads.peek().filter(|head| head.value == value) {
            self.idle.push(head.part);
            self.heads.pop();
        }
        let rows = |&part: &usize| (part, std::mem::take(&mut self.parts[part].found));
        let parts = self.idle.iter().map(rows).collect();
        let is_cut =
            |stored: Vec<u8>| key::is_truncated_value(unpack(&stored, &mut Unpacked::new()));
        Ok(Some((Group { parts, next: 0 }, value.is_some_and(is_cut))))
    }
}

/// A key, and rows that have it.
type Keyed = (Vec<u8>, RoaringBitmap);

/// Where the walk stands in one part.
struct ValueCursor {
    descending: bool,
    /// Before and behind all values of the path.
    from: Vec<u8>,
    below: Vec<u8>,
    entries: Option<Entries>,
    /// The next value of the tree that wanted rows have.
    tree: Option<Keyed>,
    /// The values that are pending, the next one last.
    pending: Vec<Keyed>,
    /// The rows that are wanted of the value that was found last.
    found: RoaringBitmap,
    /// Rows that were met with some value.
    seen: RoaringBitmap,
    is_over: bool,
}

impl ValueCursor {
    fn new(rows: &PartitionMatches, sort: &SortKey) -> Result<ValueCursor> {
        let (from, below) = key::values(PathHash::of(&sort.path));
        let index = GinIndex::open_to_answer(rows.part.index)?;
        let reader = PostingReader::new(
            &index,
            rows.doc_ids,
            rows.blocks,
            &PendingFilter::path(&sort.path),
        )?;
        let numbers = |tids: &Vec<Tid>| {
            let tids = tids.iter().filter(|tid| tid.block < rows.blocks);
            tids.filter_map(|tid| rows.doc_ids.doc_id(*tid)).collect::<RoaringBitmap>()
        };
        let pending = reader.pending.range(from.clone()..below.clone());
        let mut pending: Vec<_> = pending.map(|(key, tids)| (key.clone(), numbers(tids))).collect();
        if !sort.descending {
            pending.reverse();
        }
        let entries = Some(match sort.descending {
            true => Entries::descending(&index, Some(&below))?,
            false => Entries::ascending(&index, &from)?,
        });
        Ok(ValueCursor {
            descending: sort.descending,
            from,
            below,
            entries,
            tree: None,
            pending,
            found: RoaringBitmap::new(),
            seen: RoaringBitmap::new(),
            is_over: false,
        })
    }

    /// Looks for the next value that wanted rows have; behind the last one, for those that have none.
    fn find(
        &mut self,
        rows: &PartitionMatches,
        index: &GinIndex,
    ) -> Result<Option<Option<Vec<u8>>>> {
        while !self.is_over {
            if self.tree.is_none() {
                self.tree = self.read(index, rows)?;
            }
            let order = match (&self.tree, self.pending.last()) {
                (None, None) => {
                    self.is_over = true;
                    self.found = self.missing(rows, index)?;
                    return Ok((!self.found.is_empty()).then_some(None));
                }
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((a, _)), Some((b, _))) if self.descending => b.cmp(a),
                (Some((a, _)), Some((b, _))) => a.cmp(b),
            };
            let from_tree = if order.is_le() { self.tree.take() } else { None };
            let from_pending = if order.is_ge() { self.pending.pop() } else { None };
            let (key, mut found) = match (from_tree, from_pending) {
                (Some((key, found)), Some((_, more))) => (key, found | more),
                (tree, pending) => tree.or(pending).unwrap_or_default(),
            };
            if let Some(candidates) = &rows.candidates {
                found &= candidates;
            }
            found -= &self.seen;
            if !found.is_empty() {
                self.seen |= &found;
                self.found = found;
                return Ok(Some(key::value_of(&key).map(<[u8]>::to_vec)));
            }
        }
        Ok(None)
    }

    /// The next value of the tree that wanted rows have.
    fn read(&mut self, index: &GinIndex, rows: &PartitionMatches) -> Result<Option<Keyed>> {
        let Some(entries) = &mut self.entries else { return Ok(None) };
        let doc_ids: DocIdMap = rows.doc_ids;
        while let Some(entry) = entries.next(index)? {
            if entry.key < self.from.as_slice() || entry.key >= self.below.as_slice() {
                break;
            }
            let mut found = RoaringBitmap::new();
            if entry.postings.known_len().is_some() {
                entry.postings.for_each(&mut |tid: Tid| {
                    let wanted = |number: &u32| {
                        rows.candidates
                            .as_ref()
                            .is_none_or(|candidates| candidates.contains(*number))
                            && !self.seen.contains(*number)
                    };
                    // Behind the table's end as it was at the start, rows came later.
                    if tid.block < rows.blocks {
                        found.extend(doc_ids.doc_id(tid).filter(wanted));
                    }
                })?;
            } else {
                let block_set = BlockSet::all();
                let mut all = Collector::new(doc_ids, &block_set, rows.blocks, work_mem() / 2);
                entry.postings.for_each(&mut all)?;
                found = all.finish()?;
            }
            if !found.is_empty() {
                return Ok(Some((entry.key.to_vec(), found)));
            }
        }
        self.entries = None;
        Ok(None)
    }

    /// The rows without a value, once all values were gone through.
    fn missing(&self, rows: &PartitionMatches, index: &GinIndex) -> Result<RoaringBitmap> {
        Ok(match &rows.candidates {
            Some(candidates) => candidates - &self.seen,
            None => {
                let wanted = PendingFilter::none();
                PostingReader::new(index, rows.doc_ids, rows.blocks, &wanted)?.all()? - &self.seen
            }
        })
    }
}
