//! How many values some documents have at a path, for as long as nothing at all is written.
//!
//! Whatever changes an index is written to the write-ahead log first. So while the log ends where it
//! did, the indexes have the same entries, and of the same rows the same number of values. All rows
//! of a table are the same ones for all snapshots where all of its pages are all-visible. Else the
//! rows that a snapshot sees are compared, one by one.

use super::doc_id::ReadResult;
use super::domain::Domain;
use super::page_visibility::wal_position;
use super::settings::changes_memory;
use super::values::Tally;
use crate::index::gin::GinIndex;
use std::cell::RefCell;
use std::collections::HashMap;

/// Ranges that are remembered at most: about three for each path.
const MAX_RANGES: usize = 16_384;

/// A path, and a range of its values. Two paths may have the same hash, and so the same keys.
type ValueRange = (String, Vec<u8>, Vec<u8>);

/// What was counted of some documents while the log ended at one place.
struct Tallies {
    wal: u64,
    indexes: Vec<u32>,
    documents: Domain,
    counts: HashMap<ValueRange, Tally>,
}

thread_local! {
    static TALLIES: RefCell<Option<Tallies>> = const { RefCell::new(None) };
}

/// How many values of a range some documents have, of the tables with these indexes: what is
/// remembered, or else what `count` finds. `is_known`: whether the documents are listed, or are all
/// rows of tables of which all pages are all-visible.
pub fn remembered(
    indexes: &[&GinIndex],
    range: ValueRange,
    documents: &Domain,
    is_known: bool,
    count: impl FnOnce() -> ReadResult<Tally>,
) -> ReadResult<Tally> {
    let max_bytes = changes_memory();
    let is_remembered = is_known
        && max_bytes > 0
        && indexes.iter().all(|index| index.is_wal_logged())
        && documents.size() <= max_bytes / 4;
    if !is_remembered {
        return count();
    }
    // The position is read first, so that what is written meanwhile counts as later.
    let wal = wal_position();
    let known = TALLIES.with_borrow_mut(|tallies| {
        let is_same = |known: &Tallies| {
            known.wal == wal
                && known.counts.len() < MAX_RANGES
                && indexes.iter().map(|index| index.oid()).eq(known.indexes.iter().copied())
                && known.documents == *documents
        };
        *tallies = tallies.take().filter(is_same);
        // The next range of the same statement finds the same list.
        if let Some(known) = tallies {
            known.documents = documents.clone();
        }
        let anew = || Tallies {
            wal,
            indexes: indexes.iter().map(|index| index.oid()).collect(),
            documents: documents.clone(),
            counts: HashMap::new(),
        };
        tallies.get_or_insert_with(anew).counts.get(&range).copied()
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let counted = count()?;
    TALLIES.with_borrow_mut(|tallies| {
        if let Some(tallies) = tallies.as_mut().filter(|tallies| tallies.wal == wal) {
            tallies.counts.insert(range, counted);
        }
    });
    Ok(counted)
}
