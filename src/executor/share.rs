//! How many of some rows match, found by looking at their documents. The planner asks for that
//! where the index cannot tell.

use super::heap::Heap;
use super::table::IndexedTable;
use crate::index::gin::Tid;
use crate::matcher::Matcher;
use crate::predicate::Predicate;
use pgrx::pg_sys;

/// Bytes of documents that are read at most. 4 MB take a few milliseconds, which a plan may cost.
const MAX_BYTES_READ: usize = 4 << 20;

/// How many of some rows were looked at, how many of those are visible, and how many match.
#[derive(Debug, Clone, Copy, Default)]
pub struct Share {
    pub looked_at: f64,
    pub visible: f64,
    pub matching: f64,
}

/// Looks at rows one after the other, until all were looked at or [`MAX_BYTES_READ`] were read.
/// None where that is not allowed: without a snapshot, and in a serializable transaction, for which
/// every row that is looked at counts as read by the query.
pub fn share(table: &IndexedTable, rows: &[Tid], predicate: &Predicate) -> Option<Share> {
    // SAFETY: both are variables of the running transaction, which this backend alone changes.
    let may_look = unsafe {
        pg_sys::ActiveSnapshotSet() && pg_sys::XactIsoLevel != pg_sys::XACT_SERIALIZABLE as i32
    };
    if !may_look {
        return None;
    }
    let (heap, matcher) = (Heap::of(table), Matcher::new(predicate));
    let (blocks, mut fetcher) = (heap.blocks(), heap.fetcher());
    let (mut share, mut bytes) = (Share::default(), 0);
    for row in rows {
        share.looked_at += 1.0;
        let found = if row.block < blocks { fetcher.fetch(*row) } else { None };
        let Some(stored) = found else { continue };
        share.visible += 1.0;
        let (matches, read) = stored.read(|doc| (matcher.matches(doc), doc.bytes().len()));
        share.matching += f64::from(u8::from(matches));
        bytes += read;
        if bytes > MAX_BYTES_READ {
            break;
        }
    }
    Some(share)
}
