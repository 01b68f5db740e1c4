//! How many values and rows ranges of keys had, for as long as nothing at all is written.
//!
//! Only tables of which all pages are all-visible are remembered: then all snapshots see the same
//! rows. Whatever changes that is written to the write-ahead log first, as are commits. So while the
//! log ends where it did, the numbers are true.

use super::page_visibility::wal_position;
use crate::error::Result;
use crate::index::gin::GinIndex;
use std::cell::RefCell;
use std::collections::HashMap;

/// Ranges that are remembered at most: about three for each path.
const MAX_RANGES: usize = 16_384;

/// An index, and a range of its keys.
type KeyRange = (u32, Vec<u8>, Vec<u8>);

/// What was counted while the log ended at one place.
#[derive(Default)]
struct Tallies {
    wal: u64,
    counts: HashMap<KeyRange, (u64, u64)>,
}

thread_local! {
    static TALLIES: RefCell<Tallies> = RefCell::default();
}

/// The rows and the keys of a range: those that are remembered, or else what `count` finds.
/// `is_all_visible`: whether all pages of the table are.
pub fn remembered(
    index: &GinIndex,
    (from, below): (&[u8], &[u8]),
    is_all_visible: bool,
    count: impl FnOnce() -> Result<(u64, u64)>,
) -> Result<(u64, u64)> {
    if !is_all_visible || !index.is_wal_logged() {
        return count();
    }
    // The position is read first, so that what is written meanwhile counts as later.
    let wal = wal_position();
    let key = (index.oid(), from.to_vec(), below.to_vec());
    let known = TALLIES.with_borrow_mut(|tallies| {
        if tallies.wal != wal || tallies.counts.len() >= MAX_RANGES {
            *tallies = Tallies { wal, ..Tallies::default() };
        }
        tallies.counts.get(&key).copied()
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let counted = count()?;
    TALLIES.with_borrow_mut(|tallies| {
        if tallies.wal == wal {
            tallies.counts.insert(key, counted);
        }
    });
    Ok(counted)
}
