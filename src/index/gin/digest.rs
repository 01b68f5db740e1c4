//! What leaves amounted to when they were read last, so that a question asked again need not read them item by item.
//!
//! Whatever changes a page of a logged relation is written ahead and leaves its record's place on the page, the LSN (README of
//! src/backend/access/transam). So a page that has the LSN which it had is the page that it was. GIN changes nothing of a page without
//! a record, no hint bits either. Relations that are not logged, or not yet, as under wal_level = minimal one that its own transaction
//! has made (RelationNeedsWAL), have no digests.

use super::buffer::GinIndex;
use super::page::{Block, Parsed};
use std::cell::RefCell;

/// A power of two. Digests of so many pages are kept in a session, half a megabyte, where they are used at all.
const SLOTS: usize = 1 << 14;

/// The items of a leaf of either tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Digest {
    /// In which blocks of the table the items lie; the last one may be less.
    pub first: u32,
    pub last: u32,
    pub items: u32,
}

/// A page that was read.
#[derive(Clone, Copy)]
struct Slot {
    index: u32,
    block: u32,
    lsn: u64,
    /// Its digest, if it can have one. None is made of a page that was seen but once, and may have changed by the next time.
    digest: Option<Option<Digest>>,
}

const _: () = assert!(size_of::<Option<Slot>>() * SLOTS <= 1 << 19);

thread_local! {
    static PAGES: RefCell<Vec<Option<Slot>>> = const { RefCell::new(Vec::new()) };
}

impl GinIndex {
    /// The digest of a leaf, if this is not the first look at it as it is. `make` makes one, or none of what has none.
    #[inline]
    pub(super) fn digest(
        &self,
        block: u32,
        page: &Block,
        make: impl FnOnce() -> Parsed<Option<Digest>>,
    ) -> Parsed<Option<Digest>> {
        let (Some(index), Some(lsn)) = (self.logged(), lsn(page)) else { return Ok(None) };
        PAGES.with_borrow_mut(|slots| {
            if slots.is_empty() {
                slots.resize(SLOTS, None);
            }
            // Neighbours often lie side by side, and indexes often are of one size.
            let at = block.wrapping_add(index.wrapping_mul(0x9e37_79b1)) as usize % SLOTS;
            match &mut slots[at] {
                Some(slot) if (slot.index, slot.block, slot.lsn) == (index, block, lsn) => {
                    let known = slot.digest.map_or_else(make, Ok)?;
                    slot.digest = Some(known);
                    Ok(known)
                }
                slot => {
                    *slot = Some(Slot { index, block, lsn, digest: None });
                    Ok(None)
                }
            }
        })
    }
}

/// PageGetLSN, whatever its order of bytes. A page that was never written ahead has none.
fn lsn(page: &Block) -> Option<u64> {
    page.first_chunk().map(|bytes| u64::from_ne_bytes(*bytes)).filter(|lsn| *lsn != 0)
}
