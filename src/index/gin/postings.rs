//! The rows of one entry, from its list or its posting tree.

use super::buffer::{GinIndex, Locked, Visits};
use super::bytes::Damage;
use super::data::{DataContent, DataPage};
use super::descent::DEEPEST;
use super::page::EntryContent;
use super::page_summary::Prefetch;
use super::posting_list::{Sink, Tid};
use crate::error::Result;

/// The rows that have one key: a list in the entry itself, or a posting tree.
pub struct Postings<'a> {
    pub(super) index: &'a GinIndex,
    /// The leaf page of the entry.
    pub(super) block: u32,
    pub(super) content: EntryContent<'a>,
}

impl Postings<'_> {
    /// How many rows there are, if that is known without reading further pages.
    #[inline]
    pub fn known_len(&self) -> Option<usize> {
        match self.content {
            EntryContent::List(list) => Some(usize::from(list.count)),
            EntryContent::Tree(_) => None,
        }
    }

    /// Hands the rows to the sink, in ascending order. The sink runs while a page is locked, as in
    /// PostgreSQL's own scanPostingTree. So it should be quick, and not call the server.
    #[inline]
    pub fn for_each(&self, sink: &mut impl Sink) -> Result<()> {
        match self.content {
            EntryContent::List(list) => {
                list.for_each(sink).map_err(|damage| self.index.corrupt(self.block, damage))
            }
            EntryContent::Tree(root) => walk(self.index, root, sink),
        }
    }
}

/// Walks over all leaf pages of a posting tree.
fn walk(index: &GinIndex, root: u32, sink: &mut impl Sink) -> Result<()> {
    let mut page = leftmost_leaf(index, root)?;
    let (mut last, mut prefetch, mut visits) = (0, Prefetch::default(), Visits::default());
    // The bound of the last page that was unlocked on the way. A split may have moved items of it,
    // which were read already, to the pages that follow. So from those, only items behind that
    // bound are taken.
    let mut seen = 0;
    loop {
        let damaged = |damage| index.corrupt(page.block, damage);
        let summary = if seen == 0 && !sink.wants_all() { index.summary(&page) } else { None };
        let mut right = match summary {
            Some(summary) if !sink.wants(summary.first, summary.last) => {
                sink.skip(summary.items as usize);
                prefetch.go(index, summary.right);
                summary.right
            }
            _ => {
                if !sink.wants_all() {
                    prefetch = Prefetch::default();
                }
                let data = DataPage::parse(page.bytes()).map_err(damaged)?;
                match data.content {
                    DataContent::Leaf(items) if seen == 0 => {
                        index.remember(&page, || data.summary().map(Some)).map_err(damaged)?;
                        match index.take_bits(&page, items, sink).map_err(damaged)? {
                            true => {
                                prefetch.go(index, data.right);
                                Ok(())
                            }
                            false => items.for_each(&mut last, sink),
                        }
                    }
                    DataContent::Leaf(items) => items.for_each(&mut 0, &mut |tid: Tid| {
                        if tid.to_integer() > seen {
                            sink.take(tid);
                        }
                    }),
                    DataContent::Deleted => Ok(()),
                    DataContent::Inner(_) => Err(Damage("it is not a leaf as its left sibling")),
                }
                .map_err(damaged)?;
                data.right
            }
        };
        // "To prevent a backend from reaching a deleted page via a right-link, when following a
        // right-link the lock on the previous page is not released until the lock on next page has
        // been acquired" (README).
        let bound = DataPage::bound(page.bytes());
        if sink.is_done(bound.block) {
            return Ok(());
        }
        let bound = bound.to_integer();
        if right.is_some() && page.pause() {
            seen = bound.max(seen);
            let data = DataPage::parse(page.bytes());
            right = data.map_err(|damage| index.corrupt(page.block, damage))?.right;
        }
        let Some(right) = right else { return Ok(()) };
        page = page.move_to(right)?;
        // In a damaged tree that leads back to itself, items do not ascend, which is noticed. But
        // pages with a summary are not read, so the links are checked here, too.
        visits.add(index, right)?;
    }
}

/// Finds the leftmost leaf page. The leftmost branch of a posting tree is never deleted
/// (ginScanToDelete), so each page can be unlocked before its child is locked.
fn leftmost_leaf(index: &GinIndex, root: u32) -> Result<Locked<'_>> {
    crate::memory::check();
    let mut block = root;
    for _ in 0..DEEPEST {
        let page = index.lock(block)?;
        let data = DataPage::parse(page.bytes()).map_err(|damage| index.corrupt(block, damage))?;
        match data.content {
            DataContent::Inner(children) => block = children.get(0),
            _ => return Ok(page),
        }
    }
    Err(index.corrupt(block, Damage("the posting tree has no end")))
}
