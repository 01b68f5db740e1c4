//! A session's memory of pending lists, so that a query reads what is new since the last one.
//!
//! Each insertion into the list gives the metapage a new LSN (ginfast.c, ginHeapTupleFastInsert): as
//! long as it is the same, so is the list. Pages of the list are appended to at its end, linked to the
//! next one when they are full, and never changed again until they are deleted from its front. So a
//! list begins with the pages that are known by block and LSN, of which the last one may have more
//! tuples than before; or it was merged into the tree meanwhile, and is read anew.

use super::buffer::GinIndex;
use super::bytes::{Block, u16_at};
use super::page::SPECIAL;
use super::posting_list::Tid;
use crate::error::Result;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Pending entries: by key, rows in the order of their insertion.
pub type PendingEntries = BTreeMap<Vec<u8>, Vec<Tid>>;

/// The lists of so many indexes are remembered.
const MAX_LISTS: usize = 8;

/// An entry of some 30 bytes on a page takes about three times as much in a tree of the heap.
const EXPANSION: usize = 4;

thread_local! {
    static LISTS: RefCell<Vec<PendingList>> = const { RefCell::new(Vec::new()) };
}

/// What a list held.
struct PendingList {
    index: u32,
    meta_lsn: u64,
    pages: Vec<(u32, u64)>,
    /// The last page, and how many tuples of it were read.
    tail: Option<(Box<Block>, usize)>,
    /// None after the first look, of a session that may ask but once.
    entries: Option<Rc<PendingEntries>>,
}

impl GinIndex {
    /// The entries of the pending list, if the session remembers them and they fit into so many
    /// bytes. None for whoever asks for the first time.
    pub fn remembered_pending(&self, max_bytes: usize) -> Result<Option<Rc<PendingEntries>>> {
        let Some(index) = self.wal_logged_oid() else { return Ok(None) };
        let (meta_lsn, head) = self.pending_state()?;
        // Taken out, and put back when all went well.
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
        } else if is_first {
            list.meta_lsn = meta_lsn;
        } else if list.meta_lsn != meta_lsn || list.entries.is_none() {
            // What is added after the metapage was looked at is read again by the next query.
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
            // Merged meanwhile, or never read.
            list.entries = None;
            pages = self.pending_pages(&|_, _, _| true)?;
            keep = 0;
        }
        if pages.len() * size_of::<Block>() * EXPANSION > max_bytes {
            (list.entries, list.tail, list.pages) = (None, None, vec![]);
            return Ok(());
        }
        let shared = list.entries.take().unwrap_or_default();
        let mut entries = Rc::try_unwrap(shared).unwrap_or_else(|shared| (*shared).clone());
        list.pages.truncate(keep);
        let mut plain = Vec::new();
        for page in pages.drain(keep..) {
            crate::memory::check();
            let tuples = self.visit_copy(&page, from, &mut plain, &mut |key, tid| match entries
                .get_mut(key)
            {
                Some(rows) => rows.push(tid),
                None => drop(entries.insert(key.to_vec(), vec![tid])),
            })?;
            list.pages.push((page.block, page.lsn));
            list.tail = page.bytes.map(|bytes| (bytes, tuples));
            from = 0;
        }
        list.entries = Some(Rc::new(entries));
        Ok(())
    }
}

/// Whether a page has all that it had, and perhaps more behind: line pointers are added from the
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
