//! Counts without a list of what is counted.
//!
//! The postings of a key are as many as its documents. On pages that everybody sees they are counted where they lie, packed; only those
//! on other pages, and the first ones that a window shows, are unpacked into a bitmap. That holds for what comes down to one key, to keys
//! that no document has two of, or to all documents but such.

use super::bitmap::Found;
use super::leaves::{Leaves, Met};
use super::region::Region;
use super::visibility::Map;
use crate::error::Result;
use crate::index::key::{self, PathHash};
use crate::index::span::{Span, together};
use crate::predicate::{Predicate, Test};
use roaring::RoaringBitmap;

/// Where more than one page in so many must be looked at, all rows may as well be.
const OPEN: u32 = 4;
/// Pages at the start of a table that are unpacked for a window, at least.
const HEAD: u32 = 64;

/// How many rows match outside of a region, and which do within.
pub struct Tally {
    pub outside: u64,
    pub within: Found,
    /// How many rows there are outside of it, where that was counted.
    pub every: Option<u64>,
}

/// The documents that have one of some leaves, or all that have none of them.
struct Countable<'p> {
    leaves: Vec<(&'p str, &'p Test)>,
    is_negated: bool,
}

impl<'p> Countable<'p> {
    /// None for what is no such thing.
    fn new(predicate: &'p Predicate) -> Option<Countable<'p>> {
        let (inner, is_negated) = match predicate {
            Predicate::Not(inner) => (&**inner, true),
            Predicate::All => return Some(Countable { leaves: vec![], is_negated: true }),
            other => (other, false),
        };
        let leaf = |part: &'p Predicate| match part {
            Predicate::Leaf { path: Some(path), test } => Some((path.as_str(), test)),
            _ => None,
        };
        let leaves = match inner {
            Predicate::Or(parts) => parts.iter().map(leaf).collect::<Option<Vec<_>>>()?,
            part => vec![leaf(part)?],
        };
        let is_one_path = leaves.iter().all(|(path, _)| *path == leaves[0].0);
        is_one_path.then_some(Countable { leaves, is_negated })
    }

    /// Whether no document is counted twice.
    fn counts_once(&self, leaves: &Leaves<'_>) -> Result<bool> {
        match self.leaves.as_slice() {
            [] => Ok(true),
            [(path, _), ..] => {
                if self.leaves.iter().any(|(_, test)| **test == Test::Exists) {
                    return Ok(false);
                }
                let mut probes = Vec::new();
                for (path, test) in &self.leaves {
                    probes.push((Some(*path), leaves.probe(test)?));
                }
                let united = together(probes).into_iter();
                let mut all: Vec<Span> = united.flat_map(|(_, probe)| probe.spans).collect();
                leaves.are_apart(path, &mut all)
            }
        }
    }

    /// How much of a table is unpacked for so many rows at its start: an interval's lists are read once for all.
    fn head(&self, blocks: u32, rows: u32) -> u32 {
        let is_key = |(_, test): &(&str, &Test)| matches!(test, Test::Exists | Test::Equal(_));
        let least = if self.leaves.iter().all(is_key) { HEAD } else { HEAD + blocks / HEAD };
        if rows == 0 { 0 } else { least.saturating_add(rows).min(blocks) }
    }
}

/// About how many leaves of the index a count of intervals reads, but for the first ones: those that need not be unpacked. 0 of what
/// is no such thing.
pub fn breadth(leaves: &Leaves<'_>, predicate: &Predicate) -> Result<usize> {
    let Some(countable) = Countable::new(predicate) else { return Ok(0) };
    let mut breadth = 0;
    for (path, test) in countable.leaves {
        let hash = PathHash::of(path);
        let spans = if *test == Test::Exists { vec![] } else { leaves.probe(test)?.spans };
        if spans.iter().any(|span| span.ask) {
            return Ok(0);
        }
        for span in spans.iter().filter(|span| span.point().is_none()) {
            breadth += leaves
                .index
                .estimate_leaves(&key::value(hash, &span.from), &key::value(hash, &span.below))?;
        }
    }
    Ok(breadth)
}

/// Counts what matches outside of a region, which holds the pages that were not all-visible `before`, the `open` ones, and the first
/// ones if some rows are wanted. None if that cannot be done.
pub fn tally(
    leaves: &mut Leaves<'_>,
    predicate: &Predicate,
    before: &Map,
    open: &RoaringBitmap,
    rows: u32,
) -> Result<Option<Tally>> {
    let Some(countable) = Countable::new(predicate) else { return Ok(None) };
    let is_existence = matches!(countable.leaves.as_slice(), [(_, Test::Exists)]);
    if open.len() > u64::from(leaves.blocks / OPEN)
        || !is_existence && !countable.counts_once(leaves)?
    {
        return Ok(None);
    }
    let mut region = Region::head(countable.head(leaves.blocks, rows));
    open.iter().for_each(|block| region.add(block));
    // What is pending may have come into the tree meanwhile, and be met twice.
    // Each of its documents has one of these keys.
    let pending = key::EVERY.iter().filter_map(|key| leaves.pending.get(*key)).flatten();
    pending.filter(|tid| tid.block < leaves.blocks).for_each(|tid| region.add(tid.block));
    leaves.region = region;
    let met = match countable.leaves.as_slice() {
        [(path, Test::Exists)] => leaves.existing(path)?,
        tests => Some(leaves.meet(tests.iter().map(|(path, test)| (Some(*path), *test)))?),
    };
    let Some(Met { found, passed, .. }) = met.filter(|met| met.is_sure) else { return Ok(None) };
    if !countable.is_negated {
        return Ok(Some(Tally { outside: passed, within: found, every: None }));
    }
    let known = before.rows_outside(leaves.index, &leaves.region);
    let every = leaves.every_of(known)?;
    let outside = every.passed.saturating_sub(passed);
    let within = every.found.without(&found);
    Ok(Some(Tally { outside, within, every: known.is_none().then_some(every.passed) }))
}
