//! A search over the tables of a store: which rows match, how many, and which documents they hold.

use super::doc_address::DocAddress;
use super::doc_id::{DocIdMap, DocIdOverflow, ReadError, ReadResult};
use super::heap::{Heap, Stored};
use super::known_doc_ids::{known_doc_ids, remember_doc_ids};
use super::opened::Opened;
use super::partition_matches::{PartitionMatches, open};
use super::pending_filter::PendingFilter;
use super::postings::PostingReader;
use super::read_stats::ReadStats;
use super::rows::Rows;
use super::sorted_rows::SortedRows;
use super::table::IndexedTable;
use super::tid_bitmap::TidBitmap;
use super::visible_matches::count_visible;
use crate::error::Result;
use crate::matcher::Matcher;
use crate::predicate::Predicate;
use crate::syntax::SortKey;
use roaring::RoaringBitmap;

/// A search that hands out its documents one after the other. Between two calls it holds nothing of
/// the server's.
pub struct IndexSearch {
    pub(super) partitions: Vec<PartitionMatches>,
    pub(super) matcher: Matcher,
    /// What was read so far.
    pub stats: ReadStats,
    pub(super) order: Order,
}

/// The order of the documents.
pub(super) enum Order {
    /// That of the tables: the number of the table that comes next, and the least doc ID in it.
    Table(usize, u32),
    Values(Box<SortedRows>),
}

impl IndexSearch {
    /// Finds the rows that may match, and looks none of them up. None if a table is so large that
    /// its rows have no doc IDs.
    pub fn new(tables: &[IndexedTable], predicate: &Predicate) -> Result<Option<IndexSearch>> {
        Ok(IndexSearch::uncounted(tables, predicate)?.map(IndexSearch::counted))
    }

    /// Counts the scans of the indexes for the server's statistics.
    fn counted(self) -> IndexSearch {
        self.partitions.iter().for_each(|matches| matches.table.count_scan(matches.count));
        self
    }

    /// The same as `new`, but the server's statistics do not count it.
    fn uncounted(tables: &[IndexedTable], predicate: &Predicate) -> Result<Option<IndexSearch>> {
        let is_covered = |table| DocIdMap::WIDEST.covers(Heap::of(table).blocks());
        if *predicate == Predicate::All && !tables.iter().all(is_covered) {
            return Ok(None);
        }
        IndexSearch::in_each(tables, predicate, |table, doc_ids, _, stats| {
            let (heap, index) = open(table)?;
            let blocks = heap.blocks();
            if *predicate == Predicate::All {
                // A walk in some order needs no list of all rows; and it meets all of them,
                // whatever offsets they have.
                let doc_ids = DocIdMap::WIDEST;
                if !doc_ids.covers(blocks) {
                    return Err(DocIdOverflow.into());
                }
                let none = RoaringBitmap::new();
                return Ok(PartitionMatches::new(*table, doc_ids, blocks, None, none));
            }
            let filter = PendingFilter::of(predicate);
            let reader = PostingReader::new(&index, doc_ids, blocks, &filter)?;
            let TidBitmap { candidates, recheck } = reader.rows(predicate)?;
            *stats += reader.stats();
            stats.heap_pages += heap.pages.get();
            let [candidates, recheck] = [candidates, recheck].map(Rows::bitmap);
            let candidates = Some(Rows::Compressed(candidates));
            Ok(PartitionMatches::new(*table, doc_ids, blocks, candidates, recheck))
        })
    }

    /// Finds exactly the rows that match and are visible. None as for `new`.
    pub fn exact(tables: &[IndexedTable], predicate: &Predicate) -> Result<Option<IndexSearch>> {
        let found = IndexSearch::in_each(tables, predicate, |table, doc_ids, matcher, stats| {
            count_visible(table, predicate, doc_ids, matcher, stats, None)
        })?;
        Ok(found.map(IndexSearch::counted))
    }

    /// The same, if only the first `wanted` rows in the order of the tables will be asked for. All
    /// rows are counted, but if that is quicker, the others are not found.
    pub fn first(
        tables: &[IndexedTable],
        predicate: &Predicate,
        wanted: u64,
    ) -> Result<Option<IndexSearch>> {
        let mut left = u32::try_from(wanted).ok();
        let found = IndexSearch::in_each(tables, predicate, |table, doc_ids, matcher, stats| {
            let matches = count_visible(table, predicate, doc_ids, matcher, stats, left)?;
            let found = matches.count.min(u32::MAX.into()) as u32;
            left = left.map(|left| left.saturating_sub(found));
            Ok(matches)
        })?;
        Ok(found.map(IndexSearch::counted))
    }

    /// All rows of the tables. They are counted, and none of them is looked up.
    pub fn all(tables: &[IndexedTable]) -> Result<Option<IndexSearch>> {
        let counted = IndexSearch::first(tables, &Predicate::All, 0)?;
        let all = IndexSearch::uncounted(tables, &Predicate::All)?;
        Ok(counted.zip(all).map(|(counted, mut all)| {
            for (matches, counted) in all.partitions.iter_mut().zip(&counted.partitions) {
                matches.count = counted.count;
            }
            all.stats = counted.stats;
            all
        }))
    }

    /// Calls `find` for each table. Where doc IDs overflow, it is called again with a wider map.
    fn in_each(
        tables: &[IndexedTable],
        predicate: &Predicate,
        mut find: impl FnMut(
            &IndexedTable,
            DocIdMap,
            &Matcher,
            &mut ReadStats,
        ) -> ReadResult<PartitionMatches>,
    ) -> Result<Option<IndexSearch>> {
        let (mut stats, mut partitions) = (ReadStats::default(), Vec::with_capacity(tables.len()));
        let matcher = Matcher::new(predicate);
        for table in tables {
            let mut doc_ids = known_doc_ids(table);
            let blocks = Heap::of(table).blocks();
            let matches = loop {
                if !doc_ids.covers(blocks) {
                    return Ok(None);
                }
                match find(table, doc_ids, &matcher, &mut stats) {
                    Ok(matches) => break matches,
                    Err(ReadError::Failed(error)) => return Err(error),
                    Err(ReadError::DocIdOverflow(DocIdOverflow)) => {
                        // A map is remembered only if it serves the next search.
                        let wider = doc_ids.wider().filter(|wider| wider.covers(blocks));
                        let Some(wider) = wider else { return Ok(None) };
                        doc_ids = wider;
                        remember_doc_ids(table, doc_ids);
                    }
                }
            };
            partitions.push(matches);
        }
        Ok(Some(IndexSearch { partitions, matcher, stats, order: Order::Table(0, 0) }))
    }

    /// How many rows match. If the search is not exact, at most so many do.
    pub fn len(&self) -> u64 {
        self.partitions.iter().map(|matches| matches.count).sum()
    }

    /// Puts the matches in order, and skips the first `start`. `end`: before which of them no more
    /// will be asked for. False if that cannot be done here.
    pub fn sort(&mut self, sort: &[SortKey], start: u64, end: Option<u64>) -> Result<bool> {
        if sort.is_empty() {
            return self.skip(start).map(|()| true);
        }
        let mut opened = Opened::none(self.partitions.len());
        let (parts, matcher) = (&mut self.partitions, &self.matcher);
        let sorted = SortedRows::new(parts, matcher, sort, start, end, &mut opened)?;
        self.add_opened(&opened);
        let Some(sorted) = sorted else { return Ok(false) };
        self.stats.sorted_by = Some(sorted.way());
        let left = start - sorted.skipped();
        self.order = Order::Values(Box::new(sorted));
        self.skip(left).map(|()| true)
    }

    /// Skips so many matches.
    fn skip(&mut self, mut count: u64) -> Result<()> {
        let is_exact = self.partitions.iter().all(|matches| matches.is_exact);
        match &mut self.order {
            // At the start of the tables, the rows are the ones in the lists.
            Order::Table(partition, next @ 0) if is_exact => {
                for matches in &self.partitions[*partition..] {
                    if count < matches.count {
                        let rows = matches.candidates.as_ref();
                        *next = rows.and_then(|rows| rows.select(count as u32)).unwrap_or(0);
                        return Ok(());
                    }
                    count -= matches.count;
                    *partition += 1;
                }
            }
            _ if is_exact => {
                let mut opened = Opened::none(self.partitions.len());
                while count > 0 && self.next(&mut opened)?.is_some() {
                    count -= 1;
                }
                self.add_opened(&opened);
            }
            _ if count > 0 => self.each(&mut |_| {
                count -= 1;
                count > 0
            })?,
            _ => {}
        }
        Ok(())
    }

    /// Hands out documents, from where the last call ended, until `take` returns false.
    pub fn each(&mut self, take: &mut impl FnMut(Stored<'_>) -> bool) -> Result<()> {
        let mut opened = Opened::none(self.partitions.len());
        while let Some(address) = self.next(&mut opened)? {
            self.stats.rows += 1;
            let matches = &self.partitions[address.partition()];
            let fetcher = opened.fetcher(address.partition(), &matches.table);
            let tid = matches.doc_ids.tid(address.doc_id());
            let Some(stored) = fetcher.fetch(tid) else { continue };
            if matches.recheck.contains(address.doc_id())
                && !stored.read(|doc| self.matcher.matches(doc))
            {
                continue;
            }
            if !take(stored) {
                break;
            }
        }
        self.add_opened(&opened);
        Ok(())
    }

    /// The next row.
    pub(super) fn next(&mut self, opened: &mut Opened) -> Result<Option<DocAddress>> {
        match &mut self.order {
            Order::Values(sorted) => sorted.next(&self.partitions, &self.matcher, opened),
            Order::Table(partition, next) => {
                while *partition < self.partitions.len() {
                    if let Some(doc_id) = self.partitions[*partition].next(*next)? {
                        let address = DocAddress::new(*partition, doc_id);
                        match doc_id.checked_add(1) {
                            Some(behind) => *next = behind,
                            None => (*partition, *next) = (*partition + 1, 0),
                        }
                        return Ok(Some(address));
                    }
                    (*partition, *next) = (*partition + 1, 0);
                }
                Ok(None)
            }
        }
    }

    pub(super) fn add_opened(&mut self, opened: &Opened) {
        self.stats.rows += opened.rows;
        self.stats.heap_pages += opened.heap_pages();
    }
}
