//! Estimates how many documents of a table satisfy a predicate, by reading a part of its index. The
//! limits below keep that to some milliseconds.

use super::reservoir::Reservoir;
use crate::error::Result;
use crate::executor::{IndexedTable, share};
use crate::index::gin::{GinIndex, PostingSizes, Tid};
use crate::index::key::{self, PathHash};
use crate::index::probe::{LeafProbe, combine_patterns};
use crate::index::ranges::KeyRange;
use crate::index::ternary::Ternary;
use crate::predicate::{ObjectCondition, Predicate, Test, Visitor};
use std::cell::Cell;
use std::collections::HashSet;
use std::ops::ControlFlow;

/// How many leaf pages of the index are read to test the values of one range, and about how many
/// for all ranges of a query.
const RANGE_LEAF_PAGES: usize = 64;
const QUERY_LEAF_PAGES: usize = 1024;
/// How many posting trees of matching values are opened to see how long they are.
const POSTING_TREES: u32 = 32;
/// How many documents are read where the index does not know whole values: for one range, and for a
/// whole query.
const RANGE_DOCUMENTS: usize = 1_200;
const QUERY_DOCUMENTS: usize = 2_400;
/// How much of the pending list is read: pages, and documents.
const PENDING_PAGES: usize = 128;
const PENDING_DOCUMENTS: usize = 300;
/// If no row of a sample matches, this many are assumed to. If one row of the sample would have
/// matched, the estimate is then too small by a factor of ten at most.
const UNSEEN_MATCHES: f64 = 0.1;
/// How many paths are looked into for a value at any path.
const ANY_PATHS: usize = 100;

/// The fraction of a table's documents that satisfy a predicate.
pub fn fraction_of(part: &IndexedTable, predicate: &Predicate) -> Result<f64> {
    let (matching, documents) = estimates(part, predicate)?;
    Ok((matching / documents.max(1.0)).clamp(0.0, 1.0))
}

/// How many documents of a table satisfy a predicate. Only users who may read all of them may be
/// told.
pub fn estimate(part: &IndexedTable, predicate: &Predicate) -> Result<f64> {
    Ok(estimates(part, predicate)?.0)
}

/// How many documents satisfy a predicate, and how many documents there are.
fn estimates(part: &IndexedTable, predicate: &Predicate) -> Result<(f64, f64)> {
    let index = GinIndex::open(part.index)?;
    // The pending list is read before the tree, as GIN does it. An entry that moves meanwhile is
    // then seen twice, but not missed.
    let (recent, matching) = pending(part, &index, predicate)?;
    let documents =
        key::DOCUMENT_KEYS.iter().try_fold(0.0, |sum, key| Ok(sum + index.estimate_key(key)?))?;
    let leaves = QUERY_LEAF_PAGES / count_conditions(predicate).max(1);
    let estimator = Estimator {
        part,
        index: &index,
        documents: documents.max(1.0),
        leaves: leaves.clamp(2, RANGE_LEAF_PAGES),
        looks: Cell::new(QUERY_DOCUMENTS),
    };
    let fraction = estimator.fraction(predicate)?.clamp(0.0, 1.0);
    Ok((matching + documents * fraction, documents + recent))
}

/// How many documents are pending, and how many of them match. A sample of them is read.
fn pending(part: &IndexedTable, index: &GinIndex, predicate: &Predicate) -> Result<(f64, f64)> {
    let (mut rows, mut stride) = (Reservoir::new(PENDING_DOCUMENTS), 1);
    if part.column > 0 && index.has_pending()? {
        stride = index.sample_pending(PENDING_PAGES, &mut |key, row| {
            if key::DOCUMENT_KEYS.contains(&key) {
                rows.add(row);
            }
        })?;
    }
    if rows.seen == 0 {
        return Ok((0.0, 0.0));
    }
    let Some(share) = share(part, &rows.kept, predicate) else { return Ok((0.0, 0.0)) };
    // A row that is not visible is not a document.
    let documents = rows.seen as f64 * stride as f64 * share.visible / share.looked_at.max(1.0);
    let is_whole = stride == 1 && share.looked_at == rows.seen as f64;
    let matching = if is_whole { share.matching } else { share.matching.max(UNSEEN_MATCHES) };
    Ok((documents, documents * (matching / share.visible.max(1.0)).min(1.0)))
}

/// Estimates from one index.
struct Estimator<'i> {
    part: &'i IndexedTable,
    index: &'i GinIndex,
    documents: f64,
    /// How many leaf pages of the index one range may read.
    leaves: usize,
    /// How many documents may still be read.
    looks: Cell<usize>,
}

impl<'p> Visitor<'p> for &Estimator<'_> {
    type Output = Result<f64>;

    fn constant(&mut self, holds: bool) -> Result<f64> {
        Ok(f64::from(u8::from(holds)))
    }

    fn condition(&mut self, path: Option<&'p str>, test: &'p Test) -> Result<f64> {
        match path {
            Some(path) if test.is_existence() => Ok(self.of_all(self.exists(path)?)),
            None if test.is_existence() => Ok(1.0),
            path => {
                let probe = LeafProbe::new(test);
                self.probe(path, &probe, &probe.predicate(path))
            }
        }
    }

    /// How many of the documents with all the leaves have one object with all of them is not known.
    fn object(&mut self, object: &'p ObjectCondition) -> Result<f64> {
        object.necessary.visit(self)
    }

    fn and(&mut self, parts: &'p [Predicate]) -> Result<f64> {
        parts.iter().try_fold(1.0, |all, part| Ok(all * part.visit(self)?))
    }

    /// One minus the fraction of documents that satisfy none of the predicates. Patterns on the same
    /// path are tested in one pass over its values.
    fn or(&mut self, parts: &'p [Predicate]) -> Result<f64> {
        let (mut none, mut probes) = (1.0, Vec::new());
        for part in parts {
            match part.as_condition() {
                Some((path, test)) if !test.is_existence() => {
                    probes.push((path, LeafProbe::new(test)));
                }
                _ => none *= 1.0 - part.visit(self)?,
            }
        }
        for (path, probe) in combine_patterns(probes) {
            none *= 1.0 - self.probe(path, &probe, &probe.predicate(path))?;
        }
        Ok(1.0 - none)
    }

    fn not(&mut self, part: &'p Predicate) -> Result<f64> {
        Ok(1.0 - part.visit(self)?)
    }
}

impl Estimator<'_> {
    /// The fraction of documents that satisfy a predicate. Conditions are assumed to be independent
    /// of each other.
    fn fraction(mut self: &Self, predicate: &Predicate) -> Result<f64> {
        predicate.visit(&mut self)
    }

    fn probe(&self, path: Option<&str>, probe: &LeafProbe, leaf: &Predicate) -> Result<f64> {
        Ok(self.of_all(match path {
            Some(path) => self.at(PathHash::of(path), probe, leaf)?,
            None => self.anywhere(probe, leaf)?,
        }))
    }

    fn of_all(&self, rows: f64) -> f64 {
        (rows / self.documents).min(1.0)
    }

    /// How many documents have a path, or one below it. A document may have several of these paths.
    /// How many do is estimated from the first document of each path: the more paths share it, the
    /// fewer documents there are.
    fn exists(&self, path: &str) -> Result<f64> {
        let (from, below) = key::ALL_PATHS;
        let (mut most, mut paths, mut sizes) =
            (self.index.estimate_key(&key::exists(path))?, 0.0, PostingSizes::new(POSTING_TREES));
        let mut firsts = HashSet::new();
        let sampled =
            self.index.sample(&from, &below, RANGE_LEAF_PAGES, &mut |key, postings| {
                if !key::is_below(key, path) {
                    return Ok([0.0; 2]);
                }
                let rows = sizes.of(postings)?;
                most = rows.max(most);
                if postings.known_len().is_some() || paths < f64::from(POSTING_TREES) {
                    let mut first = None;
                    postings.sample(&mut |row: Tid| first = first.or(Some(row)))?;
                    paths += 1.0;
                    firsts.extend(first);
                }
                Ok([rows, 0.0])
            })?;
        Ok(most.max(sampled.sums[0] * firsts.len() as f64 / f64::max(paths, 1.0)))
    }

    fn at(&self, hash: PathHash, probe: &LeafProbe, leaf: &Predicate) -> Result<f64> {
        let range = |range| self.range(hash, range, probe, leaf);
        probe.ranges.iter().try_fold(0.0, |rows, part| Ok(rows + range(part)?))
    }

    fn range(
        &self,
        hash: PathHash,
        range: &KeyRange,
        probe: &LeafProbe,
        leaf: &Predicate,
    ) -> Result<f64> {
        let full = |stored: &[u8]| key::value(hash, stored);
        let (from, below) = (full(&range.from), full(&range.below));
        match range.point() {
            Some(_) if !range.recheck => return self.index.estimate_key(&from),
            None if !range.recheck => return self.index.estimate_range(&from, &below),
            _ => {}
        }
        let (mut sizes, mut keys) = (PostingSizes::new(POSTING_TREES), 0.0);
        let mut unsure = Reservoir::new(RANGE_DOCUMENTS.min(self.looks.get()));
        let sampled = self.index.sample(&from, &below, self.leaves, &mut |key, postings| {
            keys += 1.0;
            match key::value_of(key).map_or(Ternary::No, |value| probe.recheck(value)) {
                Ternary::No => Ok([0.0; 2]),
                Ternary::Yes => Ok([sizes.of(postings)?, 0.0]),
                Ternary::Maybe => {
                    postings.sample(&mut |row: Tid| unsure.add(row))?;
                    Ok([0.0, sizes.of(postings)?])
                }
            }
        })?;
        let [mut sure, maybe] = sampled.sums;
        if sure == 0.0 && maybe == 0.0 && !sampled.is_whole {
            sure = self.index.estimate_range(&from, &below)? * UNSEEN_MATCHES / f64::max(keys, 1.0);
        }
        Ok(sure + maybe * self.share(&unsure, maybe, leaf))
    }

    /// The fraction of documents that match, among those of which the index does not know it. One
    /// in sixteen is read, up to a limit.
    fn share(&self, unsure: &Reservoir, rows: f64, leaf: &Predicate) -> f64 {
        let wanted = (rows / 16.0).ceil().max(64.0) as usize;
        let looks = wanted.min(self.looks.get()).min(unsure.kept.len());
        if looks == 0 || self.part.column <= 0 {
            return UNSEEN_MATCHES;
        }
        self.looks.set(self.looks.get() - looks);
        let is_whole = looks as u64 == unsure.seen;
        match share(self.part, &unsure.kept[..looks], leaf) {
            Some(share) if is_whole && share.looked_at == looks as f64 => {
                share.matching / share.visible.max(1.0)
            }
            Some(share) => share.matching.max(UNSEEN_MATCHES) / share.visible.max(1.0),
            None => UNSEEN_MATCHES,
        }
    }

    /// Looks into the paths of the index one by one, up to a limit. They are in the order of their
    /// hashes, so the first ones are as good as any sample.
    fn anywhere(&self, probe: &LeafProbe, leaf: &Predicate) -> Result<f64> {
        let (from, below) = key::ALL_PATHS;
        let (mut hashes, mut paths) = (Vec::new(), 0);
        self.index.ascend(&from, &mut |key, _| {
            if key >= below.as_slice() || paths == 50 * ANY_PATHS {
                return Ok(ControlFlow::Break(()));
            }
            paths += 1;
            if hashes.len() < ANY_PATHS {
                hashes.extend(key::path_hash(key));
            }
            Ok(ControlFlow::Continue(()))
        })?;
        let looked_at = hashes.len().max(1) as f64;
        let of = |hash: &PathHash| self.at(*hash, probe, leaf);
        let rows = hashes.iter().try_fold(0.0, |rows, hash| Ok(rows + of(hash)?))?;
        Ok(rows * paths as f64 / looked_at)
    }
}

/// How many conditions a predicate has.
pub fn count_conditions(predicate: &Predicate) -> usize {
    predicate.conditions().count().max(1)
}
