//! The rows of conditions, from the index's posting lists and from its pending list.

use super::bits::keep_spare;
use super::block_set::BlockSet;
use super::collector::Collector;
use super::doc_id::{DocIdMap, ReadResult};
use super::pending_filter::PendingFilter;
use super::read_stats::ReadStats;
use super::rows::Rows;
use super::settings::{changes_memory, spare_memory};
use super::tid_bitmap::TidBitmap;
use crate::error::Result;
use crate::index::gin::{Entries, GinIndex, PendingEntries, Sink};
use crate::index::key::{self, PathHash};
use crate::index::probe::{LeafProbe, combine_patterns};
use crate::index::ranges::KeyRange;
use crate::index::ternary::Ternary;
use crate::interrupts;
use crate::pg::guc::work_mem;
use crate::predicate::Test;
use roaring::RoaringBitmap;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// An index as one query reads it: what was pending when the query began, and the tree of entries.
pub struct PostingReader<'i> {
    pub index: &'i GinIndex,
    pub doc_ids: DocIdMap,
    /// The number of blocks of the table.
    pub blocks: u32,
    /// The entries of the pending list, by key.
    pub pending: Rc<PendingEntries>,
    /// The pages whose rows are collected. Postings of all other pages are counted.
    pub block_set: BlockSet,
    pub(super) facts: PathFacts,
    stats: RefCell<ReadStats>,
}

/// What one query has found out about paths (`path_facts`).
#[derive(Default)]
pub struct PathFacts {
    /// By path: whether another path has the same hash.
    pub collides: RefCell<HashMap<String, bool>>,
    /// Whether a version before 0.5.0 has entered some document. Those had no keys of instants.
    pub has_older_documents: OnceCell<bool>,
}

/// Where the rows of conditions go.
struct LeafCollectors<'b> {
    /// Rows that satisfy one of the conditions.
    exact: Collector<'b>,
    /// Rows that need a recheck.
    recheck: Collector<'b>,
}

impl<'b> LeafCollectors<'b> {
    /// The collector for rows of which this much is known.
    fn get(&mut self, truth: Ternary) -> Option<&mut Collector<'b>> {
        match truth {
            Ternary::No => None,
            Ternary::Maybe => Some(&mut self.recheck),
            Ternary::Yes => Some(&mut self.exact),
        }
    }
}

/// What the posting lists of conditions have.
#[derive(Default)]
pub struct LeafPostings {
    /// The rows on pages of the block set.
    pub rows: TidBitmap,
    /// The number of postings on all other pages.
    pub skipped: u64,
    /// Whether none of those needs a recheck.
    pub skipped_are_exact: bool,
}

impl<'i> PostingReader<'i> {
    /// Reads the pending list before anything else. Entries move from there into the tree, so what
    /// is not found pending is in the tree already (README of GIN). All pending entries of a row
    /// are pending together.
    pub fn new(
        index: &'i GinIndex,
        doc_ids: DocIdMap,
        blocks: u32,
        filter: &PendingFilter,
    ) -> Result<PostingReader<'i>> {
        keep_spare(spare_memory());
        let pending = match index.remembered_pending(changes_memory())? {
            Some(pending) => pending,
            None => {
                let mut pending = PendingEntries::default();
                index.pending(&mut |key, row| pending.add(key, row, || filter.contains(key)))?;
                Rc::new(pending)
            }
        };
        Ok(PostingReader {
            index,
            doc_ids,
            blocks,
            pending,
            block_set: BlockSet::all(),
            facts: PathFacts::default(),
            stats: RefCell::default(),
        })
    }

    /// What was read so far.
    pub fn stats(&self) -> ReadStats {
        *self.stats.borrow()
    }

    fn collector(&self) -> Collector<'_> {
        Collector::new(self.doc_ids, &self.block_set, self.blocks, work_mem() / 2)
    }

    /// All rows of the table.
    pub fn all(&self) -> ReadResult<Rows> {
        Ok(self.all_documents(None)?.rows.candidates)
    }

    /// All rows on pages of the block set, and the number of all other rows. `skipped` is that
    /// number, if it is known already.
    pub fn all_documents(&self, skipped: Option<u64>) -> ReadResult<LeafPostings> {
        if let Some(skipped) = skipped.filter(|_| self.block_set.is_empty()) {
            return Ok(LeafPostings { skipped, skipped_are_exact: true, ..Default::default() });
        }
        let mut rows = self.collector();
        rows.stop_early = skipped.is_some();
        key::DOCUMENT_KEYS.iter().try_for_each(|key| self.collect_key(key, &mut rows))?;
        self.add_postings(rows.collected, rows.skipped);
        Ok(LeafPostings {
            skipped: skipped.unwrap_or(rows.skipped),
            rows: TidBitmap::exact(rows.finish()?),
            skipped_are_exact: true,
        })
    }

    /// The rows that satisfy at least one of several conditions.
    pub fn conditions<'c>(
        &self,
        conditions: impl Iterator<Item = (Option<&'c str>, &'c Test)>,
    ) -> ReadResult<TidBitmap> {
        Ok(self.condition_postings(conditions)?.rows)
    }

    /// The same for pages of the block set, with the number of postings on all other pages.
    pub fn condition_postings<'c>(
        &self,
        conditions: impl Iterator<Item = (Option<&'c str>, &'c Test)>,
    ) -> ReadResult<LeafPostings> {
        let mut collectors = LeafCollectors { exact: self.collector(), recheck: self.collector() };
        let mut probes = Vec::new();
        for (path, test) in conditions {
            match path {
                Some(path) if test.is_existence() => {
                    // Paths that are too long to be stored whole cannot be told apart.
                    let is_truncated = key::is_truncated_path(path);
                    let truth = if is_truncated { Ternary::Maybe } else { Ternary::Yes };
                    if let Some(rows) = collectors.get(truth) {
                        self.collect_key(&key::exists(path), rows)?;
                        let below = self.existence_keys_below(path)?;
                        below.iter().try_for_each(|key| self.collect_key(key, rows))?;
                    }
                }
                path => probes.push((path, self.probe(test)?)),
            }
        }
        for (path, probe) in combine_patterns(probes) {
            match path {
                Some(path) => {
                    let collides = self.path_hash_collides(path)?;
                    let at_most = if collides { Ternary::Maybe } else { Ternary::Yes };
                    self.collect_values(PathHash::of(path), &probe, at_most, &mut collectors)?;
                }
                // A value at any path is one at a path that has an existence key.
                None => {
                    for hash in self.path_hashes()? {
                        self.collect_values(hash, &probe, Ternary::Yes, &mut collectors)?;
                    }
                }
            }
        }
        let LeafCollectors { exact, recheck } = collectors;
        let (skipped, skipped_are_exact) = (exact.skipped + recheck.skipped, recheck.skipped == 0);
        self.add_postings(exact.collected + recheck.collected, skipped);
        let (exact, recheck) = (exact.finish()?, recheck.finish()?);
        let rows = if recheck.is_empty() {
            TidBitmap::exact(exact)
        } else {
            let (mut candidates, mut recheck) = (exact, recheck);
            recheck.subtract(&candidates)?;
            candidates.unite(&recheck);
            TidBitmap { candidates, recheck }
        };
        Ok(LeafPostings { rows, skipped, skipped_are_exact })
    }

    /// The rows that have a value at a path or below it, and how many there are on pages outside of
    /// the block set; none where some of those might be counted twice.
    pub fn exists_postings(&self, path: &str) -> ReadResult<Option<LeafPostings>> {
        let (mut sum, mut most, mut rows) = (0, 0, Rows::none());
        let keys = std::iter::once(key::exists(path)).chain(self.existence_keys_below(path)?);
        for key in keys {
            let mut collector = self.collector();
            self.collect_key(&key, &mut collector)?;
            self.add_postings(collector.collected, collector.skipped);
            sum += collector.skipped;
            most = most.max(collector.skipped);
            rows.unite(&collector.finish()?);
        }
        // The number is known where a single key has all of the postings; and where one key has all
        // rows of the table, as most objects have some member that is in every document.
        let is_known = most == sum || most == self.all_documents(None)?.skipped;
        Ok(is_known.then_some(LeafPostings {
            rows: TidBitmap::exact(rows),
            skipped: most,
            skipped_are_exact: !key::is_truncated_path(path),
        }))
    }

    /// Collects the rows that have a value which satisfies a probe, at the paths with this hash. Of
    /// no row more is known than `at_most`.
    fn collect_values(
        &self,
        hash: PathHash,
        probe: &LeafProbe,
        at_most: Ternary,
        collectors: &mut LeafCollectors<'_>,
    ) -> Result<()> {
        for range in &probe.ranges {
            if let Some(value) = range.point() {
                let truth = if range.recheck { Ternary::Maybe } else { at_most };
                if let Some(rows) = collectors.get(truth) {
                    self.collect_key(&key::value(hash, value), rows)?;
                }
                continue;
            }
            let from = key::value(hash, &range.from);
            let below = key::value(hash, &range.below);
            let truth = |key: &[u8]| match key::value_of(key) {
                Some(value) if range.recheck => probe.recheck(value).min(at_most),
                _ => at_most,
            };
            for (key, rows) in self.pending.range(from.clone()..below.clone()) {
                if let Some(collector) = collectors.get(truth(key)) {
                    rows.iter().for_each(|tid| collector.take(*tid));
                }
            }
            let keys = if range.recheck {
                self.collect_rechecked(hash, range, probe, at_most, collectors)?
            } else if let Some(collector) = collectors.get(at_most) {
                self.index.scan_range(&from, &below, collector)?
            } else {
                0
            };
            self.stats.borrow_mut().keys += keys;
        }
        Ok(())
    }

    /// Collects the rows of those keys of the tree that lie in a range and satisfy a probe. Where a
    /// key shows that no key with the same beginning satisfies it, those keys are leapt over.
    /// Returns how many keys were looked at.
    fn collect_rechecked(
        &self,
        hash: PathHash,
        range: &KeyRange,
        probe: &LeafProbe,
        at_most: Ternary,
        collectors: &mut LeafCollectors<'_>,
    ) -> Result<u64> {
        let mut entries = Entries::ascending(self.index, &key::value(hash, &range.from))?;
        let below = key::value(hash, &range.below);
        let mut keys = 0;
        while let Some(entry) = entries.next(self.index)? {
            if entry.key >= below.as_slice() {
                break;
            }
            keys += 1;
            // A recheck takes about as long as eight units of other work.
            interrupts::spend(8);
            let value = key::value_of(entry.key);
            match value.map_or(Ok(at_most), |value| probe.recheck_or_seek(value)) {
                Ok(truth) => {
                    if let Some(collector) = collectors.get(truth.min(at_most)) {
                        entry.postings.for_each(collector)?;
                    }
                }
                Err(behind) => {
                    entries.seek(self.index, &key::value(hash, &behind))?;
                }
            }
        }
        Ok(keys)
    }

    /// The rows that have a key.
    pub fn rows_of_key(&self, key: &[u8]) -> ReadResult<RoaringBitmap> {
        let mut rows = self.collector();
        self.collect_key(key, &mut rows)?;
        self.add_postings(rows.collected, rows.skipped);
        Ok(rows.finish()?.bitmap())
    }

    /// Collects the rows that have a key.
    fn collect_key(&self, key: &[u8], rows: &mut Collector<'_>) -> Result<()> {
        self.pending.get(key).into_iter().flatten().for_each(|tid| rows.take(*tid));
        self.stats.borrow_mut().keys += 1;
        self.index.postings(key, rows)
    }

    fn add_postings(&self, collected: u64, counted: u64) {
        let mut stats = self.stats.borrow_mut();
        stats.postings += collected;
        stats.counted += counted;
    }
}
