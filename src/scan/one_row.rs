//! `LuceneRow`: `SELECT f(tableoid) FROM t WHERE session_store.one_row(id)` has one imaginary row for
//! the table, without a value in any column. Where Citus sends this to the shards of a table, f is
//! called once for each shard (store/shards.rs).
//!
//! The row comes even if row-level security would hide all rows: f is asked, and checks itself what
//! the user may see. `id = 'x'` may stand beside it: by that, Citus sends the statement to the shard
//! of this id, and here it is not tested. Other conditions are not answered. Then, as where the
//! planner's hook does not run, rows of the table are read, and `one_row` raises an error for the
//! first one.

use super::methods::{Execution, Methods, no_recheck, store_row};
use crate::error::Error;
use crate::memory;
use crate::pg::fmgr::{Arguments, c_functions};
use crate::pg::versions;
use pgrx::{PgBox, PgList, pg_guard, pg_sys};
use std::ffi::{CStr, c_int};

const NAME: &CStr = c"LuceneRow";

static PATH: Methods<pg_sys::CustomPathMethods> = Methods::of_path(NAME, plan);

static SCAN: Methods<pg_sys::CustomScanMethods> = Methods::of_plan(NAME, create);

static EXECUTION: Methods<pg_sys::CustomExecMethods> =
    Methods::of_state(NAME, Execution { begin, next, rescan, end });

c_functions! {
    pg_finfo_session_store_one_row session_store_one_row one_row;
    pg_finfo_session_store_one_row_support session_store_one_row_support one_row_support;
}

/// (text) → boolean: what the planner has not replaced.
unsafe fn one_row(_: Arguments) -> pg_sys::Datum {
    Error::OneRow.raise()
}

/// (internal) → internal: answers no request. The planner calls it before it asks for paths, and so
/// loads this library in a session that has not used it yet.
unsafe fn one_row_support(_: Arguments) -> pg_sys::Datum {
    pg_sys::Datum::null()
}

type Function = unsafe extern "C-unwind" fn(pg_sys::FunctionCallInfo) -> pg_sys::Datum;

pub fn register() {
    SCAN.register();
}

/// Whether a clause is `session_store.one_row(…)`.
unsafe fn is_one_row(clause: *mut pg_sys::Node) -> bool {
    // SAFETY: the clause is one of the planner's. The name is null or a C string. fmgr_info fills in
    // what is known of a function.
    unsafe {
        if !pgrx::is_a(clause, pg_sys::NodeTag::T_FuncExpr) {
            return false;
        }
        let function = (*clause.cast::<pg_sys::FuncExpr>()).funcid;
        let name = pg_sys::get_func_name(function);
        if name.is_null() || CStr::from_ptr(name) != c"one_row" {
            return false;
        }
        let mut info = pg_sys::FmgrInfo::default();
        pg_sys::fmgr_info(function, &raw mut info);
        info.fn_addr.is_some_and(|at| std::ptr::fn_addr_eq(at, session_store_one_row as Function))
    }
}

/// Whether a clause says that the column of `one_row(column)` equals a constant.
unsafe fn chooses_shard(clause: *mut pg_sys::Node, one_row: *mut pg_sys::Node) -> bool {
    // SAFETY: the clauses are the planner's, and the second one is a call of a function. Members of
    // their lists are nodes.
    unsafe {
        if !pgrx::is_a(clause, pg_sys::NodeTag::T_OpExpr) {
            return false;
        }
        let operation = clause.cast::<pg_sys::OpExpr>();
        let sides = PgList::<pg_sys::Node>::from_pg((*operation).args);
        let columns = PgList::<pg_sys::Node>::from_pg((*one_row.cast::<pg_sys::FuncExpr>()).args);
        let (Some(left), Some(right), Some(column)) =
            (sides.get_ptr(0), sides.get_ptr(1), columns.get_ptr(0))
        else {
            return false;
        };
        pg_sys::get_opcode((*operation).opno) == pg_sys::Oid::from(pg_sys::F_TEXTEQ)
            && pg_sys::equal(left.cast(), column.cast())
            && (pgrx::is_a(right, pg_sys::NodeTag::T_Const)
                || pgrx::is_a(right, pg_sys::NodeTag::T_Param))
    }
}

/// Makes one row the only path of a relation that is asked for it. Returns whether it is.
///
/// # Safety
/// The relation must be one for which the planner calls its hook.
pub unsafe fn replace_paths(
    root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    rte: *mut pg_sys::RangeTblEntry,
) -> bool {
    // SAFETY: the nodes are the planner's, and its memory context is the current one.
    unsafe {
        // An imaginary row can neither be changed nor locked.
        let is_read = (*(*root).parse).commandType == pg_sys::CmdType::CMD_SELECT
            && (*root).rowMarks.is_null();
        if !is_read {
            return false;
        }
        let conditions = PgList::<pg_sys::RestrictInfo>::from_pg((*rel).baserestrictinfo);
        let asked = conditions.iter_ptr().find(|&info| is_one_row((*info).clause.cast()));
        let Some(asked) = asked else { return false };
        // Conditions of policies come before those of the statement (rel.h, security_level).
        let is_answered = |info: *mut pg_sys::RestrictInfo| {
            info == asked
                || (*info).security_level < (*asked).security_level
                || chooses_shard((*info).clause.cast(), (*asked).clause.cast())
        };
        let is_table = (*rte).rtekind == pg_sys::RTEKind::RTE_RELATION;
        if !is_table || !(*rel).lateral_relids.is_null() || !conditions.iter_ptr().all(is_answered)
        {
            return false;
        }
        let path = PgBox::<pg_sys::CustomPath>::alloc_node(pg_sys::NodeTag::T_CustomPath).into_pg();
        (*path).path.pathtype = pg_sys::NodeTag::T_CustomScan;
        (*path).path.parent = rel;
        (*path).path.pathtarget = (*rel).reltarget;
        (*path).path.rows = 1.0;
        (*path).path.total_cost = 1.0;
        (*path).methods = &raw const PATH.0;
        versions::set_projection(&mut *path);
        (*rel).rows = 1.0;
        (*rel).pathlist = std::ptr::null_mut();
        (*rel).partial_pathlist = std::ptr::null_mut();
        pg_sys::add_path(rel, path.cast());
        true
    }
}

/// PlanCustomPath
#[pg_guard]
unsafe extern "C-unwind" fn plan(
    _root: *mut pg_sys::PlannerInfo,
    rel: *mut pg_sys::RelOptInfo,
    path: *mut pg_sys::CustomPath,
    target: *mut pg_sys::List,
    _clauses: *mut pg_sys::List,
    _plans: *mut pg_sys::List,
) -> *mut pg_sys::Plan {
    // SAFETY: the nodes are the planner's.
    unsafe {
        let scan = PgBox::<pg_sys::CustomScan>::alloc_node(pg_sys::NodeTag::T_CustomScan).into_pg();
        (*scan).scan.plan.targetlist = target;
        (*scan).scan.scanrelid = (*rel).relid;
        (*scan).flags = (*path).flags;
        (*scan).methods = &raw const SCAN.0;
        scan.cast()
    }
}

/// The state of the node; the server's own part comes first.
#[repr(C)]
struct LuceneRowState {
    custom: pg_sys::CustomScanState,
    is_over: bool,
}

/// CreateCustomScanState
#[pg_guard]
unsafe extern "C-unwind" fn create(_plan: *mut pg_sys::CustomScan) -> *mut pg_sys::Node {
    // SAFETY: the type is what `new_state` asks for; zero is false, and a null pointer.
    unsafe { EXECUTION.new_state::<LuceneRowState>() }
}

/// BeginCustomScan. The server has opened the table and made a slot for its rows.
#[pg_guard]
unsafe extern "C-unwind" fn begin(
    _node: *mut pg_sys::CustomScanState,
    _estate: *mut pg_sys::EState,
    _flags: c_int,
) {
}

/// ExecCustomScan. ExecScan computes what the query returns from the row.
#[pg_guard]
unsafe extern "C-unwind" fn next(
    node: *mut pg_sys::CustomScanState,
) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: the server calls this with a node that it has initialized.
    memory::watched(|| unsafe {
        pg_sys::ExecScan(&raw mut (*node).ss, Some(access), Some(no_recheck))
    })
}

/// The row, in the first call.
#[pg_guard]
unsafe extern "C-unwind" fn access(ss: *mut pg_sys::ScanState) -> *mut pg_sys::TupleTableSlot {
    // SAFETY: ExecScan calls this with the node that was passed to it. Its slot has the columns of the
    // table, which is open.
    unsafe {
        let slot = (*ss).ss_ScanTupleSlot;
        pg_sys::ExecClearTuple(slot);
        if std::mem::replace(&mut (*ss.cast::<LuceneRowState>()).is_over, true) {
            return slot;
        }
        store_row(slot, None);
        (*slot).tts_tableOid = (*(*ss).ss_currentRelation).rd_id;
        slot
    }
}

/// ReScanCustomScan
#[pg_guard]
unsafe extern "C-unwind" fn rescan(node: *mut pg_sys::CustomScanState) {
    // SAFETY: the server calls this with a node that it has initialized.
    unsafe {
        (*node.cast::<LuceneRowState>()).is_over = false;
        pg_sys::ExecScanReScan(&raw mut (*node).ss);
    }
}

/// EndCustomScan
#[pg_guard]
unsafe extern "C-unwind" fn end(_node: *mut pg_sys::CustomScanState) {}
