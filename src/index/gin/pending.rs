//! The pending list: entries that are not in the tree yet (fastupdate).

use super::buffer::{GinIndex, Visits, expand};
use super::bytes::{Block, Damage, Parsed, lsn};
use super::page::{EntryKey, PageHeader, PageKind, Tuple};
use super::posting_list::{NOWHERE, Tid};
use crate::error::Result;

/// GIN_METAPAGE_BLKNO
const META: u32 = 0;

/// A page of the list, copied if the caller wanted that.
pub(super) struct PendingPage {
    pub block: u32,
    pub lsn: u64,
    pub bytes: Option<Box<Block>>,
}

/// How many neighbouring pages go into a sample together: about what the entries of a few documents
/// take.
const RUN: usize = 4;

impl GinIndex {
    /// Whether there are entries that are not in the tree yet.
    pub fn has_pending(&self) -> Result<bool> {
        let meta = self.lock(META)?;
        Ok(self.pending_head(meta.bytes())?.is_some())
    }

    /// Visits the entries that are not in the tree yet, rows in the order of their insertion. Call
    /// this before reading the tree, as GIN does: entries that move meanwhile are then seen twice,
    /// and not missed.
    pub fn pending(&self, visit: &mut impl FnMut(&[u8], Tid)) -> Result<()> {
        let mut plain = Vec::new();
        for page in self.pending_pages(&|_, _, _| true)? {
            crate::memory::check();
            self.visit_copy(&page, 0, &mut plain, visit)?;
        }
        Ok(())
    }

    /// Visits the entries of about `pages` pages all over the list. Returns how many pages each of
    /// them stands for.
    pub fn sample_pending(
        &self,
        pages: usize,
        visit: &mut impl FnMut(&[u8], Tid),
    ) -> Result<usize> {
        let stride = self.pending_len()?.div_ceil(pages.max(1)).max(1);
        let mut plain = Vec::new();
        for page in self.pending_pages(&|number, _, _| (number / RUN).is_multiple_of(stride))? {
            self.visit_copy(&page, 0, &mut plain, visit)?;
        }
        Ok(stride)
    }

    /// Visits the tuples of a copied page, from number `from` on. Returns how many there are in
    /// all.
    pub(super) fn visit_copy(
        &self,
        page: &PendingPage,
        from: usize,
        plain: &mut Vec<u8>,
        visit: &mut impl FnMut(&[u8], Tid),
    ) -> Result<usize> {
        let Some(bytes) = &page.bytes else { return Ok(0) };
        visit_page(bytes, from, plain, visit).map_err(|damage| self.corrupt(page.block, damage))
    }

    /// The LSN of the metapage, which changes with the pending list (ginfast.c), the head of the list,
    /// and how many pages it has.
    pub(super) fn pending_state(&self) -> Result<(u64, Option<u32>, usize)> {
        let meta = self.lock(META)?;
        let bytes = meta.bytes();
        Ok((lsn(bytes), self.pending_head(bytes)?, self.pages_of_list(bytes)?))
    }

    /// How many pages the list has.
    fn pending_len(&self) -> Result<usize> {
        let meta = self.lock(META)?;
        self.pages_of_list(meta.bytes())
    }

    fn pages_of_list(&self, meta: &Block) -> Result<usize> {
        PageHeader::parse(meta)
            .and_then(|page| page.pending_pages(meta))
            .map_err(|damage| self.corrupt(META, damage))
    }

    /// Copies the list, which gin_pending_list_limit keeps small. Unlike the tree, it must not be
    /// let go of on the way. The head is locked before the metapage is unlocked, and each page
    /// before the last one is: "here we must prevent deletion of next page by insertcleanup
    /// process" (ginget.c, scanGetCandidate). `wants` is called with the number of a page in the
    /// list, its block and its LSN, and says whether to copy the page.
    pub(super) fn pending_pages(
        &self,
        wants: &dyn Fn(usize, u32, u64) -> bool,
    ) -> Result<Vec<PendingPage>> {
        loop {
            crate::memory::check();
            if let Some(pages) = self.try_pending_pages(wants)? {
                return Ok(pages);
            }
        }
    }

    /// Copies the list once. None if it may have changed while interrupts were taken.
    fn try_pending_pages(
        &self,
        wants: &dyn Fn(usize, u32, u64) -> bool,
    ) -> Result<Option<Vec<PendingPage>>> {
        let (mut pages, mut visits) = (Vec::new(), Visits::default());
        let mut page = self.lock(META)?;
        let mut next = self.pending_head(page.bytes())?;
        while let Some(block) = next {
            page = page.move_to(block)?;
            visits.add(self, block)?;
            let head = PageHeader::parse(page.bytes()).and_then(|head| match head.kind {
                PageKind::List => Ok(head),
                _ => Err(Damage("it is not a page of the pending list")),
            });
            next = head.map_err(|damage| self.corrupt(block, damage))?.right;
            let before = lsn(page.bytes());
            let copied = wants(pages.len(), block, before).then(|| Box::new(*page.bytes()));
            // Pages of an index that is not WAL-logged have no LSN that changes.
            let paused = next.is_some() && page.pause();
            if paused && (lsn(page.bytes()) != before || self.wal_logged_oid().is_none()) {
                return Ok(None);
            }
            pages.push(PendingPage { block, lsn: before, bytes: copied });
        }
        Ok(Some(pages))
    }

    fn pending_head(&self, meta: &Block) -> Result<Option<u32>> {
        PageHeader::parse(meta)
            .and_then(|page| page.pending_head(meta))
            .map_err(|damage| self.corrupt(META, damage))
    }
}

/// Visits the tuples of a page. "There is always exactly one heap itempointer associated with a
/// pending entry, and it is stored in the t_tid header field just as in non-GIN indexes" (README).
fn visit_page(
    page: &Block,
    from: usize,
    plain: &mut Vec<u8>,
    visit: &mut impl FnMut(&[u8], Tid),
) -> Parsed<usize> {
    let tuples = PageHeader::parse(page)?.tuples()?;
    for at in from..tuples {
        let tuple = Tuple::at(page, at)?;
        let (block, offset) = tuple.tid();
        if !Tid::is_place(offset) {
            return Err(NOWHERE);
        }
        let key = match tuple.key()? {
            EntryKey::Plain(key) => key,
            EntryKey::Compressed(key) => {
                expand(key, plain)?;
                plain.as_slice()
            }
            EntryKey::Placeholder => continue,
        };
        visit(key, Tid { block, offset });
    }
    Ok(tuples)
}
