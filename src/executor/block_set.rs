//! Parts of a table: the pages whose rows are looked at one by one, while those of all others are only counted.

use super::tid_bitmap::DocIdMap;
use std::ops::{Range, RangeInclusive};

/// Some pages of a table: all of them, or the first ones and some more.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BlockSet {
    is_all: bool,
    /// These pages are in it.
    pages: Range<u32>,
    /// A bit for each page more.
    more: Vec<u64>,
}

impl BlockSet {
    pub fn all() -> BlockSet {
        BlockSet { is_all: true, ..BlockSet::default() }
    }

    /// The first `head` pages, for a start.
    pub fn head(head: u32) -> BlockSet {
        BlockSet::pages(0..head)
    }

    pub fn pages(pages: Range<u32>) -> BlockSet {
        BlockSet { pages, ..BlockSet::default() }
    }

    /// Pages of a table of so many, which those in it are among.
    pub fn range(&self, blocks: u32) -> Range<u32> {
        match self.is_all || !self.more.is_empty() {
            true => 0..blocks,
            false => self.pages.start.min(blocks)..self.pages.end.min(blocks),
        }
    }

    pub fn is_all(&self) -> bool {
        self.is_all
    }

    pub fn add(&mut self, block: u32) {
        let at = block as usize / 64;
        if self.more.len() <= at {
            self.more.resize(at + 1, 0);
        }
        self.more[at] |= 1 << (block % 64);
    }

    /// Behind the rows of the first pages, which are all in it.
    pub fn end(&self, doc_ids: DocIdMap) -> u32 {
        *doc_ids.doc_ids(self.pages.end..=self.pages.end).start()
    }

    #[inline]
    pub fn contains(&self, block: u32) -> bool {
        self.is_all
            || self.pages.contains(&block)
            || self.more.get(block as usize / 64).is_some_and(|word| word >> (block % 64) & 1 == 1)
    }

    /// Whether some page of these is in it.
    #[inline]
    pub fn intersects(&self, blocks: RangeInclusive<u32>) -> bool {
        let (first, last) = blocks.into_inner();
        if self.is_all || first < self.pages.end && last >= self.pages.start {
            return true;
        }
        if self.more.is_empty() {
            return false;
        }
        let (from, to) = (first as usize / 64, last as usize / 64);
        let Some(words) = self.more.get(from..self.more.len().min(to + 1)) else { return false };
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
        fn has_what_was_added(start in 0u32..40, head in 40u32..80, more in proptest::collection::btree_set(0u32..400, 0..9), first in 0u32..500, length in 0u32..200) {
            let mut block_set = BlockSet::pages(start..head);
            more.iter().for_each(|block| block_set.add(*block));
            let blocks: BTreeSet<u32> = (start..head).chain(more).collect();
            for block in [first, first + length, u32::MAX] {
                prop_assert_eq!(block_set.contains(block), blocks.contains(&block));
            }
            prop_assert_eq!(block_set.intersects(first..=first + length), blocks.range(first..=first + length).next().is_some());
            prop_assert_eq!(block_set.intersects(first..=u32::MAX), blocks.range(first..).next().is_some());
            let range = block_set.range(300);
            prop_assert!(blocks.iter().all(|block| *block >= 300 || range.contains(block)));
            prop_assert!(BlockSet::all().intersects(first..=first) && BlockSet::all().contains(first));
        }
    }
}
