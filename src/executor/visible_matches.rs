//! The rows of a part that match and are visible, exactly.

use super::block_set::BlockSet;
use super::count::{PostingCount, count_postings, estimate_leaf_pages};
use super::heap::Fetcher;
use super::page_visibility::remove_hidden;
use super::postings::{PendingFilter, PostingReader};
use super::search::{PartitionMatches, ReadStats, open};
use super::table::IndexedTable;
use super::tid_bitmap::{DocIdMap, TidBitmap};
use super::visibility_map::VisibilityMap;
use crate::error::{Error, Result};
use crate::index::gin::Tid;
use crate::matcher::Matcher;
use crate::predicate::Predicate;
use roaring::RoaringBitmap;

/// From so many leaf pages of an interval on it is counted before its first rows are looked for.
const WIDE: usize = 64;
/// The first rows are looked for in the table where one in so many matches, or more.
const DENSE: u64 = 16;
/// Rows on a page of documents of half a kilobyte.
const ROWS: u64 = 16;

/// Looks rows of a part up, under the query's snapshot.
struct HeapRechecker<'r> {
    fetcher: Fetcher,
    doc_ids: DocIdMap,
    matcher: &'r Matcher,
}

impl HeapRechecker<'_> {
    /// Of the rows that are open or may not match, those stay that are visible and match. Returns how many were looked up.
    fn check(&mut self, found: TidBitmap, open: &RoaringBitmap) -> (RoaringBitmap, u64) {
        let TidBitmap { mut candidates, recheck } = found;
        let pages = remove_hidden(&mut candidates, self.fetcher.heap(), open, self.doc_ids);
        self.fetcher.heap().pages.set(self.fetcher.heap().pages.get() + pages);
        let asked = &recheck & &candidates;
        for number in &asked {
            let row = self.fetcher.fetch(self.doc_ids.tid(number));
            if !row.is_some_and(|doc| doc.read(|doc| self.matcher.matches(doc))) {
                candidates.remove(number);
            }
        }
        (candidates, asked.len())
    }

    /// The first rows of the table that match, found by a look at one row after the other; none if `most` looks do not do. Returns how
    /// many there were, too.
    fn first(&mut self, wanted: u64, most: u64) -> Result<(Option<RoaringBitmap>, u64)> {
        let (mut found, mut looks) = (RoaringBitmap::new(), 0);
        for block in 0..self.fetcher.heap().blocks() {
            for offset in 1..=self.fetcher.heap().places_on(block) {
                if found.len() == wanted {
                    return Ok((Some(found), looks));
                }
                if looks == most {
                    return Ok((None, looks));
                }
                looks += 1;
                let tid = Tid { block, offset };
                let row = self.fetcher.fetch(tid);
                if row.is_some_and(|doc| doc.read(|doc| self.matcher.matches(doc))) {
                    found.insert(self.doc_ids.doc_id(tid).ok_or(Error::DocIdOverflow)?);
                }
            }
        }
        Ok(((found.len() == wanted).then_some(found), looks))
    }
}

/// The rows of a part that match and are visible. Where no more than the first `wanted` are asked for, those may be all that are in
/// the list, and the others counted.
pub fn count_visible(
    part: &IndexedTable,
    predicate: &Predicate,
    doc_ids: DocIdMap,
    matcher: &Matcher,
    counts: &mut ReadStats,
    wanted: Option<u32>,
) -> Result<PartitionMatches> {
    let (heap, index) = open(part)?;
    let blocks = heap.blocks();
    let before = VisibilityMap::read(&heap, blocks)?;
    let mut rechecker = HeapRechecker { fetcher: heap.fetcher(), doc_ids, matcher };
    let mut reader = PostingReader::new(&index, doc_ids, blocks, &PendingFilter::of(predicate))?;
    let mut counted = None;
    if let Some(wanted) = wanted {
        counted = try_count_postings(
            &mut rechecker,
            &mut reader,
            predicate,
            &before,
            wanted,
            &mut counts.rows,
        )?;
        reader.block_set = BlockSet::all();
    }
    let (candidates, count) = match counted {
        Some(counted) => counted,
        None => {
            let found = reader.rows(predicate)?;
            let open = before
                .and(&VisibilityMap::read(rechecker.fetcher.heap(), blocks)?)
                .not_all_visible();
            let (candidates, looks) = rechecker.check(found, &open);
            counts.rows += looks;
            let count = candidates.len();
            (candidates, count)
        }
    };
    counts.add(&reader, rechecker.fetcher.heap());
    let recheck = RoaringBitmap::new();
    Ok(PartitionMatches {
        part: *part,
        doc_ids,
        blocks,
        candidates: Some(candidates),
        recheck,
        window: Default::default(),
        is_exact: true,
        count,
    })
}

/// The first rows, and how many there are; none where that takes a list of all.
fn try_count_postings(
    rechecker: &mut HeapRechecker<'_>,
    reader: &mut PostingReader<'_>,
    predicate: &Predicate,
    before: &VisibilityMap,
    wanted: u32,
    looked_up: &mut u64,
) -> Result<Option<(RoaringBitmap, u64)>> {
    let (blocks, open) = (reader.blocks, before.not_all_visible());
    // Of a wide interval all entries would be read for the first rows, of which each may have some. So it is counted before; then, what
    // many rows match, some at the start of the table do.
    let leaf_pages = if wanted == 0 { 0 } else { estimate_leaf_pages(reader, predicate)? };
    let heads = if leaf_pages < WIDE { [None, Some(wanted)] } else { [Some(0), Some(wanted)] };
    for head in heads.into_iter().flatten() {
        let found = count_postings(reader, predicate, before, &open, head)?;
        let Some(PostingCount { outside, within, every }) = found else { return Ok(None) };
        // A page that was all-visible then and is not any more, or a new one, may have added to what was counted.
        if !before.is_within(&VisibilityMap::read(rechecker.fetcher.heap(), blocks)?)
            || rechecker.fetcher.heap().blocks() != blocks
        {
            return Ok(None);
        }
        if let Some(every) = every {
            before.remember(reader.index, &reader.block_set, every);
        }
        let (mut candidates, looks) = rechecker.check(within, &open);
        *looked_up += looks;
        let count = outside + candidates.len();
        candidates.remove_range(reader.block_set.end(rechecker.doc_ids)..);
        let wanted = count.min(wanted.into());
        if candidates.len() >= wanted {
            return Ok(Some((candidates, count)));
        }
        // A look takes as long as half a leaf, or as an item of the answer where documents are large.
        let likely = wanted.saturating_mul(ROWS * u64::from(blocks)) / count;
        if head == 0 && likely <= (DENSE * wanted).min(leaf_pages as u64 / 2) {
            let (first, looks) = rechecker.first(wanted, 4 * likely)?;
            *looked_up += looks;
            if let Some(first) = first {
                return Ok(Some((first, count)));
            }
        }
    }
    Ok(None)
}
