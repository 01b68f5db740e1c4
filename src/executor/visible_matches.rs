//! The rows of a table that match and are visible, exactly.

use super::bits::Bits;
use super::block_set::BlockSet;
use super::count::{PostingCount, count_postings, estimate_leaf_pages};
use super::doc_id::{DocIdMap, DocIdOverflow, ReadResult};
use super::heap::Fetcher;
use super::page_visibility::{remember_documents, remove_hidden, visible_documents};
use super::partition_matches::{PartitionMatches, open};
use super::pending_filter::PendingFilter;
use super::postings::PostingReader;
use super::read_stats::ReadStats;
use super::rows::Rows;
use super::settings::postings_memory;
use super::table::IndexedTable;
use super::tid_bitmap::{RowSet, TidBitmap};
use super::visibility_map::VisibilityMap;
use crate::error::Result;
use crate::index::gin::Tid;
use crate::matcher::Matcher;
use crate::predicate::Predicate;
use roaring::RoaringBitmap;
use std::borrow::Cow;

/// Leaf pages of the index. A query whose ranges have as many or more is counted before its first
/// rows are searched for: to read so many pages takes longer than to count twice.
const MANY_LEAF_PAGES: usize = 64;
/// What is remembered of the rows of a leaf page whose keys have one row each, or few.
const BYTES_PER_LEAF_PAGE: usize = 1 << 10;
/// The first rows are searched for in the table itself if at least one row in 16 matches.
const ROWS_PER_MATCH: u64 = 16;
/// Rows on a page of 8 kB, of documents of half a kilobyte.
const ROWS_PER_PAGE: u64 = 16;

/// Looks rows of a table up, under the query's snapshot.
struct HeapRechecker<'m> {
    fetcher: Fetcher,
    doc_ids: DocIdMap,
    matcher: &'m Matcher,
    /// The number of rows that were looked up.
    looked_up: u64,
}

impl HeapRechecker<'_> {
    /// Those of some rows that are visible and match. Looked at are rows on pages that are not
    /// all-visible, and rows that need a recheck.
    fn visible(&mut self, mut rows: TidBitmap, not_all_visible: &Bits) -> Result<Rows> {
        self.remove_hidden(&mut rows.candidates, not_all_visible)?;
        self.matching(rows)
    }

    fn remove_hidden(&self, rows: &mut Rows, not_all_visible: &Bits) -> Result<()> {
        let heap = self.fetcher.heap();
        let pages = remove_hidden(rows, heap, not_all_visible, self.doc_ids)?;
        heap.pages.set(heap.pages.get() + pages);
        Ok(())
    }

    /// The visibility map as it is now, after the index was read, and the pages that are not
    /// all-visible in both maps.
    fn not_all_visible<'b>(
        &self,
        reader: &PostingReader<'_>,
        before: &'b VisibilityMap,
    ) -> Result<(VisibilityMap, Cow<'b, Bits>)> {
        let after = VisibilityMap::read(self.fetcher.heap(), reader.blocks)?;
        let not_all_visible = before.not_all_visible_in_both(&after)?;
        Ok((after, not_all_visible))
    }

    /// All rows that have a document and are visible: as they are remembered, or from the index.
    fn documents(&self, reader: &PostingReader<'_>, before: &VisibilityMap) -> ReadResult<Rows> {
        let heap = self.fetcher.heap();
        let (after, not_all_visible) = self.not_all_visible(reader, before)?;
        // Between two looks with the same LSNs, no bit of the map was set.
        let unchanged =
            |after: &VisibilityMap| before.lsns().is_some_and(|lsns| after.lsns() == Some(lsns));
        if let Some(lsns) = before.lsns().filter(|_| unchanged(&after))
            && let Some((rows, pages)) =
                visible_documents(heap, &not_all_visible, self.doc_ids, lsns)
        {
            heap.pages.set(heap.pages.get() + pages);
            return Ok(rows);
        }
        let mut rows = reader.all()?;
        let (after, not_all_visible) = self.not_all_visible(reader, before)?;
        self.remove_hidden(&mut rows, &not_all_visible)?;
        if let Some(lsns) = before.lsns().filter(|_| unchanged(&after)) {
            remember_documents(heap, self.doc_ids, lsns, &rows);
        }
        Ok(rows)
    }

    /// Those of some visible rows that match.
    fn matching(&mut self, rows: TidBitmap) -> Result<Rows> {
        let TidBitmap { mut candidates, mut recheck } = rows;
        if recheck.is_empty() {
            return Ok(candidates);
        }
        recheck.intersect(&candidates)?;
        for doc_id in recheck.bitmap() {
            if !self.matches(self.doc_ids.tid(doc_id)) {
                candidates.remove(doc_id);
            }
        }
        Ok(candidates)
    }

    /// Whether a row is visible and matches.
    fn matches(&mut self, tid: Tid) -> bool {
        self.looked_up += 1;
        let row = self.fetcher.fetch(tid);
        row.is_some_and(|stored| stored.read(|doc| self.matcher.matches(doc)))
    }

    /// The first rows of the table that match, found by looking at one row after the other. None if
    /// there are too few, or if `max_looks` rows were looked at before.
    fn first(&mut self, wanted: u64, max_looks: u64) -> ReadResult<Option<RoaringBitmap>> {
        let (mut rows, start) = (RoaringBitmap::new(), self.looked_up);
        for block in 0..self.fetcher.heap().blocks() {
            for offset in 1..=self.fetcher.heap().places_on(block) {
                if rows.len() == wanted {
                    return Ok(Some(rows));
                }
                if self.looked_up - start == max_looks {
                    return Ok(None);
                }
                let tid = Tid { block, offset };
                if self.matches(tid) {
                    rows.insert(self.doc_ids.doc_id(tid).ok_or(DocIdOverflow)?);
                }
            }
        }
        Ok((rows.len() == wanted).then_some(rows))
    }
}

/// Finds the rows of a table that match and are visible. If only the first `wanted` rows are of
/// interest, the list may have no more than those, and the others are counted.
pub fn count_visible(
    table: &IndexedTable,
    predicate: &Predicate,
    doc_ids: DocIdMap,
    matcher: &Matcher,
    stats: &mut ReadStats,
    wanted: Option<u32>,
) -> ReadResult<PartitionMatches> {
    let (heap, index) = open(table)?;
    let blocks = heap.blocks();
    let before = VisibilityMap::read(&heap, blocks)?;
    let mut rechecker = HeapRechecker { fetcher: heap.fetcher(), doc_ids, matcher, looked_up: 0 };
    let mut reader = PostingReader::new(&index, doc_ids, blocks, &PendingFilter::of(predicate))?;
    let (rows, count) = find(&mut rechecker, &mut reader, predicate, before, wanted)?;
    *stats += reader.stats();
    stats.rows += rechecker.looked_up;
    stats.heap_pages += rechecker.fetcher.heap().pages.get();
    Ok(PartitionMatches::exact(*table, doc_ids, blocks, rows, count))
}

/// The rows, or the first of them, and how many there are.
fn find(
    rechecker: &mut HeapRechecker<'_>,
    reader: &mut PostingReader<'_>,
    predicate: &Predicate,
    before: VisibilityMap,
    wanted: Option<u32>,
) -> ReadResult<(Rows, u64)> {
    if let Some(wanted) = wanted {
        if let Some(counted) = try_count_postings(rechecker, reader, predicate, &before, wanted)? {
            let (rows, count) = counted;
            return Ok((Rows::Compressed(rows), count));
        }
        reader.block_set = BlockSet::all();
    }
    let rows = match reader.row_set(predicate)? {
        RowSet::Rows(rows) => {
            let not_all_visible = rechecker.not_all_visible(reader, &before)?.1;
            rechecker.visible(rows, &not_all_visible)?
        }
        RowSet::Complement(excluded) => {
            let documents = rechecker.documents(reader, &before)?;
            rechecker.matching(TidBitmap::exact(documents).without(&excluded)?)?
        }
    };
    let count = rows.len();
    Ok((rows, count))
}

/// The first rows, and how many there are. None if that cannot be known without a list of all.
fn try_count_postings(
    rechecker: &mut HeapRechecker<'_>,
    reader: &mut PostingReader<'_>,
    predicate: &Predicate,
    before: &VisibilityMap,
    wanted: u32,
) -> ReadResult<Option<(RoaringBitmap, u64)>> {
    let (blocks, not_all_visible) = (reader.blocks, before.not_all_visible());
    // To find the first rows of a wide range, all of its entries are read, because each may have
    // some of those rows. So such a range is counted first. If many rows match, some of them are at
    // the start of the table, and are found there.
    let is_open = !not_all_visible.is_empty();
    let is_estimated = wanted > 0 || is_open;
    let leaf_pages = if is_estimated { estimate_leaf_pages(reader, predicate)? } else { 0 };
    // A leaf page has rows from everywhere in the table. So if one page of that is not all-visible,
    // all leaf pages are read, unless their rows are remembered.
    let bytes = leaf_pages.saturating_mul(BYTES_PER_LEAF_PAGE);
    if is_open && leaf_pages >= MANY_LEAF_PAGES && bytes <= postings_memory() / 2 {
        return Ok(None);
    }
    let attempts = match leaf_pages < MANY_LEAF_PAGES {
        true => [None, Some(wanted)],
        false => [Some(0), Some(wanted)],
    };
    for listed in attempts.into_iter().flatten() {
        let count = count_postings(reader, predicate, before, not_all_visible, listed)?;
        let Some(PostingCount { outside, within, all_outside }) = count else { return Ok(None) };
        // If a page was all-visible before and is not any more, or if the table has grown, rows may
        // have been counted that the snapshot does not see.
        let after = VisibilityMap::read(rechecker.fetcher.heap(), blocks)?;
        if !before.is_within(&after) || rechecker.fetcher.heap().blocks() != blocks {
            return Ok(None);
        }
        if let Some(all_outside) = all_outside {
            before.remember(reader.index, &reader.block_set, all_outside);
        }
        let mut rows = rechecker.visible(within, not_all_visible)?.bitmap();
        let count = outside + rows.len();
        // Behind the first pages, some matches were counted and are not in the list.
        rows.remove_range(reader.block_set.end_of_range(rechecker.doc_ids)..);
        let wanted = count.min(wanted.into());
        if rows.len() >= wanted {
            return Ok(Some((rows, count)));
        }
        // A look at a row takes as long as reading half a leaf page; and where documents are large,
        // as long as returning one.
        let expected_looks = wanted.saturating_mul(ROWS_PER_PAGE * u64::from(blocks)) / count;
        let max_looks = (ROWS_PER_MATCH * wanted).min(leaf_pages as u64 / 2);
        if listed == 0
            && expected_looks <= max_looks
            && let Some(rows) = rechecker.first(wanted, 4 * expected_looks)?
        {
            return Ok(Some((rows, count)));
        }
    }
    Ok(None)
}
