//! The leaf pages that some work has read, and whether they are as they were then.
//!
//! What was made of the pages is true as long as all of them have the LSNs that they had
//! (`page_summary` says why). Then each was unchanged from the time when it was read until it was
//! looked at again. So there was a moment, before the first of these looks, at which the index had
//! just what was read. A page that comes into a range later is split off one of its pages, or of the
//! page before its first key, and both were read.

use super::buffer::{GinIndex, Locked};
use super::bytes::lsn;
use super::page::{PageHeader, PageKind};
use crate::error::Result;
use crate::pg::prefetch::prefetch;
use pgrx::pg_sys::Buffer;

/// A page that was read.
#[derive(Clone, Copy)]
pub(super) struct ReadPage {
    block: u32,
    /// The buffer in which it was last seen.
    buffer: Buffer,
    lsn: u64,
}

/// Leaf pages of the entry tree and of posting trees.
pub struct ReadPages {
    pages: Vec<ReadPage>,
}

impl ReadPages {
    /// Bytes of memory.
    pub fn size(&self) -> usize {
        self.pages.capacity() * size_of::<ReadPage>()
    }
}

impl GinIndex {
    /// Does some work, and returns which leaf pages it has locked, in its order. None if changes to
    /// them would not be seen.
    pub fn noting<T, E>(
        &self,
        work: impl FnOnce() -> std::result::Result<T, E>,
    ) -> std::result::Result<(T, Option<ReadPages>), E> {
        *self.noted.borrow_mut() = Some(Vec::new());
        let result = work();
        let pages = self.noted.borrow_mut().take().unwrap_or_default();
        let are_logged = self.wal_logged_oid().is_some()
            // A page without a WAL record has the LSN 0.
            && pages.iter().all(|page| page.lsn != 0);
        Ok((result?, are_logged.then_some(ReadPages { pages })))
    }

    /// Notes a page that was just locked, if pages are noted.
    pub(super) fn note(&self, page: &Locked<'_>) {
        let mut noted = self.noted.borrow_mut();
        let Some(pages) = noted.as_mut() else { return };
        let kind = PageHeader::parse(page.bytes()).map(|head| head.kind);
        match kind {
            Ok(PageKind::EntryInner | PageKind::DataInner) => {}
            _ => pages.push(ReadPage {
                block: page.block,
                buffer: page.buffer(),
                lsn: lsn(page.bytes()),
            }),
        }
    }

    /// Whether all of these pages are as they were when they were read.
    pub fn are_unchanged(&self, read: &mut ReadPages) -> Result<bool> {
        /// How many pages are fetched from memory at the same time.
        const LEAD: usize = 8;
        if self.wal_logged_oid().is_none() {
            return Ok(false);
        }
        for at in 0..read.pages.len() {
            if let Some(ahead) = read.pages.get(at + LEAD) {
                prefetch(ahead.buffer);
            }
            let page = &mut read.pages[at];
            let found = match self.lsn_in(page.block, page.buffer) {
                Some(found) => found,
                // A new index, after TRUNCATE or REINDEX, may be shorter.
                None if !self.has_block(page.block) => return Ok(false),
                None => {
                    crate::memory::check();
                    let locked = self.lock(page.block)?;
                    page.buffer = locked.buffer();
                    lsn(locked.bytes())
                }
            };
            if found != page.lsn {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
