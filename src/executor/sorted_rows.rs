//! The rows of a search in the order of the values at some paths.
//!
//! The index has the values of each path in order. A walk over them (`index_order`) finds rows in
//! that order, until there are enough. Where few rows match, it is cheaper to look all of them up
//! and to sort them (`sorter`). If the session knows the ordinals of the values, it is often still
//! cheaper to sort by these (`ordinal_order`).

use super::doc_address::DocAddress;
use super::doc_id::ReadError;
use super::index_order::{IndexOrderMerge, TiedRows};
use super::known_doc_ids::remember_doc_ids;
use super::opened::Opened;
use super::ordinal_order;
use super::ordinals::Ordinals;
use super::ordinals_memory::{self, WHOLE_COUNT, done_without};
use super::partition_matches::PartitionMatches;
use super::pending_filter::PendingFilter;
use super::postings::PostingReader;
use super::settings::values_memory;
use super::sorter::{Reading, SortValues, Sorter};
use super::value_cursor::ValueCursor;
use crate::document::{Jsonb, Scratch};
use crate::error::Result;
use crate::index::gin::GinIndex;
use crate::index::key::{self, PathHash};
use crate::matcher::Matcher;
use crate::memory;
use crate::pg::guc::work_mem;
use crate::syntax::SortKey;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::ops::Range;
use std::rc::Rc;

/// Nanoseconds that it takes to look a row up, to read an entry of the index, to take the row of one
/// that matches, and to read an entry for the ordinals. What matters are their ratios.
const LOOK_UP_COST: u64 = 1_000;
const ENTRY_COST: u64 = 30;
const MATCH_COST: u64 = 500;
const NUMBER_COST: u64 = 100;
/// Of so many documents, it takes a nanosecond to see whether their ordinals are still true.
const DOCUMENTS_PER_NANOSECOND: u64 = 16;

/// A row that was looked up.
type SortedRow = (SortValues, DocAddress);

/// Rows that are kept in order at once: half of work_mem, beside what the sort itself takes.
fn max_sorted() -> usize {
    work_mem() / 2 / size_of::<DocAddress>()
}

/// The rows of a search in order. Rows come from the first of these fields that has some.
pub struct SortedRows {
    sort: Vec<SortKey>,
    /// How many rows will be asked for at most.
    limit: Option<u64>,
    /// Rows that were sorted.
    sorted: VecDeque<DocAddress>,
    /// Rows that have still to be sorted.
    unsorted: Option<Batch>,
    /// Rows with the same value, in the order of the tables.
    tied: TiedRows,
    /// Where more rows come from.
    walk: Option<IndexOrderMerge>,
    /// Whether the last row came from `tied`.
    is_tied: bool,
    /// The ordinals by which `sorted` was sorted, if it was.
    ordinals: Option<Rc<Ordinals>>,
    /// How many of the first rows are left out.
    skipped: u64,
}

/// What a row is sorted by, as far as that is known without its document.
pub enum SortedBy<'s> {
    Unknown,
    /// It has no value.
    Nothing,
    /// A value as keys hold it.
    Stored(&'s [u8]),
}

/// Rows that are sorted in several turns, because memory does not suffice for all: those that come
/// behind a row that was sorted in an earlier turn.
struct Batch {
    rows: TiedRows,
    behind: Option<SortedRow>,
}

impl SortedRows {
    /// None if the planner does better, or if the rows cannot be sorted here. Rows before `start`
    /// will be skipped, and those from `limit` on not be asked for. `opened` gets what was read.
    pub fn new(
        partitions: &mut [PartitionMatches],
        matcher: &Matcher,
        sort: &[SortKey],
        start: u64,
        limit: Option<u64>,
        opened: &mut Opened,
    ) -> Result<Option<SortedRows>> {
        let (mut documents, mut is_ordered, mut can_walk) = (0, true, true);
        let first = &sort[0];
        let open = |matches: &PartitionMatches| GinIndex::open_to_answer(matches.table.index);
        let indexes: Vec<GinIndex> = partitions.iter().map(open).collect::<Result<_>>()?;
        let filter = PendingFilter::path(&first.path);
        let read = |(matches, index): (&PartitionMatches, _)| {
            PostingReader::new(index, matches.doc_ids, matches.blocks, &filter)
        };
        let readers: Vec<PostingReader<'_>> =
            partitions.iter().zip(&indexes).map(read).collect::<Result<_>>()?;
        for reader in &readers {
            is_ordered = is_ordered && ValueCursor::is_ordered(reader, &first.path)?;
            // A walk meets a document with its least value first or, descending, its greatest. If
            // documents are sorted by the other one, they may have no more than one.
            can_walk &=
                first.largest == first.descending || reader.has_single_values(&first.path)?;
            for key in key::DOCUMENT_KEYS {
                documents += reader.index.estimate_key(key)? as u64
                    + reader.pending.get(key).map_or(0, <[_]>::len) as u64;
            }
        }
        let max_sorted = max_sorted() as u64;
        let limit_fits = limit.is_some_and(|limit| limit <= max_sorted);
        // Rows with the same first value are sorted by their other values, all of them in one turn.
        can_walk &= is_ordered && (sort.len() == 1 || limit_fits);
        let all_match = partitions.iter().any(|matches| matches.candidates.is_none());
        let hits = match all_match {
            true => documents,
            false => partitions.iter().map(|matches| matches.count).sum(),
        };
        let entries = limit.unwrap_or(hits).saturating_mul(documents) / hits.max(1);
        let walk_cost = entries.min(documents).saturating_mul(ENTRY_COST)
            + limit.unwrap_or(hits).min(hits).saturating_mul(MATCH_COST);
        let mut sorted_rows = SortedRows {
            sort: sort.to_vec(),
            limit,
            sorted: VecDeque::new(),
            unsorted: None,
            tied: TiedRows::default(),
            walk: None,
            is_tied: false,
            ordinals: None,
            skipped: 0,
        };
        let look_up_cost = hits.saturating_mul(LOOK_UP_COST);
        if let ([matches], [reader], [key], Some(limit)) = (&*partitions, &*readers, sort, limit)
            && limit_fits
            && is_ordered
        {
            let cost = if can_walk { walk_cost.min(look_up_cost) } else { look_up_cost };
            let window = start.min(limit)..limit;
            let found = by_ordinals(matches, reader, key, window, (cost, documents))?;
            if let Some((ordinals, rows)) = found {
                let addresses = rows.into_iter().map(|doc_id| DocAddress::new(0, doc_id));
                sorted_rows.sorted = addresses.collect();
                (sorted_rows.ordinals, sorted_rows.skipped) = (Some(ordinals), start);
                return Ok(Some(sorted_rows));
            }
        }
        if can_walk && (hits > max_sorted || walk_cost < look_up_cost) {
            sorted_rows.walk = Some(IndexOrderMerge::new(&readers, first)?);
            return Ok(Some(sorted_rows));
        }
        if hits > max_sorted && !limit_fits {
            return Ok(None);
        }
        let mut listed = 0;
        for matches in &mut *partitions {
            listed += matches.list()?.len();
        }
        // How many documents there are was an estimate.
        if listed > max_sorted && !limit_fits {
            return Ok(None);
        }
        let rows = partitions.iter().enumerate().flat_map(|(partition, matches)| {
            let doc_ids = matches.candidates.iter().flat_map(|rows| rows.iter_from(0));
            doc_ids.map(move |doc_id| DocAddress::new(partition, doc_id))
        });
        let mut lookup = Lookup { partitions, matcher, opened };
        (sorted_rows.sorted, _) = lookup.heap_sort(rows, sort, None, limit)?;
        Ok(Some(sorted_rows))
    }

    /// The next row.
    pub fn next(
        &mut self,
        partitions: &[PartitionMatches],
        matcher: &Matcher,
        opened: &mut Opened,
    ) -> Result<Option<DocAddress>> {
        loop {
            if let Some(address) = self.sorted.pop_front() {
                self.is_tied = false;
                return Ok(Some(address));
            }
            if let Some(Batch { rows, behind }) = self.unsorted.take() {
                let mut lookup = Lookup { partitions, matcher, opened };
                let (sorted, last) =
                    lookup.heap_sort(rows.iter(), &self.sort, behind.as_ref(), self.limit)?;
                self.sorted = sorted;
                self.unsorted = last.map(|last| Batch { rows, behind: Some(last) });
                continue;
            }
            if let Some(address) = self.tied.next() {
                self.is_tied = true;
                return Ok(Some(address));
            }
            let Some(walk) = &mut self.walk else { return Ok(None) };
            match walk.next(partitions, opened)? {
                Some((rows, is_truncated)) if self.needs_heap_sort(is_truncated) => {
                    self.unsorted = Some(Batch { rows, behind: None });
                }
                Some((rows, _)) => self.tied = rows,
                None => self.walk = None,
            }
        }
    }

    /// What the rows are put in order by, for session_explain.
    pub fn way(&self) -> &'static str {
        match (&self.ordinals, &self.walk) {
            (Some(_), _) => "ordinals",
            (None, Some(_)) => "index",
            (None, None) => "documents",
        }
    }

    /// How many of the first rows are left out.
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// What the row that `next` returned last is sorted by.
    pub fn sorted_by(&self, last: DocAddress) -> SortedBy<'_> {
        let stored = match &self.ordinals {
            Some(ordinals) => {
                ordinals.of_row(last.doc_id()).map(|ordinal| ordinals.stored(ordinal as usize))
            }
            None if self.is_tied => self.tied.value.as_deref(),
            None => return SortedBy::Unknown,
        };
        stored.map_or(SortedBy::Nothing, SortedBy::Stored)
    }

    /// Whether rows with the same value in the index may differ: in what the index does not hold of
    /// a truncated value, or in the values at the other paths.
    fn needs_heap_sort(&self, is_truncated: bool) -> bool {
        is_truncated || self.sort.len() > 1
    }
}

/// A window of the rows of a table by the ordinals of their values, if that takes less than `cost`
/// nanoseconds, the session knows the ordinals or makes them now, and each value is whole in its key.
/// The keys of the path must be in the order of its values.
fn by_ordinals(
    matches: &PartitionMatches,
    reader: &PostingReader<'_>,
    key: &SortKey,
    window: Range<u64>,
    (cost, documents): (u64, u64),
) -> Result<Option<(Rc<Ordinals>, Vec<u32>)>> {
    let Some(rows) = matches.candidates.as_ref().filter(|_| matches.is_exact) else {
        return Ok(None);
    };
    let (own_cost, is_by_value) = ordinal_order::cost(rows, matches.count, documents, window.end);
    let path = &key.path;
    if cost <= own_cost + documents / DOCUMENTS_PER_NANOSECOND
        || !reader.has_single_values(path)?
        || !reader.is_unused(&key::truncated(PathHash::of(path)))?
    {
        return Ok(None);
    }
    let ordinals = match ordinals_memory::ordinals(reader, path) {
        Ok(ordinals) => ordinals,
        // The next search will have a wider map.
        Err(ReadError::DocIdOverflow(_)) => {
            let wider = matches.doc_ids.wider().filter(|wider| wider.covers(matches.blocks));
            if let Some(wider) = wider {
                remember_doc_ids(&matches.table, wider);
            }
            None
        }
        Err(ReadError::Failed(error)) => return Err(error),
    };
    let Some(ordinals) = ordinals else {
        let all = documents.saturating_mul(NUMBER_COST).max(1);
        let whole = u64::from(WHOLE_COUNT);
        done_without(reader, path, (whole * cost.min(all) / all) as u32);
        return Ok(None);
    };
    let descending = key.descending;
    let window = match is_by_value && ordinals.has_room_by_value(values_memory()) {
        true => Some(ordinal_order::window_by_value(&ordinals, rows, descending, window)?),
        false => ordinal_order::window_by_rank(&ordinals, rows, descending, window, max_sorted())?,
    };
    Ok(window.map(|window| (ordinals, window)))
}

/// Looks the rows of a search up.
struct Lookup<'l> {
    partitions: &'l [PartitionMatches],
    matcher: &'l Matcher,
    opened: &'l mut Opened,
}

impl Lookup<'_> {
    /// Looks rows up, and sorts those that match. Returns the first of them: as many as there is
    /// memory for, but no more than `limit`; and only rows that come behind another one, if that is
    /// given. Returns also the last of those if more rows may follow.
    fn heap_sort(
        &mut self,
        rows: impl Iterator<Item = DocAddress>,
        sort: &[SortKey],
        behind: Option<&SortedRow>,
        limit: Option<u64>,
    ) -> Result<(VecDeque<DocAddress>, Option<SortedRow>)> {
        let most = limit.map_or(max_sorted(), |limit| max_sorted().min(limit as usize));
        if most == 0 {
            return Ok((VecDeque::new(), None));
        }
        let descending: Vec<bool> = sort.iter().map(|key| key.descending).collect();
        let mut sorter = Sorter::new(&descending, Reading::Once(most));
        for address in rows {
            self.opened.rows += 1;
            let matches = &self.partitions[address.partition()];
            let fetcher = self.opened.fetcher(address.partition(), &matches.table);
            let tid = matches.doc_ids.tid(address.doc_id());
            let Some(stored) = fetcher.fetch(tid) else { continue };
            let needs_recheck = matches.recheck.contains(address.doc_id());
            let values: Option<SortValues> = stored.read(|doc| {
                let matches = !needs_recheck || self.matcher.matches(doc);
                matches.then(|| sort.iter().map(|sort| extreme(doc, sort)).collect())
            });
            let Some(values) = values else { continue };
            let is_wanted = behind.is_none_or(|(last_values, last_address)| {
                let order = compare(&values, last_values, sort);
                order.then(address.cmp(last_address)).is_gt()
            });
            if is_wanted {
                sorter.put(&values, address);
            }
        }
        sorter.sort();
        let mut sorted = VecDeque::new();
        while sorted.len() < most
            && let Some(address) = sorter.next()
        {
            memory::try_reserve(most * size_of::<DocAddress>(), || sorted.try_reserve(1))?;
            sorted.push_back(address);
        }
        let last = sorted.back().filter(|_| sorted.len() == most);
        let last = last.map(|address| (sorter.values(), *address));
        Ok((sorted, last))
    }
}

/// The order of two rows. A row that has no value at a path comes last, in either direction.
fn compare(a: &SortValues, b: &SortValues, sort: &[SortKey]) -> Ordering {
    let mut orders = a.iter().zip(b).zip(sort).map(|((a, b), sort)| match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (Some(a), Some(b)) if sort.descending => b.cmp(a),
        (Some(a), Some(b)) => a.cmp(b),
    });
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// The value that a document is sorted by: the least at the path, or the greatest.
fn extreme(doc: Jsonb<'_>, sort: &SortKey) -> Option<Vec<u8>> {
    crate::document::extreme(doc, &sort.path, sort.largest, &mut Scratch::new())
}
