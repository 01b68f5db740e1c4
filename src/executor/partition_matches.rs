//! What a search has found in one table.

use super::block_set::BlockSet;
use super::doc_id::DocIdMap;
use super::heap::Heap;
use super::pending_filter::PendingFilter;
use super::postings::PostingReader;
use super::rows::Rows;
use super::table::IndexedTable;
use crate::error::Result;
use crate::index::gin::GinIndex;
use crate::pg::guc::work_mem;
use roaring::RoaringBitmap;
use std::ops::Range;

/// The rows of a table that match a query: a store, or a partition of one.
pub struct PartitionMatches {
    pub table: IndexedTable,
    pub doc_ids: DocIdMap,
    /// The number of blocks that the table had when the search began.
    pub blocks: u32,
    /// The rows that may match; none for all rows of the table. Without a list of them, `doc_ids`
    /// is the widest map.
    pub candidates: Option<Rows>,
    /// Those candidates whose documents have to be looked at.
    pub recheck: RoaringBitmap,
    /// Whether each candidate is known to match and to be visible.
    pub is_exact: bool,
    /// The number of rows that match. If the search is not exact, at most so many do.
    pub count: u64,
    /// Where there are no candidates: the rows on those pages that were read last.
    window: Window,
}

/// Some pages, and the rows on them.
#[derive(Default)]
struct Window {
    blocks: Range<u32>,
    rows: RoaringBitmap,
}

impl PartitionMatches {
    /// Matches of which each may have to be looked at.
    pub fn new(
        table: IndexedTable,
        doc_ids: DocIdMap,
        blocks: u32,
        candidates: Option<Rows>,
        recheck: RoaringBitmap,
    ) -> PartitionMatches {
        let count = candidates.as_ref().map_or(0, Rows::len);
        let (is_exact, window) = (false, Window::default());
        PartitionMatches { table, doc_ids, blocks, candidates, recheck, is_exact, count, window }
    }

    /// Matches that are all visible. There may be more of them than the ones listed.
    pub fn exact(
        table: IndexedTable,
        doc_ids: DocIdMap,
        blocks: u32,
        rows: Rows,
        count: u64,
    ) -> PartitionMatches {
        let matches =
            PartitionMatches::new(table, doc_ids, blocks, Some(rows), RoaringBitmap::new());
        PartitionMatches { is_exact: true, count, ..matches }
    }

    /// The first row whose doc ID is not less than `from`. Where all rows match, they are read some
    /// pages at a time.
    pub fn next(&mut self, mut from: u32) -> Result<Option<u32>> {
        if let Some(candidates) = &self.candidates {
            return Ok(candidates.next(from));
        }
        loop {
            let block = self.doc_ids.tid(from).block;
            if block >= self.blocks {
                self.window = Window::default();
                return Ok(None);
            }
            if !self.window.blocks.contains(&block) {
                self.window = self.read_window(block)?;
            }
            if let Some(doc_id) = self.window.rows.range(from..).next() {
                return Ok(Some(doc_id));
            }
            let end = self.window.blocks.end;
            from = *self.doc_ids.doc_ids(end..=end).start();
        }
    }

    /// Reads the rows of a page and of the pages behind it: as many pages as half of work_mem has
    /// bits for, which is what their bitmap takes at most.
    fn read_window(&self, block: u32) -> Result<Window> {
        /// The doc IDs of one container of a RoaringBitmap, which is read as a whole.
        const CONTAINER: usize = 1 << 16;
        let bits = (work_mem() / 2 * 8 / CONTAINER).max(1) * CONTAINER;
        let pages = (bits as u64 >> self.doc_ids.offset_bits()).min(u64::from(u32::MAX)) as u32;
        let start = block - block % pages;
        let blocks = start..start.saturating_add(pages).min(self.blocks);
        let (heap, index) = open(&self.table)?;
        let table_blocks = self.blocks.min(heap.blocks());
        let mut reader =
            PostingReader::new(&index, self.doc_ids, table_blocks, &PendingFilter::none())?;
        reader.block_set = BlockSet::range(blocks.clone());
        // How many rows the other pages have does not matter here.
        let documents = reader.all_documents(Some(0));
        let rows =
            documents.map_err(|error| error.under_widest_map(&index))?.rows.candidates.bitmap();
        self.table.count_rows(rows.len());
        Ok(Window { blocks, rows })
    }

    /// The rows as a list, which is read now if it was not needed before.
    pub fn list(&mut self) -> Result<&Rows> {
        if self.candidates.is_none() {
            let (heap, index) = open(&self.table)?;
            let reader =
                PostingReader::new(&index, self.doc_ids, heap.blocks(), &PendingFilter::none())?;
            let rows = reader.all().map_err(|error| error.under_widest_map(&index))?;
            self.candidates = Some(rows);
        }
        Ok(self.candidates.get_or_insert_default())
    }
}

/// Opens a table and its index, to read all of it as far as serializable transactions are
/// concerned.
pub fn open(table: &IndexedTable) -> Result<(Heap, GinIndex)> {
    let heap = Heap::of(table);
    heap.lock_for_serializable();
    Ok((heap, GinIndex::open_to_answer(table.index)?))
}
