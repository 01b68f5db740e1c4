//! Rows of a table, in one of two forms: few as a compressed bitmap, many as plain bits.

use super::bits::Bits;
use super::doc_id::DocIdMap;
use super::heap_page::VisibleRows;
use super::row_bits::{each_rows, each_set, of_sorted};
use crate::error::Result;
use roaring::RoaringBitmap;

/// Rows. So few, or fewer, become a compressed bitmap again.
const FEW_ROWS: u64 = 1 << 12;

/// Rows by doc ID.
#[derive(Debug, Clone)]
pub enum Rows {
    /// Few rows, or more than memory has plain bits for.
    Compressed(RoaringBitmap),
    Plain(Bits),
}

impl Default for Rows {
    fn default() -> Rows {
        Rows::none()
    }
}

impl Rows {
    pub fn none() -> Rows {
        Rows::Compressed(RoaringBitmap::new())
    }

    pub fn len(&self) -> u64 {
        match self {
            Rows::Compressed(rows) => rows.len(),
            Rows::Plain(rows) => rows.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        match self {
            Rows::Compressed(rows) => rows.is_empty(),
            Rows::Plain(rows) => rows.is_empty(),
        }
    }

    #[inline]
    pub fn contains(&self, row: u32) -> bool {
        match self {
            Rows::Compressed(rows) => rows.contains(row),
            Rows::Plain(rows) => rows.contains(row),
        }
    }

    pub fn bitmap(self) -> RoaringBitmap {
        match self {
            Rows::Compressed(rows) => rows,
            Rows::Plain(rows) => rows.bitmap(),
        }
    }

    /// The rows from one on, in order.
    pub fn iter_from(&self, from: u32) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Rows::Compressed(rows) => Box::new(rows.range(from..)),
            Rows::Plain(rows) => Box::new(rows.iter_from(from)),
        }
    }

    /// Passes the rows in order, many at a time.
    pub fn each_together(&self, take: impl FnMut(&[u32])) -> Result<()> {
        match self {
            Rows::Compressed(rows) => each_rows(rows, take),
            Rows::Plain(rows) => {
                each_set(rows.words(), take);
                Ok(())
            }
        }
    }

    /// The row that so many others are in front of.
    pub fn select(&self, before: u32) -> Option<u32> {
        match self {
            Rows::Compressed(rows) => rows.select(before),
            Rows::Plain(rows) => rows.select(before.into()),
        }
    }

    /// The first row that is not in front of another one.
    pub fn next(&self, from: u32) -> Option<u32> {
        match self {
            Rows::Compressed(rows) => rows.range(from..).next(),
            Rows::Plain(rows) => rows.iter_from(from).next(),
        }
    }

    pub fn remove(&mut self, row: u32) {
        match self {
            Rows::Compressed(rows) => drop(rows.remove(row)),
            Rows::Plain(rows) => rows.remove(row),
        }
    }

    /// Keeps the rows that are in both sets.
    pub fn intersect(&mut self, other: &Rows) -> Result<()> {
        match (&mut *self, other) {
            (Rows::Compressed(rows), Rows::Compressed(other)) => *rows &= other,
            (Rows::Compressed(rows), Rows::Plain(other)) => {
                *rows = kept(rows, |row| other.contains(row))?;
            }
            (Rows::Plain(rows), Rows::Compressed(other)) => {
                *self = Rows::Compressed(kept(other, |row| rows.contains(row))?);
            }
            (Rows::Plain(rows), Rows::Plain(other)) => {
                rows.intersect(other);
                self.compress_few();
            }
        }
        Ok(())
    }

    /// Adds the rows of another set.
    pub fn unite(&mut self, other: &Rows) {
        match (&mut *self, other) {
            (Rows::Compressed(rows), Rows::Compressed(other)) => *rows |= other,
            (Rows::Compressed(rows), Rows::Plain(other)) => {
                let mut all = other.clone();
                rows.iter().for_each(|row| all.insert(row));
                *self = Rows::Plain(all);
            }
            (Rows::Plain(rows), Rows::Compressed(other)) => {
                other.iter().for_each(|row| rows.insert(row));
            }
            (Rows::Plain(rows), Rows::Plain(other)) => rows.unite(other),
        }
    }

    /// Removes the rows of another set.
    pub fn subtract(&mut self, other: &Rows) -> Result<()> {
        match (&mut *self, other) {
            (Rows::Compressed(rows), Rows::Compressed(other)) => *rows -= other,
            (Rows::Compressed(rows), Rows::Plain(other)) => {
                *rows = kept(rows, |row| !other.contains(row))?;
            }
            (Rows::Plain(rows), Rows::Compressed(other)) => {
                other.iter().for_each(|row| rows.remove(row));
            }
            (Rows::Plain(rows), Rows::Plain(other)) => {
                rows.subtract(other);
                self.compress_few();
            }
        }
        Ok(())
    }

    /// The next operations take less time with few rows in compressed form, and less memory.
    fn compress_few(&mut self) {
        if let Rows::Plain(rows) = self
            && rows.len() <= FEW_ROWS
        {
            *self = Rows::Compressed(rows.bitmap());
        }
    }

    /// Replaces the rows of a page.
    pub fn put_page(&mut self, doc_ids: DocIdMap, block: u32, page: &VisibleRows) {
        match self {
            Rows::Compressed(rows) => {
                let doc_ids_of_page = doc_ids.doc_ids(block..=block);
                rows.remove_range(doc_ids_of_page.clone());
                let is_on = |row: &u32| page.contains(doc_ids.tid(*row).offset);
                rows.extend(doc_ids_of_page.filter(is_on));
            }
            Rows::Plain(rows) => {
                for (at, mask, page) in words_of_page(doc_ids, block, page) {
                    rows.replace(at, mask, page);
                }
            }
        }
    }

    /// How many bytes they take.
    pub fn size(&self) -> usize {
        match self {
            Rows::Compressed(rows) => rows.serialized_size(),
            Rows::Plain(rows) => rows.size(),
        }
    }

    /// The blocks that have some of the rows.
    pub fn blocks(&self, doc_ids: DocIdMap) -> Bits {
        let mut blocks = Bits::default();
        match self {
            Rows::Compressed(rows) => {
                rows.iter().for_each(|row| blocks.insert(doc_ids.tid(row).block));
            }
            // A part of a word, or some whole words, have the rows of a block.
            Rows::Plain(rows) if doc_ids.offset_bits() < 6 => {
                let (log, words) = (doc_ids.offset_bits(), rows.words());
                let together = 1 << log;
                let gathered = |words: &[u64]| {
                    let one =
                        |(at, word): (usize, &u64)| groups_of(*word, log) << (at << (6 - log));
                    words.iter().enumerate().fold(0, |blocks, word| blocks | one(word))
                };
                let words = words.chunks(together).map(gathered).collect();
                blocks = Bits::new(words, u32::MAX);
            }
            Rows::Plain(rows) => {
                for (at, _) in (0u32..).zip(rows.words()).filter(|(_, word)| **word != 0) {
                    blocks.insert(doc_ids.tid(at * 64).block);
                }
            }
        }
        blocks
    }
}

/// The words that have the doc IDs of a page: the number of each, the bits in it that are the
/// page's, and those of them that are set for some rows of the page.
pub fn words_of_page(
    doc_ids: DocIdMap,
    block: u32,
    rows: &VisibleRows,
) -> impl Iterator<Item = (usize, u64, u64)> {
    let first = *doc_ids.doc_ids(block..=block).start() as usize;
    let length = 1usize << doc_ids.offset_bits();
    // A page has a part of a word, or some whole words.
    let mask = if length < 64 { ((1 << length) - 1) << (first % 64) } else { u64::MAX };
    (0..length.div_ceil(64))
        .map(move |at| (first / 64 + at, mask, rows.word(at) << (first % 64) & mask))
}

/// Those of some rows that pass.
pub fn kept(rows: &RoaringBitmap, passes: impl Fn(u32) -> bool) -> Result<RoaringBitmap> {
    let mut kept = Vec::new();
    each_rows(rows, |rows| kept.extend(rows.iter().copied().filter(|row| passes(*row))))?;
    Ok(of_sorted(&kept))
}

/// In which groups of neighbouring bits some bit is set, the first group lowest; each has two to
/// the power of `log` bits.
#[inline]
fn groups_of(word: u64, log: u32) -> u64 {
    // Pages whose rows were updated have more than 16 line pointers, and so there are two groups.
    if log == 5 {
        return u64::from(word as u32 != 0) | u64::from(word >> 32 != 0) << 1;
    }
    if log != 4 {
        let mask = (1 << (1 << log)) - 1;
        let is_used = |group: u32| u64::from(word >> (group << log) & mask != 0) << group;
        return (0..64 >> log).map(is_used).sum();
    }
    // In each step, the lower half of a group takes in the upper one.
    let folded = word | word >> 8;
    let folded = folded | folded >> 4;
    let folded = folded | folded >> 2;
    let folded = (folded | folded >> 1) & 0x0001_0001_0001_0001;
    // Bit 16 g goes to bit 60 + g, and no two bits meet on the way.
    folded.wrapping_mul(1 << 60 | 1 << 45 | 1 << 30 | 1 << 15) >> 60
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Rows of each form.
    fn forms(rows: &BTreeSet<u32>) -> [Rows; 2] {
        let mut bits = Bits::default();
        rows.iter().for_each(|row| bits.insert(*row));
        [Rows::Compressed(rows.iter().copied().collect()), Rows::Plain(bits)]
    }

    proptest! {
        #[test]
        fn forms_are_the_same_set(
            a in proptest::collection::btree_set(0u32..3_000, 0..300),
            b in proptest::collection::btree_set(0u32..3_000, 0..300),
            row in 0u32..3_000,
        ) {
            for one in forms(&a) {
                for other in forms(&b) {
                    let (mut both, mut any, mut left) = (one.clone(), one.clone(), one.clone());
                    both.intersect(&other).unwrap();
                    any.unite(&other);
                    left.subtract(&other).unwrap();
                    prop_assert_eq!(any.len() as usize, a.union(&b).count());
                    prop_assert!(both.bitmap().iter().eq(a.intersection(&b).copied()));
                    prop_assert!(any.bitmap().iter().eq(a.union(&b).copied()));
                    prop_assert!(left.bitmap().iter().eq(a.difference(&b).copied()));
                }
                let widths = std::iter::successors(Some(DocIdMap::NARROWEST), |map| map.wider());
                for doc_ids in widths {
                    let block = |row: &u32| doc_ids.tid(*row).block;
                    let blocks: BTreeSet<u32> = a.iter().map(block).collect();
                    prop_assert!(one.blocks(doc_ids).iter().eq(blocks));
                }
                prop_assert!(one.iter_from(row).eq(a.range(row..).copied()));
                prop_assert_eq!(one.next(row), a.range(row..).next().copied());
                let place = row % 400;
                prop_assert_eq!(one.select(place), a.iter().copied().nth(place as usize));
                let mut removed = one;
                removed.remove(row);
                prop_assert!(removed.bitmap().iter().eq(a.iter().copied().filter(|a| *a != row)));
            }
        }
    }
}
