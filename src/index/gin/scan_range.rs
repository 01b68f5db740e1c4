//! All rows of a range of keys. No key is looked at but those at the ends of the range.

use super::buffer::{GinIndex, Locked, Visits};
use super::bytes::{Block, Damage, Parsed};
use super::descent::{EntryPage, KeyBound, LeafPosition, descend, first_behind};
use super::page::{EntryContent, PageHeader, PageKind, Tuple, content};
use super::page_bits::Lister;
use super::page_runs::WalkedPages;
use super::page_summary::{PageSummary, Prefetch};
use super::posting_list::{Sink, Tid};
use super::postings::Postings;
use crate::error::Result;
use std::ops::Range;

impl GinIndex {
    /// Hands the rows of the keys from `from` up to but not including `below` to the sink. Returns
    /// how many keys those are. Leaf pages are read in place, under their locks. Posting trees are
    /// read afterwards, since "we should unlock entry page before touching posting tree" (ginget.c,
    /// startScanEntry).
    pub fn scan_range(&self, from: &[u8], below: &[u8], sink: &mut impl Sink) -> Result<u64> {
        let LeafPosition { page, at, .. } = descend(self, KeyBound::Before(from))?;
        let EntryPage { block, ref bytes, len, right, .. } = page;
        let end = page.first_behind(KeyBound::Before(below));
        let end = end.map_err(|damage| self.corrupt(block, damage))?.max(at);
        let mut trees = Vec::new();
        scan_entries(bytes, at..end, sink, &mut trees)
            .map_err(|damage| self.corrupt(block, damage))?;
        self.scan_trees(block, &mut trees, sink)?;
        let (mut keys, mut next) = (end - at, right.filter(|_| end == len));
        let mut visits = Visits::default();
        let is_remembered = !sink.wants_all() || sink.wants_bits().is_some();
        // The leaf page on which the range ends. On every page before it, all keys are less than
        // `below`. So a page that the sink does not want need not be read, if its summary is known.
        let mut last = match next {
            Some(_) if is_remembered => Some(descend(self, KeyBound::Before(below))?.page.block),
            _ => None,
        };
        let (mut prefetch, mut walked) = (Prefetch::default(), WalkedPages::default());
        let end = last.filter(|_| sink.wants_bits().is_some());
        if let Some((first, end)) = next.zip(end)
            && let Some(entries) = self.take_run(first, end, sink)
        {
            walked.miss();
            (keys, next) = (keys + entries, Some(end));
        }
        while let Some(block) = next {
            crate::memory::check();
            last = last.filter(|last| *last != block);
            let summary = last.and_then(|_| self.summary_unlocked(block));
            // Both need no look at the page but at its LSN.
            let is_done = summary.is_some_and(|(summary, lsn)| {
                if sink.wants(summary.first, summary.last) {
                    return self.take_remembered(block, lsn, sink);
                }
                sink.skip(summary.items as usize);
                true
            });
            if let Some((summary, lsn)) = summary.filter(|_| is_done) {
                if end.is_some() {
                    walked.add(block, lsn, summary.entries);
                }
                (keys, next) = (keys + usize::from(summary.entries), summary.right);
                prefetch.go(self, next);
            } else {
                prefetch = Prefetch::default();
                if end != Some(block) {
                    walked.miss();
                }
                let page = self.lock(block)?;
                let scanned = self.scan_page(&page, below, sink, &mut trees);
                let (scanned, right) = scanned.map_err(|damage| self.corrupt(block, damage))?;
                drop(page);
                self.scan_trees(block, &mut trees, sink)?;
                (keys, next) = (keys + scanned, right);
            }
            visits.add(self, block)?;
        }
        if let Some(end) = end {
            self.remember_run(walked, end, sink);
        }
        Ok(keys as u64)
    }

    /// Hands over the lists of a leaf page's entries below a key. Returns how many entries those
    /// are, and the next page if they are all entries of the page.
    fn scan_page(
        &self,
        page: &Locked<'_>,
        below: &[u8],
        sink: &mut impl Sink,
        trees: &mut Vec<u32>,
    ) -> Parsed<(usize, Option<u32>)> {
        let bytes = page.bytes();
        let head = PageHeader::parse(bytes)?;
        if head.kind != PageKind::EntryLeaf {
            return Err(Damage("it does not follow its left sibling"));
        }
        // Tuples are read in the order of their keys, not of their places on the page. Touching
        // each cache line first lets the CPU fetch the whole page from memory before the first
        // tuple is needed.
        std::hint::black_box(head.used(bytes).chunks(64).fold(0, |all, line| all | line[0]));
        let len = head.tuples()?;
        let bound = KeyBound::Before(below);
        // Nearly always, all entries of the page are below the key.
        let goes_on = len > 0 && !bound.is_before(Tuple::at(bytes, len - 1)?.key()?)?;
        let wants_bits = sink.wants_bits().is_some();
        if goes_on && (wants_bits || !sink.wants_all()) {
            self.remember(page, || summary(bytes, len, head.right))?;
        }
        let end = if goes_on { len } else { first_behind(bytes, len, bound)? };
        // A page that has a summary was seen before, and has no posting trees.
        let is_known = goes_on && wants_bits && self.summary(page).is_some();
        let each = |rows: &mut Lister| scan_entries(bytes, 0..len, rows, &mut Vec::new());
        if !is_known || !self.take_entries(page, sink, each)? {
            scan_entries(bytes, 0..end, sink, trees)?;
        }
        Ok((end, head.right.filter(|_| goes_on)))
    }

    /// Hands over the rows of posting trees, which belong to entries of a page.
    fn scan_trees(&self, block: u32, roots: &mut Vec<u32>, sink: &mut impl Sink) -> Result<()> {
        roots.drain(..).try_for_each(|root| {
            Postings { index: self, block, content: EntryContent::Tree(root) }.for_each(sink)
        })
    }
}

/// The summary of a leaf page. None if one of its entries has a posting tree.
pub(super) fn summary(page: &Block, len: usize, right: Option<u32>) -> Parsed<Option<PageSummary>> {
    let (first, last) = (u32::MAX, 0);
    let mut summary = PageSummary { first, last, items: 0, entries: len as u16, filled: 0, right };
    for at in 0..len {
        let EntryContent::List(list) = content(page, at)? else { return Ok(None) };
        summary.filled += u16::from(list.count > 0);
        list.for_each(&mut |tid: Tid| {
            summary.first = summary.first.min(tid.block);
            summary.last = summary.last.max(tid.block);
            summary.items += 1;
        })?;
    }
    Ok(Some(summary))
}

/// Hands over the lists of some entries, and collects the roots of those that are posting trees.
fn scan_entries(
    page: &Block,
    entries: Range<usize>,
    sink: &mut impl Sink,
    trees: &mut Vec<u32>,
) -> Parsed<()> {
    let mut skipped = 0;
    for at in entries {
        match content(page, at)? {
            EntryContent::List(list) if list.is_wanted(sink)? => list.for_each(sink)?,
            EntryContent::List(list) => skipped += usize::from(list.count),
            EntryContent::Tree(root) => trees.push(root),
        }
    }
    sink.skip(skipped);
    Ok(())
}
