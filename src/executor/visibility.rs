//! Which pages of a table hold nothing but rows that everybody sees (PostgreSQL's src/backend/access/heap/visibilitymap.c).
//!
//! A row counts without a look at it if its page was all-visible before the index was read *and* is so after. Both are needed: the
//! first alone would count a row that was inserted meanwhile, the second alone one whose entry was read before VACUUM took it away.
//! (That the page was not all-visible in between is of no matter: the reader's snapshot keeps VACUUM from removing what it sees, and
//! the map's bit from being set over what it does not.)

use super::bitmap::Numbering;
use super::heap::Heap;
use pgrx::pg_sys;
use roaring::RoaringBitmap;

/// visibilitymap.c: MAPSIZE and HEAPBLOCKS_PER_PAGE. Two bits a block, the lower one for all-visible.
const MAP_BYTES: usize = (pg_sys::BLCKSZ - 24) as usize;
const BLOCKS_PER_BYTE: u32 = 4;
const BLOCKS_PER_PAGE: u32 = MAP_BYTES as u32 * BLOCKS_PER_BYTE;
const ALL_VISIBLE: u8 = 0b0101_0101;

/// A copy of a table's visibility map.
pub struct Map {
    bytes: Vec<u8>,
    blocks: u32,
}

impl Map {
    pub fn read(heap: &Heap, blocks: u32) -> Map {
        let mut bytes = Vec::with_capacity(blocks.div_ceil(BLOCKS_PER_BYTE) as usize);
        for first in (0..blocks).step_by(BLOCKS_PER_PAGE as usize) {
            let wanted = (blocks - first).div_ceil(BLOCKS_PER_BYTE).min(MAP_BYTES as u32) as usize;
            let mut buffer = pg_sys::InvalidBuffer as pg_sys::Buffer;
            // SAFETY: the relation is open. What comes back is a pinned buffer with the block's page of the map, or none where the
            // map is shorter. As in visibilitymap_get_status itself it is read without a lock: a byte is read at once.
            unsafe {
                pg_sys::visibilitymap_get_status(heap.relation(), first, &raw mut buffer);
                if buffer != pg_sys::InvalidBuffer as pg_sys::Buffer {
                    let page = pg_sys::BufferGetPage(buffer).cast::<u8>();
                    bytes.extend_from_slice(std::slice::from_raw_parts(page.add(24), wanted));
                    pg_sys::ReleaseBuffer(buffer);
                } else {
                    bytes.resize(bytes.len() + wanted, 0);
                }
            }
        }
        Map { bytes, blocks }
    }

    /// The numbers of rows on pages that are not all-visible in both.
    pub fn unseen(&self, after: &Map, numbering: Numbering) -> RoaringBitmap {
        let mut unseen = RoaringBitmap::new();
        let both = self.bytes.iter().zip(&after.bytes).map(|(a, b)| a & b & ALL_VISIBLE);
        for (at, both) in both.enumerate().filter(|(_, both)| *both != ALL_VISIBLE) {
            let first = at as u32 * BLOCKS_PER_BYTE;
            for block in
                (0..BLOCKS_PER_BYTE).filter(|bit| both >> (2 * bit) & 1 == 0).map(|bit| first + bit)
            {
                if block < self.blocks {
                    unseen.insert_range(numbering.numbers(block..=block));
                }
            }
        }
        unseen
    }
}
