//! A table with its index, as the executor reads them.

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
