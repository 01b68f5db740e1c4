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
/// So many bytes are passed over at once, as many as a processor can look at together.
const CHUNK: usize = 64;

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

    pub fn blocks(&self) -> u32 {
        self.blocks
    }

    /// Pages that are all-visible in both.
    pub fn and(mut self, other: &Map) -> Map {
        self.bytes.iter_mut().zip(&other.bytes).for_each(|(a, b)| *a &= b);
        self
    }

    /// Whether all pages that are all-visible here are so in another map.
    pub fn is_within(&self, other: &Map) -> bool {
        let lost = self.bytes.iter().zip(&other.bytes).fold(0, |lost, (a, b)| lost | a & !b);
        lost & ALL_VISIBLE == 0
    }

    /// The pages that are not all-visible.
    pub fn open(&self) -> RoaringBitmap {
        let mut open = RoaringBitmap::new();
        for (chunk, bytes) in self.bytes.chunks(CHUNK).enumerate() {
            // Nearly all of them have nothing to show.
            if bytes.iter().fold(ALL_VISIBLE, |all, byte| all & byte) == ALL_VISIBLE {
                continue;
            }
            for (at, byte) in bytes.iter().enumerate() {
                let first = (CHUNK * chunk + at) as u32 * BLOCKS_PER_BYTE;
                let blocks = (0..BLOCKS_PER_BYTE).filter(|block| byte >> (2 * block) & 1 == 0);
                open.extend(blocks.map(|block| first + block).filter(|block| *block < self.blocks));
            }
        }
        open
    }

    /// The numbers of rows on pages that are not all-visible.
    pub fn open_rows(&self, numbering: Numbering) -> RoaringBitmap {
        let mut rows = RoaringBitmap::new();
        for block in &self.open() {
            rows.insert_range(numbering.numbers(block..=block));
        }
        rows
    }
}
