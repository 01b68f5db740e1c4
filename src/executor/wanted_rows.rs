//! Those rows of posting lists that a caller wants to see.

use super::bits::Bits;
use super::block_set::BlockSet;
use super::collector::Collector;
use super::doc_id::{DocIdMap, DocIdOverflow, ReadError, ReadResult};
use super::rows::{Rows, kept};
use crate::error::Result;
use crate::index::gin::{Postings, Tid};
use crate::pg::guc::work_mem;
use roaring::RoaringBitmap;

/// Up to so many rows, one after the other is sooner looked up in a set, or added to it, than a set
/// of them, for which all of the other one is read.
pub const FEW_ROWS: u64 = 16;

/// Rows of a table, in the form in which they are there (`Rows`).
#[derive(Debug, Clone, Copy)]
pub enum Among<'r> {
    Compressed(&'r RoaringBitmap),
    Plain(&'r Bits),
}

impl<'r> From<&'r Rows> for Among<'r> {
    fn from(rows: &'r Rows) -> Among<'r> {
        match rows {
            Rows::Compressed(rows) => Among::Compressed(rows),
            Rows::Plain(rows) => Among::Plain(rows),
        }
    }
}

impl Among<'_> {
    #[inline]
    fn contains(self, row: u32) -> bool {
        match self {
            Among::Compressed(rows) => rows.contains(row),
            Among::Plain(rows) => rows.contains(row),
        }
    }
}

/// The rows that a caller wants to see.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowFilter<'r> {
    /// Rows of this set alone; none for all rows of the table.
    pub among: Option<Among<'r>>,
    /// No rows of this set.
    pub except: Option<&'r RoaringBitmap>,
}

impl RowFilter<'_> {
    fn contains(self, doc_id: u32) -> bool {
        self.among.is_none_or(|among| among.contains(doc_id))
            && !self.except.is_some_and(|except| except.contains(doc_id))
    }

    /// Removes all other rows.
    pub fn apply(self, rows: &mut RoaringBitmap) -> Result<()> {
        if rows.len() <= FEW_ROWS {
            if !rows.iter().all(|row| self.contains(row)) {
                *rows = rows.iter().filter(|row| self.contains(*row)).collect();
            }
            return Ok(());
        }
        match self.among {
            Some(Among::Compressed(among)) => *rows &= among,
            Some(Among::Plain(among)) => *rows = kept(rows, |row| among.contains(row))?,
            None => {}
        }
        if let Some(except) = self.except {
            *rows -= except;
        }
        Ok(())
    }
}

/// Those rows of an entry that the filter lets through.
pub fn wanted_rows(
    postings: &Postings<'_>,
    doc_ids: DocIdMap,
    blocks: u32,
    filter: RowFilter<'_>,
) -> ReadResult<RoaringBitmap> {
    let mut rows = WantedRows::new(doc_ids, blocks, filter);
    // Of few rows each is looked up in the filter. Many rows are collected, then filtered.
    if postings.known_len().is_some() {
        postings.for_each(&mut |tid| rows.push(tid))?;
        return rows.finish();
    }
    let (all, max_bytes) = (BlockSet::all(), work_mem() / 2);
    let mut collector = Collector::new(doc_ids, &all, blocks, max_bytes);
    postings.for_each(&mut collector)?;
    match collector.finish() {
        // The row that has no doc ID was added after the filter's rows were found.
        Err(ReadError::DocIdOverflow(_)) if filter.among.is_some() => {
            postings.for_each(&mut |tid| rows.push(tid))?;
            rows.finish()
        }
        found => {
            let mut found = found?;
            if let (Rows::Plain(rows), Some(Among::Plain(among))) = (&mut found, filter.among) {
                rows.intersect(among);
            }
            let mut found = found.bitmap();
            filter.apply(&mut found)?;
            Ok(found)
        }
    }
}

/// Rows that are collected one by one.
pub struct WantedRows<'r> {
    doc_ids: DocIdMap,
    blocks: u32,
    filter: RowFilter<'r>,
    rows: RoaringBitmap,
    overflowed: bool,
}

impl<'r> WantedRows<'r> {
    pub fn new(doc_ids: DocIdMap, blocks: u32, filter: RowFilter<'r>) -> WantedRows<'r> {
        WantedRows { doc_ids, blocks, filter, rows: RoaringBitmap::new(), overflowed: false }
    }

    /// Takes a row, if it is wanted.
    pub fn push(&mut self, tid: Tid) {
        // Rows behind the end that the table had when the query began were added later.
        if tid.block >= self.blocks {
            return;
        }
        match self.doc_ids.doc_id(tid) {
            Some(doc_id) if self.filter.contains(doc_id) => {
                self.rows.insert(doc_id);
            }
            Some(_) => {}
            // A row without a doc ID is in no set of rows.
            None => self.overflowed |= self.filter.among.is_none(),
        }
    }

    /// The rows; an error if a wanted row may have no doc ID.
    pub fn finish(self) -> ReadResult<RoaringBitmap> {
        if self.overflowed { Err(DocIdOverflow.into()) } else { Ok(self.rows) }
    }
}
