//! Which pages of a table hold nothing but rows that everybody sees (PostgreSQL's src/backend/access/heap/visibilitymap.c).
//!
//! A row counts without a look at it if its page was all-visible before the index was read *and* is so after. Both are needed: the
//! first alone would count a row that was inserted meanwhile, the second alone one whose entry was read before VACUUM took it away.
//! (That the page was not all-visible in between is of no matter: the reader's snapshot keeps VACUUM from removing what it sees, and
//! the map's bit from being set over what it does not.)

use super::block_set::BlockSet;
use super::heap::Heap;
use crate::error::Result;
use crate::index::gin::GinIndex;
use crate::memory;
use crate::pg::versions;
use pgrx::pg_sys;
use roaring::RoaringBitmap;
use std::cell::RefCell;

/// visibilitymap.c: MAPSIZE and HEAPBLOCKS_PER_PAGE. Two bits a block, the lower one for all-visible.
const MAP_BYTES: usize = (pg_sys::BLCKSZ - 24) as usize;
const BLOCKS_PER_BYTE: u32 = 4;
const BLOCKS_PER_PAGE: u32 = MAP_BYTES as u32 * BLOCKS_PER_BYTE;
const ALL_VISIBLE: u8 = 0b0101_0101;

/// A copy of a table's visibility map.
pub struct VisibilityMap {
    bytes: Vec<u8>,
    blocks: u32,
    /// The LSN of each page of it, and whether setting a bit of it always changes that.
    lsns: Vec<u64>,
    is_logged: bool,
}

/// How many rows an index has of those on all-visible pages, but for those of a block set. Where the column is null there are none of them.
struct Remembered {
    index: u32,
    blocks: u32,
    bytes: Vec<u8>,
    lsns: Vec<u64>,
    block_set: BlockSet,
    rows: u64,
}

/// So much is remembered at most. Each has a copy of a map: of one of half a megabyte, 16 GB of table.
const MOST: usize = 8;
const LONGEST: usize = 512 << 10;

thread_local! {
    static ALL_VISIBLE_COUNTS: RefCell<Vec<Remembered>> = const { RefCell::new(Vec::new()) };
}

impl VisibilityMap {
    /// Where rows may be gone that the running query's snapshot sees, each page has to be looked at, and none counts as all-visible.
    pub fn read(heap: &Heap, blocks: u32) -> Result<VisibilityMap> {
        let length = blocks.div_ceil(BLOCKS_PER_BYTE) as usize;
        let mut bytes = Vec::new();
        memory::reserve(&mut bytes, length)?;
        // SAFETY: a query is running, and so has a snapshot.
        if unsafe { versions::is_past_threshold(pg_sys::GetActiveSnapshot()) } {
            bytes.resize(length, 0);
            return Ok(VisibilityMap { bytes, blocks, lsns: Vec::new(), is_logged: false });
        }
        let mut lsns = Vec::new();
        for first in (0..blocks).step_by(BLOCKS_PER_PAGE as usize) {
            let wanted = (blocks - first).div_ceil(BLOCKS_PER_BYTE).min(MAP_BYTES as u32) as usize;
            let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
            // SAFETY: the relation is open. What comes back is a pinned buffer with the block's page of the map, or none where the
            // map is shorter. It is read under a share lock, so that bits and LSN are of one moment.
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
        // A page that was never written ahead has no LSN.
        let is_logged = heap.is_logged() && !lsns.contains(&0);
        Ok(VisibilityMap { bytes, blocks, lsns, is_logged })
    }

    /// How many rows that an index has are on the all-visible pages outside of a block set, if it was remembered and is the same. Whoever
    /// sets bits of the map gives its page a new LSN (visibilitymap_set); whoever clears them does not. So bits that are set, as they
    /// were under the same LSN, have been so all the time, and of a page that is all-visible all the time the rows are the same.
    pub fn rows_outside(&self, index: &GinIndex, block_set: &BlockSet) -> Option<u64> {
        if !self.is_logged {
            return None;
        }
        ALL_VISIBLE_COUNTS.with_borrow(|all| {
            let same = |known: &&Remembered| {
                known.index == index.oid()
                    && (known.blocks, &known.lsns) == (self.blocks, &self.lsns)
                    && known.block_set == *block_set
                    && known.bytes == self.bytes
            };
            all.iter().find(same).map(|known| known.rows)
        })
    }

    /// Remembers that number. It must have been counted while the table got no longer.
    pub fn remember(&self, index: &GinIndex, block_set: &BlockSet, rows: u64) {
        if !self.is_logged || self.bytes.len() > LONGEST {
            return;
        }
        let (index, blocks, bytes, lsns) = (index.oid(), self.blocks, &self.bytes, &self.lsns);
        let (bytes, lsns, block_set) = (bytes.clone(), lsns.clone(), block_set.clone());
        ALL_VISIBLE_COUNTS.with_borrow_mut(|all| {
            // With and without first rows to show, two regions are asked for.
            all.retain(|known| {
                known.index != index || known.lsns == lsns && known.block_set != block_set
            });
            all.truncate(MOST - 1);
            all.insert(0, Remembered { index, blocks, bytes, lsns, block_set, rows });
        });
    }

    /// Pages that are all-visible in both.
    pub fn and(mut self, other: &VisibilityMap) -> VisibilityMap {
        self.bytes.iter_mut().zip(&other.bytes).for_each(|(a, b)| *a &= b);
        self
    }

    /// Whether all pages that are all-visible here are so in another map.
    pub fn is_within(&self, other: &VisibilityMap) -> bool {
        let lost = self.bytes.iter().zip(&other.bytes).fold(0, |lost, (a, b)| lost | a & !b);
        lost & ALL_VISIBLE == 0
    }

    /// The pages that are not all-visible.
    pub fn not_all_visible(&self) -> RoaringBitmap {
        /// Bytes that are looked at together: nearly all have nothing to show.
        const PIECE: usize = 128;
        // A bit for each block, the first one lowest: half a byte for each byte of the map.
        let mut open = vec![0u8; self.bytes.len().div_ceil(2)];
        for (piece, bytes) in self.bytes.chunks(PIECE).enumerate() {
            if bytes.iter().fold(ALL_VISIBLE, |all, byte| all & byte) == ALL_VISIBLE {
                continue;
            }
            for (at, byte) in bytes.iter().enumerate() {
                let at = PIECE * piece + at;
                if let Some(bits) = open.get_mut(at / 2) {
                    *bits |= lower_bits(!byte) << (4 * (at % 2));
                }
            }
        }
        let mut open = RoaringBitmap::from_lsb0_bytes(0, &open);
        open.remove_range(self.blocks..);
        open
    }
}

/// The lower bit of each pair of bits, in four bits.
fn lower_bits(pairs: u8) -> u8 {
    let bits = pairs & ALL_VISIBLE;
    let bits = (bits | bits >> 1) & 0b0011_0011;
    (bits | bits >> 2) & 0b0000_1111
}

#[cfg(test)]
mod tests {
    use super::lower_bits;

    #[test]
    fn takes_the_lower_bit_of_each_pair() {
        for byte in 0..=u8::MAX {
            let expected = (0..4).filter(|pair| byte >> (2 * pair) & 1 == 1).map(|pair| 1 << pair);
            assert_eq!(lower_bits(byte), expected.sum::<u8>(), "{byte:08b}");
        }
    }
}
