//! `LuceneCount` at work (nodeCustom.c): one row, whose columns are the number of rows of the scans
//! below.

use super::count_path::NAME;
use super::methods::{Execution, Methods, no_recheck, store_row};
use super::node;
use crate::memory;
use pgrx::{PgList, pg_guard, pg_sys};

static EXECUTION: Methods<pg_sys::CustomExecMethods> =
    Methods::of_state(NAME, Execution { begin, next, rescan, end });

/// The state of the node. The server's own part comes first, and has the states of the scans.
#[repr(C)]
struct LuceneCountState {
    custom: pg_sys::CustomScanState,
    is_over: bool,
}

/// CreateCustomScanState
#[pg_guard]
pub unsafe extern "C-unwind" fn create(_plan: *mut pg_sys::CustomScan) -> *mut pg_sys::Node {
    // SAFETY: the type is what `new_state` asks for; zero is false, and a null pointer.
    unsafe { EXECUTION.new_state::<LuceneCountState>() }
}

/// BeginCustomScan
#[pg_guard]
unsafe extern "C-unwind" fn begin(
    node: *mut pg_sys::CustomScanState,
    estate: *mut pg_sys::EState,
    flags: std::ffi::c_int,
) {
    // SAFETY: ExecInitCustomScan calls this with a node of `create` and its plan.
    unsafe {
        let plan = (*node).ss.ps.plan.cast::<pg_sys::CustomScan>();
        for plan in PgList::<pg_sys::Plan>::from_pg((*plan).custom_plans).iter_ptr() {
            let scan = pg_sys::ExecInitNode(plan, estate, flags);
            (*node).custom_ps = pg_sys::lappend((*node).custom_ps, scan.cast());
        }
    }
}

/// ExecCustomScan. ExecScan computes what the query returns from the row.
#[pg_guard]
unsafe extern "C-unwind" fn next(
    node: *mut pg_sys::CustomScanState,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the server calls this with a node that `begin` has set up.
    memory::watched(|| unsafe {
        pg_sys::ExecScan(&raw mut (*node).ss, Some(access), Some(no_recheck))
    })
}

/// The row, in the first call.
#[pg_guard]
unsafe extern "C-unwind" fn access(ss: *mut pg_sys::ScanState) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: ExecScan calls this with the node that was passed to it. Its slot has a column of
    // type bigint for each aggregate.
    unsafe {
        let node = ss.cast::<LuceneCountState>();
        let slot = (*ss).ss_ScanTupleSlot;
        pg_sys::ExecClearTuple(slot);
        if std::mem::replace(&mut (*node).is_over, true) {
            return slot;
        }
        let mut count = 0;
        for scan in PgList::<pg_sys::PlanState>::from_pg((*node).custom.custom_ps).iter_ptr() {
            count += memory::watched(|| count_rows(scan));
        }
        store_row(slot, Some(pg_sys::Datum::from(count as i64)));
        slot
    }
}

/// How many rows a scan returns. It is not read if it knows.
unsafe fn count_rows(scan: *mut pg_sys::PlanState) -> u64 {
    // SAFETY: the state is that of a plan that `begin` has initialized.
    unsafe {
        // ExecProcNode
        if !(*scan).chgParam.is_null() {
            pg_sys::ExecReScan(scan);
        }
        if let Some(count) = node::take_count(scan) {
            return count;
        }
        let Some(next) = (*scan).ExecProcNode else { return 0 };
        let mut count = 0;
        loop {
            memory::check();
            let row = pg_sys::ffi::pg_guard_ffi_boundary(|| next(scan));
            // TupIsNull
            if row.is_null() || (*row).tts_flags & pg_sys::TTS_FLAG_EMPTY as u16 != 0 {
                return count;
            }
            count += 1 + node::take_left(scan);
        }
    }
}

/// ReScanCustomScan. ExecReScan tells only the left and right plans of a node which parameters have
/// changed.
#[pg_guard]
unsafe extern "C-unwind" fn rescan(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the server calls this with a node that `begin` has set up.
    unsafe {
        (*node.cast::<LuceneCountState>()).is_over = false;
        for scan in PgList::<pg_sys::PlanState>::from_pg((*node).custom_ps).iter_ptr() {
            if !(*node).ss.ps.chgParam.is_null() {
                pg_sys::UpdateChangedParamSet(scan, (*node).ss.ps.chgParam);
            }
            pg_sys::ExecReScan(scan);
        }
        pg_sys::ExecScanReScan(&raw mut (*node).ss);
    }
}

/// EndCustomScan
#[pg_guard]
unsafe extern "C-unwind" fn end(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the server calls this with a node that `begin` has set up.
    unsafe {
        for scan in PgList::<pg_sys::PlanState>::from_pg((*node).custom_ps).iter_ptr() {
            pg_sys::ExecEndNode(scan);
        }
    }
}
