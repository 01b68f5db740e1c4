//! What differs between PostgreSQL 14 and 18.

use crate::memory;
use pgrx::pg_sys;
use std::ffi::{CStr, CString};
use std::sync::OnceLock;

#[cfg(any(feature = "pg14", feature = "pg15"))]
type FileLocator = pg_sys::RelFileNode;
#[cfg(not(any(feature = "pg14", feature = "pg15")))]
type FileLocator = pg_sys::RelFileLocator;

unsafe extern "C-unwind" {
    // pgrx binds this too, but puts a guard around each call, which takes time.
    fn ReadRecentBuffer(
        relation: FileLocator,
        fork: pg_sys::ForkNumber::Type,
        block: pg_sys::BlockNumber,
        buffer: pg_sys::Buffer,
    ) -> bool;
}

#[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
unsafe extern "C-unwind" {
    // pgrx binds these too, but puts a guard around each call, which takes time.
    fn BufferGetLSNAtomic(buffer: pg_sys::Buffer) -> pg_sys::XLogRecPtr;
    fn TestForOldSnapshot_impl(snapshot: pg_sys::Snapshot, relation: pg_sys::Relation);
}

/// How many locks dropping a partition of a store takes: on its table, two indexes, TOAST table and its
/// index, row type and its array type, primary key and CHECK; from 18 on, on two NOT NULL, too.
pub const LOCKS_OF_PARTITION: i64 = if cfg!(feature = "pg18") { 11 } else { 9 };

/// Pins the buffer in which a block of a relation was found before, if it still holds that block.
///
/// # Safety
/// The relation must be open and not temporary, the call under a guard (pg_guard_ffi_boundary).
pub unsafe fn pin_recent(relation: pg_sys::Relation, block: u32, buffer: pg_sys::Buffer) -> bool {
    // SAFETY: the caller's relation is open, and its guard catches errors.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let locator = (*relation).rd_node;
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let locator = (*relation).rd_locator;
        ReadRecentBuffer(locator, pg_sys::ForkNumber::MAIN_FORKNUM, block, buffer)
    }
}

/// Fetches the row at a TID if the snapshot sees it (heapam.c, heap_fetch). Then its page is pinned.
///
/// # Safety
/// The relation must be an open heap that has the block, the snapshot valid, and `row` have the TID.
pub unsafe fn heap_fetch(
    relation: pg_sys::Relation,
    snapshot: pg_sys::Snapshot,
    row: pg_sys::HeapTuple,
    pinned: *mut pg_sys::Buffer,
) -> bool {
    #[cfg(feature = "pg14")]
    // SAFETY: the caller vouches for all of them.
    return unsafe { pg_sys::heap_fetch(relation, snapshot, row, pinned) };
    #[cfg(not(feature = "pg14"))]
    // SAFETY: the caller vouches for all of them.
    return unsafe { pg_sys::heap_fetch(relation, snapshot, row, pinned, false) };
}

/// Any of these lets a user LOCK TABLE … IN ROW EXCLUSIVE MODE (lockcmds.c, LockTableAclCheck).
pub const PRIVILEGES_TO_LOCK_ROWS: pg_sys::AclMode = {
    let rows = pg_sys::ACL_INSERT | pg_sys::ACL_UPDATE | pg_sys::ACL_DELETE | pg_sys::ACL_TRUNCATE;
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    let rows = rows | pg_sys::ACL_MAINTAIN;
    rows as pg_sys::AclMode
};

/// The file that a relation is stored in: tablespace, database and number. TRUNCATE, and everything
/// that rewrites a table, gives it a new file.
pub type FileId = (u32, u32, u32);

/// # Safety
/// The relation must be open.
pub unsafe fn file_id(relation: pg_sys::Relation) -> FileId {
    // SAFETY: the caller's relation is open.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let (space, database, number) =
            ((*relation).rd_node.spcNode, (*relation).rd_node.dbNode, (*relation).rd_node.relNode);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let (space, database, number) = (
            (*relation).rd_locator.spcOid,
            (*relation).rd_locator.dbOid,
            (*relation).rd_locator.relNumber,
        );
        (space.to_u32(), database.to_u32(), number.to_u32())
    }
}

/// Says that the node computes the target list of a path itself. Version 14 assumes that of every
/// custom node.
pub fn set_projection(_path: &mut pg_sys::CustomPath) {
    #[cfg(not(feature = "pg14"))]
    {
        _path.flags |= pg_sys::CUSTOMPATH_SUPPORT_PROJECTION;
    }
}

/// Runs a query that was started, forward, for at most `count` rows.
///
/// # Safety
/// The query must have been started, and its snapshot must be the active one.
pub unsafe fn run(query: *mut pg_sys::QueryDesc, count: u64) {
    let forward = pg_sys::ScanDirection::ForwardScanDirection;
    // SAFETY: the caller says that the query was started and its snapshot is active. Before 18, the
    // last argument says whether the query is run only once; `false` excludes parallel workers.
    unsafe {
        #[cfg(feature = "pg18")]
        pg_sys::ExecutorRun(query, forward, count);
        #[cfg(not(feature = "pg18"))]
        pg_sys::ExecutorRun(query, forward, count, false);
    }
}

/// Counts an index scan and the entries that it has found for pg_stat_user_indexes, as an access
/// method and index_getbitmap do for PostgreSQL's own scans (pgstat.h: pgstat_count_index_scan,
/// pgstat_count_index_tuples).
///
/// # Safety
/// The index must be open.
pub unsafe fn count_scan(index: pg_sys::Relation, scans: i64, rows: i64) {
    // SAFETY: the caller's index is open. If statistics are collected, its entry for them exists or
    // is created here.
    unsafe {
        #[cfg(not(feature = "pg14"))]
        if (*index).pgstat_info.is_null() && (*index).pgstat_enabled {
            pg_sys::pgstat_assoc_relation(index);
        }
        let Some(statistics) = (*index).pgstat_info.as_mut() else { return };
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        {
            statistics.t_counts.t_numscans += scans;
            statistics.t_counts.t_tuples_returned += rows;
        }
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        {
            statistics.counts.numscans += scans;
            statistics.counts.tuples_returned += rows;
        }
    }
}

/// Refuses settings with this prefix that are not defined, such as misspelt ones. Version 14 only
/// warns, and only about those that are set already.
pub fn reserve_settings(prefix: &CStr) {
    // SAFETY: the prefix is a C string, which the server copies or only reads (guc.c).
    unsafe {
        #[cfg(feature = "pg14")]
        pg_sys::EmitWarningsOnPlaceholders(prefix.as_ptr());
        #[cfg(not(feature = "pg14"))]
        pg_sys::MarkGUCPrefixReserved(prefix.as_ptr());
    }
}

/// An error for a caller who asked to get it back instead of having it raised.
pub struct Saved {
    pub code: i32,
    pub message: CString,
    pub detail: Option<CString>,
    pub hint: Option<CString>,
}

/// Saves an error in the context of a call, if that asks for it (miscnodes.h: ErrorSaveContext;
/// from 16 on). Returns false if the error must be raised.
///
/// # Safety
/// The context must be that of a function call.
pub unsafe fn save_error(context: *mut pg_sys::Node, error: &Saved) -> bool {
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    {
        let _ = (context, &error.code, &error.message, &error.detail, &error.hint);
        false
    }
    // SAFETY: a context is null or a node. errsave_start says whether the details are wanted. They
    // are set between it and errsave_finish, which copy them (elog.c). The calls are those that C
    // code makes, under a guard.
    #[cfg(not(any(feature = "pg14", feature = "pg15")))]
    unsafe {
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_ErrorSaveContext {
            return false;
        }
        let (detail, hint) = (error.detail.as_ref(), error.hint.as_ref());
        pg_sys::ffi::pg_guard_ffi_boundary(|| {
            if errsave_start(context, std::ptr::null()) {
                errcode(error.code);
                errmsg_internal(c"%s".as_ptr(), error.message.as_ptr());
                if let Some(detail) = detail {
                    errdetail_internal(c"%s".as_ptr(), detail.as_ptr());
                }
                if let Some(hint) = hint {
                    errhint(c"%s".as_ptr(), hint.as_ptr());
                }
                errsave_finish(
                    context,
                    c"versions.rs".as_ptr(),
                    line!() as i32,
                    c"save_error".as_ptr(),
                );
            }
        });
        true
    }
}

#[cfg(not(any(feature = "pg14", feature = "pg15")))]
unsafe extern "C-unwind" {
    // pgrx does not bind these. errsave_start and errsave_finish may raise an error, and have no
    // guard here.
    fn errsave_start(context: *mut pg_sys::Node, domain: *const std::ffi::c_char) -> bool;
    fn errcode(code: i32) -> i32;
    fn errmsg_internal(format: *const std::ffi::c_char, ...) -> i32;
    fn errdetail_internal(format: *const std::ffi::c_char, ...) -> i32;
    fn errhint(format: *const std::ffi::c_char, ...) -> i32;
    fn errsave_finish(
        context: *mut pg_sys::Node,
        file: *const std::ffi::c_char,
        line: i32,
        function: *const std::ffi::c_char,
    );
}

/// Whether rows may be removed that a snapshot still sees (old_snapshot_threshold; removed in 17).
pub fn prunes_early() -> bool {
    #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
    // SAFETY: old_snapshot_threshold is a setting that only the server's one thread uses.
    return unsafe { pg_sys::old_snapshot_threshold >= 0 };
    #[cfg(not(any(feature = "pg14", feature = "pg15", feature = "pg16")))]
    false
}

/// Whether a snapshot is so old that rows which it sees may be removed (bufmgr.c,
/// TestForOldSnapshot_impl).
///
/// # Safety
/// The snapshot must be a valid pointer.
pub unsafe fn is_past_threshold(_snapshot: pg_sys::Snapshot) -> bool {
    #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
    // SAFETY: the caller's snapshot is a valid pointer.
    return unsafe {
        prunes_early() && (*_snapshot).whenTaken < pg_sys::GetOldSnapshotThresholdTimestamp()
    };
    #[cfg(not(any(feature = "pg14", feature = "pg15", feature = "pg16")))]
    false
}

/// Raises an error if rows, or index entries of rows, that a snapshot sees may have been removed
/// from a page (bufmgr.h, TestForOldSnapshot).
///
/// # Safety
/// The relation must be open, and the buffer must be a pinned page of it. The snapshot must be
/// valid or null.
#[inline]
pub unsafe fn test_for_old_snapshot(
    snapshot: pg_sys::Snapshot,
    relation: pg_sys::Relation,
    buffer: pg_sys::Buffer,
) {
    if prunes_early() {
        // SAFETY: the caller's relation is open and its buffer pinned, the snapshot is valid or
        // null, and this is under a guard.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                test_for_old_snapshot_unguarded(snapshot, relation, buffer);
            });
        }
    }
}

/// Does the same as `test_for_old_snapshot`, under a guard that the caller has set up.
///
/// # Safety
/// The relation must be open, and the buffer must be a pinned page of it. The snapshot must be
/// valid or null. The call must be under a guard (pg_guard_ffi_boundary).
#[inline]
pub unsafe fn test_for_old_snapshot_unguarded(
    _snapshot: pg_sys::Snapshot,
    _relation: pg_sys::Relation,
    _buffer: pg_sys::Buffer,
) {
    #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
    // SAFETY: the caller's relation is open, its buffer pinned, and its guard catches errors. The
    // snapshot was compared with null.
    unsafe {
        if prunes_early()
            && !_snapshot.is_null()
            && (*_snapshot).snapshot_type == pg_sys::SnapshotType::SNAPSHOT_MVCC
            && (*_snapshot).lsn != 0
            && BufferGetLSNAtomic(_buffer) > (*_snapshot).lsn
        {
            TestForOldSnapshot_impl(_snapshot, _relation);
        }
    }
}

/// Begins to sort rows by some of their columns, within work_mem (kilobytes).
///
/// # Safety
/// All columns must exist, and the four slices must have the same length.
pub unsafe fn begin_sort(
    columns: pg_sys::TupleDesc,
    numbers: &mut [pg_sys::AttrNumber],
    operators: &mut [pg_sys::Oid],
    collations: &mut [pg_sys::Oid],
    nulls_first: &mut [bool],
    is_read_repeatedly: bool,
) -> *mut pg_sys::Tuplesortstate {
    #[cfg(feature = "pg14")]
    let options = is_read_repeatedly;
    #[cfg(not(feature = "pg14"))]
    let options = match is_read_repeatedly {
        true => pg_sys::TUPLESORT_RANDOMACCESS as i32,
        // Only such a sort may be given a bound: any other keeps its rows in memory from which no
        // single row can be freed (tuplesort.c; PostgreSQL 17 and later crash).
        false => pg_sys::TUPLESORT_ALLOWBOUNDED as i32,
    };
    // SAFETY: the caller's columns exist, and each slice has as many elements as `numbers`, whose
    // length is passed.
    unsafe {
        pg_sys::tuplesort_begin_heap(
            columns,
            numbers.len() as i32,
            numbers.as_mut_ptr(),
            operators.as_mut_ptr(),
            collations.as_mut_ptr(),
            nulls_first.as_mut_ptr(),
            pg_sys::work_mem,
            std::ptr::null_mut(),
            options,
        )
    }
}

/// Whether a role owns a relation, directly or as a member of the owner.
///
/// # Safety
/// The relation must exist.
pub unsafe fn is_owner(relation: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: the relation exists, and the function looks into the server's caches.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        return pg_sys::pg_class_ownercheck(relation, role);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        return pg_sys::object_ownercheck(pg_sys::RelationRelationId, relation, role);
    }
}

static EXECUTOR_RUN: OnceLock<pg_sys::ExecutorRun_hook_type> = OnceLock::new();

/// Watches everything that the executor runs for a lack of memory, arguments and results of
/// functions included (`memory::watched`).
pub fn watch_executor() {
    // SAFETY: ExecutorRun_hook is a global that only the server's one thread uses. Libraries set it
    // when they are loaded (executor.h).
    unsafe {
        EXECUTOR_RUN.get_or_init(|| {
            let previous = pg_sys::ExecutorRun_hook;
            pg_sys::ExecutorRun_hook = Some(run_executor);
            previous
        });
    }
}

/// Defines the hook, whose last argument 18 has removed. It has no guard: when an error passes,
/// nothing needs to be dropped, and who catches the error restores its own stack of error contexts.
macro_rules! run_executor {
    ($($argument:ident: $type:ty),*) => {
        unsafe extern "C-unwind" {
            // pgrx binds this too, but with a guard around the call.
            fn standard_ExecutorRun(query: *mut pg_sys::QueryDesc, $($argument: $type),*);
        }

        unsafe extern "C-unwind" fn run_executor(query: *mut pg_sys::QueryDesc, $($argument: $type),*) {
            let mut watch = memory::watch();
            // SAFETY: the arguments are those that the server passed. `watch` is taken from the
            // stack of error contexts before it goes out of scope; if an error passes, who catches
            // it does that.
            unsafe {
                pg_sys::error_context_stack = &raw mut watch;
                match EXECUTOR_RUN.get().copied().flatten() {
                    Some(previous) => previous(query, $($argument),*),
                    None => standard_ExecutorRun(query, $($argument),*),
                }
                pg_sys::error_context_stack = watch.previous;
            }
        }
    };
}

#[cfg(not(feature = "pg18"))]
run_executor!(direction: pg_sys::ScanDirection::Type, count: u64, once: bool);
#[cfg(feature = "pg18")]
run_executor!(direction: pg_sys::ScanDirection::Type, count: u64);
