//! What has to stay as it is while the rows of a search are asked for in several calls.

use super::table::IndexedTable;
use pgrx::pg_sys;

/// Tables, their indexes and a snapshot, held as a plan's scans hold theirs: as long as they are open, whatever would put others in
/// their place is refused in this session too (tablecmds.c, CheckTableNotInUse), and no row that the snapshot sees is removed.
///
/// They are the current resource owner's, which is to be the same when they are closed. Dropped without, after an error, nothing is
/// closed: then the owner is released.
pub struct Held {
    relations: Vec<pg_sys::Relation>,
    snapshot: pg_sys::Snapshot,
}

impl Held {
    /// Holds the active snapshot.
    pub fn new(parts: &[IndexedTable]) -> Held {
        let lock = pg_sys::AccessShareLock as i32;
        // SAFETY: both raise an error where there is no such relation. A query is running, and so has a snapshot.
        unsafe {
            let open = |part: &IndexedTable| {
                [pg_sys::table_open(part.table, lock), pg_sys::index_open(part.index, lock)]
            };
            let relations = parts.iter().flat_map(open).collect();
            Held { relations, snapshot: pg_sys::RegisterSnapshot(pg_sys::GetActiveSnapshot()) }
        }
    }

    /// Registered for as long as this is not closed.
    pub fn snapshot(&self) -> pg_sys::Snapshot {
        self.snapshot
    }

    pub fn close(self) {
        // SAFETY: opened and registered in `new`. The locks stay, as those of scans do.
        unsafe {
            for relation in self.relations {
                pg_sys::relation_close(relation, pg_sys::NoLock as i32);
            }
            pg_sys::UnregisterSnapshot(self.snapshot);
        }
    }
}
