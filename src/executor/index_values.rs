//! The values at the paths of a query's matches, from the index: posting lists are counted as they
//! lie where all documents match, and intersected with the matches where not. Where few documents
//! match, or the keys do not tell values apart, the documents themselves are read.

use super::block_set::BlockSet;
use super::doc_address::DocAddress;
use super::doc_id::{DocIdMap, ReadError, ReadResult};
use super::domain::{Counted, Domain, PartRows, RowCounter};
use super::edges::{Edge, EdgeCounts, count_each};
use super::heap::{Fetcher, Heap};
use super::page_visibility::remove_hidden;
use super::partition_matches::open;
use super::pending_filter::PendingFilter;
use super::postings::PostingReader;
use super::read_stats::ReadStats;
use super::search::{known_doc_ids, remember_doc_ids};
use super::sorted_values::SortedValues;
use super::table::IndexedTable;
use super::tid_bitmap::TidBitmap;
use super::value_cursor::{RowFilter, ValueBounds, ValueCursor};
use super::values::{
    Group, Instants, Span, ValueSource, Visit, Ways, number_instants, strings_of_instants, text_of,
    widen,
};
use super::visibility_map::VisibilityMap;
use super::visible_matches::count_visible;
use crate::document::{Scratch, instant, unordered_instant, walk};
use crate::error::Result;
use crate::index::gin::{Direction, GinIndex, PostingSizes};
use crate::index::key::{self, PathHash};
use crate::index::string_code::{self, Unpacked, unpack};
use crate::matcher::Matcher;
use crate::pg::guc::work_mem;
use crate::predicate::Predicate;
use roaring::RoaringBitmap;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::ops::ControlFlow;

/// If more than one page in four is not all-visible, the rows on them are looked up rather than
/// kept apart (as in `count`).
const MAX_NOT_ALL_VISIBLE: u32 = 4;
/// Nanoseconds that it takes to read a document, a key of the index, and a posting. What matters is
/// their ratio.
const DOCUMENT_COST: f64 = 1_500.0;
const KEY_COST: f64 = 30.0;
const POSTING_COST: f64 = 2.0;
/// Documents. So few are read without an estimate of what the keys would take.
const FEW_DOCUMENTS: u64 = 8;
/// Leaf pages of the index that such an estimate reads.
const SAMPLED_PAGES: usize = 8;

/// The length of `2024-03-31T12:00:00`.
const SECOND_BYTES: usize = 19;

/// A store whose values are read from its indexes.
pub struct IndexValues<'i> {
    parts: Vec<PartValues<'i>>,
    matches: Domain,
    everything: Option<Domain>,
    /// What it takes to walk over the keys of a path, in nanoseconds.
    walk_costs: HashMap<String, f64>,
    /// By path: whether its keys are in the order of its values and hold no others.
    ordered: HashMap<String, bool>,
    ways: Ways,
    stats: ReadStats,
}

/// A table whose values are read.
struct PartValues<'i> {
    table: IndexedTable,
    reader: PostingReader<'i>,
    fetcher: RefCell<Fetcher>,
    /// The visibility map as it was before the index was read.
    before: VisibilityMap,
    /// If all rows match: which of them may not be visible.
    doubt: Option<Doubt>,
    none: RoaringBitmap,
    /// Documents that were read.
    documents: Cell<u64>,
    /// Keys that were walked over.
    keys: Cell<u64>,
}

/// The pages of a table on which rows may be hidden from the snapshot, and the rows on them that
/// are. Rows on all other pages are taken to be visible, until the end, when the visibility map is
/// read again (see `visibility_map`).
struct Doubt {
    blocks: BlockSet,
    hidden: RoaringBitmap,
    /// How many rows there are on the other pages.
    outside: u64,
}

/// Does some work with the values of a query's matches. It is done again if rows changed that were
/// taken to be visible, or if a row was met that had no doc ID. None if a table is so large that
/// its rows have no doc IDs.
pub fn with_index_values<T>(
    tables: &[IndexedTable],
    predicate: &Predicate,
    work: &mut dyn FnMut(&mut dyn ValueSource) -> ReadResult<T>,
) -> Result<Option<T>> {
    let mut may_doubt = *predicate == Predicate::All;
    loop {
        let doc_ids: Vec<DocIdMap> = tables.iter().map(known_doc_ids).collect();
        let opened: Vec<(Heap, GinIndex)> = tables.iter().map(open).collect::<Result<_>>()?;
        let pairs = || opened.iter().zip(&doc_ids);
        if pairs().any(|((heap, _), doc_ids)| !doc_ids.covers(heap.blocks())) {
            return Ok(None);
        }
        let attempt = (|| {
            let mut parts = Vec::with_capacity(tables.len());
            let (mut rows, mut stats) = (Vec::with_capacity(tables.len()), ReadStats::default());
            for (table, ((_, index), doc_ids)) in tables.iter().zip(pairs()) {
                let (part, found) =
                    PartValues::new(table, index, *doc_ids, predicate, may_doubt, &mut stats)?;
                parts.push(part);
                rows.push(found);
            }
            let matches = Domain { parts: rows };
            let everything = (*predicate == Predicate::All).then(|| matches.clone());
            let (walk_costs, ordered, ways) = (HashMap::new(), HashMap::new(), Ways::new());
            let mut values =
                IndexValues { parts, matches, everything, walk_costs, ordered, ways, stats };
            let result = work(&mut values)?;
            Ok(values.is_confirmed()?.then_some(result))
        })();
        match attempt {
            Ok(Some(result)) => return Ok(Some(result)),
            Ok(None) => may_doubt = false,
            Err(ReadError::Failed(error)) => return Err(error),
            // It is not known in which table, so that all get a wider map.
            Err(ReadError::DocIdOverflow(_)) => {
                for (table, doc_ids) in tables.iter().zip(doc_ids) {
                    let Some(wider) = doc_ids.wider() else { return Ok(None) };
                    remember_doc_ids(table, wider);
                }
            }
        }
    }
}

impl<'i> PartValues<'i> {
    fn new(
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
        let not_all_visible = before.not_all_visible();
        let mut doubt = None;
        let few_open = not_all_visible.len() <= u64::from(blocks / MAX_NOT_ALL_VISIBLE);
        let rows = if may_doubt && few_open {
            let mut open = BlockSet::prefix(0);
            not_all_visible.iter().for_each(|block| open.add(block));
            // A pending entry may be read a second time, in the tree, so its row must be known.
            let keys = key::DOCUMENT_KEYS.iter().filter_map(|key| reader.pending.get(*key));
            let pending = keys.flatten().filter(|tid| tid.block < blocks);
            pending.for_each(|tid| open.add(tid.block));
            reader.block_set = open;
            let known = before.rows_outside(index, &reader.block_set);
            let all = reader.all_documents(known)?;
            let open = std::mem::replace(&mut reader.block_set, BlockSet::all());
            let mut visible = all.rows.candidates;
            stats.heap_pages += remove_hidden(&mut visible, &heap, &not_all_visible, doc_ids);
            let mut hidden = RoaringBitmap::new();
            for block in (0..blocks).filter(|block| open.contains(*block)) {
                hidden.insert_range(doc_ids.doc_ids(block..=block));
            }
            hidden -= &visible;
            let outside = all.skipped;
            doubt = Some(Doubt { blocks: open, hidden, outside });
            PartRows::All(outside + visible.len())
        } else {
            PartRows::Some(visible_rows(table, predicate, doc_ids, stats)?)
        };
        let (table, fetcher) = (*table, RefCell::new(heap.fetcher()));
        let (none, documents, keys) = (RoaringBitmap::new(), Cell::new(0), Cell::new(0));
        let part = PartValues { table, reader, fetcher, before, doubt, none, documents, keys };
        Ok((part, rows))
    }

    /// The rows of a set, or without one those that may be hidden and must not be taken.
    fn filter<'r>(&'r self, rows: &'r PartRows) -> RowFilter<'r> {
        let except = match rows {
            PartRows::All(_) => self.doubt.as_ref().map(|doubt| &doubt.hidden),
            PartRows::Some(_) => None,
        };
        RowFilter { among: rows.list(), except }
    }

    fn counter<'r>(&'r self, rows: &'r PartRows) -> Result<RowCounter<'r>> {
        let counted = match (rows, &self.doubt) {
            (PartRows::Some(rows), _) => Counted::Among(rows),
            (PartRows::All(_), Some(doubt)) => Counted::AllBut(&doubt.hidden, &doubt.blocks),
            // Where all rows are meant without a list of them, there is one of hidden rows.
            (PartRows::All(_), None) => Counted::Among(&self.none),
        };
        RowCounter::new(self.reader.doc_ids, counted, self.reader.blocks, work_mem() / 2)
    }

    /// The rows of a set as a list.
    fn list(&self, rows: &PartRows) -> ReadResult<RoaringBitmap> {
        if let Some(rows) = rows.list() {
            return Ok(rows.clone());
        }
        let mut all = self.reader.all()?;
        if let Some(doubt) = &self.doubt {
            all -= &doubt.hidden;
        }
        Ok(all)
    }

    /// Passes the values at a path of some rows' documents to `push`.
    fn read_documents(
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
fn visible_rows(
    table: &IndexedTable,
    predicate: &Predicate,
    doc_ids: DocIdMap,
    stats: &mut ReadStats,
) -> ReadResult<RoaringBitmap> {
    let matcher = Matcher::new(predicate);
    let found = count_visible(table, predicate, doc_ids, &matcher, stats, None)?;
    Ok(found.candidates.unwrap_or_default())
}

impl IndexValues<'_> {
    /// Whether the rows that were taken to be visible were visible all the time.
    fn is_confirmed(&self) -> Result<bool> {
        for part in &self.parts {
            let Some(doubt) = &part.doubt else { continue };
            let fetcher = part.fetcher.borrow();
            let heap = fetcher.heap();
            let after = VisibilityMap::read(heap, part.reader.blocks)?;
            if !part.before.is_within(&after) || heap.blocks() != part.reader.blocks {
                return Ok(false);
            }
            part.before.remember(part.reader.index, &doubt.blocks, doubt.outside);
        }
        Ok(true)
    }

    /// Whether the keys of a path are in the order of its values, in all tables.
    fn is_ordered(&mut self, path: &str) -> Result<bool> {
        if let Some(&known) = self.ordered.get(path) {
            return Ok(known);
        }
        let mut ordered = true;
        for part in &self.parts {
            ordered = ordered && ValueCursor::is_ordered(&part.reader, path)?;
        }
        self.ordered.insert(path.to_string(), ordered);
        Ok(ordered)
    }

    /// Whether it takes less time to read some documents than to walk over the keys of a path.
    fn are_documents_cheaper(&mut self, path: &str, within: &Domain) -> Result<bool> {
        let is_listed = |rows: &PartRows| rows.list().is_some();
        if !within.parts.iter().all(is_listed) {
            return Ok(false);
        }
        let documents = within.len();
        if documents <= FEW_DOCUMENTS {
            return Ok(true);
        }
        if let Some(cost) = self.walk_costs.get(path) {
            return Ok(documents as f64 * DOCUMENT_COST < *cost);
        }
        let (from, below) = key::values(PathHash::of(path));
        let mut cost = 0.0;
        for part in &self.parts {
            let mut sizes = PostingSizes::new(4);
            let sampled =
                part.reader.index.sample(&from, &below, SAMPLED_PAGES, &mut |_, postings| {
                    Ok([1.0, sizes.of(postings)?])
                })?;
            let [keys, postings] = sampled.sums;
            cost += keys * KEY_COST + postings * POSTING_COST;
        }
        self.walk_costs.insert(path.to_string(), cost);
        Ok(documents as f64 * DOCUMENT_COST < cost)
    }

    /// Visits the values at a path as the documents have them.
    fn each_of_documents(
        &self,
        path: &str,
        span: &Span,
        within: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<()> {
        let mut values = SortedValues::new(1);
        for (number, (part, rows)) in self.parts.iter().zip(&within.parts).enumerate() {
            let rows = part.list(rows)?;
            part.read_documents(&rows, path, &mut |value, doc_id| match span.contains(value) {
                true => values.push(value, DocAddress::new(number, doc_id)),
                false => Ok(()),
            })?;
        }
        values.sort();
        values.each(span, within, with_rows, visit)
    }

    /// Visits the values at a path as the keys have them, in the order of the span.
    fn each_of_keys(
        &self,
        path: &str,
        span: &Span,
        within: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<()> {
        let mut intervals = stored_intervals(span);
        if span.direction == Direction::Descending {
            intervals.reverse();
        }
        let mut unpacked = Unpacked::new();
        let is_over = Cell::new(false);
        let mut take = |stored: &[u8], found: Found| -> ReadResult<ControlFlow<()>> {
            let value = unpack(stored, &mut unpacked);
            let flow = if key::is_truncated_value(value) {
                // The documents tell such values apart.
                let rows = self.rows_of_key(path, stored, within)?;
                self.each_truncated(path, stored, span, &rows, with_rows, visit)?
            } else {
                let (count, rows) = match found {
                    Found::Count(count) => (count, None),
                    Found::Rows(rows) => (rows.len(), Some(rows)),
                };
                visit(Group { value, count, rows })?
            };
            is_over.set(flow.is_break());
            Ok(flow)
        };
        for (from, below) in intervals {
            let bounds = ValueBounds { from: Some(&from), below: Some(&below) };
            if let ([part], [rows], false) = (&self.parts[..], &within.parts[..], with_rows) {
                let mut cursor = ValueCursor::new(&part.reader, path, bounds, span.direction)?;
                let (filter, mut counter) = (part.filter(rows), part.counter(rows)?);
                let (index, mut keys) = (part.reader.index, 0);
                cursor.each_count(index, filter, &mut counter, &mut |stored, count| {
                    keys += 1;
                    take(stored, Found::Count(count))
                })?;
                part.keys.set(part.keys.get() + keys);
            } else {
                let mut walk =
                    KeyWalk::new(&self.parts, path, bounds, span.direction, within, with_rows)?;
                let mut stored = Vec::new();
                while let Some(found) = walk.next(&mut stored)? {
                    if take(&stored, found)?.is_break() {
                        break;
                    }
                }
            }
            if is_over.get() {
                break;
            }
        }
        Ok(())
    }

    /// The rows of some documents that have a key.
    fn rows_of_key(&self, path: &str, stored: &[u8], within: &Domain) -> ReadResult<Domain> {
        let below = [stored, &[0]].concat();
        let bounds = ValueBounds { from: Some(stored), below: Some(&below) };
        let mut walk = KeyWalk::new(&self.parts, path, bounds, Direction::Ascending, within, true)?;
        match walk.next(&mut Vec::new())? {
            Some(Found::Rows(rows)) => Ok(rows),
            _ => Ok(within.none()),
        }
    }

    /// Visits the values that one truncated key stands for.
    fn each_truncated(
        &self,
        path: &str,
        stored: &[u8],
        span: &Span,
        rows: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<ControlFlow<()>> {
        let mut values = SortedValues::new(1);
        for (number, (part, rows)) in self.parts.iter().zip(&rows.parts).enumerate() {
            let Some(rows) = rows.list() else { continue };
            part.read_documents(rows, path, &mut |value, doc_id| {
                let mut packed = Vec::new();
                string_code::pack(key::stored_value(value), &mut packed);
                match packed == stored {
                    true => values.push(value, DocAddress::new(number, doc_id)),
                    false => Ok(()),
                }
            })?;
        }
        values.sort();
        let mut flow = ControlFlow::Continue(());
        values.each(span, rows, with_rows, &mut |group: Group<'_>| {
            flow = visit(group)?;
            Ok(flow)
        })?;
        Ok(flow)
    }
}

/// The intervals of stored forms in which the values of a span lie, in order. The index has no
/// strings as versions before 0.4.0 stored them.
fn stored_intervals(span: &Span) -> Vec<(Vec<u8>, Vec<u8>)> {
    let from = key::stored_value(&span.from).to_vec();
    let below = match key::is_truncated_value(&span.below) {
        true => [key::stored_value(&span.below), &[0]].concat(),
        false => span.below.clone(),
    };
    string_code::intervals(&from, &below).into_vec()
}

/// What was found of a value.
enum Found {
    Count(u64),
    Rows(Domain),
}

/// The next value of one table.
struct Head {
    stored: Vec<u8>,
    part: usize,
    count: u64,
    rows: RoaringBitmap,
    direction: Direction,
}

impl Ord for Head {
    /// What comes first is the greatest, because a `BinaryHeap` has the greatest on top.
    fn cmp(&self, other: &Head) -> Ordering {
        let order = match self.direction {
            Direction::Ascending => self.stored.cmp(&other.stored),
            Direction::Descending => other.stored.cmp(&self.stored),
        };
        order.then(self.part.cmp(&other.part)).reverse()
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Head) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Head) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Head {}

/// A walk over the keys of a path in all tables at once.
struct KeyWalk<'w> {
    parts: Vec<PartWalk<'w>>,
    heads: BinaryHeap<Head>,
    with_rows: bool,
    direction: Direction,
}

struct PartWalk<'w> {
    index: &'w GinIndex,
    keys: &'w Cell<u64>,
    cursor: ValueCursor,
    filter: RowFilter<'w>,
    counter: RowCounter<'w>,
}

impl<'w> KeyWalk<'w> {
    fn new(
        parts: &'w [PartValues<'_>],
        path: &str,
        bounds: ValueBounds<'_>,
        direction: Direction,
        within: &'w Domain,
        with_rows: bool,
    ) -> ReadResult<KeyWalk<'w>> {
        let walk = |(part, rows): (&'w PartValues<'_>, &'w PartRows)| {
            Ok(PartWalk {
                index: part.reader.index,
                keys: &part.keys,
                cursor: ValueCursor::new(&part.reader, path, bounds, direction)?,
                filter: part.filter(rows),
                counter: part.counter(rows)?,
            })
        };
        let parts: Vec<_> = parts.iter().zip(&within.parts).map(walk).collect::<Result<_>>()?;
        let mut walk = KeyWalk { parts, heads: BinaryHeap::new(), with_rows, direction };
        if walk.parts.len() > 1 {
            for part in 0..walk.parts.len() {
                let head = walk.head(part, Vec::new())?;
                walk.heads.extend(head);
            }
        }
        Ok(walk)
    }

    /// Reads the next value of a table. `stored` is room for it.
    fn head(&mut self, part: usize, mut stored: Vec<u8>) -> ReadResult<Option<Head>> {
        let direction = self.direction;
        let Some(walk) = self.parts.get_mut(part) else { return Ok(None) };
        let PartWalk { index, keys, cursor, filter, counter } = walk;
        keys.set(keys.get() + 1);
        if self.with_rows {
            return Ok(cursor.next(index, *filter)?.map(|next| Head {
                stored: next.stored,
                part,
                count: 0,
                rows: next.rows,
                direction,
            }));
        }
        let count = cursor.next_count(index, *filter, counter, &mut stored)?;
        let rows = RoaringBitmap::new();
        Ok(count.map(|count| Head { stored, part, count, rows, direction }))
    }

    /// Finds the next value, which `stored` becomes.
    fn next(&mut self, stored: &mut Vec<u8>) -> ReadResult<Option<Found>> {
        let tables = self.parts.len();
        if tables == 1 {
            let Some(head) = self.head(0, std::mem::take(stored))? else { return Ok(None) };
            *stored = head.stored;
            return Ok(Some(match self.with_rows {
                true => Found::Rows(Domain { parts: vec![PartRows::Some(head.rows)] }),
                false => Found::Count(head.count),
            }));
        }
        let Some(first) = self.heads.pop() else { return Ok(None) };
        stored.clone_from(&first.stored);
        let mut rows = match self.with_rows {
            true => vec![RoaringBitmap::new(); tables],
            false => Vec::new(),
        };
        let (mut count, mut next) = (0, Some(first));
        while let Some(head) = next {
            count += head.count;
            if let Some(rows) = rows.get_mut(head.part) {
                *rows = head.rows;
            }
            let following = self.head(head.part, head.stored)?;
            self.heads.extend(following);
            let is_same = self.heads.peek().is_some_and(|head| head.stored == *stored);
            next = if is_same { self.heads.pop() } else { None };
        }
        Ok(Some(match self.with_rows {
            true => Found::Rows(Domain { parts: rows.into_iter().map(PartRows::Some).collect() }),
            false => Found::Count(count),
        }))
    }
}

impl ValueSource for IndexValues<'_> {
    fn matches(&self) -> Domain {
        self.matches.clone()
    }

    fn everything(&mut self) -> ReadResult<Domain> {
        if let Some(everything) = &self.everything {
            return Ok(everything.clone());
        }
        let mut parts = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let doc_ids = part.reader.doc_ids;
            let rows = visible_rows(&part.table, &Predicate::All, doc_ids, &mut self.stats)?;
            parts.push(PartRows::Some(rows));
        }
        Ok(self.everything.insert(Domain { parts }).clone())
    }

    fn matching(&mut self, predicate: &Predicate, within: &Domain) -> ReadResult<Domain> {
        if *predicate == Predicate::All {
            return Ok(within.clone());
        }
        let matcher = Matcher::new(predicate);
        let mut found = Vec::with_capacity(self.parts.len());
        for (part, rows) in self.parts.iter().zip(&within.parts) {
            let TidBitmap { mut candidates, recheck } = part.reader.rows(predicate)?;
            part.filter(rows).apply(&mut candidates);
            for doc_id in recheck & &candidates {
                let mut fetcher = part.fetcher.borrow_mut();
                let row = fetcher.fetch(part.reader.doc_ids.tid(doc_id));
                if !row.is_some_and(|stored| stored.read(|doc| matcher.matches(doc))) {
                    candidates.remove(doc_id);
                }
                part.documents.set(part.documents.get() + 1);
            }
            found.push(PartRows::Some(candidates));
        }
        Ok(Domain { parts: found })
    }

    fn having(&mut self, path: &str, within: &Domain) -> ReadResult<Domain> {
        // Versions before 0.4.0 wrote keys of existence for objects, too, and the keys of long
        // paths do not tell them apart.
        let mut is_exact = !key::is_truncated_path(path);
        for part in &self.parts {
            for key in [key::DOCUMENT_KEY_0_2, key::DOCUMENT_KEY_0_3] {
                is_exact = is_exact && part.reader.is_unused(key)?;
            }
        }
        let mut found = Vec::with_capacity(self.parts.len());
        if is_exact {
            for (part, rows) in self.parts.iter().zip(&within.parts) {
                let mut having = part.reader.rows_of_key(&key::exists(path))?;
                part.filter(rows).apply(&mut having);
                found.push(PartRows::Some(having));
            }
            return Ok(Domain { parts: found });
        }
        let mut having = vec![RoaringBitmap::new(); self.parts.len()];
        let all = Span::all(Direction::Ascending);
        self.each_value(path, &all, within, true, &mut |group: Group<'_>| {
            let parts = group.rows.map_or(Vec::new(), |rows| rows.parts);
            for (having, rows) in having.iter_mut().zip(&parts) {
                if let Some(rows) = rows.list() {
                    *having |= rows;
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(Domain { parts: having.into_iter().map(PartRows::Some).collect() })
    }

    fn without(&mut self, within: &Domain, others: &Domain) -> ReadResult<Domain> {
        let mut left = Vec::with_capacity(self.parts.len());
        for (part, (rows, others)) in self.parts.iter().zip(within.parts.iter().zip(&others.parts))
        {
            let mut rows = part.list(rows)?;
            rows -= &part.list(others)?;
            left.push(PartRows::Some(rows));
        }
        Ok(Domain { parts: left })
    }

    fn each_value(
        &mut self,
        path: &str,
        span: &Span,
        within: &Domain,
        with_rows: bool,
        visit: &mut Visit<'_>,
    ) -> ReadResult<()> {
        if within.is_empty() || span.from >= span.below {
            return Ok(());
        }
        let by_documents = !self.is_ordered(path)? || self.are_documents_cheaper(path, within)?;
        let way = match by_documents {
            true => "documents",
            false if within.parts.iter().all(|rows| rows.list().is_none()) => "posting lists",
            false => "posting lists and matches",
        };
        *self.ways.entry(path.to_string()).or_default().entry(way).or_default() += 1;
        match by_documents {
            true => self.each_of_documents(path, span, within, with_rows, visit),
            false => self.each_of_keys(path, span, within, with_rows, visit),
        }
    }

    fn ways(&self) -> Ways {
        self.ways.clone()
    }

    /// Where no document has two values, documents are counted by their values in one walk.
    fn counts_between(
        &mut self,
        path: &str,
        edges: &[Edge],
        within: &Domain,
    ) -> ReadResult<Vec<u64>> {
        let mut is_simple = self.is_ordered(path)? && !self.are_documents_cheaper(path, within)?;
        for part in &self.parts {
            is_simple = is_simple && part.reader.has_single_values(path)?;
            is_simple = is_simple && part.reader.is_unused(key::DOCUMENT_KEY_0_3)?;
        }
        let Some(mut counts) = EdgeCounts::new(edges).filter(|_| is_simple) else {
            return count_each(self, path, edges, within);
        };
        for span in counts.spans() {
            counts.rewind();
            self.each_value(path, &span, within, false, &mut |group: Group<'_>| {
                Ok(counts.add(group.value, group.count))
            })?;
        }
        for (part, rows) in self.parts.iter().zip(&within.parts) {
            let mut cursor = ValueCursor::of_instants(&part.reader, path, Direction::Ascending)?;
            let (filter, mut counter) = (part.filter(rows), part.counter(rows)?);
            counts.rewind();
            cursor.each_count(part.reader.index, filter, &mut counter, &mut |stored, count| {
                Ok(counts.add(stored, count))
            })?;
        }
        Ok(counts.into_counts())
    }

    /// Strings `…T…Z` are in the order of their instants up to the second, and all other instants
    /// have keys of their own, so that only the ends have to be looked at.
    fn instants(&mut self, path: &str, within: &Domain) -> ReadResult<Instants> {
        let mut found = number_instants(self, path, within)?;
        let mut has_keys = self.is_ordered(path)? && !self.are_documents_cheaper(path, within)?;
        for part in &self.parts {
            for key in [key::DOCUMENT_KEY_0_2, key::DOCUMENT_KEY_0_3] {
                has_keys = has_keys && part.reader.is_unused(key)?;
            }
        }
        for direction in [Direction::Ascending, Direction::Descending] {
            let mut second: Option<Vec<u8>> = None;
            let span = strings_of_instants(direction);
            self.each_value(path, &span, within, false, &mut |group: Group<'_>| {
                let text = text_of(group.value);
                let at = text.and_then(instant);
                if has_keys
                    && let Some(second) = &second
                    && !group.value.starts_with(second)
                {
                    return Ok(ControlFlow::Break(()));
                }
                found = widen(found, at);
                let is_ordered = at.is_some() && text.and_then(unordered_instant).is_none();
                if is_ordered && second.is_none() {
                    second = group.value.get(..1 + SECOND_BYTES).map(<[u8]>::to_vec);
                }
                Ok(ControlFlow::Continue(()))
            })?;
            if !has_keys {
                break;
            }
            for (part, rows) in self.parts.iter().zip(&within.parts) {
                let mut cursor = ValueCursor::of_instants(&part.reader, path, direction)?;
                if let Some(next) = cursor.next(part.reader.index, part.filter(rows))? {
                    found = widen(found, key::instant_of(&next.stored));
                }
            }
        }
        Ok(found)
    }

    fn paths(&mut self, prefix: &str) -> ReadResult<Option<BTreeSet<String>>> {
        let mut paths = BTreeSet::new();
        for (part, rows) in self.parts.iter().zip(&self.matches.parts) {
            let mut truncated = BTreeSet::new();
            part.reader.paths(prefix, &mut paths, &mut truncated)?;
            // The documents have the whole of a path.
            for key in truncated {
                let mut having = part.reader.rows_of_key(&key)?;
                part.filter(rows).apply(&mut having);
                for doc_id in having {
                    let mut fetcher = part.fetcher.borrow_mut();
                    let row = fetcher.fetch(part.reader.doc_ids.tid(doc_id));
                    let Some(stored) = row else { continue };
                    stored.read(|doc| {
                        walk(doc, &mut |path, _| {
                            if key::is_truncated_path(path) && path.starts_with(prefix) {
                                paths.insert(path.to_string());
                            }
                        });
                    });
                    part.documents.set(part.documents.get() + 1);
                }
            }
        }
        Ok(Some(paths))
    }

    /// Values that were truncated may differ although their keys do not.
    fn has_single_values(&mut self, path: &str) -> ReadResult<bool> {
        for part in &self.parts {
            let is_truncated = !part.reader.is_unused(&key::truncated(PathHash::of(path)))?;
            if is_truncated || !part.reader.has_single_values(path)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn stats(&self) -> ReadStats {
        let mut stats = self.stats;
        for part in &self.parts {
            stats += part.reader.stats();
            stats.rows += part.documents.get();
            stats.keys += part.keys.get();
            stats.heap_pages += part.fetcher.borrow().heap().pages.get();
        }
        stats
    }
}
