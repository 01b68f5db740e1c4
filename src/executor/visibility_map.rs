//! The pages of a table that are all-visible: every transaction sees all of their rows
//! (PostgreSQL's src/backend/access/heap/visibilitymap.c).
//!
//! A row is counted without being looked up if its page was all-visible before the index was read
//! *and* is so afterwards. Both are needed. The first alone would count a row that was inserted
//! meanwhile. The second alone would count a row whose index entry was read before VACUUM removed
//! it. It does not matter if the page was not all-visible in between: as long as the reader has its
//! snapshot, VACUUM removes no row that the snapshot sees, and sets no bit of a page with a row
//! that the snapshot does not see.

use super::bits::Bits;
use super::block_set::BlockSet;
use super::heap::Heap;
use crate::error::Result;
use crate::index::gin::GinIndex;
use crate::memory;
use crate::pg::versions;
use pgrx::pg_sys;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};

/// visibilitymap.c: MAPSIZE, HEAPBLOCKS_PER_BYTE and HEAPBLOCKS_PER_PAGE. A block has two bits, of
/// which the lower one says that it is all-visible.
const MAP_BYTES: usize = (pg_sys::BLCKSZ - 24) as usize;
const BLOCKS_PER_BYTE: u32 = 4;
const BLOCKS_PER_PAGE: u32 = MAP_BYTES as u32 * BLOCKS_PER_BYTE;
const ALL_VISIBLE: u8 = 0b0101_0101;

/// A copy of a table's visibility map.
pub struct VisibilityMap {
    bytes: Vec<u8>,
    /// The number of blocks of the table.
    blocks: u32,
    /// The LSN of each page of the map.
    lsns: Vec<u64>,
    /// Whether setting a bit always changes the LSN of its page.
    is_logged: bool,
    not_all_visible: OnceCell<Bits>,
}

/// How many rows on all-visible pages outside of a block set have entries in an index. Rows whose
/// document is null have none.
struct AllVisibleCount {
    index: u32,
    blocks: u32,
    bytes: Vec<u8>,
    lsns: Vec<u64>,
    block_set: BlockSet,
    rows: u64,
}

/// Counts that are remembered at most. Each has a copy of a visibility map, so that a session keeps
/// no more than 4 MB of them.
const MAX_REMEMBERED: usize = 8;
/// Bytes. No count is remembered of a table with a longer visibility map: 512 kB is the map of a
/// table of 16 GB.
const MAX_MAP_BYTES: usize = 512 << 10;

thread_local! {
    static ALL_VISIBLE_COUNTS: RefCell<Vec<AllVisibleCount>> = const { RefCell::new(Vec::new()) };
}

impl VisibilityMap {
    /// Reads the map of a table with this number of blocks. If rows may be gone that the snapshot
    /// of the running query sees (old_snapshot_threshold), no page counts as all-visible, so that
    /// each is looked at.
    pub fn read(heap: &Heap, blocks: u32) -> Result<VisibilityMap> {
        let length = blocks.div_ceil(BLOCKS_PER_BYTE) as usize;
        let mut bytes = Vec::new();
        memory::reserve(&mut bytes, length)?;
        // SAFETY: a query is running, so there is an active snapshot.
        if unsafe { versions::is_past_threshold(pg_sys::GetActiveSnapshot()) } {
            bytes.resize(length, 0);
            return Ok(VisibilityMap::new(bytes, blocks, Vec::new(), false));
        }
        let mut lsns = Vec::new();
        for first in (0..blocks).step_by(BLOCKS_PER_PAGE as usize) {
            let wanted = (blocks - first).div_ceil(BLOCKS_PER_BYTE).min(MAP_BYTES as u32) as usize;
            let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
            // SAFETY: the relation is open. The server returns a pinned buffer with the block's
            // page of the map, or an invalid one if the map is shorter. The page is read under a
            // share lock, so its bits and its LSN belong together. After the header it has
            // `MAP_BYTES` bytes, and `wanted` is no more than that.
            unsafe {
                pg_sys::visibilitymap_get_status(heap.relation(), first, &raw mut buffer);
                if buffer != pg_sys::InvalidBuffer as pg_sys::Buffer {
                    let page = pg_sys::BufferGetPage(buffer).cast::<u8>();
                    pg_sys::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
                    lsns.push(page.cast::<u64>().read());
                    bytes.extend_from_slice(std::slice::from_raw_parts(page.add(24), wanted));
                    pg_sys::UnlockReleaseBuffer(buffer);
                } else {
                    lsns.push(0);
                    bytes.resize(bytes.len() + wanted, 0);
                }
            }
        }
        // A page that was never WAL-logged has no LSN.
        let is_logged = heap.is_logged() && !lsns.contains(&0);
        Ok(VisibilityMap::new(bytes, blocks, lsns, is_logged))
    }

    fn new(bytes: Vec<u8>, blocks: u32, lsns: Vec<u64>, is_logged: bool) -> VisibilityMap {
        VisibilityMap { bytes, blocks, lsns, is_logged, not_all_visible: OnceCell::new() }
    }

    /// The number of blocks of the table.
    pub fn blocks(&self) -> u32 {
        self.blocks
    }

    /// The LSNs of the pages of the map, where setting a bit always changes them.
    pub fn lsns(&self) -> Option<&[u64]> {
        self.is_logged.then_some(self.lsns.as_slice())
    }

    /// How many rows on all-visible pages outside of a block set have entries in an index; none if
    /// that was not remembered for a map like this one.
    ///
    /// Whoever sets bits of a page of the map gives the page a new LSN (visibilitymap_set). Whoever
    /// clears bits does not. So if the bits and the LSN are the same as before, the pages have been
    /// all-visible in between, and the rows of such pages are the same.
    pub fn rows_outside(&self, index: &GinIndex, block_set: &BlockSet) -> Option<u64> {
        if !self.is_logged {
            return None;
        }
        ALL_VISIBLE_COUNTS.with_borrow(|all| {
            let same = |known: &&AllVisibleCount| {
                known.index == index.oid()
                    && (known.blocks, &known.lsns) == (self.blocks, &self.lsns)
                    && known.block_set == *block_set
                    && known.bytes == self.bytes
            };
            all.iter().find(same).map(|known| known.rows)
        })
    }

    /// Remembers the number for `rows_outside`. While it was counted, the table must not have
    /// grown.
    pub fn remember(&self, index: &GinIndex, block_set: &BlockSet, rows: u64) {
        if !self.is_logged || self.bytes.len() > MAX_MAP_BYTES {
            return;
        }
        let (index, blocks, bytes, lsns) = (index.oid(), self.blocks, &self.bytes, &self.lsns);
        let (bytes, lsns, block_set) = (bytes.clone(), lsns.clone(), block_set.clone());
        ALL_VISIBLE_COUNTS.with_borrow_mut(|all| {
            // A query has one block set when its first rows are wanted and another one when rows
            // are only counted. Both are kept.
            all.retain(|known| {
                known.index != index || known.lsns == lsns && known.block_set != block_set
            });
            all.truncate(MAX_REMEMBERED - 1);
            all.insert(0, AllVisibleCount { index, blocks, bytes, lsns, block_set, rows });
        });
    }

    /// The pages that are not all-visible in both maps.
    pub fn not_all_visible_in_both(&self, other: &VisibilityMap) -> Result<Cow<'_, Bits>> {
        // Even where documents change all the time, the map does so seldom.
        if self.bytes == other.bytes {
            return Ok(Cow::Borrowed(self.not_all_visible()));
        }
        Ok(Cow::Owned(self.and(other)?.not_all_visible().clone()))
    }

    /// The map of the pages that are all-visible in both.
    pub fn and(&self, other: &VisibilityMap) -> Result<VisibilityMap> {
        let mut bytes = Vec::new();
        memory::reserve(&mut bytes, self.bytes.len())?;
        bytes.extend(self.bytes.iter().zip(&other.bytes).map(|(a, b)| a & b));
        Ok(VisibilityMap::new(bytes, self.blocks, Vec::new(), false))
    }

    /// Whether all pages that are all-visible here are so in another map.
    pub fn is_within(&self, other: &VisibilityMap) -> bool {
        let lost = self.bytes.iter().zip(&other.bytes).fold(0, |lost, (a, b)| lost | a & !b);
        lost & ALL_VISIBLE == 0
    }

    /// The pages that are not all-visible.
    pub fn not_all_visible(&self) -> &Bits {
        self.not_all_visible.get_or_init(|| {
            // A bit for each block, the first one lowest: a word for two words of the map.
            let half = |pairs: u64| u64::from(lower_bits(!pairs));
            let word = |pairs: u128| half(pairs as u64) | half((pairs >> 64) as u64) << 32;
            let (whole, rest) = self.bytes.as_chunks::<16>();
            let mut words = Vec::with_capacity(whole.len() + 1);
            words.extend(whole.iter().map(|bytes| word(u128::from_le_bytes(*bytes))));
            let mut last = [u8::MAX; 16];
            last.iter_mut().zip(rest).for_each(|(last, byte)| *last = *byte);
            words.push(word(u128::from_le_bytes(last)));
            Bits::new(words, self.blocks)
        })
    }
}

/// The lower bit of each pair of bits. In each step, neighbouring groups of bits move together.
fn lower_bits(pairs: u64) -> u32 {
    let bits = pairs & 0x5555_5555_5555_5555;
    let bits = (bits | bits >> 1) & 0x3333_3333_3333_3333;
    let bits = (bits | bits >> 2) & 0x0f0f_0f0f_0f0f_0f0f;
    let bits = (bits | bits >> 4) & 0x00ff_00ff_00ff_00ff;
    let bits = (bits | bits >> 8) & 0x0000_ffff_0000_ffff;
    (bits | bits >> 16) as u32
}

#[cfg(test)]
mod tests {
    use super::lower_bits;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn takes_the_lower_bit_of_each_pair(pairs in any::<u64>()) {
            let expected = (0..32).filter(|pair| pairs >> (2 * pair) & 1 == 1).map(|pair| 1 << pair);
            prop_assert_eq!(lower_bits(pairs), expected.sum::<u32>());
        }
    }
}
