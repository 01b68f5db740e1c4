//! What a session remembers of leaf pages that follow each other: the rows of all of them, as bits.
//!
//! A wide range of values that are all distinct has a thousand leaf pages and more. To set the bits
//! of their rows one by one takes ten times as long as to look whether a page has changed. So the
//! bits of all of them are kept together. They hold as long as each page has the LSN that it had
//! (`page_summary`): then a walk would find the same pages, and the same rows on them.

use super::buffer::GinIndex;
use super::posting_list::{RowLists, Sink, Tid};
use pgrx::pg_sys::Buffer;
use std::cell::RefCell;

/// Fewer pages are as quickly read one by one.
const MIN_PAGES: usize = 4;
/// With more words for each row, it takes longer to combine them than the rows one by one.
const WORDS_PER_ROW: usize = 4;

/// Runs take at most this part of what the rows of single pages may take, in addition to it.
const PART_OF_MEMORY: usize = 2;

/// Leaf pages of the entry tree from one on, up to but not including another one.
struct PageRun {
    index: u32,
    pages: Vec<RunPage>,
    end: u32,
    /// How many entries the pages have.
    entries: usize,
    bits: RunBits,
}

/// A page as it was: its block, the buffer that had it, and its LSN.
pub(super) type RunPage = (u32, Buffer, u64);

thread_local! {
    /// The run that was used last comes first.
    static RUNS: RefCell<Vec<PageRun>> = const { RefCell::new(Vec::new()) };
}

/// The pages of a walk, as long as all of them were remembered one by one.
#[derive(Default)]
pub(super) struct WalkedPages {
    pages: Vec<(u32, u64)>,
    entries: usize,
    is_incomplete: bool,
}

impl WalkedPages {
    /// Adds a page that still has this LSN.
    #[inline]
    pub fn add(&mut self, block: u32, lsn: u64, entries: u16) {
        if !self.is_incomplete {
            self.pages.push((block, lsn));
            self.entries += usize::from(entries);
        }
    }

    /// To be called where a page had to be read.
    pub fn miss(&mut self) {
        self.is_incomplete = true;
    }
}

impl GinIndex {
    /// Hands the rows of the leaf pages from `first` up to but not including `end` to a sink that
    /// takes bits, if they are remembered together and no page has changed. Returns how many entries
    /// the pages have.
    pub(super) fn take_run(&self, first: u32, end: u32, sink: &mut impl Sink) -> Option<usize> {
        let (index, (offset_bits, _)) = (self.wal_logged_oid()?, sink.wants_bits()?);
        RUNS.with_borrow_mut(|runs| {
            let is_wanted = |run: &PageRun| {
                (run.index, run.bits.offset_bits, run.end) == (index, offset_bits, end)
                    && run.pages.first().is_some_and(|(block, ..)| *block == first)
            };
            let run = runs.iter().position(is_wanted).map(|at| runs.remove(at))?;
            if !self.have_lsns(&run.pages) {
                return None;
            }
            sink.take_bits(0, &run.bits.words, run.bits.rows);
            let entries = run.entries;
            runs.insert(0, run);
            Some(entries)
        })
    }

    /// Remembers the rows of pages that a walk has met before `end`, if all of them are remembered
    /// one by one.
    pub(super) fn remember_run(&self, walked: WalkedPages, end: u32, sink: &impl Sink) {
        let WalkedPages { pages, entries, is_incomplete } = walked;
        let (Some(index), Some((offset_bits, max_bytes))) =
            (self.wal_logged_oid(), sink.wants_bits())
        else {
            return;
        };
        if is_incomplete || pages.len() < MIN_PAGES {
            return;
        }
        let mut bits = RunBits { offset_bits, max_bytes, words: Vec::new(), rows: 0, fits: true };
        let known = |&(block, lsn): &(u32, u64)| {
            let buffer = self.buffer_of(block)?;
            self.take_remembered(block, lsn, &mut bits).then_some((block, buffer, lsn))
        };
        let Some(pages) = pages.iter().map(known).collect::<Option<Vec<_>>>() else { return };
        let run = PageRun { index, pages, end, entries, bits };
        if run.bits.are_worth_while() {
            RUNS.with_borrow_mut(|runs| {
                runs.insert(0, run);
                let mut left = max_bytes / PART_OF_MEMORY;
                let mut fits = |run: &PageRun| {
                    let rest = left.checked_sub(run.size());
                    left = rest.unwrap_or(0);
                    rest.is_some()
                };
                let fitting = runs.iter().map_while(|run| fits(run).then_some(())).count();
                runs.truncate(fitting);
            });
        }
    }
}

impl PageRun {
    /// Bytes.
    fn size(&self) -> usize {
        size_of::<PageRun>() + size_of_val(&*self.pages) + size_of_val(&*self.bits.words)
    }
}

/// The rows of some pages as bits.
struct RunBits {
    offset_bits: u32,
    /// What the rows of single pages may take.
    max_bytes: usize,
    words: Vec<u64>,
    rows: u64,
    /// Whether memory suffices for all rows.
    fits: bool,
}

impl RunBits {
    /// The words from one on, so many of them.
    fn words_at(&mut self, at: usize, count: usize) -> &mut [u64] {
        let end = at.saturating_add(count);
        if end * size_of::<u64>() > self.max_bytes / PART_OF_MEMORY {
            self.fits = false;
            return &mut [];
        }
        if self.words.len() < end {
            self.words.resize(end, 0);
        }
        self.words.get_mut(at..end).unwrap_or_default()
    }

    fn are_worth_while(&self) -> bool {
        self.fits && self.words.len() as u64 / WORDS_PER_ROW as u64 <= self.rows
    }
}

impl Sink for RunBits {
    fn take(&mut self, _: Tid) {
        // Rows come together.
        self.fits = false;
    }

    fn wants_bits(&self) -> Option<(u32, usize)> {
        Some((self.offset_bits, self.max_bytes))
    }

    fn take_bits(&mut self, first: usize, words: &[u64], rows: u64) {
        self.rows += rows;
        let places = self.words_at(first, words.len());
        places.iter_mut().zip(words).for_each(|(place, word)| *place |= word);
    }

    fn take_lists(&mut self, lists: RowLists<'_>, rows: u64) {
        self.rows += rows;
        lists.for_each(|first, rows| {
            let last = usize::from(rows.last().copied().unwrap_or(0));
            let places = self.words_at(first as usize / 64, last / 64 + 1);
            for row in rows {
                if let Some(place) = places.get_mut(usize::from(*row) / 64) {
                    *place |= 1 << (row % 64);
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        /// Rows of several pages, some of them in bits and some in lists, are the same in one, or
        /// memory does not suffice for their bits.
        #[test]
        fn has_the_rows_of_all_pages(
            pages in proptest::collection::vec(
                (proptest::collection::btree_set(0u32..150_000, 1..60), any::<bool>()), 1..6),
            max_bytes in 0usize..80_000,
        ) {
            let mut bits =
                RunBits { offset_bits: 4, max_bytes, words: Vec::new(), rows: 0, fits: true };
            let mut expected = BTreeSet::new();
            for (rows, as_bits) in &pages {
                expected.extend(rows.iter().copied());
                let listed: Vec<u32> = rows.iter().copied().collect();
                if *as_bits {
                    let first = listed[0] / 64;
                    let mut words = vec![0u64; (listed[listed.len() - 1] / 64 - first) as usize + 1];
                    rows.iter().for_each(|row| words[(row / 64 - first) as usize] |= 1 << (row % 64));
                    bits.take_bits(first as usize, &words, rows.len() as u64);
                } else {
                    bits.take_lists(RowLists(&RowLists::write(&listed)), rows.len() as u64);
                }
            }
            let last = expected.last().copied().unwrap_or(0) as usize;
            prop_assert_eq!(bits.fits, (last / 64 + 1) * 8 <= max_bytes / PART_OF_MEMORY);
            if bits.fits {
                let is_set = |row: &u32| bits.words[*row as usize / 64] >> (row % 64) & 1 == 1;
                prop_assert!((0..64 * bits.words.len() as u32).filter(is_set).eq(expected));
                prop_assert_eq!(bits.rows, pages.iter().map(|(rows, _)| rows.len() as u64).sum::<u64>());
            }
        }
    }
}
