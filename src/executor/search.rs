//! A search over the parts of a store: which rows match, how many, and which documents they hold.

use super::block_set::BlockSet;
use super::heap::{Heap, Stored};
use super::opened::Opened;
use super::postings::{PendingFilter, PostingReader};
use super::sorted_rows::{SortedRows, work_mem};
use super::table::IndexedTable;
use super::tid_bitmap::{DocIdMap, TidBitmap};
use super::visible_matches::count_visible;
use crate::error::{Error, Result};
use crate::index::gin::GinIndex;
use crate::matcher::Matcher;
use crate::predicate::Predicate;
use crate::syntax::SortKey;
use roaring::RoaringBitmap;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

/// The rows of a part that match, as far as they were looked at.
pub struct PartitionMatches {
    pub part: IndexedTable,
    pub doc_ids: DocIdMap,
    /// Blocks of the table.
    pub blocks: u32,
    /// None for all of the table's rows.
    pub candidates: Option<RoaringBitmap>,
    pub recheck: RoaringBitmap,
    /// Where there is no list of all: some pages, and their rows.
    pub window: (Range<u32>, RoaringBitmap),
    /// Whether each of them is known to match and to be visible.
    pub is_exact: bool,
    /// How many there are; of a search that is not exact, at most.
    pub count: u64,
}

/// What an answer took, for session_explain.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReadStats {
    pub keys: u64,
    pub postings: u64,
    /// Postings that were only counted, packed as they are.
    pub counted: u64,
    /// Rows that were looked up, to see whether they are visible or match, or for their documents.
    pub rows: u64,
    pub heap_pages: u64,
}

/// A search that gives its documents from the first on. Between two calls it holds nothing of the server's.
pub struct IndexSearch {
    pub(super) rows: Vec<PartitionMatches>,
    pub(super) matcher: Matcher,
    pub counts: ReadStats,
    order: Order,
}

enum Order {
    /// That of the tables: the part, and the least number of a row in it, that comes next.
    Table(usize, u32),
    SortedRows(Box<SortedRows>),
}

thread_local! {
    /// The maps that tables needed so far in this session, but for the least.
    static DOC_ID_MAPS: RefCell<HashMap<u32, DocIdMap>> = RefCell::default();
}

impl IndexSearch {
    /// Finds rows, without a look at any of them. None where a table is too large for its rows to have numbers.
    pub fn new(parts: &[IndexedTable], predicate: &Predicate) -> Result<Option<IndexSearch>> {
        IndexSearch::of(parts, predicate, |part, doc_ids, _, counts| {
            let (heap, index) = open(part)?;
            if *predicate == Predicate::All {
                // A walk in some order needs no list of them, and meets all rows, whatever their places.
                let (doc_ids, recheck) = (DocIdMap::WIDEST, RoaringBitmap::new());
                if !doc_ids.covers(heap.blocks()) {
                    return Err(Error::DocIdOverflow);
                }
                let (count, is_exact) = (0, false);
                let blocks = heap.blocks();
                return Ok(PartitionMatches {
                    part: *part,
                    doc_ids,
                    blocks,
                    candidates: None,
                    recheck,
                    window: Default::default(),
                    is_exact,
                    count,
                });
            }
            let blocks = heap.blocks();
            let reader =
                PostingReader::new(&index, doc_ids, blocks, &PendingFilter::of(predicate))?;
            let TidBitmap { candidates, recheck } = reader.rows(predicate)?;
            counts.add(&reader, &heap);
            let (count, candidates) = (candidates.len(), Some(candidates));
            Ok(PartitionMatches {
                part: *part,
                doc_ids,
                blocks,
                candidates,
                recheck,
                window: Default::default(),
                is_exact: false,
                count,
            })
        })
    }

    /// Finds exactly the rows that match and are visible; none as for `new`.
    pub fn exact(parts: &[IndexedTable], predicate: &Predicate) -> Result<Option<IndexSearch>> {
        IndexSearch::of(parts, predicate, |part, doc_ids, matcher, counts| {
            count_visible(part, predicate, doc_ids, matcher, counts, None)
        })
    }

    /// The same, where of the rows no more than the first so many are wanted, in the order of the table: the others are counted, and
    /// not found if that is quicker.
    pub fn first(
        parts: &[IndexedTable],
        predicate: &Predicate,
        wanted: u64,
    ) -> Result<Option<IndexSearch>> {
        let mut left = u32::try_from(wanted).ok();
        IndexSearch::of(parts, predicate, |part, doc_ids, matcher, counts| {
            let rows = count_visible(part, predicate, doc_ids, matcher, counts, left)?;
            left = left.map(|left| left.saturating_sub(rows.count.min(u32::MAX.into()) as u32));
            Ok(rows)
        })
    }

    /// All rows, counted, but without a look at any of them.
    pub fn all(parts: &[IndexedTable]) -> Result<Option<IndexSearch>> {
        let (counted, all) = (
            IndexSearch::first(parts, &Predicate::All, 0)?,
            IndexSearch::new(parts, &Predicate::All)?,
        );
        Ok(counted.zip(all).map(|(counted, mut all)| {
            for (rows, counted) in all.rows.iter_mut().zip(&counted.rows) {
                rows.count = counted.count;
            }
            all.counts = counted.counts;
            all
        }))
    }

    /// Calls `find` for each part, with wider and wider maps as long as it takes.
    fn of(
        parts: &[IndexedTable],
        predicate: &Predicate,
        mut find: impl FnMut(
            &IndexedTable,
            DocIdMap,
            &Matcher,
            &mut ReadStats,
        ) -> Result<PartitionMatches>,
    ) -> Result<Option<IndexSearch>> {
        let (mut counts, mut found) = (ReadStats::default(), Vec::with_capacity(parts.len()));
        let matcher = Matcher::new(predicate);
        for part in parts {
            let table = part.table.to_u32();
            let known = DOC_ID_MAPS.with_borrow(|maps| maps.get(&table).copied());
            let mut doc_ids = known.unwrap_or(DocIdMap::NARROWEST);
            let blocks = Heap::of(part).blocks();
            let rows = loop {
                if !doc_ids.covers(blocks) {
                    return Ok(None);
                }
                match find(part, doc_ids, &matcher, &mut counts) {
                    Err(Error::DocIdOverflow) => {
                        let Some(wider) = doc_ids.wider() else { return Ok(None) };
                        doc_ids = wider;
                        DOC_ID_MAPS.with_borrow_mut(|maps| maps.insert(table, doc_ids));
                    }
                    rows => break rows?,
                }
            };
            found.push(rows);
        }
        Ok(Some(IndexSearch { rows: found, matcher, counts, order: Order::Table(0, 0) }))
    }

    /// How many rows there are; of an exact search, that is how many match.
    pub fn len(&self) -> u64 {
        self.rows.iter().map(|rows| rows.count).sum()
    }

    /// Puts the matches in order; `last` is how many of them will be asked for at most. False if that cannot be done here.
    pub fn sort(&mut self, sort: &[SortKey], last: Option<u64>) -> Result<bool> {
        if sort.is_empty() {
            return Ok(true);
        }
        let Some(sorted) = SortedRows::new(self, sort, last)? else { return Ok(false) };
        self.order = Order::SortedRows(Box::new(sorted));
        Ok(true)
    }

    /// Passes by so many matches.
    pub fn skip(&mut self, mut count: u64) -> Result<()> {
        if let Order::Table(part, next) = &mut self.order
            && *next == 0
            && self.rows.iter().all(|rows| rows.is_exact)
        {
            for rows in &self.rows[*part..] {
                let candidates = rows.candidates.as_ref();
                if count < rows.count {
                    *next = candidates
                        .and_then(|candidates| candidates.select(count as u32))
                        .unwrap_or(0);
                    return Ok(());
                }
                count -= rows.count;
                *part += 1;
            }
            return Ok(());
        }
        if self.rows.iter().all(|rows| rows.is_exact) {
            let mut opened = Opened::none(self.rows.len());
            while count > 0 && self.next(&mut opened)?.is_some() {
                count -= 1;
            }
            self.counts.add_opened(&opened);
            return Ok(());
        }
        let mut left = count;
        if count > 0 {
            self.each(&mut |_| {
                left -= 1;
                left > 0
            })?;
        }
        Ok(())
    }

    /// Gives documents from where the last call ended, until `take` says false.
    pub fn each(&mut self, take: &mut impl FnMut(Stored<'_>) -> bool) -> Result<()> {
        let mut opened = Opened::none(self.rows.len());
        while let Some((part, number)) = self.next(&mut opened)? {
            self.counts.rows += 1;
            let rows = &self.rows[part];
            let fetcher = opened.fetcher(part, &rows.part);
            let Some(doc) = fetcher.fetch(rows.doc_ids.tid(number)) else { continue };
            if rows.recheck.contains(number) && !doc.read(|doc| self.matcher.matches(doc)) {
                continue;
            }
            if !take(doc) {
                break;
            }
        }
        self.counts.add_opened(&opened);
        Ok(())
    }

    /// The next row: its part and number.
    fn next(&mut self, opened: &mut Opened) -> Result<Option<(usize, u32)>> {
        match &mut self.order {
            Order::SortedRows(sorted) => sorted.next(&self.rows, &self.matcher, opened),
            Order::Table(part, next) => {
                while *part < self.rows.len() {
                    if let Some(number) = self.rows[*part].next(*next)? {
                        match number.checked_add(1) {
                            Some(behind) => *next = behind,
                            None => (*part, *next) = (*part + 1, 0),
                        }
                        return Ok(Some((*part, number)));
                    }
                    (*part, *next) = (*part + 1, 0);
                }
                Ok(None)
            }
        }
    }
}

impl PartitionMatches {
    /// The first row whose number is not less than this. Without a list of all rows, those of some pages are listed after the other.
    pub(super) fn next(&mut self, mut from: u32) -> Result<Option<u32>> {
        if let Some(candidates) = &self.candidates {
            return Ok(candidates.range(from..).next());
        }
        loop {
            let block = self.doc_ids.tid(from).block;
            if block >= self.blocks {
                self.window = Default::default();
                return Ok(None);
            }
            if !self.window.0.contains(&block) {
                self.list_from(block)?;
            }
            let (pages, rows) = &self.window;
            if let Some(number) = rows.range(from..).next() {
                return Ok(Some(number));
            }
            from = *self.doc_ids.doc_ids(pages.end..=pages.end).start();
        }
    }

    /// Lists the rows from a page on, on as many as work_mem has bits for.
    fn list_from(&mut self, block: u32) -> Result<()> {
        /// Of bits; and pages are taken whole of a bitmap's containers.
        const CONTAINER: usize = 1 << 16;
        let most = (work_mem() / 2 * 8 / CONTAINER).max(1) * CONTAINER;
        let pages = (most as u64 >> self.doc_ids.bits()).min(u64::from(u32::MAX)) as u32;
        let start = block - block % pages;
        let end = start.saturating_add(pages).min(self.blocks);
        let (heap, index) = open(&self.part)?;
        let blocks = self.blocks.min(heap.blocks());
        let mut reader = PostingReader::new(&index, self.doc_ids, blocks, &PendingFilter::none())?;
        reader.block_set = BlockSet::pages(start..end);
        // That of other pages is of no interest.
        let rows = reader.all_documents_given(Some(0))?.found.candidates;
        self.window = (start..end, rows);
        Ok(())
    }

    /// The rows as a list, made now if it was not needed before.
    pub(super) fn list(&mut self) -> Result<&RoaringBitmap> {
        if self.candidates.is_none() {
            let (heap, index) = open(&self.part)?;
            self.candidates = Some(
                PostingReader::new(&index, self.doc_ids, heap.blocks(), &PendingFilter::none())?
                    .all()?,
            );
        }
        Ok(self.candidates.get_or_insert_default())
    }
}

impl std::ops::AddAssign for ReadStats {
    fn add_assign(&mut self, other: ReadStats) {
        self.keys += other.keys;
        self.postings += other.postings;
        self.counted += other.counted;
        self.rows += other.rows;
        self.heap_pages += other.heap_pages;
    }
}

impl ReadStats {
    pub(super) fn add(&mut self, reader: &PostingReader<'_>, heap: &Heap) {
        let read = reader.read.borrow();
        self.keys += read.keys;
        self.postings += read.postings;
        self.counted += read.counted;
        self.heap_pages += heap.pages.get();
    }

    fn add_opened(&mut self, opened: &Opened) {
        self.rows += opened.rows;
        self.heap_pages += opened.heap_pages();
    }
}

pub(super) fn open(part: &IndexedTable) -> Result<(Heap, GinIndex)> {
    let heap = Heap::of(part);
    heap.lock_for_serializable();
    Ok((heap, GinIndex::open_to_answer(part.index)?))
}
