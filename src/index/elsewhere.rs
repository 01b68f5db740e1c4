//! Tables whose rows are stored elsewhere. The index of such a table is empty, and would say that
//! nothing matches.

use pgrx::pg_sys;

/// Whether all rows of a table are in its own heap, so that its indexes have entries for them. That
/// is not so for a view, a foreign table or a partitioned table, and another access method may
/// store rows as it likes.
///
/// # Safety
/// The table must be locked.
pub unsafe fn has_own_rows(table: pg_sys::Oid) -> bool {
    // SAFETY: the caller holds a lock on the table, so it can be opened without one. An open
    // relation has its row of pg_class.
    let is_heap = unsafe {
        let relation = pg_sys::try_relation_open(table, pg_sys::NoLock as i32);
        if relation.is_null() {
            return false;
        }
        let class = &*(*relation).rd_rel;
        let kind = class.relkind as u8;
        let is_heap = (kind == pg_sys::RELKIND_RELATION || kind == pg_sys::RELKIND_MATVIEW)
            && class.relam == pg_sys::HEAP_TABLE_AM_OID;
        pg_sys::relation_close(relation, pg_sys::NoLock as i32);
        is_heap
    };
    is_heap && !is_distributed(table)
}

/// Whether a table is distributed by Citus. Such a table is an empty shell: its rows are in tables
/// with other names, usually on other servers. Citus lists these tables in
/// `pg_catalog.pg_dist_partition`, also those that are on every server or on this one alone.
pub fn is_distributed(table: pg_sys::Oid) -> bool {
    // SAFETY: the lookups read the server's caches, which also remember that a relation does not
    // exist. The catalogue is open from try_table_open to table_close, and systable_beginscan takes
    // a snapshot of its own (genam.c). The index is used only if it is an index of that catalogue.
    // If an error unwinds this, the transaction's abort closes everything.
    unsafe {
        let named = |name: &std::ffi::CStr| {
            pg_sys::get_relname_relid(name.as_ptr(), pg_sys::PG_CATALOG_NAMESPACE.into())
        };
        let catalogue = named(c"pg_dist_partition");
        if catalogue == pg_sys::InvalidOid {
            return false;
        }
        let column = pg_sys::get_attnum(catalogue, c"logicalrelid".as_ptr());
        if column <= 0 || pg_sys::get_atttype(catalogue, column) != pg_sys::REGCLASSOID {
            return false;
        }
        let relation = pg_sys::try_table_open(catalogue, pg_sys::AccessShareLock as i32);
        if relation.is_null() {
            return false;
        }
        let mut wanted = pg_sys::ScanKeyData::default();
        pg_sys::ScanKeyInit(
            &raw mut wanted,
            column,
            pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
            pg_sys::F_OIDEQ.into(),
            table.into(),
        );
        let index = named(c"pg_dist_partition_logical_relid_index");
        let is_indexed =
            index != pg_sys::InvalidOid && pg_sys::IndexGetRelation(index, true) == catalogue;
        let scan = pg_sys::systable_beginscan(
            relation,
            index,
            is_indexed,
            std::ptr::null_mut(),
            1,
            &raw mut wanted,
        );
        let is_listed = !pg_sys::systable_getnext(scan).is_null();
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(relation, pg_sys::AccessShareLock as i32);
        is_listed
    }
}
