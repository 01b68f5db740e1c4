//! What facets and statistics ask, answered from the indexes.

use super::IndexValues;
use super::part::{Doubt, PartValues, visible_rows};
use crate::document::{instant, unordered_instant, walk};
use crate::executor::doc_id::ReadResult;
use crate::executor::domain::{Domain, PartRows};
use crate::executor::edges::{Edge, EdgeCounts};
use crate::executor::instants::text_of;
use crate::executor::ordinal_counts::OrdinalCounts;
use crate::executor::read_stats::ReadStats;
use crate::executor::tally_memory::remembered;
use crate::executor::tid_bitmap::TidBitmap;
use crate::executor::value_cursor::ValueCursor;
use crate::executor::value_span::Span;
use crate::executor::values::{
    Group, Instants, Tally, ValueSource, Visit, Ways, count_each, counted_instants,
    number_instants, strings_of_instants, widen,
};
use crate::index::gin::{Direction, GinIndex};
use crate::index::key::{self, PathHash};
use crate::matcher::Matcher;
use crate::predicate::Predicate;
use roaring::RoaringBitmap;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::rc::Rc;

/// The length of `2024-03-31T12:00:00`.
const SECOND_BYTES: usize = 19;

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
            parts.push(PartRows::of(rows));
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
            let TidBitmap { candidates, recheck } = part.reader.rows(predicate)?;
            let (mut candidates, recheck) = (candidates.bitmap(), recheck.bitmap());
            part.filter(rows).apply(&mut candidates)?;
            for doc_id in recheck & &candidates {
                let mut fetcher = part.fetcher.borrow_mut();
                let row = fetcher.fetch(part.reader.doc_ids.tid(doc_id));
                if !row.is_some_and(|stored| stored.read(|doc| matcher.matches(doc))) {
                    candidates.remove(doc_id);
                }
                part.documents.set(part.documents.get() + 1);
            }
            found.push(PartRows::of(candidates));
        }
        Ok(Domain { parts: found })
    }

    fn having(&mut self, path: &str, within: &Domain) -> ReadResult<Domain> {
        let mut found = Vec::with_capacity(self.parts.len());
        if self.has_exact_existence(path)? {
            for (part, rows) in self.parts.iter().zip(&within.parts) {
                let mut having = part.reader.rows_of_key(&key::exists(path))?;
                part.filter(rows).apply(&mut having)?;
                found.push(PartRows::of(having));
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
        Ok(Domain { parts: having.into_iter().map(PartRows::of).collect() })
    }

    fn count_having(&mut self, path: &str, within: &Domain) -> ReadResult<u64> {
        if let Some(counts) = self.count_by_ordinals(path, within)? {
            return Ok(counts.sum(0..counts.ordinals().len()));
        }
        let key = key::exists(path);
        let is_pending = self.parts.iter().any(|part| part.reader.pending.contains_key(&key));
        let is_all = within.parts.iter().all(|rows| rows.list().is_none());
        if is_pending || !is_all || !self.has_exact_existence(path)? {
            return Ok(self.having(path, within)?.len());
        }
        let mut count = 0;
        for (part, rows) in self.parts.iter().zip(&within.parts) {
            let mut counter = part.counter(rows);
            count += part.reader.index.entry(&key, |postings| {
                postings.map_or(Ok(0), |postings| counter.count(&postings))
            })?;
        }
        Ok(count)
    }

    /// What was counted of the same documents is remembered.
    fn tally(&mut self, path: &str, span: &Span, within: &Domain) -> ReadResult<Tally> {
        let range = (path.to_string(), span.from.clone(), span.below.clone());
        let is_known = |(part, rows): (&PartValues<'_>, &PartRows)| {
            let is_all_visible = |doubt: &Doubt| doubt.blocks.is_empty();
            rows.list().is_some() || part.doubt.as_ref().is_some_and(is_all_visible)
        };
        let is_known = self.parts.iter().zip(&within.parts).all(is_known);
        let indexes: Vec<&GinIndex> = self.parts.iter().map(|part| part.reader.index).collect();
        remembered(&indexes, range, within, is_known, || self.tally_now(path, span, within))
    }

    fn without(&mut self, within: &Domain, others: &Domain) -> ReadResult<Domain> {
        let mut left = Vec::with_capacity(self.parts.len());
        for (part, (rows, others)) in self.parts.iter().zip(within.parts.iter().zip(&others.parts))
        {
            let mut rows = part.list(rows)?;
            rows -= &part.list(others)?;
            left.push(PartRows::of(rows));
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
        if !with_rows && let Some(counts) = self.count_span_by_ordinals(path, span, within)? {
            return self.each_of_keys(path, span, within, false, Some(&counts), visit);
        }
        let by_documents = !self.is_ordered(path)? || self.are_documents_cheaper(path, within)?;
        let way = match by_documents {
            true => "documents",
            false if within.parts.iter().all(|rows| rows.list().is_none()) => "posting lists",
            false => "posting lists and matches",
        };
        *self.ways.entry(path.to_string()).or_default().entry(way).or_default() += 1;
        if by_documents {
            return self.each_of_documents(path, span, within, with_rows, visit);
        }
        let before = self.keys_read();
        self.each_of_keys(path, span, within, with_rows, None, visit)?;
        if span.is_whole() && !with_rows {
            self.note_keys(path, before);
        }
        Ok(())
    }

    fn counted(&mut self, path: &str, within: &Domain) -> ReadResult<Option<Rc<OrdinalCounts>>> {
        // Values that were truncated may differ although their keys do not.
        match !within.is_empty() && self.has_single_values(path)? {
            true => self.count_span_by_ordinals(path, &Span::all(Direction::Ascending), within),
            false => Ok(None),
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
        let by_ordinals = self.count_by_ordinals(path, within)?;
        let mut is_simple = self.is_ordered(path)?
            && (by_ordinals.is_some() || !self.are_documents_cheaper(path, within)?);
        for part in &self.parts {
            is_simple = is_simple && part.reader.has_single_values(path)?;
            is_simple = is_simple && part.reader.is_unused(key::DOCUMENT_KEY_0_3)?;
        }
        let Some(mut counts) = EdgeCounts::new(edges).filter(|_| is_simple) else {
            return count_each(self, path, edges, within);
        };
        if let Some(by_ordinals) = &by_ordinals
            && !counts.add_counts(by_ordinals)?
        {
            return Ok(counts.into_counts());
        }
        let spans = if by_ordinals.is_some() { Vec::new() } else { counts.spans() };
        let before = self.keys_read();
        for span in spans {
            if self.tally_between(path, &span, &mut counts, within)? {
                continue;
            }
            counts.rewind();
            self.each_value(path, &span, within, false, &mut |group: Group<'_>| {
                Ok(counts.add(group.value, group.count))
            })?;
        }
        self.note_keys(path, before);
        for (part, rows) in self.parts.iter().zip(&within.parts) {
            let mut cursor = ValueCursor::of_instants(&part.reader, path, Direction::Ascending)?;
            let (filter, mut counter) = (part.filter(rows), part.counter(rows));
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
        // Who asks for the ends counts what is between them next.
        if let Some(counted) = self.count_by_ordinals(path, within)?
            && let Some(found) = counted_instants(&counted)?
        {
            return Ok(found);
        }
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
                part.filter(rows).apply(&mut having)?;
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
