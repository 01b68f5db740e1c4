//! The rows of one leaf of a predicate, from the index's tree and from what is pending beside it.

use super::block_set::BlockSet;
use super::page_visibility;
use super::sorted_rows::work_mem;
use super::tid_bitmap::{Collector, DocIdMap, TidBitmap};
use crate::error::Result;
use crate::index::gin::{Entries, GinIndex, PendingEntries, Sink};
use crate::index::key::{self, PathHash};
use crate::index::probe::{LeafProbe, combine_patterns};
use crate::index::ranges::{KeyRange, is_one_value};
use crate::index::string_code::{behind_packed, end_of_prefix, leading_digit};
use crate::index::ternary::Ternary;
use crate::interrupts;
use crate::predicate::{Predicate, Test};
use roaring::RoaringBitmap;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::ControlFlow;
use std::rc::Rc;

/// An index at one moment: what was pending when it was opened, and its tree.
pub struct PostingReader<'i> {
    pub index: &'i GinIndex,
    pub doc_ids: DocIdMap,
    /// Blocks of the table.
    pub blocks: u32,
    /// Entries that are in no order of theirs yet, in order.
    pub pending: Rc<PendingEntries>,
    /// The pages whose rows are looked for; those of others are counted.
    pub block_set: BlockSet,
    /// Whether some other path has the path's hash.
    shared: RefCell<HashMap<String, bool>>,
    /// Whether an earlier version has entered some document.
    is_older: OnceCell<bool>,
    pub read: RefCell<Read>,
}

/// What was read, for session_explain.
#[derive(Debug, Clone, Copy, Default)]
pub struct Read {
    pub keys: u64,
    pub postings: u64,
    /// Those outside the block set.
    pub counted: u64,
}

/// Where a leaf's rows go.
struct LeafCollectors<'r> {
    exact: Collector<'r>,
    recheck: Collector<'r>,
}

impl<'r> LeafCollectors<'r> {
    fn by(&mut self, truth: Ternary) -> Option<&mut Collector<'r>> {
        match truth {
            Ternary::No => None,
            Ternary::Maybe => Some(&mut self.recheck),
            Ternary::Yes => Some(&mut self.exact),
        }
    }
}

/// Rows of the block set, and how many postings there are on other pages.
#[derive(Default)]
pub struct LeafPostings {
    pub found: TidBitmap,
    pub skipped: u64,
    /// Whether those are all exact.
    pub is_exact: bool,
}

/// The keys that a query can ask for: of pending ones, which are in no order, the others need not be kept.
pub enum PendingFilter {
    All,
    At(PendingPaths),
}

/// Keys of some paths.
#[derive(Default)]
pub struct PendingPaths {
    hashes: Vec<PathHash>,
    /// Those below which the paths are asked for, too, as they are stored.
    above: HashSet<Vec<u8>>,
}

impl PendingFilter {
    pub fn none() -> PendingFilter {
        PendingFilter::At(PendingPaths::default())
    }

    pub fn path(path: &str) -> PendingFilter {
        PendingFilter::At(PendingPaths { hashes: vec![PathHash::of(path)], above: HashSet::new() })
    }

    pub fn of(predicate: &Predicate) -> PendingFilter {
        let mut wanted = PendingPaths::default();
        if !wanted.add(predicate) {
            return PendingFilter::All;
        }
        wanted.hashes.sort_unstable();
        wanted.hashes.dedup();
        PendingFilter::At(wanted)
    }

    fn has(&self, key: &[u8]) -> bool {
        match (self, key::path_hash(key)) {
            (PendingFilter::All, _) | (_, None) => true,
            (PendingFilter::At(PendingPaths { hashes, above }), Some(hash)) => {
                hashes.binary_search(&hash).is_ok()
                    || !above.is_empty() && key::paths_above(key).any(|path| above.contains(path))
            }
        }
    }
}

impl PendingPaths {
    /// False where any path is asked for.
    fn add(&mut self, predicate: &Predicate) -> bool {
        predicate.conditions().all(|(path, test)| {
            let Some(path) = path else { return false };
            self.hashes.push(PathHash::of(path));
            if test.is_existence() {
                self.above.insert(key::stored_path(path).to_vec());
            }
            true
        })
    }
}

impl<'i> PostingReader<'i> {
    /// Reads the pending list, first of all: entries move from there into the tree, so that what is not found there any more is
    /// in the tree already (README of GIN). A row's entries in the pending list are all there together.
    pub fn new(
        index: &'i GinIndex,
        doc_ids: DocIdMap,
        blocks: u32,
        wanted: &PendingFilter,
    ) -> Result<PostingReader<'i>> {
        let pending = match index.remembered_pending(page_visibility::limit())? {
            Some(pending) => pending,
            None => {
                let mut pending = PendingEntries::new();
                index.pending(&mut |key, tid| match pending.get_mut(key) {
                    Some(rows) => rows.push(tid),
                    None if !wanted.has(key) => {}
                    None => {
                        pending.insert(key.to_vec(), vec![tid]);
                    }
                })?;
                Rc::new(pending)
            }
        };
        Ok(PostingReader {
            index,
            doc_ids,
            blocks,
            pending,
            block_set: BlockSet::all(),
            shared: RefCell::default(),
            is_older: OnceCell::new(),
            read: RefCell::default(),
        })
    }

    fn collector(&self) -> Collector<'_> {
        Collector::new(self.doc_ids, &self.block_set, self.blocks, work_mem() / 2)
    }

    /// All rows.
    pub fn all(&self) -> Result<RoaringBitmap> {
        Ok(self.all_documents()?.found.candidates)
    }

    /// The same, with the number of those outside the block set.
    pub fn all_documents(&self) -> Result<LeafPostings> {
        self.all_documents_given(None)
    }

    /// The same, where that number is known perhaps.
    pub fn all_documents_given(&self, outside: Option<u64>) -> Result<LeafPostings> {
        let mut rows = self.collector();
        rows.stop_early = outside.is_some();
        key::DOCUMENT_KEYS.iter().try_for_each(|key| self.key(key, &mut rows))?;
        self.add_read(rows.collected, rows.skipped);
        let (skipped, candidates) = (outside.unwrap_or(rows.skipped), rows.finish()?);
        Ok(LeafPostings {
            found: TidBitmap { candidates, ..TidBitmap::none() },
            skipped,
            is_exact: true,
        })
    }

    /// The rows with a leaf that passes.
    pub fn condition(&self, path: Option<&str>, test: &Test) -> Result<TidBitmap> {
        self.conditions(std::iter::once((path, test)))
    }

    /// The rows with a leaf that passes one of several tests.
    pub fn conditions<'l>(
        &self,
        conditions: impl Iterator<Item = (Option<&'l str>, &'l Test)>,
    ) -> Result<TidBitmap> {
        Ok(self.condition_postings(conditions)?.found)
    }

    /// The same, with the number of postings outside the block set.
    pub fn condition_postings<'l>(
        &self,
        conditions: impl Iterator<Item = (Option<&'l str>, &'l Test)>,
    ) -> Result<LeafPostings> {
        let mut taken = LeafCollectors { exact: self.collector(), recheck: self.collector() };
        let mut tests = Vec::new();
        for (path, test) in conditions {
            match path {
                Some(path) if test.is_existence() => {
                    let truth =
                        if key::is_truncated_path(path) { Ternary::Maybe } else { Ternary::Yes };
                    if let Some(rows) = taken.by(truth) {
                        self.key(&key::exists(path), rows)?;
                        self.below(path)?.iter().try_for_each(|key| self.key(key, rows))?;
                    }
                }
                path => tests.push((path, self.probe(test)?)),
            }
        }
        for (path, probe) in combine_patterns(tests) {
            match path {
                Some(path) => {
                    let most =
                        if self.path_hash_collides(path)? { Ternary::Maybe } else { Ternary::Yes };
                    self.values(PathHash::of(path), &probe, most, &mut taken)?;
                }
                None => self.anywhere(&probe, &mut taken)?,
            }
        }
        let skipped = taken.exact.skipped + taken.recheck.skipped;
        self.add_read(taken.exact.collected + taken.recheck.collected, skipped);
        let is_exact = taken.recheck.skipped == 0;
        let (exact, recheck) = (taken.exact.finish()?, taken.recheck.finish()?);
        let found = if recheck.is_empty() {
            TidBitmap { candidates: exact, recheck }
        } else {
            let recheck = recheck - &exact;
            TidBitmap { candidates: exact | &recheck, recheck }
        };
        Ok(LeafPostings { found, skipped, is_exact })
    }

    /// Whether no document is under more than one key of these ranges, so that they have as many documents as postings.
    pub fn have_disjoint_postings(&self, path: &str, ranges: &mut [KeyRange]) -> Result<bool> {
        ranges.sort_by(|a, b| a.from.cmp(&b.from));
        if ranges.windows(2).any(|pair| pair[1].from < pair[0].below)
            || self.path_hash_collides(path)?
        {
            return Ok(false);
        }
        if is_one_value(ranges) {
            return Ok(true);
        }
        self.has_single_values(path)
    }

    /// Whether no document has several values at a path.
    pub fn has_single_values(&self, path: &str) -> Result<bool> {
        let several = key::multi_valued(PathHash::of(path));
        Ok(self.is_unused(&several)? && self.is_unused(key::DOCUMENT_KEY_0_2)?)
    }

    /// The rows with a leaf at a path or below it, counted outside the block set; none where some may be counted twice.
    pub fn exists_postings(&self, path: &str) -> Result<Option<LeafPostings>> {
        let (mut sum, mut met) = (
            0,
            LeafPostings { is_exact: !key::is_truncated_path(path), ..LeafPostings::default() },
        );
        for key in std::iter::once(key::exists(path)).chain(self.below(path)?) {
            let mut rows = self.collector();
            self.key(&key, &mut rows)?;
            self.add_read(rows.collected, rows.skipped);
            sum += rows.skipped;
            met.skipped = met.skipped.max(rows.skipped);
            met.found.candidates |= rows.finish()?;
        }
        // One path has them all; or all rows there are, as most objects have some member in every document.
        let is_known = met.skipped == sum || met.skipped == self.all_documents()?.skipped;
        Ok(is_known.then_some(met))
    }

    /// The E keys of the paths below a path.
    fn below(&self, path: &str) -> Result<BTreeSet<Vec<u8>>> {
        let (from, below) = key::ALL_PATHS;
        let mut keys = BTreeSet::new();
        self.each_key(&from, &below, &mut |key| {
            if key::is_below(key, path) {
                keys.insert(key.to_vec());
            }
        })?;
        Ok(keys)
    }

    /// What is asked of the values at a path.
    pub fn probe(&self, test: &Test) -> Result<LeafProbe> {
        let probe = LeafProbe::new(test);
        if !probe.has_instant_keys() {
            return Ok(probe);
        }
        let is_older = match self.is_older.get() {
            Some(is_older) => *is_older,
            None => {
                let is_older = !self.is_unused(key::DOCUMENT_KEY_0_2)?
                    || !self.is_unused(key::DOCUMENT_KEY_0_3)?;
                *self.is_older.get_or_init(|| is_older)
            }
        };
        Ok(if is_older { LeafProbe::for_any_version(test) } else { probe })
    }

    /// Whether no row has a key.
    pub fn is_unused(&self, key: &[u8]) -> Result<bool> {
        let is_unused = |rows: crate::index::gin::Postings<'_>| rows.known_len() == Some(0);
        Ok(!self.pending.contains_key(key)
            && self.index.entry(key, |rows| Ok(rows.is_none_or(is_unused)))?)
    }

    /// A leaf at any path is one at some known path: the E keys name them all.
    fn anywhere(&self, probe: &LeafProbe, taken: &mut LeafCollectors<'_>) -> Result<()> {
        let (from, below) = key::ALL_PATHS;
        let mut hashes = Vec::new();
        self.each_key(&from, &below, &mut |key| {
            hashes.extend(key::path_hash(key));
        })?;
        hashes.sort_unstable();
        hashes.dedup();
        hashes.into_iter().try_for_each(|hash| self.values(hash, probe, Ternary::Yes, taken))
    }

    /// The rows with a value that passes, at the paths with this hash; of none is more than `most` known.
    fn values(
        &self,
        hash: PathHash,
        probe: &LeafProbe,
        most: Ternary,
        taken: &mut LeafCollectors<'_>,
    ) -> Result<()> {
        let full = |stored: &[u8]| key::value(hash, stored);
        for range in &probe.ranges {
            if let Some(value) = range.point() {
                let truth = if range.recheck { Ternary::Maybe } else { most };
                if let Some(rows) = taken.by(truth) {
                    self.key(&full(value), rows)?;
                }
                continue;
            }
            let (from, below) = (full(&range.from), full(&range.below));
            let truth = |key: &[u8]| match key::value_of(key) {
                Some(value) if range.recheck => probe.recheck(value).min(most),
                _ => most,
            };
            for (key, rows) in self.pending.range(from.clone()..below.clone()) {
                if let Some(taken) = taken.by(truth(key)) {
                    rows.iter().for_each(|tid| taken.take(*tid));
                }
            }
            let keys = if range.recheck {
                self.ask(hash, range, probe, most, taken)?
            } else if let Some(taken) = taken.by(most) {
                self.index.scan_range(&from, &below, taken)?
            } else {
                0
            };
            self.read.borrow_mut().keys += keys;
        }
        Ok(())
    }

    /// The rows of the keys of the tree that lie in a range and pass. Where one shows that none passes which begins as it does, those
    /// are leapt over. Returns how many keys were asked.
    fn ask(
        &self,
        hash: PathHash,
        range: &KeyRange,
        probe: &LeafProbe,
        most: Ternary,
        taken: &mut LeafCollectors<'_>,
    ) -> Result<u64> {
        let full = |stored: &[u8]| key::value(hash, stored);
        let (mut entries, below) =
            (Entries::ascending(self.index, &full(&range.from))?, full(&range.below));
        let mut keys = 0;
        while let Some(entry) = entries.next(self.index)? {
            if entry.key >= below.as_slice() {
                break;
            }
            keys += 1;
            interrupts::spend(8);
            let answer =
                key::value_of(entry.key).map_or(Ok(most), |value| probe.recheck_or_seek(value));
            match answer {
                Ok(truth) => {
                    if let Some(taken) = taken.by(truth.min(most)) {
                        entry.postings.for_each(taken)?;
                    }
                }
                Err(behind) => {
                    entries.seek(self.index, &full(&behind))?;
                }
            }
        }
        Ok(keys)
    }

    /// The rows with a key.
    fn key(&self, key: &[u8], rows: &mut Collector<'_>) -> Result<()> {
        self.pending.get(key).into_iter().flatten().for_each(|tid| rows.take(*tid));
        self.read.borrow_mut().keys += 1;
        self.index.postings(key, rows)
    }

    fn add_read(&self, postings: u64, counted: u64) {
        let mut read = self.read.borrow_mut();
        (read.postings, read.counted) = (read.postings + postings, read.counted + counted);
    }

    /// Calls `visit` with the keys from one on and below another, some of them twice.
    fn each_key(&self, from: &[u8], below: &[u8], visit: &mut impl FnMut(&[u8])) -> Result<()> {
        for (key, _) in self.pending.range(from.to_vec()..below.to_vec()) {
            visit(key);
        }
        self.index.ascend(from, &mut |key, _| {
            if key >= below {
                return Ok(ControlFlow::Break(()));
            }
            visit(key);
            Ok(ControlFlow::Continue(()))
        })
    }

    /// Whether a path has strings as versions before 0.4.0 stored them, which are not in order with those of this one. The packed ones
    /// are leapt over.
    pub fn has_legacy_strings(&self, path: &str) -> Result<bool> {
        let prefix = key::value_prefix(PathHash::of(path));
        let digit = |key: &[u8]| key.strip_prefix(&prefix).and_then(leading_digit);
        let pending = self.pending.range(prefix.to_vec()..end_of_prefix(&prefix));
        if pending.filter_map(|(key, _)| digit(key)).any(|(_, is_unpacked)| is_unpacked) {
            return Ok(true);
        }
        let mut from = b'0';
        loop {
            let mut found = None;
            self.index.ascend(
                &[&prefix, behind_packed(from).as_slice()].concat(),
                &mut |key, _| {
                    found = digit(key);
                    Ok(ControlFlow::Break(()))
                },
            )?;
            match found {
                None => return Ok(false),
                Some((digit, false)) if digit > from => from = digit,
                // Nor is what lies before where it was looked for in any order.
                Some(_) => return Ok(true),
            }
        }
    }

    /// Whether another path's values may be among those of a path: if it has the same hash, or both were cut.
    pub fn path_hash_collides(&self, path: &str) -> Result<bool> {
        if let Some(&known) = self.shared.borrow().get(path) {
            return Ok(known);
        }
        let from = key::exists_prefix(PathHash::of(path));
        let mut path_hash_collides = key::is_truncated_path(path);
        self.each_key(&from, &end_of_prefix(&from), &mut |key| {
            path_hash_collides |= key::path_of(key) != Some(key::stored_path(path));
        })?;
        self.shared.borrow_mut().insert(path.to_string(), path_hash_collides);
        Ok(path_hash_collides)
    }
}
