//! How many keys of a range have rows, and how many rows those are together. Leaf pages that were
//! read before and have not changed are not read again.

use super::buffer::{GinIndex, Visits};
use super::bytes::{Block, Damage, Parsed};
use super::descent::{EntryPage, KeyBound, LeafPosition, descend, first_behind};
use super::page::{EntryContent, PageHeader, PageKind, content};
use super::page_summary::Prefetch;
use super::posting_list::Sink;
use super::postings::Postings;
use super::scan_range::summary;
use crate::error::Result;
use std::ops::Range;

/// A sink that counts rows.
pub trait CountingSink: Sink {
    /// How many rows it has counted so far.
    fn counted(&self) -> u64;
}

impl GinIndex {
    /// Counts the keys from `from` up to but not including `below` that have a row which the sink
    /// counts. The sink counts a row once for each key.
    pub fn tally(&self, from: &[u8], below: &[u8], sink: &mut impl CountingSink) -> Result<u64> {
        let LeafPosition { page, at, .. } = descend(self, KeyBound::Before(from))?;
        let EntryPage { block, ref bytes, len, right, .. } = page;
        let end = page.first_behind(KeyBound::Before(below));
        let end = end.map_err(|damage| self.corrupt(block, damage))?.max(at);
        let mut trees = Vec::new();
        let keys = tally_entries(bytes, at..end, sink, &mut trees);
        let mut keys = keys.map_err(|damage| self.corrupt(block, damage))?;
        keys += self.tally_trees(block, &mut trees, sink)?;
        let mut next = right.filter(|_| end == len);
        // As in `scan_range`: on every page before this one, all keys are less than `below`.
        let mut last = match next {
            Some(_) => Some(descend(self, KeyBound::Before(below))?.page.block),
            None => None,
        };
        let (mut visits, mut prefetch) = (Visits::default(), Prefetch::default());
        while let Some(block) = next {
            crate::memory::check();
            last = last.filter(|last| *last != block);
            let known = last.and_then(|_| self.summary_unlocked(block));
            if let Some((known, _)) =
                known.filter(|(known, _)| !sink.wants(known.first, known.last))
            {
                sink.skip(known.items as usize);
                (keys, next) = (keys + u64::from(known.filled), known.right);
                prefetch.go(self, next);
            } else {
                prefetch = Prefetch::default();
                let page = self.lock(block)?;
                let damaged = |damage| self.corrupt(block, damage);
                let (len, right) = leaf(page.bytes()).map_err(damaged)?;
                let bound = KeyBound::Before(below);
                let end = first_behind(page.bytes(), len, bound).map_err(damaged)?;
                if end == len {
                    let make = || summary(page.bytes(), len, right);
                    self.remember(&page, make).map_err(damaged)?;
                }
                keys += tally_entries(page.bytes(), 0..end, sink, &mut trees).map_err(damaged)?;
                drop(page);
                keys += self.tally_trees(block, &mut trees, sink)?;
                next = right.filter(|_| end == len);
            }
            visits.add(self, block)?;
        }
        Ok(keys)
    }

    fn tally_trees(
        &self,
        block: u32,
        roots: &mut Vec<u32>,
        sink: &mut impl CountingSink,
    ) -> Result<u64> {
        let mut keys = 0;
        for root in roots.drain(..) {
            let before = sink.counted();
            Postings { index: self, block, content: EntryContent::Tree(root) }.for_each(sink)?;
            keys += u64::from(sink.counted() > before);
        }
        Ok(keys)
    }
}

/// The number of entries of a leaf page, and the next page.
fn leaf(page: &Block) -> Parsed<(usize, Option<u32>)> {
    let head = PageHeader::parse(page)?;
    match head.kind {
        PageKind::EntryLeaf => Ok((head.tuples()?, head.right)),
        _ => Err(Damage("it does not follow its left sibling")),
    }
}

/// Counts those of some entries of which the sink counts a row, and collects the roots of posting
/// trees.
fn tally_entries(
    page: &Block,
    entries: Range<usize>,
    sink: &mut impl CountingSink,
    trees: &mut Vec<u32>,
) -> Parsed<u64> {
    let mut keys = 0;
    for at in entries {
        match content(page, at)? {
            EntryContent::List(list) => {
                let before = sink.counted();
                list.for_each(sink)?;
                keys += u64::from(sink.counted() > before);
            }
            EntryContent::Tree(root) => trees.push(root),
        }
    }
    Ok(keys)
}
