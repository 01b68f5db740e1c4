//! Doc IDs: the rows of a table as 32-bit integers, which is what a `RoaringBitmap` holds.

use crate::error::Error;
use crate::index::gin::{GinIndex, NOWHERE, PLACE_BITS, Tid};
use std::ops::RangeInclusive;

/// How TIDs become doc IDs: the block number in the upper bits, the offset in the lower ones.
///
/// The fewer bits the offset has, the denser the bitmaps are, and dense bitmaps are fast. So a map
/// starts narrow and grows only when a row is met whose offset does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocIdMap {
    offset_bits: u32,
}

impl DocIdMap {
    /// 16 rows on a page: a page of 8 kB has no more documents of half a kilobyte.
    pub const NARROWEST: DocIdMap = DocIdMap { offset_bits: 4 };
    /// As many rows as a page can have. The offset of every row fits.
    pub const WIDEST: DocIdMap = DocIdMap { offset_bits: PLACE_BITS };

    /// The next wider map; none for the widest.
    pub fn wider(self) -> Option<DocIdMap> {
        (self != DocIdMap::WIDEST).then_some(DocIdMap { offset_bits: self.offset_bits + 1 })
    }

    /// How many bits the offset has. Each block has two to this power of doc IDs.
    pub fn offset_bits(self) -> u32 {
        self.offset_bits
    }

    /// Whether a table with this number of blocks has doc IDs for all of them.
    pub fn covers(self, blocks: u32) -> bool {
        blocks <= u32::MAX >> self.offset_bits
    }

    /// The doc ID of a row; none if its offset does not fit. The map must cover the block.
    #[inline]
    pub fn doc_id(self, tid: Tid) -> Option<u32> {
        let offset = u32::from(tid.offset).wrapping_sub(1);
        (offset < 1 << self.offset_bits).then_some(tid.block << self.offset_bits | offset)
    }

    /// The row that has a doc ID.
    pub fn tid(self, doc_id: u32) -> Tid {
        let offset = doc_id & ((1 << self.offset_bits) - 1);
        Tid { block: doc_id >> self.offset_bits, offset: offset as u16 + 1 }
    }

    /// The doc IDs of a range of blocks.
    pub fn doc_ids(self, blocks: RangeInclusive<u32>) -> RangeInclusive<u32> {
        let last = blocks.end() << self.offset_bits | ((1 << self.offset_bits) - 1);
        blocks.start() << self.offset_bits..=last
    }
}

/// A row has no doc ID, because its offset does not fit into the [`DocIdMap`]. The search starts
/// again with a wider map; users never see this error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DocIdOverflow;

/// Why reading posting lists into bitmaps ended early.
#[derive(Debug)]
pub enum ReadError {
    DocIdOverflow(DocIdOverflow),
    Failed(Error),
}

/// The result of whatever reads posting lists into bitmaps.
pub type ReadResult<T> = Result<T, ReadError>;

impl ReadError {
    /// The error of a read whose map was [`DocIdMap::WIDEST`]. Such a read does not overflow: what
    /// reads the index's pages reports an offset that no row can have as damage of the index.
    pub fn under_widest_map(self, index: &GinIndex) -> Error {
        match self {
            ReadError::DocIdOverflow(DocIdOverflow) => index.corrupt(0, NOWHERE),
            ReadError::Failed(error) => error,
        }
    }
}

impl From<DocIdOverflow> for ReadError {
    fn from(overflow: DocIdOverflow) -> ReadError {
        ReadError::DocIdOverflow(overflow)
    }
}

impl From<Error> for ReadError {
    fn from(error: Error) -> ReadError {
        ReadError::Failed(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn doc_ids_stand_for_rows(
            bits in 4u32..10,
            block in 0u32..1 << 22,
            offset in 1u16..512,
        ) {
            let (doc_ids, row) = (DocIdMap { offset_bits: bits }, Tid { block, offset });
            prop_assert_eq!(doc_ids.doc_id(row).is_some(), offset <= 1 << bits);
            if let Some(doc_id) = doc_ids.doc_id(row) {
                prop_assert!(doc_ids.covers(block));
                prop_assert_eq!(doc_ids.tid(doc_id), row);
                prop_assert!(doc_ids.doc_ids(block..=block).contains(&doc_id));
            }
        }
    }
}
