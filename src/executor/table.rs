//! A table with its index, as the executor reads them.

use crate::pg::versions;
use pgrx::pg_sys;

/// A table with its index: a store, or a partition of one.
#[derive(Debug, Clone, Copy)]
pub struct IndexedTable {
    /// The table itself.
    pub table: pg_sys::Oid,
    /// The GIN index on its documents.
    pub index: pg_sys::Oid,
    /// The number of the column of documents that the index is on.
    pub column: i32,
}

impl IndexedTable {
    /// Counts a scan of the index that has found so many rows, for pg_stat_user_indexes.
    pub fn count_scan(&self, rows: u64) {
        self.count(1, rows);
    }

    /// Counts rows that a scan has found, which was counted before.
    pub fn count_rows(&self, rows: u64) {
        self.count(0, rows);
    }

    fn count(&self, scans: i64, rows: u64) {
        // SAFETY: index_open takes any OID, and the index is closed again. The lock is kept, as
        // index scans keep theirs.
        unsafe {
            let index = pg_sys::index_open(self.index, pg_sys::AccessShareLock as i32);
            versions::count_scan(index, scans, i64::try_from(rows).unwrap_or(i64::MAX));
            pg_sys::index_close(index, pg_sys::NoLock as i32);
        }
    }
}
