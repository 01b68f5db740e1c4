//! The values at the paths of a query's matches, from the index: posting lists are counted as they
//! lie where all documents match, and intersected with the matches where not. Where few documents
//! match, or the keys do not tell values apart, the documents themselves are read.

mod key_walk;
mod ordinals;
mod part;
mod source;
mod tally;

use crate::error::Result;
use crate::executor::doc_address::DocAddress;
use crate::executor::doc_id::{DocIdMap, ReadError, ReadResult};
use crate::executor::domain::{Domain, PartRows};
use crate::executor::heap::Heap;
use crate::executor::known_doc_ids::{known_doc_ids, remember_doc_ids};
use crate::executor::ordinal_counts::OrdinalCounts;
use crate::executor::partition_matches::open;
use crate::executor::read_stats::ReadStats;
use crate::executor::sorted_values::SortedValues;
use crate::executor::table::IndexedTable;
use crate::executor::value_cursor::{ValueBounds, ValueCursor};
use crate::executor::value_span::Span;
use crate::executor::values::{Group, ValueSource, Visit, Ways};
use crate::executor::visibility_map::VisibilityMap;
use crate::index::gin::{Direction, GinIndex, PostingSizes};
use crate::index::key::{self, PathHash};
use crate::index::string_code::{self, Unpacked, unpack};
use crate::predicate::Predicate;
use key_walk::{Found, KeyWalk};
use part::PartValues;
use std::cell::Cell;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::rc::Rc;

/// Nanoseconds that it takes to read a document, a key of the index, and a posting. What matters is
/// their ratio.
const DOCUMENT_COST: f64 = 1_500.0;
const KEY_COST: f64 = 30.0;
const POSTING_COST: f64 = 2.0;
/// Documents. So few are read without an estimate of what the keys would take, since that takes as
/// long…
const FEW_DOCUMENTS: u64 = 24;
/// … but not for all of many paths: documents with many paths take long to read.
const FEW_READS: u32 = 256;
/// Leaf pages of the index that such an estimate reads.
const SAMPLED_PAGES: usize = 8;

/// A store whose values are read from its indexes.
pub struct IndexValues<'i> {
    parts: Vec<PartValues<'i>>,
    matches: Domain,
    everything: Option<Domain>,
    /// What it takes to walk over the keys of a path, in nanoseconds.
    walk_costs: HashMap<String, f64>,
    /// How often documents were read without an estimate.
    few_reads: u32,
    /// By path: whether its keys are in the order of its values and hold no others.
    ordered: HashMap<String, bool>,
    /// By path: whether it can have ordinals.
    single: HashMap<String, bool>,
    /// What was counted last by ordinals: the path, and the documents.
    counted: Option<(String, Domain, Rc<OrdinalCounts>)>,
    ways: Ways,
    stats: ReadStats,
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
            let mut values = IndexValues {
                parts,
                matches,
                everything,
                walk_costs: HashMap::new(),
                few_reads: 0,
                ordered: HashMap::new(),
                single: HashMap::new(),
                counted: None,
                ways: Ways::new(),
                stats,
            };
            let result = work(&mut values)?;
            let is_confirmed = values.is_confirmed()?;
            if is_confirmed {
                for (table, rows) in tables.iter().zip(&values.matches.parts) {
                    table.count_scan(rows.len());
                }
            }
            Ok(is_confirmed.then_some(result))
        })();
        match attempt {
            Ok(Some(result)) => return Ok(Some(result)),
            Ok(None) => may_doubt = false,
            Err(ReadError::Failed(error)) => return Err(error),
            // It is not known in which table, so that all get a wider map that can have one.
            Err(ReadError::DocIdOverflow(_)) => {
                let mut is_widened = false;
                for (table, ((heap, _), doc_ids)) in tables.iter().zip(pairs()) {
                    let wider = doc_ids.wider().filter(|wider| wider.covers(heap.blocks()));
                    if let Some(wider) = wider {
                        remember_doc_ids(table, wider);
                        is_widened = true;
                    }
                }
                if !is_widened {
                    return Ok(None);
                }
            }
        }
    }
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

    /// Whether the key of a path's existence has the rows that have a value at exactly this path.
    /// Versions before 0.4.0 wrote such keys for objects, too, and those of long paths do not tell
    /// them apart.
    fn has_exact_existence(&self, path: &str) -> Result<bool> {
        let mut is_exact = !key::is_truncated_path(path);
        for part in &self.parts {
            for key in [key::DOCUMENT_KEY_0_2, key::DOCUMENT_KEY_0_3] {
                is_exact = is_exact && part.reader.is_unused(key)?;
            }
        }
        Ok(is_exact)
    }

    /// Whether it takes less time to read some documents than to walk over the keys of a path.
    fn are_documents_cheaper(&mut self, path: &str, within: &Domain) -> Result<bool> {
        let is_listed = |rows: &PartRows| rows.list().is_some();
        if !within.parts.iter().all(is_listed) {
            return Ok(false);
        }
        let documents = within.len();
        if documents <= FEW_DOCUMENTS && self.few_reads < FEW_READS {
            self.few_reads += 1;
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
        counts: Option<&OrdinalCounts>,
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
            if let Some(counts) = counts {
                each_counted(counts, (&from, &below), span.direction, &mut take)?;
            } else if let ([part], [rows], false) = (&self.parts[..], &within.parts[..], with_rows)
            {
                let mut cursor = ValueCursor::new(&part.reader, path, bounds, span.direction)?;
                let (filter, mut counter) = (part.filter(rows), part.counter(rows));
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

/// Passes the values of an interval that were counted by ordinals.
fn each_counted(
    counts: &OrdinalCounts,
    (from, below): (&[u8], &[u8]),
    direction: Direction,
    take: &mut impl FnMut(&[u8], Found) -> ReadResult<ControlFlow<()>>,
) -> ReadResult<()> {
    let ordinals = counts.ordinals();
    let range = ordinals.first_behind(from)..ordinals.first_behind(below);
    let flow = counts.each(range, direction, |ordinal, count| {
        match take(ordinals.stored(ordinal), Found::Count(count)) {
            Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
            Ok(ControlFlow::Break(())) => ControlFlow::Break(Ok(())),
            Err(error) => ControlFlow::Break(Err(error)),
        }
    });
    flow.break_value().unwrap_or(Ok(()))
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
