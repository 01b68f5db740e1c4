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
    // As pgrx has it, but without a guard around each call.
    fn ReadRecentBuffer(
        relation: FileLocator,
        fork: pg_sys::ForkNumber::Type,
        block: pg_sys::BlockNumber,
        buffer: pg_sys::Buffer,
    ) -> bool;
}

#[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
unsafe extern "C-unwind" {
    // Likewise.
    fn BufferGetLSNAtomic(buffer: pg_sys::Buffer) -> pg_sys::XLogRecPtr;
    fn TestForOldSnapshot_impl(snapshot: pg_sys::Snapshot, relation: pg_sys::Relation);
}

/// How many locks it takes to drop a partition of a store: on its table, its two indexes, its TOAST table and the index of that, its row
/// type and the array of it, its primary key and its two CHECKs; from 18 on, NOT NULL is a constraint, too, of each column.
pub const LOCKS_OF_PARTITION: i64 = if cfg!(feature = "pg18") { 12 } else { 10 };

/// Pins a buffer that had a block of a relation, if it still has.
///
/// # Safety
/// The relation must be open and its buffers shared ones, and the call guarded (pg_guard_ffi_boundary).
pub unsafe fn pin_recent(relation: pg_sys::Relation, block: u32, buffer: pg_sys::Buffer) -> bool {
    // SAFETY: as above.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        let locator = (*relation).rd_node;
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        let locator = (*relation).rd_locator;
        ReadRecentBuffer(locator, pg_sys::ForkNumber::MAIN_FORKNUM, block, buffer)
    }
}

/// Which file a relation lies in: tablespace, database and number. TRUNCATE and what rewrites a table
/// give it another.
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

/// Says that the node computes a path's target by itself. Before 15, the planner takes every such node to do so.
pub fn set_projection(_path: &mut pg_sys::CustomPath) {
    #[cfg(not(feature = "pg14"))]
    {
        _path.flags |= pg_sys::CUSTOMPATH_SUPPORT_PROJECTION;
    }
}

/// Runs a query that was started, forward for so many rows.
///
/// # Safety
/// Its snapshot must be the active one.
pub unsafe fn run(query: *mut pg_sys::QueryDesc, count: u64) {
    let forward = pg_sys::ScanDirection::ForwardScanDirection;
    // SAFETY: as above. Before 18, the server wants to know whether it will be run again, which parallel workers exclude.
    unsafe {
        #[cfg(feature = "pg18")]
        pg_sys::ExecutorRun(query, forward, count);
        #[cfg(not(feature = "pg18"))]
        pg_sys::ExecutorRun(query, forward, count, false);
    }
}

/// Counts a scan of an index for pg_stat_user_indexes, as its access method does for PostgreSQL's own scans (pgstat.h:
/// pgstat_count_index_scan).
///
/// # Safety
/// The index must be open.
pub unsafe fn count_scan(index: pg_sys::Relation) {
    // SAFETY: as above; where statistics are kept, the relation has a place for them, or gets one.
    unsafe {
        #[cfg(not(feature = "pg14"))]
        if (*index).pgstat_info.is_null() && (*index).pgstat_enabled {
            pg_sys::pgstat_assoc_relation(index);
        }
        let Some(statistics) = (*index).pgstat_info.as_mut() else { return };
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        {
            statistics.t_counts.t_numscans += 1;
        }
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        {
            statistics.counts.numscans += 1;
        }
    }
}

/// Refuses settings of the prefix that are not defined, such as misspelt ones; 14 only warns, and only of those set so far.
pub fn reserve_settings(prefix: &CStr) {
    // SAFETY: the prefix is copied, or only read (guc.c).
    unsafe {
        #[cfg(feature = "pg14")]
        pg_sys::EmitWarningsOnPlaceholders(prefix.as_ptr());
        #[cfg(not(feature = "pg14"))]
        pg_sys::MarkGUCPrefixReserved(prefix.as_ptr());
    }
}

/// An error for whoever asked to be handed it.
pub struct Saved {
    pub code: i32,
    pub message: CString,
    pub detail: Option<CString>,
    pub hint: Option<CString>,
}

/// Hands an error back where the context of a call asks for that, from 16 on (miscnodes.h: ErrorSaveContext). False where it is to
/// be raised.
///
/// # Safety
/// The context must be that of a function call.
pub unsafe fn save_error(context: *mut pg_sys::Node, error: &Saved) -> bool {
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    {
        let _ = (context, &error.code, &error.message, &error.detail, &error.hint);
        false
    }
    // SAFETY: a context is null or a node. errsave_start says whether the details are wanted; between it and errsave_finish they are
    // set, all of it copied (elog.c). The calls are as C makes them, and guarded.
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
    // What pgrx leaves out of its bindings; the first and the last without a guard around each call.
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

/// Whether rows may be taken from pages that some snapshot still sees (old_snapshot_threshold, which 17 has removed).
pub fn prunes_early() -> bool {
    #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
    // SAFETY: a setting, read by the server's one thread.
    return unsafe { pg_sys::old_snapshot_threshold >= 0 };
    #[cfg(not(any(feature = "pg14", feature = "pg15", feature = "pg16")))]
    false
}

/// Whether a snapshot is of the age at which that is allowed (bufmgr.c, TestForOldSnapshot_impl).
///
/// # Safety
/// The snapshot must be there.
pub unsafe fn is_past_threshold(_snapshot: pg_sys::Snapshot) -> bool {
    #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
    // SAFETY: as above.
    return unsafe {
        prunes_early() && (*_snapshot).whenTaken < pg_sys::GetOldSnapshotThresholdTimestamp()
    };
    #[cfg(not(any(feature = "pg14", feature = "pg15", feature = "pg16")))]
    false
}

/// Raises an error where a page may have lost rows, or entries of rows, that a snapshot sees (bufmgr.h, TestForOldSnapshot).
///
/// # Safety
/// The relation must be open and the buffer one of it, pinned; the snapshot there or null.
#[inline]
pub unsafe fn test_for_old_snapshot(
    snapshot: pg_sys::Snapshot,
    relation: pg_sys::Relation,
    buffer: pg_sys::Buffer,
) {
    if prunes_early() {
        // SAFETY: as above.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                test_for_old_snapshot_unguarded(snapshot, relation, buffer);
            });
        }
    }
}

/// The same, under a guard of the caller's.
///
/// # Safety
/// As above, and guarded (pg_guard_ffi_boundary).
#[inline]
pub unsafe fn test_for_old_snapshot_unguarded(
    _snapshot: pg_sys::Snapshot,
    _relation: pg_sys::Relation,
    _buffer: pg_sys::Buffer,
) {
    #[cfg(any(feature = "pg14", feature = "pg15", feature = "pg16"))]
    // SAFETY: as above.
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

/// Begins to sort rows by some of their columns, within work_mem.
///
/// # Safety
/// The columns must be there, and the arrays of one length.
pub unsafe fn begin_sort(
    columns: pg_sys::TupleDesc,
    numbers: &mut [pg_sys::AttrNumber],
    operators: &mut [pg_sys::Oid],
    collations: &mut [pg_sys::Oid],
    nulls_first: &mut [bool],
) -> *mut pg_sys::Tuplesortstate {
    #[cfg(feature = "pg14")]
    let options = false;
    #[cfg(not(feature = "pg14"))]
    let options = pg_sys::TUPLESORT_NONE as i32;
    // SAFETY: as above.
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

/// Whether a role owns a relation, or is a member of the role that does.
///
/// # Safety
/// The relation must be there.
pub unsafe fn is_owner(relation: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: a look into the server's caches.
    unsafe {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        return pg_sys::pg_class_ownercheck(relation, role);
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        return pg_sys::object_ownercheck(pg_sys::RelationRelationId, relation, role);
    }
}

static EXECUTOR_RUN: OnceLock<pg_sys::ExecutorRun_hook_type> = OnceLock::new();

/// Has all that the executor runs watched, the arguments and results of functions among it (`memory::watched`).
pub fn watch_executor() {
    // SAFETY: a global of the server's one thread, meant to be set by libraries as they are loaded (executor.h).
    unsafe {
        EXECUTOR_RUN.get_or_init(|| {
            let previous = pg_sys::ExecutorRun_hook;
            pg_sys::ExecutorRun_hook = Some(run_executor);
            previous
        });
    }
}

/// Makes the hook, whose last argument 18 has removed. Errors pass by without a guard: there is nothing to be dropped, and whoever
/// catches one has his own part of the stack of callbacks again.
macro_rules! run_executor {
    ($($argument:ident: $type:ty),*) => {
        unsafe extern "C-unwind" {
            // As pgrx has it, but without a guard.
            fn standard_ExecutorRun(query: *mut pg_sys::QueryDesc, $($argument: $type),*);
        }

        unsafe extern "C-unwind" fn run_executor(query: *mut pg_sys::QueryDesc, $($argument: $type),*) {
            let mut watch = memory::watch();
            // SAFETY: as the server calls it; the callback is on the stack for as long as this frame.
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
