//! One table of a store: its index, and which of its rows are visible.

use crate::document::Scratch;
use crate::error::Result;
use crate::executor::bits::Bits;
use crate::executor::block_set::BlockSet;
use crate::executor::doc_id::{DocIdMap, ReadResult};
use crate::executor::domain::{Counted, PartRows, RowCounter};
use crate::executor::heap::{Fetcher, Heap};
use crate::executor::page_visibility::remove_hidden;
use crate::executor::pending_filter::PendingFilter;
use crate::executor::postings::PostingReader;
use crate::executor::read_stats::ReadStats;
use crate::executor::rows::Rows;
use crate::executor::table::IndexedTable;
use crate::executor::visibility_map::VisibilityMap;
use crate::executor::visible_matches::count_visible;
use crate::executor::wanted_rows::{Among, RowFilter};
use crate::index::gin::GinIndex;
use crate::index::key;
use crate::matcher::Matcher;
use crate::pg::guc::work_mem;
use crate::predicate::Predicate;
use roaring::RoaringBitmap;
use std::cell::{Cell, RefCell};

/// If more than one page in four is not all-visible, the rows on them are looked up rather than
/// kept apart (as in `count`).
const MAX_NOT_ALL_VISIBLE: u32 = 4;

/// A table whose values are read.
pub(super) struct PartValues<'i> {
    pub(super) table: IndexedTable,
    pub(super) reader: PostingReader<'i>,
    pub(super) fetcher: RefCell<Fetcher>,
    /// The visibility map as it was before the index was read.
    pub(super) before: VisibilityMap,
    /// If all rows match: which of them may not be visible.
    pub(super) doubt: Option<Doubt>,
    pub(super) none: RoaringBitmap,
    /// Documents that were read.
    pub(super) documents: Cell<u64>,
    /// Keys that were walked over.
    pub(super) keys: Cell<u64>,
}

/// The pages of a table on which rows may be hidden from the snapshot, and the rows on them that
/// are. Rows on all other pages are taken to be visible, until the end, when the visibility map is
/// read again (see `visibility_map`).
pub(super) struct Doubt {
    pub(super) blocks: BlockSet,
    pub(super) hidden: RoaringBitmap,
    /// How many rows there are on the other pages.
    pub(super) outside: u64,
}

impl<'i> PartValues<'i> {
    pub(super) fn new(
        table: &IndexedTable,
        index: &'i GinIndex,
        doc_ids: DocIdMap,
        predicate: &Predicate,
        may_doubt: bool,
        stats: &mut ReadStats,
    ) -> ReadResult<(PartValues<'i>, PartRows)> {
        let heap = Heap::of(table);
        let blocks = heap.blocks();
        let before = VisibilityMap::read(&heap, blocks)?;
        let mut reader = PostingReader::new(index, doc_ids, blocks, &PendingFilter::All)?;
        let not_all_visible = may_doubt.then(|| before.not_all_visible());
        let few = |open: &&Bits| open.len() <= u64::from(blocks / MAX_NOT_ALL_VISIBLE);
        let mut doubt = None;
        let rows = if let Some(not_all_visible) = not_all_visible.filter(few) {
            let mut open = BlockSet::prefix(0);
            not_all_visible.iter().for_each(|block| open.add(block));
            // A pending entry may be read a second time, in the tree, so its row must be known.
            let keys = key::DOCUMENT_KEYS.iter().filter_map(|key| reader.pending.get(key));
            let pending = keys.flatten().filter(|tid| tid.block < blocks);
            pending.for_each(|tid| open.add(tid.block));
            reader.block_set = open;
            let known = before.rows_outside(index, &reader.block_set);
            let all = reader.all_documents(known)?;
            let open = std::mem::replace(&mut reader.block_set, BlockSet::all());
            let mut visible = all.rows.candidates;
            stats.heap_pages += remove_hidden(&mut visible, &heap, not_all_visible, doc_ids)?;
            let visible = visible.bitmap();
            let mut hidden = RoaringBitmap::new();
            for block in open.added() {
                hidden.insert_range(doc_ids.doc_ids(block..=block));
            }
            hidden -= &visible;
            let outside = all.skipped;
            doubt = Some(Doubt { blocks: open, hidden, outside });
            PartRows::All(outside + visible.len())
        } else {
            PartRows::of(visible_rows(table, predicate, doc_ids, stats)?)
        };
        let (table, fetcher) = (*table, RefCell::new(heap.fetcher()));
        let (none, documents, keys) = (RoaringBitmap::new(), Cell::new(0), Cell::new(0));
        let part = PartValues { table, reader, fetcher, before, doubt, none, documents, keys };
        Ok((part, rows))
    }

    /// The rows of a set, or without one those that may be hidden and must not be taken.
    pub(super) fn filter<'r>(&'r self, rows: &'r PartRows) -> RowFilter<'r> {
        let except = match rows {
            PartRows::All(_) => self.doubt.as_ref().map(|doubt| &doubt.hidden),
            PartRows::Some(_) | PartRows::Elsewhere { .. } => None,
        };
        RowFilter { among: rows.list().map(Among::Compressed), except }
    }

    pub(super) fn counter<'r>(&'r self, rows: &'r PartRows) -> RowCounter<'r> {
        let counted = match (rows, &self.doubt) {
            (PartRows::Some(rows), _) => Counted::Among(rows),
            (PartRows::All(_), Some(doubt)) => Counted::AllBut(&doubt.hidden, &doubt.blocks),
            // Where all rows are meant without a list of them, there is one of hidden rows.
            (PartRows::All(_), None) | (PartRows::Elsewhere { .. }, _) => {
                Counted::Among(&self.none)
            }
        };
        RowCounter::new(self.reader.doc_ids, counted, self.reader.blocks, work_mem() / 2)
    }

    /// The rows of a set as a list.
    pub(super) fn list(&self, rows: &PartRows) -> ReadResult<RoaringBitmap> {
        if let Some(rows) = rows.list() {
            return Ok(rows.clone());
        }
        let mut all = self.reader.all()?.bitmap();
        if let Some(doubt) = &self.doubt {
            all -= &doubt.hidden;
        }
        Ok(all)
    }

    /// Passes the values at a path of some rows' documents to `push`.
    pub(super) fn read_documents(
        &self,
        rows: &RoaringBitmap,
        path: &str,
        push: &mut dyn FnMut(&[u8], u32) -> Result<()>,
    ) -> Result<()> {
        let (mut bytes, mut scratch, mut failed) = (Vec::new(), Scratch::new(), None);
        let mut fetcher = self.fetcher.borrow_mut();
        for doc_id in rows {
            let tid = self.reader.doc_ids.tid(doc_id);
            let Some(stored) = fetcher.fetch(tid) else { continue };
            stored.read(|doc| {
                doc.leaves_at(path, &mut |leaf| {
                    let Some(value) = leaf.scalar(&mut scratch) else { return };
                    bytes.clear();
                    value.write(&mut bytes);
                    if failed.is_none() {
                        failed = push(&bytes, doc_id).err();
                    }
                });
            });
            if let Some(error) = failed {
                return Err(error);
            }
        }
        self.documents.set(self.documents.get() + rows.len());
        Ok(())
    }
}

/// The visible rows of a table that satisfy a predicate.
pub(super) fn visible_rows(
    table: &IndexedTable,
    predicate: &Predicate,
    doc_ids: DocIdMap,
    stats: &mut ReadStats,
) -> ReadResult<RoaringBitmap> {
    let matcher = Matcher::new(predicate);
    let found = count_visible(table, predicate, doc_ids, &matcher, stats, None)?;
    Ok(found.candidates.map(Rows::bitmap).unwrap_or_default())
}
