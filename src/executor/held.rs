//! What has to stay as it is while the rows of a search are asked for in several calls.

use super::table::IndexedTable;
use pgrx::pg_sys;

/// Tables, their indexes and a snapshot, held as the scans of a plan hold theirs. As long as the
/// tables are open, this session refuses commands that would replace them (tablecmds.c,
/// CheckTableNotInUse). As long as the snapshot is registered, VACUUM removes no row that it sees.
///
/// All of them belong to the resource owner that is current in `new`; the same one must be current
/// in `close`. After an error this is dropped without `close`, and the owner releases them.
pub struct Held {
    relations: Vec<pg_sys::Relation>,
    snapshot: pg_sys::Snapshot,
}

impl Held {
    /// Opens the tables, and registers the active snapshot.
    pub fn new(tables: &[IndexedTable]) -> Held {
        let lock = pg_sys::AccessShareLock as i32;
        // SAFETY: table_open and index_open raise an error if there is no such relation. A query is
        // running, so there is an active snapshot.
        unsafe {
            let open = |table: &IndexedTable| {
                [pg_sys::table_open(table.table, lock), pg_sys::index_open(table.index, lock)]
            };
            let relations = tables.iter().flat_map(open).collect();
            Held { relations, snapshot: pg_sys::RegisterSnapshot(pg_sys::GetActiveSnapshot()) }
        }
    }

    /// The snapshot, which stays registered until `close`.
    pub fn snapshot(&self) -> pg_sys::Snapshot {
        self.snapshot
    }

    /// Closes the tables and unregisters the snapshot. The locks stay until the transaction ends,
    /// as those of scans do.
    pub fn close(self) {
        // SAFETY: `new` has opened the relations and registered the snapshot. This takes `self`, so
        // both happen once.
        unsafe {
            for relation in self.relations {
                pg_sys::relation_close(relation, pg_sys::NoLock as i32);
            }
            pg_sys::UnregisterSnapshot(self.snapshot);
        }
    }
}
