//! Counts without a list of what is counted.
//!
//! The postings of a key are as many as its documents. On pages that everybody sees they are counted where they lie, packed; only those
//! on other pages, and the first ones that a window shows, are unpacked into a bitmap. That holds for what comes down to one key, to keys
//! that no document has two of, or to all documents but such.

use super::block_set::BlockSet;
use super::postings::{LeafPostings, PostingReader};
use super::tid_bitmap::TidBitmap;
use super::visibility_map::VisibilityMap;
use crate::error::Result;
use crate::index::key::{self, PathHash};
use crate::index::probe::combine_patterns;
use crate::index::ranges::KeyRange;
use crate::predicate::{Predicate, Test};
use roaring::RoaringBitmap;

/// Where more than one page in so many must be looked at, all rows may as well be.
const OPEN: u32 = 4;
/// Pages at the start of a table that are unpacked for a window, at least.
const HEAD: u32 = 64;

/// How many rows match outside of a block set, and which do within.
pub struct PostingCount {
    pub outside: u64,
    pub within: TidBitmap,
    /// How many rows there are outside of it, where that was counted.
    pub every: Option<u64>,
}

/// The documents that have one of some leaves, or all that have none of them.
struct CountableQuery<'p> {
    conditions: Vec<(&'p str, &'p Test)>,
    is_negated: bool,
}

impl<'p> CountableQuery<'p> {
    /// None for what is no such thing.
    fn new(predicate: &'p Predicate) -> Option<CountableQuery<'p>> {
        let (inner, is_negated) = match predicate {
            Predicate::Not(inner) => (&**inner, true),
            Predicate::All => return Some(CountableQuery { conditions: vec![], is_negated: true }),
            other => (other, false),
        };
        let leaf = |part: &'p Predicate| {
            let (path, test) = part.as_condition()?;
            Some((path?, test))
        };
        let conditions = match inner {
            Predicate::Or(parts) => parts.iter().map(leaf).collect::<Option<Vec<_>>>()?,
            part => vec![leaf(part)?],
        };
        let is_one_path = conditions.iter().all(|(path, _)| *path == conditions[0].0);
        is_one_path.then_some(CountableQuery { conditions, is_negated })
    }

    /// Whether no document is counted twice.
    fn has_disjoint_postings(&self, reader: &PostingReader<'_>) -> Result<bool> {
        match self.conditions.as_slice() {
            [] => Ok(true),
            [(path, _), ..] => {
                if self.conditions.iter().any(|(_, test)| test.is_existence()) {
                    return Ok(false);
                }
                let mut probes = Vec::new();
                for (path, test) in &self.conditions {
                    probes.push((Some(*path), reader.probe(test)?));
                }
                let united = combine_patterns(probes).into_iter();
                let mut all: Vec<KeyRange> = united.flat_map(|(_, probe)| probe.ranges).collect();
                reader.have_disjoint_postings(path, &mut all)
            }
        }
    }

    /// How much of a table is unpacked for so many rows at its start: an interval's lists are read once for all.
    fn head(&self, blocks: u32, rows: u32) -> u32 {
        let is_key = |(_, test): &(&str, &Test)| match test {
            Test::Exists | Test::Equal(_) => true,
            Test::Range { .. } | Test::Prefix(_) => false,
            Test::Wildcard(_) | Test::Regexp(_) | Test::Fuzzy(_) => false,
        };
        let least = if self.conditions.iter().all(is_key) { HEAD } else { HEAD + blocks / HEAD };
        if rows == 0 { 0 } else { least.saturating_add(rows).min(blocks) }
    }
}

/// About how many leaves of the index a count of intervals reads, but for the first ones: those that need not be unpacked. 0 of what
/// is no such thing.
pub fn estimate_leaf_pages(reader: &PostingReader<'_>, predicate: &Predicate) -> Result<usize> {
    let Some(countable) = CountableQuery::new(predicate) else { return Ok(0) };
    let mut leaf_pages = 0;
    for (path, test) in countable.conditions {
        let hash = PathHash::of(path);
        let ranges = if test.is_existence() { vec![] } else { reader.probe(test)?.ranges };
        if ranges.iter().any(|range| range.recheck) {
            return Ok(0);
        }
        for range in ranges.iter().filter(|range| range.point().is_none()) {
            leaf_pages += reader.index.estimate_leaf_pages(
                &key::value(hash, &range.from),
                &key::value(hash, &range.below),
            )?;
        }
    }
    Ok(leaf_pages)
}

/// Counts what matches outside of a block set, which holds the pages that were not all-visible `before`, the `open` ones, and the first
/// ones if some rows are wanted. None if that cannot be done.
pub fn count_postings(
    reader: &mut PostingReader<'_>,
    predicate: &Predicate,
    before: &VisibilityMap,
    open: &RoaringBitmap,
    rows: u32,
) -> Result<Option<PostingCount>> {
    let Some(countable) = CountableQuery::new(predicate) else { return Ok(None) };
    let is_existence =
        matches!(countable.conditions.as_slice(), [(_, test)] if test.is_existence());
    if open.len() > u64::from(reader.blocks / OPEN)
        || !is_existence && !countable.has_disjoint_postings(reader)?
    {
        return Ok(None);
    }
    let mut block_set = BlockSet::head(countable.head(reader.blocks, rows));
    open.iter().for_each(|block| block_set.add(block));
    // What is pending may have come into the tree meanwhile, and be met twice.
    // Each of its documents has one of these keys.
    let pending = key::DOCUMENT_KEYS.iter().filter_map(|key| reader.pending.get(*key)).flatten();
    pending.filter(|tid| tid.block < reader.blocks).for_each(|tid| block_set.add(tid.block));
    reader.block_set = block_set;
    let met = match countable.conditions.as_slice() {
        [(path, test)] if test.is_existence() => reader.exists_postings(path)?,
        tests => {
            Some(reader.condition_postings(tests.iter().map(|(path, test)| (Some(*path), *test)))?)
        }
    };
    let Some(LeafPostings { found, skipped, .. }) = met.filter(|met| met.is_exact) else {
        return Ok(None);
    };
    if !countable.is_negated {
        return Ok(Some(PostingCount { outside: skipped, within: found, every: None }));
    }
    let known = before.rows_outside(reader.index, &reader.block_set);
    let every = reader.all_documents_given(known)?;
    let outside = every.skipped.saturating_sub(skipped);
    let within = every.found.without(&found);
    Ok(Some(PostingCount { outside, within, every: known.is_none().then_some(every.skipped) }))
}
