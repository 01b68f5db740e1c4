//! What a session remembers of pending lists, so that a query reads only what is new since the last
//! one.
//!
//! Each insertion into the list gives the metapage a new LSN (ginfast.c, ginHeapTupleFastInsert).
//! As long as the LSN is the same, so is the list. Pages are appended at the end of the list,
//! linked to the next one when they are full, and never changed again until they are deleted from
//! its front. So there are two cases. If the list still begins with the pages that are known by
//! block and LSN, only what follows is read; the last known page may have more tuples than before.
//! Otherwise the list was merged into the tree meanwhile, and is read anew.

use super::buffer::GinIndex;
use super::bytes::{Block, u16_at};
use super::page::SPECIAL;
use super::pending_entries::{PendingEntries, UnsortedEntries};
use crate::error::Result;
use std::cell::RefCell;
use std::rc::Rc;

/// The lists of 8 indexes are remembered.
const MAX_LISTS: usize = 8;

/// Pages. A list that has no more is kept at the first look: that takes a tenth of a millisecond, and
/// to read it again for the second question would take longer. A store's own lists have 8 pages.
const FEW_PAGES: usize = 16;

/// An entry takes about 30 bytes on a page, and about three times as many in a tree of the heap.
/// Four leaves a margin.
const EXPANSION: usize = 4;

thread_local! {
    static LISTS: RefCell<Vec<PendingList>> = const { RefCell::new(Vec::new()) };
}

/// What a pending list held.
struct PendingList {
    index: u32,
    meta_lsn: u64,
    pages: Vec<(u32, u64)>,
    /// A copy of the last page, and how many tuples of it were read.
    tail: Option<(Box<Block>, usize)>,
    /// None after the first look at a long list: a session may read it only once.
    entries: Option<Rc<PendingEntries>>,
}

impl GinIndex {
    /// The entries of the pending list, if the session remembers them and they fit into
    /// `max_bytes`. None when a session asks for the first time and the list is long.
    pub fn remembered_pending(&self, max_bytes: usize) -> Result<Option<Rc<PendingEntries>>> {
        let Some(index) = self.wal_logged_oid() else { return Ok(None) };
        let (meta_lsn, head, pages) = self.pending_state()?;
        // Taken out, and put back only if all goes well.
        let known = LISTS.with_borrow_mut(|lists| {
            let at = lists.iter().position(|list| list.index == index)?;
            Some(lists.remove(at))
        });
        let mut list = match known {
            Some(list) => list,
            None => PendingList { index, meta_lsn: 0, pages: vec![], tail: None, entries: None },
        };
        let is_first = list.meta_lsn == 0;
        if meta_lsn == 0 {
            return Ok(None);
        }
        if head.is_none() {
            list = PendingList {
                index,
                meta_lsn,
                pages: vec![],
                tail: None,
                entries: Some(Rc::default()),
            };
        } else if is_first && pages > FEW_PAGES {
            list.meta_lsn = meta_lsn;
        } else if list.meta_lsn != meta_lsn || list.entries.is_none() {
            // What is added after the look at the metapage is read by the next query.
            list.meta_lsn = meta_lsn;
            self.read_on(&mut list, max_bytes)?;
        }
        let entries = list.entries.clone();
        LISTS.with_borrow_mut(|lists| {
            lists.truncate(MAX_LISTS - 1);
            lists.insert(0, list);
        });
        Ok(entries)
    }

    /// Reads what is new in a list.
    fn read_on(&self, list: &mut PendingList, max_bytes: usize) -> Result<()> {
        let known: &[(u32, u64)] = if list.entries.is_some() { &list.pages } else { &[] };
        let mut pages =
            self.pending_pages(&|at, block, lsn| known.get(at) != Some(&(block, lsn)))?;
        let mut keep = pages.iter().take_while(|page| page.bytes.is_none()).count();
        let mut from = 0;
        if keep + 1 == list.pages.len()
            && let (Some(page), Some((tail, tuples))) = (pages.get(keep), &list.tail)
            && page.block == list.pages[keep].0
            && page.bytes.as_ref().is_some_and(|bytes| has_more(bytes, tail))
        {
            from = *tuples;
        } else if keep < list.pages.len() || list.entries.is_none() {
            // The list was merged meanwhile, or never read.
            list.entries = None;
            pages = self.pending_pages(&|_, _, _| true)?;
            keep = 0;
        }
        if pages.len() * size_of::<Block>() * EXPANSION > max_bytes {
            (list.entries, list.tail, list.pages) = (None, None, vec![]);
            return Ok(());
        }
        let mut known = list
            .entries
            .take()
            .map(|shared| Rc::try_unwrap(shared).unwrap_or_else(|shared| (*shared).clone()));
        let mut unsorted = UnsortedEntries::default();
        list.pages.truncate(keep);
        let mut plain = Vec::new();
        for page in pages.drain(keep..) {
            crate::memory::check();
            let add = &mut |key: &[u8], row| match &mut known {
                Some(known) => known.add(key, row, || true),
                None => unsorted.add(key, row),
            };
            let tuples = self.visit_copy(&page, from, &mut plain, add)?;
            list.pages.push((page.block, page.lsn));
            list.tail = page.bytes.map(|bytes| (bytes, tuples));
            from = 0;
        }
        list.entries = Some(Rc::new(known.unwrap_or_else(|| unsorted.sorted())));
        Ok(())
    }
}

/// Whether a page still has all that it had, and perhaps more: line pointers are added from the
/// front, tuples from the back (bufpage.c, PageAddItemExtended).
fn has_more(now: &Block, before: &Block) -> bool {
    /// SizeOfPageHeaderData
    const HEADER: usize = 24;
    let lower = usize::from(u16_at(before, 12));
    let upper = usize::from(u16_at(before, 14));
    let same = |from: usize, to: usize| {
        let (now, before) = (now.get(from..to), before.get(from..to));
        now.is_some() && now == before
    };
    usize::from(u16_at(now, 12)) >= lower && same(HEADER, lower) && same(upper, SPECIAL)
}
