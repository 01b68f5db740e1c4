//! A reader of GIN indexes: entries in the order of their keys, and the rows of each, straight from
//! the index's pages.
//!
//! GIN's own scans answer with bitmaps of rows only. Here keys are walked in either order, rows are
//! counted, and estimates are made, without the planner. What is on the pages, and how they are
//! locked, is described in PostgreSQL's src/backend/access/gin/README, called "the README" in this
//! folder. It is the same from PostgreSQL 14 to 18.
//!
//! Each line uses only the lines above it:
//!
//! ```text
//! bytes ── posting_list ── page            what bytes mean, also damaged ones. No server
//! buffer                                   pages of the buffer cache (GinIndex, Locked), Visits
//! page_summary                             what is remembered of unchanged leaf pages: PageSummary in
//!                                          a CacheSlot, found by wal_logged_oid and LSN; Prefetch
//! data                                     the pages of a posting tree
//! page_bits ── page_runs                   what is remembered of their rows, and of those of many pages
//! descent                                  root → leaf page: KeyBound, EntryPage (load, first_behind,
//!                                          right_sibling_if_past)
//! postings                                 the rows of one entry, from its list or its posting tree
//! entries ── scan_range                    entries one by one, either way; all rows of a range of keys
//!                                          (scan_range → scan_page → scan_entries)
//! read_pages                               which pages some work has read, and if they changed
//! tally                                    how many keys of a range have rows
//! pending, pending_entries ── pending_memory
//!                                          the pending list, its entries by key, and what a session
//!                                          remembers of it
//! estimate                                 guesses for the planner, from a few pages
//! ```

mod buffer;
mod bytes;
mod data;
mod descent;
mod entries;
mod estimate;
mod page;
mod page_bits;
mod page_runs;
mod page_summary;
mod pending;
mod pending_entries;
mod pending_memory;
mod posting_list;
mod postings;
mod read_pages;
mod scan_range;
mod tally;
#[cfg(any(test, feature = "pg_test"))]
mod tests;

pub use buffer::{GinIndex, is_logged};
pub use bytes::Parsed;
pub use entries::{Direction, Entries, Entry};
pub use estimate::PostingSizes;
pub use pending_entries::PendingEntries;
pub use posting_list::{
    NOWHERE, OFFSET_BITS, OFFSET_MASK, PLACE_BITS, PackedList, RowLists, Sink, Tid,
};
pub use postings::Postings;
pub use read_pages::ReadPages;
pub use tally::CountingSink;
#[cfg(test)]
pub use tests::pack;

use crate::error::Result;
use std::ops::ControlFlow;

impl GinIndex {
    /// Looks at the entry with exactly this key, if there is one.
    pub fn entry<T>(
        &self,
        key: &[u8],
        look: impl FnOnce(Option<Postings<'_>>) -> Result<T>,
    ) -> Result<T> {
        let mut entries = Entries::ascending(self, key)?;
        look(entries.next(self)?.filter(|entry| entry.key == key).map(|entry| entry.postings))
    }

    /// Hands the rows that have exactly this key to the sink, in ascending order.
    pub fn postings(&self, key: &[u8], sink: &mut impl Sink) -> Result<()> {
        self.entry(key, |postings| postings.map_or(Ok(()), |postings| postings.for_each(sink)))
    }

    /// Visits entries upwards, from the first key that is not less than `from`, until the visitor
    /// breaks.
    pub fn ascend(
        &self,
        from: &[u8],
        visit: &mut impl FnMut(&[u8], &Postings<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        self.visit(Entries::ascending(self, from)?, visit)
    }

    /// Visits entries downwards, from the last key that is less than `below`, or from the very last
    /// one, until the visitor breaks.
    pub fn descend(
        &self,
        below: Option<&[u8]>,
        visit: &mut impl FnMut(&[u8], &Postings<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        self.visit(Entries::descending(self, below)?, visit)
    }

    fn visit(
        &self,
        mut entries: Entries,
        visit: &mut impl FnMut(&[u8], &Postings<'_>) -> Result<ControlFlow<()>>,
    ) -> Result<()> {
        while let Some(entry) = entries.next(self)? {
            if visit(entry.key, &entry.postings)?.is_break() {
                break;
            }
        }
        Ok(())
    }
}
