//! What a session remembers of leaf pages, so that a repeated query need not read them item by
//! item.
//!
//! Whatever changes a page of a WAL-logged relation is logged first, and leaves the place of its
//! record on the page, the LSN (README of src/backend/access/transam). So a page that still has the
//! same LSN is unchanged. GIN changes nothing on a page without a record, and sets no hint bits.
//! Relations that are not logged, or not yet, have no summaries. A relation is not logged yet if
//! wal_level = minimal and its own transaction has made it (RelationNeedsWAL).

use super::buffer::{GinIndex, Locked};
use super::bytes::{Parsed, lsn};
use crate::pg::prefetch::prefetch;
use pgrx::pg_sys::Buffer;
use std::cell::RefCell;

/// How many pages a session remembers, from the first one on that it reads. A power of two, so that
/// the remainder is quick.
const SLOTS: usize = 1 << 17;
/// The memory that they take at most, in bytes.
const BYTES: usize = SLOTS * size_of::<Option<CacheSlot>>();
const _: () = assert!(BYTES <= 6 << 20);
/// Slots are allocated in groups of neighbours as pages are seen. To fill all of them at once would
/// take a fifth of a session's first question.
const GROUP: usize = 64;

type Group = Box<[Option<CacheSlot>; GROUP]>;

/// What there is on a leaf page, of the entry tree or of a posting tree.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageSummary {
    /// The first block of the table in which items lie.
    pub first: u32,
    /// The last such block, or a greater number.
    pub last: u32,
    /// How many items the page has.
    pub items: u32,
    /// How many entries the page has. 0 for a posting tree.
    pub entries: u16,
    /// How many of them have items.
    pub filled: u16,
    /// The next leaf page.
    pub right: Option<u32>,
}

/// What is remembered of a page that was read.
#[derive(Clone, Copy)]
struct CacheSlot {
    index: u32,
    block: u32,
    lsn: u64,
    /// The buffer in which the page was. As long as it is there, the server need not look it up in
    /// its table of buffers.
    buffer: Buffer,
    /// The summary, if one was made, or `Some(None)` if the page can have none. None is made of a
    /// page that was seen only once: it may have changed by the next time.
    summary: Option<Option<PageSummary>>,
}

thread_local! {
    static PAGES: RefCell<Vec<Option<Group>>> = const { RefCell::new(Vec::new()) };
}

/// Fetches leaf pages from memory into the CPU cache, some steps ahead of a walk that uses
/// summaries. Such a walk spends most of its time on waiting for memory, and each lock on the way
/// would wait, too.
#[derive(Default)]
pub struct Prefetch {
    is_ahead: bool,
    block: Option<u32>,
}

/// How many pages the fetching is ahead of the walk.
const LEAD: usize = 4;

impl Prefetch {
    /// To be called when the walk has used a summary and goes on to the right.
    #[inline]
    pub(super) fn go(&mut self, index: &GinIndex, right: Option<u32>) {
        let steps = if self.is_ahead { 1 } else { LEAD };
        if !self.is_ahead {
            (self.is_ahead, self.block) = (true, right);
        }
        for _ in 0..steps {
            self.block = self.block.and_then(|block| {
                index.known(block, |slot| {
                    prefetch(slot.buffer);
                    slot.summary??.right
                })
            });
        }
    }
}

impl GinIndex {
    /// Looks at what is remembered of a leaf page.
    #[inline]
    fn known<T>(&self, block: u32, look: impl FnOnce(&CacheSlot) -> Option<T>) -> Option<T> {
        let index = self.wal_logged_oid()?;
        PAGES.with_borrow(|groups| {
            let at = slot_of(index, block);
            let slot = groups.get(at / GROUP)?.as_ref()?[at % GROUP].as_ref()?;
            if slot.block == block && slot.index == index { look(slot) } else { None }
        })
    }

    /// The buffer in which a page was last seen.
    pub(super) fn buffer_of(&self, block: u32) -> Option<Buffer> {
        self.known(block, |slot| Some(slot.buffer))
    }

    /// The summary of a locked page, if there is one and the page is unchanged.
    pub(super) fn summary(&self, page: &Locked<'_>) -> Option<PageSummary> {
        let lsn = lsn(page.bytes());
        self.known(page.block, |slot| slot.summary?.filter(|_| slot.lsn == lsn))
    }

    /// The summary of a page that is not locked, and its LSN, if there is one and the page is
    /// unchanged. Only for leaf pages of the entry tree: these are never deleted, so their right
    /// links hold for ever.
    pub(super) fn summary_unlocked(&self, block: u32) -> Option<(PageSummary, u64)> {
        let slot = |slot: &CacheSlot| Some((slot.summary??, slot.buffer, slot.lsn));
        let (summary, buffer, lsn) = self.known(block, slot)?;
        (self.lsn_in(block, buffer)? == lsn).then_some((summary, lsn))
    }

    /// Remembers a leaf page that is read. If it was read before and is unchanged, `make` makes its
    /// summary; it returns None if the page can have none.
    pub(super) fn remember(
        &self,
        page: &Locked<'_>,
        make: impl FnOnce() -> Parsed<Option<PageSummary>>,
    ) -> Parsed<()> {
        let (block, buffer, lsn) = (page.block, page.buffer(), lsn(page.bytes()));
        // A page without a WAL record has the LSN 0.
        let Some(index) = self.wal_logged_oid().filter(|_| lsn != 0) else { return Ok(()) };
        let summary = match self.known(block, |slot| (slot.lsn == lsn).then_some(slot.summary)) {
            Some(summary) => Some(summary.map_or_else(make, Ok)?),
            None => None,
        };
        PAGES.with_borrow_mut(|groups| {
            if groups.is_empty() {
                groups.resize_with(SLOTS / GROUP, || None);
            }
            let at = slot_of(index, block);
            let group = groups[at / GROUP].get_or_insert_with(|| Box::new([None; GROUP]));
            group[at % GROUP] = Some(CacheSlot { index, block, lsn, buffer, summary });
        });
        Ok(())
    }
}

/// The slot of a page. Neighbours of one index get neighbouring slots, and indexes of similar size
/// are spread.
fn slot_of(index: u32, block: u32) -> usize {
    block.wrapping_add(index.wrapping_mul(0x9e37_79b1)) as usize % SLOTS
}
