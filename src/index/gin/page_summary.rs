//! What leaves amounted to when they were read last, so that a question asked again need not read them item by item.
//!
//! Whatever changes a page of a logged relation is written ahead and leaves its record's place on the page, the LSN (README of
//! src/backend/access/transam). So a page that has the LSN which it had is the page that it was. GIN changes nothing of a page without
//! a record, no hint bits either. Relations that are not logged, or not yet, as under wal_level = minimal one that its own transaction
//! has made (RelationNeedsWAL), have no digests.

use super::buffer::{GinIndex, Locked};
use super::bytes::{Parsed, lsn};
use pgrx::pg_sys::Buffer;
use std::cell::RefCell;

/// A power of two. Digests of so many pages are kept in a session, where they are used at all.
const SLOTS: usize = 1 << 14;
const BYTES: usize = SLOTS * size_of::<Option<CacheSlot>>();
const _: () = assert!(BYTES <= 768 << 10);

/// The items of a leaf of either tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageSummary {
    /// In which blocks of the table the items lie; the last one may be less.
    pub first: u32,
    pub last: u32,
    pub items: u32,
    /// Of the entry tree.
    pub entries: u16,
    pub right: Option<u32>,
}

/// A page that was read.
#[derive(Clone, Copy)]
struct CacheSlot {
    index: u32,
    block: u32,
    lsn: u64,
    /// Where it was: the server's table of buffers need not be asked as long as it is there.
    buffer: Buffer,
    /// Its summary, if it can have one. None is made of a page that was seen but once, and may have changed by the next time.
    summary: Option<Option<PageSummary>>,
}

thread_local! {
    static PAGES: RefCell<Vec<Option<CacheSlot>>> = const { RefCell::new(Vec::new()) };
}

/// The memory of leaves that come next by what is known, fetched some steps ahead of a walk: to be fetched is most of what a summary
/// takes. Each lock on the way would wait for what is fetched only then.
#[derive(Default)]
pub struct Prefetch {
    is_ahead: bool,
    block: Option<u32>,
}

const LEAD: usize = 4;

impl Prefetch {
    /// The walk has used a summary and goes on to the right.
    #[inline]
    pub(super) fn go(&mut self, index: &GinIndex, right: Option<u32>) {
        let steps = if self.is_ahead { 1 } else { LEAD };
        if !self.is_ahead {
            (self.is_ahead, self.block) = (true, right);
        }
        for _ in 0..steps {
            self.block = self.block.and_then(|block| {
                index.known(block, |slot| {
                    index.prefetch(slot.buffer);
                    slot.summary??.right
                })
            });
        }
    }
}

impl GinIndex {
    /// Looks at what is known of a leaf.
    #[inline]
    fn known<T>(&self, block: u32, look: impl FnOnce(&CacheSlot) -> Option<T>) -> Option<T> {
        let index = self.wal_logged_oid()?;
        PAGES.with_borrow(|slots| match slots.get(place(index, block)) {
            Some(Some(slot)) if slot.block == block && slot.index == index => look(slot),
            _ => None,
        })
    }

    /// Which buffer a leaf was in.
    pub(super) fn buffer_of(&self, block: u32) -> Option<Buffer> {
        self.known(block, |slot| Some(slot.buffer))
    }

    /// The summary of a leaf, if there is one and it holds.
    pub(super) fn summary(&self, page: &Locked<'_>) -> Option<PageSummary> {
        let lsn = lsn(page.bytes());
        self.known(page.block, |slot| slot.summary?.filter(|_| slot.lsn == lsn))
    }

    /// The same without a lock on the page. For the entry tree's leaves, whose links hold for ever.
    pub(super) fn summary_unlocked(&self, block: u32) -> Option<PageSummary> {
        let slot = |slot: &CacheSlot| Some((slot.summary??, slot.buffer, slot.lsn));
        let (summary, buffer, lsn) = self.known(block, slot)?;
        (self.lsn_in(block, buffer)? == lsn).then_some(summary)
    }

    /// Remembers a leaf that is read. If it was read before as it is, `make` makes its summary, or none of what has none.
    pub(super) fn remember(
        &self,
        page: &Locked<'_>,
        make: impl FnOnce() -> Parsed<Option<PageSummary>>,
    ) -> Parsed<()> {
        let (block, buffer, lsn) = (page.block, page.buffer(), lsn(page.bytes()));
        // A page that was never written ahead has no LSN.
        let Some(index) = self.wal_logged_oid().filter(|_| lsn != 0) else { return Ok(()) };
        let summary = match self.known(block, |slot| (slot.lsn == lsn).then_some(slot.summary)) {
            Some(summary) => Some(summary.map_or_else(make, Ok)?),
            None => None,
        };
        PAGES.with_borrow_mut(|slots| {
            if slots.is_empty() {
                slots.resize(SLOTS, None);
            }
            slots[place(index, block)] = Some(CacheSlot { index, block, lsn, buffer, summary });
        });
        Ok(())
    }
}

/// Neighbours often lie side by side, and indexes often are of one size.
fn place(index: u32, block: u32) -> usize {
    block.wrapping_add(index.wrapping_mul(0x9e37_79b1)) as usize % SLOTS
}
