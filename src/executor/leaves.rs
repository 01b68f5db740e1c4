//! The rows of one leaf of a predicate, from the index's tree and from what is pending beside it.

use super::bitmap::{Collector, Found, Numbering};
use crate::error::Result;
use crate::index::gin::{Entries, GinIndex, Tid};
use crate::index::key::{self, PathHash};
use crate::index::span::{Probe, Truth, end_of_prefix};
use crate::predicate::{Predicate, Test};
use roaring::RoaringBitmap;
use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

/// An index at one moment: what was pending when it was opened, and its tree.
pub struct Leaves<'i> {
    pub index: &'i GinIndex,
    pub numbering: Numbering,
    /// Blocks of the table.
    blocks: u32,
    /// Entries that are in no order of theirs yet, in order.
    pub pending: BTreeMap<Vec<u8>, Vec<Tid>>,
    /// Whether some other path has the path's hash.
    shared: RefCell<HashMap<String, bool>>,
    pub read: RefCell<Read>,
}

/// What was read, for session_explain.
#[derive(Debug, Clone, Copy, Default)]
pub struct Read {
    pub keys: u64,
    pub postings: u64,
}

/// Where a leaf's rows go.
struct Taken {
    sure: Collector,
    unsure: Collector,
}

impl Taken {
    fn new(numbering: Numbering, blocks: u32) -> Taken {
        let rows = || Collector::new(numbering, blocks);
        Taken { sure: rows(), unsure: rows() }
    }

    fn by(&mut self, truth: Truth) -> Option<&mut Collector> {
        match truth {
            Truth::No => None,
            Truth::Maybe => Some(&mut self.unsure),
            Truth::Yes => Some(&mut self.sure),
        }
    }
}

/// The keys that a query can ask for: of pending ones, which are in no order, the others need not be kept.
pub enum Wanted {
    All,
    Paths(Vec<PathHash>),
}

impl Wanted {
    pub fn path(path: &str) -> Wanted {
        Wanted::Paths(vec![PathHash::of(path)])
    }

    pub fn of(predicate: &Predicate) -> Wanted {
        let mut paths = Vec::new();
        if !collect_paths(predicate, &mut paths) {
            return Wanted::All;
        }
        paths.sort_unstable();
        paths.dedup();
        Wanted::Paths(paths)
    }

    fn has(&self, key: &[u8]) -> bool {
        match (self, key::path_hash(key)) {
            (Wanted::All, _) | (_, None) => true,
            (Wanted::Paths(paths), Some(hash)) => paths.binary_search(&hash).is_ok(),
        }
    }
}

/// False where any path is asked for.
fn collect_paths(predicate: &Predicate, paths: &mut Vec<PathHash>) -> bool {
    match predicate {
        Predicate::All | Predicate::None => true,
        Predicate::Leaf { path, .. } => {
            paths.extend(path.as_deref().map(PathHash::of));
            path.is_some()
        }
        Predicate::Not(part) => collect_paths(part, paths),
        Predicate::And(parts) | Predicate::Or(parts) => {
            parts.iter().all(|part| collect_paths(part, paths))
        }
    }
}

impl<'i> Leaves<'i> {
    /// Reads the pending list, first of all: entries move from there into the tree, so that what is not found there any more is
    /// in the tree already (README of GIN). A row's entries in the pending list are all there together.
    pub fn new(
        index: &'i GinIndex,
        numbering: Numbering,
        blocks: u32,
        wanted: &Wanted,
    ) -> Result<Leaves<'i>> {
        let mut pending: BTreeMap<Vec<u8>, Vec<Tid>> = BTreeMap::new();
        index.pending(&mut |key, tid| match pending.get_mut(key) {
            Some(rows) => rows.push(tid),
            None if !wanted.has(key) => {}
            None => {
                pending.insert(key.to_vec(), vec![tid]);
            }
        })?;
        Ok(Leaves {
            index,
            numbering,
            blocks,
            pending,
            shared: RefCell::default(),
            read: RefCell::default(),
        })
    }

    /// All rows.
    pub fn all(&self) -> Result<RoaringBitmap> {
        let mut rows = Collector::new(self.numbering, self.blocks);
        self.key(&key::all(), &mut rows)?;
        rows.finish()
    }

    /// The rows with a leaf that passes.
    pub fn leaf(&self, path: Option<&str>, test: &Test) -> Result<Found> {
        self.leaves(std::iter::once((path, test)))
    }

    /// The rows with a leaf that passes one of several tests.
    pub fn leaves<'l>(
        &self,
        leaves: impl Iterator<Item = (Option<&'l str>, &'l Test)>,
    ) -> Result<Found> {
        let mut taken = Taken::new(self.numbering, self.blocks);
        for (path, test) in leaves {
            match (path, test) {
                (Some(path), Test::Exists) => {
                    let truth = if key::is_cut_path(path) { Truth::Maybe } else { Truth::Yes };
                    if let Some(rows) = taken.by(truth) {
                        self.key(&key::exists(path), rows)?;
                    }
                }
                (Some(path), test) => {
                    let most = if self.is_shared(path)? { Truth::Maybe } else { Truth::Yes };
                    self.values(PathHash::of(path), &Probe::new(test), most, &mut taken)?;
                }
                (None, test) => self.anywhere(test, &mut taken)?,
            }
        }
        let (sure, unsure) = (taken.sure.finish()?, taken.unsure.finish()?);
        if unsure.is_empty() {
            return Ok(Found { any: sure, unsure });
        }
        let unsure = unsure - &sure;
        Ok(Found { any: sure | &unsure, unsure })
    }

    /// A leaf at any path is one at some known path: the E keys name them all.
    fn anywhere(&self, test: &Test, taken: &mut Taken) -> Result<()> {
        let (from, below) = key::ALL_PATHS;
        let mut hashes = Vec::new();
        self.each_key(&from, &below, &mut |key| {
            hashes.extend(key::path_hash(key));
        })?;
        hashes.sort_unstable();
        hashes.dedup();
        let probe = Probe::new(test);
        hashes.into_iter().try_for_each(|hash| self.values(hash, &probe, Truth::Yes, taken))
    }

    /// The rows with a value that passes, at the paths with this hash; of none is more than `most` known.
    fn values(&self, hash: PathHash, probe: &Probe, most: Truth, taken: &mut Taken) -> Result<()> {
        let full = |value: &[u8]| [&key::value_prefix(hash), value].concat();
        for span in &probe.spans {
            if let Some(value) = span.point() {
                let truth = if span.ask { Truth::Maybe } else { most };
                if let Some(rows) = taken.by(truth) {
                    self.key(&full(value), rows)?;
                }
                continue;
            }
            let (from, below) = (full(&span.from), full(&span.below));
            let truth = |key: &[u8]| match key::value_of(key) {
                Some(value) if span.ask => probe.ask(value).min(most),
                _ => most,
            };
            for (key, rows) in self.pending.range(from.clone()..below.clone()) {
                if let Some(taken) = taken.by(truth(key)) {
                    rows.iter().for_each(|tid| taken.push(*tid));
                }
            }
            let (mut keys, mut postings) = (0, 0);
            if !span.ask {
                if let Some(taken) = taken.by(most) {
                    let mut entries = Entries::ascending(self.index, &from)?;
                    keys = entries.gather(self.index, &below, &mut |tid| {
                        postings += 1;
                        taken.push(tid);
                    })?;
                }
                self.count(keys, postings);
                continue;
            }
            self.index.ascend(&from, &mut |key, rows| {
                if key >= below.as_slice() {
                    return Ok(ControlFlow::Break(()));
                }
                keys += 1;
                if let Some(taken) = taken.by(truth(key)) {
                    rows.for_each(&mut |tid| {
                        postings += 1;
                        taken.push(tid);
                    })?;
                }
                Ok(ControlFlow::Continue(()))
            })?;
            self.count(keys, postings);
        }
        Ok(())
    }

    /// The rows with a key.
    fn key(&self, key: &[u8], rows: &mut Collector) -> Result<()> {
        self.pending.get(key).into_iter().flatten().for_each(|tid| rows.push(*tid));
        let mut postings = 0;
        self.index.postings(key, &mut |tid| {
            postings += 1;
            rows.push(tid);
        })?;
        self.count(1, postings);
        Ok(())
    }

    fn count(&self, keys: u64, postings: u64) {
        let mut read = self.read.borrow_mut();
        (read.keys, read.postings) = (read.keys + keys, read.postings + postings);
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

    /// Whether another path's values may be among those of a path: if it has the same hash, or both were cut.
    pub fn is_shared(&self, path: &str) -> Result<bool> {
        if let Some(&known) = self.shared.borrow().get(path) {
            return Ok(known);
        }
        let from = key::exists_prefix(PathHash::of(path));
        let mut is_shared = key::is_cut_path(path);
        self.each_key(&from, &end_of_prefix(&from), &mut |key| {
            is_shared |= key::path_of(key) != Some(key::stored_path(path));
        })?;
        self.shared.borrow_mut().insert(path.to_string(), is_shared);
        Ok(is_shared)
    }
}
