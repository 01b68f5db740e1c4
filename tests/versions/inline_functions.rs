//! The inline functions of PostgreSQL's headers that the library calls, for a build that has no headers
//! (scripts/shipped-bindings): pgrx otherwise compiles them from there, under these names. Each is as in
//! pg_list.h, tuptable.h, executor.h or tableam.h of PostgreSQL 14 to 18, without assertions and without
//! the check for a transaction that logical decoding found aborted.
#![allow(non_snake_case, unsafe_op_in_unsafe_fn, missing_docs)]

use pgrx::pg_sys::*;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

unsafe extern "C-unwind" {
    // pgrx binds it with a guard, and these functions are called under one already.
    fn MemoryContextReset(context: MemoryContext);
}

/// A callback of the server, which is never missing there.
macro_rules! call {
    ($callback:expr, $($argument:expr),*) => {
        match $callback {
            Some(callback) => callback($($argument),*),
            None => std::process::abort(),
        }
    };
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn list_length__pgrx_cshim(list: *const List) -> c_int {
    if list.is_null() { 0 } else { (*list).length }
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn list_nth__pgrx_cshim(list: *const List, n: c_int) -> *mut c_void {
    (*(*list).elements.add(n as usize)).ptr_value
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn list_nth_int__pgrx_cshim(list: *const List, n: c_int) -> c_int {
    (*(*list).elements.add(n as usize)).int_value
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn list_nth_oid__pgrx_cshim(list: *const List, n: c_int) -> Oid {
    (*(*list).elements.add(n as usize)).oid_value
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn ExecClearTuple__pgrx_cshim(
    slot: *mut TupleTableSlot,
) -> *mut TupleTableSlot {
    call!((*(*slot).tts_ops).clear, slot);
    slot
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn ExecEvalExprSwitchContext__pgrx_cshim(
    state: *mut ExprState,
    econtext: *mut ExprContext,
    is_null: *mut bool,
) -> Datum {
    let before = CurrentMemoryContext;
    CurrentMemoryContext = (*econtext).ecxt_per_tuple_memory;
    let value = call!((*state).evalfunc, state, econtext, is_null);
    CurrentMemoryContext = before;
    value
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn ExecQualAndReset__pgrx_cshim(
    state: *mut ExprState,
    econtext: *mut ExprContext,
) -> bool {
    let mut is_null = false;
    let passes = state.is_null()
        || ExecEvalExprSwitchContext__pgrx_cshim(state, econtext, &mut is_null).value() != 0;
    MemoryContextReset((*econtext).ecxt_per_tuple_memory);
    passes
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn table_beginscan__pgrx_cshim(
    relation: Relation,
    snapshot: Snapshot,
    keys: c_int,
    key: *mut ScanKeyData,
) -> TableScanDesc {
    let flags = ScanOptions::SO_TYPE_SEQSCAN
        | ScanOptions::SO_ALLOW_STRAT
        | ScanOptions::SO_ALLOW_SYNC
        | ScanOptions::SO_ALLOW_PAGEMODE;
    call!((*(*relation).rd_tableam).scan_begin, relation, snapshot, keys, key, null_mut(), flags)
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn table_endscan__pgrx_cshim(scan: TableScanDesc) {
    call!((*(*(*scan).rs_rd).rd_tableam).scan_end, scan)
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn table_rescan__pgrx_cshim(scan: TableScanDesc, key: *mut ScanKeyData) {
    call!((*(*(*scan).rs_rd).rd_tableam).scan_rescan, scan, key, false, false, false, false)
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn table_scan_getnextslot__pgrx_cshim(
    scan: TableScanDesc,
    direction: ScanDirection::Type,
    slot: *mut TupleTableSlot,
) -> bool {
    (*slot).tts_tableOid = (*(*scan).rs_rd).rd_id;
    call!((*(*(*scan).rs_rd).rd_tableam).scan_getnextslot, scan, direction, slot)
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn table_index_fetch_begin__pgrx_cshim(
    relation: Relation,
) -> *mut IndexFetchTableData {
    call!((*(*relation).rd_tableam).index_fetch_begin, relation)
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn table_index_fetch_end__pgrx_cshim(scan: *mut IndexFetchTableData) {
    call!((*(*(*scan).rel).rd_tableam).index_fetch_end, scan)
}

#[unsafe(no_mangle)]
unsafe extern "C-unwind" fn table_index_fetch_tuple__pgrx_cshim(
    scan: *mut IndexFetchTableData,
    tid: ItemPointer,
    snapshot: Snapshot,
    slot: *mut TupleTableSlot,
    call_again: *mut bool,
    all_dead: *mut bool,
) -> bool {
    call!(
        (*(*(*scan).rel).rd_tableam).index_fetch_tuple,
        scan,
        tid,
        snapshot,
        slot,
        call_again,
        all_dead
    )
}
