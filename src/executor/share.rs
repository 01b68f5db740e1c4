//! How many of some rows match, by a look at their documents: for the planner, where the index does not tell.

use super::heap::Heap;
use super::table::IndexedTable;
use crate::index::gin::Tid;
use crate::matcher::Matcher;
use crate::predicate::Predicate;
use pgrx::pg_sys;

/// So many bytes of documents are read at most.
const BYTES: usize = 4 << 20;

/// Of some rows, how many were looked at, how many of those are visible, and how many match.
#[derive(Debug, Clone, Copy, Default)]
pub struct Share {
    pub looked_at: f64,
    pub visible: f64,
    pub matching: f64,
}

/// Looks at rows one after the other, until all were looked at or too much was read. None where it may not: without a snapshot, or in a
/// serializable transaction, in which every look is taken for part of the question.
pub fn share(part: &IndexedTable, rows: &[Tid], predicate: &Predicate) -> Option<Share> {
    // SAFETY: reads variables of the running transaction.
    let may_look = unsafe {
        pg_sys::ActiveSnapshotSet() && pg_sys::XactIsoLevel != pg_sys::XACT_SERIALIZABLE as i32
    };
    if !may_look {
        return None;
    }
    let (heap, matcher) = (Heap::of(part), Matcher::new(predicate));
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
        if bytes > BYTES {
            break;
        }
    }
    Some(share)
}
