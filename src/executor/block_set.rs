//! Some pages of a table: those whose rows are collected one by one, while the rows of all other
//! pages are only counted.

use super::doc_id::DocIdMap;
use std::ops::{Range, RangeInclusive};

/// All pages of a table; or a range of them, as a rule its first ones, and some more.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BlockSet {
    is_all: bool,
    blocks: Range<u32>,
    /// A bit for each block: those in the set beside the range.
    extra: Vec<u64>,
}

impl BlockSet {
    /// All pages, of a table of any length.
    pub fn all() -> BlockSet {
        BlockSet { is_all: true, ..BlockSet::default() }
    }

    /// The first pages of a table.
    pub fn prefix(prefix_len: u32) -> BlockSet {
        BlockSet::range(0..prefix_len)
    }

    /// A range of pages.
    pub fn range(blocks: Range<u32>) -> BlockSet {
        BlockSet { blocks, ..BlockSet::default() }
    }

    /// A range that has all of the set's pages in it, for a table with this number of blocks.
    pub fn bounds(&self, blocks: u32) -> Range<u32> {
        match self.is_all || !self.extra.is_empty() {
            true => 0..blocks,
            false => self.blocks.start.min(blocks)..self.blocks.end.min(blocks),
        }
    }

    /// Whether all pages are in the set.
    pub fn is_all(&self) -> bool {
        self.is_all
    }

    /// Whether no page is in the set.
    pub fn is_empty(&self) -> bool {
        !self.is_all && self.blocks.is_empty() && self.extra.is_empty()
    }

    /// Adds a page beside the range.
    pub fn add(&mut self, block: u32) {
        let at = block as usize / 64;
        if self.extra.len() <= at {
            self.extra.resize(at + 1, 0);
        }
        self.extra[at] |= 1 << (block % 64);
    }

    /// The pages that were added beside the range.
    pub fn added(&self) -> impl Iterator<Item = u32> {
        (0u32..).zip(&self.extra).flat_map(|(at, word)| {
            let next = |left: &u64| Some(left & left.wrapping_sub(1)).filter(|left| *left != 0);
            let words = std::iter::successors(Some(*word).filter(|word| *word != 0), next);
            words.map(move |left| at * 64 + left.trailing_zeros())
        })
    }

    /// The first doc ID behind the range.
    pub fn end_of_range(&self, doc_ids: DocIdMap) -> u32 {
        *doc_ids.doc_ids(self.blocks.end..=self.blocks.end).start()
    }

    /// Whether a page is in the set.
    #[inline]
    pub fn contains(&self, block: u32) -> bool {
        let word = || self.extra.get(block as usize / 64);
        self.is_all
            || self.blocks.contains(&block)
            || word().is_some_and(|word| word >> (block % 64) & 1 == 1)
    }

    /// Whether one of these pages is in the set.
    #[inline]
    pub fn intersects(&self, blocks: RangeInclusive<u32>) -> bool {
        let (first, last) = blocks.into_inner();
        if self.is_all || first < self.blocks.end && last >= self.blocks.start {
            return true;
        }
        if self.extra.is_empty() {
            return false;
        }
        let (from, to) = (first as usize / 64, last as usize / 64);
        let Some(words) = self.extra.get(from..self.extra.len().min(to + 1)) else { return false };
        words.iter().enumerate().any(|(at, word)| {
            let above = if at == 0 { u64::MAX << (first % 64) } else { u64::MAX };
            let below = if from + at == to { u64::MAX >> (63 - last % 64) } else { u64::MAX };
            word & above & below != 0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn contains_what_was_added(
            start in 0u32..40,
            end in 40u32..80,
            extra in proptest::collection::btree_set(0u32..400, 0..9),
            first in 0u32..500,
            length in 0u32..200,
        ) {
            let mut set = BlockSet::range(start..end);
            extra.iter().for_each(|block| set.add(*block));
            let blocks: BTreeSet<u32> = (start..end).chain(extra).collect();
            for block in [first, first + length, u32::MAX] {
                prop_assert_eq!(set.contains(block), blocks.contains(&block));
            }
            for asked in [first..=first + length, first..=u32::MAX] {
                let expected = blocks.range(asked.clone()).next().is_some();
                prop_assert_eq!(set.intersects(asked), expected);
            }
            let mut added: BTreeSet<u32> = set.added().collect();
            added.extend(start..end);
            prop_assert_eq!(&added, &blocks);
            let bounds = set.bounds(300);
            prop_assert!(blocks.iter().all(|block| *block >= 300 || bounds.contains(block)));
            let all = BlockSet::all();
            prop_assert!(all.intersects(first..=first) && all.contains(first));
        }
    }
}
