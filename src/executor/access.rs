//! The tables of a store, and whether the executor may read them through their indexes.

use super::heap::Heap;
use super::table::IndexedTable;
use crate::index::{is_distributed, recognize};
use pgrx::{PgList, pg_sys};

unsafe extern "C-unwind" {
    // catalog/pg_inherits.h. pgrx has no binding of it.
    fn find_all_inheritors(
        parent: pg_sys::Oid,
        lock: pg_sys::LOCKMODE,
        parents: *mut *mut pg_sys::List,
    ) -> *mut pg_sys::List;
}

/// Why a store is read through the planner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    #[error("the user may not read all of the table")]
    Privileges,
    #[error("the table has row-level security")]
    RowSecurity,
    #[error("it is not a plain table, or one of its partitions is not")]
    NoTable,
    #[error("the table is distributed: its rows are on other servers")]
    Distributed,
    #[error("other tables inherit from it")]
    Inherited,
    #[error("an unlogged table cannot be read on a standby")]
    Unlogged,
    #[error("a table has no valid index of class jsonb_lucene_ops on doc")]
    NoIndex,
    #[error("an index is newer than the transaction's snapshot")]
    IndexTooNew,
}

/// The table, or its partitions in the order of their OIDs, which is that of `tableoid`.
pub fn indexed_tables(
    table: pg_sys::Oid,
    operator: pg_sys::Oid,
) -> std::result::Result<Vec<IndexedTable>, Obstacle> {
    check_access(table)?;
    let heap = Heap::try_open(table).ok_or(Obstacle::NoTable)?;
    // SAFETY: the relation is open, and an open relation has its row of pg_class.
    let (kind, has_children) = unsafe {
        let class = &*(*heap.relation()).rd_rel;
        (class.relkind as u8, class.relhassubclass)
    };
    if is_distributed(table) {
        return Err(Obstacle::Distributed);
    }
    let tables = match kind {
        pg_sys::RELKIND_RELATION if has_children => return Err(Obstacle::Inherited),
        pg_sys::RELKIND_RELATION => vec![table],
        pg_sys::RELKIND_PARTITIONED_TABLE => partitions(table),
        _ => return Err(Obstacle::NoTable),
    };
    if tables.iter().any(|&part| part != table && is_distributed(part)) {
        return Err(Obstacle::NoTable);
    }
    tables.into_iter().map(|table| indexed_table(table, operator)).collect()
}

/// Checks what the executor of a plan would check for the table (execMain.c, ExecCheckRTPerms;
/// rewrite/rowsecurity.c).
pub fn check_access(table: pg_sys::Oid) -> std::result::Result<(), Obstacle> {
    // SAFETY: all three look up caches of the server, and raise an error if there is no such table.
    unsafe {
        let user = pg_sys::GetUserId();
        let select = pg_sys::ACL_SELECT as pg_sys::AclMode;
        if pg_sys::pg_class_aclcheck(table, user, select) != pg_sys::AclResult::ACLCHECK_OK {
            return Err(Obstacle::Privileges);
        }
        let security = pg_sys::check_enable_rls(table, pg_sys::InvalidOid, true);
        if security != pg_sys::CheckEnableRlsResult::RLS_NONE as i32
            && security != pg_sys::CheckEnableRlsResult::RLS_NONE_ENV as i32
        {
            return Err(Obstacle::RowSecurity);
        }
    }
    Ok(())
}

/// Takes a lock on all partitions of a table that is locked itself.
pub fn lock_partitions(table: pg_sys::Oid, lock: u32) {
    // SAFETY: looks up a cache of the server, and returns 0 if there is no such table.
    if unsafe { pg_sys::get_rel_relkind(table) } as u8 == pg_sys::RELKIND_PARTITIONED_TABLE {
        partition_tree(table, lock);
    }
}

/// The table and its partitions, each of them locked.
fn partition_tree(table: pg_sys::Oid, lock: u32) -> *mut pg_sys::List {
    // SAFETY: a list of the parents is returned only through a pointer that is not null
    // (pg_inherits.c). The guard turns an error of the server into a panic.
    unsafe {
        pg_sys::ffi::pg_guard_ffi_boundary(|| {
            find_all_inheritors(table, lock as pg_sys::LOCKMODE, std::ptr::null_mut())
        })
    }
}

/// The partitions that have rows of their own, in the order of their OIDs.
fn partitions(table: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    let list = partition_tree(table, pg_sys::AccessShareLock);
    // SAFETY: it is a list of OIDs, and all of these relations are locked now.
    unsafe {
        let mut tables: Vec<_> = PgList::<pg_sys::Oid>::from_pg(list)
            .iter_oid()
            .filter(|&oid| pg_sys::get_rel_relkind(oid) as u8 != pg_sys::RELKIND_PARTITIONED_TABLE)
            .collect();
        tables.sort_unstable_by_key(|oid| oid.to_u32());
        tables
    }
}

/// A table with the index that the executor may read.
fn indexed_table(
    table: pg_sys::Oid,
    operator: pg_sys::Oid,
) -> std::result::Result<IndexedTable, Obstacle> {
    let heap = Heap::try_open(table).ok_or(Obstacle::NoTable)?;
    // SAFETY: the relation is open, and an open relation has its row of pg_class.
    let class = unsafe { &*(*heap.relation()).rd_rel };
    // The number of a column that does not exist is 0. An expression has that number in
    // pg_index.indkey, so it must not be mistaken for the column.
    if heap.column() <= 0 {
        return Err(Obstacle::NoIndex);
    }
    if class.relkind as u8 != pg_sys::RELKIND_RELATION || class.relam != pg_sys::HEAP_TABLE_AM_OID {
        return Err(Obstacle::NoTable);
    }
    // SAFETY: reads a flag of this backend and of shared memory.
    let in_recovery = unsafe { pg_sys::RecoveryInProgress() };
    if in_recovery && class.relpersistence as u8 == pg_sys::RELPERSISTENCE_UNLOGGED {
        return Err(Obstacle::Unlogged);
    }
    let mut obstacle = Obstacle::NoIndex;
    // SAFETY: the relation is open. The server returns a list of OIDs, which is a copy.
    let indexes =
        unsafe { PgList::<pg_sys::Oid>::from_pg(pg_sys::RelationGetIndexList(heap.relation())) };
    for index in indexes.iter_oid().filter(|index| recognize::is_gin(*index)) {
        match check_index(index, heap.column(), operator) {
            Ok(()) => return Ok(IndexedTable { table, index, column: heap.column() }),
            Err(found) => obstacle = if found == Obstacle::IndexTooNew { found } else { obstacle },
        }
    }
    Err(obstacle)
}

/// Whether the planner would use the index for a scan over the whole column (plancat.c,
/// get_relation_info).
fn check_index(
    oid: pg_sys::Oid,
    column: i32,
    operator: pg_sys::Oid,
) -> std::result::Result<(), Obstacle> {
    // SAFETY: the index is open between index_open and index_close, so it has its row of pg_index.
    unsafe {
        let relation = pg_sys::index_open(oid, pg_sys::AccessShareLock as i32);
        let index = &*(*relation).rd_index;
        let is_ours = recognize::relation_answers(relation, operator, column);
        let is_usable = index.indisvalid && index.indisready && index.indislive;
        // Such an index may lack rows that an older snapshot sees (README.HOT).
        let is_new = index.indcheckxmin && {
            let header = (*(*relation).rd_indextuple).t_data;
            let is_frozen = u32::from((*header).t_infomask) & pg_sys::HEAP_XMIN_FROZEN
                == pg_sys::HEAP_XMIN_FROZEN;
            let creator = (*header).t_choice.t_heap.t_xmin;
            !is_frozen && !pg_sys::TransactionIdPrecedes(creator, pg_sys::TransactionXmin)
        };
        pg_sys::index_close(relation, pg_sys::NoLock as i32);
        match (is_ours && is_usable, is_new) {
            (false, _) => Err(Obstacle::NoIndex),
            (true, true) => Err(Obstacle::IndexTooNew),
            (true, false) => Ok(()),
        }
    }
}
